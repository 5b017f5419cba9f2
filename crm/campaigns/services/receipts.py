"""What is told of a message after it was handed over: by a signed receipt, or by asking the carrier."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import case, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crm.campaigns.models import Message, MessageStatus
from crm.campaigns.rules.delivery import FINAL, TOLD, Delivery, after
from crm.campaigns.rules.handover import MOST_SEEN, Followed, Gone, Outgoing, Seen
from crm.campaigns.rules.reasons import Reason, reason_for
from crm.ids import new_id

GIVEN_UP_AFTER = timedelta(hours=1)


def take_status(
    session: Session,
    *,
    town_id: UUID,
    message_id: UUID,
    sid: str,
    status: str,
    error_code: int | None,
    at: datetime,
) -> bool:
    """Take a receipt, in one statement: kept once however often it comes, believed forwards only. False when it is
    about nothing of ours or was there before."""
    ours = (Message.town_id == town_id, Message.id == message_id, or_(Message.sid.is_(None), Message.sid == sid))
    row = select(
        Message.town_id, literal(new_id()), Message.id, literal(sid), literal(status), literal(error_code), literal(at)
    ).where(*ours)
    columns = ["town_id", "id", "message_id", "sid", "status", "error_code", "received_at"]
    kept = (
        insert(MessageStatus)
        .from_select(columns, row, include_defaults=False)
        .on_conflict_do_nothing()
        .returning(MessageStatus.message_id)
        .cte("kept")
    )
    believed = _believed(TOLD.get(status), error_code, at)
    moved = session.execute(
        update(Message)
        .where(*ours, Message.id == kept.c.message_id)
        .values(sid=sid, **believed)
        .returning(1)
        .execution_options(synchronize_session=False)
    )
    found = moved.first() is not None
    session.expire_all()
    return found


def _believed(told: Delivery | None, code: int | None, at: datetime) -> dict[str, object]:
    """What a receipt changes, row by row: forwards only; the error code is kept with the state it explains. That the
    carrier had no trace was our conclusion, and gives way to its word."""
    if told is None:
        return {}
    overtaken = [state for state in Delivery if state is not told and after(state, told) is told]
    goes_on = or_(Message.state.in_(overtaken), Message.reason == Reason.NO_TRACE)
    failed = told in (Delivery.FAILED, Delivery.UNDELIVERED)
    values = {
        "state": told,
        "reason": reason_for(code) if failed else None,
        "error_code": code if failed else None,
        "settled_at": at if told in FINAL else None,
    }
    return {
        name: case((goes_on, literal(value, Message.__table__.c[name].type)), else_=getattr(Message, name))
        for name, value in values.items()
    }


def resolve_unknown(session: Session, message: Outgoing, seen: Sequence[Seen] | None, at: datetime) -> Delivery | None:
    """Settle a message of which nobody knew, by what the carrier remembers of its number; the new state.

    It is recognised by its text, under a number that no other message of ours bears. After an hour without a trace it
    counts as failed. It is never sent again. `seen` is None when the carrier did not answer."""
    row = _locked(session, message.town_id, message.id)
    if seen is None or row is None or row.state is not Delivery.UNKNOWN:
        return row.state if row else None
    row.asked_at = at
    ours = set(session.scalars(select(Message.sid).where(Message.sid.in_([one.sid for one in seen]))))
    found = next((one for one in reversed(seen) if one.body == row.body and one.sid not in ours), None)
    if found is not None:
        row.sid, row.reason = found.sid, None
        row.believe(found.status, at, code=found.code)
    elif len(seen) < MOST_SEEN and row.claimed_at is not None and row.claimed_at < at - GIVEN_UP_AFTER:
        row.give_up(Delivery.FAILED, Reason.NO_TRACE, at)
    session.flush()
    return row.state


def take_news(session: Session, message: Followed, told: Seen | Gone, at: datetime) -> Delivery | None:
    """What the carrier said when it was asked about a message whose receipt did not come: believed forwards only, as a
    receipt is; the state then. That it keeps nothing any more changes nothing: it had taken the message."""
    row = _locked(session, message.town_id, message.id)
    if row is None or row.sid != message.sid:
        return row.state if row else None
    row.asked_at = at
    if isinstance(told, Seen):
        row.believe(told.status, at, code=told.code)
    session.flush()
    return row.state


def _locked(session: Session, town_id: UUID, message_id: UUID) -> Message | None:
    """The message as it is now, held until the end of the transaction."""
    query = select(Message).where(Message.town_id == town_id, Message.id == message_id)
    return session.scalar(query.with_for_update().execution_options(populate_existing=True))
