"""What is known of the units among whom a target is shared out, and the sharings themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.orm import Session

from crm.accounts.models import Organisation, User
from crm.accounts.queries import Scope, volunteers_for
from crm.accounts.rules import May, Reach
from crm.errors import NotFound, RuleBroken
from crm.months import MONTHS_IN_YEAR, Month
from crm.participation.models import Participation
from crm.participation.queries import asked_neighbourhood, holds_on
from crm.participation.rules import Span
from crm.participation.tally.queries import cells
from crm.places.boundaries import Boundaries, boundaries
from crm.places.models import Place
from crm.places.queries import ids_within, units
from crm.prospects.models import Prospect
from crm.prospects.queries.seeing import listed_to
from crm.prospects.rules import Stage
from crm.targets.sharing.models import TargetShare, TargetSharing
from crm.targets.sharing.rules import Level, State, Unit

COULD_JOIN = tuple(stage for stage in Stage if stage not in (Stage.JOINED, Stage.NOT_ELIGIBLE))


class Known(NamedTuple):
    """A unit by name, what is known of it today, and its stock at the end of the year before."""

    name: str
    unit: Unit
    baseline: int


class Field(NamedTuple):
    """Among whom a target is shared out, and who takes part and counts towards it though none of them looks after them."""

    units: list[Known]
    apart: int


def last_year_to(day: date) -> Span:
    """Twelve months, the begun one as the last of them."""
    return Span((Month.of(day) - (MONTHS_IN_YEAR - 1)).first_day, day)


def known_units(session: Session, scope: Scope, level: Level, today: date) -> Field:
    """The units of a level that someone may see, by name: wards of today, organisations that look after people, volunteers
    of the unit."""
    if level is Level.VOLUNTEER:
        return _volunteers(session, scope, today)
    within = boundaries(session, scope.town_id, today)
    stock, gained, baseline, whole = Counter[UUID](), Counter[UUID](), Counter[UUID](), 0
    for cell in cells(session, scope, last_year_to(today), within):
        whole += cell.moved.now
        key = cell.place_id if level is Level.PLACE else cell.organisation_id
        if key:
            stock[key] += cell.moved.now
            gained[key] += cell.moved.joined + cell.moved.returned
    for cell in cells(session, scope, Span.year_to(today), within):
        key = cell.place_id if level is Level.PLACE else cell.organisation_id
        if key:
            baseline[key] += cell.moved.start
    waiting = _could_join(session, scope, level, within)
    names = _names(session, scope.town_id, level, today)
    keys = [key for key in names if level is Level.PLACE or key in stock or key in waiting]
    found = [Known(names[one], Unit(one, stock[one], waiting[one], gained[one]), baseline[one]) for one in keys]
    return Field(found, whole - sum(one.unit.stock for one in found))


def _names(session: Session, town_id: UUID, level: Level, today: date) -> dict[UUID, str]:
    if level is Level.PLACE:
        return {place.id: place.name for place in session.scalars(units(town_id, today))}
    query = select(Organisation.id, Organisation.name).where(Organisation.town_id == town_id)
    return {row[0]: row[1] for row in session.execute(query.order_by(Organisation.name))}


def _could_join(session: Session, scope: Scope, level: Level, within: Boundaries) -> Counter[UUID]:
    asked = asked_neighbourhood(Prospect.place_id, within)
    by: list[Any] = [Prospect.place_id, asked] if level is Level.PLACE else [Prospect.organisation_id, Prospect.town_id]
    query: Select[Any] = select(*by, func.count()).where(listed_to(scope), Prospect.stage.in_(COULD_JOIN)).group_by(*by)
    found = Counter[UUID]()
    for key, neighbourhood_id, number in session.execute(query):
        if key:
            found[within.unit_of(key, neighbourhood_id) if level is Level.PLACE else key] += number
    return found


def _volunteers(session: Session, scope: Scope, today: date) -> Field:
    own = listed_to(scope)
    waiting = _by_volunteer(session, select(Prospect.volunteer_id, func.count()).where(own), COULD_JOIN)
    spells = select(Prospect.volunteer_id, func.count()).join(
        Participation,
        and_(Participation.town_id == Prospect.town_id, Participation.prospect_id == Prospect.id),
    )
    stock = _by_volunteer(session, spells.where(own, holds_on(today)))
    start = _by_volunteer(session, spells.where(own, holds_on(Span.year_to(today).before)))
    since = last_year_to(today).since
    began = and_(Participation.started_on >= since, Participation.withdrawn_at.is_(None))
    gained = _by_volunteer(session, spells.where(own, began))
    people = session.scalars(volunteers_for(scope)).all()
    found = [
        Known(one.full_name, Unit(one.id, stock[one.id], waiting[one.id], gained[one.id]), start[one.id])
        for one in people
    ]
    return Field(found, stock.total() - sum(one.unit.stock for one in found))


def _by_volunteer(
    session: Session, query: Select[UUID | None, int], stages: Sequence[Stage] | None = None
) -> Counter[UUID | None]:
    """By volunteer; under None who is looked after by nobody."""
    query = query.where(Prospect.stage.in_(stages)) if stages else query
    rows = session.execute(query.group_by(Prospect.volunteer_id)).tuples()
    return Counter({key: number for key, number in rows})  # noqa: C416 - a result with keys() is no mapping


# ---- sharings


class Line(NamedTuple):
    """A share, whose it is, and who answered for it."""

    share: TargetShare
    name: str
    answered_by: str | None


def sharings(scope: Scope) -> Select[TargetSharing]:
    """Those that someone prepares or may read: everything for who sees the whole town, one's own unit's for a lead."""
    query = select(TargetSharing).where(TargetSharing.town_id == scope.town_id)
    if scope.reach is not Reach.ALL:
        query = query.where(_of_own_unit(scope))
    return query.order_by(TargetSharing.made_at.desc(), TargetSharing.id)


def _of_own_unit(scope: Scope) -> ColumnElement[bool]:
    if scope.reach is not Reach.UNIT:
        return false()
    own = []
    if scope.organisation_id and scope.place_ids is None:
        own.append(TargetSharing.of_organisation_id == scope.organisation_id)
    if scope.place_ids is not None and not scope.organisation_id:
        own.append(TargetSharing.of_place_id.in_(scope.place_ids))
    return or_(*own) if own else false()


def sharing(session: Session, scope: Scope, sharing_id: UUID, *, lock: bool = False) -> TargetSharing:
    """One that someone may read. Raises NotFound."""
    query = sharings(scope).where(TargetSharing.id == sharing_id)
    found = session.scalars(query.with_for_update() if lock else query).one_or_none()
    if found is None:
        raise NotFound
    return found


def lines_of(session: Session, row: TargetSharing) -> list[Line]:
    """The shares, by name."""
    answered = select(User.id, User.full_name).where(User.town_id == row.town_id).subquery()
    query = (
        select(TargetShare, func.coalesce(Place.name, Organisation.name, User.full_name), answered.c.full_name)
        .outerjoin(Place, and_(Place.town_id == TargetShare.town_id, Place.id == TargetShare.place_id))
        .outerjoin(
            Organisation,
            and_(Organisation.town_id == TargetShare.town_id, Organisation.id == TargetShare.organisation_id),
        )
        .outerjoin(User, and_(User.town_id == TargetShare.town_id, User.id == TargetShare.volunteer_id))
        .outerjoin(answered, answered.c.id == TargetShare.answered_by_id)
        .where(TargetShare.town_id == row.town_id, TargetShare.sharing_id == row.id)
    )
    found = [Line(*one) for one in session.execute(query)]
    return sorted(found, key=lambda line: (-line.share.people, line.name))


def asked_of(session: Session, scope: Scope) -> Sequence[tuple[TargetShare, TargetSharing]]:
    """What somebody's unit is asked to agree to, or has answered and is not settled yet."""
    own = []
    if scope.reach is Reach.UNIT and scope.organisation_id and scope.place_ids is None:
        own.append(TargetShare.organisation_id == scope.organisation_id)
    if scope.reach is Reach.UNIT and scope.place_ids is not None and not scope.organisation_id:
        own.append(TargetShare.place_id.in_(scope.place_ids))
    if scope.reach is Reach.OWN:
        own.append(TargetShare.volunteer_id == scope.user_id)
    if not own:
        return []
    query = (
        select(TargetShare, TargetSharing)
        .join(
            TargetSharing,
            and_(TargetSharing.town_id == TargetShare.town_id, TargetSharing.id == TargetShare.sharing_id),
        )
        .where(TargetShare.town_id == scope.town_id, TargetSharing.state == State.SENT, or_(*own))
        .order_by(TargetSharing.year, TargetShare.id)
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def share_asked_of(session: Session, scope: Scope, share_id: UUID) -> tuple[TargetShare, TargetSharing]:
    """The share that somebody may answer. Raises NotFound."""
    for share, row in asked_of(session, scope):
        if share.id == share_id:
            return share, row
    raise NotFound


def leads_one_unit(scope: Scope) -> bool:
    """Whether somebody leads an organisation or a place, and so may share its target out among its volunteers."""
    return scope.reach is Reach.UNIT and (scope.organisation_id is None) != (scope.place_ids is None)


def may_change(scope: Scope, user: User, row: TargetSharing) -> bool:
    """Whoever may set targets changes every sharing; a lead the one among the volunteers of their own unit."""
    return user.may(May.SET_TARGETS) or (leads_one_unit(scope) and row.level is Level.VOLUNTEER)


def volunteers_named(session: Session, scope: Scope) -> Mapping[UUID, str]:
    """Names of the people to whom somebody may give work, by id."""
    return {one.id: one.full_name for one in session.scalars(volunteers_for(scope))}


def units_with_volunteers(session: Session, scope: Scope, today: date) -> list[tuple[str, str]]:
    """Wards and organisations whose volunteers a target can be shared among."""
    people = select(User.place_id, User.organisation_id).where(User.town_id == scope.town_id, User.active)
    there = {one for row in session.execute(people) for one in row if one}
    found = []
    for level in (Level.PLACE, Level.ORGANISATION):
        names = _names(session, scope.town_id, level, today)
        found += [(f"{level.value}:{key}", name) for key, name in names.items() if key in there]
    return found


def narrowed(
    session: Session, user: User, scope: Scope, level: Level, of: str | None
) -> tuple[Scope, dict[str, UUID | None]]:
    """As whom the units of a sharing are looked up, and whose target it is. Raises RuleBroken where no unit was chosen."""
    if level is not Level.VOLUNTEER:
        return scope, {}
    if scope.reach is not Reach.ALL:
        return scope, {"of_place_id": user.place_id, "of_organisation_id": user.organisation_id}
    kind, _colon, key = (of or "").partition(":")
    if not key:
        raise RuleBroken(_l("Choose whose volunteers share the target."), field="of")
    one = UUID(key)
    if kind == Level.PLACE.value:
        within = ids_within(session, scope.town_id, one)
        return replace(scope, reach=Reach.UNIT, place_ids=within), {"of_place_id": one}
    return replace(scope, reach=Reach.UNIT, organisation_id=one), {"of_organisation_id": one}


def whose_name(session: Session, row: TargetSharing) -> str | None:
    """The unit whose target is shared out; None for the town."""
    if row.of_organisation_id:
        return session.get_one(Organisation, (row.town_id, row.of_organisation_id)).name
    return session.get_one(Place, (row.town_id, row.of_place_id)).name if row.of_place_id else None


def name_of(session: Session, share: TargetShare) -> str:
    """Whose share it is."""
    if share.volunteer_id:
        return session.get_one(User, (share.town_id, share.volunteer_id)).full_name
    if share.organisation_id:
        return session.get_one(Organisation, (share.town_id, share.organisation_id)).name
    return session.get_one(Place, (share.town_id, share.place_id)).name
