"""Keyset paging: a page begins after the last row of the one before, so page 2,000 costs what page 1 costs."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, SQLColumnExpression, tuple_
from sqlalchemy.orm import Session

from crm.errors import RuleBroken

Row = TypeVar("Row")


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Rows, and the cursor of what follows (None at the end)."""

    rows: Sequence[Row]
    next: str | None


def write_cursor(values: Sequence[Any]) -> str:
    """An opaque text for a position in an order."""
    plain = [["b", value.hex()] if isinstance(value, bytes) else ["s", str(value)] for value in values]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def read_cursor(text: str, kinds: Sequence[Callable[[Any], Any]]) -> list[Any]:
    """The position again. Raises RuleBroken for a cursor this program did not write."""
    try:
        padded = text + "=" * (-len(text) % 4)
        plain = json.loads(base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True))
        values = [bytes.fromhex(value) if tag == "b" else value for tag, value in plain]
        if len(values) != len(kinds):
            raise ValueError
        return [kind(value) for kind, value in zip(kinds, values, strict=True)]
    except (ValueError, TypeError, AttributeError):
        raise RuleBroken(_l("This page mark is not valid. Start again from the first page."), field="cursor") from None


def page(
    session: Session,
    query: Select[Any],
    order: Sequence[SQLColumnExpression[Any]],
    *,
    cursor: str | None,
    size: int,
    kinds: Sequence[Callable[[Any], Any]] = (bytes, UUID),
    key: Callable[[Any], Sequence[Any]],
) -> Page[Any]:
    """One page of `query` in ascending `order` (a unique tuple of columns); `key` gives a row's place in it."""
    if cursor:
        position: ColumnElement[bool] = tuple_(*order) > tuple_(*read_cursor(cursor, kinds))
        query = query.where(position)
    return page_from(session, page_query(query, order, size=size), size=size, key=key)


def latest_first(
    session: Session,
    query: Select[Any],
    order: Sequence[SQLColumnExpression[Any]],
    *,
    cursor: str | None,
    size: int,
    kinds: Sequence[Callable[[Any], Any]] = (datetime.fromisoformat, UUID),
    key: Callable[[Any], Sequence[Any]],
) -> Page[Any]:
    """One page of `query` in descending `order`, such as a moment and an id."""
    if cursor:
        position: ColumnElement[bool] = tuple_(*order) < tuple_(*read_cursor(cursor, kinds))
        query = query.where(position)
    down = [column.desc() for column in order]
    return page_from(session, page_query(query, down, size=size), size=size, key=key)


def page_query(query: Select[Any], order: Sequence[SQLColumnExpression[Any]], *, size: int) -> Select[Any]:
    """What `page_from` asks: one row more than a page, so that it is known whether another follows."""
    return query.order_by(*order).limit(size + 1)


def page_from(session: Session, query: Select[Any], *, size: int, key: Callable[[Any], Sequence[Any]]) -> Page[Any]:
    """The page that a `page_query` finds."""
    result = session.execute(query)
    rows = list(result.scalars() if len(query.column_descriptions) == 1 else result)
    more = len(rows) > size
    return Page(rows[:size], write_cursor(key(rows[size - 1])) if more else None)
