"""The numbers of a period and how they add up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TypeVar
from uuid import UUID

from crm.months import Month
from crm.participation.rules import NOBODY, Movement, Span
from crm.participation.tally.rules import Cell
from crm.prospects.rules import Ground

Key = TypeVar("Key")


@dataclass(frozen=True)
class Figures:
    """The stock of a period in people: at its start, who joined, came back and left, and at the end of its last day."""

    span: Span
    drawn: date
    """The day of whose boundaries the places are units."""
    whole_town: bool
    """Whether everyone is counted; otherwise only the people whom the asker may see."""
    cells: Sequence[Cell]
    months: Sequence[tuple[Month, Movement]]
    """Each month of the period, the last one up to its day: each starts where the one before ended."""

    @cached_property
    def total(self) -> Movement:
        return _sum(self.cells, lambda cell: None).get(None, NOBODY)

    @cached_property
    def by_place(self) -> Mapping[UUID, Movement]:
        return _sum(self.cells, lambda cell: cell.place_id)

    @cached_property
    def by_organisation(self) -> Mapping[UUID | None, Movement]:
        return _sum(self.cells, lambda cell: cell.organisation_id)

    @cached_property
    def by_ground(self) -> Mapping[Ground, Movement]:
        return _sum(self.cells, lambda cell: cell.ground)


def _sum(cells: Sequence[Cell], key: Callable[[Cell], Key]) -> Mapping[Key, Movement]:
    found: dict[Key, Movement] = {}
    for cell in cells:
        found[key(cell)] = found.get(key(cell), NOBODY).plus(cell.moved)
    return {one: moved for one, moved in found.items() if any(moved)}
