"""A batch on its way: in pace, many at once, each only while it is allowed, and whatever happens to the others."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from aiohttp import web
from flask import Flask
from sqlalchemy.orm import Session

from crm import clock, stored
from crm.campaigns import dispatcher
from crm.campaigns.dispatcher import Carrier
from crm.campaigns.gateway import Connection, PlainGateway, TwilioGateway
from crm.campaigns.models import Campaign, Message
from crm.campaigns.pace import Pace
from crm.campaigns.rules.delivery import Delivery
from crm.campaigns.rules.handover import Accepted, NoAnswer, NotTried, Outcome, Outgoing, Refused, TryAgain
from crm.campaigns.rules.reasons import Reason
from crm.campaigns.rules.stages import Stage
from crm.campaigns.services import dispatching, launching, opting_out, receipts
from crm.prospects.rules import ConsentChannel
from tests.campaigns.conftest import Texting

TEN = clock.at(date(2019, 10, 15), 10)
Kept = list[tuple[Outgoing, Outcome]]


def some(count: int) -> list[Outgoing]:
    return [Outgoing(uuid4(), uuid4(), f"+8491{number:07}", f"Hen gap so {number}", uuid4()) for number in range(count)]


def nothing_against(_group: Sequence[Outgoing]) -> dict[UUID, Reason]:
    return {}


def pace(per_second: int = 100) -> Pace:
    return Pace(per_second, "memory://")


# --- a batch ------------------------------------------------------------------------------------------------------


def test_every_message_of_a_batch_has_one_outcome() -> None:
    gateway, kept, batch = PlainGateway(), Kept(), some(60)
    Carrier(gateway, pace()).send_all(batch, nothing_against, kept.extend)
    assert sorted(one.phone for one, _ in kept) == [one.phone for one in batch]
    assert {type(outcome) for _, outcome in kept} == {Accepted}
    assert len(gateway.taken) == 60


def test_what_is_no_longer_allowed_is_not_called_and_the_others_are() -> None:
    gateway, kept, batch = PlainGateway(), Kept(), some(12)
    Carrier(gateway, pace()).send_all(batch, lambda group: {batch[3].id: Reason.OPTED_OUT}, kept.extend)
    assert {one.id: outcome for one, outcome in kept}[batch[3].id] == NotTried(Reason.OPTED_OUT)
    assert batch[3] not in gateway.taken
    assert len(gateway.taken) == 11


@pytest.mark.parametrize("trouble", [NoAnswer(), TryAgain(Reason.BUSY, 20429), TryAgain(Reason.ACCOUNT, 20003)])
def test_trouble_stops_the_rest_of_the_batch_and_every_worker(trouble: Outcome) -> None:
    batch = some(40)
    gateway, kept, one_pace = PlainGateway({batch[1].phone: trouble}), Kept(), pace(10)
    Carrier(gateway, one_pace).send_all(batch, nothing_against, kept.extend)
    outcomes = [outcome for _, outcome in kept]
    assert (outcomes.count(trouble), len(outcomes)) == (1, 40)
    assert outcomes.count(NotTried(Reason.BUSY)) >= 30
    assert one_pace.batch() == 0, "nobody claims while the brake is on"


def test_a_message_that_nobody_can_send_is_set_aside_and_the_batch_goes_on() -> None:
    batch = some(20)
    gateway, kept = (
        PlainGateway({batch[4].phone: Refused(21614), batch[5].phone: Refused(None, Reason.MALFORMED)}),
        Kept(),
    )
    Carrier(gateway, pace()).send_all(batch, nothing_against, kept.extend)
    assert sum(isinstance(outcome, Accepted) for _, outcome in kept) == 18


def test_a_gateway_that_breaks_leaves_one_message_unknown() -> None:
    class Broken(PlainGateway):
        def send(self, message: Outgoing) -> Outcome:
            raise RuntimeError

    kept = Kept()
    Carrier(Broken(), pace()).send_all(some(1), nothing_against, kept.extend)
    assert [outcome for _, outcome in kept] == [NoAnswer()]


def test_when_the_database_is_away_before_the_call_nobody_is_called() -> None:
    gateway, kept = PlainGateway(), Kept()

    def away(_group: Sequence[Outgoing]) -> dict[UUID, Reason]:
        raise OSError

    Carrier(gateway, pace()).send_all(some(5), away, kept.extend)
    assert gateway.taken == []
    assert {outcome for _, outcome in kept} == {NotTried(Reason.BUSY)}


def test_when_the_database_is_away_after_the_call_it_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatcher, "TRIED_AGAIN", (0.0, 0.0))
    kept, fails = Kept(), [OSError, OSError]

    def record(outcomes: Kept) -> None:
        if fails:
            raise fails.pop()
        kept.extend(outcomes)

    Carrier(PlainGateway(), pace()).send_all(some(3), nothing_against, record)  # type: ignore[arg-type]
    assert len(kept) == 3


def test_a_process_that_was_asleep_does_not_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatcher, "STALE_AFTER", -1.0)
    gateway, kept = PlainGateway(), Kept()
    Carrier(gateway, pace()).send_all(some(3), nothing_against, kept.extend)
    assert gateway.taken == []
    assert {outcome for _, outcome in kept} == {NotTried(Reason.BUSY)}


def test_calls_are_under_way_at_the_same_time() -> None:
    class Slow(PlainGateway):
        most = now = 0

        @asynccontextmanager
        async def line(self, at_once: int):  # type: ignore[no-untyped-def]
            async def send(message: Outgoing) -> Outcome:
                self.now += 1
                self.most = max(self.most, self.now)
                await asyncio.sleep(0.02)
                self.now -= 1
                return self.send(message)

            yield send

    gateway, kept = Slow(), Kept()
    Carrier(gateway, pace(400)).send_all(some(200), nothing_against, kept.extend)
    assert len(kept) == 200
    assert 20 <= gateway.most <= 400


def test_the_last_calls_of_a_batch_get_their_turn_however_slow_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    class OneQuick(PlainGateway):
        @asynccontextmanager
        async def line(self, at_once: int):  # type: ignore[no-untyped-def]
            async def send(message: Outgoing) -> Outcome:
                await asyncio.sleep(0 if message is batch[0] else 0.1)
                return self.send(message)

            yield send

    monkeypatch.setattr(dispatcher, "KEPT_AFTER", 0.01)
    batch, kept = some(4), Kept()
    Carrier(OneQuick(), pace()).send_all(batch, nothing_against, kept.extend)
    assert len(kept) == 4


def test_what_may_follow_is_claimed_while_calls_are_under_way_and_ends_when_nothing_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gateway, kept, claims = PlainGateway(), Kept(), [some(6), [], some(6)]
    asked_with: list[int] = []

    def more() -> Sequence[Outgoing]:
        asked_with.append(len(kept))
        return claims.pop(0)

    def record(outcomes: Kept) -> None:
        kept.extend(outcomes)

    first = some(24)
    monkeypatch.setattr(dispatcher, "KEPT_AFTER", 0.02)
    Carrier(gateway, pace(20)).send_all(first, nothing_against, record, more)  # type: ignore[arg-type]
    assert len(kept) == len(gateway.taken) == 30
    assert len(asked_with) == 2, "nothing waits: it is not asked again"
    assert asked_with[0] >= 6, "only for what was written down there is room"


def test_one_group_is_marked_ahead_and_waits_for_its_place_or_is_let_go_in_trouble() -> None:
    batch, free = some(40), threading.Event()
    called: list[Outgoing] = []
    marked: list[Outgoing] = []

    class Full(PlainGateway):
        @asynccontextmanager
        async def line(self, at_once: int):  # type: ignore[no-untyped-def]
            async def send(message: Outgoing) -> Outcome:
                called.append(message)
                while not free.is_set():
                    await asyncio.sleep(0.01)
                return NoAnswer()

            yield send

    def mark(group: Sequence[Outgoing]) -> dict[UUID, Reason]:
        marked.extend(group)
        if len(marked) == 9:
            threading.Timer(0.2, free.set).start()
        return {}

    kept = Kept()
    Carrier(Full(), pace(8)).send_all(batch, mark, kept.extend)
    assert (len(called), len(marked)) == (8, 9), "eight places, a group of one ahead"
    ends = {one.id: outcome for one, outcome in kept}
    assert len(ends) == len(kept) == 40
    assert {ends[one.id] for one in called} == {NoAnswer()}
    assert {ends[one.id] for one in batch[8:]} == {NotTried(Reason.BUSY)}, "also of the one that was marked ahead"


# --- the brake ----------------------------------------------------------------------------------------------------


def test_after_an_outage_one_message_tries_the_way_and_then_all_go() -> None:
    one_pace = pace(50)
    one_pace.brake(throttled=False)
    one_pace.brake(throttled=False)
    assert one_pace.batch() == 0
    one_pace._storage.clear(one_pace._key("stop"))
    assert one_pace.batch() == 1
    Carrier(PlainGateway(), one_pace).send_all(some(1), nothing_against, lambda _: None)
    assert one_pace.batch() == 100


def test_too_fast_halves_the_pace_for_all_and_many_answers_of_a_moment_count_once() -> None:
    one_pace = pace(64)
    for _ in range(30):
        one_pace.brake(throttled=True, after=3)
    one_pace._storage.clear(one_pace._key("stop"))
    assert (one_pace.batch(), one_pace.group()) == (64, 3)


# --- the carrier's answers ----------------------------------------------------------------------------------------


@pytest.fixture
def answering() -> Callable[..., Outcome]:
    """What becomes of a message when the carrier's server answers in this way."""

    async def ask(answer: Callable[[web.Request], web.StreamResponse], body: str) -> Outcome:
        async def handle(request: web.Request) -> web.StreamResponse:
            return answer(request)

        server = web.AppRunner(app := web.Application())
        app.router.add_route("*", "/{any:.*}", handle)
        await server.setup()
        site = web.TCPSite(server, "127.0.0.1", 0)
        await site.start()
        port = server.addresses[0][1]
        gateway = TwilioGateway(Connection("AC1", "t", "AnSinh", None, f"http://127.0.0.1:{port}"), "http://x.vn/s")
        try:
            async with gateway.line(1) as send:
                return await send(replace(some(1)[0], body=body))
        finally:
            await server.cleanup()

    return lambda answer, body="Hen": asyncio.run(ask(answer, body))


def says(status: int, text: str, **headers: str) -> Callable[[web.Request], web.StreamResponse]:
    return lambda _request: web.Response(status=status, text=text, headers=headers, content_type="application/json")


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (says(201, '{"sid": "SM1", "status": "queued"}'), Accepted("SM1")),
        (says(201, '{"sid": "SM1", "status": "failed"}'), Accepted("SM1", Delivery.FAILED)),
        (says(201, "not json"), NoAnswer()),
        (says(201, '{"status": "queued"}'), NoAnswer()),
        (says(201, "[]"), NoAnswer()),
        (says(302, ""), TryAgain(Reason.ACCOUNT)),
        (says(400, '{"code": 21211, "message": "x", "status": 400}'), Refused(21211)),
        (says(400, '{"code": 99999, "message": "x", "status": 400}'), Refused(99999)),
        (says(400, '{"code": 21701, "message": "x", "status": 400}'), TryAgain(Reason.SENDER, 21701)),
        (says(403, "<html>Proxy</html>"), TryAgain(Reason.ACCOUNT)),
        (says(404, "<html>Proxy</html>"), TryAgain(Reason.ACCOUNT)),
        (says(429, '{"code": 20429, "status": 429}', **{"Retry-After": "7"}), TryAgain(Reason.BUSY, 20429, 7.0)),
        (says(429, "slow down"), TryAgain(Reason.BUSY)),
        (says(500, ""), NoAnswer()),
        (says(503, '{"code": 20503, "status": 503}'), NoAnswer()),
    ],
)
def test_what_an_answer_means(answering: Callable[..., Outcome], answer: object, outcome: Outcome) -> None:
    assert answering(answer) == outcome


def test_a_text_that_cannot_be_written_down_harms_no_other(answering: Callable[..., Outcome]) -> None:
    assert answering(says(201, '{"sid": "SM1"}'), "\ud800") == Refused(None, Reason.MALFORMED)


# --- claims -------------------------------------------------------------------------------------------------------


def test_a_claim_that_died_before_the_call_waits_again(session: Session, texting: Texting) -> None:
    message = texting.message(texting.person())
    [claimed] = dispatching.claim(session, at_most=5, at=TEN)
    dispatching.sweep(session, TEN + timedelta(minutes=2))
    assert (message.state, message.attempts, message.claim_id) == (Delivery.QUEUED, 0, None)
    assert dispatching.mark_called(session, [claimed], TEN) == {claimed.id: Reason.ALREADY_HANDLED}


def test_a_late_worker_does_not_write_over_a_newer_claim(session: Session, texting: Texting) -> None:
    message = texting.message(texting.person())
    [late] = dispatching.claim(session, at_most=5, at=TEN)
    after = TEN + timedelta(minutes=2)
    dispatching.sweep(session, after)
    [newer] = dispatching.claim(session, at_most=5, at=after)
    dispatching.record(session, [(late, Refused(21211))], after)
    assert (message.state, message.claim_id) == (Delivery.SENDING, newer.claim_id)
    assert dispatching.mark_called(session, [late], after)[message.id] is Reason.ALREADY_HANDLED
    assert dispatching.mark_called(session, [newer], after) == {}


def test_a_late_worker_that_knows_what_came_of_it_is_believed(session: Session, texting: Texting) -> None:
    message = texting.message(texting.person())
    [claimed] = dispatching.claim(session, at_most=5, at=TEN)
    dispatching.mark_called(session, [claimed], TEN)
    dispatching.sweep(session, TEN + timedelta(minutes=2))
    assert message.state is Delivery.UNKNOWN
    dispatching.record(session, [(claimed, Accepted("SM7"))], TEN + timedelta(minutes=3))
    assert (message.state, message.sid, message.reason) == (Delivery.ACCEPTED, "SM7", None)


def test_no_more_is_under_way_than_two_seconds_worth_whoever_claims(session: Session, texting: Texting) -> None:
    for _ in range(9):
        texting.message(texting.person())
    sizes = [len(dispatching.claim(session, at_most=4, at=TEN + timedelta(seconds=second))) for second in (0, 1, 11)]
    assert sizes == [4, 0, 4], "what was claimed long ago holds nobody up"


def test_at_the_last_second_of_the_day_it_goes_and_a_second_later_it_waits(session: Session, texting: Texting) -> None:
    def at(day: int, hour: int, minute: int, second: int) -> datetime:
        return datetime(2019, 10, day, hour, minute, second, tzinfo=clock.LOCAL)

    late = at(15, 21, 59, 58)
    messages = [texting.message(texting.person(), expires_at=TEN + timedelta(days=2)) for _ in range(2)]
    batch = dispatching.claim(session, at_most=5, at=late)
    assert len(batch) == 2
    assert dispatching.mark_called(session, batch[:1], late) == {}
    held = dispatching.mark_called(session, batch[1:], late + timedelta(seconds=2))
    assert list(held.values()) == [Reason.OUT_OF_HOURS]
    dispatching.record(session, [(batch[1], NotTried(held[batch[1].id]))], late + timedelta(seconds=2))
    [waits] = [one for one in messages if one.id == batch[1].id]
    assert (waits.state, waits.reason, waits.attempts) == (Delivery.QUEUED, Reason.OUT_OF_HOURS, 0)
    assert dispatching.claim(session, at_most=5, at=at(16, 6, 59, 59)) == []
    assert [one.id for one in dispatching.claim(session, at_most=5, at=at(16, 7, 0, 0))] == [waits.id]


@pytest.mark.parametrize("spelling", ["0912345678", "+84 912 345 678", "84912.345.678"])
def test_however_an_opted_out_number_is_spelled_it_is_not_texted(
    session: Session, texting: Texting, spelling: str
) -> None:
    from crm.phones import read_phone

    person = texting.person(phone=read_phone(spelling).mobile)
    opting_out.withdraw(
        session, person.town_id, "+84912345678", at=TEN - timedelta(hours=1), channel=ConsentChannel.HOTLINE
    )
    texting.message(person)
    assert dispatching.claim(session, at_most=5, at=TEN) == []


def test_a_restored_backup_sends_nothing_again(session: Session, texting: Texting) -> None:
    from crm.campaigns.services import sending

    called, waiting = texting.message(texting.person()), texting.message(texting.person())
    dispatching.claim(session, at_most=1, at=TEN)
    sending.hold_everything(session, [texting.make.town.id], TEN)
    assert dispatching.claim(session, at_most=5, at=TEN) == []
    dispatching.sweep(session, TEN + timedelta(minutes=5))
    assert sorted([called.state, waiting.state]) == [Delivery.QUEUED, Delivery.UNKNOWN], "what was claimed is in doubt"


# --- standing still -----------------------------------------------------------------------------------------------


def running(texting: Texting) -> Campaign:
    for _ in range(2):
        texting.person()
    campaign = texting.campaign()
    texting.launch(campaign)
    return campaign


def test_after_a_day_in_which_nobody_looked_a_campaign_asks_instead_of_pouring_out(
    session: Session, texting: Texting
) -> None:
    campaign = running(texting)
    assert len(dispatching.claim(session, at_most=1, at=TEN)) == 1
    later = TEN + timedelta(hours=25)
    assert dispatching.claim(session, at_most=5, at=later) == []
    session.refresh(campaign)
    assert (campaign.stage, campaign.stood_still_since) == (Stage.PAUSED, TEN)
    launching.resume(session, campaign, by_id=None, at=later)
    assert campaign.stood_still_since is None
    assert len(dispatching.claim(session, at_most=5, at=later + timedelta(minutes=1))) == 1


def test_a_night_with_the_machine_off_is_no_outage(session: Session, texting: Texting) -> None:
    campaign = running(texting)
    stored.write(session, dispatching.LOOKED, (TEN - timedelta(hours=15)).isoformat())
    assert len(dispatching.claim(session, at_most=5, at=TEN)) == 2
    assert campaign.stage is Stage.RUNNING


# --- receipts -----------------------------------------------------------------------------------------------------


def told(session: Session, message: Message, status: str) -> bool:
    return receipts.take_status(
        session, town_id=message.town_id, message_id=message.id, sid="SM1", status=status, error_code=None, at=TEN
    )


def test_a_receipt_after_we_gave_up_is_believed(session: Session, texting: Texting) -> None:
    message = texting.message(texting.person(), state=Delivery.FAILED, reason=Reason.NO_TRACE, settled_at=TEN)
    assert told(session, message, "delivered")
    assert (message.state, message.reason, message.sid) == (Delivery.DELIVERED, None, "SM1")


def test_a_receipt_with_a_word_we_do_not_know_is_kept_and_changes_nothing(session: Session, texting: Texting) -> None:
    message = texting.sending(texting.person())
    assert told(session, message, "partially_delivered")
    assert not told(session, message, "partially_delivered")
    assert (message.state, message.sid) == (Delivery.SENDING, "SM1")


def test_a_receipt_about_nothing_of_ours_changes_nothing(app: Flask, session: Session, texting: Texting) -> None:
    message = texting.sending(texting.person())
    assert not receipts.take_status(
        session, town_id=message.town_id, message_id=uuid4(), sid="SM1", status="sent", error_code=None, at=TEN
    )


def test_one_that_the_carrier_has_too_many_of_is_not_given_up(
    session: Session, texting: Texting, outgoing: Callable[[Message], Outgoing]
) -> None:
    from crm.campaigns.rules.handover import MOST_SEEN, Seen

    message = texting.message(texting.person(), state=Delivery.UNKNOWN, claimed_at=TEN - timedelta(hours=3))
    others = [Seen(f"SM{n}", str(message.phone), "khac", Delivery.SENT) for n in range(MOST_SEEN)]
    assert receipts.resolve_unknown(session, outgoing(message), others, TEN) is Delivery.UNKNOWN
    assert receipts.resolve_unknown(session, outgoing(message), others[:-1], TEN) is Delivery.FAILED
