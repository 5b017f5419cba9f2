"""What survivors are given, and whoever leaves with a lump sum."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.premiums.rules.benefits.earnings import Earned
from crm.premiums.rules.benefits.lump_sum import Leaving, LumpSum, NotAllowed, lump_sum_on_leaving
from crm.premiums.rules.benefits.survivors import survivors
from crm.premiums.rules.explaining import Assumption, Unknown
from crm.premiums.rules.keys import LawKey, LawStatus
from crm.premiums.services import law_as_shipped

LAW = law_as_shipped()
ON = date(2026, 12, 15)
OLD = date(2010, 1, 1)


def paid(*years: tuple[int, int], income: int = 1_000_000) -> tuple[Earned, ...]:
    return tuple(Earned(months, income, year) for year, months in years)


def leave(earned: tuple[Earned, ...], why: Leaving = Leaving.STOPPED, **more: Any) -> LumpSum:
    given: dict[str, Any] = {"first_insured": OLD, "months_stopped": 12, "state_support": 0}
    return lump_sum_on_leaving(LAW, more.pop("on", ON), earned, why, **(given | more))


def test_years_before_2014_bring_a_month_and_a_half_later_ones_two() -> None:
    told = leave(paid((2012, 12), (2013, 12), (2014, 12), (2015, 12)))
    assert told.gross == 7 * 1_000_000
    assert (told.allowed, told.amount) == (True, 7_000_000)
    assert sorted(line.of_year or 0 for line in told.lines if line.name == "lump_sum_months_a_year") == [2008, 2014]


def test_the_state_takes_its_support_back_but_never_more_than_there_is() -> None:
    assert leave(paid((2020, 12)), state_support=792_000).amount == 2_000_000 - 792_000
    assert leave(paid((2020, 12)), state_support=9_000_000).amount == 0
    told = leave(paid((2020, 12)), state_support=None)
    assert (told.gross, told.amount) == (2_000_000, None)
    assert Unknown.STATE_SUPPORT_SO_FAR in told.unknown


@pytest.mark.parametrize(("months", "halves"), [(12, 2), (13, 3), (18, 3), (19, 4), (24, 4)])
def test_odd_months_count_as_for_a_pension_and_it_is_said(months: int, halves: int) -> None:
    told = leave(paid((2020, months)))
    assert told.gross == halves * 1_000_000
    assert (Assumption.ODD_MONTHS_AS_FOR_A_PENSION in told.assumptions) is (months % 12 > 0)


def test_odd_months_of_the_early_years_are_carried_on_and_it_is_said() -> None:
    told = leave(paid((2013, 17), (2014, 7)))
    assert told.gross == 1_500_000 + 2_000_000
    assert Assumption.ODD_MONTHS_CARRIED_ON in told.assumptions


def test_months_of_2014_alone_before_2014_are_closed_with_half_years() -> None:
    assert leave(paid((2013, 15))).gross == 1_500_000 * 3 // 2


def test_first_insured_from_july_2025_on_stopping_alone_brings_nothing() -> None:
    late = leave(paid((2025, 12)), first_insured=date(2025, 7, 1))
    assert (late.allowed, late.why_not) == (False, NotAllowed.FIRST_INSURED_LATE)
    assert late.gross == 2_000_000
    assert leave(paid((2025, 12)), first_insured=date(2025, 6, 30)).allowed
    assert leave(paid((2025, 12)), Leaving.ABROAD, first_insured=date(2025, 7, 1)).allowed
    assert leave(paid((2000, 12), (2025, 12)), first_insured=date(1990, 1, 1)).allowed


def test_months_paid_besides_count_for_whether_one_may_leave_and_not_for_how_much() -> None:
    earned = [Earned(12, 1_500_000, year) for year in range(2026, 2036)]
    on, before = date(2026, 12, 1), date(2016, 2, 1)
    alone, after = (
        lump_sum_on_leaving(
            LAW, on, earned, Leaving.STOPPED, first_insured=before, months_stopped=12, state_support=0, months_before=n
        )
        for n in (0, 130)
    )
    assert (alone.allowed, after.allowed, after.why_not) == (True, False, NotAllowed.PAID_TOO_LONG)
    assert alone.amount == after.amount == 30_000_000


def test_one_has_to_have_stopped_for_a_year() -> None:
    assert leave(paid((2020, 12)), months_stopped=11).why_not is NotAllowed.STOPPED_TOO_SHORTLY
    assert leave(paid((2020, 12)), months_stopped=None).unknown == (Unknown.STOPPED_WHEN, Unknown.PRICE_COEFFICIENTS)
    assert leave(paid((2020, 12)), first_insured=None).allowed is None


def test_whoever_has_enough_for_a_pension_gets_that_instead() -> None:
    enough = paid(*((year, 12) for year in range(2008, 2023)))
    assert leave(enough, Leaving.TOO_OLD).why_not is NotAllowed.PENSION_INSTEAD
    assert leave(enough[1:], Leaving.TOO_OLD).allowed
    twenty = paid(*((year, 12) for year in range(2005, 2025)))
    assert leave(twenty).why_not is NotAllowed.PAID_TOO_LONG


def test_lost_capacity_is_judged_by_its_percent() -> None:
    assert leave(paid((2020, 12)), Leaving.INCAPACITY, incapacity=81).allowed
    assert leave(paid((2020, 12)), Leaving.INCAPACITY, incapacity=80).why_not is NotAllowed.CAPACITY_LEFT
    assert Unknown.CAPACITY_LOST in leave(paid((2020, 12)), Leaving.INCAPACITY).unknown
    assert leave(paid((2020, 12)), Leaving.INCAPACITY, on=date(2025, 6, 1), incapacity=90).allowed is None


def test_for_less_than_a_year_there_is_no_guess() -> None:
    told = leave(paid((2020, 11)))
    assert (told.amount, told.gross) == (None, None)
    assert Unknown.LESS_THAN_A_YEAR in told.unknown


def test_without_years_or_incomes_there_is_no_guess() -> None:
    assert Unknown.YEARS_OF_MONTHS in leave((Earned(24, 1_000_000),)).unknown
    assert Unknown.AVERAGE_SO_FAR in leave((Earned(24, None, 2020),)).unknown
    assert leave((Earned(24, None, 2020),)).amount is None


def test_before_the_record_begins_the_law_is_not_known() -> None:
    told = leave(paid((2014, 12)), on=date(2015, 6, 1))
    assert (told.gross, told.unknown) == (None, (Unknown.LUMP_SUM_LAW,))


def test_incomes_are_raised_with_prices_where_the_table_of_the_day_is_known() -> None:
    assert leave(paid((2019, 12)), on=date(2025, 8, 1)).gross == 2_400_000
    assert leave(paid((2019, 12))).gross == 2_000_000
    assert Unknown.PRICE_COEFFICIENTS in leave(paid((2019, 12))).unknown


def test_a_family_is_given_the_funeral_and_the_years() -> None:
    told = survivors(LAW, ON, paid(*((year, 12) for year in range(2012, 2017))))
    assert told.funeral == 25_300_000
    assert told.lump_sum == (2 * 3 + 3 * 4) * 500_000
    assert {line.status for line in told.lines} == {LawStatus.IN_FORCE, LawStatus.PRACTICE}
    assert {line.name for line in told.lines if line.status is LawStatus.PRACTICE} == {LawKey.BASE_LEVEL}
    assert any("Điều 109" in line.source for line in told.lines)


def test_the_funeral_grant_needs_sixty_months() -> None:
    assert survivors(LAW, ON, paid((2020, 59))).funeral == 0
    assert survivors(LAW, ON, paid((2020, 60))).funeral == 25_300_000
    assert survivors(LAW, ON, ()).lump_sum == 0


def test_survivors_before_the_record_are_not_guessed() -> None:
    told = survivors(LAW, date(2015, 12, 31), paid((2010, 60)))
    assert (told.funeral, told.lump_sum, told.unknown) == (None, None, (Unknown.SURVIVORS_LAW,))


YEARS = st.dictionaries(st.integers(2008, 2025), st.integers(1, 12), min_size=1)


@given(YEARS, st.integers(20, 500).map(lambda steps: steps * 50_000), st.integers(0, 10**8))
def test_the_sum_is_that_of_a_plain_computation(years: dict[int, int], income: int, support: int) -> None:
    early = sum(months for year, months in years.items() if year < 2014)
    late = sum(months for year, months in years.items() if year >= 2014)
    told = leave(tuple(Earned(months, income, year) for year, months in years.items()), state_support=support)
    if early + late < 12:
        assert told.gross is None
        return
    if late:
        early, late = early - early % 12, late + early % 12
    halves = [months // 12 * 2 + (0, 1, 2)[(months % 12 > 0) + (months % 12 > 6)] for months in (early, late)]
    by_hand = Decimal(income) * (Decimal("1.5") * halves[0] + 2 * halves[1]) / 2
    assert told.gross == int(by_hand.to_integral_value(rounding="ROUND_HALF_UP"))
    assert told.amount == max(0, told.gross - support)
    assert type(told.amount) is int


@given(YEARS, st.integers(2014, 2025), st.integers(1, 24))
def test_paying_more_months_from_2014_on_never_brings_less(years: dict[int, int], year: int, more: int) -> None:
    earned = paid(*years.items())
    fewer, longer = leave(earned), leave((*earned, Earned(more, 1_000_000, year)))
    if fewer.gross is not None:
        assert longer.gross is not None
        assert longer.gross >= fewer.gross
