"""Which targets hold: for the town, a place or an organisation, by year."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from crm.accounts.queries import Scope
from crm.accounts.rules import Reach
from crm.targets.models import Target
from crm.targets.rules import Indicator


def targets(town_id: UUID) -> Select[Target]:
    """Every target in its latest revision."""
    latest = select(Target.id).distinct(Target.year, Target.indicator, Target.place_id, Target.organisation_id)
    latest = latest.where(Target.town_id == town_id).order_by(
        Target.year, Target.indicator, Target.place_id, Target.organisation_id, Target.revision.desc()
    )
    return select(Target).where(Target.town_id == town_id, Target.id.in_(latest))


def visible(scope: Scope) -> Select[Target]:
    """The town's targets, which are public in the town, and of the others those of one's own unit."""
    query = targets(scope.town_id)
    if scope.reach is Reach.ALL:
        return query
    own: list[ColumnElement[bool]] = [Target.place_id.is_(None) & Target.organisation_id.is_(None)]
    if scope.organisation_id:
        own.append(Target.organisation_id == scope.organisation_id)
    if scope.place_ids is not None:
        own.append(Target.place_id.in_(scope.place_ids))
    return query.where(or_(*own))


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
        Target.place_id.is_(None),
        Target.organisation_id.is_(None),
    )
    return session.scalars(query).one_or_none()


def by_place(session: Session, town_id: UUID, year: int) -> dict[UUID, Target]:
    """Targets of wards and communes, where there are any."""
    query = _parts(town_id, year).where(Target.place_id.is_not(None), Target.organisation_id.is_(None))
    return {target.place_id: target for target in session.scalars(query) if target.place_id}


def by_organisation(session: Session, town_id: UUID, year: int) -> dict[UUID, Target]:
    """Targets of organisations, where there are any."""
    query = _parts(town_id, year).where(Target.organisation_id.is_not(None), Target.place_id.is_(None))
    return {target.organisation_id: target for target in session.scalars(query) if target.organisation_id}


def _parts(town_id: UUID, year: int) -> Select[Target]:
    return targets(town_id).where(Target.year == year, Target.indicator == Indicator.VOLUNTARY)
