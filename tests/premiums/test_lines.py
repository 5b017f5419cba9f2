"""Nothing counts that is not shown: a row of the law no line names may be anything, and the result stays the same."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from crm.errors import RuleBroken
from crm.months import Month
from crm.premiums.rules.benefits.earnings import Earned
from crm.premiums.rules.benefits.lump_sum import Leaving, lump_sum_on_leaving
from crm.premiums.rules.benefits.maternity import maternity
from crm.premiums.rules.benefits.pension import Person, pension_outlook
from crm.premiums.rules.benefits.retirement import Birth, retirement
from crm.premiums.rules.benefits.survivors import survivors
from crm.premiums.rules.benefits.wording import ASSUMPTIONS, LEAVING, REASONS, UNKNOWNS, WHY_NOT
from crm.premiums.rules.explaining import Line
from crm.premiums.rules.law import Law, LawValue
from crm.premiums.rules.quotes import Plan, quote
from crm.premiums.rules.refunds import Paid, Reason, refund
from crm.premiums.services import law_as_shipped
from crm.prospects.rules import Ground, Sex

LAW = law_as_shipped()
START = Month(2026, 11)
ON = date(2026, 11, 20)
EARNED = (Earned(30, 1_000_000, 2012), Earned(115, 1_500_000, 2020))
WOMAN = Person(Sex.FEMALE, Birth(date(1986, 3, 8)), earned=EARNED, grounds=frozenset({Ground.NEAR_POOR}))
MAN = Person(Sex.MALE, Birth(date(1965, 6, 1)), earned=EARNED, voluntary_since=date(2012, 1, 1))

RESULTS: dict[str, Callable[[Law], Any]] = {
    "every month": lambda law: quote(law, 2_000_000, [Ground.POOR], START, None, Plan.periodic(1)),
    "several grounds": lambda law: quote(
        law, 2_000_000, [Ground.NEAR_POOR, Ground.ETHNIC_MINORITY], START, None, Plan.periodic(6), supported_before=118
    ),
    "years ahead": lambda law: quote(law, 2_000_000, [], START, None, Plan.years_ahead(3)),
    "missing months": lambda law: quote(law, 2_000_000, [], START, None, Plan.missing(40)),
    "retirement": lambda law: retirement(law, Sex.FEMALE, Birth(date(1970, 5, 1))),
    "a woman's pension": lambda law: pension_outlook(law, WOMAN, 2_000_000, START, until_age=85),
    "a man's pension": lambda law: pension_outlook(law, MAN, 2_000_000, START, until_age=85),
    "a pension in 2025": lambda law: pension_outlook(law, WOMAN, 2_000_000, Month(2025, 11), until_age=85),
    "a birth": lambda law: maternity(law, START, [*(START - 9).run(8)]),
    "survivors": lambda law: survivors(law, ON, EARNED),
    "a lump sum": lambda law: lump_sum_on_leaving(
        law, ON, EARNED, Leaving.STOPPED, first_insured=date(2012, 5, 1), months_stopped=14, state_support=990_000
    ),
    "lost capacity": lambda law: lump_sum_on_leaving(law, ON, EARNED, Leaving.INCAPACITY, incapacity=85),
    "a refund": lambda law: refund(
        law, Paid.by(quote(LAW, 2_000_000, [], START, None, Plan.years_ahead(2))), Reason.DIED, ON, START + 5
    ),
}


def changed(law: Law, row: LawValue) -> Law:
    """The law with one row that says something quite different."""
    other = replace(row, value=row.value * 3 + 7)
    return Law(tuple(other if value is row else value for value in law.values))


@pytest.mark.parametrize("name", RESULTS)
def test_a_row_that_no_line_names_changes_nothing(name: str) -> None:
    told = RESULTS[name](LAW)
    shown = {(line.name, line.ground, line.of_year, line.since, line.source) for line in told.lines}
    hidden = [row for row in LAW.values if (row.key, row.ground, row.of_year, row.since, row.reference) not in shown]
    assert len(hidden) > 50
    for row in hidden:
        if row.key.startswith("retirement"):
            continue
        assert RESULTS[name](changed(LAW, row)) == told, row


@pytest.mark.parametrize("name", RESULTS)
def test_a_row_that_a_line_names_changes_the_line(name: str) -> None:
    told = RESULTS[name](LAW)
    assert told.lines
    for line in told.lines:
        (row, *_) = [value for value in LAW.values if Line.of(value) == line]
        try:
            other = RESULTS[name](changed(LAW, row))
        except RuleBroken:
            continue
        assert other != told or name == "a refund", line


@pytest.mark.parametrize("name", RESULTS)
def test_every_line_says_where_it_stands_and_since_when(name: str) -> None:
    for line in RESULTS[name](LAW).lines:
        assert line.source
        assert line.since


def test_everything_taken_for_granted_or_unknown_has_its_sentence() -> None:
    for words in (ASSUMPTIONS, UNKNOWNS, WHY_NOT, LEAVING, REASONS):
        kinds = {type(word) for word in words}
        assert all(set(kind) == set(words) for kind in kinds)
        assert all(str(sentence) for sentence in words.values())
