"""The map of the wards: every ward stands once, and a figure is the length of its list."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from html import unescape
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from crm.accounts.rules import Role
from crm.reports.forecast.reading import everyone
from crm.reports.ward_map.queries import tiles
from crm.reports.ward_map.rules import Measure, level, placed
from tests.factories import Make
from tests.participation.stories import join


def test_a_ward_without_an_outline_stands_below_the_others() -> None:
    old, new, newer = (UUID(int=one) for one in range(3))
    cells = placed({old: [(1, 1), (0, 0)]}, [old, new, newer])
    assert cells == {old: [(0, 0), (1, 1)], new: [(0, 2)], newer: [(1, 2)]}


def test_a_tile_is_marked_by_what_it_holds() -> None:
    assert [level(Measure.STOCK, value, None, 100) for value in (0, 21, 50, 100)] == [0, 1, 2, 4]
    assert [level(Measure.SHARE, value, 100, 1) for value in (59, 60, 90, 100)] == [0, 1, 3, 4]
    assert level(Measure.SHARE, 5, None, 5) is None


@pytest.mark.parametrize(("day", "wards"), [(date(2019, 10, 1), 8), (date(2026, 1, 5), 2)])
def test_wards_that_became_others_lend_them_their_place(session: Session, make: Make, day: date, wards: int) -> None:
    found = tiles(session, everyone(make.ward().town_id), Measure.STOCK, day)
    cells = [cell for one in found for cell in one.cells]
    assert (len(found), len(cells), len(set(cells))) == (wards, 8, 8)


@pytest.mark.parametrize("measure", ["stock", "due", "share", "nonsense"])
def test_a_figure_of_the_map_is_the_length_of_its_list(
    make: Make, signed_in: Callable[..., FlaskClient], measure: str
) -> None:
    for day in (5, 6):
        join(make.prospect(), date(2019, 8, day), months=1)
    join(make.prospect(), date(2019, 10, 5), months=3)
    browser = signed_in(make.user(Role.MANAGER))
    shown = browser.get(f"/map?measure={measure}&as_of=2019-10-15").text
    figures = re.findall(r'href="(/participation\?[^"]+)"[^>]*>([\d.]+)</a>', shown)
    assert figures or measure == "due"
    for address, number in figures:
        assert f": {number} người" in browser.get(unescape(address)).text
