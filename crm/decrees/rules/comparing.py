"""What somebody's first payment after a decree costs without it and with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import NamedTuple
from uuid import UUID

from crm.money import Vnd, half_up
from crm.months import Month
from crm.participation.rules import deadline_after
from crm.premiums.rules.keys import PERIODS, LawKey, Method
from crm.premiums.rules.law import Law, LawOnDay, LocalTopUp, holding
from crm.premiums.rules.quotes import Plan, Quote, best_top_up, nearest_income, quote
from crm.prospects.rules import Ground

USUAL = PERIODS[Method.QUARTERLY]
"""How somebody who has chosen nothing yet is taken to pay."""


@dataclass(frozen=True)
class Rules:
    """What everybody pays by: the law, and what the town and its places add."""

    law: Law
    top_ups: Sequence[LocalTopUp] = ()


@dataclass(frozen=True)
class Payer:
    """Somebody who pays, or who might. Grounds are those of today: a certificate that ends is taken to be renewed."""

    grounds: tuple[Ground, ...]
    places: frozenset[UUID] = frozenset()
    takes_part: bool = False
    income: Vnd | None = None
    """The chosen income; None: the least."""
    months: int = USUAL
    """Paid at once; 0 for a sum paid once, after which one pays month by month."""
    paid_through: Month | None = None
    supported_before: int = 0
    local_months_before: int = 0
    sponsors_a_month: Fraction = Fraction()
    """Đồng a month that sponsors gave with the last payment."""
    carried: bool = False
    """Sponsors paid all that was left of the last payment, and are taken to go on."""


class Compared(NamedTuple):
    """The same payment without and with a decree."""

    before: Quote
    after: Quote
    pay_by: date
    before_possible: bool
    """It may still be made before the day of effect, by the law of before."""
    below_floor: bool

    @property
    def difference(self) -> Vnd:
        """More for the person, for the whole payment; negative: less."""
        return self.after.payable - self.before.payable


def compare(before: Rules, after: Rules, payer: Payer, since: date, today: date) -> Compared:
    """Somebody's first payment that may fall on the day of effect or later; months paid already stay as they are."""
    months = payer.months or PERIODS[Method.MONTHLY]
    then = after.law.on(since)
    start, payer = _until_then(before, then, payer, months, since, today)
    paid_on = max(since, start.first_day)
    was, will = before.law.on(paid_on), after.law.on(paid_on)
    chosen_before = nearest_income(was, payer.income or was.floor)
    chosen_after = nearest_income(will, payer.income or will.floor)
    return Compared(
        before=_quote(before, payer, chosen_before, start, paid_on, months),
        after=_quote(after, payer, chosen_after, start, paid_on, months),
        pay_by=deadline_after(then, months, start - 1) if payer.takes_part else paid_on,
        before_possible=payer.takes_part and today < since and start.first_day < since,
        below_floor=payer.income is not None and was.floor <= payer.income < will.floor,
    )


def _until_then(
    before: Rules, then: LawOnDay, payer: Payer, months: int, since: date, today: date
) -> tuple[Month, Payer]:
    """The first month of that payment, and the payer with the months that the State and the place will have helped with
    until then: of the place those of each period for which it still adds something in the period's first month."""
    if not payer.takes_part or payer.paid_through is None:
        return Month.of(since), payer
    start, supported, local = payer.paid_through + 1, payer.supported_before, payer.local_months_before
    while deadline_after(then, months, start - 1) < since:
        day = max(today, start.first_day)
        held = holding(before.top_ups, day, payer.places)
        adds = best_top_up(before.law.on(day), held, payer.grounds, months, local)[1] > 0
        start, supported, local = start + months, supported + months, local + (months if adds else 0)
    cap = then.number(LawKey.SUPPORT_CAP_MONTHS) if then.says(LawKey.SUPPORT_CAP_MONTHS) else supported
    supported = max(payer.supported_before, min(supported, cap))
    return start, replace(payer, supported_before=supported, local_months_before=local)


def _quote(rules: Rules, payer: Payer, income: Vnd, start: Month, paid_on: date, months: int) -> Quote:
    def asked(sponsors: Vnd) -> Quote:
        return quote(
            rules.law,
            income,
            payer.grounds,
            start,
            paid_on,
            Plan.periodic(months),
            supported_before=payer.supported_before,
            local_top_ups=holding(rules.top_ups, paid_on, payer.places),
            local_months_before=payer.local_months_before,
            other_support=sponsors,
        )

    told = asked(0 if payer.carried else half_up(payer.sponsors_a_month * months))
    return asked(told.payable) if payer.carried else told
