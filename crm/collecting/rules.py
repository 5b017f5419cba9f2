"""Points where premiums are taken, their staff and training, and which point is near somebody. Pure.

Only the insurance office and those it charges take premiums (Law on Social Insurance; decision of the insurance office
on collection agents). Days are Vietnam's.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from flask_babel import lazy_gettext as _l

from crm.errors import RuleBroken
from crm.lines import line
from crm.names import fold
from crm.phones import read_phone

LONGEST_NAME, LONGEST_ADDRESS, LONGEST_HOURS, LONGEST_NOTE = 120, 200, 200, 500
LONGEST_WHAT, LONGEST_DOCUMENT = 200, 80
SOON = timedelta(days=60)
"""So long before it ends a training is told as ending."""
SOUTH, NORTH, WEST, EAST = 8.0, 24.0, 102.0, 115.0
"""Degrees within which Vietnam lies, its islands included."""


class PointKind(StrEnum):
    INSURANCE = "insurance"
    POST = "post"
    COMMITTEE = "committee"
    UNION = "union"
    BANK = "bank"
    OTHER = "other"


KINDS: Mapping[PointKind, Any] = {
    PointKind.INSURANCE: _l("Social insurance office"),
    PointKind.POST: _l("Post office"),
    PointKind.COMMITTEE: _l("People's committee of a ward or commune"),
    PointKind.UNION: _l("Union or association"),
    PointKind.BANK: _l("Bank"),
    PointKind.OTHER: _l("Other agent"),
}


class Spot(NamedTuple):
    """Degrees north and east (WGS 84)."""

    latitude: float
    longitude: float


_SPOT = re.compile(r"\s*(-?\d{1,3}(?:\.\d{1,10})?)\s*[,; ]\s*(-?\d{1,3}(?:\.\d{1,10})?)\s*")


def read_spot(text: str | None) -> Spot | None:
    """«20.0775, 105.8601» as maps on telephones copy it; nothing is no spot. Raises RuleBroken."""
    if not (text or "").strip():
        return None
    found = _SPOT.fullmatch(text or "")
    spot = Spot(float(found[1]), float(found[2])) if found else None
    if spot is None or not (SOUTH <= spot.latitude <= NORTH and WEST <= spot.longitude <= EAST):
        raise RuleBroken(
            _l("Write the two numbers a map shows, such as 20.0775, 105.8601, within Vietnam."), field="spot"
        )
    return spot


class Told(NamedTuple):
    """What is told of a point. `until` is its last day; None: no end is known."""

    kind: PointKind
    name: str
    address: str
    hours: str
    phone: str | None
    spot: Spot | None
    since: date
    until: date | None
    note: str | None


def checked(told: Told) -> Told:
    """The same as it is kept. Raises RuleBroken at the field that is wrong."""
    name = line(told.name, LONGEST_NAME, "name", _l("Write the name of the point."))
    address = line(told.address, LONGEST_ADDRESS, "address", _l("Write where it is."))
    hours = line(told.hours, LONGEST_HOURS, "hours", _l("Write when it is open."))
    note = line(told.note, LONGEST_NOTE, "note") or None
    return told._replace(
        name=name,
        address=address,
        hours=hours,
        note=note,
        phone=telephone(told.phone),
        until=last_day(told.since, told.until),
    )


def telephone(text: str | None) -> str | None:
    """A telephone number in E.164; nothing is none. Raises RuleBroken."""
    read = read_phone(text)
    found = read.mobile or read.other
    if (text or "").strip() and found is None:
        raise RuleBroken(_l("Write a telephone number such as 0912 345 678."), field="phone")
    return found


def last_day(since: date, until: date | None) -> date | None:
    """The last day, not before the first. Raises RuleBroken."""
    if until is not None and until < since:
        raise RuleBroken(_l("The last day lies before the first."), field="until")
    return until


def is_open(since: date, until: date | None, day: date) -> bool:
    """Whether a point or somebody there works on a day."""
    return since <= day and (until is None or day <= until)


# ---- training


class Trained(StrEnum):
    NEVER = "never"
    VALID = "valid"
    ENDING = "ending"
    ENDED = "ended"


TRAINED: Mapping[Trained, Any] = {
    Trained.NEVER: _l("not trained yet"),
    Trained.VALID: _l("trained"),
    Trained.ENDING: _l("training ends soon"),
    Trained.ENDED: _l("training has ended"),
}


def trained(valid_until: Iterable[date | None], today: date) -> Trained:
    """How somebody's trainings stand: the one that is valid longest decides; None is valid without end."""
    ends = list(valid_until)
    if not ends:
        return Trained.NEVER
    if None in ends:
        return Trained.VALID
    last = max(end for end in ends if end is not None)
    if last < today:
        return Trained.ENDED
    return Trained.ENDING if last <= today + SOON else Trained.VALID


# ---- near


class Candidate(NamedTuple):
    """A point as nearness sees it: the unit it stands in and those it serves, in the boundaries of today."""

    id: UUID
    name: str
    address: str
    stands_in: UUID
    serves: Collection[UUID]


def nearest(points: Iterable[Candidate], ward: UUID | None, address: str) -> list[UUID]:
    """The points, those nearest first: in the ward, serving the ward, elsewhere; among them those whose address shares
    most words with what was written, then by name."""
    words = set(fold(address).split())

    def key(one: Candidate) -> tuple[int, int, str, UUID]:
        near = 0 if one.stands_in == ward else 1 if ward in one.serves else 2
        shared = len(words & set(fold(f"{one.address} {one.name}").replace(",", " ").split()))
        return near if ward else 0, -shared, fold(one.name), one.id

    return [one.id for one in sorted(points, key=key)]
