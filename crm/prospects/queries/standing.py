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
    or_,
    select,
)
from sqlalchemy.orm import Session

from crm.places.models import Town
from crm.prospects.models import Prospect, Standing
from crm.prospects.rules import STRENGTH, Ground, deciding


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
    query = select(Standing.prospect_id, Standing.ground).where(
        Standing.town_id.in_(select(Town.id)), Standing.prospect_id.in_(prospect_ids), *valid_on(day)
    )
    grounds: dict[UUID, list[Ground]] = {prospect_id: [] for prospect_id in prospect_ids}
    for prospect_id, ground in session.execute(query):
        grounds[prospect_id].append(ground)
    return {prospect_id: deciding(found) for prospect_id, found in grounds.items()}


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
