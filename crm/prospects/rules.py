"""Stages, standing and consent: what follows from what, without asking anyone."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Sex(StrEnum):
    FEMALE = "female"
    MALE = "male"


class Stage(StrEnum):
    """How far someone is on the way to taking part."""

    NEW = "new"
    UNREACHED = "unreached"
    REFUSED = "refused"
    CONSIDERING = "considering"
    INTERESTED = "interested"
    AGREED = "agreed"
    JOINED = "joined"
    LAPSED = "lapsed"
    NOT_ELIGIBLE = "not_eligible"


class Ground(StrEnum):
    """Grounds for State support (Decree 134/2015 art. 14; Decree 159/2025 art. 5), the strongest first."""

    POOR = "poor"
    ISLAND = "island"
    NEAR_POOR = "near_poor"
    ETHNIC_MINORITY = "ethnic_minority"
    OTHER = "other"


STRENGTH = {ground: place for place, ground in enumerate(Ground)}


def deciding(grounds: Iterable[Ground]) -> Ground:
    """The ground that decides support: of several the strongest; `other` when there is none."""
    return min(grounds, key=STRENGTH.__getitem__, default=Ground.OTHER)


class Kinship(StrEnum):
    HEAD = "head"
    SPOUSE = "spouse"
    CHILD = "child"
    PARENT = "parent"
    OTHER = "other"


class Purpose(StrEnum):
    """What a message is for; consent is given for each by itself (Decree 91/2020, Law 91/2025)."""

    SERVICE = "service"
    PROMOTION = "promotion"


class ConsentChannel(StrEnum):
    PAPER = "paper"
    DOORSTEP = "doorstep"
    PHONE_CALL = "phone_call"
    WEB = "web"
    LINK = "link"
    SMS = "sms"
    HOTLINE = "hotline"
    IMPORT = "import"


class ImportState(StrEnum):
    QUEUED = "queued"
    READING = "reading"
    READY = "ready"
    COMMITTING = "committing"
    COMMITTED = "committed"
    UNDOING = "undoing"
    UNDONE = "undone"
    FAILED = "failed"


class RowOutcome(StrEnum):
    """What an import makes of a row."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"
