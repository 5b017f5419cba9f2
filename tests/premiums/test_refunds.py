"""What comes back to whoever leaves within what they have paid for."""

import json
from datetime import date
from decimal import Decimal, localcontext
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from crm.months import Month
from crm.premiums.rules.explaining import Assumption, Line, Unknown
from crm.premiums.rules.keys import LawKey, LawStatus
from crm.premiums.rules.law import Law
from crm.premiums.rules.quotes import Plan, quote
from crm.premiums.rules.refunds import Paid, Reason, Refund, refund
from crm.premiums.services import law_as_shipped
from crm.prospects.rules import Ground

LAW = law_as_shipped()
START = Month(2026, 1)
LEFT_ON = date(2026, 11, 20)


def pay(plan: Plan, income: int = 1_500_000, *grounds: Ground, **more: Any) -> Paid:
    return Paid.by(quote(LAW, income, grounds, START, None, plan, **more))


def leave(paid: Paid, used: int, on: date = LEFT_ON, law: Law = LAW) -> Refund:
    return refund(law, paid, Reason.COMPULSORY, on, paid.start + used)


def test_ones_own_part_of_the_months_left_comes_back_without_the_states() -> None:
    told = leave(pay(Plan.periodic(12), 1_500_000, Ground.POOR), 7)
    assert (told.months_left, told.gross, told.state_support, told.amount) == (5, 1_650_000, 825_000, 825_000)
    assert [line.name for line in told.lines] == ["contribution_percent", "refund_of_own_part"]
    assert not told.unknown


def test_nothing_is_left_at_the_end_and_everything_at_the_start() -> None:
    paid = pay(Plan.periodic(6))
    assert leave(paid, 6).amount == 0
    assert leave(paid, 9).amount == 0
    assert leave(paid, 0).amount == leave(paid, -3).amount == paid.payable


def test_where_the_states_help_ended_within_the_payment_the_later_months_were_paid_alone() -> None:
    paid = pay(Plan.periodic(6), 1_500_000, Ground.POOR, supported_before=118)
    told = leave(paid, 2)
    assert (told.state_support, told.amount) == (0, 4 * 330_000)
    assert Assumption.FIRST_MONTHS_SUPPORTED in told.assumptions
    assert leave(paid, 1).amount == 165_000 + 4 * 330_000


def test_years_ahead_come_back_as_they_were_discounted() -> None:
    paid = pay(Plan.years_ahead(2))
    told = leave(paid, 11)
    monthly = [Decimal(330_000) / (1 + Decimal("0.0031")) ** i for i in range(11, 24)]
    assert told.gross == int(sum(monthly).quantize(Decimal(1), "ROUND_HALF_UP"))
    assert told.amount == told.gross - 13 * 66_000
    assert Assumption.ROUNDED_ONCE in told.assumptions
    assert told.gross < 13 * 330_000


def test_what_sponsors_gave_is_not_paid_to_the_person_and_who_gets_it_is_not_known() -> None:
    told = leave(pay(Plan.periodic(12), 1_500_000, Ground.POOR, other_support=1_200_000), 6)
    assert (told.other_support, told.amount) == (600_000, 6 * 165_000 - 600_000)
    assert told.unknown == (Unknown.WHO_GETS_THE_HELP_BACK,)
    assert Assumption.HELP_SPREAD_EVENLY in told.assumptions


def test_rules_that_have_not_been_read_are_not_guessed() -> None:
    missing = leave(pay(Plan.missing(12)), 3)
    assert (missing.amount, missing.unknown) == (None, (Unknown.MISSING_MONTHS_REFUND,))
    before = leave(pay(Plan.periodic(3)), 1, on=date(2015, 12, 31))
    assert (before.amount, before.unknown) == (None, (Unknown.REFUND_LAW,))


def test_before_july_2025_a_refund_says_that_its_text_was_not_read() -> None:
    told = leave(pay(Plan.periodic(3)), 1, on=date(2025, 6, 30))
    (line,) = (line for line in told.lines if line.name == LawKey.REFUND_OF_OWN_PART)
    assert (told.amount, line.status) == (2 * 264_000, LawStatus.PRACTICE)
    (now,) = (line for line in leave(pay(Plan.periodic(3)), 1).lines if line.name == LawKey.REFUND_OF_OWN_PART)
    assert now.status is LawStatus.IN_FORCE


def test_a_law_that_changed_since_does_not_change_what_comes_back() -> None:
    paid = pay(Plan.years_ahead(3), 2_000_000, Ground.NEAR_POOR)
    others = [value for value in LAW.values if value.key not in ("contribution_percent", "investment_percent")]
    assert leave(paid, 11, law=Law(tuple(others))).amount == leave(paid, 11).amount


def test_what_is_kept_with_a_payment_reads_the_same_again() -> None:
    paid = pay(Plan.years_ahead(3), 2_000_000, Ground.NEAR_POOR, Ground.OTHER)
    kept = json.loads(json.dumps([line.as_json() for line in paid.lines]))
    assert tuple(map(Line.from_json, kept)) == paid.lines


def test_older_snapshots_that_say_no_ground_are_read() -> None:
    kept = {"name": "support_percent", "value": "50", "since": "2025-07-01", "source": "Nghị định 159"}
    assert Line.from_json(kept).value == 50


INCOMES = st.integers(0, 900).map(lambda steps: 1_500_000 + steps * 50_000)
PLANS = st.one_of(st.sampled_from([1, 3, 6, 12]).map(Plan.periodic), st.integers(2, 5).map(Plan.years_ahead))


@given(
    INCOMES, st.sets(st.sampled_from(Ground)), PLANS, st.integers(0, 130), st.integers(0, 10**7), st.integers(-2, 62)
)
def test_nobody_gets_back_more_than_they_paid(
    income: int, grounds: set[Ground], plan: Plan, before: int, other: int, used: int
) -> None:
    paid = pay(plan, income, *grounds, supported_before=before, other_support=other)
    told = leave(paid, used)
    layers = (told.state_support, told.local_support, told.other_support, told.amount)
    assert all(type(layer) is int and layer >= 0 for layer in layers)
    assert told.amount is not None
    assert told.gross is not None
    assert told.amount <= paid.payable
    assert sum(layer or 0 for layer in layers) <= told.gross
    assert told.gross <= paid.gross
    later = leave(paid, used + 1)
    assert (later.amount or 0) <= told.amount


@given(INCOMES, st.sets(st.sampled_from(Ground)), PLANS, st.integers(0, 130), st.integers(0, 60))
def test_the_refund_is_that_of_the_formula_in_the_decree(
    income: int, grounds: set[Ground], plan: Plan, before: int, used: int
) -> None:
    paid = pay(plan, income, *grounds, supported_before=before)
    ahead = plan == Plan.years_ahead(plan.months // 12) if plan.months % 12 == 0 else False
    with localcontext() as exact:
        exact.prec = 60
        growth = 1 + Decimal("0.0031") if ahead else Decimal(1)
        left = range(min(used, plan.months), plan.months)
        gross = sum((Decimal(income) * 22 / 100 / growth**i for i in left), Decimal(0))
        percent = max(
            {Ground.POOR: 50, Ground.ISLAND: 50, Ground.NEAR_POOR: 40, Ground.ETHNIC_MINORITY: 30}.get(g, 20)
            for g in grounds or {Ground.OTHER}
        )
        support = sum(1_500_000 * 22 * percent // 10_000 for i in left if before + i < 120)
        by_hand = max(0, int(gross.quantize(Decimal(1), "ROUND_HALF_UP")) - support)
    assert leave(paid, used).amount == min(by_hand, paid.payable)
