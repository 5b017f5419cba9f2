"""Saving lists, sharing, renaming, deleting them and bringing them back."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import Scope, scope_of
from crm.accounts.services import note_change_of
from crm.errors import NotFound, RuleBroken
from crm.names import clean, fold
from crm.prospects.lists.models import Segment
from crm.prospects.lists.narrowing import Narrowing
from crm.prospects.lists.queries import own_segment
from crm.prospects.lists.rules import UNDONE_WITHIN, Sharing, list_name, shared_with


def may_share(scope: Scope, by: User) -> list[Sharing]:
    """With whom somebody may share a list."""
    return shared_with(scope.reach, has_unit=bool(by.organisation_id or by.place_id))


def save_segment(
    session: Session, narrowing: Narrowing, q: str, *, name: str | None, sharing: Sharing, by: User, at: datetime
) -> Segment:
    """Keep what a list asks under a name. Raises RuleBroken."""
    called = list_name(name)
    if not narrowing and not q.strip():
        raise RuleBroken(_l("Narrow the list first: a saved list says who is meant."))
    _check_name(session, called, by)
    row = Segment(
        town_id=by.town_id,
        name=called,
        name_fold=fold(called),
        owner_id=by.id,
        asked=narrowing.as_args(),
        q=clean(q),
        created_at=at,
        updated_at=at,
        **_shared(session, sharing, by),
    )
    session.add(row)
    note_change_of(session, row, "save_segment", by=by, at=at, after=_plain(row))
    return row


def _check_name(session: Session, called: str, by: User) -> None:
    """One's own lists bear different names: a choice of lists shows nothing but these."""
    own = select(Segment.id).where(
        Segment.town_id == by.town_id,
        Segment.owner_id == by.id,
        Segment.deleted_at.is_(None),
        func.lower(Segment.name) == called.lower(),
    )
    if session.scalar(own.limit(1)):
        raise RuleBroken(_l("You have a list of this name already. Give this one another name."), field="name")


def _shared(session: Session, sharing: Sharing, by: User) -> dict[str, Any]:
    if sharing not in may_share(scope_of(session, by), by):
        raise RuleBroken(_l("You cannot share a list so widely. Choose another."), field="sharing")
    unit = sharing is Sharing.UNIT
    return {
        "sharing": sharing,
        "organisation_id": by.organisation_id if unit else None,
        "place_id": by.place_id if unit else None,
    }


def change_segment(
    session: Session,
    segment_id: UUID,
    *,
    by: User,
    at: datetime,
    name: str | None = None,
    sharing: Sharing | None = None,
    narrowing: Narrowing | None = None,
    q: str | None = None,
) -> Segment:
    """Another name, other readers, or another question. Raises NotFound, RuleBroken."""
    row = own_segment(session, by, segment_id)
    before = _plain(row)
    if name is not None:
        called = list_name(name)
        if called != row.name:
            _check_name(session, called, by)
        row.name, row.name_fold = called, fold(called)
    if sharing is not None and sharing is not row.sharing:
        if row.owner_id != by.id:
            raise RuleBroken(_l("Whoever saved this list says with whom it is shared."), field="sharing")
        for field, value in _shared(session, sharing, by).items():
            setattr(row, field, value)
    if narrowing is not None:
        if not narrowing and not (q or "").strip():
            raise RuleBroken(_l("Narrow the list first: a saved list says who is meant."))
        row.asked, row.q = narrowing.as_args(), clean(q or "")
    row.updated_at = at
    _noted(session, row, "change_segment", by, at, before)
    return row


def delete_segment(session: Session, segment_id: UUID, *, by: User, at: datetime) -> Segment:
    """Take a saved list away; for a day it can be brought back."""
    row = own_segment(session, by, segment_id)
    before = _plain(row)
    row.deleted_at = at
    _noted(session, row, "delete_segment", by, at, before)
    return row


def restore_segment(session: Session, segment_id: UUID, *, by: User, at: datetime) -> Segment:
    """Bring a deleted list back. Raises NotFound, RuleBroken when it is too late."""
    row = own_segment(session, by, segment_id, deleted=True)
    if row.deleted_at is None:
        raise NotFound
    if at > row.deleted_at + UNDONE_WITHIN:
        raise RuleBroken(_l("This can be undone for one day only. Save the list anew."), code="too_late")
    before = _plain(row)
    row.deleted_at = None
    _noted(session, row, "restore_segment", by, at, before)
    return row


def _plain(row: Segment) -> dict[str, object]:
    return {"name": row.name, "sharing": row.sharing.value, "asked": dict(row.asked), "q": row.q}


def _noted(session: Session, row: Segment, act: str, by: User, at: datetime, before: dict[str, object]) -> None:
    note_change_of(session, row, act, by=by, at=at, before=before, after=_plain(row))
