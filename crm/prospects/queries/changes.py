"""Who changed what of somebody: for putting back, and for two who change the same."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, cast, select
from sqlalchemy.orm import Session

from crm.accounts.models import ChangeRecord, User
from crm.errors import NotFound
from crm.prospects.models import Prospect

CHANGED = "change_prospect"
VERSION = "version"
"""Kept beside the values after a change: the version of the person that the change made."""
MOST_LOOKED_AT = 200


class Wrote(NamedTuple):
    """Who changed something last, and when."""

    by: str | None
    at: datetime


def last_writers(session: Session, prospect: Prospect, names: Collection[str]) -> dict[str, Wrote]:
    """For each of these fields who changed it last; a field nobody changed is left out."""
    query = (
        select(ChangeRecord.after, ChangeRecord.at, User.full_name)
        .outerjoin(User, (User.town_id == ChangeRecord.town_id) & (User.id == ChangeRecord.user_id))
        .where(ChangeRecord.town_id == prospect.town_id, ChangeRecord.subject_id == prospect.id)
        .where(ChangeRecord.act == CHANGED)
        .order_by(ChangeRecord.at.desc(), ChangeRecord.id.desc())
        .limit(MOST_LOOKED_AT)
    )
    found: dict[str, Wrote] = {}
    for after, at, by in session.execute(query):
        for name in set(names) & (after or {}).keys():
            found.setdefault(name, Wrote(by, at))
    return found


def as_of_version(session: Session, prospect: Prospect, version: int) -> dict[str, Any]:
    """What the fields that were changed after this version were at it: of each the value before its first change."""
    made = cast(ChangeRecord.after[VERSION].astext, BigInteger)
    query = (
        select(ChangeRecord.before)
        .where(ChangeRecord.town_id == prospect.town_id, ChangeRecord.subject_id == prospect.id)
        .where(ChangeRecord.act == CHANGED, made > version)
        .order_by(made.desc())
        .limit(MOST_LOOKED_AT)
    )
    found: dict[str, Any] = {}
    for before in session.scalars(query):
        found |= before or {}
    return found


def change_of(session: Session, prospect: Prospect, record_id: UUID) -> ChangeRecord:
    """One correction of this person. Raises NotFound."""
    record = session.get(ChangeRecord, (prospect.town_id, record_id))
    if record is None or record.subject_id != prospect.id or record.act != CHANGED:
        raise NotFound
    return record
