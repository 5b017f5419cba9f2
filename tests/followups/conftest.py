"""Counting what is asked of the database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine


@pytest.fixture
def statements() -> Iterator[Callable[[], list[str]]]:
    """`seen = statements()`: from then on, what is sent to the database."""
    seen: list[str] = []

    def note(conn: Any, cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    def begin() -> list[str]:
        event.listen(Engine, "before_cursor_execute", note)
        return seen

    yield begin
    if event.contains(Engine, "before_cursor_execute", note):
        event.remove(Engine, "before_cursor_execute", note)
