"""Every figure of a quote is told with the numbers it is made of."""

import re
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.months import Month
from crm.premiums.rules.law import LocalTopUp
from crm.premiums.rules.quotes import Plan, Quote, Remark, quote
from crm.premiums.rules.steps import steps, weighing
from crm.premiums.services import law_as_shipped
from crm.prospects.rules import Ground

LAW = law_as_shipped()
JULY_2026 = Month(2026, 7)
PLANS = st.one_of(
    st.sampled_from([1, 3, 6, 12]).map(Plan.periodic),
    st.integers(2, 5).map(Plan.years_ahead),
    st.integers(1, 60).map(Plan.missing),
)


def ask(plan: Plan, *grounds: Ground, income: int = 1_500_000, before: int = 0, other: int = 0) -> Quote:
    return quote(LAW, income, grounds, JULY_2026, None, plan, supported_before=before, other_support=other)


def figures(text: object) -> list[int]:
    return [int(each.replace(".", "")) for each in re.findall(r"[0-9][0-9.]*(?=\u00a0đ)", str(text))]


def test_the_states_help_is_told_with_its_share_its_base_and_its_months() -> None:
    told = steps(ask(Plan.periodic(3), Ground.POOR, Ground.NEAR_POOR, income=2_000_000))
    assert [step.amount for step in told] == [1_320_000, 495_000, 825_000]
    assert str(told[0].how) == "22% × 2.000.000\u00a0đ × 3 months"
    assert str(told[1].how) == "50% × 22% × 1.500.000\u00a0đ × 3 months"
    assert "159/2025" in told[1].source
    assert str(told[2].how) == "1.320.000\u00a0đ − 495.000\u00a0đ"


def test_the_month_after_the_last_supported_one_is_told() -> None:
    (_gross, state, _pays) = steps(ask(Plan.periodic(12), Ground.POOR, before=118))
    assert str(state.how).startswith("50% × 22% × 1.500.000\u00a0đ × 2 months. 8/2026 is the last month")
    assert "120 months" in str(state.how)
    assert len(steps(ask(Plan.periodic(12), Ground.POOR, before=120))) == 2


@pytest.mark.parametrize(("plan", "word"), [(Plan.years_ahead(2), "discounted"), (Plan.missing(60), "interest")])
def test_a_discount_and_an_interest_are_told_with_their_rate(plan: Plan, word: str) -> None:
    gross = steps(ask(plan))[0]
    assert word in str(gross.how)
    assert "0,31%" in str(gross.how)
    _income, nominal, difference = figures(gross.how)
    assert nominal + (difference if plan.months == 60 else -difference) == gross.amount


@given(PLANS, st.sets(st.sampled_from(Ground)), st.integers(0, 130), st.integers(0, 10**7))
def test_the_last_line_is_the_first_less_the_others(plan: Plan, grounds: set[Ground], before: int, other: int) -> None:
    told = steps(ask(plan, *grounds, before=before, other=other))
    first, *helps, last = (step.amount for step in told)
    assert first - sum(helps) == last
    assert figures(told[-1].how) == [first, *helps]


def test_of_several_grounds_each_is_told_with_what_of_it_counts() -> None:
    added = [
        LocalTopUp(Ground.ETHNIC_MINORITY, Decimal(10), None, date(2025, 7, 1), None, None, "Nghị quyết 1"),
        LocalTopUp(Ground.POOR, Decimal(5), None, date(2025, 7, 1), None, None, "Nghị quyết 1"),
    ]
    both = [Ground.ETHNIC_MINORITY, Ground.POOR]
    told = quote(LAW, 1_500_000, both, JULY_2026, None, Plan.periodic(1), local_top_ups=added)
    assert (told.state_support, told.local_support) == (165_000, 33_000)
    poor, minority = weighing(told)
    assert poor == (
        "Poor household: the State's 50% count, the highest of the grounds. "
        "What the place would add for it, 16.500\u00a0đ, does not: one addition counts."
    )
    assert "do not add up" in minority
    assert "33.000\u00a0đ, comes on top" in minority
    assert weighing(ask(Plan.periodic(1), Ground.POOR)) == []


@pytest.mark.parametrize(
    ("before", "remarks"), [(0, ()), (117, ()), (118, (Remark.HELP_ENDS,)), (120, (Remark.NO_HELP_LEFT,))]
)
def test_a_payment_says_when_the_months_of_help_end(before: int, remarks: tuple[Remark, ...]) -> None:
    assert ask(Plan.periodic(3), Ground.POOR, before=before).remarks == remarks


def test_what_a_place_adds_is_told_as_a_product_and_where_it_was_cut() -> None:
    def local(added: LocalTopUp, months: int = 3, *grounds: Ground) -> str:
        told = quote(LAW, 1_500_000, grounds, JULY_2026, None, Plan.periodic(months), local_top_ups=[added])
        return str(next(step for step in steps(told) if step.source == "Nghị quyết 1").how)

    since = date(2025, 7, 1)
    share = LocalTopUp(Ground.OTHER, Decimal(60), None, since, None, None, "Nghị quyết 1")
    assert local(share) == "60% × 22% × 1.500.000\u00a0đ × 3 months"
    amount = LocalTopUp(Ground.OTHER, None, 30_000, since, None, 2, "Nghị quyết 1")
    assert local(amount) == "30.000\u00a0đ × 2 months"
    most = LocalTopUp(Ground.POOR, Decimal(90), None, since, None, None, "Nghị quyết 1")
    assert local(most, 1, Ground.POOR) == "90% × 22% × 1.500.000\u00a0đ × one month, no more than remains"


def test_a_remark_names_the_last_month_the_state_helps_with() -> None:
    (said,) = ask(Plan.periodic(6), Ground.POOR, before=118).said
    assert (said.remark, said.text[:25]) == (Remark.HELP_ENDS, "8/2026 is the last month ")
