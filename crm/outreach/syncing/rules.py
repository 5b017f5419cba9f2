"""Events of a device that was offline, and what becomes of each. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

MOST_EVENTS = 500
MOST_PEOPLE = 500
"""People who changed, in one answer."""
OVERLAP = timedelta(minutes=2)
"""A cursor goes so far back: what was being written while the last answer was made is told again rather than never."""


class EventKind(StrEnum):
    """What happened while nobody was connected."""

    VISIT = "visit"
    CONSENT = "consent"
    OPT_OUT = "opt_out"
    NEW_PERSON = "new_person"
    CORRECTION = "correction"


class Became(StrEnum):
    """What became of an event. `duplicate`: it had arrived before, and nothing was done again."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Event:
    """Something a device recorded. `client_id` names it once and for all; `body` is read when it is its turn."""

    client_id: UUID
    kind: EventKind
    occurred_at: datetime
    body: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an event: whose it is now (ids of merged people lead to who they became), or why not and what to do."""

    event: Event
    became: Became
    prospect_id: UUID | None = None
    code: str | None = None
    reason: str | None = None
    errors: tuple[Mapping[str, str], ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
