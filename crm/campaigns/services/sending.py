"""Claim, record, sweep: each message is handed to the carrier at most once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crm.campaigns import queries
from crm.campaigns.models import USUAL_PRICE, Campaign, Message, MessageStatus, SmsSettings
from crm.campaigns.rules.delivery import TOLD, WAITING, Delivery
from crm.campaigns.rules.handover import Accepted, NoAnswer, NotTried, Outcome, Outgoing, Refused, Seen, TryAgain
from crm.campaigns.rules.hours import LEGAL_HOURS, Hours
from crm.campaigns.rules.reasons import MOST_ATTEMPTS, Reason, reason_for, wait_before
from crm.campaigns.rules.stages import Stage
from crm.campaigns.rules.texts import size
from crm.campaigns.services.opting_out import withdraw
from crm.ids import new_id
from crm.prospects.rules import ConsentChannel, Purpose

CLAIMING = 7_301_001
"""The advisory lock under which messages are claimed, one claimer at a time: the day's limit is counted exactly."""
STUCK_AFTER = timedelta(minutes=5)
GIVEN_UP_AFTER = timedelta(hours=1)
FOR_GOOD = frozenset({Reason.OPTED_OUT, Reason.NO_CONSENT, Reason.CALLED_OFF})


def queue_reminder(
    session: Session,
    town_id: UUID,
    *,
    reminder: str,
    phone: str,
    prospect_id: UUID,
    body: str,
    local_day: date,
    at: datetime,
    expires_at: datetime,
    not_before: datetime | None = None,
) -> UUID | None:
    """Queue one reminder: a number gets the same reminder once a day at most; None when it has it already."""
    counted = size(body)
    statement = (
        insert(Message)
        .values(
            town_id=town_id,
            id=new_id(),
            reminder=reminder,
            purpose=Purpose.SERVICE,
            way=queries.way_for(session, town_id, Purpose.SERVICE),
            phone=phone,
            prospect_id=prospect_id,
            local_day=local_day,
            body=body,
            encoding=counted.encoding,
            segments=counted.segments,
            state=Delivery.QUEUED,
            not_before=not_before or at,
            expires_at=expires_at,
            made_at=at,
            attempts=0,
        )
        .on_conflict_do_nothing()
        .returning(Message.id)
    )
    return session.scalar(statement)


def claim(session: Session, *, at_most: int, at: datetime) -> list[Outgoing]:
    """Take up to `at_most` messages that may leave now, one for each number; nobody else gets them.

    Hours, consent, the day's limit and the campaign's stage are asked in the claiming statement itself."""
    if at_most < 1:
        return []
    session.execute(select(func.pg_advisory_xact_lock(CLAIMING)))
    due = session.execute(queries.may_leave(at).limit(at_most).with_for_update(of=Message, skip_locked=True))
    first = {(town_id, phone): id_ for town_id, id_, phone in reversed(due.all())}
    taken = session.execute(
        update(Message)
        .where(Message.id.in_(first.values()), Message.state == Delivery.QUEUED)
        .values(state=Delivery.SENDING, claimed_at=at, attempts=Message.attempts + 1, reason=None)
        .returning(Message.town_id, Message.id, Message.phone, Message.body)
        .execution_options(synchronize_session=False)
    )
    return [Outgoing(town_id, id_, phone or "", body) for town_id, id_, phone, body in taken]


def no_longer_allowed(session: Session, message: Outgoing, at: datetime) -> Reason | None:
    """Asked once more right before the call: why it must not go after all, or None."""
    return queries.why_not(session, message, at)


def record(session: Session, outcomes: Iterable[tuple[Outgoing, Outcome]], at: datetime) -> None:
    """Keep what came of a batch. A receipt that was quicker than we are is not overruled."""
    for outgoing, outcome in outcomes:
        message = locked(session, outgoing.town_id, outgoing.id)
        if message is not None:
            _record_one(session, message, outcome, at)
    session.flush()


def _record_one(session: Session, message: Message, outcome: Outcome, at: datetime) -> None:
    if isinstance(outcome, Accepted):
        message.sid = message.sid or outcome.sid
        message.believe(outcome.status, at)
        return
    if message.state is not Delivery.SENDING:
        return
    if isinstance(outcome, NoAnswer):
        message.state, message.reason = Delivery.UNKNOWN, Reason.NO_ANSWER
    elif isinstance(outcome, Refused):
        message.give_up(Delivery.FAILED, reason_for(outcome.code), at, code=outcome.code)
        if message.reason is Reason.BLOCKED and message.phone:
            withdraw(session, message.town_id, message.phone, at=at, channel=ConsentChannel.SMS, words="21610")
    elif isinstance(outcome, TryAgain):
        _turned_away(message, outcome, at)
    else:
        _not_tried(message, outcome, at)


def _turned_away(message: Message, outcome: TryAgain, at: datetime) -> None:
    if message.attempts >= MOST_ATTEMPTS:
        message.give_up(Delivery.FAILED, outcome.reason, at, code=outcome.code)
    else:
        message.put_back(outcome.reason, at + wait_before(message.attempts))


def _not_tried(message: Message, outcome: NotTried, at: datetime) -> None:
    if outcome.reason in FOR_GOOD:
        message.give_up(Delivery.CANCELLED, outcome.reason, at)
    elif outcome.reason is Reason.EXPIRED:
        message.give_up(Delivery.EXPIRED, outcome.reason, at)
    else:
        message.attempts -= 1
        message.put_back(outcome.reason, at)


def locked(session: Session, town_id: UUID, message_id: UUID) -> Message | None:
    """The message as it is now, held until the end of the transaction."""
    query = select(Message).where(Message.town_id == town_id, Message.id == message_id)
    return session.scalar(query.with_for_update().execution_options(populate_existing=True))


def sweep(session: Session, at: datetime) -> int:
    """Put right what time has overtaken; how many rows it moved.

    What is being sent for too long is not known (and never sent again); what waits too long has expired; what waits
    for someone who said no is called off; a campaign with nothing left to send has finished."""
    waiting = Message.state.in_(WAITING)
    moves = (
        update(Message)
        .where(Message.state == Delivery.SENDING, Message.claimed_at < at - STUCK_AFTER)
        .values(state=Delivery.UNKNOWN, reason=Reason.NO_ANSWER),
        update(Message)
        .where(waiting, Message.expires_at <= at)
        .values(state=Delivery.EXPIRED, reason=Reason.EXPIRED, settled_at=at),
        update(Message)
        .where(waiting, ~queries.agreed())
        .values(state=Delivery.CANCELLED, reason=Reason.OPTED_OUT, settled_at=at),
        update(Campaign).where(Campaign.stage == Stage.RUNNING, ~queries.unfinished()).values(stage=Stage.DONE),
    )
    moved = 0
    for move in moves:
        done = session.execute(move.returning(1).execution_options(synchronize_session=False))
        moved += len(done.all())
    session.expire_all()
    return moved


def call_off(session: Session, town_id: UUID, message_ids: Sequence[UUID], reason: Reason, at: datetime) -> int:
    """Call off messages that still wait; how many there were."""
    done = session.execute(
        update(Message)
        .where(Message.town_id == town_id, Message.id.in_(message_ids), Message.state.in_(WAITING))
        .values(state=Delivery.CANCELLED, reason=reason, settled_at=at)
        .returning(Message.id)
        .execution_options(synchronize_session=False)
    )
    moved = len(done.all())
    session.expire_all()
    return moved


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
    """Take a receipt: kept once however often it comes, believed forwards only. False when it is about nothing of ours
    or was there before."""
    message = locked(session, town_id, message_id)
    if message is None or (message.sid is not None and message.sid != sid):
        return False
    kept = session.scalar(
        insert(MessageStatus)
        .values(
            town_id=town_id,
            id=new_id(),
            message_id=message_id,
            sid=sid,
            status=status,
            error_code=error_code,
            received_at=at,
        )
        .on_conflict_do_nothing()
        .returning(MessageStatus.id)
    )
    if kept is None:
        return False
    message.sid = sid
    if status in TOLD:
        message.believe(TOLD[status], at, code=error_code)
    session.flush()
    return True


def resolve_unknown(session: Session, message: Outgoing, seen: Sequence[Seen] | None, at: datetime) -> Delivery | None:
    """Settle a message of which nobody knew, by what the carrier remembers of its number; the new state.

    It is recognised by its text, under a number that no other message of ours bears. After an hour without a trace it
    counts as failed. It is never sent again. `seen` is None when the carrier did not answer."""
    row = locked(session, message.town_id, message.id)
    if seen is None or row is None or row.state is not Delivery.UNKNOWN:
        return row.state if row else None
    ours = set(session.scalars(select(Message.sid).where(Message.sid.in_([one.sid for one in seen]))))
    found = next((one for one in reversed(seen) if one.body == row.body and one.sid not in ours), None)
    if found is not None:
        row.sid, row.reason = found.sid, None
        row.believe(found.status, at, code=found.code)
    elif row.claimed_at is not None and row.claimed_at < at - GIVEN_UP_AFTER:
        row.give_up(Delivery.FAILED, Reason.NO_TRACE, at)
    session.flush()
    return row.state


def settings_of(session: Session, town_id: UUID) -> SmsSettings:
    """What the town decided about its messages; the legal values, not yet kept, when it has decided nothing."""
    found = session.scalar(select(SmsSettings).where(SmsSettings.town_id == town_id))
    hours = LEGAL_HOURS
    return found or SmsSettings(town_id=town_id, opens=hours.opens, closes=hours.closes, price=USUAL_PRICE)


def set_hours(session: Session, town_id: UUID, hours: Hours) -> None:
    """The town's own hours; `hours.narrower` makes them."""
    settings = settings_of(session, town_id)
    settings.opens, settings.closes = hours.opens, hours.closes
    session.add(settings)
    session.flush()


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


def release(session: Session, town_id: UUID, at: datetime) -> int:
    """An operator confirms: what still makes sense leaves from now on. How many messages wait."""
    _hold(session, town_id, None)
    waiting = select(func.count()).where(
        Message.town_id == town_id, Message.state.in_(WAITING), Message.expires_at > at
    )
    return session.scalar(waiting) or 0
