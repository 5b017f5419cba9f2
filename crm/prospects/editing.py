"""Several people correct one person: what each of them saw, what they wrote, and where they meet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

Values = Mapping[str, object]
"""Somebody's particulars by name, in plain JSON; of an identity number only its mask and a mark of it."""

BIRTH, HOME = "birth", "home"
TOGETHER: Final[Mapping[str, tuple[str, ...]]] = {
    BIRTH: ("birth_date", "birth_year"),
    HOME: ("place_id", "neighbourhood_id"),
}
"""What is one thing to people although it is kept in two columns: whoever changes one part has looked at both."""
NUMBERS = ("citizen_id", "si_number")
UNKNOWN: Final = object()


def unit_of(name: str) -> str:
    """The thing a column belongs to: `birth`, `home`, or the column itself."""
    return next((unit for unit, names in TOGETHER.items() if name in names), name)


def columns_of_unit(unit: str) -> tuple[str, ...]:
    """The columns of a thing."""
    return TOGETHER.get(unit, (unit,))


@dataclass(frozen=True, slots=True)
class Collision:
    """One thing that two people changed to different values. `base` is empty when nobody knows what it was."""

    unit: str
    base: Values
    current: Values
    yours: Values


@dataclass(frozen=True, slots=True)
class Sorted:
    """What an editor really changed, and where somebody else changed the same thing to something else."""

    wanted: frozenset[str]
    """The columns to be written."""
    collisions: tuple[Collision, ...]


def sort_out(base: Values, current: Values, yours: Values) -> Sorted:
    """Compare what an editor saw, what is there now and what they wrote; all three in the same plain form.

    A thing the editor left alone is left alone; one that only they changed is theirs to write; one that somebody else
    changed meanwhile to another value is a collision. A value missing in `base` was not seen, so it collides
    whenever the two differ.
    """
    wanted: set[str] = set()
    collisions = []
    for unit in dict.fromkeys(unit_of(name) for name in yours):
        names = [name for name in columns_of_unit(unit) if name in yours]
        seen = {name: base.get(name, UNKNOWN) for name in names}
        if not _differ(names, yours, seen) or not _differ(names, yours, current):
            continue
        if _differ(names, seen, current):
            known = {name: value for name, value in seen.items() if value is not UNKNOWN}
            collisions.append(Collision(unit, known, _part(current, names), _part(yours, names)))
        else:
            wanted.update(names)
    return Sorted(frozenset(wanted), tuple(collisions))


def _differ(names: Iterable[str], one: Values, other: Values) -> bool:
    return any(one.get(name) != other.get(name) for name in names)


def _part(values: Values, names: Iterable[str]) -> dict[str, object]:
    return {name: values.get(name) for name in names}


def masked(name: str, value: object) -> object:
    """A value as it may be shown: of an identity number the mask without its mark."""
    return value.split(" ")[0] if name in NUMBERS and isinstance(value, str) else value


def without_marks(values: Values) -> dict[str, object]:
    """The values as they may be shown."""
    return {name: masked(name, value) for name, value in values.items()}
