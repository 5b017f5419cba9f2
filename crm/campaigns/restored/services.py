"""After a restore: ask the carrier page by page, settle what it has sent, let the rest go or call it off."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import and_, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crm.campaigns.inbox.queries import town_of
from crm.campaigns.inbox.services import take_in
from crm.campaigns.models import Message
from crm.campaigns.restored import queries
from crm.campaigns.restored.models import ProviderMessage, RestoreCheck
from crm.campaigns.restored.rules import AT_WORK, MARGIN, Asked, CheckState, Group, Told, Written
from crm.campaigns.rules.delivery import FINAL, LOST, Delivery
from crm.campaigns.rules.reasons import Reason, reason_for
from crm.campaigns.rules.ways import Way
from crm.campaigns.services.sending import call_off, is_held, not_too_late
from crm.campaigns.services.sending import release as lift
from crm.errors import Conflict, RuleBroken
from crm.ids import new_id, new_ids
from crm.phones import read_phone

AT_ONCE = 500
NOT_KNOWN = timedelta(days=30)
"""So far back the carrier is asked when nobody knows when the backup was made."""


def begin(session: Session, town_id: UUID, *, backed_up_at: datetime, by_id: UUID | None, at: datetime) -> bool:
    """Let the carrier be asked what it sent since the backup. False while that is under way already."""
    values = {
        "town_id": town_id,
        "id": new_id(),
        "since": backed_up_at - MARGIN,
        "state": CheckState.QUEUED,
        "told": 0,
        "settled": 0,
        "asked": True,
        "touched_at": at,
        "started_at": at,
        "started_by_id": by_id,
    }
    made = session.scalar(insert(RestoreCheck).values(values).on_conflict_do_nothing().returning(RestoreCheck.id))
    return made is not None


def ask_again(session: Session, town_id: UUID, *, by_id: UUID, at: datetime) -> bool:
    """The same once more, since the same moment: after the carrier did not answer, or some time later."""
    before = queries.latest_check(session, town_id)
    since = before.since + MARGIN if before else at - NOT_KNOWN
    return begin(session, town_id, backed_up_at=since, by_id=by_id, at=at)


def next_question(session: Session, town_id: UUID, check_id: UUID, *, at: datetime) -> Asked | None:
    """What to ask the carrier now; None when there is nothing to ask."""
    check = _held(session, town_id, check_id)
    if check is None or check.state is CheckState.COMPARING:
        return None
    check.state, check.touched_at = CheckState.ASKING, at
    session.flush()
    return Asked(check.since, check.next_page)


def take(
    session: Session,
    town_id: UUID,
    check_id: UUID,
    asked: Asked | None,
    told: Told | None,
    *,
    carrier: bool,
    at: datetime,
) -> bool:
    """Keep what the carrier said, or settle some of what it turned out to have sent; whether more follows.

    A page that another worker has kept meanwhile changes nothing."""
    check = _held(session, town_id, check_id)
    if check is None:
        return False
    check.touched_at = at
    if check.state is CheckState.COMPARING:
        return _compare(session, check, at)
    if not carrier:
        check.asked, check.state, check.finished_at = False, CheckState.READY, at
    elif told is None:
        check.state, check.finished_at = CheckState.FAILED, at
    elif asked is not None and asked.next_page == check.next_page:
        _keep(session, check, told)
        _take_answers(session, town_id, told.written, at)
    session.flush()
    return check.state in AT_WORK


def _held(session: Session, town_id: UUID, check_id: UUID) -> RestoreCheck | None:
    query = select(RestoreCheck).where(
        RestoreCheck.town_id == town_id, RestoreCheck.id == check_id, RestoreCheck.state.in_(AT_WORK)
    )
    return session.scalar(query.with_for_update().execution_options(populate_existing=True))


def _keep(session: Session, check: RestoreCheck, told: Told) -> None:
    rows = [
        {
            "town_id": check.town_id,
            "id": key,
            "check_id": check.id,
            "sid": one.sid,
            "phone": one.phone,
            "body": one.body,
            "status": one.status,
            "code": one.code,
            "sent_at": one.sent_at,
        }
        for key, one in zip(new_ids(len(told.sent)), told.sent, strict=True)
    ]
    if rows:
        added = insert(ProviderMessage).on_conflict_do_nothing(index_elements=["town_id", "check_id", "sid"])
        session.execute(added, rows)
    check.told += len(rows)
    check.next_page = told.next_page
    if told.next_page is None:
        check.state = CheckState.COMPARING


def _take_answers(session: Session, town_id: UUID, written: list[Written], at: datetime) -> None:
    """What people wrote after the backup comes in, each once. A no counts from its own moment, unless the number said yes
    after it; nothing is confirmed, and no confirmation is kept of which nobody knows whether it was sent."""
    for one in sorted(written, key=lambda said: (said.at, said.sid)):
        phone = read_phone(one.phone).mobile or one.phone
        if town_of(session, phone) == town_id:
            take_in(session, town_id, sid=one.sid, phone=phone, body=one.body, at=min(one.at, at), heard_at=at)


def _know_again(session: Session, check: RestoreCheck) -> None:
    """What this copy knows by the carrier's own number: nothing is to be settled, and nothing is strange. Asked again with
    each step, for a receipt, or an answer about a message of which nobody knew, may bring such a number meanwhile."""
    session.execute(
        update(ProviderMessage)
        .where(ProviderMessage.town_id == check.town_id, ProviderMessage.check_id == check.id)
        .where(ProviderMessage.message_id.is_(None))
        .where(Message.sid == ProviderMessage.sid, Message.town_id == ProviderMessage.town_id)
        .values(message_id=Message.id)
        .execution_options(synchronize_session=False)
    )


def _compare(session: Session, check: RestoreCheck, at: datetime) -> bool:
    if settle_some(session, check, at):
        return True
    check.state, check.finished_at = CheckState.READY, at
    session.flush()
    return False


def settle_some(session: Session, check: RestoreCheck, at: datetime, *, wait: bool = False) -> int:
    """Settle messages that the carrier sent under the same text to the same number; how many pairs were found. Two of the
    same text are paired one to one, in their order. What another transaction holds just now is left to the next step, so
    that nobody waits here for a message while holding others; with `wait` it is waited for."""
    _know_again(session, check)
    theirs = (
        select(
            ProviderMessage.id,
            ProviderMessage.phone,
            ProviderMessage.body,
            func.row_number()
            .over(
                partition_by=(ProviderMessage.phone, ProviderMessage.body),
                order_by=(ProviderMessage.sent_at, ProviderMessage.sid),
            )
            .label("place"),
        )
        .where(ProviderMessage.town_id == check.town_id, ProviderMessage.check_id == check.id)
        .where(ProviderMessage.message_id.is_(None))
        .subquery()
    )
    open_ = (
        Message.sid.is_(None),
        Message.state.in_((Delivery.HELD, Delivery.QUEUED, Delivery.SENDING, Delivery.UNKNOWN)),
    )
    ours = (
        select(
            Message.id,
            Message.phone,
            Message.body,
            func.row_number()
            .over(partition_by=(Message.phone, Message.body), order_by=(Message.made_at, Message.id))
            .label("place"),
        )
        .where(Message.town_id == check.town_id, Message.way == Way.TWILIO, *open_)
        .subquery()
    )
    same = and_(theirs.c.phone == ours.c.phone, theirs.c.body == ours.c.body, theirs.c.place == ours.c.place)
    pairs = session.execute(select(theirs.c.id, ours.c.id).join(ours, same).limit(AT_ONCE)).all()
    by_message = {message_id: told_id for told_id, message_id in pairs}
    still = select(Message).where(Message.town_id == check.town_id, Message.id.in_(by_message), *open_)
    still = still.order_by(Message.id).with_for_update(skip_locked=not wait).execution_options(populate_existing=True)
    for message in session.scalars(still).all():
        told = session.get_one(ProviderMessage, (check.town_id, by_message[message.id]))
        _settle(message, told, at)
        told.message_id = message.id
        check.settled += 1
    session.flush()
    return len(pairs)


def _settle(message: Message, told: ProviderMessage, at: datetime) -> None:
    """The carrier had it: it is what the carrier says, and counts from the moment at which it was sent."""
    failed = told.status in LOST
    message.sid, message.state = told.sid, told.status
    message.error_code = told.code if failed else None
    message.reason = reason_for(told.code) if failed else None
    message.claimed_at = message.claimed_at or min(told.sent_at, at)
    message.settled_at = at if told.status in FINAL else None


# ---- deciding


def release_all(session: Session, town_id: UUID, *, at: datetime) -> int:
    """Everything that still waits may leave; how many messages that are. Raises RuleBroken before the carrier was asked."""
    _settled_once_more(session, town_id, at)
    _let_go(session, town_id, None, at)
    return lift(session, town_id, at)


def release_group(session: Session, town_id: UUID, group: Group, *, at: datetime) -> int:
    """The messages of one group may leave, all others wait on; how many they are. Raises RuleBroken as above."""
    _settled_once_more(session, town_id, at)
    if is_held(session, town_id):
        session.execute(
            update(Message)
            .where(Message.town_id == town_id, Message.state == Delivery.QUEUED)
            .values(state=Delivery.HELD, reason=Reason.RESTORED)
            .execution_options(synchronize_session=False)
        )
        lift(session, town_id, at)
    return _let_go(session, town_id, group, at)


def _let_go(session: Session, town_id: UUID, group: Group | None, at: datetime) -> int:
    let = update(Message).where(queries.waits(town_id, held=False))
    if group is not None:
        let = let.where(queries.of_group(group))
    done = session.execute(
        let.values(
            state=Delivery.QUEUED,
            reason=None,
            not_before=func.greatest(Message.not_before, at),
            expires_at=not_too_late(at),
        )
        .returning(Message.id)
        .execution_options(synchronize_session=False)
    )
    moved = len(done.all())
    session.expire_all()
    return moved


def call_off_group(session: Session, town_id: UUID, group: Group, *, at: datetime) -> int:
    """The messages of one group will not be sent; how many they are."""
    which = and_(queries.waits(town_id, held=is_held(session, town_id)), queries.of_group(group))
    return call_off(session, town_id, which, Reason.CALLED_OFF, at)


def _settled_once_more(session: Session, town_id: UUID, at: datetime) -> None:
    """What was queued while everything was held is compared as well."""
    check = queries.latest_check(session, town_id)
    if check is None or check.state in AT_WORK:
        raise Conflict(
            _l("The carrier has not been asked yet what it sent since the backup. Wait for the comparison."),
            code="not_compared",
        )
    if check.state is CheckState.FAILED:
        raise RuleBroken(_l("The carrier did not answer. Let it be asked again before anything leaves."))
    while settle_some(session, check, at, wait=True):
        pass
