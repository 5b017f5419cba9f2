"""States of do-not-call lists, and which way a refusal may come in by a person."""

from __future__ import annotations

from enum import StrEnum

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from crm.prospects.rules import Purpose


class ListState(StrEnum):
    """Where the work on a do-not-call list stands."""

    QUEUED = "queued"
    READY = "ready"
    WRITING = "writing"
    DONE = "done"
    FAILED = "failed"
    DROPPED = "dropped"


AT_WORK = (ListState.QUEUED, ListState.WRITING)
LIST_STATES: dict[ListState, LazyString] = {
    ListState.QUEUED: _l("Being read"),
    ListState.READY: _l("Waits for your word"),
    ListState.WRITING: _l("Being written"),
    ListState.DONE: _l("In force"),
    ListState.FAILED: _l("Could not be read"),
    ListState.DROPPED: _l("Not used"),
}


class Found(StrEnum):
    """What became of a number of a list."""

    REFUSED = "refused"
    KNOWN = "known"


WANTED: dict[str, LazyString] = {
    "all": _l("Any message"),
    "promotion": _l("Invitations only"),
    "service": _l("Reminders only"),
}
"""What a caller may refuse."""


def purposes_of(what: str | None) -> list[Purpose]:
    """The purposes a choice of WANTED names; without one, all."""
    return [Purpose(what)] if what in set(Purpose) else list(Purpose)


MOST_BAD_ROWS = 200
"""Rows that could not be read, as a list keeps and shows them."""
MOST_NUMBERS = 400_000
"""Numbers in one list; a longer one has to be divided."""
