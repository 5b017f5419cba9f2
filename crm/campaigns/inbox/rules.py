"""Conversations with numbers that wrote back."""

from __future__ import annotations

from enum import StrEnum

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from crm.campaigns.rules.places import WAY_OUT

IN_REPLIES = frozenset({"xung_ho", "ten", "ho_ten", WAY_OUT})
"""The places of a text that an answer can fill: who wrote, and the address on which they refuse."""


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
