"""Each message is handed over at most once, to people who agree, in the hours that the law allows."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, datetime, time, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.rules import Role
from crm.campaigns.gateway import Carrier, PlainGateway, Rate
from crm.campaigns.models import Campaign, Message, MessageStatus, SmsSettings
from crm.campaigns.rules.delivery import Delivery
from crm.campaigns.rules.handover import Accepted, NoAnswer, NotTried, Outcome, Outgoing, Refused, Seen, TryAgain
from crm.campaigns.rules.hours import narrower
from crm.campaigns.rules.reasons import MOST_ATTEMPTS, Reason
from crm.campaigns.rules.stages import Stage
from crm.campaigns.services import launching, opting_out, sending
from crm.db import db, transaction
from crm.errors import RuleBroken
from crm.prospects.lists.narrowing import Narrowing
from crm.prospects.lists.rules import Sharing
from crm.prospects.lists.services.segments import delete_segment, save_segment
from crm.prospects.rules import ConsentChannel, Purpose
from tests.campaigns.conftest import PUBLIC_URL, Texting

TEN = clock.at(date(2019, 10, 15), 10)


def claim(session: Session, at: datetime = TEN, at_most: int = 20) -> list[Outgoing]:
    claimed = sending.claim(session, at_most=at_most, at=at)
    session.expire_all()
    return claimed


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
    sending.set_hours(session, texting.make.town.id, narrower(time(10, 30), time(20)))
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
    assert sending.sweep(session, TEN) == 1
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
                claimed.extend(sending.claim(own, at_most=5, at=TEN))

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
    sending.record(session, [(outgoing(message), outcome)], TEN)
    assert (message.state, message.reason) == (state, reason)


def test_a_busy_carrier_is_asked_again_a_few_times_later_and_later(
    session: Session, texting: Texting, outgoing: Callable[[Message], Outgoing]
) -> None:
    message = texting.message(texting.person())
    waits = []
    moment = TEN
    while message.state is Delivery.QUEUED:
        assert claim(session, moment)
        sending.record(session, [(outgoing(message), TryAgain(Reason.BUSY, 20429))], moment)
        waits.append((message.not_before - moment).total_seconds())
        moment = max(moment, message.not_before)
    assert waits[:4] == [30, 60, 120, 240]
    assert (message.state, message.attempts) == (Delivery.FAILED, MOST_ATTEMPTS)


def test_a_number_blocked_at_the_carrier_counts_as_a_no(
    session: Session, texting: Texting, outgoing: Callable[[Message], Outgoing]
) -> None:
    person = texting.person()
    message, waiting = texting.sending(person), texting.message(person)
    sending.record(session, [(outgoing(message), Refused(21610))], TEN)
    assert (message.state, message.reason) == (Delivery.FAILED, Reason.BLOCKED)
    assert (waiting.state, waiting.reason) == (Delivery.CANCELLED, Reason.OPTED_OUT)
    texting.message(person)
    assert claim(session) == []


def test_a_crash_between_the_call_and_the_record_never_sends_twice(session: Session, texting: Texting) -> None:
    gateway = PlainGateway()
    message = texting.message(texting.person())
    [claimed] = claim(session)
    gateway.send(claimed)
    later = TEN + timedelta(minutes=6)
    assert sending.sweep(session, later) == 1
    assert message.state is Delivery.UNKNOWN
    for minute in range(120):
        assert claim(session, later + timedelta(minutes=minute)) == []
    assert len(gateway.taken) == 1
    sending.resolve_unknown(session, claimed, gateway.seen(claimed.phone) or [], later)
    assert (message.state, message.sid, message.reason) == (Delivery.SENT, f"SM{0:032x}", None)


def test_a_crash_before_the_call_ends_as_failed_when_the_carrier_has_no_trace(
    session: Session, texting: Texting, outgoing: Callable[[Message], Outgoing]
) -> None:
    message = texting.message(texting.person(), state=Delivery.SENDING, claimed_at=TEN)
    sending.sweep(session, TEN + timedelta(minutes=10))
    assert sending.resolve_unknown(session, outgoing(message), [], TEN + timedelta(minutes=30)) is Delivery.UNKNOWN
    assert sending.resolve_unknown(session, outgoing(message), [], TEN + timedelta(hours=2)) is Delivery.FAILED
    assert message.reason is Reason.NO_TRACE


def test_an_unknown_message_is_not_taken_for_another_of_the_same_text(
    session: Session, texting: Texting, outgoing: Callable[[Message], Outgoing]
) -> None:
    person = texting.person()
    texting.message(person, state=Delivery.DELIVERED, sid="SM-yesterday")
    unknown = texting.message(person, state=Delivery.UNKNOWN, claimed_at=TEN)
    seen = [Seen("SM-yesterday", str(person.phone), unknown.body, Delivery.DELIVERED)]
    assert sending.resolve_unknown(session, outgoing(unknown), seen, TEN) is Delivery.UNKNOWN


def test_a_worker_that_was_overtaken_by_the_sweep_does_not_call(
    session: Session, texting: Texting, outgoing: Callable[[Message], Outgoing]
) -> None:
    message = texting.sending(texting.person())
    assert sending.no_longer_allowed(session, outgoing(message), TEN) is None
    sending.sweep(session, TEN + timedelta(minutes=10))
    assert sending.no_longer_allowed(session, outgoing(message), TEN) is Reason.ALREADY_HANDLED


def test_right_before_the_call_everything_is_asked_once_more(
    session: Session, texting: Texting, outgoing: Callable[[Message], Outgoing]
) -> None:
    person = texting.person()
    message = texting.sending(person)
    assert sending.no_longer_allowed(session, outgoing(message), clock.at(date(2019, 10, 15), 22)) is Reason.EXPIRED
    message.expires_at = TEN + timedelta(days=1)
    session.flush()
    assert (
        sending.no_longer_allowed(session, outgoing(message), clock.at(date(2019, 10, 15), 22)) is Reason.OUT_OF_HOURS
    )
    texting.says(str(person.phone), False, at=TEN)
    assert sending.no_longer_allowed(session, outgoing(message), TEN) is Reason.OPTED_OUT


def test_a_batch_stops_at_the_first_silence_and_the_rest_waits(session: Session, texting: Texting) -> None:
    people = [texting.person() for _ in range(4)]
    messages = [texting.message(person) for person in people]
    batch = claim(session)
    gateway = PlainGateway({batch[1].phone: NoAnswer()})
    outcomes = Carrier(gateway, Rate(100, "memory://")).send_all(
        batch, lambda one: sending.no_longer_allowed(session, one, TEN)
    )
    sending.record(session, outcomes, TEN)
    assert sorted(one.state for one in messages) == sorted(
        [Delivery.ACCEPTED, Delivery.UNKNOWN] + [Delivery.QUEUED] * 2
    )
    assert len(gateway.taken) == 2
    assert len(claim(session)) == 2


# --- receipts -----------------------------------------------------------------------------------------------------


def told(session: Session, message: Message, status: str, code: int | None = None, sid: str = "SM1") -> bool:
    return sending.take_status(
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
    sending.record(session, [(outgoing(message), Accepted("SM1"))], TEN)
    assert (message.state, message.sid) == (Delivery.DELIVERED, "SM1")


def test_a_receipt_settles_a_message_of_which_nothing_was_known(
    session: Session, texting: Texting, outgoing: Callable[[Message], Outgoing]
) -> None:
    message = texting.sending(texting.person())
    sending.record(session, [(outgoing(message), NoAnswer())], TEN)
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


# --- campaigns ----------------------------------------------------------------------------------------------------


def rows_of(session: Session, campaign: Campaign) -> list[Message]:
    return list(session.scalars(select(Message).where(Message.campaign_id == campaign.id)))


def test_a_launch_freezes_who_gets_it_and_who_does_not_and_why(session: Session, texting: Texting) -> None:
    texting.person("Nguyễn Thị An", birth_year=1960, sex="female")
    shared = texting.person("Lê Văn Bình")
    texting.person("Lê Văn Chung", phone=shared.phone, agrees=False)
    texting.person("Phạm Thị Dung", phone=None)
    texting.person("Phạm Thị Giang", phone=None, other_phone="+842373824000")
    texting.person("Trần Văn Hải", agrees=False)
    gone = texting.person("Vũ Thị Khuê")
    texting.says(str(gone.phone), False, Purpose.PROMOTION, at=clock.now())
    campaign = texting.campaign(purpose=Purpose.PROMOTION)
    before = launching.preflight(session, campaign, public_url=PUBLIC_URL, at=clock.now())
    assert (before.people, before.messages) == (7, 2)
    assert before.excluded == {
        Reason.SAME_PHONE: 1,
        Reason.NO_PHONE: 1,
        Reason.NOT_MOBILE: 1,
        Reason.NO_CONSENT: 1,
        Reason.OPTED_OUT: 1,
    }
    assert before.accented_segments > before.plain_segments == before.segments
    assert before.cost == before.segments * 750
    assert texting.launch(campaign) == 2
    rows = rows_of(session, campaign)
    assert {row.reason: row.state for row in rows if row.reason} == dict.fromkeys(before.excluded, Delivery.EXCLUDED)
    queued = [row.body for row in rows if row.state is Delivery.QUEUED]
    assert any(body.startswith("[QC] Moi ba An tham gia Tu choi: http://127.0.0.1:8000/o/") for body in queued)
    assert sum(row.segments for row in rows) == before.segments


def test_a_household_with_one_phone_gets_one_message(session: Session, texting: Texting) -> None:
    first = texting.person()
    for name in ("Lê Thị Hai", "Lê Thị Ba"):
        texting.person(name, phone=first.phone, agrees=False)
    campaign = texting.campaign()
    assert texting.launch(campaign) == 1
    assert len(claim(session)) == 1
    assert claim(session) == []


def test_a_campaign_is_not_launched_twice(session: Session, texting: Texting) -> None:
    texting.person()
    campaign = texting.campaign()
    texting.launch(campaign)
    with pytest.raises(RuleBroken):
        texting.launch(campaign)
    assert len(rows_of(session, campaign)) == 1


def test_a_campaign_that_nobody_would_get_is_refused(texting: Texting) -> None:
    texting.person(agrees=False)
    with pytest.raises(RuleBroken):
        texting.launch(texting.campaign())


def test_a_text_that_names_an_unknown_place_is_refused(texting: Texting) -> None:
    with pytest.raises(RuleBroken) as refused:
        texting.campaign("Chào {tuoi}")
    assert refused.value.field == "text"


def test_a_paused_campaign_sends_nothing_and_goes_on_where_it_stopped(session: Session, texting: Texting) -> None:
    for _ in range(3):
        texting.person()
    campaign = texting.campaign()
    texting.launch(campaign)
    first = claim(session, at_most=1)
    launching.pause(session, campaign)
    assert claim(session) == []
    assert sending.no_longer_allowed(session, first[0], TEN) is Reason.PAUSED
    launching.resume(session, campaign)
    assert len(claim(session)) == 2


def test_a_cancelled_campaign_calls_off_what_has_not_left(session: Session, texting: Texting) -> None:
    for _ in range(3):
        texting.person()
    campaign = texting.campaign()
    texting.launch(campaign)
    first = claim(session, at_most=1)
    assert launching.cancel(session, campaign, TEN) == 2
    assert claim(session) == []
    assert sending.no_longer_allowed(session, first[0], TEN) is Reason.CALLED_OFF


def test_a_campaign_with_nothing_left_to_send_has_finished(
    session: Session, texting: Texting, outgoing: Callable[[Message], Outgoing]
) -> None:
    texting.person()
    campaign = texting.campaign()
    texting.launch(campaign)
    assert sending.sweep(session, TEN) == 0
    sending.record(session, [(one, Accepted("SM1")) for one in claim(session)], TEN)
    sending.sweep(session, TEN)
    assert campaign.stage is Stage.DONE


def test_the_filter_narrows_the_audience(session: Session, texting: Texting) -> None:
    from crm.prospects.rules import Ground

    texting.person("Lê Thị An", stage="interested")
    texting.make.standing(texting.person("Lê Thị Bé"), Ground.POOR)
    ward = texting.make.ward()

    def count(segment: dict[str, str]) -> int:
        return launching.preflight(session, texting.campaign(segment=segment), public_url="", at=TEN).people

    assert count({}) == 2
    assert count({"stage": "interested"}) == 1
    assert count({"standing": "poor"}) == count({"standing": "other"}) == 1
    assert count({"place": str(ward.id)}) == 2
    assert count({"place": str(texting.make.ward("14815@2019-10-15").id)}) == 0


# --- saying no ----------------------------------------------------------------------------------------------------


def test_the_link_in_a_message_stops_what_waits_and_what_comes(session: Session, texting: Texting) -> None:
    person = texting.person()
    waiting = texting.message(person)
    token = opting_out.links_for(session, person.town_id, [str(person.phone)] * 2, TEN)[str(person.phone)]
    assert opting_out.links_for(session, person.town_id, [str(person.phone)], TEN) == {str(person.phone): token}
    link = opting_out.queries.link_with(session, token)
    assert link is not None
    opting_out.use_link(session, link, list(Purpose), TEN)
    assert (waiting.state, waiting.reason) == (Delivery.CANCELLED, Reason.OPTED_OUT)
    texting.person("Lê Thị Mới", phone=person.phone, agrees=False)
    with pytest.raises(RuleBroken):
        texting.launch(texting.campaign())


def test_a_no_to_promotions_leaves_reminders_alone(session: Session, texting: Texting) -> None:
    person = texting.person()
    opting_out.withdraw(
        session,
        person.town_id,
        str(person.phone),
        at=TEN,
        channel=ConsentChannel.HOTLINE,
        purposes=[Purpose.PROMOTION],
    )
    texting.message(person)
    assert len(claim(session)) == 1


def test_an_answer_that_says_no_counts_once(session: Session, texting: Texting) -> None:
    person = texting.person()
    town, phone = person.town_id, str(person.phone)
    assert opting_out.take_inbound(session, town, sid="SM9", phone=phone, body="Từ chối", at=TEN)
    assert opting_out.take_inbound(session, town, sid="SM9", phone=phone, body="Từ chối", at=TEN) is None
    assert opting_out.take_inbound(session, town, sid="SM10", phone=phone, body="Dạ vâng", at=TEN) is None
    texting.message(person)
    assert claim(session) == []


def test_the_database_refuses_hours_outside_the_law(session: Session, texting: Texting) -> None:
    from sqlalchemy.exc import IntegrityError

    session.add(SmsSettings(town_id=texting.make.town.id, opens=time(6)))
    with pytest.raises(IntegrityError):
        session.flush()
    db.session.rollback()


def test_a_saved_list_is_the_audience_within_the_sight_of_whoever_launches(session: Session, texting: Texting) -> None:
    make = texting.make
    texting.person("Lê Thị An", stage="interested")
    texting.person("Lê Thị Bé", stage="new")
    office, lead = make.user(Role.MANAGER), make.user(Role.LEAD, place_id=make.ward("14815@2019-10-15").id)
    narrowing = Narrowing.from_args({"stage": "interested"})
    saved = save_segment(session, narrowing, "", name="Quan tâm", sharing=Sharing.TOWN, by=office, at=TEN)
    campaign = texting.campaign(segment={"list": str(saved.id)})

    def count(who: User) -> int:
        return launching.preflight(session, campaign, public_url="", at=TEN, by_id=who.id).people

    assert (count(office), count(lead)) == (1, 0)
    assert launching.launch(session, campaign, public_url="", by_id=office.id, at=TEN) == 1
    late = texting.campaign(segment={"list": str(saved.id)})
    delete_segment(session, saved.id, by=office, at=TEN)
    with pytest.raises(RuleBroken):
        launching.launch(session, late, public_url="", by_id=office.id, at=TEN)
