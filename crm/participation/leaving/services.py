"""Keeping what comes back with the ending, and noting when it came."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import Scope
from crm.clock import local_day
from crm.errors import Conflict, NotFound, RuleBroken
from crm.ids import new_id
from crm.money import Vnd
from crm.months import Month
from crm.participation import payers
from crm.participation.leaving.models import LeavingPart, LeavingRefund
from crm.participation.leaving.queries import Back, work_out
from crm.participation.leaving.rules import Payee, lines_kept, paid_back_of
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
                given=part.given,
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


def settle_or_ask(
    session: Session,
    scope: Scope,
    part_id: UUID,
    *,
    on: date,
    note: str | None,
    paid_back: Vnd | None,
    by: User,
    at: datetime,
) -> LeavingPart | None:
    """It came back, or, above the limit for one person, a second one is asked: None. Raises what `settle` raises."""
    told: dict[str, Any] = {"on": on, "note": note, "paid_back": paid_back, "by": by, "at": at}
    try:
        with session.begin_nested():
            return settle(session, scope, part_id, **told)
    except Conflict as refused:
        if refused.code != "needs_second":
            raise
    part, row, person = _seen(session, scope, part_id)
    payers.purse_of(PayerKind.SPONSOR).ask_back(
        session,
        part.payee_id,
        paid_back_of(part.payee, part.amount, part.given, paid_back),
        {
            "part_id": str(part.id),
            "on": on.isoformat(),
            "note": note,
            "prospect_id": str(person.id),
            "start": str(Month.of(row.not_needed_from)),
            "months": row.months_left,
        },
        lambda request_id: settle(session, scope, part_id, **told, request_id=request_id),
        by=by,
        at=at,
    )
    return None


def settle(
    session: Session,
    scope: Scope,
    part_id: UUID,
    *,
    on: date,
    note: str | None,
    paid_back: Vnd | None = None,
    by: User,
    at: datetime,
    request_id: UUID | None = None,
) -> LeavingPart:
    """It came back on a day; `note` is the office's letter or the bank's reference, `paid_back` what it really paid back
    to others than the person, in đồng: needed where nothing was worked out. Twice is a Conflict.

    A sponsor's part is the sponsor's again in the same transaction: it may be set aside for somebody else. Raises
    Conflict `needs_second` for more than the limit, unless a second person approved it.
    """
    if not note:
        raise RuleBroken(_l("Write the letter or the bank's reference with which it came back."), field="note")
    if on > local_day(at):
        raise RuleBroken(_l("The day lies ahead. Give the day on which the money came in."), field="on")
    seen, _row, _person = _seen(session, scope, part_id)
    amount = paid_back_of(seen.payee, seen.amount, seen.given, paid_back)
    done = session.execute(
        update(LeavingPart)
        .where(LeavingPart.town_id == seen.town_id, LeavingPart.id == seen.id, LeavingPart.settled_on.is_(None))
        .values(settled_on=on, settled_note=note, settled_at=at, settled_by_id=by.id, paid_back=amount)
        .returning(LeavingPart.id)
    ).one_or_none()
    if done is None:
        raise Conflict(_l("Somebody has noted already that this came back."), code="settled")
    session.refresh(seen)
    if seen.payee is Payee.SPONSOR and seen.payee_id and amount:
        act: dict[str, Any] = {"by": by, "at": at, "request_id": request_id}
        purse = payers.purse_of(PayerKind.SPONSOR)
        purse.came_back(session, seen.town_id, seen.payee_id, amount, note=note, on=on, **act)
    return seen


def _seen(session: Session, scope: Scope, part_id: UUID) -> tuple[LeavingPart, LeavingRefund, Prospect]:
    found = session.execute(
        select(LeavingPart, LeavingRefund, Prospect)
        .join(
            LeavingRefund,
            (LeavingRefund.town_id == LeavingPart.town_id) & (LeavingRefund.id == LeavingPart.refund_id),
        )
        .join(Payment, (Payment.town_id == LeavingRefund.town_id) & (Payment.id == LeavingRefund.payment_id))
        .join(Prospect, (Prospect.town_id == Payment.town_id) & (Prospect.id == Payment.prospect_id))
        .where(visible_to(scope), LeavingPart.id == part_id)
    ).one_or_none()
    if found is None:
        raise NotFound
    return found[0], found[1], found[2]


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
