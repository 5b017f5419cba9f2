"""Why money that was set aside for somebody's months is not needed for them any more."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext as _l

from crm.participation.rules import Ending


class Why(StrEnum):
    """The first that is true is told."""

    LEFT = "left"
    NOT_ELIGIBLE = "not_eligible"
    PAID = "paid"
    TOO_LATE = "too_late"


WHYS: Mapping[Why, Any] = {
    Why.LEFT: _l("No longer takes part"),
    Why.NOT_ELIGIBLE: _l("May not take part"),
    Why.PAID: _l("The month is paid already with other money"),
    Why.TOO_LATE: _l("Too late: the month can no longer be paid"),
}

FOR_GOOD = tuple(ending for ending in Ending if ending is not Ending.LAPSED)
"""Endings after which nobody pays on; whoever lapsed may come back with the money that waits for them."""
