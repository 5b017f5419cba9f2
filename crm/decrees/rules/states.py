"""How far a decree is, and how far the comparison of it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext as _l

from crm.premiums.rules.keys import LawStatus


class State(StrEnum):
    DRAFT = "draft"
    SAVED = "saved"
    DROPPED = "dropped"


class ImpactState(StrEnum):
    WAITING = "waiting"
    WORKING = "working"
    DONE = "done"


STATES: Mapping[State, Any] = {
    State.DRAFT: _l("Draft: nothing has changed yet"),
    State.SAVED: _l("On record"),
    State.DROPPED: _l("Thrown away"),
}


CERTAINTY: Mapping[LawStatus, Any] = {
    LawStatus.IN_FORCE: _l("Issued: it binds from its day on"),
    LawStatus.ANNOUNCED: _l("Only announced, or a draft: shown apart, not counted"),
    LawStatus.PRACTICE: _l("Practice of the agents, no text seen: counted, and said so"),
}


class Side(StrEnum):
    """How somebody stands after a decree."""

    MORE = "more"
    LESS = "less"
    SAME = "same"
    BELOW = "below"


SIDES: Mapping[Side, Any] = {
    Side.MORE: _l("Pay more"),
    Side.LESS: _l("Pay less"),
    Side.SAME: _l("Pay the same"),
    Side.BELOW: _l("Chosen income falls below the least"),
}
