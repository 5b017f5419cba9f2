"""Which targets hold: for the town, a place or an organisation, by year."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import Scope, volunteers_only
from crm.accounts.rules import Reach
from crm.targets.models import Target
from crm.targets.rules import Indicator, Whose

_WHOSE = (Target.year, Target.indicator, Target.place_id, Target.organisation_id, Target.volunteer_id)


def targets(town_id: UUID) -> Select[Target]:
    """Every target in its latest revision."""
    latest = select(Target.id).distinct(*_WHOSE)
    latest = latest.where(Target.town_id == town_id).order_by(*_WHOSE, Target.revision.desc())
    return select(Target).where(Target.town_id == town_id, Target.id.in_(latest))


def visible(scope: Scope) -> Select[Target]:
    """The town's targets, which are public in the town, and of the others those of one's own unit."""
    query = targets(scope.town_id)
    if scope.reach is Reach.ALL:
        return query
    own: list[ColumnElement[bool]] = [_of_the_town()]
    if scope.organisation_id:
        own.append(Target.organisation_id == scope.organisation_id)
    if scope.place_ids is not None:
        own.append(Target.place_id.in_(scope.place_ids))
    if scope.reach is Reach.UNIT:
        own.append(Target.volunteer_id.in_(select(volunteers_only(scope).subquery().c.id)))
    return query.where(or_(*own))


def _of_the_town() -> ColumnElement[bool]:
    return and_(Target.place_id.is_(None), Target.organisation_id.is_(None), Target.volunteer_id.is_(None))


def years(session: Session, scope: Scope) -> Sequence[int]:
    """The years that have targets, the latest first."""
    found = visible(scope).with_only_columns(Target.year).distinct().order_by(Target.year.desc())
    return session.scalars(found).all()


def of_year(session: Session, scope: Scope, year: int) -> Sequence[Target]:
    """The targets of a year that someone may see."""
    return session.scalars(visible(scope).where(Target.year == year).order_by(Target.indicator, Target.id)).all()


def town_target(
    session: Session, town_id: UUID, year: int, indicator: Indicator = Indicator.VOLUNTARY
) -> Target | None:
    """The target of the whole town."""
    query = targets(town_id).where(
        Target.year == year,
        Target.indicator == indicator,
        _of_the_town(),
    )
    return session.scalars(query).one_or_none()


def of_sharing(session: Session, scope: Scope, year: int) -> Target | None:
    """The target that somebody shares out further: the town's, or that of the one unit they lead."""
    if scope.reach is Reach.ALL:
        return town_target(session, scope.town_id, year)
    if scope.organisation_id:
        return by_organisation(session, scope.town_id, year).get(scope.organisation_id)
    of_places = by_place(session, scope.town_id, year)
    return next((of_places[one] for one in scope.place_ids or () if one in of_places), None)


def current(session: Session, town_id: UUID, whose: Whose) -> Target | None:
    """The latest revision of one target."""
    return session.scalars(_revisions(town_id, whose).limit(1)).one_or_none()


def whose_is(row: Target) -> Whose:
    """Which target a row is a revision of."""
    return Whose(row.year, row.indicator, row.place_id, row.organisation_id, row.volunteer_id)


def history(session: Session, town_id: UUID, whose: Whose) -> Sequence[tuple[Target, str | None]]:
    """Every revision of one target, the latest first, with who recorded it."""
    query = _revisions(town_id, whose).outerjoin(
        User, and_(User.town_id == Target.town_id, User.id == Target.recorded_by_id)
    )
    return [(row[0], row[1]) for row in session.execute(query.add_columns(User.full_name))]


def _revisions(town_id: UUID, whose: Whose) -> Select[Target]:
    same = [Target.town_id == town_id, Target.year == whose.year, Target.indicator == whose.indicator]
    units = (Target.place_id, whose.place_id), (Target.organisation_id, whose.organisation_id)
    same += [column.is_not_distinct_from(one) for column, one in (*units, (Target.volunteer_id, whose.volunteer_id))]
    return select(Target).where(*same).order_by(Target.revision.desc())


def by_place(session: Session, town_id: UUID, year: int) -> dict[UUID, Target]:
    """Targets of wards and communes, where there are any."""
    query = _parts(town_id, year).where(Target.place_id.is_not(None), Target.organisation_id.is_(None))
    return {target.place_id: target for target in session.scalars(query) if target.place_id}


def by_organisation(session: Session, town_id: UUID, year: int) -> dict[UUID, Target]:
    """Targets of organisations, where there are any."""
    query = _parts(town_id, year).where(Target.organisation_id.is_not(None), Target.place_id.is_(None))
    return {target.organisation_id: target for target in session.scalars(query) if target.organisation_id}


def measured_places(session: Session, scope: Scope, year: int) -> dict[UUID, Target]:
    """Targets of wards and communes against which the people that someone sees may be held: of an organisation's people in a
    ward the ward's target says nothing."""
    if scope.reach is Reach.ALL:
        return by_place(session, scope.town_id, year)
    if scope.organisation_id is not None or scope.place_ids is None:
        return {}
    return {key: row for key, row in by_place(session, scope.town_id, year).items() if key in scope.place_ids}


def measured_organisations(session: Session, scope: Scope, year: int) -> dict[UUID, Target]:
    """Targets of organisations against which the people that someone sees may be held: all for who sees the whole town, for
    the lead of an organisation its own; of its people in one ward the target says nothing."""
    if scope.reach is Reach.ALL:
        return by_organisation(session, scope.town_id, year)
    if scope.organisation_id is None or scope.place_ids is not None:
        return {}
    own = by_organisation(session, scope.town_id, year).get(scope.organisation_id)
    return {scope.organisation_id: own} if own else {}


def by_volunteer(session: Session, town_id: UUID, year: int) -> dict[UUID, Target]:
    """Targets of volunteers, where there are any."""
    query = _parts(town_id, year).where(Target.volunteer_id.is_not(None))
    return {target.volunteer_id: target for target in session.scalars(query) if target.volunteer_id}


def _parts(town_id: UUID, year: int) -> Select[Target]:
    return targets(town_id).where(Target.year == year, Target.indicator == Indicator.VOLUNTARY)
