"""Work that waits too long, as a list that whoever leads the work can hand over, cut into packages or give to others."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, and_, or_

from crm.clock import at
from crm.followups.rules import NEGLECTED_AFTER, NOTICE, PRESSING
from crm.participation.conditions import takes_part
from crm.participation.guard.queries import unasked
from crm.participation.models import Participation
from crm.prospects.lists import conditions
from crm.prospects.models import Prospect
from crm.prospects.rules import Stage

NEGLECTED = "neglected"
SHORTEST_NOTICE = min(NOTICE.values())
A_DAY = timedelta(days=1)


def neglected(town_id: UUID, today: date) -> ColumnElement[bool]:
    """An appointment is more than a week past, or the last days to pay run and nobody spoke of it; or they lapsed and for
    more than a week nobody asked why. Of whom nobody looks after, the last week and the lapse at once: nobody would."""
    missed = Prospect.next_contact_on < today - NEGLECTED_AFTER
    silent = or_(Prospect.last_contact_at.is_(None), Prospect.last_contact_at < at(today - SHORTEST_NOTICE))
    return or_(
        and_(missed, Prospect.stage != Stage.NOT_ELIGIBLE),
        and_(_ending(town_id, today, PRESSING), silent),
        and_(_ending(town_id, today, SHORTEST_NOTICE), Prospect.volunteer_id.is_(None)),
        _unasked(town_id, today, NEGLECTED_AFTER + A_DAY),
        and_(_unasked(town_id, today), Prospect.volunteer_id.is_(None)),
    )


def _unasked(town_id: UUID, today: date, waits: timedelta = timedelta()) -> ColumnElement[bool]:
    told = unasked(town_id, today, waits)
    return Prospect.id.in_(told.with_only_columns(told.selected_columns[0]))


def _ending(town_id: UUID, today: date, within: timedelta) -> ColumnElement[bool]:
    return takes_part(town_id, Participation.deadline_on.between(today, today + within))


conditions.register(
    NEGLECTED,
    _l("Waiting too long"),
    neglected,
    told=_l(
        "An appointment is more than a week past, the last days to pay run and nobody has spoken with them, or they lapsed and nobody asks why."
    ),
)
