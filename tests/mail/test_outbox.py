"""The outbox of e-mails: once queued, once claimed, once sent, whatever happens between."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from crm import clock
from crm.db import transaction
from crm.errors import RuleBroken
from crm.mail import services
from crm.mail.gateway import SandboxMailbox, gateway_of, send_all
from crm.mail.models import Email
from crm.mail.rules import (
    MOST_ATTEMPTS,
    Accepted,
    MailState,
    NoAnswer,
    Outcome,
    Refused,
    TryAgain,
    read_address,
    wait_before,
)
from crm.places.queries import the_town
from tasks import mail as tasks
from tests.factories import Make

DAY = timedelta(days=1)


def queue(session: Session, occasion: str = "confirm:1", **more: Any) -> UUID | None:
    values: dict[str, Any] = {"to": "lan@example.vn", "subject": "Xác nhận", "body": "Mở https://example.vn/x"}
    values |= {"at": clock.now(), "expires_at": clock.now() + DAY}
    return services.queue(session, the_town(session).id, occasion=occasion, **values | more)


def only(session: Session) -> Email:
    return session.scalars(select(Email).execution_options(populate_existing=True)).one()


def test_the_same_occasion_has_one_letter_however_often_it_is_queued(session: Session) -> None:
    assert queue(session) is not None
    assert queue(session, subject="Lần hai") is None
    assert only(session).subject == "Xác nhận"


def test_what_was_sent_is_sent_once_and_stands_in_the_mailbox(session: Session, client: FlaskClient) -> None:
    made = queue(session)
    for _again in range(3):
        tasks.send_some()
    sent = only(session)
    assert (sent.state, sent.attempts) == (MailState.SENT, 1)
    assert "Xác nhận" in client.get("/sandbox/mail?to=lan@example.vn").text
    assert "Xác nhận" not in client.get("/sandbox/mail?to=other@example.vn").text
    assert 'href="https://example.vn/x"' in client.get(f"/sandbox/mail/{made}").text


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Accepted(), MailState.SENT),
        (Refused("550 no such user"), MailState.REFUSED),
        (NoAnswer("connection lost"), MailState.UNKNOWN),
        (TryAgain("451 later"), MailState.WAITING),
    ],
)
def test_what_the_carrier_says_is_kept(session: Session, outcome: Outcome, state: MailState) -> None:
    queue(session)
    gateway = SandboxMailbox({"lan@example.vn": outcome})
    services.record(session, send_all(gateway, services.claim(session, at_most=5, at=clock.now())), clock.now())
    kept = only(session)
    assert (kept.state, kept.trouble) == (state, getattr(outcome, "words", None))
    assert services.claim(session, at_most=5, at=clock.now()) == []


def test_once_a_carrier_has_it_the_text_with_its_link_is_gone(session: Session) -> None:
    queue(session)
    [outgoing] = services.claim(session, at_most=1, at=clock.now())
    assert outgoing.body == "Mở https://example.vn/x"
    services.record(session, [(outgoing, Accepted())], clock.now())
    assert only(session).body is None


def test_what_is_turned_away_is_tried_again_later_and_given_up_in_the_end(session: Session) -> None:
    queue(session, expires_at=clock.now() + 30 * DAY)
    at = clock.now()
    for attempt in range(1, MOST_ATTEMPTS + 1):
        [outgoing] = services.claim(session, at_most=1, at=at)
        services.record(session, [(outgoing, TryAgain("busy"))], at)
        at += wait_before(attempt)
    assert only(session).state is MailState.REFUSED


def test_a_batch_stops_at_the_first_that_is_turned_away(session: Session) -> None:
    for number in range(3):
        queue(session, f"confirm:{number}", to=f"lan{number}@example.vn")
    gateway = SandboxMailbox({"lan1@example.vn": TryAgain("busy")})
    batch = sorted(services.claim(session, at_most=3, at=clock.now()), key=lambda one: one.to)
    outcomes = [type(outcome) for _message, outcome in send_all(gateway, batch)]
    assert outcomes == [Accepted, TryAgain, TryAgain]
    assert [one.to for one in gateway.taken] == ["lan0@example.vn"]


def test_a_worker_that_died_in_the_middle_leaves_a_letter_that_is_not_sent_again(session: Session) -> None:
    queue(session)
    services.claim(session, at_most=1, at=clock.now())
    assert services.sweep(session, clock.now() + timedelta(minutes=9)) == 0
    assert services.sweep(session, clock.now() + timedelta(minutes=11)) == 1
    assert only(session).state is MailState.UNKNOWN
    assert services.claim(session, at_most=1, at=clock.now() + DAY / 2) == []


def test_what_came_too_late_is_not_sent(session: Session) -> None:
    queue(session)
    assert services.claim(session, at_most=1, at=clock.now() + 2 * DAY) == []
    services.sweep(session, clock.now() + 2 * DAY)
    assert only(session).state is MailState.EXPIRED


def test_nothing_that_a_restored_copy_has_waiting_leaves(session: Session) -> None:
    queue(session)
    services.hold_back(session, clock.now())
    assert services.claim(session, at_most=1, at=clock.now()) == []


@pytest.mark.committed
def test_two_workers_at_once_never_take_the_same_letter(app: Flask) -> None:
    with transaction() as session:
        for number in range(12):
            queue(session, f"confirm:{number}")
    start = Barrier(2)

    def work(_worker: int) -> list[UUID]:
        with app.app_context():
            start.wait()
            found = []
            for _turn in range(6):
                with transaction() as session:
                    found += [one.id for one in services.claim(session, at_most=2, at=clock.now())]
            return found

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(work, range(2))
    assert len({*one, *other}) == len(one) + len(other) == 12


def test_the_program_cannot_rewrite_to_whom_a_letter_goes(session: Session) -> None:
    queue(session)
    with pytest.raises(ProgrammingError, match="permission denied"):
        session.execute(text("update email set recipient = 'other@example.vn'"))


def test_the_text_is_not_readable_in_the_table(session: Session) -> None:
    queue(session)
    raw = session.scalar(text("select body from email"))
    assert b"example.vn" not in bytes(raw)


def test_in_production_there_is_no_page_of_letters_and_without_a_server_nothing_is_claimed(
    app: Flask, client: FlaskClient, session: Session, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "x" * 32
    live = replace(app.config["SETTINGS"], env="production", secret_key=secret, identity_key=secret)
    monkeypatch.setitem(app.config, "SETTINGS", live)
    made = queue(session)
    assert client.get("/sandbox/mail").status_code == 404
    assert client.get(f"/sandbox/mail/{made}").status_code == 404
    assert gateway_of(live) is None
    tasks.send_some()
    assert only(session).state is MailState.WAITING


@pytest.mark.parametrize(("typed", "kept"), [(" Lan@Gmail.COM ", "Lan@gmail.com"), ("a.b+c@x-y.vn", "a.b+c@x-y.vn")])
def test_an_address_is_read(typed: str, kept: str) -> None:
    assert read_address(typed) == kept


@pytest.mark.parametrize("wrong", ["", "lan", "lan@", "@x.vn", "lan@x", "a b@x.vn", "lan@x.vn\nBcc: all@x.vn", "a@b@"])
def test_what_is_no_address_is_refused(wrong: str) -> None:
    with pytest.raises(RuleBroken):
        read_address(wrong)
