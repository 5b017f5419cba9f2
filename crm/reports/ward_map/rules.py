"""Where each ward stands on the map, and how strongly its tile is marked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from fractions import Fraction
from itertools import count
from typing import Any, NamedTuple
from uuid import UUID

from flask_babel import lazy_gettext as _l


class Measure(StrEnum):
    """What the map shows."""

    STOCK = "stock"
    SHARE = "share"
    DUE = "due"


MEASURES: Mapping[Measure, Any] = {
    Measure.STOCK: _l("People who take part"),
    Measure.SHARE: _l("Share of the target"),
    Measure.DUE: _l("Have to pay soon"),
}

Spot = tuple[int, int]
"""Column and row."""

OUTLINES: Mapping[str, Spot] = {
    "14809": (0, 0),
    "14812": (1, 0),
    "14821": (2, 0),
    "14823": (0, 1),
    "14818": (1, 1),
    "14815": (2, 1),
    "14824": (1, 2),
    "14827": (2, 2),
}
"""Bỉm Sơn's wards and communes of 2019 by code, as they lie about one another: no surveyed outline. What they became later
stands where they stood."""

COLUMNS = 3
STEPS = (Fraction(1, 5), Fraction(2, 5), Fraction(3, 5), Fraction(4, 5))
OF_TARGET = (Fraction(60, 100), Fraction(75, 100), Fraction(90, 100), Fraction(1))


class Tile(NamedTuple):
    """A ward on the map: the cells it covers, and how strongly they are marked, 0 to 4 (None: nothing to show)."""

    key: UUID
    name: str
    cells: Sequence[Spot]
    value: int | None
    """People; of the share of the target, those who take part."""
    target: int | None
    level: int | None

    @property
    def share(self) -> Fraction | None:
        """Of the target, where there is one."""
        return Fraction(self.value, self.target) if self.target and self.value is not None else None


def placed(outlined: Mapping[UUID, Iterable[Spot]], units: Iterable[UUID]) -> dict[UUID, list[Spot]]:
    """The cells of every unit; one that no outline knows stands in the first free cell below."""
    found = {unit: sorted(outlined.get(unit, ()), key=lambda spot: (spot[1], spot[0])) for unit in units}
    taken = [spot for cells in found.values() for spot in cells]
    row = 1 + max((spot[1] for spot in taken), default=-1)
    free = ((at % COLUMNS, row + at // COLUMNS) for at in count())
    return {unit: cells or [next(free)] for unit, cells in found.items()}


def level(measure: Measure, value: int | None, target: int | None, most: int) -> int | None:
    """How strongly a tile is marked: by fifths of the most there is, or by how near the target is."""
    if value is None or (measure is Measure.SHARE and not target):
        return None
    if measure is Measure.SHARE:
        return sum(Fraction(value, target or 1) >= step for step in OF_TARGET)
    return sum(Fraction(value, most) > step for step in STEPS) if most else 0
