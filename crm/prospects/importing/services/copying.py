"""Adding many rows of one kind at once: COPY in PostgreSQL's binary format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from psycopg import sql
from sqlalchemy.orm import Session

from crm.prospects.importing.services.packing import packed

_BEGINNING = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
AT_A_TIME = 5_000
"""Rows packed in one go, while PostgreSQL adds those before."""


def copy_packed(session: Session, table: str, columns: Mapping[str, str], content: bytes) -> None:
    """Add rows that were packed for these columns, in the session's own transaction. No default of the model is filled
    in, so all columns that are needed must be named."""
    _copy(session, table, columns, [content])


def copy_in(session: Session, table: str, columns: Mapping[str, str], rows: Iterable[Sequence[Any]]) -> None:
    """Pack these rows and add them; they may be made while they are added, by what asks the database nothing."""
    left = iter(rows)
    _copy(session, table, columns, (packed(columns, some) for some in iter(lambda: list(islice(left, AT_A_TIME)), [])))


def _copy(session: Session, table: str, columns: Mapping[str, str], content: Iterable[bytes]) -> None:
    driver: Any = session.connection().connection.driver_connection
    statement = sql.SQL("copy {} ({}) from stdin (format binary)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(_BEGINNING)
        for some in content:
            copy.write(some)
        copy.write(_END)
