"""What the program knows of a unit in a period: what stands filled in when it reports, and is frozen with what it sends.

A ward's figures are counted as in Biểu 01 of its own report, an organisation's as on the manager's home. People, visits.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.queries import Scope
from crm.accounts.rules import Reach, Role
from crm.outreach.models import Visit
from crm.outreach.rules import REACHED, Channel
from crm.participation.rules import NOBODY, Span
from crm.places.models import Place
from crm.places.queries import ids_within
from crm.prospects.models import Prospect
from crm.reports.documents.queries import counting
from crm.reports.documents.queries.counting import Stock
from crm.reports.figures.queries import figures
from crm.targets import queries as targets

KNOWN: Mapping[str, Any] = {
    "now": _l("Taking part at the end"),
    "target": _l("Target of the year"),
    "joined": _l("Joined"),
    "returned": _l("Came back"),
    "left": _l("Dropped out"),
    "home_visits": _l("Home visits"),
    "met": _l("People talked with"),
    "volunteers": _l("Volunteers"),
}
"""The figures in the order in which they are shown, besides `since`, `as_of` and `start`."""


def of_place(session: Session, place: Place, span: Span) -> dict[str, Any]:
    """A ward's or commune's figures of a period; three small queries."""
    what = counting.asked(session, place.town_id, span, place, None)
    one = Stock()
    for part in counting.stock(session, what).values():
        one = one.plus(part)
    target = targets.by_place(session, place.town_id, span.as_of.year).get(place.id)
    mine = User.place_id.in_(ids_within(session, place.town_id, place.id))
    return {
        **_days(span),
        "target": target.people if target else None,
        "start": one.start,
        "joined": one.joined,
        "returned": one.returned,
        "left": one.left,
        "now": one.now,
        **_worked(session, place.town_id, span, counting.counted_at(Visit.place_id, what.narrowed), mine),
    }


def of_organisation(session: Session, town_id: UUID, organisation_id: UUID, span: Span) -> dict[str, Any]:
    """An organisation's figures of a period: the people it brought in, and what its volunteers did."""
    scope = Scope(town_id, user_id=town_id, reach=Reach.ALL, organisation_id=None, place_ids=None)
    moved = figures(session, scope, span).by_organisation.get(organisation_id, NOBODY)
    target = targets.by_organisation(session, town_id, span.as_of.year).get(organisation_id)
    did = _worked(
        session, town_id, span, Visit.organisation_id == organisation_id, User.organisation_id == organisation_id
    )
    return {
        **_days(span),
        "target": target.people if target else None,
        **{name: getattr(moved, name) for name in ("start", "joined", "returned", "left", "now")},
        **did,
    }


def _days(span: Span) -> dict[str, str]:
    return {"since": span.since.isoformat(), "as_of": span.as_of.isoformat()}


def _worked(
    session: Session, town_id: UUID, span: Span, visits: ColumnElement[bool], people: ColumnElement[bool]
) -> dict[str, int]:
    inside = (
        Visit.town_id == town_id,
        Visit.withdrawn_at.is_(None),
        Visit.occurred_at >= clock.at(span.since),
        Visit.occurred_at < clock.at(span.as_of + timedelta(days=1)),
        visits,
    )
    counted = select(
        func.count().filter(Visit.channel == Channel.HOME_VISIT),
        func.count(Visit.prospect_id.distinct()).filter(Visit.outcome.in_(REACHED)),
    )
    counted = counted.join(Prospect, and_(Prospect.town_id == Visit.town_id, Prospect.id == Visit.prospect_id)).where(
        *inside
    )
    home_visits, met = session.execute(counted).one()
    volunteers = session.scalar(
        select(func.count()).where(
            User.town_id == town_id, User.active, User.role.in_((Role.VOLUNTEER, Role.AGENT)), people
        )
    )
    return {"home_visits": int(home_visits), "met": int(met), "volunteers": volunteers or 0}


def as_of(known: Mapping[str, Any]) -> date:
    """The last day the figures are of."""
    return date.fromisoformat(known["as_of"])
