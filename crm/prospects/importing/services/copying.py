"""Adding many rows of one kind at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from psycopg import sql
from sqlalchemy import Table
from sqlalchemy.orm import Session

from crm.db import Model


def table_of(kind: type[Model]) -> Table:
    """The table of a model."""
    return cast(Table, kind.__table__)


def copy_in(session: Session, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Add rows by COPY, in the session's own transaction; each has the columns of the first. No default of the model
    is filled in, so all that are needed must be named."""
    if not rows:
        return
    connection = session.connection()
    columns = [table.c[name] for name in rows[0]]
    processors = [column.type.dialect_impl(connection.dialect).bind_processor(connection.dialect) for column in columns]
    statement = sql.SQL("copy {} ({}) from stdin").format(
        sql.Identifier(table.name), sql.SQL(", ").join(sql.Identifier(column.name) for column in columns)
    )
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(
                [process(value) if process else value for value, process in zip(row.values(), processors, strict=True)]
            )
