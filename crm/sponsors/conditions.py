"""What lists of people can be narrowed to because this package knows whom sponsors carry: those soon carried by nobody."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement

from crm.participation.guard.rules import SPONSOR_NOTICE
from crm.prospects.lists import conditions
from crm.prospects.models import Prospect
from crm.sponsors.queries import carried_until

SPONSOR_ENDS = "sponsor_ends"


def _sponsor_ends(town_id: UUID, today: date) -> ColumnElement[bool]:
    told = carried_until(town_id, today)
    return Prospect.id.in_(told.with_only_columns(told.selected_columns[0]))


conditions.register(
    SPONSOR_ENDS,
    _l("Sponsor's help ends within %(months)s months", months=SPONSOR_NOTICE),
    _sponsor_ends,
    told=_l("A sponsor carries them now, and nobody has set money aside for the months after."),
)
