"""`crm report` says what the dashboard says."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from python_calamine import CalamineWorkbook

from crm.errors import RuleBroken
from crm.participation.models import Participation
from crm.participation.rules import Beginning
from crm.reports.commands import report
from crm.reports.periods import ReportKind, span_of
from tests.factories import Make


@pytest.fixture(autouse=True)
def _two_people(make: Make) -> None:
    for started, beginning in ((date(2018, 5, 1), Beginning.BASELINE), (date(2019, 9, 3), Beginning.JOINED)):
        person = make.prospect()
        spell = {"started_on": started, "started_as": beginning, "income": 700_000, "method": 12}
        make.add(Participation(town_id=person.town_id, prospect_id=person.id, place_id=person.place_id, **spell))


def run(*arguments: str) -> None:
    done = CliRunner().invoke(report, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output


def test_a_month_as_json_and_as_excel_are_the_same(app: Flask, tmp_path: Path) -> None:
    run("month", "--period", "2019-09", "--format", "json", "-o", str(tmp_path / "r.json"))
    run("month", "--period", "2019-09", "--format", "xlsx", "-o", str(tmp_path / "r.xlsx"))
    said = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert said["rows"][-1][2:7] == [1, 1, 0, 0, 2]
    assert said["as_of"] == "2019-09-30"
    rows = CalamineWorkbook.from_path(str(tmp_path / "r.xlsx")).get_sheet_by_name("Biểu 01").to_python()
    (total,) = [row for row in rows if row[1] == "Tổng cộng"]
    assert (total[3], total[4], total[11]) == (1, 1, 2)


def test_the_pipeline_counts_everyone_once(app: Flask, tmp_path: Path) -> None:
    run("pipeline", "--period", "2019", "--format", "json", "-o", str(tmp_path / "p.json"))
    assert json.loads((tmp_path / "p.json").read_text("utf-8"))["rows"][-1][-1] == 2


@pytest.mark.parametrize(
    ("kind", "period"),
    [
        ("month", "2019"),
        ("month", "2019-13"),
        ("half-year", "2019-H3"),
        ("year", "19"),
        ("year", "2020"),
        ("pipeline", "2019-H3"),
    ],
)
def test_a_period_that_is_none_is_refused(kind: str, period: str) -> None:
    with pytest.raises(RuleBroken):
        span_of(ReportKind(kind), period, date(2019, 10, 15))


@pytest.mark.parametrize(
    ("period", "since", "as_of"),
    [
        ("2019-10", date(2019, 10, 1), date(2019, 10, 15)),
        ("2019-09", date(2019, 9, 1), date(2019, 9, 30)),
        ("2019-H1", date(2019, 1, 1), date(2019, 6, 30)),
        ("2019-H2", date(2019, 7, 1), date(2019, 10, 15)),
        ("2019", date(2019, 1, 1), date(2019, 10, 15)),
    ],
)
def test_the_pipeline_takes_every_kind_of_period(period: str, since: date, as_of: date) -> None:
    span = span_of(ReportKind.PIPELINE, period, date(2019, 10, 15))
    assert (span.since, span.as_of) == (since, as_of)


def test_what_is_no_period_of_the_pipeline_is_told_all_three_shapes() -> None:
    with pytest.raises(RuleBroken) as refused:
        span_of(ReportKind.PIPELINE, "tháng 9", date(2019, 10, 15))
    assert all(shape in str(refused.value) for shape in ("2019-09", "2019-H1", " 2019."))


def test_a_half_year_ends_with_its_last_day() -> None:
    span = span_of(ReportKind.HALF_YEAR, "2019-H1", date(2019, 10, 15))
    assert (span.since, span.as_of) == (date(2019, 1, 1), date(2019, 6, 30))
