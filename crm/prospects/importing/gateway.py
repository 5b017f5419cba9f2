"""Opening files: the one place that knows that the spreadsheet library speaks its mind on standard error."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any, Protocol

from crm.errors import RuleBroken
from crm.prospects.reading import lists
from crm.prospects.reading.lists import FirstRows, ListRead
from crm.prospects.reading.outcomes import Unreadable
from crm.prospects.rules import ListKind

STANDARD_ERROR = 2
_one_at_a_time = threading.Lock()


def open_list(content: bytes, filename: str, options: dict[str, Any], today: date) -> ListRead:
    """A list and the tables found in it; `options` may name `sheets`, a `mapping` and one for each of some sheets,
    `columns`, the `kind`, and where the headings of some stand, `headed`. Raises Unreadable."""
    with _quiet():
        return lists.read(
            content,
            filename,
            today=today,
            sheets=options.get("sheets") or None,
            mapping=options.get("mapping"),
            columns=options.get("columns"),
            kind=ListKind(options["kind"]) if options.get("kind") else None,
            headed=options.get("headed"),
        )


def first_rows(content: bytes, filename: str) -> list[FirstRows]:
    """How every sheet that can be seen begins, each cell as text in Unicode. Raises Unreadable."""
    with _quiet():
        return lists.first_rows(content, filename)


class Handed(Protocol):
    """A file somebody handed in."""

    @property
    def filename(self) -> str: ...
    @property
    def content(self) -> bytes: ...
    @property
    def options(self) -> dict[str, Any]: ...


def check_list(handed: Handed, today: date) -> ListRead:
    """The list as it was understood. Raises RuleBroken when this is none that can be read, before anything is kept."""
    try:
        return open_list(handed.content, handed.filename, handed.options, today)
    except Unreadable as refusal:
        raise RuleBroken(refusal.sentence, field="file", code=refusal.reason.value) from None


@contextmanager
def _quiet() -> Iterator[None]:
    """A damaged workbook makes the library print a trace of its own; nobody needs to see that."""
    with _one_at_a_time:
        kept = os.dup(STANDARD_ERROR)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, STANDARD_ERROR)
            yield
        finally:
            os.dup2(kept, STANDARD_ERROR)
            os.close(kept)
            os.close(nowhere)
