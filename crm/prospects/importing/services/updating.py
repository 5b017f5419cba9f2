"""Filling in what a list says of somebody who is here and was not known; what stood before is kept for undoing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.citizen_ids import mask
from crm.names import fold, sort_key
from crm.prospects.importing.rules import Proposed
from crm.prospects.importing.services.adding import Committing, add_standings, agree, neighbourhood_said
from crm.prospects.models import ImportRow, Prospect
from crm.sealed import current as seal

PERSON = {"si_number": "insurance_number", "neighbourhood": "neighbourhood_id", "place": "place_id"}
"""Where a field of a row stands on the person, when it is called otherwise there."""


def fill_in(session: Session, work: Committing, rows: Sequence[tuple[ImportRow, Proposed]], at: datetime) -> None:
    """Write what these rows say that was not known; what somebody else wrote meanwhile stays."""
    people = _held(session, work.town_id, [row.prospect_id for row, _one in rows if row.prospect_id])
    agreed = {}
    for row, one in rows:
        row.settled_at = at
        person = people.get(row.prospect_id)
        if person is None:
            continue
        named = (row.detail or {}).get("fills", ())
        blank = [name for name in named if name not in ("grounds", "sms_consent") and value_of(person, name) is None]
        _write(session, work, row, person, one, blank, at)
        if "sms_consent" in named and person.phone == one.phone:
            agreed[row.id] = person.id
    session.flush()
    for row, _one in rows:
        if person := people.get(row.prospect_id):
            row.version_after = person.version
    if agreed:
        agree(session, work, agreed, at)


def _held(session: Session, town_id: UUID, ids: Sequence[UUID]) -> dict[UUID | None, Prospect]:
    """These people, theirs until the transaction ends, each as they stand now."""
    query = select(Prospect).where(Prospect.town_id == town_id, Prospect.id.in_(ids)).order_by(Prospect.id)
    found = session.scalars(query.with_for_update().execution_options(populate_existing=True))
    return {person.id: person for person in found}


def take_over(session: Session, work: Committing, row: ImportRow, one: Proposed, at: datetime) -> None:
    """Write what a row says otherwise than is kept: somebody decided for the list."""
    person = session.get_one(Prospect, (work.town_id, row.prospect_id), with_for_update=True, populate_existing=True)
    _write(session, work, row, person, one, (row.detail or {}).get("differs", ()), at)
    session.flush()
    row.version_after = person.version


def _write(
    session: Session,
    work: Committing,
    row: ImportRow,
    person: Prospect,
    one: Proposed,
    names: Iterable[str],
    at: datetime,
) -> None:
    before: dict[str, Any] = json.loads(row.before) if row.before else {}
    for name in names:
        before.setdefault(name, value_of(person, name))
        put(person, name, neighbourhood_said(session, work, one) if name == "neighbourhood" else _said(one, name))
    if "grounds" in (row.detail or {}).get("fills", ()) and "grounds" not in before:
        added = add_standings(session, work, [(person.id, ground) for ground in one.grounds], at)
        before["grounds"] = added
    if person in session.dirty:
        person.updated_at = at
    row.before = json.dumps(before, default=str)


def _said(one: Proposed, name: str) -> Any:
    return one.place_id if name == "place" else getattr(one, name)


def value_of(person: Prospect, name: str) -> Any:
    """What is kept of a field of a row."""
    if name in ("grounds", "sms_consent"):
        return None
    return getattr(person, PERSON.get(name, name))


def put(person: Prospect, name: str, value: Any) -> None:
    """Set a field of a row on the person, with whatever is derived from it."""
    if name == "full_name":
        person.full_name, person.name_fold, person.name_key = value, fold(value), sort_key(value)
    elif name == "citizen_id":
        person.citizen_id, person.citizen_index, person.citizen_masked = _sealed(value)
    elif name == "si_number":
        person.insurance_number, person.insurance_index, person.insurance_masked = _sealed(value)
    elif name == "place":
        person.place_id, person.neighbourhood_id = value, None
    elif name == "birth_year":
        person.birth_year = value
        if person.birth_date and person.birth_date.year != value:
            person.birth_date = None
    elif name == "birth_date":
        person.birth_date, person.birth_year = value, value.year if value else person.birth_year
    else:
        setattr(person, PERSON.get(name, name), value)


def _sealed(number: str | None) -> tuple[str | None, bytes | None, str | None]:
    return (number, seal().index(number), mask(number)) if number else (None, None, None)
