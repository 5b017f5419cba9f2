"""Deadlines, and how units' own figures become one town's: nothing is added twice, and what is missing is named."""

from __future__ import annotations

from datetime import date

import pytest

from crm.errors import RuleBroken
from crm.reports.periods import ReportKind
from crm.reports.rounds.rules import (
    Deadline,
    Figure,
    Own,
    Told,
    Who,
    check_own,
    ends,
    late_by,
    periods_around,
    together,
)


@pytest.mark.parametrize(
    ("deadline", "last_day", "due"),
    [
        (Deadline(1, 5, 30), date(2019, 9, 30), date(2019, 10, 5)),
        (Deadline(0, 9, 30), date(2019, 12, 31), date(2019, 12, 9)),
        (Deadline(1, 31, 30), date(2020, 1, 31), date(2020, 2, 29)),
        (Deadline(1, 5, 30), date(2019, 12, 31), date(2020, 1, 5)),
    ],
)
def test_the_last_day_follows_the_period(deadline: Deadline, last_day: date, due: date) -> None:
    assert deadline.due(last_day) == due


def test_a_report_on_its_last_day_is_in_time_and_the_day_after_is_one_day_late() -> None:
    due = date(2019, 10, 5)
    assert late_by(due, due, date(2019, 11, 1)) == 0
    assert late_by(due, date(2019, 10, 6), date(2019, 11, 1)) == 1
    assert late_by(due, None, date(2019, 10, 15)) == 10


def test_periods_have_their_ends_and_nonsense_has_none() -> None:
    assert ends(ReportKind.HALF_YEAR, "2019-H1") == (date(2019, 1, 1), date(2019, 6, 30))
    assert ends(ReportKind.YEAR, "2020") == (date(2020, 1, 1), date(2020, 12, 31))
    for kind, period in ((ReportKind.MONTH, "2019-13"), (ReportKind.HALF_YEAR, "2019-H3"), (ReportKind.YEAR, "x" * 4)):
        with pytest.raises(RuleBroken):
            ends(kind, period)
    assert periods_around(ReportKind.MONTH, date(2020, 1, 3)) == ["2019-12", "2020-01"]


def test_a_number_needs_its_source_and_a_nought_does_not() -> None:
    assert check_own({Own.SESSIONS: (0, None), Own.LEAFLETS: (None, "x")}, Who.UNIONS) == {Own.SESSIONS: Figure(0, "")}
    with pytest.raises(RuleBroken) as refused:
        check_own({Own.SESSIONS: (3, "  ")}, Who.UNIONS)
    assert refused.value.field == "source_sessions"


def test_a_unit_is_not_heard_on_what_it_is_not_asked() -> None:
    assert check_own({Own.INSPECTIONS: (3, "biên bản")}, Who.WARDS) == {}


def told(name: str, who: Who, **own: int) -> Told:
    return Told(name, who, {Own(key): Figure(number, "sổ") for key, number in own.items()})


def test_people_of_the_insurance_office_are_not_added_to_the_wards() -> None:
    wards = [told("A", Who.WARDS, compulsory=70, sessions=2), told("B", Who.WARDS, compulsory=40, sessions=1)]
    office = told("BHXH", Who.INSURANCE, compulsory=120, sessions=1)
    both = together([*wards, office])
    assert both[Own.COMPULSORY].number == 120
    assert both[Own.COMPULSORY].apart == 110
    assert both[Own.SESSIONS].number == 4


def test_without_the_insurance_office_the_wards_are_added_and_the_silent_one_is_named() -> None:
    silent = Told("C", Who.WARDS, None)
    found = together([told("A", Who.WARDS, compulsory=70), silent, Told("BHXH", Who.INSURANCE, None)])
    assert found[Own.COMPULSORY].number == 70
    assert found[Own.COMPULSORY].silent == ["C"]
    assert found[Own.DIALOGUES].number is None
    assert found[Own.DIALOGUES].silent == ["A", "C", "BHXH"]
