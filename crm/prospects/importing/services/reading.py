"""Reading a list in the background: each row becomes a proposal, a repeat or a rejection, compared with who is here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import Scope, scope_of
from crm.clock import local_day
from crm.places.models import Place
from crm.places.queries import units_of_all_times
from crm.places.rules import PlaceKind
from crm.prospects.importing.queries import counts_of
from crm.prospects.importing.rules import Problem, WardReason
from crm.prospects.importing.services import comparing
from crm.prospects.importing.services.ahead import ahead
from crm.prospects.importing.services.apart import said_of
from crm.prospects.importing.services.at_work import Persistence, Work, beat, claim, rest, settle
from crm.prospects.importing.services.comparing import Part
from crm.prospects.importing.services.copying import copy_packed
from crm.prospects.importing.services.proposing import COLUMNS
from crm.prospects.importing.services.staging import forget_staged
from crm.prospects.importing.services.understanding import ROW, Asked, Made, Opened, Refused, Said, Ward
from crm.prospects.models import ImportPerson, ImportRow, ListImport
from crm.prospects.rules import ImportState
from crm.sealed import current as seal

PERSISTENCE = Persistence(ImportState.FAILED, Problem.READING_INTERRUPTED, Problem.READING_STOPPED)
AHEAD = 6
"""Chunks of rows that may be understood before they are kept: about as many as come while a part is compared."""
PART = 20_000
"""Rows that are compared with who is here at once, while the next are understood."""


@dataclass
class Reading(Work):
    """One worker reading one list."""

    scope: Scope | None
    said: Iterator[Said]
    """What is still to be said of the file."""
    done: int = 0
    part: Part | None = None
    """Rows that are kept and not compared with who is here yet."""
    compared_from: int | None = None
    problem: dict[str, Any] | None = None

    def chunks(self) -> Iterator[Made]:
        """What is made of the file, so many rows at a time; what is wrong with the whole file ends it and stands in
        `problem`. The next rows are read while these are kept."""
        for said in self.said:
            if isinstance(said, Refused):
                self.problem = said.problem
            elif isinstance(said, Made):
                yield said


def take_up(session: Session, import_id: UUID, at: datetime) -> Work | None:
    """Claim the reading of a list; None when somebody else is at it or nothing is to be read."""
    row = claim(session, import_id, (ImportState.QUEUED, ImportState.READING), ImportState.READING, PERSISTENCE, at)
    return Work(row.id, row.town_id, ImportState.READING, at, row.created_by_id) if row and row.content else None


def begin(session: Session, work: Work, at: datetime) -> Reading | None:
    """Open the list, to be read from its beginning; None when it cannot be read, which it then says. Raises LostClaim."""
    beat(session, work, at, done=0)
    row = session.get_one(ListImport, (work.town_id, work.import_id), populate_existing=True)
    _forget_rows(session, row)
    user = session.get(User, (row.town_id, row.created_by_id)) if row.created_by_id else None
    scope = scope_of(session, user) if user else None
    said = ahead(said_of(_asked(session, row, scope, local_day(at))), AHEAD)
    opened = next(said)
    if isinstance(opened, Refused):
        fail(row, opened.problem)
        return None
    assert isinstance(opened, Opened)
    row.found, row.total, row.kind = opened.found, opened.height, opened.kind
    session.flush()
    session.expunge_all()
    return Reading(
        import_id=row.id,
        town_id=row.town_id,
        state=work.state,
        heartbeat=work.heartbeat,
        by_id=work.by_id,
        scope=scope,
        said=said,
    )


def _asked(session: Session, row: ListImport, scope: Scope | None, today: date) -> Asked:
    place = session.get(Place, (row.town_id, row.place_id)) if row.place_id else None
    inside = place if place and place.kind is PlaceKind.NEIGHBOURHOOD else None
    units = session.scalars(units_of_all_times(row.town_id)).all()
    unit = next((unit for unit in units if unit.id == inside.parent_id), None) if inside else place
    return Asked(
        town_id=row.town_id,
        import_id=row.id,
        content=seal().open_bytes(row.content or b""),
        filename=row.filename,
        options=row.options,
        today=today,
        ward_id=unit.id if unit else None,
        neighbourhood=inside.name if inside else None,
        wards=tuple(Ward(unit.id, unit.name, unit.valid_from, unit.valid_to) for unit in units),
        within=scope.place_ids if scope else None,
        seal=seal(),
    )


def keep(session: Session, work: Reading, made: Made, at: datetime) -> None:
    """Keep what was made of some rows. Raises LostClaim when another worker has taken the list up."""
    beat(session, work, at, done=work.done + made.many)
    copy_packed(session, ImportRow.__tablename__, ROW, made.rows)
    copy_packed(session, ImportPerson.__tablename__, COLUMNS, made.people)
    work.done += made.many
    before = work.part
    work.part = Part(before.first if before else made.first, made.last, made.many + (before.many if before else 0))


def is_worth_comparing(work: Reading) -> bool:
    """Whether a whole part waits to be compared."""
    return work.part is not None and work.part.many >= PART


def compare(session: Session, work: Reading, at: datetime) -> Iterator[int]:
    """Say of the rows that are kept whom they may already be; yields how many were judged each time."""
    if work.part is None:
        return
    if work.compared_from is None:
        work.compared_from = comparing.oldest_at_work(session)
    part, work.part = work.part, None
    yield from comparing.compare(session, work.town_id, work.import_id, work.scope, on=local_day(at), part=part)


def finish(session: Session, work: Reading) -> None:
    """All rows are compared: the list waits for a person, or is refused as a whole with nothing kept of it.
    Raises LostClaim."""
    row = settle(session, work, ImportState.READY)
    counts = counts_of(session, work.town_id, work.import_id)
    problem = work.problem
    if problem is None and counts["rows"] == 0:
        problem = {"code": Problem.NOBODY, "params": {}}
    if problem is None and not counts["valid"] and (missing := _ward_missing(session, row)):
        problem = {"code": missing, "params": {}}
    if problem:
        fail(row, problem)
        _forget_rows(session, row)
        return
    for name, number in counts.items():
        setattr(row, name, number)
    row.total, row.compared_from = row.done, work.compared_from


def fail(row: ListImport, problem: dict[str, Any]) -> None:
    """The list cannot be used; why stands in it, for a sentence in whichever language it is read."""
    row.problem = json.dumps(problem, ensure_ascii=False)
    rest(row, ImportState.FAILED)


def _ward_missing(session: Session, row: ListImport) -> Problem | None:
    """What keeps rows out for want of a ward: they name none, or none that is here; None when no row lacks it."""
    rows = select(ImportRow.id).where(ImportRow.town_id == row.town_id, ImportRow.import_id == row.id).limit(1)
    for reason, problem in (
        (WardReason.NO_WARD, Problem.PLACE_NEEDED),
        (WardReason.UNKNOWN_WARD, Problem.WARD_UNKNOWN),
    ):
        if session.scalar(rows.where(ImportRow.reasons.overlap([reason.value]))) is not None:
            return problem
    return None


def _forget_rows(session: Session, row: ListImport) -> None:
    session.execute(delete(ImportRow).where(ImportRow.town_id == row.town_id, ImportRow.import_id == row.id))
    forget_staged(session, row.town_id, row.id)
