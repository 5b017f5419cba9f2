"""The same year in the boundaries of another day: other rows, the same people."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from crm import clock
from crm.accounts.rules import Role
from crm.prospects.services.neighbourhoods import find_or_add_neighbourhood
from crm.reports.commands import report
from tests.factories import Make
from tests.participation.stories import spell
from tests.reports.test_routes import figures_in, rows_in

CODES = ("14812@2019-10-15", "14815@2019-10-15", "14821@2019-10-15", "14827@2019-10-15", "14818@2019-10-15")
DRAWN = ("", "2019-10-15", "2020-01-01", "2025-07-01")


@pytest.fixture
def town(make: Make, at_time: Callable[[datetime], None]) -> Make:
    """People of five former wards, some recorded in the new ones since."""
    at_time(clock.at(date(2025, 9, 15), 9))
    for number, code in enumerate(CODES * 2):
        spell(make, make.prospect(f"Người {number}", place=make.ward(code)), date(2025, 2 + number % 5, 3))
    new = make.ward("14812@2025-07-01")
    for number in range(3):
        spell(make, make.prospect(f"Mới {number}", place=new), date(2025, 8, 4))
    street = find_or_add_neighbourhood(make.session, make.ward(), "Khu phố 5")
    spell(make, make.prospect("Biết phố", place=new, neighbourhood_id=street.id), date(2025, 8, 5))
    return make


@pytest.mark.parametrize("drawn", DRAWN)
def test_every_figure_opens_its_people_in_whatever_boundaries(
    town: Make, signed_in: Callable[..., FlaskClient], drawn: str
) -> None:
    browser = signed_in(Role.MANAGER)
    page = browser.get(f"/dashboard?boundaries={drawn}")
    figures = [one for one in figures_in(page.text) if one[1].startswith("/participation")]
    assert figures
    for number, address in figures:
        assert rows_in(browser.get(address).text) == number, address


def rows_of(tmp_path: Path, drawn: str) -> dict[str, list[int | None]]:
    target = tmp_path / "r.json"
    given = ["--boundaries", drawn] if drawn else []
    arguments = ["year", "--period", "2025", *given, "--format", "json", "-o", str(target)]
    done = CliRunner().invoke(report, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return {row[0]: row[2:7] for row in json.loads(target.read_text("utf-8"))["rows"]}


def test_the_same_year_has_the_same_totals_and_other_rows(town: Make, tmp_path: Path) -> None:
    found = {drawn: rows_of(tmp_path, drawn) for drawn in DRAWN}
    totals = {json.dumps(list(rows.values())[-1]) for rows in found.values()}
    assert totals == {json.dumps([0, 14, 0, 0, 14])}
    assert found[""] == found["2025-07-01"]
    assert found["2025-07-01"].keys() - {"Tổng số"} <= {"Phường Bỉm Sơn", "Phường Quang Trung", "Tổng cộng", "Total"}
    assert found["2019-10-15"]["Xã Hà Lan"][-1] == 2
    assert found["2020-01-01"]["Phường Đông Sơn"][-1] == 4
    assert found["2019-10-15"]["Phường Ba Đình"][-1] == 3, "the neighbourhood tells the former ward of one"
    assert found["2019-10-15"]["Phường Bỉm Sơn"][-1] == 3, "of the others it is not known"
