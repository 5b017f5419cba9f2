"""How far the comparison with the carrier is after a restore."""

from __future__ import annotations

from enum import StrEnum

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString


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
