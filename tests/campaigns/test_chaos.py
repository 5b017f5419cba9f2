"""A whole installation under fire: whoever is killed and whenever, nobody is texted twice and nobody is lost.

Everything runs as `crm up` runs it: PostgreSQL, Valkey, the web, Celery and the stand-in carrier are processes of their
own, and all of them are killed with -9 at random moments. What the carrier itself remembers is the judge.

It runs when it is asked for, because its times are those of a machine that does nothing else:
`CHAOS_MESSAGES=2000 pytest -s tests/campaigns/test_chaos.py`; with `CHAOS_SEED=7` others are killed, at other moments.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from celery import Celery
from kombu.exceptions import OperationalError as BrokerAway

from crm.embedded.brokers import broker_urls
from crm.embedded.halting import cluster, queue
from crm.embedded.services import Running, start
from crm.processes import answers, free_port
from crm.queues import Queue

MESSAGES = int(os.environ.get("CHAOS_MESSAGES", "2000"))
SEED = int(os.environ.get("CHAOS_SEED", "20191015"))
RATE = 150
KILLS = max(6, MESSAGES // 700)
CRM = Path(sys.executable).with_name("crm")
NINE = datetime(2019, 10, 15, 2, tzinfo=UTC)
"""Nine in the morning in Bỉm Sơn."""

TEXTED = """
insert into consent (town_id, id, phone, purpose, given, channel, at, recorded_at, words)
select t.id, gen_random_uuid(), '+849' || lpad(n::text, 8, '0'), 'service', true, 'paper', %(at)s, %(at)s, ''
from town t, generate_series(10000000, 10000000 + %(count)s - 1) n;
"""
WAITING = """
insert into message (town_id, id, reminder, purpose, way, phone, local_day, body, segments, state, not_before, expires_at,
    made_at, attempts)
select t.id, gen_random_uuid(), 'chaos', 'service', 'twilio', '+849' || lpad(n::text, 8, '0'), %(at)s, 'Hen gap so ' || n,
    1, 'queued', %(at)s, %(at)s + interval '12 hours', %(at)s, 0
from town t, generate_series(10000000, 10000000 + %(count)s - 1) n;
"""


class Installation:
    """A running town, its carrier, and what can be done to them."""

    def __init__(self, folder: Path, services: Running, up: subprocess.Popen[bytes], dice: random.Random) -> None:
        self.folder, self.services, self.up, self.dice = folder, services, up, dice
        self.bells = Celery(broker=broker_urls(services.redis_url).celery)
        self.bells.conf.update(
            task_ignore_result=True, broker_transport_options={"max_retries": 0, "socket_timeout": 2}
        )
        self.passed = 0.0
        self.rung: dict[str, float] = {}

    def ask(self, query: str, **values: Any) -> list[Any]:
        """Ask the database as its owner; it may be dead just now."""
        url = self.services.migrate_database_url.replace("+psycopg", "")
        until = time.monotonic() + 60
        while True:
            try:
                with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
                    done = connection.execute(query, values)
                    return done.fetchall() if done.description else []
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)

    def carrier_took(self) -> list[str]:
        """The numbers of all messages that the carrier took, by its own record."""
        with closing(sqlite3.connect(self.folder / "sandbox.sqlite", timeout=10)) as record:
            return [number for (number,) in record.execute("select recipient from message")]

    def let_pass(self, seconds: float) -> None:
        """Move the program's time on, as `crm clock` does."""
        self.passed += seconds
        offset = (NINE - datetime.now(UTC)).total_seconds() if self.passed == seconds else None
        if offset is not None:
            self.offset = offset
        self.ask(
            "insert into setting (name, value) values ('clock_offset_seconds', to_jsonb(%(offset)s::float8)) "
            "on conflict (name) do update set value = excluded.value",
            offset=self.offset + self.passed,
        )

    def ring(self) -> None:
        """Ring the bells of the timetable, more often than it does, if the broker can hear them."""
        now = time.monotonic()
        for name, seconds in (("send_some", 0.5), ("sweep", 2.0), ("ask_about_unknown", 2.0)):
            if now - self.rung.get(name, 0) > seconds:
                self.rung[name] = now
                with suppress(BrokerAway, OSError):
                    self.bells.send_task(f"campaigns.{name}", queue=Queue.MESSAGES, retry=False, expires=10)

    # ---- killing

    def one_worker(self) -> None:
        """A process of the pool that sends, in the middle of whatever it does."""
        found = [pid for pid, line, _parent in processes() if "celery" in line and f" -Q {Queue.MESSAGES} " in line]
        children = [pid for pid, _line, parent in processes() if pid in found and parent in found]
        kill(self.dice.choice(children or found) if found else None)

    def all_workers(self) -> None:
        """Both workers with their whole pools."""
        for pid, line, _parent in processes():
            if "celery" in line and " worker " in line:
                kill(pid)

    def web(self) -> None:
        kill(next((pid for pid, line, _ in processes() if "gunicorn" in line), None))

    def carrier(self) -> None:
        kill(next((pid for pid, line, _ in processes() if "crm.sandbox" in line), None))

    def broker(self) -> None:
        kill(read_pid(queue(self.folder) / "valkey.pid"))

    def database(self) -> None:
        kill(read_pid(cluster(self.folder) / "postmaster.pid"))


def processes() -> Iterator[tuple[int, str, int]]:
    """Number, command line and parent of the processes of this installation."""
    mark = os.environ["CHAOS_MARK"]
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):
            if f"CHAOS_MARK={mark}" in (entry / "environ").read_bytes().decode("utf-8", "replace").split("\0"):
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                yield int(entry.name), line, int((entry / "stat").read_text().rpartition(")")[2].split()[1])


def read_pid(file: Path) -> int | None:
    with suppress(OSError, ValueError):
        return int(file.read_text().split("\n", 1)[0])
    return None


def kill(pid: int | None) -> None:
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@contextmanager
def installation(dice: random.Random) -> Iterator[Installation]:
    folder = Path(tempfile.mkdtemp(prefix="ansinh-chaos-", dir="/var/tmp"))
    os.environ["CHAOS_MARK"] = str(folder)
    port = free_port(20_000 + dice.randrange(20_000))
    env = {name: value for name, value in os.environ.items() if not name.startswith(("CRM_", "TWILIO_", "REDIS_"))}
    env |= {"SMS_RATE": str(RATE)}
    services = start(folder, durable=False)
    with (folder / "up.log").open("wb") as told:
        up = subprocess.Popen([CRM, "up", "--port", str(port), "--data-dir", folder], env=env, stdout=told, stderr=told)
    try:
        wait(lambda: answers(port, "127.0.0.1") or up.poll() is not None, 300, "the installation does not answer")
        assert up.poll() is None, "the installation did not start"
        yield Installation(folder, services, up, dice)
    except BaseException:
        for log in (folder / "up.log", *sorted(folder.glob("logs/*.log"))):
            print(log.name, log.read_text()[-2000:])
        raise
    finally:
        up.terminate()
        try:
            up.wait(timeout=60)
        finally:
            services.stop()
            os.environ.pop("CHAOS_MARK")
            shutil.rmtree(folder, ignore_errors=True)


def wait(check: Callable[[], bool], seconds: float, complaint: str, pause: float = 0.1) -> None:
    until = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < until, complaint
        time.sleep(pause)


@pytest.mark.skipif(
    "CHAOS_MESSAGES" not in os.environ, reason="Kills a whole installation: set CHAOS_MESSAGES=2000 to run it, alone."
)
def test_whoever_is_killed_nobody_is_texted_twice_and_nobody_is_lost() -> None:
    dice = random.Random(SEED)
    began = time.monotonic()
    with installation(dice) as town:
        ready = time.monotonic()
        town.let_pass(1.0)
        town.ask(TEXTED, at=NINE, count=MESSAGES)
        town.ask(WAITING, at=NINE, count=MESSAGES)
        victims = [town.one_worker, town.all_workers, town.broker, town.database, town.carrier, town.web]
        victims += [dice.choice([*victims[:5], town.one_worker, town.carrier]) for _ in range(KILLS - len(victims))]
        dice.shuffle(victims)
        moments = sorted(dice.uniform(0.03, 0.9) for _ in victims)
        patience = time.monotonic() + 240 + MESSAGES / RATE * 10
        for share, victim in zip(moments, victims, strict=True):
            while len(town.carrier_took()) < share * MESSAGES and not settled(town):
                assert time.monotonic() < patience, f"it stands still: {states(town)}"
                town.ring()
                time.sleep(0.1 + dice.random() * 0.1)
            time.sleep(dice.random() * 0.3)
            print(f"{time.monotonic() - ready:.1f} s: {victim.__name__} of {states(town)}")
            victim()
            town.let_pass(65)
        while not settled(town):
            assert time.monotonic() < patience, f"it stands still: {states(town)}"
            town.ring()
            town.let_pass(300 if nothing_waits(town) else 10)
            print(f"{time.monotonic() - ready:.1f} s: {states(town)}")
            time.sleep(1)
        sent = time.monotonic()
        patience = time.monotonic() + 20
        while not receipts_are_in(town) and time.monotonic() < patience:
            time.sleep(0.2)
        judge(town)
        told = (
            f"{MESSAGES} messages, seed {SEED}, {len(victims)} killed ({', '.join(one.__name__ for one in victims)}): "
        )
        told += f"{states(town)}; up in {ready - began:.0f} s, sent in {sent - ready:.0f} s"
        print(told)


def states(town: Installation) -> dict[str, int]:
    query = "select state || coalesce(' ' || reason, ''), count(*) from message group by 1 order by 1"
    return dict(town.ask(query))


def nothing_waits(town: Installation) -> bool:
    """Only what nobody knows of is open; for an hour the carrier is asked about that."""
    [(open_,)] = town.ask("select count(*) from message where state in ('queued', 'sending')")
    return open_ == 0


def settled(town: Installation) -> bool:
    """Nothing waits, is under way or is unknown any more."""
    [(open_,)] = town.ask("select count(*) from message where state in ('queued', 'sending', 'unknown')")
    return open_ == 0


def receipts_are_in(town: Installation) -> bool:
    """The carrier has told all it has to tell."""
    with closing(sqlite3.connect(town.folder / "sandbox.sqlite", timeout=10)) as record:
        return record.execute("select count(*) from step").fetchone()[0] == 0


def judge(town: Installation) -> None:
    took = Counter(town.carrier_took())
    assert [number for number, times in took.items() if times > 1] == [], "somebody was texted twice"
    rows: list[tuple[UUID, str, str, str | None, datetime | None]] = town.ask(
        "select id, phone, state, reason, called_at from message"
    )
    assert len(rows) == MESSAGES
    for _, phone, state, reason, called_at in rows:
        if phone in took:
            assert state in ("accepted", "sent", "delivered"), f"{phone} was texted and is {state} {reason}"
        else:
            assert (state, reason) == ("failed", "no_trace"), f"{phone} was not texted and is {state} {reason}"
            assert called_at is not None, "only what may have been called is given up"
