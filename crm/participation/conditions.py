"""What lists of people can be narrowed to because this package knows who takes part: the insurance office's three lists."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, SQLColumnExpression, and_, exists, select
from sqlalchemy.orm import aliased

from crm.participation.models import Participation
from crm.participation.rules import DUE_SOON, Ending
from crm.prospects.lists import conditions
from crm.prospects.models import Prospect


def _spell(town_id: UUID, *asked: SQLColumnExpression[bool]) -> ColumnElement[bool]:
    """Somebody has a spell of which all this is true."""
    return exists().where(
        Participation.town_id == town_id,
        Participation.prospect_id == Prospect.id,
        Participation.withdrawn_at.is_(None),
        *asked,
    )


def takes_part(town_id: UUID, *asked: ColumnElement[bool]) -> ColumnElement[bool]:
    """Somebody takes part now, and all this is true of the spell they are in."""
    return _spell(town_id, Participation.goes_on, *asked)


def stopped_this_year(town_id: UUID, today: date) -> ColumnElement[bool]:
    """Paid last year or this, stopped or lapsed since New Year, and has not come back, not even to leave anew for another
    reason. Who went over to compulsory insurance, draws a pension, moved away or died did not stop."""
    later = aliased(Participation)
    came_back = exists().where(
        later.town_id == Participation.town_id,
        later.prospect_id == Participation.prospect_id,
        later.withdrawn_at.is_(None),
        later.started_on > Participation.started_on,
    )
    return _spell(
        town_id,
        Participation.ended_on.between(today.replace(month=1, day=1), today),
        Participation.ended_as.in_((Ending.LAPSED, Ending.STOPPED)),
        ~came_back,
    )


def falling_due(town_id: UUID, today: date) -> ColumnElement[bool]:
    """Takes part, and has to pay within thirty days or is late already."""
    return takes_part(town_id, Participation.deadline_on <= today + DUE_SOON)


def lives_with_a_participant(town_id: UUID, _today: date) -> ColumnElement[bool]:
    """Does not take part, but somebody of the same household does."""
    other = aliased(Prospect)
    households = (
        select(other.household_id)
        .join(Participation, and_(Participation.town_id == other.town_id, Participation.prospect_id == other.id))
        .where(other.town_id == town_id, other.household_id.is_not(None), other.merged_into_id.is_(None))
        .where(Participation.goes_on)
    )
    return and_(Prospect.household_id.in_(households), ~takes_part(town_id))


conditions.register(
    "stopped_this_year",
    _l("Stopped this year"),
    stopped_this_year,
    told=_l("They paid, have stopped since New Year and have not come back."),
)
conditions.register(
    "falling_due",
    _l("Falling due"),
    falling_due,
    told=_l("They take part and have to pay within 30 days, or are late."),
)
conditions.register(
    "lives_with_participant",
    _l("Relatives of participants"),
    lives_with_a_participant,
    told=_l("They do not take part, but somebody of their household does."),
)
