"""A copy that is put back is held in the very moment in which the program may write in it again."""

from __future__ import annotations

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
