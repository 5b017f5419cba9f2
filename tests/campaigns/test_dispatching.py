"""Each message is handed over at most once, to people who agree, in the hours that the law allows."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from crm import clock
from crm.campaigns.gateway import PlainGateway
from crm.campaigns.models import Message, MessageStatus
from crm.campaigns.rules.delivery import Delivery
from crm.campaigns.rules.handover import Accepted, NoAnswer, NotTried, Outcome, Outgoing, Refused, Seen, TryAgain
from crm.campaigns.rules.reasons import Reason
from crm.campaigns.services import dispatching, receipts, sending
from crm.campaigns.services.opting_out import withdraw
from crm.campaigns.services.settling import change_settings
from crm.db import transaction
from crm.prospects.rules import ConsentChannel, Purpose
from tests.campaigns.conftest import Texting

TEN = clock.at(date(2019, 10, 15), 10)


def claim(session: Session, at: datetime = TEN, at_most: int = 20) -> list[Outgoing]:
    claimed = dispatching.claim(session, at_most=at_most, at=at)
    session.expire_all()
    return claimed


def why_not(session: Session, message: Outgoing, at: datetime) -> Reason | None:
    """Why the call must not be made; None when it has been written down that it will be."""
    return dispatching.mark_called(session, [message], at).get(message.id)


# --- claiming -----------------------------------------------------------------------------------------------------


def test_a_message_that_is_due_is_claimed_once(session: Session, texting: Texting) -> None:
    message = texting.message(texting.person())
    assert [one.id for one in claim(session)] == [message.id]
    assert claim(session) == []
    assert (message.state, message.attempts, message.claimed_at) == (Delivery.SENDING, 1, TEN)


@pytest.mark.parametrize(
    ("hour", "minute", "second", "leaves"),
    [(6, 59, 59, False), (7, 0, 0, True), (21, 59, 59, True), (22, 0, 0, False), (3, 0, 0, False)],
)
def test_nothing_is_claimed_in_quiet_hours(
    session: Session, texting: Texting, hour: int, minute: int, second: int, leaves: bool
) -> None:
    texting.message(texting.person(), not_before=TEN - timedelta(days=1), expires_at=TEN + timedelta(days=2))
    moment = datetime(2019, 10, 15, hour, minute, second, tzinfo=clock.LOCAL)
    assert bool(claim(session, moment)) is leaves


def test_a_town_may_narrow_its_hours(session: Session, texting: Texting) -> None:
    texting.message(texting.person())
    hours = {"opens": time(10, 30), "closes": time(20)}
    change_settings(session, texting.make.town.id, hours, by_id=texting.writer.id, at=TEN)
    assert claim(session, TEN) == []
    assert claim(session, TEN + timedelta(minutes=30))


@pytest.mark.parametrize(
    "fields",
    [
        {"not_before": TEN + timedelta(seconds=1)},
        {"expires_at": TEN},
        {"state": Delivery.HELD},
        {"state": Delivery.UNKNOWN},
        {"state": Delivery.CANCELLED},
        {"purpose": Purpose.PROMOTION, "body": "[QC] Moi"},
    ],
)
def test_what_is_not_due_or_not_agreed_to_stays(session: Session, texting: Texting, fields: dict[str, object]) -> None:
    person = texting.person(agrees=False)
    texting.says(str(person.phone), True, Purpose.SERVICE)
    texting.message(person, **fields)
    assert claim(session) == []


def test_someone_who_withdrew_after_the_queueing_is_not_texted(session: Session, texting: Texting) -> None:
    person = texting.person()
    message = texting.message(person)
    texting.says(str(person.phone), False, at=TEN - timedelta(minutes=5))
    assert claim(session) == []
    assert dispatching.sweep(session, TEN) == 1
    assert (message.state, message.reason) == (Delivery.CANCELLED, Reason.OPTED_OUT)


def test_a_new_yes_after_a_no_counts(session: Session, texting: Texting) -> None:
    person = texting.person()
    texting.message(person)
    texting.says(str(person.phone), False, at=TEN - timedelta(days=2))
    texting.says(str(person.phone), True, at=TEN - timedelta(days=1))
    assert len(claim(session)) == 1


def test_a_number_gets_three_messages_in_24_hours(session: Session, texting: Texting) -> None:
    person = texting.person()
    for _ in range(5):
        texting.message(person, expires_at=TEN + timedelta(days=3))
    sent = [len(claim(session, TEN + timedelta(minutes=minute))) for minute in range(5)]
    assert sent == [1, 1, 1, 0, 0], "one at a time, and three in all"
    assert len(claim(session, TEN + timedelta(hours=24))) == 1


def test_what_the_carrier_refused_does_not_count_towards_the_three(session: Session, texting: Texting) -> None:
    person = texting.person()
    for _ in range(3):
        texting.message(person, state=Delivery.FAILED, claimed_at=TEN - timedelta(hours=1))
    texting.message(person)
    assert len(claim(session)) == 1


def test_a_town_on_hold_after_a_restore_sends_nothing_until_it_is_confirmed(session: Session, texting: Texting) -> None:
    town = texting.make.town.id
    texting.message(texting.person())
    under_way = texting.sending(texting.person())
    sending.hold_everything(session, [town], TEN)
    assert claim(session) == []
    assert (under_way.state, under_way.reason) == (Delivery.UNKNOWN, Reason.RESTORED)
    assert sending.release(session, town, TEN) == 1
    assert len(claim(session)) == 1


@pytest.mark.committed
def test_two_claimers_at_once_share_the_messages_and_keep_the_limit(
    app: Flask, session: Session, texting: Texting
) -> None:
    crowd = [texting.person() for _ in range(40)]
    shared = texting.person()
    for person in crowd:
        texting.message(person)
    for _ in range(4):
        texting.message(shared)
    session.commit()
    claimed: list[Outgoing] = []
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        for _ in range(8):
            with app.app_context(), transaction() as own:
                batch = dispatching.claim(own, at_most=5, at=TEN)
                dispatching.record(own, [(one, Accepted(f"SM{one.id.hex}")) for one in batch], TEN)
                claimed.extend(batch)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len({one.id for one in claimed}) == len(claimed) == 43
    assert sum(one.phone == shared.phone for one in claimed) == 3


# --- what came of it ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "state", "reason"),
    [
        (Accepted("SM1"), Delivery.ACCEPTED, None),
        (Refused(21614), Delivery.FAILED, Reason.LANDLINE),
        (TryAgain(Reason.BUSY, 20429), Delivery.QUEUED, Reason.BUSY),
        (NoAnswer(), Delivery.UNKNOWN, Reason.NO_ANSWER),
        (NotTried(Reason.OPTED_OUT), Delivery.CANCELLED, Reason.OPTED_OUT),
        (NotTried(Reason.OUT_OF_HOURS), Delivery.QUEUED, Reason.OUT_OF_HOURS),
        (NotTried(Reason.EXPIRED), Delivery.EXPIRED, Reason.EXPIRED),
    ],
)
def test_an_outcome_is_kept(
    session: Session,
    texting: Texting,
    outgoing: Callable[[Message], Outgoing],
    outcome: Outcome,
    state: Delivery,
    reason: Reason | None,
) -> None:
    message = texting.sending(texting.person())
    dispatching.record(session, [(outgoing(message), outcome)], TEN)
    assert (message.state, message.reason) == (state, reason)


def test_a_busy_carrier_is_asked_again_later_and_later_and_fails_nothing(
    session: Session, texting: Texting, outgoing: Callable[[Message], Outgoing]
) -> None:
    message = texting.message(texting.person())
    waits = []
    moment = TEN
    for _ in range(7):
        assert claim(session, moment)
        dispatching.record(session, [(outgoing(message), TryAgain(Reason.BUSY, 20429))], moment)
        waits.append((message.not_before - moment).total_seconds())
        moment = max(moment, message.not_before)
    assert waits == [15, 30, 60, 120, 240, 240, 240]
    assert (message.state, message.attempts) == (Delivery.QUEUED, 7)


def test_a_number_blocked_at_the_carrier_counts_as_a_no(
    session: Session, texting: Texting, outgoing: Callable[[Message], Outgoing]
) -> None:
    person = texting.person()
    message, waiting = texting.sending(person), texting.message(person)
    dispatching.record(session, [(outgoing(message), Refused(21610))], TEN)
    assert (message.state, message.reason) == (Delivery.FAILED, Reason.BLOCKED)
    assert (waiting.state, waiting.reason) == (Delivery.CANCELLED, Reason.OPTED_OUT)
    texting.message(person)
    assert claim(session) == []


def test_a_crash_between_the_call_and_the_record_never_sends_twice(session: Session, texting: Texting) -> None:
    gateway = PlainGateway()
    message = texting.message(texting.person())
    [claimed] = claim(session)
    assert dispatching.mark_called(session, [claimed], TEN) == {}
    gateway.send(claimed)
    later = TEN + timedelta(minutes=6)
    assert dispatching.sweep(session, later) == 1
    assert message.state is Delivery.UNKNOWN
    for minute in range(120):
        assert claim(session, later + timedelta(minutes=minute)) == []
    assert len(gateway.taken) == 1
    receipts.resolve_unknown(session, claimed, gateway.seen(claimed.phone) or [], later)
    assert (message.state, message.sid, message.reason) == (Delivery.SENT, f"SM{0:032x}", None)


def test_a_crash_before_the_call_ends_as_failed_when_the_carrier_has_no_trace(
    session: Session, texting: Texting, outgoing: Callable[[Message], Outgoing]
) -> None:
    message = texting.sending(texting.person(), claimed_at=TEN, called_at=TEN)
    dispatching.sweep(session, TEN + timedelta(minutes=10))
    assert receipts.resolve_unknown(session, outgoing(message), [], TEN + timedelta(minutes=30)) is Delivery.UNKNOWN
    assert receipts.resolve_unknown(session, outgoing(message), [], TEN + timedelta(hours=2)) is Delivery.FAILED
    assert message.reason is Reason.NO_TRACE


def test_an_unknown_message_is_not_taken_for_another_of_the_same_text(
    session: Session, texting: Texting, outgoing: Callable[[Message], Outgoing]
) -> None:
    person = texting.person()
    texting.message(person, state=Delivery.DELIVERED, sid="SM-yesterday")
    unknown = texting.message(person, state=Delivery.UNKNOWN, claimed_at=TEN)
    seen = [Seen("SM-yesterday", str(person.phone), unknown.body, Delivery.DELIVERED)]
    assert receipts.resolve_unknown(session, outgoing(unknown), seen, TEN) is Delivery.UNKNOWN


def test_a_worker_that_was_overtaken_by_the_sweep_does_not_call(
    session: Session, texting: Texting, outgoing: Callable[[Message], Outgoing]
) -> None:
    message = texting.sending(texting.person())
    assert why_not(session, outgoing(message), TEN) is None
    dispatching.sweep(session, TEN + timedelta(minutes=10))
    assert why_not(session, outgoing(message), TEN) is Reason.ALREADY_HANDLED


def test_right_before_the_call_everything_is_asked_once_more(
    session: Session, texting: Texting, outgoing: Callable[[Message], Outgoing]
) -> None:
    person = texting.person()
    message = texting.sending(person)
    assert why_not(session, outgoing(message), clock.at(date(2019, 10, 15), 22)) is Reason.EXPIRED
    message.expires_at = TEN + timedelta(days=1)
    session.flush()
    assert why_not(session, outgoing(message), clock.at(date(2019, 10, 15), 22)) is Reason.OUT_OF_HOURS
    texting.says(str(person.phone), False, at=TEN)
    assert why_not(session, outgoing(message), TEN) is Reason.OPTED_OUT


# --- receipts -----------------------------------------------------------------------------------------------------


def told(session: Session, message: Message, status: str, code: int | None = None, sid: str = "SM1") -> bool:
    return receipts.take_status(
        session, town_id=message.town_id, message_id=message.id, sid=sid, status=status, error_code=code, at=TEN
    )


@pytest.mark.parametrize(
    "order", [("queued", "sent", "delivered"), ("delivered", "queued", "sent"), ("sent", "delivered", "sent", "queued")]
)
def test_receipts_out_of_order_and_twice_end_delivered(
    session: Session, texting: Texting, order: tuple[str, ...]
) -> None:
    message = texting.sending(texting.person())
    for status in order * 2:
        told(session, message, status)
    assert message.state is Delivery.DELIVERED
    kept = select(func.count()).select_from(MessageStatus).where(MessageStatus.message_id == message.id)
    assert session.scalar(kept) == 3


def test_a_receipt_quicker_than_our_own_record_is_not_overruled(
    session: Session, texting: Texting, outgoing: Callable[[Message], Outgoing]
) -> None:
    message = texting.sending(texting.person())
    assert told(session, message, "delivered")
    dispatching.record(session, [(outgoing(message), Accepted("SM1"))], TEN)
    assert (message.state, message.sid) == (Delivery.DELIVERED, "SM1")


def test_a_receipt_settles_a_message_of_which_nothing_was_known(
    session: Session, texting: Texting, outgoing: Callable[[Message], Outgoing]
) -> None:
    message = texting.sending(texting.person())
    dispatching.record(session, [(outgoing(message), NoAnswer())], TEN)
    told(session, message, "sent")
    assert (message.state, message.sid) == (Delivery.SENT, "SM1")


def test_a_receipt_under_another_number_is_not_believed(session: Session, texting: Texting) -> None:
    message = texting.message(texting.person(), state=Delivery.ACCEPTED, sid="SM1")
    assert not told(session, message, "delivered", sid="SM2")
    assert message.state is Delivery.ACCEPTED


def test_a_failed_delivery_says_why(session: Session, texting: Texting) -> None:
    message = texting.message(texting.person(), state=Delivery.SENT, sid="SM1")
    told(session, message, "undelivered", 30003)
    assert (message.state, message.reason, message.error_code) == (Delivery.UNDELIVERED, Reason.UNREACHABLE, 30003)


# --- the database itself ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "asked_for", "leaves"),
    [(True, False, True), (None, False, False), (False, False, False), (None, True, True), (False, True, False)],
)
def test_the_database_lets_nothing_leave_that_is_not_wanted(
    session: Session, texting: Texting, said: bool | None, asked_for: bool, leaves: bool
) -> None:
    person = texting.person(agrees=False)
    if said is not None:
        texting.says(str(person.phone), said)
    message = texting.message(person, asked_for=asked_for)
    claimed = [one.id for one in claim(session)]
    assert claimed == ([message.id] if leaves else [])
    if not leaves:
        for state in (Delivery.SENDING, Delivery.HANDED_OVER):
            with pytest.raises(DBAPIError, match="does not agree"), session.begin_nested():
                session.execute(update(Message).where(Message.id == message.id).values(state=state))
        being_sent = texting.sending(person, asked_for=asked_for)
        with pytest.raises(DBAPIError, match="does not agree"), session.begin_nested():
            session.execute(update(Message).where(Message.id == being_sent.id).values(called_at=TEN))


def test_who_asked_for_a_message_is_not_changed_afterwards(session: Session, texting: Texting) -> None:
    message = texting.message(texting.person(agrees=False))
    with pytest.raises(DBAPIError, match="permission denied"), session.begin_nested():
        session.execute(update(Message).where(Message.id == message.id).values(asked_for=True))


def test_nobody_asks_for_a_campaign_themself(session: Session, texting: Texting) -> None:
    campaign = texting.campaign()
    with pytest.raises(DBAPIError, match="ck_message_asked_for"), session.begin_nested():
        texting.message(texting.person(), reminder=None, campaign_id=campaign.id, asked_for=True)


@pytest.mark.committed
def test_a_no_between_the_claim_and_the_call_is_heard_by_the_database(
    app: Flask, session: Session, texting: Texting
) -> None:
    person = texting.person()
    message = texting.message(person)
    session.commit()
    with transaction() as current:
        [claimed] = dispatching.claim(current, at_most=5, at=TEN)
    said = threading.Thread(target=_says_no, args=(app, claimed.town_id, str(person.phone)))
    said.start()
    said.join(20)
    with pytest.raises(DBAPIError, match="does not agree"), transaction() as current:
        current.execute(update(Message).where(Message.id == message.id).values(called_at=TEN))
    with transaction() as current:
        assert dispatching.mark_called(current, [claimed], TEN) == {claimed.id: Reason.OPTED_OUT}


def _says_no(app: Flask, town_id: UUID, phone: str) -> None:
    with app.app_context(), transaction() as current:
        withdraw(current, town_id, phone, at=TEN, channel=ConsentChannel.LINK)
