"""Adding many rows of one kind at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from psycopg import sql
from sqlalchemy.orm import Session


def copy_in(session: Session, table: str, columns: Mapping[str, str], rows: Iterable[Sequence[Any]]) -> None:
    """Add rows by COPY, in the session's own transaction. `columns` are their names and PostgreSQL's types, for the values
    go over in binary. No default of the model is filled in, so all that are needed must be named."""
    driver: Any = session.connection().connection.driver_connection
    statement = sql.SQL("copy {} ({}) from stdin (format binary)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(list(columns.values()))
        write = copy.write_row
        for row in rows:
            write(row)
