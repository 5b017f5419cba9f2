"""What comes back in words: the layers of the months left, to whom each goes, and the rules it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from flask_babel import gettext as _

from crm.money import Vnd
from crm.months import Month
from crm.participation.leaving.queries import Back, Kept
from crm.participation.leaving.rules import Payee, assumed, lines_from, unknown
from crm.premiums.rules.benefits.wording import ASSUMPTIONS, REASONS, UNKNOWNS
from crm.premiums.rules.explaining import Assumption, Line, Unknown
from crm.premiums.rules.refunds import Reason
from crm.web.filters import month, vnd
from crm.web.language import chosen


class Shown(NamedTuple):
    """One payment's refund for the page."""

    title: str
    reason: Any
    layers: list[tuple[Any, ...]]
    own: Vnd | None
    rules: Sequence[Line]
    said: list[Any]
    """What was taken for granted, and what nobody knows."""
    parts: list[tuple[str, Vnd | None, Any]]
    """To whom, how much, and since when it is back."""


def planned(found: Iterable[Back], names: Mapping[UUID, str]) -> list[Shown]:
    """What would come back, before it is recorded."""
    return [
        _shown(
            one.payment.start_month,
            one.payment.months,
            one.refund.months_left,
            one.refund,
            one.refund.reason,
            one.refund.lines,
            one.refund.assumptions,
            one.refund.unknown,
            [(payee_named(part.payee, part.payee_id, names), part.amount, None) for part in one.parts],
        )
        for one in found
    ]


def kept(found: Iterable[Kept], names: Mapping[UUID, str]) -> list[Shown]:
    """What was kept with the ending."""
    return [
        _shown(
            one.payment.start_month,
            one.payment.months,
            one.row.months_left,
            one.row,
            one.row.reason,
            lines_from(one.row.law["rules"]),
            assumed(one.row.assumptions),
            unknown(one.row.unknown),
            [
                (payee_named(part.payee, part.payee_id, names), part.paid_back or part.amount, part.settled_on)
                for part in one.parts
            ],
        )
        for one in found
    ]


def payee_named(payee: Payee, payee_id: UUID | None, names: Mapping[UUID, str]) -> str:
    """To whom a part goes."""
    if payee is Payee.PERSON:
        return str(_("The person"))
    return names.get(payee_id, str(_("Another payer"))) if payee_id else str(_("Another payer"))


def _shown(
    start: Any,
    months: int,
    left: int,
    told: Any,
    reason: Reason,
    rules: Sequence[Line],
    assumptions: Iterable[Assumption],
    gaps: Iterable[Unknown],
    parts: list[tuple[str, Vnd | None, Any]],
) -> Shown:
    language = chosen()
    begun, last = Month.of(start), Month.of(start) + (months - 1)
    title = _(
        "Paid for %(start)s to %(last)s: %(left)s of %(months)s months are not needed",
        start=month(begun, language),
        last=month(last, language),
        left=left,
        months=months,
    )
    layers: list[tuple[Any, ...]] = []
    if told.gross is not None:
        layers = [(_("Premium of these months"), vnd(told.gross, language))]
        layers += [(_("The State's support, not paid back"), f"− {vnd(told.state_support, language)}")]
        layers += [(_("The place's part"), f"− {vnd(told.local_support, language)}")] if told.local_support else []
        layers += [(_("Sponsors' part"), f"− {vnd(told.other_support, language)}")] if told.other_support else []
    said = [ASSUMPTIONS[one] for one in assumptions] + [UNKNOWNS[one] for one in gaps]
    return Shown(title, REASONS[reason], layers, told.amount, rules, said, parts)
