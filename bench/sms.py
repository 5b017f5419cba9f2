"""How fast messages leave and receipts come in: ours beside a floor in the same run.

The floor of sending is asyncio and aiohttp with claims and states in PostgreSQL by batches: no SDK, no pace, nothing asked
(hours, consent, limit of the day), nothing written down before the call, so at most once is not kept. The floor of receipts
is a bare Flask and SQLAlchemy POST that inserts one row: no signature, nothing believed.
"""

from __future__ import annotations

import asyncio
import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

import aiohttp
import psycopg
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import text
from sqlalchemy.orm import Session
from twilio.request_validator import RequestValidator

from bench.serving import free_port, served
from config import Settings, from_environment
from crm import clock
from crm.app import create_app
from crm.campaigns import dispatcher
from crm.campaigns.gateway import carrier_of
from crm.campaigns.rules.handover import Outcome, Outgoing
from crm.campaigns.services import dispatching
from crm.db import db, plain_engine, transaction

NOON = datetime(2019, 10, 15, 5, tzinfo=UTC)
RATE = 10_000
"""Above what any of them reaches: the pace is asked for, and never holds up."""
BATCH = 4_000
PEOPLE = """
insert into consent (town_id, id, phone, purpose, given, channel, at, recorded_at, words)
select t.id, gen_random_uuid(), '+849' || lpad(n::text, 8, '0'), 'service', true, 'paper', :at, :at, ''
from town t, generate_series(1, :count) n
"""
WAITING = """
insert into message (town_id, id, reminder, purpose, way, phone, local_day, body, segments, state, not_before, expires_at,
    made_at, attempts)
select t.id, gen_random_uuid(), 'bench', 'service', 'twilio', '+849' || lpad(n::text, 8, '0'), :at,
    'Kinh moi ba Hoa den nha van hoa thon Dong Son luc 8 gio sang thu bay de nghe ve BHXH tu nguyen. So ' || n,
    1, 'queued', :at, :at + interval '12 hours', :at, 0
from town t, generate_series(1, :count) n
"""
OUTBOX = """
create table if not exists outbox (id uuid primary key default gen_random_uuid(), phone text not null, body text not null,
    state text not null default 'queued', sid text, error text, changed timestamptz not null default now());
create index if not exists outbox_due on outbox (changed) where state = 'queued'
"""
CLAIM = """
update outbox set state = 'sending', changed = now() where id in (
    select id from outbox where state = 'queued' order by changed limit %s for update skip locked) returning id, phone, body
"""
RECORD = """
update outbox o set state = 'accepted', sid = r.sid, changed = now() from unnest(%s::uuid[], %s::text[]) r (id, sid)
where o.id = r.id
"""


class Run(NamedTuple):
    """Messages a second, and microseconds of this process's processor time for each: those a full machine disturbs least."""

    a_second: float
    computing: float


class Speed(NamedTuple):
    """The best of several runs."""

    name: str
    ours: Sequence[Run]
    floor: Sequence[Run]
    goal: float

    def __str__(self) -> str:
        mine, theirs = (max(run.a_second for run in runs) for runs in (self.ours, self.floor))
        reached = "yes" if mine / theirs >= self.goal else "no"
        computed = " / ".join(f"{min(run.computing for run in runs):,.0f}" for runs in (self.ours, self.floor))
        told = f"| {self.name} | {mine:,.0f} | {theirs:,.0f} | {mine / theirs:.2f} × | ≥ {self.goal:g} × | {reached} |"
        return f"{told} {computed} |" if min(run.computing for run in self.ours) else f"{told} |"


def measure(env: dict[str, str], count: int) -> str:
    """The table of one run."""
    app = create_app(from_environment(env))
    with app.app_context():
        upgrade()
        db.session.execute(text(PEOPLE), {"at": NOON - timedelta(days=30), "count": count})
        db.session.commit()
    moved = NOON - datetime.now(UTC)
    clock.move(lambda: moved)
    lines = [
        "| | ours | floor | ratio | goal | reached | µs of processor time a message, ours / floor |",
        "| --- | ---: | ---: | ---: | ---: | --- | ---: |",
    ]
    for latency, at_once in ((0.0, 256), (0.1, 256), (0.1, 1000)):
        with carrier(latency) as port:
            mine, floor = [], []
            for _ in range(2):
                floor.append(floor_of_sending(app, port, count, at_once))
                mine.append(sending(app, port, count, at_once))
            name = f"sending, carrier answers in {latency * 1000:.0f} ms, {at_once} at once, messages/s"
            lines.append(str(Speed(name, mine, floor, 0.8)))
            print(lines[-1], flush=True)
    lines.append(str(receipts(app, env, min(count, 4000))))
    lines += ["", guards(app, min(count, 4000))]
    head = f"{datetime.now(UTC).date()}, {count:,} messages, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end."
    return "\n".join([head, "", *lines])


@contextmanager
def carrier(latency: float) -> Iterator[int]:
    """The carrier as a process; its port."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "bench.carrier", str(port), str(latency)])
    try:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
            except OSError:
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=10)


def fresh(app: Flask, count: int) -> None:
    """So many messages that wait, nothing else, and everything tidied up."""
    with plain_engine(app.config["MIGRATE_DATABASE_URL"]).connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(text("truncate message, message_status cascade"))
        connection.execute(text(WAITING), {"at": NOON - timedelta(minutes=1), "count": count})
        connection.execute(text("vacuum analyze message, consent"))


def guards(app: Flask, count: int) -> str:
    """What it costs that the database asks for itself whether a message is wanted, when it is claimed and when it is called:
    the least of five looks at what PostgreSQL says of its triggers."""
    least: dict[str, float] = {}
    for _ in range(5):
        fresh(app, count)
        with plain_engine(app.config["MIGRATE_DATABASE_URL"]).begin() as owner:
            for act in ("state = 'sending', claimed_at = now(), claim_id = gen_random_uuid()", "called_at = now()"):
                [[plan]] = owner.execute(text(f"explain (analyze, timing, format json) update message set {act}"))
                for trigger in plan[0]["Triggers"]:
                    each = 1000 * trigger["Time"] / trigger["Calls"]
                    name = trigger["Trigger Name"]
                    least[name] = min(each, least.get(name, each))
    told = ", ".join(f"`{name}` {each:.1f} µs" for name, each in sorted(least.items()))
    return f"Of that the guards of the database, each message: {told}."


def sending(app: Flask, port: int, count: int, at_once: int) -> Run:
    """Ours: what the task does, batch after batch, in one process."""
    fresh(app, count)
    settings: Settings = replace(
        app.config["SETTINGS"],
        sms_rate=RATE,
        twilio_account_sid="AC" + "0" * 32,
        twilio_auth_token="token",
        twilio_from="AnSinh",
        twilio_base_url=f"http://127.0.0.1:{port}",
    )
    found = carrier_of(settings)
    assert found
    dispatcher.MOST_AT_ONCE = at_once

    @contextmanager
    def beside() -> Iterator[Session]:
        with app.app_context(), transaction() as session:
            yield session

    def mark(group: Any) -> Any:
        with beside() as session:
            return dispatching.mark_called(session, group, clock.now())

    def record(outcomes: Collection[tuple[Outgoing, Outcome]]) -> None:
        with beside() as session:
            dispatching.record(session, outcomes, clock.now())

    def claim() -> list[Outgoing]:
        with beside() as session:
            return dispatching.claim(session, at_most=min(BATCH, found.pace.batch()), at=clock.now())

    began, computed = time.perf_counter(), time.process_time()
    while batch := claim():
        found.send_all(batch, mark, record, claim)
    took, computed = time.perf_counter() - began, time.process_time() - computed
    with app.app_context():
        [done] = db.session.execute(text("select count(*) from message where state = 'accepted'")).scalars()
    assert done == count, f"{done} of {count} were sent"
    return Run(count / took, computed / count * 1e6)


def floor_of_sending(app: Flask, port: int, count: int, at_once: int) -> Run:
    """asyncio and aiohttp with PostgreSQL by batches."""
    url = app.config["MIGRATE_DATABASE_URL"].replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in OUTBOX.split(";\n"):
            connection.execute(statement)
        connection.execute("truncate outbox")
        connection.execute(
            "insert into outbox (phone, body) select '+849' || lpad(n::text, 8, '0'), 'Kinh moi ba Hoa den nha van hoa thon "
            "Dong Son luc 8 gio sang thu bay de nghe ve BHXH tu nguyen. So ' || n from generate_series(1, %s) n",
            [count],
        )
        connection.execute("vacuum analyze outbox")
        began, computed = time.perf_counter(), time.process_time()
        asyncio.run(_floor(connection, f"http://127.0.0.1:{port}/2010-04-01/Accounts/AC0/Messages.json", at_once))
        took, computed = time.perf_counter() - began, time.process_time() - computed
        row = connection.execute("select count(*) from outbox where state = 'accepted'").fetchone()
        assert row == (count,), row
    return Run(count / took, computed / count * 1e6)


async def _floor(connection: psycopg.Connection[Any], url: str, at_once: int) -> None:
    head = {"Authorization": aiohttp.encode_basic_auth("AC0", "token")}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=at_once), headers=head) as session:

        async def send(id_: UUID, phone: str, body: str) -> tuple[UUID, str]:
            form = {"To": phone, "Body": body, "From": "AnSinh", "StatusCallback": f"http://x.vn/s?message={id_}"}
            async with session.post(url, data=form) as answer:
                return id_, (await answer.json())["sid"]

        while batch := connection.execute(CLAIM, [BATCH]).fetchall():
            done = await asyncio.gather(*(send(*row) for row in batch))
            connection.execute(RECORD, [[id_ for id_, _ in done], [sid for _, sid in done]])


def receipts(app: Flask, env: dict[str, str], count: int) -> Speed:
    """Signed receipts against a bare POST, eight callers over kept connections."""
    fresh(app, count)
    token = "t" * 32
    more = {"TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "TWILIO_AUTH_TOKEN": token, "TWILIO_FROM": "AnSinh"}
    with app.app_context():
        rows = db.session.execute(text("select town_id, id, phone from message")).all()
        db.session.execute(text("update message set state = 'sending', claimed_at = now()"))
        db.session.commit()
    with plain_engine(app.config["MIGRATE_DATABASE_URL"]).begin() as owner:
        owner.execute(text("create table outbox_receipt (id bigserial primary key, sid text, status text, phone text)"))
        owner.execute(text("grant insert on outbox_receipt to public"))
        owner.execute(text("grant usage on sequence outbox_receipt_id_seq to public"))
    validator, base = RequestValidator(token), env.get("PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/")
    asked = []
    for number, (town_id, id_, phone) in enumerate(rows):
        path = "/webhooks/twilio/status?" + urlencode({"town": town_id, "message": id_})
        sid = f"SM{number:032x}"
        form = {
            "AccountSid": more["TWILIO_ACCOUNT_SID"],
            "From": "AnSinh",
            "To": phone,
            "MessageSid": sid,
            "SmsSid": sid,
        }
        form |= {"MessageStatus": "sent", "SmsStatus": "sent", "ApiVersion": "2010-04-01"}
        asked.append((path, urlencode(form), validator.compute_signature(base + path, form)))
    with served("crm.wsgi:app", {**env, **more}, "/sign-in") as ours, served("bench.floor:app", env, "/list") as floor:
        halves = asked[: count // 2], asked[count // 2 :]
        mine, theirs = [], []
        for half in halves:
            theirs.append(posted(floor.port, [("/receipt", body, "") for _, body, _ in half]))
            mine.append(posted(ours.port, half))
    with app.app_context():
        [kept] = db.session.execute(text("select count(*) from message where state = 'sent'")).scalars()
    assert kept == count, f"{kept} of {count} receipts were taken"
    runs, of_floor = ([Run(one, 0) for one in each] for each in (mine, theirs))
    return Speed("signed receipts against a bare POST of one row, receipts/s", runs, of_floor, 0.5)


def posted(port: int, asked: list[tuple[str, str, str]]) -> float:
    """How many of these POSTs are answered in a second by eight callers."""

    def call(mine: list[tuple[str, str, str]]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        for path, body, signature in mine:
            head = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signature}
            connection.request("POST", path, body, head)
            answer = connection.getresponse()
            answer.read()
            assert answer.status in (200, 204), answer.status

    threads = [Thread(target=call, args=(asked[number::8],)) for number in range(8)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(asked) / (time.perf_counter() - began)
