"""Which events somebody may see, whom one met there, and their sums for Biểu 04 and a unit's report."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, func, select, tuple_
from sqlalchemy.orm import Session

from crm.accounts.models import Organisation, User
from crm.accounts.queries import Scope
from crm.accounts.rules import Reach
from crm.db import one_found
from crm.outreach.models import Visit
from crm.participation.rules import Span
from crm.places.models import Place
from crm.places.queries import units
from crm.prospects.models import Prospect
from crm.prospects.queries.lists import people
from crm.prospects.queries.seeing import ORDER, visible_to
from crm.reports.events.models import EventPerson, PublicEvent
from crm.reports.events.rules import EventKind
from crm.web.pager import Page, read_cursor, write_cursor

MOST_FOUND = 8
MOST_MET = 200


def seen_by(scope: Scope) -> ColumnElement[bool]:
    """All of the town; of a lead those of their ward or organisation; of a volunteer those they logged."""
    ours = PublicEvent.town_id == scope.town_id
    if scope.reach is Reach.ALL:
        return ours
    if scope.reach is Reach.OWN:
        return and_(ours, PublicEvent.logged_by_id == scope.user_id)
    if scope.reach is not Reach.UNIT:
        return and_(ours, false())
    own = [ours]
    if scope.place_ids is not None:
        own.append(PublicEvent.place_id.in_(scope.place_ids))
    if scope.organisation_id is not None:
        own.append(PublicEvent.organisation_id == scope.organisation_id)
    return and_(*own)


class Line(NamedTuple):
    """An event, where and by whom."""

    event: PublicEvent
    place: str
    organisation: str | None
    logged_by: str


def _lines(scope: Scope) -> Any:
    return (
        select(PublicEvent, Place.name, Organisation.name, User.full_name)
        .join(Place, and_(Place.town_id == PublicEvent.town_id, Place.id == PublicEvent.place_id))
        .join(User, and_(User.town_id == PublicEvent.town_id, User.id == PublicEvent.logged_by_id))
        .outerjoin(
            Organisation,
            and_(Organisation.town_id == PublicEvent.town_id, Organisation.id == PublicEvent.organisation_id),
        )
        .where(seen_by(scope))
    )


def page_of(session: Session, scope: Scope, *, cursor: str | None, size: int = 30) -> Page[Line]:
    """One page of events, the last held first."""
    query = _lines(scope)
    if cursor:
        position = read_cursor(cursor, (date.fromisoformat, UUID))
        query = query.where(tuple_(PublicEvent.held_on, PublicEvent.id) < tuple_(*position))
    order = PublicEvent.held_on.desc(), PublicEvent.id.desc()
    found = [Line(*row) for row in session.execute(query.order_by(*order).limit(size + 1))]
    last = found[size - 1].event if len(found) > size else None
    return Page(found[:size], write_cursor((last.held_on, last.id)) if last else None)


def event_seen(session: Session, scope: Scope, event_id: UUID, *, lock: bool = False) -> PublicEvent:
    """One event somebody may see. Raises NotFound."""
    return one_found(session, select(PublicEvent).where(seen_by(scope), PublicEvent.id == event_id), lock=lock)


def line_of(session: Session, scope: Scope, event: PublicEvent) -> Line:
    """One event with its names."""
    return Line(*session.execute(_lines(scope).where(PublicEvent.id == event.id)).one())


def places_for(session: Session, scope: Scope, user: User, today: date) -> Sequence[Place]:
    """The wards in which somebody may log an event: their own, or, working for the whole town or an organisation, any."""
    found = session.scalars(units(scope.town_id, today)).all()
    mine = scope.place_ids if scope.place_ids is not None else None
    if mine is None and scope.reach is Reach.OWN and user.place_id:
        mine = (user.place_id,)
    return [place for place in found if mine is None or place.id in mine]


def met_at(session: Session, scope: Scope, event: PublicEvent) -> Sequence[Prospect]:
    """The people met there, among those somebody may see."""
    query = (
        select(Prospect)
        .join(Visit, and_(Visit.town_id == Prospect.town_id, Visit.prospect_id == Prospect.id))
        .join(EventPerson, and_(EventPerson.town_id == Visit.town_id, EventPerson.visit_id == Visit.id))
        .where(EventPerson.event_id == event.id, Visit.withdrawn_at.is_(None), visible_to(scope))
        .order_by(*ORDER)
        .limit(MOST_MET)
    )
    return session.scalars(query).all()


def found_by_name(session: Session, scope: Scope, q: str, today: date) -> Sequence[Prospect]:
    """A few people somebody may see, by name, phone or number."""
    if not q.strip():
        return []
    return session.scalars(people(scope, q=q, today=today).order_by(*ORDER).limit(MOST_FOUND)).all()


class Sums(NamedTuple):
    """Events of a kind in a period: how often, people who attended, leaflets."""

    times: int
    attended: int
    leaflets: int


def sums(session: Session, town_id: UUID, span: Span, *narrowed: ColumnElement[bool]) -> dict[EventKind, Sums]:
    """What was held in a period, by kind; what was withdrawn does not count."""
    query = (
        select(
            PublicEvent.kind,
            func.sum(PublicEvent.times),
            func.coalesce(func.sum(PublicEvent.attended), 0),
            func.coalesce(func.sum(PublicEvent.leaflets), 0),
        )
        .where(
            PublicEvent.town_id == town_id,
            PublicEvent.withdrawn_at.is_(None),
            PublicEvent.held_on.between(span.since, span.as_of),
            *narrowed,
        )
        .group_by(PublicEvent.kind)
    )
    return {row[0]: Sums(*(int(number or 0) for number in row[1:])) for row in session.execute(query)}
