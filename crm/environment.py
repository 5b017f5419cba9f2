"""How a process reaches the database and broker: the named ones, or those of the data directory, joined or started.

Nothing here reads the program: whoever only starts it in other processes does not wait for it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from crm import clock
from crm.embedded.directory import keep_address, kept_address
from crm.embedded.halting import postgres_lives, valkey_lives
from crm.embedded.services import CannotRun, default_data_dir, secrets, start

LOOK_EVERY = 2.0
"""Seconds between two looks at the services."""


@contextmanager
def environment(data_dir: Path | None, *, up_at: str | None = None) -> Iterator[dict[str, str]]:
    """The environment in which every process of this program runs, with the services up for as long as it is held.

    `up_at` is where the web answers when it is what is started; other commands speak of the address it was last up at.
    Raises CannotRun or ValueError with one line for the person at the keyboard.
    """
    env = dict(os.environ)
    folder = data_dir or default_data_dir()
    embedded_database, embedded_broker = not env.get("DATABASE_URL"), not env.get("REDIS_URL")
    env["CRM_DATA_DIR"] = str(folder)
    if not env.get("PUBLIC_URL") and (address := up_at or kept_address(folder)):
        env["PUBLIC_URL"] = address
    if up_at:
        keep_address(folder, env["PUBLIC_URL"])
    if env.get("CRM_CLOCK"):
        env["CRM_CLOCK"] = clock.as_setting(clock.read_setting(env["CRM_CLOCK"], datetime.now(UTC)))
    if not (embedded_database or embedded_broker):
        yield env
        return
    kept = secrets(folder)
    env.setdefault("SECRET_KEY", kept.secret_key)
    env.setdefault("IDENTITY_KEY", kept.identity_key)
    with start(folder, with_postgres=embedded_database, with_valkey=embedded_broker) as services:
        if embedded_database:
            env["DATABASE_URL"] = services.database_url
            env["MIGRATE_DATABASE_URL"] = services.migrate_database_url
        if embedded_broker:
            env["REDIS_URL"] = services.redis_url
        yield env


@contextmanager
def kept_alive(folder: Path, say: Callable[[str], None]) -> Iterator[None]:
    """While held, a database or broker of the data directory that was killed is started again within seconds."""
    own_database, own_broker = not os.environ.get("DATABASE_URL"), not os.environ.get("REDIS_URL")
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(LOOK_EVERY):
            if (own_database and not postgres_lives(folder)) or (own_broker and not valkey_lives(folder)):
                try:
                    start(folder, with_postgres=own_database, with_valkey=own_broker).stop()
                    say("A service had died and was started again: see the end of its log in logs/.")
                except (CannotRun, OSError) as problem:
                    say(f"A service has died and does not start again: {problem}")

    watcher = threading.Thread(target=watch, name="services", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join(timeout=30)
