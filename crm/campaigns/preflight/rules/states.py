"""How far a check is, and what a second person said."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString


class CheckState(StrEnum):
    WAITING = "waiting"
    WORKING = "working"
    READY = "ready"
    FAILED = "failed"


AT_WORK = frozenset({CheckState.WAITING, CheckState.WORKING})
CHECK_STATES: dict[CheckState, LazyString] = {
    CheckState.WAITING: _l("Waits to be looked at"),
    CheckState.WORKING: _l("Everybody's message is being written"),
    CheckState.READY: _l("Looked at"),
    CheckState.FAILED: _l("Could not be looked at"),
}
FRESH = timedelta(hours=1)
"""So long what was found is good enough to launch; who said no since is asked again at the moment of sending."""
APPROVED_FOR = timedelta(days=3)
"""So long a second person's yes holds."""


class Answer(StrEnum):
    APPROVED = "approved"
    REFUSED = "refused"
    VOID = "void"


ANSWERS: dict[Answer, LazyString] = {
    Answer.APPROVED: _l("Approved"),
    Answer.REFUSED: _l("Not approved"),
    Answer.VOID: _l("No longer valid: something was changed"),
}
