"""Who works on a list: claimed by one worker, kept by its heartbeat, taken up by another when that stops.

The claim and the heart beat in short transactions of their own, seen by everybody at once; what is loaded or taken back
stands in one long transaction, which ends only if the claim is still held.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from crm.prospects.importing.rules import MOST_TRIES, STALE, Problem
from crm.prospects.models import ListImport
from crm.prospects.rules import ImportState


class LostClaim(Exception):
    """Another worker has taken the list up, or it is no longer to be worked on: what was done must not be kept."""


@dataclass
class Work:
    """One worker at one list."""

    import_id: UUID
    town_id: UUID
    state: ImportState
    heartbeat: datetime
    """The last one it gave: its token. Nobody else knows it."""
    by_id: UUID | None


@dataclass(frozen=True)
class Persistence:
    """What becomes of work that is interrupted again and again."""

    back_to: ImportState
    interrupted: Problem | None
    stopped: Problem


def claim(
    session: Session,
    import_id: UUID,
    states: Collection[ImportState],
    to: ImportState,
    persistence: Persistence,
    at: datetime,
) -> ListImport | None:
    """Take the work on a list, if nobody else is at it. Settled by one conditional update. After MOST_TRIES the list is
    left to a person instead, and says so."""
    idle = or_(
        ListImport.heartbeat_at.is_(None), ListImport.heartbeat_at < at - STALE, ListImport.heartbeat_at > at + STALE
    )
    row = session.scalar(
        update(ListImport)
        .where(ListImport.id == import_id, ListImport.state.in_(states), idle)
        .values(state=to, heartbeat_at=at, tries=ListImport.tries + 1)
        .returning(ListImport)
        .execution_options(populate_existing=True)
    )
    if row is None:
        return None
    if row.tries > MOST_TRIES:
        row.problem = told(persistence.stopped)
        row.tries = 0
        rest(row, persistence.back_to)
        return None
    if row.tries > 1 and persistence.interrupted:
        row.problem = told(persistence.interrupted)
    return row


def told(problem: Problem) -> str:
    """A problem as a list keeps it."""
    return json.dumps({"code": problem.value, "params": {}})


def beat(session: Session, work: Work, at: datetime, *, done: int | None = None) -> None:
    """Say that the work goes on and how many rows are done. Raises LostClaim."""
    next_beat = max(at, work.heartbeat + timedelta(microseconds=1))
    values = {"heartbeat_at": next_beat} | ({} if done is None else {"done": done})
    if _still_mine(session, work, values) is None:
        raise LostClaim
    work.heartbeat = next_beat


def settle(session: Session, work: Work, state: ImportState) -> ListImport:
    """The work is done: the list rests in this state, in the transaction of the work itself. Raises LostClaim."""
    values = {"state": state, "heartbeat_at": None, "tries": 0, "problem": None}
    if _still_mine(session, work, values) is None:
        raise LostClaim
    return session.get_one(ListImport, (work.town_id, work.import_id), populate_existing=True)


def _still_mine(session: Session, work: Work, values: Mapping[str, object]) -> UUID | None:
    held = (ListImport.id == work.import_id) & (ListImport.state == work.state)
    return session.scalar(
        update(ListImport)
        .where(held, ListImport.heartbeat_at == work.heartbeat)
        .values(**values)
        .returning(ListImport.id)
        .execution_options(synchronize_session=False)
    )


def rest(row: ListImport, state: ImportState) -> None:
    """Nobody works on the list; it waits in this state."""
    row.state, row.heartbeat_at = state, None


def alone(session: Session, town_id: UUID) -> bool:
    """Whether no other list of the town is being loaded or taken back, from now to the end of the transaction: whom the
    rows were compared with stay all there are."""
    return bool(session.scalar(select(func.pg_try_advisory_xact_lock(_lock(town_id)))))


def beside_others(session: Session, town_id: UUID) -> bool:
    """Whether no list of the town is being loaded now; others may compare at the same time."""
    return bool(session.scalar(select(func.pg_try_advisory_xact_lock_shared(_lock(town_id)))))


def _lock(town_id: UUID) -> object:
    return func.hashtextextended(f"import {town_id}", 0)
