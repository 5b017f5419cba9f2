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
from crm.accounts.services import note_change
from crm.clock import local_day
from crm.collecting.models import CollectionPoint, CollectionStaff, CollectionTraining, ServedWard
from crm.collecting.rules import LONGEST_DOCUMENT, LONGEST_NAME, LONGEST_WHAT, Told, checked, days, line, number
from crm.errors import Conflict, RuleBroken
from crm.ids import new_id


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
        _noted(session, row, "open_collection_point", by, at, None)
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
    _serve(session, row, serves)
    session.flush()
    if before:
        _noted(session, row, "change_collection_point", by, at, before)


def hire(
    session: Session, point: CollectionPoint, staff_id: UUID, full_name: str | None, phone: str | None, since: date
) -> CollectionStaff:
    """Somebody takes premiums there from a day on; the same page sent twice adds one. Raises RuleBroken."""
    told = {
        "full_name": line(full_name, LONGEST_NAME, "full_name", _l("Write the name.")),
        "phone": number(phone),
        "since": since,
    }
    put = insert(CollectionStaff).values(town_id=point.town_id, id=staff_id, point_id=point.id, **told)
    session.execute(put.on_conflict_do_nothing())
    return session.get_one(CollectionStaff, (point.town_id, staff_id))


def let_go(session: Session, row: CollectionStaff, until: date) -> None:
    """The last day of somebody at a point. Raises RuleBroken."""
    row.until = days(row.since, until)
    session.flush()


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
    """Note a training; the same once more is kept once. Raises RuleBroken."""
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
    session.flush()
    return made


def withdraw_training(session: Session, row: CollectionTraining, *, at: datetime) -> None:
    """It was noted by mistake. Twice is once."""
    row.withdrawn_at = row.withdrawn_at or at
    session.flush()


# ---- pieces


def _columns(told: Told) -> dict[str, Any]:
    kept = told._asdict()
    spot = kept.pop("spot")
    return kept | {"latitude": spot.latitude if spot else None, "longitude": spot.longitude if spot else None}


def _serve(session: Session, row: CollectionPoint, serves: Collection[UUID]) -> None:
    wanted = set(serves) - {row.place_id}
    here = ServedWard.town_id == row.town_id, ServedWard.point_id == row.id
    session.execute(delete(ServedWard).where(*here, ServedWard.place_id.not_in(wanted)))
    for place_id in sorted(wanted):
        put = insert(ServedWard).values(town_id=row.town_id, id=new_id(), point_id=row.id, place_id=place_id)
        session.execute(put.on_conflict_do_nothing())


def _plain(value: Any) -> object:
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _noted(
    session: Session, row: CollectionPoint, act: str, by: User, at: datetime, before: dict[str, object] | None
) -> None:
    note_change(
        session,
        town_id=row.town_id,
        user_id=by.id,
        act=act,
        subject="collection_point",
        subject_id=row.id,
        at=at,
        before=before,
    )
    session.flush()
