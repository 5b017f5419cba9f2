"""How large a package is, how long it lasts, in which order one walks, and what becomes of those in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l

from crm.errors import RuleBroken
from crm.names import fold

USUAL_SIZE = 40
"""What one volunteer walks in two weeks of evenings."""
MOST_PEOPLE = 200
USUAL_DAYS = timedelta(days=14)
LONGEST = timedelta(days=92)
EXTENSIONS = (3, 7, 14)
"""Days offered with one tap."""
MOST_DAYS = 60
LONGEST_NOTE = 500
LONGEST_NAME = 120
DELIVERED_FOR = timedelta(days=30)
"""So long after people left somebody's hands, what that person heard at their door is still taken in."""


class Ending(StrEnum):
    """How a package ended."""

    RAN_OUT = "ran_out"
    HANDED_BACK = "handed_back"
    TAKEN_BACK = "taken_back"


class Settled(StrEnum):
    """What became of one person of a package."""

    MET = "met"
    RETURNED = "returned"
    HANDED_ON = "handed_on"


ENDINGS = {
    Ending.RAN_OUT: _l("Its time ran out"),
    Ending.HANDED_BACK: _l("Handed back by the volunteer"),
    Ending.TAKEN_BACK: _l("Taken back by the unit"),
}
SETTLEMENTS = {
    Settled.MET: _l("Met"),
    Settled.RETURNED: _l("Came back, not met"),
    Settled.HANDED_ON: _l("Given to somebody else"),
}


@dataclass(frozen=True)
class NewPackage:
    """What is given: to whom, until and including which day, and what is said along with it."""

    volunteer_id: UUID
    until: date
    name: str
    note: str | None = None
    place_id: UUID | None = None
    """The ward or neighbourhood it was cut from, where it was one."""


def check_until(until: date, today: date) -> None:
    """Refuse an end that is past, or a season away."""
    if until < today:
        raise RuleBroken(_l("The last day is past. Choose today or a later day."), field="until")
    if until > today + LONGEST:
        raise RuleBroken(_l("The last day is too far away. Choose a day within three months."), field="until")


def check_size(people: int) -> None:
    """Refuse a package that nobody could walk."""
    if not people:
        raise RuleBroken(_l("Nobody is chosen. Tick at least one person."), field="people", code="nobody")
    if people > MOST_PEOPLE:
        raise RuleBroken(_l("That is too many for one package. Choose at most 200 people."), field="people")


def check_words(name: str, note: str | None) -> None:
    """Refuse names and notes too long to be read on a phone."""
    if len(name) > LONGEST_NAME:
        raise RuleBroken(_l("The name is too long. Write at most 120 letters."), field="name")
    if note and len(note) > LONGEST_NOTE:
        raise RuleBroken(_l("The note is too long. Write at most 500 letters."), field="note")


def extended(until: date, days: int, today: date) -> date:
    """The new last day, counted from the old one, or from today where that is past. Raises RuleBroken."""
    if not 1 <= days <= MOST_DAYS:
        raise RuleBroken(_l("Extend by 1 to 60 days."), field="days")
    later = max(until, today) + timedelta(days=days)
    if later > today + LONGEST:
        raise RuleBroken(_l("The last day is too far away. Choose a day within three months."), field="days")
    return later


# ---- in which order one walks

_PREFIX = re.compile(r"^(?:so nha|so|sn|nha so|nha)\b[ .:]*")
_NUMBER = re.compile(r"^(\d+)([a-z]?)(?:/(\d+)([a-z]?))?[ ,]*")
_FIGURES = re.compile(r"(\d+)")


@dataclass(frozen=True)
class Door:
    """What is known of where somebody lives."""

    id: UUID
    address: str | None
    place: str = ""
    """Ward and neighbourhood, so that each is walked by itself."""
    household_id: UUID | None = None
    name_key: bytes = b""


@dataclass(frozen=True)
class House:
    """People behind one door, in the order of their names."""

    address: str | None
    ids: tuple[UUID, ...]


def house_number(address: str | None) -> tuple[Any, ...]:
    """The place of an address in a walk: lane by lane, and there by number as one counts, 9 before 10, 12 before 12A.

    People without an address come last.
    """
    if not address:
        return (1,)
    text = _PREFIX.sub("", fold(address).strip())
    found = _NUMBER.match(text)
    street = text[found.end() :] if found else text
    number = (int(found[1]), found[2], int(found[3] or 0), found[4] or "") if found else (0, "", 0, "")
    parts = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in _FIGURES.split(street) if part)
    return (0, parts, number)


def walk(doors: Iterable[Door]) -> list[House]:
    """Houses in the order one walks past them; who shares a household or a house number stands together."""
    every = list(doors)
    leading = {door.household_id: door.address for door in sorted(every, key=_by_name) if door.household_id}

    def key(door: Door) -> tuple[Any, ...]:
        address = leading.get(door.household_id, door.address) if door.household_id else door.address
        alone = str(door.id) if not address and not door.household_id else ""
        return (door.place, house_number(address), alone or (not address and str(door.household_id)) or "")

    ordered = sorted(every, key=lambda door: (key(door), _by_name(door)))
    found = []
    for _key, group in groupby(ordered, key=key):
        behind = list(group)
        address = next((door.address for door in behind if door.address), None)
        found.append(House(address, tuple(door.id for door in behind)))
    return found


def _by_name(door: Door) -> tuple[bytes, str]:
    return door.name_key, str(door.id)


def first_houses(houses: Sequence[House], size: int) -> list[UUID]:
    """So many people from the beginning of a walk; the last house is not torn apart."""
    chosen: list[UUID] = []
    for house in houses:
        if len(chosen) >= size or len(chosen) + len(house.ids) > MOST_PEOPLE:
            break
        chosen += house.ids
    return chosen


# ---- what becomes of those in a package


def settled_as(*, with_volunteer: bool, met: bool, keep_met: bool) -> Settled:
    """What becomes of somebody when their package ends: who was met stays with the volunteer unless told otherwise."""
    if not with_volunteer:
        return Settled.HANDED_ON
    return Settled.MET if met and keep_met else Settled.RETURNED


def days_left(until: date, today: date) -> int:
    """Days that are left, the last one included; 0 and less when it is past."""
    return (until - today).days + 1
