"""Claim, mark, record, sweep: each message is handed to the carrier at most once (docs/decisions/at-most-once.md)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    DateTime,
    Select,
    Text,
    Update,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    column,
    func,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.orm import Session
from sqlalchemy.sql import FromClause
from sqlalchemy.sql.dml import ReturningUpdate

from crm import stored
from crm.campaigns import queries
from crm.campaigns.models import Campaign, Message, SmsSettings
from crm.campaigns.rules.delivery import WAITING, Delivery
from crm.campaigns.rules.handover import Became, Outcome, Outgoing, becomes
from crm.campaigns.rules.reasons import Reason
from crm.campaigns.rules.stages import Stage, Step
from crm.campaigns.services.opting_out import withdraw
from crm.campaigns.services.steps import note
from crm.ids import new_id
from crm.prospects.rules import ConsentChannel

CLAIMING = 7_301_001
"""The advisory lock under which messages are claimed, one claimer at a time: the day's limit is counted exactly."""
UNDER_WAY = timedelta(seconds=10)
"""What was claimed within this time counts as being sent; an older claim holds nobody up."""
STUCK_AFTER = timedelta(minutes=1)
STOOD_STILL = timedelta(hours=24)
"""When nobody looked for messages for so long, running campaigns do not go on by themselves."""
LOOKED = "messages_looked_for_at"
MOMENT = DateTime(timezone=True)


def claim(session: Session, *, at_most: int, at: datetime) -> list[Outgoing]:
    """Take messages that may leave now, one for each number: so many that `at_most` are under way in all, whoever
    claimed them. Nobody else gets them.

    Hours, consent, the day's limit, the campaign's stage and a hold are asked in the claiming statement itself."""
    session.execute(select(func.pg_advisory_xact_lock(CLAIMING)))
    _stop_what_stood_still(session, at)
    if at_most < 1:
        return []
    under_way = select(func.count()).where(Message.state == Delivery.SENDING, Message.claimed_at > at - UNDER_WAY)
    room = func.greatest(0, at_most - under_way.scalar_subquery())
    due = queries.may_leave(at).add_columns(Message.not_before).limit(room)
    due_now = due.with_for_update(of=Message, skip_locked=True).cte("due")
    first = select(due_now.c.town_id, due_now.c.id).distinct(due_now.c.town_id, due_now.c.phone)
    chosen = first.order_by(due_now.c.town_id, due_now.c.phone, due_now.c.not_before, due_now.c.id).cte("chosen")
    claim_id = new_id()
    taken = session.execute(
        update(Message)
        .where(Message.town_id == chosen.c.town_id, Message.id == chosen.c.id, Message.state == Delivery.QUEUED)
        .values(
            state=Delivery.SENDING,
            claimed_at=at,
            claim_id=claim_id,
            called_at=None,
            asked_at=None,
            attempts=Message.attempts + 1,
            reason=None,
        )
        .returning(Message.town_id, Message.id, Message.phone, Message.body, Message.attempts)
        .execution_options(synchronize_session=False)
    )
    return [Outgoing(town_id, id_, phone or "", body, claim_id, tries) for town_id, id_, phone, body, tries in taken]


def _stop_what_stood_still(session: Session, at: datetime) -> None:
    """After a day in which nobody looked (machine off, workers dead), running campaigns wait for somebody to say
    «go on» instead of pouring out what is no longer expected. A town on hold waits anyhow."""
    since = _looked(session) or at
    stored.write(session, LOOKED, at.isoformat())
    session.expire_all()
    _pause_if_stood_still(session, since, at)


def _looked(session: Session) -> datetime | None:
    looked = stored.read(session, LOOKED)
    return datetime.fromisoformat(looked) if looked else None


def _pause_if_stood_still(session: Session, since: datetime, at: datetime) -> None:
    if at - since < STOOD_STILL:
        return
    held = select(SmsSettings.id).where(SmsSettings.town_id == Campaign.town_id, SmsSettings.held_since.is_not(None))
    session.execute(
        update(Campaign)
        .where(Campaign.stage == Stage.RUNNING, Campaign.launched_at < since, queries.unfinished(), ~held.exists())
        .values(stage=Stage.PAUSED, stood_still_since=since)
        .execution_options(synchronize_session=False)
    )


def mark_called(session: Session, group: Sequence[Outgoing], at: datetime) -> Mapping[UUID, Reason]:
    """Right before the carrier is called: write down that it will be, where that is still allowed. The messages that
    must not go after all, and why.

    What was committed here may have reached the carrier; what was not, has not. Whoever stops a campaign waits for groups
    that are being marked, so that what they are told has left is exact."""
    session.flush()
    connection, told = session.connection(), {"told": _told(_named(one) for one in group)}
    connection.execute(_their_campaigns(), told)
    marked = connection.execute(_marking(), told | queries.moment_given(at))
    goes = set(marked.scalars())
    stays = [one for one in group if one.id not in goes]
    return queries.why_not(session, stays, at) if stays else {}


def record(session: Session, outcomes: Collection[tuple[Outgoing, Outcome]], at: datetime) -> None:
    """Keep what came of a batch, in one statement. A receipt that was quicker than we are, and whatever a later claim
    did, is not overruled."""
    if not outcomes:
        return
    became = [becomes(outcome, one.attempts, at) for one, outcome in outcomes]
    session.flush()
    told = _told(_named(one) | _as_told(end) for (one, _), end in zip(outcomes, became, strict=True))
    session.connection().execute(_recording(), {"told": told})
    for (one, _), end in zip(outcomes, became, strict=True):
        if end.reason is Reason.BLOCKED:
            withdraw(session, one.town_id, one.phone, at=at, channel=ConsentChannel.SMS, words=str(end.error_code))
    session.expire_all()


# ---- statements that are put together once: to do so for each group costs more than to run them

NAMED: dict[str, Any] = {"town_id": Uuid(), "id": Uuid(), "claim_id": Uuid()}
BECAME: dict[str, Any] = {
    "state": Text(),
    "reason": Text(),
    "sid": Text(),
    "error_code": BigInteger(),
    "settled_at": MOMENT,
    "not_before": MOMENT,
    "unspent": BigInteger(),
}


def _named(one: Outgoing) -> dict[str, Any]:
    return {"town_id": str(one.town_id), "id": str(one.id), "claim_id": one.claim_id and str(one.claim_id)}


def _as_told(end: Became) -> dict[str, Any]:
    return {
        "state": end.state,
        "reason": end.reason,
        "sid": end.sid,
        "error_code": end.error_code,
        "settled_at": end.settled_at and end.settled_at.isoformat(),
        "not_before": end.not_before and end.not_before.isoformat(),
        "unspent": end.unspent,
    }


def _told(rows: Iterable[Mapping[str, Any]]) -> str:
    """The rows of a group as one value: lists of single ones cost the driver a step for each."""
    return json.dumps(list(rows))


def _rows(columns: Mapping[str, Any]) -> FromClause:
    """The messages of a group as a table of the statement."""
    given = func.json_to_recordset(cast(bindparam("told", type_=Text()), JSON))
    made = given.table_valued(*(column(name, kind) for name, kind in columns.items()), name="told")
    return made.render_derived(with_types=True)


@cache
def _their_campaigns() -> Select[UUID]:
    """The campaigns of a group, held in one order."""
    rows = _rows(NAMED)
    theirs = select(Message.campaign_id).where(Message.town_id == rows.c.town_id, Message.id == rows.c.id)
    in_order = select(Campaign.id).where(Campaign.id.in_(theirs)).order_by(Campaign.id)
    return in_order.with_for_update(read=True, key_share=True)


@cache
def _marking() -> ReturningUpdate[UUID]:
    """Everything is asked of these messages alone, found by their keys. The planner believes that hardly any message is ever
    being sent; asked for that state by its name, it walks the whole batch for each group. Their own state is asked where
    they are written, so that whoever was quicker is seen."""
    rows = _rows(NAMED)
    mine = (Message.town_id == rows.c.town_id, Message.id == rows.c.id)
    sending = literal(Delivery.SENDING, Message.state.type).label("sending")
    let_go = select(rows, sending).where(*mine, *queries.may_still_go()).cte("let_go")
    let_go = let_go.prefix_with("materialized", dialect="postgresql")
    return (
        update(Message)
        .where(Message.town_id == let_go.c.town_id, Message.id == let_go.c.id, Message.claim_id == let_go.c.claim_id)
        .where(Message.state == let_go.c.sending, Message.called_at.is_(None))
        .values(called_at=bindparam("at", type_=MOMENT))
        .returning(Message.id)
    )


@cache
def _recording() -> Update:
    told = _rows(NAMED | BECAME)
    waits = told.c.not_before.is_not(None)
    return (
        update(Message)
        .where(Message.town_id == told.c.town_id, Message.id == told.c.id)
        .where(Message.claim_id == told.c.claim_id, Message.state.in_([Delivery.SENDING, Delivery.UNKNOWN]))
        .values(
            state=told.c.state,
            reason=told.c.reason,
            sid=func.coalesce(Message.sid, told.c.sid),
            error_code=told.c.error_code,
            settled_at=told.c.settled_at,
            not_before=func.coalesce(told.c.not_before, Message.not_before),
            attempts=Message.attempts - told.c.unspent,
            claimed_at=case((waits, null()), else_=Message.claimed_at),
            called_at=case((waits, null()), else_=Message.called_at),
        )
    )


def sweep(session: Session, at: datetime) -> int:
    """Put right what time has overtaken; how many rows it moved.

    A claim that nobody finished: what was not called yet waits again, of what was called nobody knows (and it is never
    sent again). What waits too long has expired, but not while its campaign waits for a person; what waits for someone who
    said no is called off; a campaign with nothing left to send has finished."""
    _pause_if_stood_still(session, _looked(session) or at, at)
    waiting = Message.state.in_(WAITING)
    stuck = and_(Message.state == Delivery.SENDING, Message.claimed_at < at - STUCK_AFTER)
    moves = (
        update(Message)
        .where(stuck, Message.called_at.is_(None))
        .values(state=Delivery.QUEUED, claimed_at=None, claim_id=None, attempts=Message.attempts - 1),
        update(Message)
        .where(stuck, Message.called_at.is_not(None))
        .values(state=Delivery.UNKNOWN, reason=Reason.NO_ANSWER),
        update(Message)
        .where(waiting, ~queries.agreed())
        .values(state=Delivery.CANCELLED, reason=Reason.OPTED_OUT, settled_at=at),
    )
    moved = 0
    for move in moves:
        done = session.execute(move.returning(1).execution_options(synchronize_session=False))
        moved += len(done.all())
    moved += _expire(session, waiting, at)
    over = Campaign.stage.in_((Stage.RUNNING, Stage.PAUSED, Stage.MISSED))
    finished = update(Campaign).where(over, ~queries.unfinished()).values(stage=Stage.DONE).returning(1)
    moved += len(session.execute(finished.execution_options(synchronize_session=False)).all())
    session.expire_all()
    return moved


def _expire(session: Session, waiting: ColumnElement[bool], at: datetime) -> int:
    """What waits and comes too late is not sent any more, and its campaign tells so; how many messages that were."""
    late = (
        update(Message)
        .where(waiting, Message.expires_at <= at, ~queries.waits_for_a_word())
        .values(state=Delivery.EXPIRED, reason=Reason.EXPIRED, settled_at=at)
        .returning(Message.town_id, Message.campaign_id)
    )
    expired = session.execute(late.execution_options(synchronize_session=False)).tuples().all()
    session.expire_all()
    for (town_id, campaign_id), many in Counter(expired).items():
        if campaign_id is not None:
            campaign = session.get_one(Campaign, (town_id, campaign_id))
            note(session, campaign, Step.EXPIRED, by_id=None, at=at, expired=many)
    return len(expired)
