"""A copy that is put back is held in the very moment in which the program may write in it again."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import text

from config import Settings
from crm.app import create_app
from crm.db import plain_engine
from crm.safekeeping import gateway
from crm.safekeeping.commands.keeping import restore
from tests.migrations.test_revisions import in_database

SAME_TRANSACTION = text(
    "select held.xmin::text = rights.xmin::text from sms_settings held, pg_class rights "
    "where rights.relname = 'message' and rights.relnamespace = 'public'::regnamespace and held.held_since is not null"
)


def _fresh(settings: Settings) -> Flask:
    with plain_engine(settings.migrate_database_url).connect() as connection:
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(text("drop database if exists put_back"))
        connection.execute(text("create database put_back"))
    return create_app(
        Settings(
            database_url=in_database(settings.database_url, "put_back"),
            migrate_database_url=in_database(settings.migrate_database_url, "put_back"),
            redis_url=settings.redis_url,
        )
    )


def test_the_hold_is_committed_together_with_the_rights(settings: Settings, tmp_path: Path) -> None:
    app = _fresh(settings)
    with app.app_context():
        upgrade()
        file = tmp_path / "town.backup"
        gateway.dump(app.config["MIGRATE_DATABASE_URL"], file)
        assert restore.callback is not None
        restore.callback(file=file, yes=True)
        with plain_engine(app.config["MIGRATE_DATABASE_URL"]).connect() as connection:
            assert connection.scalars(SAME_TRANSACTION).all() == [True], "a worker could send in between"


HELD_BY_ANOTHER = text(
    "select relation::regclass::text from pg_locks join pg_class on pg_class.oid = relation "
    "where granted and mode = 'AccessExclusiveLock' and relkind = 'r' and pid <> pg_backend_pid() "
    "and pid in (select pid from pg_locks where not granted) limit 1"
)


def test_who_works_on_meanwhile_does_not_keep_a_copy_from_being_put_back(settings: Settings, tmp_path: Path) -> None:
    app = _fresh(settings)
    with app.app_context():
        upgrade()
    url, file = app.config["MIGRATE_DATABASE_URL"], tmp_path / "town.backup"
    gateway.dump(url, file)
    failed: list[BaseException] = []

    def put_back() -> None:
        try:
            gateway.load(url, file)
        except BaseException as error:
            failed.append(error)

    restoring = threading.Thread(target=put_back)
    with plain_engine(url).connect() as worker:
        worker.execute(text("lock table town in access share mode"))
        restoring.start()
        until = time.monotonic() + 60
        while (held := worker.scalar(HELD_BY_ANOTHER)) is None and time.monotonic() < until:
            time.sleep(0.02)
        assert held is not None, "it never waited for whoever works on"
        worker.execute(text(f"lock table {held} in access share mode"))  # each waits for the other now
        worker.rollback()
    restoring.join(60)
    assert failed == []
