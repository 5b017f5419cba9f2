"""All parts side by side: what they rest on is told once, and parts that do not apply are left out."""

from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from crm.errors import RuleBroken
from crm.months import Month
from crm.premiums.rules.benefits.brings import Stopping, brings
from crm.premiums.rules.benefits.earnings import Earned
from crm.premiums.rules.benefits.pension import Person
from crm.premiums.rules.benefits.retirement import Birth
from crm.premiums.rules.explaining import Assumption
from crm.premiums.services import law_as_shipped
from crm.prospects.rules import Ground, Sex

LAW = law_as_shipped()
START = Month(2026, 12)
NEW = Person(Sex.FEMALE, Birth(date(1996, 3, 8)), grounds=frozenset({Ground.NEAR_POOR}))


def test_somebody_new_has_no_lump_sum_and_nothing_unknown() -> None:
    told = brings(LAW, NEW, 1_500_000, START, until_age=90)
    assert (told.lump_sum, told.maternity, told.unknown) == (None, None, ())
    assert told.survivors
    assert told.survivors.funeral == 25_300_000
    assert told.social_pension
    assert (told.social_pension.age, told.social_pension.amount) == (70, 500_000)


def test_every_row_is_told_once() -> None:
    told = brings(LAW, NEW, 1_500_000, START, until_age=90, child=START + 8)
    assert len(set(told.lines)) == len(told.lines)
    assert {line.name for line in told.lines} >= {
        "maternity_grant",
        "funeral_multiple",
        "pension_percent",
        "social_pension",
    }
    assert told.assumptions.count(Assumption.LAW_OF_TODAY) == 1


def test_a_birth_too_soon_brings_nothing_and_one_after_six_months_does() -> None:
    soon, later = (brings(LAW, NEW, 1_500_000, START, until_age=90, child=START + months) for months in (5, 6))
    assert soon.maternity
    assert later.maternity
    assert (soon.maternity.grant, later.maternity.grant) == (None, 2_000_000)


def test_months_paid_so_far_bring_a_lump_sum_to_weigh() -> None:
    told = brings(LAW, replace(NEW, earned=(Earned(24, 1_500_000, 2020),)), 1_500_000, START, until_age=90)
    assert told.lump_sum
    assert (told.lump_sum.gross, told.lump_sum.allowed) == (6_000_000, None)


def test_before_there_was_a_social_pension_there_is_none() -> None:
    assert brings(LAW, NEW, 1_500_000, Month(2025, 6), until_age=90).social_pension is None


BIG = st.none() | st.integers(0, 2**63 - 1)
DAYS = st.none() | st.dates()
MONTHS = st.builds(Month, st.integers(2000, 2099), st.integers(1, 12))
EARNED = st.builds(Earned, st.integers(0, 1_200), BIG, st.none() | st.integers(2000, 2099))
PEOPLE = st.builds(
    Person,
    st.sampled_from(Sex),
    st.builds(Birth, st.dates()),
    earned=st.lists(EARNED, max_size=3).map(tuple),
    paid_so_far=BIG,
    supported_so_far=BIG,
    voluntary_since=DAYS,
    grounds=st.frozensets(st.sampled_from(Ground)),
)


@given(PEOPLE, MONTHS, st.none() | MONTHS, st.builds(Stopping, DAYS, BIG, BIG), st.integers(1, 110))
def test_whatever_is_asked_is_answered_or_refused_in_words(
    person: Person, start: Month, child: Month | None, stopping: Stopping, until_age: int
) -> None:
    try:
        told = brings(LAW, person, 1_500_000, start, until_age=until_age, child=child, stopping=stopping)
    except RuleBroken:
        return
    money = (told.lump_sum and told.lump_sum.amount, told.survivors and told.survivors.lump_sum)
    assert all(each is None or each >= 0 for each in money)
    assert told.lines
