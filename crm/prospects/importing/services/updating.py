"""Filling in what a list says of somebody who is here and was not known; what stood before is kept for undoing."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from sqlalchemy import LargeBinary, select, text, type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.util import identity_key

from crm.citizen_ids import mask
from crm.names import fold, sort_key
from crm.prospects.importing.queries import among
from crm.prospects.importing.rules import Proposed
from crm.prospects.importing.services.adding import Committing, add_standings, agree, neighbourhood_said
from crm.prospects.models import ImportRow, Prospect
from crm.sealed import current as seal

PERSON = {"si_number": "insurance_number", "neighbourhood": "neighbourhood_id", "place": "place_id"}
"""Where a field of a row stands on the person, when it is called otherwise there."""


def fill_in(session: Session, work: Committing, rows: Sequence[tuple[ImportRow, Proposed]], at: datetime) -> None:
    """Write what these rows say that was not known; what somebody else wrote meanwhile stays. People are written by one
    statement and rows by another, however many they are."""
    session.flush()
    people = _held(session, work.town_id, {row.prospect_id for row, _one in rows if row.prospect_id})
    told = [(row, one, people[row.prospect_id]) for row, one in rows if row.prospect_id in people]
    claimed = [(person.id, ground) for row, one, person in told if _claims(row) for ground in one.grounds]
    grounds = add_standings(session, work, claimed, at) if claimed else {}
    filled, agreed = dict[UUID, Any](), dict[UUID, UUID]()
    for row, one, person in told:
        before = _before(row)
        named = (name for name in _fills(row) if name not in ("grounds", "sms_consent"))
        for name in [name for name in named if value_of(person, name) is None]:
            before.setdefault(name, None)
            put(person, name, neighbourhood_said(session, work, one) if name == "neighbourhood" else _said(one, name))
            filled[person.id] = person
        if _claims(row):
            keys = [(person.id, ground) for ground in one.grounds]
            before["grounds"] = [grounds.pop(key) for key in keys if key in grounds]
        if "sms_consent" in _fills(row) and person.phone == one.phone:
            agreed[row.id] = person.id
        set_committed_value(row, "before", json.dumps(before, default=str))
    for person in filled.values():
        person.version += 1
        if (looked_at := session.identity_map.get(identity_key(Prospect, (work.town_id, person.id)))) is not None:
            session.expire(looked_at)
    _write_people(session, work.town_id, filled.values(), at)
    for row, _one, person in told:
        set_committed_value(row, "version_after", person.version)
    for row, _one in rows:
        set_committed_value(row, "settled_at", at)
    _write_rows(session, work.town_id, [row for row, _one in rows], at)
    if agreed:
        agree(session, work, agreed, at)


def _fills(row: ImportRow) -> Sequence[str]:
    named: Sequence[str] = (row.detail or {}).get("fills", ())
    return named


def _before(row: ImportRow) -> dict[str, Any]:
    before: dict[str, Any] = json.loads(row.before) if row.before else {}
    return before


def _claims(row: ImportRow) -> bool:
    """Whether grounds are still to be filled in."""
    return "grounds" in _fills(row) and "grounds" not in _before(row)


_WRITTEN = {
    "sex": "text",
    "birth_year": "bigint",
    "birth_date": "date",
    "phone": "text",
    "other_phone": "text",
    "address": "text",
    "occupation": "text",
    "neighbourhood_id": "uuid",
    "citizen_id": "bytea",
    "citizen_index": "bytea",
    "citizen_masked": "text",
    "insurance_number": "bytea",
    "insurance_index": "bytea",
    "insurance_masked": "text",
}
"""What filling in may write of a person, each with PostgreSQL's type."""
_SEALED = ("citizen_id", "insurance_number")


def _held(session: Session, town_id: UUID, ids: Collection[UUID]) -> dict[UUID | None, Any]:
    """What may be filled in of these people, who are this transaction's until it ends, as they stand now. Numbers stay
    sealed."""
    kept = Prospect.__table__.c
    columns = (type_coerce(kept[name], LargeBinary).label(name) if name in _SEALED else kept[name] for name in _WRITTEN)
    query = select(kept.id, kept.version, *columns).where(kept.town_id == town_id, among(kept.id, ids))
    found = session.execute(query.order_by(kept.id).with_for_update())
    return {row.id: SimpleNamespace(**row._mapping) for row in found}


def _write_people(session: Session, town_id: UUID, people: Iterable[Any], at: datetime) -> None:
    rows = [
        {"id": person.id, "version": person.version} | {name: _sent(name, getattr(person, name)) for name in _WRITTEN}
        for person in people
    ]
    if rows:
        session.execute(_FILL, {"town": town_id, "at": at, "rows": json.dumps(rows, default=str)})


def _sent(name: str, value: Any) -> Any:
    if name in _SEALED and isinstance(value, str):
        value = seal().close(value)
    return f"\\x{value.hex()}" if isinstance(value, bytes) else value


def _write_rows(session: Session, town_id: UUID, rows: Iterable[ImportRow], at: datetime) -> None:
    sent = [
        {
            "id": row.id,
            "version": row.version_after,
            "before": None if row.before is None else _sent("before", seal().close(row.before)),
        }
        for row in rows
    ]
    session.execute(_SETTLE, {"town": town_id, "at": at, "rows": json.dumps(sent, default=str)})


_FILL = text(
    f"""
    update prospect p set {", ".join(f"{name} = v.{name}" for name in _WRITTEN)}, version = v.version, updated_at = :at
    from jsonb_to_recordset(cast(:rows as jsonb))
        v(id uuid, version bigint, {", ".join(f"{name} {kind}" for name, kind in _WRITTEN.items())})
    where p.town_id = :town and p.id = v.id
    """
)
_SETTLE = text(
    """
    update import_row r set settled_at = :at, before = v.before, version_after = v.version
    from jsonb_to_recordset(cast(:rows as jsonb)) v(id uuid, version bigint, before bytea)
    where r.town_id = :town and r.id = v.id
    """
)


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
    before = _before(row)
    for name in names:
        before.setdefault(name, value_of(person, name))
        put(person, name, neighbourhood_said(session, work, one) if name == "neighbourhood" else _said(one, name))
    if "grounds" in _fills(row) and "grounds" not in before:
        added = add_standings(session, work, [(person.id, ground) for ground in one.grounds], at)
        before["grounds"] = list(added.values())
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
