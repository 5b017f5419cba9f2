"""Which people someone may see: the one condition on them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    false,
    or_,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from crm.accounts.queries import Scope
from crm.accounts.rules import Reach
from crm.errors import NotFound
from crm.prospects.models import Prospect
from crm.prospects.tally.models import PeopleTally

ORDER: tuple[InstrumentedAttribute[Any], ...] = (Prospect.name_key, Prospect.id)
"""The order of every list of people: Vietnamese, by given name."""


def visible_to(scope: Scope) -> ColumnElement[bool]:
    """The one condition on people: those this person may see, merged records included."""
    return and_(Prospect.town_id == scope.town_id, *_within_reach(scope))


def listed_to(scope: Scope) -> ColumnElement[bool]:
    """`visible_to` without the records that were merged into another: what lists, counts and exports use."""
    return and_(visible_to(scope), Prospect.merged_into_id.is_(None))


def summed_to(scope: Scope) -> ColumnElement[bool]:
    """`listed_to` asked of the sums of people by stage instead of the people."""
    return and_(PeopleTally.town_id == scope.town_id, *_within_reach(scope, PeopleTally))


def _within_reach(scope: Scope, of: type[Prospect | PeopleTally] = Prospect) -> list[ColumnElement[bool]]:
    if scope.reach is Reach.ALL:
        return []
    if scope.reach is Reach.OWN:
        return [of.volunteer_id == scope.user_id]
    unit = []
    if scope.reach is Reach.UNIT and scope.organisation_id:
        unit.append(of.organisation_id == scope.organisation_id)
    if scope.reach is Reach.UNIT and scope.place_ids is not None:
        unit.append(lives_in(scope.place_ids, of))
    return unit or [false()]


def lives_in(place_ids: Collection[UUID], of: type[Prospect | PeopleTally] = Prospect) -> ColumnElement[bool]:
    """Whether somebody's ward or neighbourhood is one of these."""
    return or_(of.place_id.in_(place_ids), of.neighbourhood_id.in_(place_ids))


def person_seen(session: Session, scope: Scope, prospect_id: UUID) -> Prospect:
    """Someone this person may see; the id of a merged record leads to the one it became. Raises NotFound."""
    seen: set[UUID] = set()
    while prospect_id not in seen:
        seen.add(prospect_id)
        row = session.execute(_one_person(scope), {"person": prospect_id}).one_or_none()
        if row is None or (row[0].merged_into_id is None and not row[1]):
            break
        if row[0].merged_into_id is None:
            return row[0]
        prospect_id = row[0].merged_into_id
    raise NotFound


@lru_cache(maxsize=512)
def _one_person(scope: Scope) -> Select[Prospect, bool]:
    """Somebody, and whether they are within reach. Kept, as others below: making a statement costs more than asking it."""
    return select(Prospect, visible_to(scope)).where(
        Prospect.town_id == scope.town_id, Prospect.id == bindparam("person")
    )


def visible_among(session: Session, scope: Scope, prospect_ids: Collection[UUID]) -> Sequence[Prospect]:
    """Those of these people whom this person may see."""
    return session.scalars(
        select(Prospect).where(visible_to(scope), Prospect.id.in_(prospect_ids)).order_by(*ORDER)
    ).all()
