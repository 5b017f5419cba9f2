"""The ways by which a message leaves, and which purpose goes which way."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext as _l

from crm.prospects.rules import Purpose


class Way(StrEnum):
    """How a message leaves: through Twilio one by one, or in a file that somebody hands to a domestic gateway."""

    TWILIO = "twilio"
    BRANDNAME = "brandname"


WAYS: Mapping[Way, Any] = {
    Way.TWILIO: _l("Twilio, one by one"),
    Way.BRANDNAME: _l("A file for the domestic brand-name gateway"),
}


def way_of(purpose: Purpose | str, service_way: Way = Way.TWILIO) -> Way:
    """Which way a message of this purpose goes: Twilio carries no promotion to Vietnam; the town chooses for the rest."""
    return Way.BRANDNAME if Purpose(purpose) is Purpose.PROMOTION else service_way
