"""The real SDK against the stand-in: what each answer means for a message that must not go twice."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from config import Settings
from crm import clock
from crm.campaigns import queries
from crm.campaigns.dispatcher import Carrier
from crm.campaigns.gateway import (
    Connection,
    PlainGateway,
    TwilioGateway,
    carrier_of,
    connection_of,
    is_signed,
)
from crm.campaigns.pace import Pace
from crm.campaigns.rules.delivery import Delivery
from crm.campaigns.rules.handover import (
    SANDBOX_ACCOUNT,
    Accepted,
    Gone,
    NoAnswer,
    NotTried,
    Outcome,
    Outgoing,
    Refused,
    Seen,
    TryAgain,
    sandbox_token,
)
from crm.campaigns.rules.reasons import Reason
from crm.campaigns.services import receipts
from crm.embedded.brokers import broker_urls
from crm.sandbox.app import Setup, create_sandbox
from tasks import campaigns as tasks
from tests.campaigns.conftest import Texting

ACCOUNT, TOKEN = "AC" + "0" * 32, "token"
ACCEPTED, SENT = Delivery.ACCEPTED, Delivery.SENT


def message(phone: str, body: str = "Hen gap ba Hoa") -> Outgoing:
    return Outgoing(uuid4(), uuid4(), phone, body)


def hand_over(gateway: TwilioGateway, one: Outgoing) -> Outcome:
    async def call() -> Outcome:
        async with gateway.line(1) as send:
            return await send(one)

    return asyncio.run(call())


@pytest.fixture
def sandbox_url(tmp_path: Path) -> Iterator[str]:
    app = create_sandbox(Setup(tmp_path / "sandbox.sqlite", ACCOUNT, TOKEN))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    server.server_close()
    _, store, postman = app.extensions["sandbox"]
    postman.end()
    postman.join(5)
    store.close()


@pytest.fixture
def twilio(sandbox_url: str) -> TwilioGateway:
    return TwilioGateway(Connection(ACCOUNT, TOKEN, "AnSinh", None, sandbox_url), "http://127.0.0.1:9/status")


def test_a_message_that_is_taken_has_its_number(twilio: TwilioGateway) -> None:
    outcome = hand_over(twilio, message("+84912345678"))
    assert isinstance(outcome, Accepted)
    [seen] = twilio.seen("+84912345678") or []
    assert (seen.sid, seen.body) == (outcome.sid, "Hen gap ba Hoa")


@pytest.mark.parametrize(
    ("phone", "outcome"),
    [
        ("+842373824000", Refused(21614)),
        ("+84123", Refused(21211)),
        ("+84900000009", Refused(21610)),
        ("+84900000007", TryAgain(Reason.BUSY, 20429)),
        ("+84900000008", NoAnswer()),
        ("+84900000006", NoAnswer()),
    ],
)
def test_each_refusal_has_its_meaning(twilio: TwilioGateway, phone: str, outcome: object) -> None:
    assert hand_over(twilio, message(phone)) == outcome


def test_after_a_broken_connection_the_message_is_found_at_the_carrier(twilio: TwilioGateway) -> None:
    assert hand_over(twilio, message("+84900000006")) == NoAnswer()
    assert [one.body for one in twilio.seen("+84900000006") or []] == ["Hen gap ba Hoa"]


def test_what_became_of_a_message_is_asked_by_its_number(twilio: TwilioGateway) -> None:
    outcome = hand_over(twilio, message("+84912345678"))
    assert isinstance(outcome, Accepted)
    told = twilio.became(outcome.sid)
    assert isinstance(told, Seen)
    assert (told.sid, told.body) == (outcome.sid, "Hen gap ba Hoa")
    assert twilio.became("SM" + "0" * 32) == Gone()


def test_wrong_credentials_are_nobodys_fault_but_ours(sandbox_url: str) -> None:
    twilio = TwilioGateway(Connection(ACCOUNT, "wrong", "AnSinh", None, sandbox_url), "http://127.0.0.1:9/")
    assert hand_over(twilio, message("+84912345678")) == TryAgain(Reason.ACCOUNT, 20003)
    assert twilio.seen("+84912345678") is None


def test_when_nobody_listens_nothing_was_taken() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    twilio = TwilioGateway(Connection(ACCOUNT, TOKEN, "AnSinh", None, url), "http://127.0.0.1:9/")
    assert hand_over(twilio, message("+84912345678")) == TryAgain(Reason.BUSY)
    assert twilio.seen("+84912345678") is None


def test_a_messaging_service_takes_the_place_of_a_sender(sandbox_url: str) -> None:
    service = Connection(ACCOUNT, TOKEN, None, "MG" + "a" * 32, sandbox_url)
    outcome = hand_over(TwilioGateway(service, "http://127.0.0.1:9/"), message("+84912345678"))
    assert isinstance(outcome, Accepted)


def test_all_workers_keep_one_pace(settings: Settings) -> None:
    import time

    url = broker_urls(settings.redis_url).limits
    paces = [Pace(20, url, "one sender") for _ in range(3)]

    def work(pace: Pace) -> None:
        for _ in range(14):
            assert asyncio.run(pace.turns(1))

    workers = [threading.Thread(target=work, args=(pace,)) for pace in paces]
    began = time.monotonic()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert time.monotonic() - began >= 1, "42 turns at 20 a second; each worker by itself would have had its 14 at once"


def test_without_a_broker_nothing_is_sent() -> None:
    gateway, outcomes = PlainGateway(), []
    pace = Pace(10, "redis+unix:///nowhere/at/all.sock?db=0")
    assert pace.batch() == 0
    Carrier(gateway, pace).send_all([message("+84912345678")], lambda _: {}, outcomes.extend)
    assert [outcome for _, outcome in outcomes] == [NotTried(Reason.BUSY)]
    assert gateway.taken == []


def test_which_carrier_the_settings_mean(settings: Settings) -> None:
    from dataclasses import replace

    assert connection_of(settings) is None
    assert carrier_of(settings) is None
    stand_in = connection_of(replace(settings, sandbox_url="http://127.0.0.1:8100"))
    assert stand_in is not None
    assert (stand_in.account, stand_in.token) == (SANDBOX_ACCOUNT, sandbox_token(settings.secret_key))
    real = connection_of(
        replace(settings, sandbox_url="http://127.0.0.1:8100", twilio_account_sid=ACCOUNT, twilio_auth_token=TOKEN)
    )
    assert real is not None
    assert (real.account, real.base_url) == (ACCOUNT, None)
    assert not is_signed(settings, "/webhooks/twilio/status", {}, "anything")


# --- the tasks ----------------------------------------------------------------------------------------------------


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> PlainGateway:
    gateway = PlainGateway()
    carrier = Carrier(gateway, Pace(10, "memory://"))
    monkeypatch.setattr(tasks, "carrier_of", lambda settings: carrier)
    monkeypatch.setattr(tasks, "ring", lambda task, *ids: None)
    return gateway


def test_sending_twice_sends_once(app: Flask, session: Session, texting: Texting, plain: PlainGateway) -> None:
    row = texting.message(texting.person())
    session.commit()
    for _ in range(2):
        tasks.send_some.run()
        tasks.sweep.run()
    session.expire_all()
    assert len(plain.taken) == 1
    assert (row.state, row.attempts) == (Delivery.ACCEPTED, 1)


def test_someone_who_withdrew_between_the_claim_and_the_call_is_not_texted(
    app: Flask, session: Session, texting: Texting, plain: PlainGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = texting.person()
    row = texting.message(person)
    session.commit()
    real_claim = tasks.dispatching.claim

    def claim_then_withdraw(*args: object, **kwargs: object) -> list[Outgoing]:
        batch = real_claim(*args, **kwargs)  # type: ignore[arg-type]
        texting.says(str(person.phone), False, at=clock.now())
        return batch

    monkeypatch.setattr(tasks.dispatching, "claim", claim_then_withdraw)
    tasks.send_some.run()
    session.expire_all()
    assert plain.taken == []
    assert (row.state, row.reason) == (Delivery.CANCELLED, Reason.OPTED_OUT)


def test_the_carrier_is_asked_about_what_nobody_knows(
    app: Flask, session: Session, texting: Texting, plain: PlainGateway
) -> None:
    row = texting.message(texting.person(), state=Delivery.UNKNOWN, claimed_at=clock.now())
    plain.taken.append(Outgoing(row.town_id, row.id, str(row.phone), row.body))
    session.commit()
    tasks.ask_about_unknown.run()
    tasks.ask_about_unknown.run()
    session.expire_all()
    assert row.state is Delivery.SENT
    assert len(plain.taken) == 1


def test_the_carrier_is_asked_about_what_it_took_when_no_receipt_came(
    app: Flask, session: Session, texting: Texting, plain: PlainGateway
) -> None:
    early, late = clock.now() - timedelta(minutes=16), clock.now() - timedelta(minutes=14)
    sids = [f"SM{place:032x}" for place in range(3)]
    rows = [
        texting.message(texting.person(), state=state, claimed_at=at, sid=sid)
        for state, at, sid in zip((ACCEPTED, SENT, ACCEPTED), (early, early, late), sids, strict=True)
    ]
    lost = texting.message(texting.person(), state=ACCEPTED, claimed_at=early, sid="SM" + "f" * 32)
    plain.taken += [Outgoing(row.town_id, row.id, str(row.phone), row.body) for row in rows]
    session.commit()
    for _ in range(2):
        tasks.ask_about_silent.run()
    session.expire_all()
    assert [row.state for row in rows] == [Delivery.DELIVERED, Delivery.DELIVERED, ACCEPTED]
    assert lost.state is ACCEPTED
    assert len(plain.taken) == 3, "nothing is sent again"


def test_who_is_silent_is_asked_about_ever_more_rarely(session: Session, texting: Texting) -> None:
    at = clock.now()
    row = texting.message(texting.person(), state=ACCEPTED, claimed_at=at, sid="SM" + "1" * 32)
    asked = []
    for minutes in range(0, 5 * 24 * 60, 5):
        moment = at + timedelta(minutes=minutes)
        for one in queries.without_a_receipt(session, 10, moment):
            receipts.take_news(session, one, Gone(), moment)
            asked.append(minutes)
    assert asked == [15, 30, 60, 120, 240, 480, 960, 1920, 3840]
    assert row.state is ACCEPTED


def test_without_a_carrier_messages_wait(
    app: Flask, session: Session, texting: Texting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "ring", lambda task, *ids: None)
    row = texting.message(texting.person())
    session.commit()
    tasks.send_some.run()
    tasks.ask_about_unknown.run()
    session.expire_all()
    assert row.state is Delivery.QUEUED
