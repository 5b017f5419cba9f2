"""A payment on record as it was reckoned: told again by the numbers that were kept with it, never by the law of today."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from crm.money import half_up
from crm.months import MONTHS_IN_YEAR, Month
from crm.participation.models import Payment
from crm.premiums.rules.explaining import Line
from crm.premiums.rules.keys import LawKey
from crm.premiums.rules.law import share_of_percent
from crm.premiums.rules.quotes import Plan, Quote, is_weighed, months_weighed
from crm.prospects.rules import Ground


def plan_of(payment: Payment) -> Plan:
    """How it was paid."""
    if payment.missing:
        return Plan.missing(payment.months)
    at_once = payment.method == payment.months
    return Plan.periodic(payment.months) if at_once else Plan.years_ahead(payment.months // MONTHS_IN_YEAR)


def as_reckoned(payment: Payment) -> Quote | None:
    """The quote a payment was made by; None where no rules were kept with it, or its amounts are not what they give:
    then the insurance office said them."""
    lines = tuple(Line.from_json(one) for one in payment.law.get("rules", ()))
    numbers: Mapping[str, Decimal] = {line.name: line.value for line in lines}
    plan, ground = plan_of(payment), Ground(payment.ground)
    needed = {LawKey.CONTRIBUTION_PERCENT, LawKey.POVERTY_LINE}
    needed |= {LawKey.INVESTMENT_PERCENT} if is_weighed(plan) else set()
    if not needed <= numbers.keys():
        return None
    rate = share_of_percent(numbers[LawKey.CONTRIBUTION_PERCENT])
    interest = share_of_percent(numbers[LawKey.INVESTMENT_PERCENT]) if is_weighed(plan) else Fraction()
    gross = half_up(rate * payment.income * months_weighed(plan, interest))
    shares = {line.ground: line.value for line in lines if line.name == LawKey.SUPPORT_PERCENT}
    share = share_of_percent(shares.get(ground, shares.get(Ground.OTHER, Decimal())))
    state = share * rate * int(numbers[LawKey.POVERTY_LINE]) * payment.supported_months
    if (payment.gross, payment.state_support) != (gross, min(gross, half_up(state))):
        return None
    start = Month.of(payment.start_month)
    return Quote(
        income=payment.income,
        ground=ground,
        plan=plan,
        start=start,
        paid_on=payment.paid_on,
        gross=payment.gross,
        nominal=half_up(rate * payment.income * plan.months),
        state_support=payment.state_support,
        local_support=payment.local_support,
        other_support=payment.other_support,
        payable=payment.own,
        supported_months=payment.supported_months,
        deadline=None,
        next_start=None,
        lines=lines,
    )
