"""Which endings bring something back, for which payments, and what of it is whose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l

from crm.errors import RuleBroken
from crm.money import Vnd, split
from crm.months import Month
from crm.participation.rules import Ending
from crm.participation.shares import Payer, PayerKind, Share
from crm.premiums.rules.explaining import Assumption, Line, Unknown
from crm.premiums.rules.keys import LawKey
from crm.premiums.rules.law import Law
from crm.premiums.rules.refunds import Paid, Reason, Refund, refund
from crm.web.filters import in_money

REASONS: Mapping[Ending, Reason] = {
    Ending.COMPULSORY: Reason.COMPULSORY,
    Ending.LUMP_SUM: Reason.LUMP_SUM,
    Ending.DIED: Reason.DIED,
    Ending.PENSION: Reason.PENSION,
}
"""Endings for which the law knows a refund; whoever just stops, or moves away, gets nothing back."""


class Payee(StrEnum):
    """Whose money comes back."""

    PERSON = "person"
    SPONSOR = PayerKind.SPONSOR.value
    UNNAMED = PayerKind.UNNAMED.value


@dataclass(frozen=True, slots=True)
class Part:
    """What comes back of one payment to one who bore it, đồng; None while the rule is not known.

    `given` is what others than the person gave for the months left: more than that cannot come back to them.
    """

    payee: Payee
    payee_id: UUID | None
    amount: Vnd | None
    given: Vnd | None = None


def not_needed_from(left_on: date) -> Month:
    """The first month one paid for in vain, where the insurance office says nothing else: the one after the day.

    How the month itself counts has not been read.
    """
    return Month.of(left_on) + 1


def coming_back(law: Law, paid: Paid, ending: Ending, left_on: date, first: Month) -> Refund:
    """What comes back of a payment. Where the rules it was made under were not kept with it, no amount is guessed."""
    if not any(line.name == LawKey.CONTRIBUTION_PERCENT for line in paid.lines):
        left = max(0, min(paid.plan.months, (paid.start + paid.plan.months).since(first)))
        return Refund(REASONS[ending], left, None, None, None, None, None, (), unknown=(Unknown.PAYMENT_RULES,))
    return refund(law, paid, REASONS[ending], left_on, first)


def parts_of(told: Refund, given: Mapping[Payer, Vnd]) -> tuple[Part, ...]:
    """To whom it goes: their own part to the person, what others bore of the months left to each of these by what they
    gave for them (đồng, in `given`). Where no amount is known, all of them are still named: each may get something."""
    if told.amount is None:
        others = tuple(Part(Payee(one.kind), one.id, None, gave) for one, gave in given.items() if gave)
        return (Part(Payee.PERSON, None, None), *others)
    own = (Part(Payee.PERSON, None, told.amount),) if told.amount else ()
    return own + tuple(
        Part(Payee(share.payer.kind), share.payer.id, share.amount, given[share.payer])
        for share in _others(told, given)
    )


def paid_back_of(payee: Payee, computed: Vnd | None, given: Vnd | None, typed: Vnd | None) -> Vnd | None:
    """What the insurance office really paid back to others than the person, đồng: what it says, else what was worked out.

    Raises RuleBroken at `paid_back` where neither is known, and for more than was given for the months left. What the
    person has for themselves is between them and the office: None.
    """
    if payee is Payee.PERSON:
        if typed is not None:
            raise RuleBroken(_l("The office pays this part to the person themselves: leave the amount empty."))
        return None
    amount = computed if typed is None else typed
    if amount is None:
        raise RuleBroken(
            _l("The amount could not be worked out. Write what the insurance office really paid back."),
            field="paid_back",
        )
    most = most_paid_back(computed, given)
    if not 0 < amount <= most:
        raise RuleBroken(
            _l("Write an amount from 1 đ to %(most)s: so much was given for the months left.", most=in_money(most)),
            field="paid_back",
        )
    return amount


def most_paid_back(computed: Vnd | None, given: Vnd | None) -> Vnd:
    """The most that can come back: what was given for the months left, or what was worked out, if rounding made it more."""
    return max(computed or 0, given or 0)


def _others(told: Refund, given: Mapping[Payer, Vnd]) -> list[Share]:
    if not told.other_support or not given:
        return []
    amounts = split(told.other_support, list(given.values()))
    return [Share(payer, amount) for payer, amount in zip(given, amounts, strict=True) if amount]


def lines_kept(told: Refund) -> list[dict[str, Any]]:
    """The numbers it rests on, as they are kept with it."""
    return [line.as_json() for line in told.lines]


def lines_from(kept: list[dict[str, Any]]) -> list[Line]:
    """The same, read again."""
    return [Line.from_json(one) for one in kept]


def assumed(names: list[str]) -> list[Assumption]:
    """What was taken for granted, read again."""
    return [Assumption(name) for name in names]


def unknown(names: list[str]) -> list[Unknown]:
    """What was not known, read again."""
    return [Unknown(name) for name in names]
