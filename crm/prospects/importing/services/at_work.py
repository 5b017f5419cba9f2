"""Who works on a list: claimed by one worker, kept by its heartbeat, taken up by another when that stops."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, update
from sqlalchemy.orm import Session

from crm.prospects.importing.rules import STALE
from crm.prospects.models import ListImport
from crm.prospects.rules import ImportState


def claim(
    session: Session, import_id: UUID, states: Collection[ImportState], to: ImportState, at: datetime
) -> ListImport | None:
    """Take the work on a list, if nobody else is at it. Settled by one conditional update."""
    idle = or_(
        ListImport.heartbeat_at.is_(None), ListImport.heartbeat_at < at - STALE, ListImport.heartbeat_at > at + STALE
    )
    return session.scalar(
        update(ListImport)
        .where(ListImport.id == import_id, ListImport.state.in_(states), idle)
        .values(state=to, heartbeat_at=at)
        .returning(ListImport)
        .execution_options(populate_existing=True)
    )


def beat(
    session: Session, import_id: UUID, state: ImportState, last: datetime, at: datetime, *, more: int = 0
) -> datetime | None:
    """Say that the work goes on, `more` rows further; the new heartbeat, or None when another worker has taken it up.

    Locks the list until the transaction ends: two workers never write rows of one list at the same time.
    """
    next_beat = max(at, last + timedelta(microseconds=1))
    held = (ListImport.id == import_id) & (ListImport.state == state) & (ListImport.heartbeat_at == last)
    return session.scalar(
        update(ListImport)
        .where(held)
        .values(heartbeat_at=next_beat, done=ListImport.done + more)
        .returning(ListImport.heartbeat_at)
        .execution_options(synchronize_session=False)
    )


def rest(row: ListImport, state: ImportState) -> None:
    """The work is done; the list waits in this state."""
    row.state, row.heartbeat_at = state, None
