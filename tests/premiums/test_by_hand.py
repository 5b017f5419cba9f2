"""A second, plain computation of what one pays, over all days, grounds and methods: combinations no file lists."""

import json
from datetime import date
from decimal import Decimal, localcontext
from itertools import permutations
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from crm.months import Month
from crm.premiums.rules.quotes import Plan, Quote, quote
from crm.premiums.services import law_as_shipped
from crm.prospects.rules import Ground

PARAMETERS = json.loads((Path(__file__).parents[1] / "data" / "premium-cases.json").read_text("utf-8"))["parameters"]
LAW = law_as_shipped()
STARTS = st.integers(0, 131).map(Month(2016, 1).__add__)
GROUNDS = st.sets(st.sampled_from(Ground))
PERIODS = st.sampled_from([1, 3, 6, 12])
STEPS = st.integers(0, 2_000)


def on(timeline: str, day: date) -> Any:
    """The value of a worked-out timeline on a day; None before it begins."""
    begun = [value for since, value in PARAMETERS[timeline] if date.fromisoformat(since) <= day]
    return begun[-1] if begun else None


def share_on(day: date, grounds: set[Ground]) -> int:
    shares = on("support_percent", day) or {}
    return max((shares.get(ground, shares.get("other", 0)) for ground in grounds or {Ground.OTHER}), default=0)


def income_on(day: date, steps: int) -> int:
    floor, ceiling = on("rural_poverty_line", day), 20 * on("base_or_reference", day)
    return int(floor + steps % ((ceiling - floor) // 50_000 + 1) * 50_000)


def rounded(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), "ROUND_HALF_UP"))


@given(STARTS, GROUNDS, PERIODS, STEPS, st.integers(0, 130))
def test_what_one_pays_is_that_of_a_plain_computation(
    start: Month, grounds: set[Ground], months: int, steps: int, before: int
) -> None:
    day = start.first_day
    income = income_on(day, steps)
    told = quote(LAW, income, grounds, start, None, Plan.periodic(months), supported_before=before)
    gross = state = 0
    for month in range(months):
        gross += income * 22 // 100
        if before + month < 120:
            state += on("rural_poverty_line", day) * 22 * share_on(day, grounds) // 10_000
    assert (told.gross, told.state_support, told.payable) == (gross, state, gross - state)
    assert all(type(each) is int for each in (told.gross, told.state_support, told.payable, told.supported_months))


@given(GROUNDS, STEPS, st.integers(1, 60), st.integers(0, 130), st.booleans())
def test_discount_and_interest_are_those_of_a_plain_computation(
    grounds: set[Ground], steps: int, length: int, before: int, ahead: bool
) -> None:
    start = Month(2026, 7)
    income, months = income_on(start.first_day, steps), (length % 4 + 2) * 12 if ahead else length
    plan = Plan.years_ahead(months // 12) if ahead else Plan.missing(months)
    told = quote(LAW, income, grounds, start, None, plan, supported_before=before)
    with localcontext() as exact:
        exact.prec = 80
        growth, monthly = Decimal("1.0031"), Decimal(income) * 22 / 100
        gross = sum(monthly / growth**i if ahead else monthly * growth ** (i + 1) for i in range(months))
        assert told.gross == rounded(Decimal(gross))
    supported = min(months, max(0, 120 - before))
    assert told.state_support == 330_000 * share_on(start.first_day, grounds) // 100 * supported
    nominal = income * 22 * months // 100
    assert told.gross < nominal if ahead else told.gross > nominal


@given(GROUNDS.filter(lambda grounds: len(grounds) < 5), STARTS)
def test_the_order_in_which_grounds_are_named_does_not_matter(grounds: set[Ground], start: Month) -> None:
    income = income_on(start.first_day, 0)
    told = {quote(LAW, income, order, start, None, Plan.periodic(3)) for order in permutations(grounds)}
    assert len(told) == 1


@given(GROUNDS, st.sampled_from(Ground), STARTS)
def test_one_more_ground_never_costs_more(grounds: set[Ground], more: Ground, start: Month) -> None:
    def pays(these: set[Ground]) -> int:
        return quote(LAW, income_on(start.first_day, 5), these, start, None, Plan.periodic(1)).payable

    if grounds or more is not Ground.OTHER:
        assert pays(grounds | {more}) <= pays(grounds)


@given(GROUNDS, st.lists(PERIODS, min_size=1, max_size=5), st.integers(100, 125), st.integers(0, 3))
def test_however_a_time_is_split_the_states_help_is_the_same_and_never_beyond_the_cap(
    grounds: set[Ground], lengths: list[int], before: int, steps: int
) -> None:
    start, income = Month(2026, 7), income_on(date(2026, 7, 1), steps)

    def pay(months: int, before: int) -> Quote:
        return quote(LAW, income, grounds, start, start.first_day, Plan.periodic(months), supported_before=before)

    used, helped, paid = before, 0, 0
    for months in lengths:
        told = pay(months, used)
        used, helped, paid = used + told.supported_months, helped + told.state_support, paid + told.payable
    assert used <= max(120, before)
    single = [pay(1, min(120, before + month) if before <= 120 else before) for month in range(sum(lengths))]
    assert helped == sum(each.state_support for each in single)
    assert paid == sum(each.payable for each in single)


def test_month_121_is_paid_alone_in_the_middle_of_a_year() -> None:
    told = quote(LAW, 1_500_000, [Ground.POOR], Month(2026, 7), None, Plan.periodic(12), supported_before=119)
    assert (told.supported_months, told.state_support) == (1, 165_000)
    assert told.payable == 165_000 + 11 * 330_000
