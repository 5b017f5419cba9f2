"""Where a template stands with the carrier."""

from __future__ import annotations

from enum import StrEnum

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString


class Registered(StrEnum):
    """What the carrier said of a version for one sender name."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    REJECTED = "rejected"


REGISTERED: dict[Registered, LazyString] = {
    Registered.DRAFT: _l("Not registered yet"),
    Registered.SUBMITTED: _l("Handed in to the carrier"),
    Registered.APPROVED: _l("Approved by the carrier"),
    Registered.REJECTED: _l("Refused by the carrier"),
}
SIGNS: dict[Registered, str] = {
    Registered.DRAFT: "quiet",
    Registered.SUBMITTED: "due",
    Registered.APPROVED: "jade",
    Registered.REJECTED: "late",
}
