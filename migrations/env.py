"""How Alembic reaches the database: as the owner of the tables, who is not the program's everyday role."""

from __future__ import annotations

from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy import text
from sqlalchemy.engine import make_url

from crm.db import db, plain_engine
from crm.privileges import BEFORE_RIGHTS, grant

options: dict[str, Any] = {
    "target_metadata": db.metadata,
    "compare_type": True,
    "include_object": lambda item, name, kind, reflected, _: not (kind == "table" and name == "alembic_version"),
}


def run() -> None:
    """Upgrade or downgrade in one transaction, under a lock, then give the everyday role its rights; what is to be done before
    it has them (a restored copy is held) is committed together with them."""
    owner = current_app.config["MIGRATE_DATABASE_URL"]
    everyday = make_url(current_app.config["SQLALCHEMY_DATABASE_URI"]).username
    engine = plain_engine(owner)
    with engine.connect() as connection:
        connection.execute(text("select pg_advisory_lock(hashtext('ansinh migrations'))"))
        context.configure(connection=connection, **options)
        with context.begin_transaction():
            context.run_migrations()
        before_rights = current_app.extensions.get(BEFORE_RIGHTS)
        if before_rights:
            before_rights(connection)
        grant(connection, everyday)
        connection.commit()


run()
