"""One line of migrations, which makes what the models say and can be gone up and down."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import configure_mappers

from config import Settings
from crm.app import create_app
from crm.db import db, plain_engine


def test_there_is_one_head_and_the_models_are_what_was_migrated(app: Flask) -> None:
    script = ScriptDirectory(app.extensions["migrate"].directory)
    assert len(script.get_heads()) == 1
    configure_mappers()
    with plain_engine(app.config["MIGRATE_DATABASE_URL"]).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, db.metadata)
    assert differences == []


def in_database(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def test_every_revision_goes_up_and_down(settings: Settings) -> None:
    with plain_engine(settings.migrate_database_url).connect() as connection:
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(text("drop database if exists up_and_down"))
        connection.execute(text("create database up_and_down"))
    elsewhere = Settings(
        database_url=in_database(settings.database_url, "up_and_down"),
        migrate_database_url=in_database(settings.migrate_database_url, "up_and_down"),
        redis_url=settings.redis_url,
    )
    with create_app(elsewhere).app_context():
        upgrade()
        downgrade(revision="base")
        with plain_engine(elsewhere.migrate_database_url).connect() as connection:
            left = connection.scalars(text("select tablename from pg_tables where schemaname = 'public'")).all()
        assert left == ["alembic_version"]
        upgrade()
