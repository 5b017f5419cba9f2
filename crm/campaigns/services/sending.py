"""What waits to be sent: reminders that are queued, what a town decides about its messages, and the hold on all."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crm.campaigns import queries
from crm.campaigns.models import USUAL_PRICE, Campaign, Message, SmsSettings
from crm.campaigns.rules.delivery import WAITING, Delivery
from crm.campaigns.rules.hours import LEGAL_HOURS
from crm.campaigns.rules.reasons import Reason
from crm.campaigns.rules.stages import KEEPS_TRYING, Stage
from crm.campaigns.rules.texts import size
from crm.campaigns.rules.ways import Way
from crm.ids import new_id
from crm.prospects.rules import Purpose


def queue_reminder(
    session: Session,
    town_id: UUID,
    *,
    reminder: str,
    phone: str,
    prospect_id: UUID | None,
    body: str,
    local_day: date,
    at: datetime,
    expires_at: datetime,
    not_before: datetime | None = None,
    asked_for: bool = False,
    one_a_day: bool = True,
) -> UUID | None:
    """Queue one reminder: a number gets one a day at most; None when it has it already. What the owner of the number has just
    asked for needs no yes on record, and like what is not `one_a_day` only the same reminder stands in its way."""
    values = reminder_values(
        town_id,
        reminder=reminder,
        way=queries.way_for(session, town_id, Purpose.SERVICE),
        phone=phone,
        prospect_id=prospect_id,
        body=body,
        local_day=local_day,
        not_before=not_before or at,
        expires_at=expires_at,
        at=at,
    )
    statement = (
        insert(Message)
        .values(asked_for=asked_for, one_a_day=one_a_day and not asked_for, **values)
        .on_conflict_do_nothing()
    )
    return session.scalar(statement.returning(Message.id))


def reminder_values(
    town_id: UUID,
    *,
    reminder: str,
    way: Way,
    phone: str | None,
    prospect_id: UUID | None,
    body: str,
    local_day: date,
    not_before: datetime,
    expires_at: datetime,
    at: datetime,
) -> dict[str, Any]:
    """The columns of a reminder that waits, by their names."""
    counted = size(body)
    return {
        "town_id": town_id,
        "id": new_id(),
        "reminder": reminder,
        "purpose": Purpose.SERVICE,
        "way": way,
        "phone": phone,
        "prospect_id": prospect_id,
        "local_day": local_day,
        "body": body,
        "encoding": counted.encoding,
        "segments": counted.segments,
        "state": Delivery.QUEUED,
        "not_before": not_before,
        "expires_at": expires_at,
        "made_at": at,
        "attempts": 0,
    }


def call_off(session: Session, town_id: UUID, which: ColumnElement[bool], reason: Reason, at: datetime) -> int:
    """Call off those of a town's messages that still wait; how many there were."""
    done = session.execute(
        update(Message)
        .where(Message.town_id == town_id, which, Message.state.in_(WAITING))
        .values(state=Delivery.CANCELLED, reason=reason, settled_at=at)
        .returning(Message.id)
        .execution_options(synchronize_session=False)
    )
    moved = len(done.all())
    session.expire_all()
    return moved


def settings_of(session: Session, town_id: UUID) -> SmsSettings:
    """What the town decided about its messages; the legal values, not yet kept, when it has decided nothing."""
    found = session.scalar(select(SmsSettings).where(SmsSettings.town_id == town_id))
    hours = LEGAL_HOURS
    return found or SmsSettings(town_id=town_id, opens=hours.opens, closes=hours.closes, price=USUAL_PRICE)


def is_held(session: Session, town_id: UUID) -> bool:
    """Whether nothing leaves until an operator confirms."""
    return settings_of(session, town_id).held_since is not None


def _hold(session: Session, town_id: UUID, since: datetime | None) -> None:
    settings = settings_of(session, town_id)
    settings.held_since = since
    session.add(settings)
    session.flush()


def hold_everything(session: Session, town_ids: Iterable[UUID], at: datetime) -> None:
    """After a restore: nothing leaves until someone confirms. What was being sent is not known."""
    for town_id in town_ids:
        _hold(session, town_id, at)
    session.execute(
        update(Message)
        .where(Message.state == Delivery.SENDING)
        .values(state=Delivery.UNKNOWN, reason=Reason.RESTORED)
        .execution_options(synchronize_session=False)
    )
    session.expire_all()


def not_too_late(at: datetime) -> ColumnElement[datetime]:
    """Until when a message may leave that waited for a word: that of a campaign without a last day has its days again."""
    return case(
        (queries.has_no_last_day(), func.greatest(Message.expires_at, at + KEEPS_TRYING)), else_=Message.expires_at
    )


def release(session: Session, town_id: UUID, at: datetime) -> int:
    """An operator confirms: what still makes sense leaves from now on. How many messages wait."""
    _hold(session, town_id, None)
    mine = (Message.town_id == town_id, Message.state.in_(WAITING), queries.has_no_last_day())
    again = (
        update(Message).where(*mine).values(expires_at=not_too_late(at)),
        update(Campaign)
        .where(Campaign.town_id == town_id, Campaign.stage == Stage.RUNNING, Campaign.last_day.is_(None))
        .values(expires_at=func.greatest(Campaign.expires_at, at + KEEPS_TRYING)),
    )
    for statement in again:
        session.execute(statement.execution_options(synchronize_session=False))
    session.expire_all()
    waiting = select(func.count()).where(
        Message.town_id == town_id, Message.state.in_(WAITING), Message.expires_at > at
    )
    return session.scalar(waiting) or 0
