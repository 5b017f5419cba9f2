"""How far the comparison with the carrier is after a restore."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from crm.campaigns.rules.delivery import Delivery


class CheckState(StrEnum):
    """Where the comparison stands."""

    QUEUED = "queued"
    ASKING = "asking"
    COMPARING = "comparing"
    READY = "ready"
    FAILED = "failed"


AT_WORK = (CheckState.QUEUED, CheckState.ASKING, CheckState.COMPARING)
CHECK_STATES: dict[CheckState, LazyString] = {
    CheckState.QUEUED: _l("The carrier is about to be asked"),
    CheckState.ASKING: _l("The carrier's list is being read"),
    CheckState.COMPARING: _l("What waits is compared with it"),
    CheckState.READY: _l("Compared"),
    CheckState.FAILED: _l("The carrier did not answer"),
}

MARGIN = timedelta(minutes=30)
"""The carrier is asked from a little before the backup on: what was on its way then is on the list."""
STILL = timedelta(minutes=1)


@dataclass(frozen=True)
class Asked:
    """What the carrier is asked next: what it sent since a moment, from this page on."""

    since: datetime
    next_page: str | None


@dataclass(frozen=True)
class ToldMessage:
    """A message on the carrier's list."""

    sid: str
    phone: str
    body: str
    status: Delivery
    code: int | None
    sent_at: datetime


@dataclass(frozen=True)
class Written:
    """What somebody wrote to us, as the carrier keeps it."""

    sid: str
    phone: str
    body: str
    at: datetime


@dataclass(frozen=True)
class Told:
    """A page of the carrier's list, and where the next begins: what went out, and what people wrote back."""

    sent: list[ToldMessage]
    next_page: str | None
    written: list[Written] = field(default_factory=list)


@dataclass(frozen=True)
class Group:
    """Messages that are decided together: those of one campaign, of one kind of reminder, replies, or trials."""

    kind: str
    key: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.key}"

    @classmethod
    def read(cls, text: str) -> Group:
        """The group that a form names. Raises ValueError."""
        kind, _colon, key = text.partition(":")
        if kind not in ("campaign", "reminder", "reply", "trial"):
            raise ValueError(text)
        if kind in ("campaign", "trial"):
            UUID(key)
        return cls(kind, key)
