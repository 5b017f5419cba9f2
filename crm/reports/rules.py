"""How the rows of the manager's home stand, and by what they are sorted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from crm.participation.rules import Movement
from crm.prospects.rules import Stage


class Row(NamedTuple):
    """A ward, a commune or an organisation: how its stock moved, and its target if it was given one."""

    key: UUID | None
    name: str
    name_key: bytes
    moved: Movement
    target: int | None

    @property
    def gap(self) -> int:
        """How far from where it should be: from its target, or, without one, from its stock at the start."""
        return (self.target if self.target is not None else self.moved.start) - self.moved.now


class Sort(StrEnum):
    GAP = "gap"
    NAME = "name"
    START = "start"
    JOINED = "joined"
    RETURNED = "returned"
    LEFT = "left"
    NOW = "now"
    CHANGE = "change"


_KEYS: Mapping[Sort, Callable[[Row], Any]] = {
    Sort.GAP: lambda row: -row.gap,
    Sort.NAME: lambda row: row.name_key,
    Sort.START: lambda row: -row.moved.start,
    Sort.JOINED: lambda row: -row.moved.joined,
    Sort.RETURNED: lambda row: -row.moved.returned,
    Sort.LEFT: lambda row: -row.moved.left,
    Sort.NOW: lambda row: -row.moved.now,
    Sort.CHANGE: lambda row: row.moved.change,
}


def in_order(rows: Iterable[Row], sort: Sort) -> list[Row]:
    """The rows by one column, largest first (the change: the worst first); equal ones by name."""
    return sorted(rows, key=lambda row: (_KEYS[sort](row), row.name_key))


class By(StrEnum):
    """What a pipeline is divided by."""

    PLACE = "place"
    ORGANISATION = "organisation"
    VOLUNTEER = "volunteer"
    MONTH = "month"


ON_THE_WAY = (Stage.NEW, Stage.UNREACHED, Stage.CONSIDERING, Stage.INTERESTED, Stage.AGREED)
"""The stages before joining, in the order of the work."""
