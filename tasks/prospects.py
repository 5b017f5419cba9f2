"""Lists of people: read, loaded and taken back so many rows at a time. Each task may run twice: one worker holds a list."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from uuid import UUID

from celery import shared_task

from crm.background import ring
from crm.clock import now
from crm.db import transaction
from crm.prospects.importing import queries
from crm.prospects.importing.services import committing, reading, undoing
from crm.prospects.rules import ImportState


def read(import_id: UUID) -> Iterator[int]:
    """Read a list, chunk by chunk; yields how many rows are read."""
    with transaction() as session:
        work = reading.begin(session, import_id, now())
    if work is None:
        return
    for chunk in work.chunks():
        with transaction() as session:
            held = reading.keep(session, work, chunk, now())
        if not held:
            return
        yield work.done
    with transaction() as session:
        reading.finish(session, work, now())


def commit(import_id: UUID) -> Iterator[int]:
    """Load a list, chunk by chunk; yields how many rows each time."""
    with transaction() as session:
        work = committing.begin(session, import_id, now())
    while work and not work.finished:
        with transaction() as session:
            loaded = committing.step(session, work, now())
        yield loaded


def undo(import_id: UUID) -> Iterator[int]:
    """Take a list back, chunk by chunk; yields how many rows each time."""
    with transaction() as session:
        work = undoing.begin(session, import_id, now())
    while work and not work.finished:
        with transaction() as session:
            undone = undoing.step(session, work, now())
        yield undone


@shared_task(name="prospects.read_list")
def read_list(import_id: str) -> None:
    """Read a list that was handed in."""
    deque(read(UUID(import_id)), maxlen=0)


@shared_task(name="prospects.commit_list")
def commit_list(import_id: str) -> None:
    """Load a list that was looked at."""
    deque(commit(UUID(import_id)), maxlen=0)


@shared_task(name="prospects.undo_list")
def undo_list(import_id: str) -> None:
    """Take back a list that was loaded."""
    deque(undo(UUID(import_id)), maxlen=0)


BELLS = {
    ImportState.QUEUED: read_list,
    ImportState.READING: read_list,
    ImportState.COMMITTING: commit_list,
    ImportState.UNDOING: undo_list,
}


@shared_task(name="prospects.resume_lists")
def resume_lists() -> None:
    """Ring again for lists whose work stands still."""
    with transaction() as session:
        still = [(row.id, row.state) for row in session.scalars(queries.standing_still(now()))]
    for import_id, state in still:
        ring(BELLS[state], str(import_id))
