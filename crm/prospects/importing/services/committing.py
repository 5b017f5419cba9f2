"""Loading a list: its people are added, what was not known of others is filled in; all of it in one transaction, or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, delete, exists, select, text, update
from sqlalchemy.orm import Session, defer

from crm.accounts.services import note_change
from crm.clock import local_day
from crm.errors import Conflict
from crm.prospects.importing import kinds
from crm.prospects.importing.queries import counts_of, rows_of
from crm.prospects.importing.rules import BATCH, CHUNK, Problem, Proposed
from crm.prospects.importing.services import comparing
from crm.prospects.importing.services.adding import Committing, add_people, batches, work_on
from crm.prospects.importing.services.at_work import Persistence, claim, settle
from crm.prospects.importing.services.told_apart import APART, keep_apart
from crm.prospects.importing.services.updating import fill_in
from crm.prospects.models import ImportPerson, ImportRow, ListImport
from crm.prospects.rules import ImportState, RowOutcome

LOADED = (RowOutcome.NEW, RowOutcome.CHANGED, RowOutcome.UNCHANGED)
PERSISTENCE = Persistence(ImportState.READY, Problem.LOADING_INTERRUPTED, Problem.LOADING_STOPPED)


def start(session: Session, row: ListImport) -> None:
    """Let a list be loaded. Of two who say so at once one gets Conflict."""
    ready = (ListImport.id == row.id) & (ListImport.state == ImportState.READY)
    fresh = {"state": ImportState.COMMITTING, "heartbeat_at": None, "done": 0, "tries": 0, "problem": None}
    if not session.execute(update(ListImport).where(ready).values(**fresh).returning(ListImport.id)).all():
        raise Conflict(_l("This list is already loaded or being worked on. Look at it again."), code="not_ready")
    session.refresh(row)


def begin(session: Session, import_id: UUID, at: datetime) -> Committing | None:
    """Claim the loading of a list; None when somebody else is at it or nothing is to be loaded."""
    row = claim(session, import_id, (ImportState.COMMITTING,), ImportState.COMMITTING, PERSISTENCE, at)
    return work_on(session, row, at) if row else None


def load(session: Session, work: Committing, at: datetime) -> Iterator[int]:
    """Load the whole list in the transaction that is open, once `at_work.alone`; yields how many rows are done, so that
    the heart can beat beside it. The list itself is touched by `finish` only: until then nobody has to wait for it."""
    # What is added to an index of words is sorted in memory first, and put into its place once.
    session.execute(text("set local work_mem = '64MB'"))
    session.execute(text("set local gin_pending_list_limit = '64MB'"))
    on, since = local_day(at), work.compared_from
    for _judged in comparing.compare(session, work.town_id, work.import_id, work.scope, on=on, since=since):
        yield 0
    done = 0
    for first, last, many in batches(session, work, BATCH):
        add_people(session, work, first, last, at)
        done += many
        yield done
    for rows in _parts(
        session, _mine(work).where(ImportRow.outcome == RowOutcome.NEW, ImportRow.detail.has_key(APART))
    ):
        for one in rows:
            keep_apart(session, work, one, at)
        yield done
    for filled in _fill_in(session, work, at):
        yield done + filled
    for _told in _tell_kinds(session, work, at):
        yield done


def _fill_in(session: Session, work: Committing, at: datetime) -> Iterator[int]:
    done = 0
    for rows in _parts(session, _mine(work).where(ImportRow.outcome == RowOutcome.CHANGED)):
        fill_in(session, work, [(row, Proposed.from_json(row.understood or "")) for row in rows], at)
        session.flush()
        done += len(rows)
        session.expunge_all()
        yield done


def _tell_kinds(session: Session, work: Committing, at: datetime) -> Iterator[int]:
    """Whoever knows what this kind of list means is told of every row."""
    row = session.get_one(ListImport, (work.town_id, work.import_id))
    if not kinds.is_handled(row.kind):
        return
    for rows in _parts(session, _mine(work).where(ImportRow.outcome.in_(LOADED))):
        told = [(one, Proposed.from_json(one.understood or "")) for one in rows]
        kinds.taken_in(session, row.kind, row, told, work.by_id, at)
        session.flush()
        yield len(rows)


def _mine(work: Committing) -> Select[ImportRow]:
    return select(ImportRow).where(ImportRow.town_id == work.town_id, ImportRow.import_id == work.import_id)


def _parts(session: Session, query: Select[ImportRow]) -> Iterator[Sequence[ImportRow]]:
    """The rows of a query, so many at a time, in the order of their ids."""
    query = query.options(defer(ImportRow.raw)).order_by(ImportRow.id).limit(CHUNK)
    rows = session.scalars(query).all()
    while rows:
        last = rows[-1].id
        yield rows
        rows = session.scalars(query.where(ImportRow.id > last)).all()


def finish(session: Session, work: Committing, at: datetime) -> None:
    """The list is loaded, if it is still this worker's to load. Raises LostClaim."""
    row = settle(session, work, ImportState.COMMITTED)
    row.loaded_at = at
    recount(session, row)
    row.done = row.total
    if not session.scalar(rows_of(row, ImportRow.outcome == RowOutcome.DUPLICATE).limit(1)):
        row.content = None
    _forget_whom_is_loaded(session, work)
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


def _forget_whom_is_loaded(session: Session, work: Committing) -> None:
    """Only rows that were set aside and may still be added stay ready."""
    aside = exists().where(
        ImportRow.town_id == ImportPerson.town_id,
        ImportRow.id == ImportPerson.id,
        ImportRow.outcome == RowOutcome.DUPLICATE,
        ImportRow.settled_at.is_(None),
    )
    mine = (ImportPerson.town_id == work.town_id) & (ImportPerson.import_id == work.import_id)
    session.execute(delete(ImportPerson).where(mine, ~aside).execution_options(synchronize_session=False))


COUNTS = ("rows", "valid", "rejected", "duplicates", "created", "updated", "unchanged")


def recount(session: Session, row: ListImport) -> None:
    """Let the figures of a list be those of its rows."""
    session.flush()
    for name, number in counts_of(session, row.town_id, row.id).items():
        setattr(row, name, number)
