"""Conversations with numbers that wrote back."""

from __future__ import annotations

from enum import StrEnum

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString


class Talk(StrEnum):
    """OPEN: somebody has to look at it. DONE: somebody did."""

    OPEN = "open"
    DONE = "done"


TALKS: dict[Talk, LazyString] = {Talk.OPEN: _l("To look at"), Talk.DONE: _l("Done")}


class Turn(StrEnum):
    """What was done with a conversation."""

    GIVEN = "given"
    DONE = "done"
    OPENED = "opened"
    REPLIED = "replied"
