"""Work that waits too long, as a list that whoever leads the work can hand over, cut into packages or give to others."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, and_, exists, or_

from crm.clock import at
from crm.followups.rules import NEGLECTED_AFTER, NOTICE, PRESSING
from crm.participation.models import Participation
from crm.prospects.lists import conditions
from crm.prospects.models import Prospect
from crm.prospects.rules import Stage

NEGLECTED = "neglected"
SHORTEST_NOTICE = min(NOTICE.values())


def neglected(town_id: UUID, today: date) -> ColumnElement[bool]:
    """Somebody has them, and an appointment is more than a week past, or the last days to pay run and nobody spoke of it."""
    missed = Prospect.next_contact_on < today - NEGLECTED_AFTER
    ending = exists().where(
        Participation.town_id == town_id,
        Participation.prospect_id == Prospect.id,
        Participation.withdrawn_at.is_(None),
        Participation.ended_on.is_(None),
        Participation.deadline_on <= today + PRESSING,
        Participation.deadline_on >= today,
    )
    silent = or_(Prospect.last_contact_at.is_(None), Prospect.last_contact_at < at(today - SHORTEST_NOTICE))
    waiting = or_(and_(missed, Prospect.stage != Stage.NOT_ELIGIBLE), and_(ending, silent))
    return and_(Prospect.volunteer_id.is_not(None), waiting)


conditions.register(
    NEGLECTED,
    _l("Waiting too long"),
    neglected,
    told=_l("An appointment is more than a week past, or the last days to pay run and nobody has spoken with them."),
)
