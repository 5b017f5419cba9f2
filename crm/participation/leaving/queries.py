"""What comes back to somebody who leaves, and what of it is still waited for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session, aliased

from crm.accounts.queries import Scope
from crm.money import Vnd
from crm.months import Month
from crm.participation.leaving.models import LeavingPart, LeavingRefund
from crm.participation.leaving.rules import REASONS, Part, coming_back, parts_of
from crm.participation.models import MonthPayer, Participation, Payment
from crm.participation.payers import named
from crm.participation.queries import standing_payments
from crm.participation.reckoned import plan_of
from crm.participation.rules import Ending
from crm.participation.shares import Payer, PayerKind
from crm.premiums.rules.explaining import Line
from crm.premiums.rules.law import Law
from crm.premiums.rules.refunds import Paid, Refund
from crm.prospects.models import Prospect
from crm.prospects.queries.seeing import visible_to
from crm.web.pager import Page, page


@dataclass(frozen=True)
class Back:
    """What comes back of one payment, and to whom."""

    payment: Payment
    refund: Refund
    parts: tuple[Part, ...]


def work_out(
    session: Session, spell: Participation, person: Prospect, ending: Ending, left_on: date, first: Month, law: Law
) -> list[Back]:
    """What comes back if somebody leaves on a day and needs no month from `first` on; the earliest payment first.

    Missing months that were paid at once are none one paid for ahead: the pension counts them.
    """
    if ending not in REASONS:
        return []
    found = []
    paid = standing_payments(person).where(Payment.participation_id == spell.id, ~Payment.missing)
    for payment in session.scalars(paid.order_by(None).order_by(Payment.start_month, Payment.id)):
        if Month.of(payment.start_month) + payment.months <= first:
            continue
        told = coming_back(law, paid_as(payment), ending, left_on, first)
        found.append(Back(payment, told, parts_of(told, _given(session, payment, first))))
    return found


def paid_as(payment: Payment) -> Paid:
    """A payment as the rule on refunds reads it, with the numbers kept with it."""
    return Paid(
        plan=plan_of(payment),
        start=Month.of(payment.start_month),
        income=payment.income,
        gross=payment.gross,
        state_support=payment.state_support,
        local_support=payment.local_support,
        other_support=payment.other_support,
        supported_months=payment.supported_months,
        lines=tuple(Line.from_json(one) for one in payment.law.get("rules", ())),
    )


def _given(session: Session, payment: Payment, first: Month) -> dict[Payer, Vnd]:
    """What others gave for the months from `first` on."""
    query = (
        select(MonthPayer.kind, MonthPayer.payer_id, func.sum(MonthPayer.amount))
        .where(MonthPayer.town_id == payment.town_id, MonthPayer.payment_id == payment.id)
        .where(MonthPayer.month >= first.first_day)
        .group_by(MonthPayer.kind, MonthPayer.payer_id)
        .order_by(MonthPayer.kind, MonthPayer.payer_id)
    )
    return {Payer(kind, payer_id): int(amount) for kind, payer_id, amount in session.execute(query)}


class Kept(NamedTuple):
    """What was kept of one payment, with its parts."""

    row: LeavingRefund
    payment: Payment
    parts: Sequence[LeavingPart]


def kept_of(session: Session, person: Prospect) -> list[Kept]:
    """What comes back to somebody who left, of payments that stand; the earliest payment first."""
    reversal = aliased(Payment)
    rows = session.execute(
        select(LeavingRefund, Payment)
        .join(Payment, and_(Payment.town_id == LeavingRefund.town_id, Payment.id == LeavingRefund.payment_id))
        .outerjoin(reversal, and_(reversal.town_id == Payment.town_id, reversal.reverses_id == Payment.id))
        .where(LeavingRefund.town_id == person.town_id, Payment.prospect_id == person.id, reversal.id.is_(None))
        .order_by(Payment.start_month, Payment.id)
    ).all()
    parts: dict[UUID, list[LeavingPart]] = {row[0].id: [] for row in rows}
    found = select(LeavingPart).where(LeavingPart.town_id == person.town_id, LeavingPart.refund_id.in_(parts))
    for part in session.scalars(found.order_by(LeavingPart.payee, LeavingPart.id)) if parts else ():
        parts[part.refund_id].append(part)
    return [Kept(row, payment, parts[row.id]) for row, payment in rows]


def last_needed(session: Session, town_id: UUID, participation_ids: Collection[UUID]) -> dict[UUID, Month]:
    """The last month that counted of spells that ended with months paid for in vain, by spell."""
    query = (
        select(LeavingRefund.participation_id, func.min(LeavingRefund.not_needed_from))
        .where(LeavingRefund.town_id == town_id, LeavingRefund.participation_id.in_(participation_ids))
        .group_by(LeavingRefund.participation_id)
    )
    return {spell_id: Month.of(first) - 1 for spell_id, first in session.execute(query)} if participation_ids else {}


def has_come_back(session: Session, payment: Payment) -> bool:
    """Whether somebody noted that a part of it came back: money that cannot come back a second time."""
    query = (
        select(LeavingPart.id)
        .join(LeavingRefund, _of_refund())
        .where(LeavingRefund.town_id == payment.town_id, LeavingRefund.payment_id == payment.id)
        .where(LeavingPart.settled_on.is_not(None))
    )
    return session.scalar(query.limit(1)) is not None


def _of_refund() -> ColumnElement[bool]:
    return and_(LeavingRefund.town_id == LeavingPart.town_id, LeavingRefund.id == LeavingPart.refund_id)


def names_of(session: Session, town_id: UUID, ids: set[UUID]) -> Mapping[UUID, str]:
    """What the sponsors among payees are called."""
    found = named(session, town_id, [Payer(PayerKind.SPONSOR, one) for one in ids]) if ids else {}
    return {payer.id: name for payer, name in found.items() if payer.id}


class Waited(NamedTuple):
    """One part that is waited for, or came back, with its person."""

    part: LeavingPart
    row: LeavingRefund
    person: Prospect


def parts_page(
    session: Session, scope: Scope, *, settled: bool, cursor: str | None, size: int = 50
) -> tuple[Page[Waited], int, int]:
    """One page of parts among those of people one may see, how many there are, and their sum in đồng."""
    query = _parts(scope, settled=settled)
    count, total = _in_all(session, query)
    order = (LeavingPart.id,)
    found = page(session, query, order, cursor=cursor, size=size, kinds=(UUID,), key=lambda row: (row[0].id,))
    return Page([Waited(*row) for row in found.rows], found.next), count, total


def _parts(scope: Scope, *, settled: bool) -> Any:
    reversal = aliased(Payment)
    return (
        select(LeavingPart, LeavingRefund, Prospect)
        .join(LeavingRefund, _of_refund())
        .join(Payment, and_(Payment.town_id == LeavingRefund.town_id, Payment.id == LeavingRefund.payment_id))
        .join(Prospect, and_(Prospect.town_id == Payment.town_id, Prospect.id == Payment.prospect_id))
        .outerjoin(reversal, and_(reversal.town_id == Payment.town_id, reversal.reverses_id == Payment.id))
        .where(visible_to(scope), reversal.id.is_(None))
        .where(LeavingPart.settled_on.is_not(None) if settled else LeavingPart.settled_on.is_(None))
    )


def _in_all(session: Session, query: Any) -> tuple[int, int]:
    count, total = session.execute(
        query.with_only_columns(
            func.count(), func.coalesce(func.sum(func.coalesce(LeavingPart.paid_back, LeavingPart.amount)), 0)
        )
    ).one()
    return int(count), int(total)


def waited_for(session: Session, scope: Scope) -> tuple[int, int]:
    """How many parts have not come back yet among those of people one may see, and their sum in đồng."""
    return _in_all(session, _parts(scope, settled=False))
