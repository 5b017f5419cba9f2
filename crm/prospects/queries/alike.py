"""Who may be the same person."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    or_,
    select,
)
from sqlalchemy.orm import Session

from crm.names import fold
from crm.prospects.models import Prospect
from crm.prospects.rules import Same, Traits, reasons_for_one, score

_LAST_Y_OR_I = re.compile(r"(?<![aeio])[yi](?=$| )")


@dataclass(frozen=True)
class Candidate:
    """Someone who may be the same person: why, and how sure that makes us (0…100)."""

    id: UUID
    reasons: tuple[Same, ...]
    score: int


def traits_of(row: Prospect) -> Traits:
    """What somebody who is kept is compared by."""
    return Traits(
        full_name=row.full_name,
        birth_date=row.birth_date,
        birth_year=row.birth_year,
        sex=row.sex,
        phones=frozenset(filter(None, (row.phone, row.other_phone))),
        citizen=row.citizen_index,
        citizen_digits=len(row.citizen_id or ""),
        insurance=row.insurance_index,
        place_id=row.place_id,
    )


def candidates(session: Session, town_id: UUID, new: Traits, *, except_id: UUID | None = None) -> list[Candidate]:
    """People who may be this one, the likeliest first. Asks the whole town: a duplicate may be out of one's sight."""
    found: dict[UUID, Prospect] = {}
    for condition in _meeting_points(new):
        query = select(Prospect).where(Prospect.town_id == town_id, Prospect.merged_into_id.is_(None), condition)
        found |= {row.id: row for row in session.scalars(query.limit(200))}
    reasons = {row.id: reasons_for_one(new, traits_of(row)) for row in found.values() if row.id != except_id}
    likely = [Candidate(key, why, score(why)) for key, why in reasons.items() if why]
    return sorted(likely, key=lambda candidate: (-candidate.score, candidate.id))


def _meeting_points(new: Traits) -> list[ColumnElement[bool]]:
    """The indexed conditions under which another record is looked at, one query each."""
    points: list[ColumnElement[bool]] = []
    if new.citizen:
        points.append(Prospect.citizen_index == new.citizen)
    if new.insurance:
        points.append(Prospect.insurance_index == new.insurance)
    for phone in sorted(new.phones):
        points.append(or_(Prospect.phone == phone, Prospect.other_phone == phone))
    name = _LAST_Y_OR_I.sub("_", fold(new.full_name))
    if name and new.birth_year:
        pattern: ColumnElement[str] = bindparam(None, name, literal_execute=True)
        points.append(and_(Prospect.name_fold.like(pattern), Prospect.birth_year == new.birth_year))
    return points
