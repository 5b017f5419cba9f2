"""The words for merging people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

from crm.prospects.wording import FIELDS

PARTICULARS: Mapping[str, Any] = {
    "full_name": FIELDS["full_name"],
    "birth": _l("Birth"),
    "sex": FIELDS["sex"],
    "phone": FIELDS["phone"],
    "other_phone": FIELDS["other_phone"],
    "citizen_id": FIELDS["citizen_id"],
    "si_number": FIELDS["si_number"],
    "home": _l("Where they live"),
    "address": FIELDS["address"],
    "occupation": FIELDS["occupation"],
    "household": FIELDS["household_id"],
    "care": _l("Who looks after them"),
}
"""The groups of particulars, as pages call them."""
TABLES: Mapping[str, Any] = {
    "visit": _l("Visits"),
    "assignment": _l("Who looks after them"),
    "standing": _l("Grounds for support"),
    "participation": _l("Taking part"),
    "payment": _l("Payments"),
    "message": _l("Messages"),
    "allocation": _l("Money of sponsors"),
    "household_member": _l("Household"),
    "stage_change": _l("Stage"),
}
"""What belongs to a person, as pages call it; other things are just “other records”."""
OTHER_THINGS = _l("Other records")
COUNTED = ("visit", "payment", "standing", "message", "allocation")
"""What a page counts of each of two records, so that one sees which is the fuller."""
