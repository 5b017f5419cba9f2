"""Lists of people: read so many rows at a time, loaded and taken back at once. Each task may run twice: one worker holds a list."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from uuid import UUID

from celery import shared_task

from crm.background import ring
from crm.clock import now
from crm.db import aside, transaction
from crm.prospects.importing import queries
from crm.prospects.importing.services import at_work, committing, reading, undoing
from crm.prospects.importing.services.at_work import LostClaim, Work
from crm.prospects.importing.services.reading import Reading
from crm.prospects.rules import ImportState
from tasks.identity import look_soon

WAIT = 0.2
"""Seconds between two looks at whether another list of the town is still being loaded."""


def read(import_id: UUID) -> Iterator[int]:
    """Read a list, so many rows a transaction, and compare them with who is here; yields how many rows are read."""
    with suppress(LostClaim):
        with transaction() as session:
            claimed = reading.take_up(session, import_id, now())
        if claimed is None:
            return
        with transaction() as session:
            work = reading.begin(session, claimed, now())
        if work is None:
            return
        for made in work.chunks():
            with transaction() as session:
                reading.keep(session, work, made, now())
            yield work.done
            if reading.is_worth_comparing(work):
                yield from _compare(work)
        yield from _compare(work)
        with transaction() as session:
            reading.finish(session, work)


def _compare(work: Reading) -> Iterator[int]:
    with transaction() as session:
        _wait(lambda: at_work.beside_others(session, work.town_id), work)
        for _judged in reading.compare(session, work, now()):
            _beat(work)
            yield work.done


def commit(import_id: UUID) -> Iterator[int]:
    """Load a list, all of it or nothing; yields how many rows are done. Progress is seen before anything is loaded."""
    with suppress(LostClaim):
        with transaction() as session:
            work = committing.begin(session, import_id, now())
        if work is None:
            return
        with transaction() as session:
            _wait(lambda: at_work.alone(session, work.town_id), work)
            at = now()
            for done in committing.load(session, work, at):
                _beat(work, done)
                yield done
            committing.finish(session, work, at)


def undo(import_id: UUID) -> Iterator[int]:
    """Take a list back, all of it that can be or nothing; yields how many rows are done."""
    with suppress(LostClaim):
        with transaction() as session:
            work = undoing.begin(session, import_id, now())
        if work is None:
            return
        with transaction() as session:
            _wait(lambda: at_work.alone(session, work.town_id), work)
            at = now()
            for done in undoing.undo(session, work, at):
                _beat(work, done)
                yield done
            undoing.finish(session, work, at)


def _beat(work: Work, done: int | None = None) -> None:
    """Say beside the long transaction that it goes on, and how far it is. Raises LostClaim, which ends it."""
    with aside() as beside:
        at_work.beat(beside, work, now(), done=done)


def _wait(is_free: Callable[[], bool], work: Work) -> None:
    """Wait for another list of the town; the heart goes on beating."""
    while not is_free():
        _beat(work)
        time.sleep(WAIT)


@shared_task(name="prospects.read_list")
def read_list(import_id: str) -> None:
    """Read a list that was handed in."""
    deque(read(UUID(import_id)), maxlen=0)


@shared_task(name="prospects.commit_list")
def commit_list(import_id: str) -> None:
    """Load a list that was looked at."""
    deque(commit(UUID(import_id)), maxlen=0)
    with transaction() as session:
        town_id = session.scalar(queries.town_with_new_people(UUID(import_id)))
    if town_id:
        look_soon(town_id)


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
