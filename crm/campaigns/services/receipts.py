"""What is told of a message after it was handed over: by a signed receipt, or by asking the carrier."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, Update, bindparam, case, literal, null, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crm.campaigns.models import Message, MessageStatus
from crm.campaigns.rules.delivery import FINAL, LOST, TOLD, Delivery, after
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
    told = TOLD.get(status)
    failed = told in LOST
    given = {
        "of_town": town_id,
        "of_message": message_id,
        "new_id": new_id(),
        "told_sid": sid,
        "told_status": status,
        "told_code": error_code,
        "told_at": at,
        "why": reason_for(error_code) if failed else None,
        "kept_code": error_code if failed else None,
    }
    moved = session.connection().execute(_taking(told), given)
    found = moved.first() is not None
    session.expire_all()
    return found


@cache
def _taking(told: Delivery | None) -> Update:
    """The statement that takes a receipt of this state, put together once: to do so for each costs more than to run it."""
    now, sid = Message.__table__.c, bindparam("told_sid", type_=Text())
    ours = (
        now.town_id == bindparam("of_town", type_=now.town_id.type),
        now.id == bindparam("of_message", type_=now.id.type),
        or_(now.sid.is_(None), now.sid == sid),
    )
    columns = ["town_id", "id", "message_id", "sid", "status", "error_code", "received_at"]
    row = select(
        now.town_id,
        bindparam("new_id", type_=now.id.type),
        now.id,
        sid,
        bindparam("told_status", type_=Text()),
        bindparam("told_code", type_=now.error_code.type),
        bindparam("told_at", type_=now.settled_at.type),
    ).where(*ours)
    kept = (
        insert(MessageStatus)
        .from_select(columns, row, include_defaults=False)
        .on_conflict_do_nothing()
        .returning(MessageStatus.message_id)
        .cte("kept")
    )
    changed: dict[str, Any] = {"sid": sid, **_believed(told)}
    return update(Message).where(*ours, now.id == kept.c.message_id).values(changed).returning(literal(1))


def _believed(told: Delivery | None) -> dict[str, ColumnElement[Any]]:
    """What a receipt changes, row by row: forwards only; the error code is kept with the state it explains. That the
    carrier had no trace was our conclusion, and gives way to its word."""
    if told is None:
        return {}
    now = Message.__table__.c
    overtaken = [state for state in Delivery if state is not told and after(state, told) is told]
    goes_on = or_(now.state.in_(overtaken), now.reason == Reason.NO_TRACE)
    values: dict[str, Any] = {
        "state": literal(told, now.state.type),
        "reason": bindparam("why", type_=now.reason.type),
        "error_code": bindparam("kept_code", type_=now.error_code.type),
        "settled_at": bindparam("told_at", type_=now.settled_at.type) if told in FINAL else null(),
    }
    return {name: case((goes_on, value), else_=now[name]) for name, value in values.items()}


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
