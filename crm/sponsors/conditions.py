"""What lists of people can be narrowed to because this package knows whom sponsors carry: those soon carried by nobody,
and those whose money still has to be paid over."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement

from crm.participation.conditions import takes_part
from crm.participation.guard.rules import SPONSOR_NOTICE
from crm.participation.models import Participation
from crm.participation.rules import DUE_SOON
from crm.prospects.lists import conditions
from crm.prospects.models import Prospect
from crm.sponsors.queries import carried_until, money_waits

SPONSOR_ENDS = "sponsor_ends"
SPONSOR_UNPAID = "sponsor_unpaid"


def _sponsor_ends(town_id: UUID, today: date) -> ColumnElement[bool]:
    told = carried_until(town_id, today)
    return Prospect.id.in_(told.with_only_columns(told.selected_columns[0]))


def _sponsor_unpaid(town_id: UUID, today: date) -> ColumnElement[bool]:
    return takes_part(town_id, Participation.deadline_on.between(today, today + DUE_SOON), money_waits())


conditions.register(
    SPONSOR_ENDS,
    _l("Sponsor's help ends within %(months)s months", months=SPONSOR_NOTICE),
    _sponsor_ends,
    told=_l("A sponsor carries them now, and nobody has set money aside for the months after."),
)
conditions.register(
    SPONSOR_UNPAID,
    _l("Sponsor's money to be paid over within %(days)s days", days=DUE_SOON.days),
    _sponsor_unpaid,
    told=_l(
        "Money is set aside for their next months and not yet paid over; without it they lapse after the last day."
    ),
)
