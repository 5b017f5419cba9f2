"""Keeping what comes back with the ending, and noting when it came."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import Scope
from crm.clock import local_day
from crm.errors import Conflict, NotFound, RuleBroken
from crm.ids import new_id
from crm.months import Month
from crm.participation import payers
from crm.participation.leaving.models import LeavingPart, LeavingRefund
from crm.participation.leaving.queries import Back, work_out
from crm.participation.leaving.rules import Payee, lines_kept
from crm.participation.models import ParticipantMonth, Participation, Payment
from crm.participation.rules import Ending
from crm.participation.shares import PayerKind
from crm.premiums.queries import law
from crm.prospects.models import Prospect
from crm.prospects.queries.seeing import visible_to


def keep(
    session: Session,
    spell: Participation,
    person: Prospect,
    ending: Ending,
    *,
    left_on: date,
    first: Month,
    by: User | None,
    at: datetime,
) -> list[Back]:
    """Work out and keep what comes back of each payment that reaches beyond the months needed."""
    found = work_out(session, spell, person, ending, left_on, first, law(session))
    for one in found:
        row = _row(spell, one, left_on, first, by, at)
        session.add(row)
        session.flush()
        session.add_all(
            LeavingPart(
                town_id=spell.town_id,
                id=new_id(),
                refund_id=row.id,
                payee=part.payee,
                payee_id=part.payee_id,
                amount=part.amount,
            )
            for part in one.parts
        )
        session.flush()
        _marked(session, one.payment)
    return found


def _marked(session: Session, payment: Payment) -> None:
    """The database has marked its months as not needed: what is at hand of them is read again."""
    months = select(ParticipantMonth).where(
        ParticipantMonth.town_id == payment.town_id, ParticipantMonth.payment_id == payment.id
    )
    session.scalars(months.execution_options(populate_existing=True)).all()


def settle(
    session: Session, scope: Scope, part_id: UUID, *, on: date, note: str | None, by: User, at: datetime
) -> LeavingPart:
    """It came back on a day; `note` is the office's letter or the bank's reference. Twice is a Conflict.

    A sponsor's part is the sponsor's again in the same transaction: it may be set aside for somebody else.
    """
    if not note:
        raise RuleBroken(_l("Write the letter or the bank's reference with which it came back."), field="note")
    if on > local_day(at):
        raise RuleBroken(_l("The day lies ahead. Give the day on which the money came in."), field="on")
    seen = session.scalar(
        select(LeavingPart)
        .join(
            LeavingRefund,
            (LeavingRefund.town_id == LeavingPart.town_id) & (LeavingRefund.id == LeavingPart.refund_id),
        )
        .join(Payment, (Payment.town_id == LeavingRefund.town_id) & (Payment.id == LeavingRefund.payment_id))
        .join(Prospect, (Prospect.town_id == Payment.town_id) & (Prospect.id == Payment.prospect_id))
        .where(visible_to(scope), LeavingPart.id == part_id)
    )
    if seen is None:
        raise NotFound
    done = session.execute(
        update(LeavingPart)
        .where(LeavingPart.town_id == seen.town_id, LeavingPart.id == seen.id, LeavingPart.settled_on.is_(None))
        .values(settled_on=on, settled_note=note, settled_at=at, settled_by_id=by.id)
        .returning(LeavingPart.id)
    ).one_or_none()
    if done is None:
        raise Conflict(_l("Somebody has noted already that this came back."), code="settled")
    session.refresh(seen)
    if seen.payee is Payee.SPONSOR and seen.payee_id and seen.amount:
        purse = payers.purse_of(PayerKind.SPONSOR)
        purse.came_back(session, seen.town_id, seen.payee_id, seen.amount, note=note, on=on, by=by, at=at)
    return seen


def _row(spell: Participation, one: Back, left_on: date, first: Month, by: User | None, at: datetime) -> LeavingRefund:
    told = one.refund
    return LeavingRefund(
        town_id=spell.town_id,
        id=new_id(),
        participation_id=spell.id,
        payment_id=one.payment.id,
        reason=told.reason,
        left_on=left_on,
        not_needed_from=first.first_day,
        months_left=told.months_left,
        gross=told.gross,
        state_support=told.state_support,
        local_support=told.local_support,
        other_support=told.other_support,
        amount=told.amount,
        law={"day": left_on.isoformat(), "rules": lines_kept(told)},
        assumptions=[str(name) for name in told.assumptions],
        unknown=[str(name) for name in told.unknown],
        recorded_at=at,
        recorded_by_id=by.id if by else None,
    )
