"""Keeping the network: points with their wards, who works there, what they were trained in."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.services import note_change_of
from crm.clock import local_day
from crm.collecting.models import CollectionPoint, CollectionStaff, CollectionTraining, ServedWard
from crm.collecting.rules import LONGEST_DOCUMENT, LONGEST_NAME, LONGEST_WHAT, Told, checked, last_day, telephone
from crm.errors import Conflict, RuleBroken
from crm.ids import new_id
from crm.lines import line


def open_point(
    session: Session,
    point_id: UUID,
    place_id: UUID,
    told: Told,
    serves: Collection[UUID],
    *,
    by: User,
    at: datetime,
) -> CollectionPoint:
    """Add a point; the same page sent twice adds one. Raises RuleBroken, and Conflict for an id that is taken."""
    put = insert(CollectionPoint).values(
        town_id=by.town_id,
        id=point_id,
        place_id=place_id,
        changed_at=at,
        changed_by_id=by.id,
        **_columns(checked(told)),
    )
    made = session.scalar(put.on_conflict_do_nothing().returning(CollectionPoint.id))
    row = session.get(CollectionPoint, (by.town_id, point_id), populate_existing=True)
    if row is None or row.changed_by_id != by.id:
        raise Conflict(_l("This point was added by somebody else."), code="other_point")
    if made is not None:
        _serve(session, row, serves)
        note_change_of(session, row, "open_collection_point", by=by, at=at)
    return row


def change_point(
    session: Session,
    row: CollectionPoint,
    place_id: UUID,
    told: Told,
    serves: Collection[UUID],
    *,
    by: User,
    at: datetime,
) -> None:
    """Put right what is told of a point that is held for update. Raises RuleBroken."""
    kept = _columns(checked(told)) | {"place_id": place_id}
    before = {name: _plain(getattr(row, name)) for name, value in kept.items() if getattr(row, name) != value}
    for name, value in kept.items():
        setattr(row, name, value)
    row.changed_at, row.changed_by_id = at, by.id
    served = _serve(session, row, serves)
    if served is not None:
        before["serves"] = served
    if before:
        note_change_of(session, row, "change_collection_point", by=by, at=at, before=before)


def hire(
    session: Session,
    point: CollectionPoint,
    staff_id: UUID,
    full_name: str | None,
    phone: str | None,
    since: date,
    *,
    by: User,
    at: datetime,
) -> CollectionStaff:
    """Somebody takes premiums there from a day on; the same page sent twice adds one. Raises RuleBroken, and Conflict for
    an id that is taken at another point."""
    told = {
        "full_name": line(full_name, LONGEST_NAME, "full_name", _l("Write the name.")),
        "phone": telephone(phone),
        "since": since,
    }
    put = insert(CollectionStaff).values(town_id=point.town_id, id=staff_id, point_id=point.id, **told)
    made = session.scalar(put.on_conflict_do_nothing().returning(CollectionStaff.id))
    row = session.get(CollectionStaff, (point.town_id, staff_id), populate_existing=True)
    if row is None or row.point_id != point.id:
        raise Conflict(_l("This person was added at another point."), code="other_point")
    if made is not None:
        note_change_of(session, row, "hire_collection_staff", by=by, at=at, after={"point_id": str(point.id)})
    return row


def let_go(session: Session, row: CollectionStaff, until: date, *, by: User, at: datetime) -> None:
    """The last day of somebody at a point, held for update; told again it is put right. Raises RuleBroken."""
    before, row.until = row.until, last_day(row.since, until)
    if before == until:
        return
    was = {"until": before.isoformat() if before else None}
    note_change_of(
        session, row, "let_go_collection_staff", by=by, at=at, before=was, after={"until": until.isoformat()}
    )


def train(
    session: Session,
    row: CollectionStaff,
    what: str | None,
    *,
    held_on: date,
    valid_until: date | None,
    document: str | None,
    by: User,
    at: datetime,
) -> CollectionTraining:
    """Note a training of somebody held for update; the same once more is kept once. Raises RuleBroken."""
    if held_on > local_day(at):
        raise RuleBroken(_l("This day lies ahead: note it when it has taken place."), field="held_on")
    if valid_until is not None and valid_until < held_on:
        raise RuleBroken(_l("The last day lies before the first."), field="valid_until")
    told: dict[str, Any] = {
        "what": line(what, LONGEST_WHAT, "what", _l("Write what it was about.")),
        "held_on": held_on,
        "valid_until": valid_until,
        "document": line(document, LONGEST_DOCUMENT, "document") or None,
    }
    mine = CollectionTraining.town_id == row.town_id, CollectionTraining.staff_id == row.id
    same = [getattr(CollectionTraining, name).is_not_distinct_from(value) for name, value in told.items()]
    known = session.scalars(
        select(CollectionTraining).where(*mine, *same, CollectionTraining.withdrawn_at.is_(None)).limit(1)
    ).first()
    if known is not None:
        return known
    made = CollectionTraining(town_id=row.town_id, id=new_id(), staff_id=row.id, noted_at=at, noted_by_id=by.id, **told)
    session.add(made)
    note_change_of(session, made, "note_collection_training", by=by, at=at, after={"staff_id": str(row.id)})
    return made


def withdraw_training(session: Session, row: CollectionTraining, *, by: User, at: datetime) -> None:
    """What is held for update was noted by mistake. Twice is once."""
    if row.withdrawn_at is None:
        row.withdrawn_at = at
        note_change_of(session, row, "withdraw_collection_training", by=by, at=at)


# ---- pieces


def _columns(told: Told) -> dict[str, Any]:
    kept = told._asdict()
    spot = kept.pop("spot")
    return kept | {"latitude": spot.latitude if spot else None, "longitude": spot.longitude if spot else None}


def _serve(session: Session, row: CollectionPoint, serves: Collection[UUID]) -> list[str] | None:
    """Let a point serve these wards besides its own. Which it served before; None where they are the same."""
    wanted = set(serves) - {row.place_id}
    here = ServedWard.town_id == row.town_id, ServedWard.point_id == row.id
    before = set(session.scalars(select(ServedWard.place_id).where(*here)))
    if wanted == before:
        return None
    session.execute(delete(ServedWard).where(*here, ServedWard.place_id.not_in(wanted)))
    session.add_all(ServedWard(town_id=row.town_id, point_id=row.id, place_id=place_id) for place_id in wanted - before)
    session.flush()
    return sorted(map(str, before))


def _plain(value: Any) -> object:
    return value if value is None or isinstance(value, str | int | float) else str(value)
