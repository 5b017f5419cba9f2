"""Windows, lapses and beginnings, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.accounts.rules import PERMISSIONS, Role
from crm.errors import RuleBroken
from crm.months import Month
from crm.participation.rules import (
    Basis,
    Beginning,
    basis_for,
    beginning,
    deadline_after,
    first_day_to_pay,
    first_months,
    holds,
    joins_from,
    lapse_day,
    months_at_once,
    old_enough,
    opens_in,
    refuse_early,
)
from crm.premiums.rules.keys import LawKey
from crm.premiums.rules.law import Law
from crm.premiums.rules.quotes import Plan
from crm.premiums.services import law_as_shipped

LAW = law_as_shipped()


@pytest.mark.parametrize(
    ("months", "last_day"),
    [
        (1, date(2026, 7, 31)),
        (3, date(2026, 9, 30)),
        (6, date(2026, 10, 31)),
        (12, date(2027, 1, 31)),
    ],
)
def test_each_way_to_pay_has_its_own_last_day(months: int, last_day: date) -> None:
    assert deadline_after(LAW.on(date(2026, 6, 1)), months, Month(2026, 6)) == last_day


def test_after_a_sum_paid_once_the_next_month_is_due_within_it() -> None:
    assert months_at_once(Plan.years_ahead(2)) == 0
    assert deadline_after(LAW.on(date(2026, 1, 1)), 0, Month(2027, 12)) == date(2028, 1, 31)


def test_someone_takes_part_through_the_last_day_to_pay_and_not_the_day_after() -> None:
    ends = lapse_day(date(2019, 9, 30), date(2019, 6, 12))
    assert holds(date(2019, 6, 12), ends, date(2019, 9, 30))
    assert not holds(date(2019, 6, 12), ends, date(2019, 10, 1))


def test_a_spell_never_ends_before_it_began() -> None:
    assert lapse_day(date(2018, 11, 30), date(2018, 12, 31)) == date(2019, 1, 1)


def test_whoever_took_part_before_comes_back_even_when_they_also_moved() -> None:
    assert beginning(took_part_before=False, moved_in=False) is Beginning.JOINED
    assert beginning(took_part_before=False, moved_in=True) is Beginning.MOVED_IN
    assert beginning(took_part_before=True, moved_in=True) is Beginning.RETURNED


@pytest.mark.parametrize(
    ("born", "year", "may"),
    [
        (date(2004, 10, 15), 2004, True),
        (date(2004, 10, 16), 2004, False),
        (None, 2004, True),
        (None, 2005, False),
        (None, None, True),
    ],
)
def test_one_may_join_from_fifteen(born: date | None, year: int | None, may: bool) -> None:
    assert old_enough(born, year, date(2019, 10, 15), 15) is may


@given(st.dates(date(1950, 1, 1), date(2030, 12, 31)), st.integers(1, 80))
def test_one_joins_from_the_first_day_on_which_one_is_old_enough(born: date, least: int) -> None:
    first = joins_from(born, born.year, least)
    assert first
    assert old_enough(born, born.year, first, least)
    assert not old_enough(born, born.year, first - timedelta(days=1), least)


def test_of_a_year_alone_one_joins_from_its_beginning() -> None:
    assert joins_from(None, 2005, 15) == date(2020, 1, 1)
    assert joins_from(None, None, 15) is None


def test_only_an_agent_takes_money_and_only_the_town_confirms_it() -> None:
    bases = {role: basis_for(PERMISSIONS[role].__contains__) for role in Role}
    assert bases.pop(Role.AGENT) is Basis.TAKEN
    assert bases.pop(Role.ADMIN) is bases.pop(Role.MANAGER) is Basis.CONFIRMED
    assert set(bases.values()) == {None}


def test_a_first_month_must_still_be_open_on_the_day_of_payment() -> None:
    law, day = LAW.on(date(2019, 10, 15)), date(2019, 10, 15)
    assert first_months(day, law, Plan.periodic(1)) == (Month(2019, 10), Month(2019, 11))
    assert first_months(day, law, Plan.periodic(3)) == (Month(2019, 8), Month(2019, 11))
    assert first_months(day, law, Plan.periodic(12)) == (Month(2019, 4), Month(2019, 11))


@given(st.dates(date(2018, 1, 1), date(2024, 12, 31)), st.sampled_from([1, 3, 6, 12]))
def test_the_last_day_is_the_end_of_a_month_that_is_not_paid(day: date, months: int) -> None:
    paid_through = Month.of(day)
    last = deadline_after(LAW.on(day), months, paid_through)
    assert Month.of(last) > paid_through
    assert last == Month.of(last).last_day
    assert Month.of(last).since(paid_through) <= months


def test_a_period_is_paid_within_its_own_months_or_one_before() -> None:
    law = LAW.on(date(2026, 5, 31))
    assert opens_in(law, Month(2026, 7)) == Month(2026, 6)
    refuse_early(LAW.on(date(2026, 6, 1)), Month(2026, 7))
    with pytest.raises(
        RuleBroken, match=r"6/2026 is paid for\. The months from 7/2026 on may be paid from 6/2026"
    ) as no:
        refuse_early(law, Month(2026, 7))
    assert (no.value.field, no.value.code) == ("paid_on", "paid_too_early")


@pytest.mark.parametrize(
    ("today", "first"),
    [
        (date(2026, 3, 20), date(2026, 6, 1)),
        (date(2026, 5, 31), date(2026, 6, 1)),
        (date(2026, 6, 10), date(2026, 6, 10)),
        (date(2027, 2, 3), date(2027, 2, 3)),
    ],
)
def test_the_first_day_to_pay_is_never_past(today: date, first: date) -> None:
    assert first_day_to_pay(LAW, Month(2026, 7), today) == first
    refuse_early(LAW.on(first), Month(2026, 7))


@pytest.mark.parametrize(
    ("since", "ahead", "first"),
    [
        (date(2026, 4, 15), 3, date(2026, 4, 15)),
        (date(2026, 3, 25), 3, date(2026, 4, 1)),
        (date(2026, 5, 1), 0, date(2026, 7, 1)),
        (date(2026, 6, 2), 0, date(2026, 6, 1)),
    ],
)
def test_the_first_day_to_pay_follows_a_law_that_changes_how_early(since: date, ahead: int, first: date) -> None:
    row = replace(LAW.on(date(2026, 3, 20)).row(LawKey.PERIOD_AHEAD_MONTHS), value=Decimal(ahead), since=since)
    law = Law((*LAW.values, row))
    assert first_day_to_pay(law, Month(2026, 7), date(2026, 3, 20)) == first
    refuse_early(law.on(first), Month(2026, 7))
    if first != date(2026, 3, 20):
        with pytest.raises(RuleBroken):
            refuse_early(law.on(first - timedelta(days=1)), Month(2026, 7))
