"""What comes back to whoever leaves while months they have paid for are still to come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Self

from crm.money import Vnd, half_up
from crm.months import Month
from crm.premiums.rules.explaining import Assumption, Line, Unknown, lines_of, merged
from crm.premiums.rules.keys import LawKey, Method
from crm.premiums.rules.law import Law, share_of_percent
from crm.premiums.rules.quotes import Plan, Quote


class Reason(StrEnum):
    """Why someone leaves in the middle of what they have paid for."""

    COMPULSORY = "compulsory"
    LUMP_SUM = "lump_sum"
    DIED = "died"
    PENSION = "pension"


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment as it was made, with the rules that were kept with it. Money in whole đồng for the whole payment."""

    plan: Plan
    start: Month
    income: Vnd
    gross: Vnd
    state_support: Vnd
    local_support: Vnd
    other_support: Vnd
    supported_months: int
    lines: tuple[Line, ...]

    @classmethod
    def by(cls, told: Quote) -> Self:
        """A payment made as it was quoted."""
        return cls(
            plan=told.plan,
            start=told.start,
            income=told.income,
            gross=told.gross,
            state_support=told.state_support,
            local_support=told.local_support,
            other_support=told.other_support,
            supported_months=told.supported_months,
            lines=told.lines,
        )

    @property
    def payable(self) -> Vnd:
        """From one's own pocket."""
        return self.gross - self.state_support - self.local_support - self.other_support

    def kept(self, key: LawKey) -> Line:
        """The number of the law as it was kept with the payment; KeyError where it was not."""
        for line in self.lines:
            if line.name == key:
                return line
        raise KeyError(key)


@dataclass(frozen=True, slots=True)
class Refund:
    """`amount` is one's own part of the months not needed, whole đồng; None where the rule is not known.

    `gross` and the three helps are of those months; only what was paid oneself comes back.
    """

    reason: Reason
    months_left: int
    gross: Vnd | None
    state_support: Vnd | None
    local_support: Vnd | None
    other_support: Vnd | None
    amount: Vnd | None
    lines: tuple[Line, ...]
    assumptions: tuple[Assumption, ...] = ()
    unknown: tuple[Unknown, ...] = ()


def refund(law: Law, paid: Paid, reason: Reason, on: date, not_needed_from: Month) -> Refund:
    """One's own part of the months from `not_needed_from` on, when someone leaves on a day.

    Every 1, 3, 6 or 12 months: the part one paid oneself. Years ahead: the discounted premiums of the months left,
    less the State's support for them, rounded once. The numbers are those kept with the payment. Decree 159/2025,
    article 8.
    """
    left = max(0, min(paid.plan.months, (paid.start + paid.plan.months).since(not_needed_from)))
    then = law.on(on).watched()
    if paid.plan.method is Method.MISSING_MONTHS:
        return _not_known(reason, left, Unknown.MISSING_MONTHS_REFUND)
    if not then.says(LawKey.REFUND_OF_OWN_PART) or not then.number(LawKey.REFUND_OF_OWN_PART):
        return _not_known(reason, left, Unknown.REFUND_LAW)
    share = Fraction(left, paid.plan.months)
    gross = min(_gross_left(paid, left), paid.gross)
    state = min(gross, _state_support_left(paid, left))
    local = min(gross - state, half_up(paid.local_support * share))
    other = min(gross - state - local, half_up(paid.other_support * share))
    helped = bool(paid.local_support or paid.other_support)
    assumed = [Assumption.FIRST_MONTHS_SUPPORTED] if 0 < paid.supported_months < paid.plan.months else []
    assumed += [Assumption.HELP_SPREAD_EVENLY] if helped else []
    assumed += [Assumption.ROUNDED_ONCE] if paid.plan.method is Method.YEARS_AHEAD else []
    return Refund(
        reason=reason,
        months_left=left,
        gross=gross,
        state_support=state,
        local_support=local,
        other_support=other,
        amount=min(paid.payable, gross - state - local - other),
        lines=merged(_rests_on(paid), lines_of(then)),
        assumptions=tuple(assumed),
        unknown=(Unknown.WHO_GETS_THE_HELP_BACK,) if helped else (),
    )


def _gross_left(paid: Paid, left: int) -> Vnd:
    """The premiums of the last months of a payment, discounted as they were when paid."""
    monthly = share_of_percent(paid.kept(LawKey.CONTRIBUTION_PERCENT).value) * paid.income
    if paid.plan.method is not Method.YEARS_AHEAD:
        return half_up(monthly * left)
    growth = 1 + share_of_percent(paid.kept(LawKey.INVESTMENT_PERCENT).value)
    return half_up(monthly * sum(growth**-month for month in range(paid.plan.months - left, paid.plan.months)))


def _state_support_left(paid: Paid, left: int) -> Vnd:
    """The State's support for the last months; where it ended within the payment, the first months had it."""
    if not paid.supported_months:
        return 0
    supported = max(0, paid.supported_months - (paid.plan.months - left))
    return half_up(Fraction(paid.state_support * supported, paid.supported_months))


def _rests_on(paid: Paid) -> list[Line]:
    """The kept numbers that are used again."""
    used = {LawKey.CONTRIBUTION_PERCENT}
    used |= {LawKey.INVESTMENT_PERCENT} if paid.plan.method is Method.YEARS_AHEAD else set()
    return [line for line in paid.lines if line.name in used]


def _not_known(reason: Reason, left: int, why: Unknown) -> Refund:
    return Refund(reason, left, None, None, None, None, None, (), unknown=(why,))
