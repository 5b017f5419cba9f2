"""Several lists on one page: each shows a part, and its own part of the address says which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from flask import request

Row = TypeVar("Row")
Read = TypeVar("Read", covariant=True)

SHOWN = 10
FURTHEST = 100_000


class Reads(Protocol[Read]):
    """A question that answers at most so many rows after the first so many."""

    def __call__(self, *, most: int, skip: int) -> Sequence[Read]: ...


@dataclass(frozen=True)
class Part(Generic[Row]):
    """Rows of one list of a page; where earlier and further ones begin, None when there are none."""

    name: str
    rows: Sequence[Row]
    before: int | None
    after: int | None

    def __bool__(self) -> bool:
        return bool(self.rows)

    def asks(self, start: int) -> dict[str, Any]:
        """What an address says to show this list from there, and to begin reading at it."""
        return {self.name: start or None, "_anchor": self.name}


def part_of(name: str, read: Reads[Row], size: int = SHOWN) -> Part[Row]:
    """The part of a list that the address asks for, such as `?book=20`; nonsense is the beginning."""
    start = min(max(request.args.get(name, 0, type=int), 0), FURTHEST)
    rows = read(most=size + 1, skip=start)
    after = start + size if len(rows) > size else None
    return Part(name, rows[:size], max(start - size, 0) if start else None, after)
