"""Adding many rows of one kind at once: COPY in PostgreSQL's binary format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import sql
from sqlalchemy.orm import Session

from crm.prospects.importing.services.packing import packed

_BEGINNING = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"


def copy_packed(session: Session, table: str, columns: Mapping[str, str], content: bytes) -> None:
    """Add rows that were packed for these columns, in the session's own transaction. No default of the model is filled
    in, so all columns that are needed must be named."""
    driver: Any = session.connection().connection.driver_connection
    statement = sql.SQL("copy {} ({}) from stdin (format binary)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(_BEGINNING)
        copy.write(content)
        copy.write(_END)


def copy_in(session: Session, table: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> None:
    """Pack these rows and add them."""
    copy_packed(session, table, columns, packed(columns, rows))
