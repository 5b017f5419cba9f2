"""Rows by COPY, the quickest way into PostgreSQL, inside the transaction of the session."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from psycopg import Connection, sql
from sqlalchemy.orm import Session

from crm.db import Model


def copy_rows(session: Session, model: type[Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Add rows of a model's table; every column that has no default in the database must be named."""
    connection: Connection[Any] | None = session.connection().connection.driver_connection
    assert connection is not None, "the session has a connection"
    statement = sql.SQL("copy {} ({}) from stdin").format(
        sql.Identifier(model.__tablename__), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
