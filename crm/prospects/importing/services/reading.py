"""Reading a list in the background: each row becomes a proposal, a repeat or a rejection, compared with who is here."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import Scope, scope_of
from crm.clock import local_day
from crm.ids import new_id
from crm.places.models import Place
from crm.places.queries import units_of_all_times
from crm.places.rules import PlaceKind
from crm.prospects.importing.gateway import open_list
from crm.prospects.importing.queries import Match, counts_of, matches
from crm.prospects.importing.rules import (
    CHUNK,
    KEPT_ELSEWHERE,
    Problem,
    Proposed,
    WardReason,
    cells_as_json,
    unit_named,
)
from crm.prospects.importing.services.at_work import beat, claim, rest
from crm.prospects.importing.services.copying import copy_in, table_of
from crm.prospects.models import ImportRow, ListImport
from crm.prospects.reading.columns import Field, Table
from crm.prospects.reading.lists import MOST_ROWS, ListRead
from crm.prospects.reading.old_letters import Letters
from crm.prospects.reading.outcomes import Duplicate, Outcome, Person, Refusal, Rejected, Remark, Unreadable
from crm.prospects.rules import ImportState, RowOutcome
from crm.sealed import current as seal


@dataclass
class Reading:
    """One worker reading one list."""

    import_id: UUID
    town_id: UUID
    heartbeat: datetime
    read: ListRead
    unit: Place | None
    """The ward chosen for the whole list."""
    neighbourhood: str | None
    units: Sequence[Place]
    scope: Scope | None
    total: int
    done: int = 0
    problem: dict[str, Any] | None = None

    def chunks(self) -> Iterator[list[Outcome]]:
        """The rows of the file, so many at a time; what is wrong with the whole file ends them and stands in `problem`."""
        rows = self.read.rows()
        try:
            while chunk := list(islice(rows, CHUNK)):
                if self.done + len(chunk) > MOST_ROWS:
                    raise Unreadable(Refusal.TOO_MANY_ROWS, rows=self.done + len(chunk), limit=MOST_ROWS)
                yield chunk
        except Unreadable as refusal:
            self.problem = _told(refusal)


def _told(refusal: Unreadable) -> dict[str, Any]:
    return {"code": refusal.reason.value, "params": refusal.params}


def begin(session: Session, import_id: UUID, at: datetime) -> Reading | None:
    """Take up the reading of a list, from its beginning; None when somebody else is at it or nothing is to be read."""
    row = claim(session, import_id, (ImportState.QUEUED, ImportState.READING), ImportState.READING, at)
    if row is None or row.content is None:
        return None
    _forget_rows(session, row)
    place = session.get(Place, (row.town_id, row.place_id)) if row.place_id else None
    inside = place if place and place.kind is PlaceKind.NEIGHBOURHOOD else None
    user = session.get(User, (row.town_id, row.created_by_id)) if row.created_by_id else None
    row.done = 0
    try:
        read = open_list(seal().open_bytes(row.content), row.filename, row.options, local_day(at))
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
        heartbeat=at,
        read=read,
        unit=next((unit for unit in units if inside and unit.id == inside.parent_id), None) if inside else place,
        neighbourhood=inside.name if inside else None,
        units=units,
        scope=scope_of(session, user) if user else None,
        total=read.height,
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


def keep(session: Session, work: Reading, chunk: Sequence[Outcome], at: datetime) -> bool:
    """Keep what was made of some rows; False when another worker has taken the list up, and this one should stop."""
    held = beat(session, work.import_id, ImportState.READING, work.heartbeat, at, more=len(chunk))
    if held is None:
        return False
    placed = {id(outcome): _placed(work, outcome) for outcome in chunk}
    proposals = [placed[id(outcome)] for outcome in chunk if isinstance(outcome, Person)]
    people = [one for one in proposals if isinstance(one, Proposed)]
    who = iter(
        matches(session, work.town_id, people, on=local_day(at), scope=work.scope, besides=None) if people else ()
    )
    rows = []
    for outcome in chunk:
        proposal = placed[id(outcome)]
        match = next(who) if isinstance(outcome, Person) and isinstance(proposal, Proposed) else None
        rows.append(_row(work, outcome, proposal, match))
    copy_in(session, table_of(ImportRow), rows)
    work.heartbeat, work.done = held, work.done + len(chunk)
    return True


def _placed(work: Reading, outcome: Outcome) -> Proposed | WardReason | None:
    """The person of a row in their ward, or why there is none; nothing for a rejected row."""
    if isinstance(outcome, Rejected):
        return None
    person = outcome.person if isinstance(outcome, Duplicate) else outcome
    named = person.ward_named
    unit = work.unit or (unit_named(named, work.units, work.read.today) if named else None)
    if unit is None:
        return WardReason.UNKNOWN_WARD if named else WardReason.NO_WARD
    if work.scope and work.scope.place_ids is not None and unit.id not in work.scope.place_ids and not work.unit:
        return WardReason.WARD_NOT_YOURS
    return Proposed.of(person, unit.id, work.neighbourhood)  # type: ignore[arg-type]


def _row(
    work: Reading, outcome: Outcome, proposal: Proposed | WardReason | None, match: Match | None
) -> dict[str, Any]:
    person = outcome.person if isinstance(outcome, Duplicate) else outcome
    row: dict[str, Any] = {
        "town_id": work.town_id,
        "id": new_id(),
        "import_id": work.import_id,
        "sheet": outcome.sheet,
        "row_number": outcome.row,
        "raw": cells_as_json(person.raw),
        "understood": None,
        "outcome": RowOutcome.REJECTED,
        "reasons": [],
        "detail": None,
        "prospect_id": None,
    }
    if isinstance(outcome, Rejected):
        return row | {"reasons": [outcome.reason.value], "understood": json.dumps({"params": dict(outcome.params)})}
    if isinstance(proposal, WardReason):
        params = {"value": person.ward_named or ""}  # type: ignore[union-attr]
        return row | {"reasons": [proposal.value], "understood": json.dumps({"params": params})}
    assert proposal is not None
    row["understood"] = proposal.as_json()
    if isinstance(outcome, Duplicate):
        of = {"of_sheet": outcome.of_sheet, "of_row": outcome.of_row}
        return row | {"outcome": RowOutcome.DUPLICATE, "reasons": [why.value for why in outcome.reasons], "detail": of}
    remarks = {"remarks": _remarks(outcome.remarks)} if outcome.remarks else None  # type: ignore[union-attr]
    return row | {"detail": remarks} | (compared(match) if match else {"outcome": RowOutcome.NEW})


def _remarks(remarks: Collection[Remark]) -> list[str]:
    return [remark.reason.value for remark in remarks]


def compared(match: Match) -> dict[str, Any]:
    """What a row becomes beside somebody who is here: changed or unchanged when it is sure, else set aside."""
    detail = {"fills": list(match.difference.fills), "differs": list(match.difference.differs)}
    reasons = [why.value for why in match.like.reasons]
    if not match.like.certain or (not match.visible and match.difference.fills):
        elsewhere = [] if match.visible else [KEPT_ELSEWHERE]
        person = match.person.id if match.visible else None
        return {
            "outcome": RowOutcome.DUPLICATE,
            "reasons": [*reasons, *elsewhere],
            "detail": detail,
            "prospect_id": person,
        }
    outcome = RowOutcome.CHANGED if match.difference.fills else RowOutcome.UNCHANGED
    return {"outcome": outcome, "reasons": reasons, "detail": detail, "prospect_id": match.person.id}


def finish(session: Session, work: Reading, at: datetime) -> None:
    """All rows are read: the list waits for a person, or is refused as a whole with nothing kept of it."""
    if beat(session, work.import_id, ImportState.READING, work.heartbeat, at) is None:
        return
    row = session.get_one(ListImport, (work.town_id, work.import_id), populate_existing=True)
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
    row.total = row.done
    rest(row, ImportState.READY)


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
