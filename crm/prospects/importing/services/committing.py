"""Loading a list: its people are added, what was not known of others is filled in; so many rows a transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from crm.accounts.services import note_change
from crm.clock import local_day
from crm.errors import Conflict
from crm.prospects.importing import kinds
from crm.prospects.importing.queries import counts_of, matches, rows_of
from crm.prospects.importing.rules import CHUNK, Proposed
from crm.prospects.importing.services.adding import Committing, add_people, work_on
from crm.prospects.importing.services.at_work import beat, claim, rest
from crm.prospects.importing.services.reading import compared
from crm.prospects.importing.services.updating import fill_in
from crm.prospects.models import ImportRow, ListImport
from crm.prospects.rules import ImportState, RowOutcome

LOADED = (RowOutcome.NEW, RowOutcome.CHANGED, RowOutcome.UNCHANGED)
ADD_ANYWAY = "add"


def start(session: Session, row: ListImport) -> None:
    """Let a list be loaded. Of two who say so at once one gets Conflict."""
    ready = (ListImport.id == row.id) & (ListImport.state == ImportState.READY)
    begun = update(ListImport).where(ready).values(state=ImportState.COMMITTING, heartbeat_at=None, done=0)
    if not session.execute(begun.returning(ListImport.id)).all():
        raise Conflict(_l("This list is already loaded or being worked on. Look at it again."), code="not_ready")
    session.refresh(row)


def begin(session: Session, import_id: UUID, at: datetime) -> Committing | None:
    """Take up the loading of a list where it stopped; None when somebody else is at it or nothing is to be loaded."""
    row = claim(session, import_id, (ImportState.COMMITTING,), ImportState.COMMITTING, at)
    return work_on(session, row, at) if row else None


def step(session: Session, work: Committing, at: datetime) -> int:
    """Load the next rows and say how many; `work.finished` once none are left or another worker has taken it up."""
    waiting = (
        select(ImportRow)
        .where(ImportRow.town_id == work.town_id, ImportRow.import_id == work.import_id)
        .where(ImportRow.outcome.in_(LOADED), ImportRow.settled_at.is_(None))
        .order_by(ImportRow.sheet, ImportRow.row_number)
        .limit(CHUNK)
    )
    held = beat(session, work.import_id, ImportState.COMMITTING, work.heartbeat, at)
    rows = session.scalars(waiting).all() if held else []
    work.finished = not rows
    if held is None:
        return 0
    work.heartbeat = held
    if rows:
        _one_list_at_a_time(session, work.town_id)
        load(session, work, rows, at)
        session.execute(
            update(ListImport).where(ListImport.id == work.import_id).values(done=ListImport.done + len(rows))
        )
        session.flush()
        session.expunge_all()
    else:
        _finish(session, work, at)
    return len(rows)


def _one_list_at_a_time(session: Session, town_id: UUID) -> None:
    """Until the transaction ends no other list of the town adds people: what is compared now holds."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"import {town_id}", 0))))


def load(session: Session, work: Committing, rows: Sequence[ImportRow], at: datetime) -> None:
    """Settle these rows. Whom a row may be is asked again, for somebody may have been added since it was read."""
    proposed = {row.id: Proposed.from_json(row.understood or "") for row in rows}
    _compare_again(session, work, [row for row in rows if row.outcome is RowOutcome.NEW], proposed, at)
    new = [row for row in rows if row.outcome is RowOutcome.NEW]
    add_people(session, work, [(row, proposed[row.id]) for row in new], at)
    for row in rows:
        if row.outcome is RowOutcome.CHANGED:
            fill_in(session, work, row, proposed[row.id], at)
    done = [row.id for row in rows if row.outcome in (RowOutcome.UNCHANGED, RowOutcome.CHANGED)]
    session.flush()
    settled = update(ImportRow).where(ImportRow.town_id == work.town_id).execution_options(synchronize_session=False)
    session.execute(settled.where(ImportRow.id.in_(done)).values(settled_at=at))
    session.execute(
        settled.where(ImportRow.id.in_([row.id for row in new])).values(
            settled_at=at, prospect_id=ImportRow.id, version_after=1
        )
    )
    listed = session.get_one(ListImport, (work.town_id, work.import_id))
    loaded = [(row, proposed[row.id]) for row in rows if row.outcome in LOADED]
    kinds.taken_in(session, listed.kind, listed, loaded, work.by_id, at)


def _compare_again(
    session: Session, work: Committing, rows: Sequence[ImportRow], proposed: Mapping[UUID, Proposed], at: datetime
) -> None:
    asked = [row for row in rows if (row.detail or {}).get("decided") != ADD_ANYWAY]
    people = [proposed[row.id] for row in asked]
    found = matches(session, work.town_id, people, on=local_day(at), scope=work.scope, besides=work.import_id)
    for row, match in zip(asked, found, strict=True):
        if match:
            for name, value in compared(match).items():
                setattr(row, name, value)


def _finish(session: Session, work: Committing, at: datetime) -> None:
    row = session.get_one(ListImport, (work.town_id, work.import_id), populate_existing=True)
    recount(session, row)
    rest(row, ImportState.COMMITTED)
    if not session.scalar(rows_of(row, ImportRow.outcome == RowOutcome.DUPLICATE).limit(1)):
        row.content = None
    note_change(
        session,
        town_id=row.town_id,
        user_id=work.by_id,
        act="import_people",
        subject="list_import",
        subject_id=row.id,
        at=at,
        after={name: getattr(row, name) for name in COUNTS} | {"filename": row.filename},
    )


COUNTS = ("rows", "valid", "rejected", "duplicates", "created", "updated", "unchanged")


def recount(session: Session, row: ListImport) -> None:
    """Let the figures of a list be those of its rows."""
    session.flush()
    for name, number in counts_of(session, row.town_id, row.id).items():
        setattr(row, name, number)
