"""Reading a list in the background: each row becomes a proposal, a repeat or a rejection, compared with who is here."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import Scope, scope_of
from crm.clock import local_day
from crm.ids import new_ids
from crm.places.models import Place
from crm.places.queries import units_of_all_times
from crm.places.rules import PlaceKind
from crm.prospects.importing.gateway import open_list
from crm.prospects.importing.queries import counts_of
from crm.prospects.importing.rules import CHUNK, Problem, Proposed, WardReason, cells_as_json, unit_named
from crm.prospects.importing.services import comparing
from crm.prospects.importing.services.ahead import ahead
from crm.prospects.importing.services.at_work import Persistence, Work, beat, claim, rest, settle
from crm.prospects.importing.services.copying import copy_packed, packed
from crm.prospects.importing.services.staging import COLUMNS, forget_staged, staged
from crm.prospects.models import ImportPerson, ImportRow, ListImport
from crm.prospects.reading.columns import Field, Table
from crm.prospects.reading.lists import MOST_ROWS, ListRead
from crm.prospects.reading.old_letters import Letters
from crm.prospects.reading.outcomes import Cell, Duplicate, Outcome, Refusal, Rejected, Remark, Unreadable
from crm.prospects.rules import ImportState, RowOutcome
from crm.sealed import current as seal

PERSISTENCE = Persistence(ImportState.FAILED, None, Problem.READING_STOPPED)

ROW = {
    "town_id": "uuid",
    "id": "uuid",
    "import_id": "uuid",
    "sheet": "text",
    "row_number": "int8",
    "raw": "bytea",
    "understood": "bytea",
    "words": "bytea",
    "outcome": "text",
    "reasons": "text[]",
    "detail": "jsonb",
    "prospect_id": "uuid",
    "version_after": "int8",
}


@dataclass
class Made:
    """What was made of some rows: the rows themselves and the people they propose, packed to be copied in."""

    many: int
    rows: bytes
    people: bytes


class Again:
    """Counts how often a list says the same words: two who are told alike are two people, each known again by their turn."""

    def __init__(self) -> None:
        self._turns: Counter[bytes] = Counter()

    def words(self, understood: str) -> bytes:
        """What this row is known by when the list comes again."""
        said = seal().index(understood)
        self._turns[said] += 1
        return seal().index(f"{self._turns[said]} {understood}")


@dataclass
class Reading(Work):
    """One worker reading one list."""

    read: ListRead
    unit: Place | None
    """The ward chosen for the whole list."""
    neighbourhood: str | None
    units: Sequence[Place]
    scope: Scope | None
    done: int = 0
    compared_from: int | None = None
    problem: dict[str, Any] | None = None
    again: Again = field(default_factory=Again)

    def chunks(self) -> Iterator[Made]:
        """What is made of the file, so many rows at a time; what is wrong with the whole file ends it and stands in
        `problem`. The next rows are read while these are kept."""
        return ahead(self._chunks())

    def _chunks(self) -> Iterator[Made]:
        rows, made = self.read.rows(), 0
        place = _Wards(self)
        try:
            while chunk := list(islice(rows, CHUNK)):
                made += len(chunk)
                if made > MOST_ROWS:
                    raise Unreadable(Refusal.TOO_MANY_ROWS, rows=made, limit=MOST_ROWS)
                yield _made(self, place, chunk)
        except Unreadable as refusal:
            self.problem = _told(refusal)


def _told(refusal: Unreadable) -> dict[str, Any]:
    return {"code": refusal.reason.value, "params": refusal.params}


def take_up(session: Session, import_id: UUID, at: datetime) -> Work | None:
    """Claim the reading of a list; None when somebody else is at it or nothing is to be read."""
    row = claim(session, import_id, (ImportState.QUEUED, ImportState.READING), ImportState.READING, PERSISTENCE, at)
    return Work(row.id, row.town_id, ImportState.READING, at, row.created_by_id) if row and row.content else None


def begin(session: Session, work: Work, at: datetime) -> Reading | None:
    """Open the list, to be read from its beginning; None when it cannot be read, which it then says. Raises LostClaim."""
    beat(session, work, at, done=0)
    row = session.get_one(ListImport, (work.town_id, work.import_id), populate_existing=True)
    _forget_rows(session, row)
    place = session.get(Place, (row.town_id, row.place_id)) if row.place_id else None
    inside = place if place and place.kind is PlaceKind.NEIGHBOURHOOD else None
    user = session.get(User, (row.town_id, row.created_by_id)) if row.created_by_id else None
    try:
        read = open_list(seal().open_bytes(row.content or b""), row.filename, row.options, local_day(at))
    except Unreadable as refusal:
        fail(row, _told(refusal))
        return None
    row.found, row.total, row.kind = _found(read), read.height, read.kind
    units = session.scalars(units_of_all_times(row.town_id)).all()
    session.flush()
    session.expunge_all()
    return Reading(
        import_id=row.id,
        town_id=row.town_id,
        state=work.state,
        heartbeat=work.heartbeat,
        by_id=work.by_id,
        read=read,
        unit=next((unit for unit in units if inside and unit.id == inside.parent_id), None) if inside else place,
        neighbourhood=inside.name if inside else None,
        units=units,
        scope=scope_of(session, user) if user else None,
    )


def _found(read: ListRead) -> dict[str, Any]:
    """What the page shows of how a list was understood, and what the error workbook repeats of its top."""
    return {
        "tables": [
            {
                "sheet": table.sheet,
                "header_rows": list(table.header_rows),
                "confidence": table.confidence,
                "ward": table.ward_named,
                "kind": table.kind.value,
                "year": table.year,
                "letters": sorted({letters.value for letters in table.letters} - {Letters.UNICODE.value}),
                "decomposed": table.decomposed,
                "columns": [
                    {
                        "letter": column.letter,
                        "heading": column.heading,
                        "field": column.field.value if column.field else None,
                        "why": column.why.value if column.why else None,
                    }
                    for column in table.columns
                ],
                "top": [json.loads(cells_as_json(cells)) for cells in read.top_of(table)],
                "consent": _consent_heading(table),
            }
            for table in read.tables
        ],
        "skipped": list(read.skipped),
        "ward_hint": read.ward_hint,
    }


def _consent_heading(table: Table) -> str | None:
    column = table.mapping.get(Field.SMS_CONSENT)
    return column.heading if column else None


def keep(session: Session, work: Reading, made: Made, at: datetime) -> None:
    """Keep what was made of some rows. Raises LostClaim when another worker has taken the list up."""
    beat(session, work, at, done=work.done + made.many)
    copy_packed(session, ImportRow.__tablename__, ROW, made.rows)
    copy_packed(session, ImportPerson.__tablename__, COLUMNS, made.people)
    work.done += made.many


class _Wards:
    """The ward each row is put into; a name is looked up once however many rows bear it."""

    def __init__(self, work: Reading) -> None:
        self._work = work
        self._named: dict[str | None, UUID | WardReason] = {}

    def of(self, named: str | None) -> UUID | WardReason:
        if named not in self._named:
            self._named[named] = self._look_up(named)
        return self._named[named]

    def _look_up(self, named: str | None) -> UUID | WardReason:
        work = self._work
        if work.unit:
            return work.unit.id
        unit = unit_named(named, work.units, work.read.today) if named else None
        if unit is None:
            return WardReason.UNKNOWN_WARD if named else WardReason.NO_WARD
        if work.scope and work.scope.place_ids is not None and unit.id not in work.scope.place_ids:
            return WardReason.WARD_NOT_YOURS
        return unit.id


def _made(work: Reading, wards: _Wards, outcomes: Sequence[Outcome]) -> Made:
    said: list[tuple[str, tuple[Any, ...]]] = []
    people: list[tuple[Any, ...]] = []
    ids = new_ids(len(outcomes))  # in the order of the file
    for row_id, outcome in zip(ids, outcomes, strict=True):
        person = outcome.person if isinstance(outcome, Duplicate) else outcome
        if isinstance(person, Rejected):
            said.append(_rejected(person.reason.value, dict(person.params)))
            continue
        ward = wards.of(person.ward_named)
        if isinstance(ward, WardReason):
            said.append(_rejected(ward.value, {"value": person.ward_named or ""}))
            continue
        one = Proposed.of(person, ward, work.neighbourhood)
        text = one.as_json()
        words = work.again.words(text) if one.says_no_number else None
        repeats = isinstance(outcome, Duplicate)
        people.append(staged(work.town_id, work.import_id, row_id, outcome.sheet, one, to_add=not repeats))
        if isinstance(outcome, Duplicate):
            of = {"of_sheet": outcome.of_sheet, "of_row": outcome.of_row}
            reasons = [why.value for why in outcome.reasons]
            said.append((text, (words, _DUPLICATE, reasons, of, None, None)))
        else:
            remarks = _remarks(person.remarks) if person.remarks else None
            said.append((text, (words, _NEW, [], remarks, row_id, 1)))
    raw = seal().close_all([cells_as_json(_as_it_stood(outcome)) for outcome in outcomes])
    understood = seal().close_all([text for text, _became in said])
    rows = [
        (work.town_id, row_id, work.import_id, outcome.sheet, outcome.row, cells, text, *became)
        for row_id, outcome, cells, text, (_text, became) in zip(ids, outcomes, raw, understood, said, strict=True)
    ]
    return Made(len(rows), packed(ROW, rows), packed(COLUMNS, people))


def _as_it_stood(outcome: Outcome) -> Sequence[Cell]:
    return outcome.person.raw if isinstance(outcome, Duplicate) else outcome.raw


def _remarks(remarks: Sequence[Remark]) -> dict[str, Any]:
    """What of a row was left out and in which column; what stands there is kept sealed, in the row itself."""
    return {
        "remarks": [remark.reason.value for remark in remarks],
        "remarked": [remark.params.get("column") for remark in remarks],
    }


_NEW, _DUPLICATE, _REJECTED = RowOutcome.NEW.value, RowOutcome.DUPLICATE.value, RowOutcome.REJECTED.value


def _rejected(reason: str, params: dict[str, Any]) -> tuple[str, tuple[Any, ...]]:
    return json.dumps({"params": params}), (None, _REJECTED, [reason], None, None, None)


def compare(session: Session, work: Reading, at: datetime) -> Iterator[int]:
    """Say of every row whom it may already be; yields how many were judged each time."""
    work.compared_from = comparing.oldest_at_work(session)
    yield from comparing.compare(session, work.town_id, work.import_id, work.scope, on=local_day(at))


def finish(session: Session, work: Reading) -> None:
    """All rows are compared: the list waits for a person, or is refused as a whole with nothing kept of it.
    Raises LostClaim."""
    row = settle(session, work, ImportState.READY)
    counts = counts_of(session, work.town_id, work.import_id)
    problem = work.problem
    if problem is None and counts["rows"] == 0:
        problem = {"code": Problem.NOBODY, "params": {}}
    if problem is None and not counts["valid"] and _only_the_ward_is_missing(session, row):
        problem = {"code": Problem.PLACE_NEEDED, "params": {}}
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


def _only_the_ward_is_missing(session: Session, row: ListImport) -> bool:
    reasons = select(ImportRow.id).where(ImportRow.town_id == row.town_id, ImportRow.import_id == row.id)
    missing = reasons.where(ImportRow.reasons.overlap([WardReason.NO_WARD.value, WardReason.UNKNOWN_WARD.value])).limit(
        1
    )
    return session.scalar(missing) is not None


def _forget_rows(session: Session, row: ListImport) -> None:
    session.execute(delete(ImportRow).where(ImportRow.town_id == row.town_id, ImportRow.import_id == row.id))
    forget_staged(session, row.town_id, row.id)
