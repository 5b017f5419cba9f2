"""A row of a list beside what is on record: the same, new, or to be decided."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from crm.errors import RuleBroken
from crm.months import Month
from crm.participation.listed.rules import Amounts, Ours, Said, Verdict, Why, judge
from crm.participation.listed.services import income_of
from crm.premiums.rules.quotes import Plan, gross_premium
from crm.premiums.services import law_as_shipped

OCTOBER = Month(2019, 10)
LAW = Amounts(462_000, 415_800, 46_200, 0, 0)
OURS = Ours(UUID(int=1), OCTOBER, 3, LAW)
MONTHS = tuple(OCTOBER.run(3))


def said(start: Month = OCTOBER, months: int = 3, **amounts: int) -> Said:
    return Said(start, months, Amounts(**({"total": 462_000, "own": 415_800, "state": 46_200} | amounts)))


def test_the_same_months_and_amounts_agree_and_name_the_payment() -> None:
    judged = judge(said(), [OURS], MONTHS, None, taken_elsewhere=False)
    assert (judged.verdict, judged.why, judged.payment_id) == (Verdict.AGREES, (), OURS.id)


def test_what_the_list_does_not_say_cannot_differ() -> None:
    quiet = Said(OCTOBER, 3, Amounts(total=462_000))
    assert judge(quiet, [OURS], MONTHS, None, taken_elsewhere=False).verdict is Verdict.AGREES


def test_other_amounts_for_the_same_months_are_decided() -> None:
    judged = judge(said(own=300_000, other=115_800), [OURS], MONTHS, None, taken_elsewhere=False)
    assert (judged.verdict, judged.why, judged.ours) == (Verdict.DIFFERS, (Why.AMOUNTS,), LAW)


@pytest.mark.parametrize(("start", "months"), [(Month(2019, 12), 3), (Month(2019, 8), 3), (OCTOBER, 6)])
def test_months_that_lie_over_paid_ones_are_decided(start: Month, months: int) -> None:
    judged = judge(said(start, months), [OURS], MONTHS, LAW, taken_elsewhere=False)
    assert judged.verdict is Verdict.DIFFERS
    assert Why.OVERLAP in judged.why
    assert judged.payment_id == OURS.id


def test_a_new_payment_just_as_the_law_has_it_is_new() -> None:
    judged = judge(said(Month(2020, 1)), [OURS], MONTHS, LAW, taken_elsewhere=False)
    assert (judged.verdict, judged.why, judged.payment_id) == (Verdict.NEW, (), None)


def test_a_new_payment_with_other_amounts_or_a_receipt_of_somebody_else_is_decided() -> None:
    other = judge(said(Month(2020, 1), state=0, own=462_000), [], (), LAW, taken_elsewhere=False)
    assert other.why == (Why.AMOUNTS,)
    stolen = judge(said(Month(2020, 1)), [], (), LAW, taken_elsewhere=True)
    assert stolen.why == (Why.OTHER_PERSON,)
    refused = judge(said(Month(2020, 1)), [], (), None, taken_elsewhere=False)
    assert refused.why == (Why.REFUSED,)


def test_parts_that_do_not_sum_to_the_total_are_said() -> None:
    judged = judge(said(own=500_000), [], (), LAW, taken_elsewhere=False)
    assert Why.SUMS in judged.why


def test_a_payment_of_before_somebody_left_is_not_taken_for_one_of_after() -> None:
    """The months from November on were not needed; they may be paid anew, and the list says when."""
    old = replace(OURS, left_on=date(2019, 10, 20), counts=1)
    known, paid = [old], MONTHS[:1]
    before, after = (replace(said(), paid_on=day) for day in (date(2019, 10, 1), date(2019, 11, 5)))
    assert judge(before, known, paid, LAW, taken_elsewhere=False).verdict is Verdict.AGREES
    assert judge(after, known, paid, LAW, taken_elsewhere=False).why == (Why.OVERLAP,)
    anew = replace(said(Month(2019, 11), 1), paid_on=date(2019, 11, 5))
    assert judge(anew, known, paid, LAW, taken_elsewhere=False).verdict is Verdict.NEW
    unsure = judge(said(), known, paid, LAW, taken_elsewhere=False)
    assert (unsure.verdict, unsure.why) == (Verdict.DIFFERS, (Why.LEFT_SINCE,))


def test_the_income_behind_a_total_is_found_with_the_discount_of_years_ahead() -> None:
    law = law_as_shipped().on(date(2026, 7, 15))
    for plan in (Plan.periodic(3), Plan.periodic(12), Plan.years_ahead(2), Plan.years_ahead(5)):
        for income in (1_500_000, 1_550_000, 7_350_000, 50_600_000):
            assert income_of(None, gross_premium(law, income, plan), plan, law) == income
    assert income_of(None, 7_644_801, Plan.ahead(24), law) == 1_500_000
    assert income_of(2_000_000, 1, Plan.ahead(24), law) == 2_000_000
    assert income_of(None, None, Plan.ahead(24), law) == law.floor


def test_without_the_rate_of_the_year_no_income_is_guessed_from_years_ahead() -> None:
    law = law_as_shipped().on(date(2019, 10, 15))
    with pytest.raises(RuleBroken, match="not recorded"):
        income_of(None, 7_644_801, Plan.ahead(24), law)
