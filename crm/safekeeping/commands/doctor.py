"""`crm doctor`: whether everything that the program stands on is in order."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from config import Settings
from crm import clock, pulse, sums
from crm.db import session
from crm.embedded.brokers import broker_urls
from crm.embedded.directory import Lock
from crm.participation.recounting import differences
from crm.participation.tally.recounting import EVERY
from crm.sponsors.cliff.checking import overlooked
from crm.sponsors.ledger import recounting

LEAST_FREE = 1_000_000_000
"""Bytes below which a disk is called nearly full."""


@click.command()
@click.pass_context
def doctor(context: click.Context) -> None:
    """Check settings, database, broker, workers, clock, disk, paid months and Twilio; one line each."""
    settings: Settings = current_app.config["SETTINGS"]
    wrong = False
    for name, check in CHECKS.items():
        fine, words = check(settings)
        wrong = wrong or not fine
        click.echo(f"{'ok   ' if fine else 'WRONG'}  {name}: {words}")
    context.exit(2 if wrong else 0)


Check = Callable[[Settings], tuple[bool, str]]


def _settings(settings: Settings) -> tuple[bool, str]:
    if settings.production and not settings.public_url.startswith("https://"):
        return False, f"PUBLIC_URL is {settings.public_url}; phones need https for the offline app and passkeys"
    return True, f"{settings.env}, {settings.public_url}"


def _database(settings: Settings) -> tuple[bool, str]:
    try:
        connection = session().connection()
        version = connection.exec_driver_sql("show server_version").scalar_one()
        now = MigrationContext.configure(connection).get_current_revision()
        owner = connection.exec_driver_sql(
            "select tableowner = current_user from pg_tables where tablename = 'town' and schemaname = current_schema()"
        ).scalar()
    except SQLAlchemyError as problem:
        return False, f"cannot be reached ({str(problem).splitlines()[0]})"
    head = ScriptDirectory(current_app.root_path + "/../migrations").get_current_head()
    if now != head:
        return False, f"PostgreSQL {version}, schema {now or 'empty'} but the program needs {head}: run `crm migrate`"
    if owner and settings.production:
        return (
            False,
            "DATABASE_URL's role owns the tables: use a role that does not, and MIGRATE_DATABASE_URL for the owner",
        )
    return True, f"PostgreSQL {version}, schema {now}"


def _broker(settings: Settings) -> tuple[bool, str]:
    if not settings.redis_url:
        return False, "REDIS_URL is not set: reminders and imports cannot run"
    try:
        about: Any = Redis.from_url(broker_urls(settings.redis_url).redis_py, socket_timeout=3).info("server")
    except RedisError as problem:
        return False, f"cannot be reached ({problem})"
    return True, f"{about.get('server_name', 'redis')} {about.get('valkey_version') or about['redis_version']}"


def _workers(settings: Settings) -> tuple[bool, str]:
    told = pulse.ages(settings.redis_url)
    troubles = [why for why in (pulse.of_messages(told), pulse.of_work(told)) if why]
    if not troubles:
        return True, "messages and long work go on"
    if told is not None and _is_down(settings):
        return True, "`crm up` does not run here now: nothing is sent or worked on until it does"
    return False, "; ".join(dict.fromkeys(STANDSTILLS[why] for why in troubles))


STANDSTILLS = {
    pulse.Standstill.NO_BROKER: "the broker does not answer: nothing is sent or worked on",
    pulse.Standstill.NO_SENDER: "nothing is being sent: start `crm up`, or `crm worker`",
    pulse.Standstill.NOT_LOOKED: "nothing is being sent: nobody looks for messages; start `crm up` again, or `crm beat`",
    pulse.Standstill.NO_WORKER: "lists and reports stand still: start `crm up`, or `crm worker`",
}


def _is_down(settings: Settings) -> bool:
    """The broker is this data directory's own, and `crm up` does not run on it."""
    if settings.data_dir is None or not settings.redis_url.startswith("unix:"):
        return False
    with Lock(settings.data_dir / "up.lock") as lock:
        return lock.take_if_free()


def _clock(settings: Settings) -> tuple[bool, str]:
    try:
        theirs = session().scalar(select(func.clock_timestamp()))
    except SQLAlchemyError:
        return False, "the database's clock cannot be asked"
    assert theirs is not None
    apart = abs((datetime.now(UTC) - theirs).total_seconds())
    moved = abs((clock.now() - datetime.now(UTC)).total_seconds()) > 1
    words = f"{clock.now().astimezone(clock.LOCAL):%Y-%m-%d %H:%M:%S}" + (" (moved for a demo)" if moved else "")
    if moved and settings.production:
        return False, words
    return apart < 5, words if apart < 5 else f"this machine and the database are {apart:.0f} s apart"


def _disk(settings: Settings) -> tuple[bool, str]:
    if settings.data_dir is None or not settings.data_dir.exists():
        return True, "no data directory here"
    free = shutil.disk_usage(settings.data_dir).free
    return free > LEAST_FREE, f"{free / 1e9:.1f} GB free in {settings.data_dir}"


def _twilio(settings: Settings) -> tuple[bool, str]:
    if not settings.twilio_account_sid:
        return True, "not configured: the SMS sandbox is used, nothing is really sent"
    missing = [] if settings.twilio_auth_token else ["TWILIO_AUTH_TOKEN"]
    if not (settings.twilio_from or settings.twilio_messaging_service_sid):
        missing.append("TWILIO_FROM or TWILIO_MESSAGING_SERVICE_SID")
    if missing:
        return False, f"set {' and '.join(missing)} as well"
    return True, f"account {settings.twilio_account_sid[:6]}…"


def _months(settings: Settings) -> tuple[bool, str]:
    try:
        found = differences(session())
    except SQLAlchemyError:
        return False, "the database cannot be asked"
    return not found, "; ".join(found) or "spells, payments and months say the same"


def _sums(settings: Settings) -> tuple[bool, str]:
    try:
        found = [words for one in EVERY for words in sums.differences(session(), one)]
        last = sums.last_checked(session(), EVERY)
    except SQLAlchemyError:
        return False, "the database cannot be asked"
    if found:
        return False, "; ".join(found)
    if last and last.found:
        return False, f"last night: {'; '.join(last.found)}, put right"
    return True, "the same as a recount"


def _money(settings: Settings) -> tuple[bool, str]:
    try:
        found = recounting.differences(session())
    except SQLAlchemyError:
        return False, "the database cannot be asked"
    return not found, "; ".join(found) or "accounts, months, promises and closed months say the same"


def _cliffs(settings: Settings) -> tuple[bool, str]:
    try:
        found = overlooked(session(), clock.today())
    except SQLAlchemyError:
        return False, "the database cannot be asked"
    return not found, "; ".join(found) or "somebody knows of everybody whose sponsor's help ends"


CHECKS: dict[str, Check] = {
    "settings": _settings,
    "database": _database,
    "broker": _broker,
    "workers": _workers,
    "clock": _clock,
    "disk": _disk,
    "months": _months,
    "sums of people and participants": _sums,
    "money": _money,
    "help that ends": _cliffs,
    "Twilio": _twilio,
}
