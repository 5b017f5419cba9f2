"""The grounds for support that people have on a day."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Uuid,
    and_,
    any_,
    bindparam,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session

from crm.places.models import Place, Town
from crm.prospects.models import Prospect, Standing
from crm.prospects.rules import STRENGTH, Ground, deciding, grounds_held


def stands(ground: Ground, day: date) -> ColumnElement[bool]:
    """Whether this ground decides somebody's support on a day: they have it, and no stronger one."""
    stronger = [other for other in Ground if STRENGTH[other] < STRENGTH[ground] and other is not Ground.OTHER]
    conditions = []
    if ground is not Ground.OTHER:
        conditions.append(_has((ground,), day))
    if stronger:
        conditions.append(~_has(stronger, day))
    return and_(*conditions)


def _has(grounds: Iterable[Ground], day: date) -> ColumnElement[bool]:
    return exists().where(
        Standing.town_id == Prospect.town_id,
        Standing.prospect_id == Prospect.id,
        Standing.ground.in_(list(grounds)),
        *valid_on(day),
    )


def valid_on(day: date) -> tuple[ColumnElement[bool], ...]:
    return Standing.valid_from <= day, or_(Standing.valid_to.is_(None), Standing.valid_to > day)


def deciding_grounds(session: Session, prospect_ids: Collection[UUID], day: date) -> dict[UUID, Ground]:
    """The ground that decides the support of each of these people on a day; `other` where there is none."""
    of_them = and_(Standing.town_id == Prospect.town_id, Standing.prospect_id == Prospect.id, *valid_on(day))
    query = (
        select(Prospect.id, Place.special, func.array_agg(Standing.ground).filter(Standing.ground.is_not(None)))
        .join(Place, and_(Place.town_id == Prospect.town_id, Place.id == Prospect.place_id))
        .outerjoin(Standing, of_them)
        .where(Prospect.town_id.in_(select(Town.id)), Prospect.id.in_(prospect_ids))
        .group_by(Prospect.id, Place.special)
    )
    return {
        prospect_id: deciding(grounds_held(map(Ground, papers or ()), special=special))
        for prospect_id, special, papers in session.execute(query)
    }


def standings_of(session: Session, town_id: UUID, prospect_ids: Collection[UUID]) -> dict[UUID, list[Standing]]:
    """All grounds these people have or had, the newest first."""
    found: dict[UUID, list[Standing]] = {prospect_id: [] for prospect_id in prospect_ids}
    for row in session.scalars(_STANDINGS, {"town": town_id, "people": list(prospect_ids)}):
        found[row.prospect_id].append(row)
    return found


_STANDINGS = (
    select(Standing)
    .where(
        Standing.town_id == bindparam("town"), Standing.prospect_id == any_(bindparam("people", type_=ARRAY(Uuid())))
    )
    .order_by(Standing.valid_from.desc(), Standing.id.desc())
)
