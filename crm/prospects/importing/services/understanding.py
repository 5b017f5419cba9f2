"""What a file says, row by row, and made ready for the database: proposals, repeats, rejections. No database is needed, so
another process can do it (apart.py)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any
from uuid import UUID

from crm.ids import new_ids
from crm.prospects.importing.gateway import open_list
from crm.prospects.importing.rules import CHUNK, Proposed, WardReason, cells_as_json, unit_named
from crm.prospects.importing.services.packing import packed
from crm.prospects.importing.services.proposing import COLUMNS, Waiting, staged
from crm.prospects.reading.columns import Field, Table
from crm.prospects.reading.lists import MOST_ROWS, ListRead
from crm.prospects.reading.old_letters import Letters
from crm.prospects.reading.outcomes import Cell, Duplicate, Outcome, Refusal, Rejected, Remark, Unreadable
from crm.prospects.rules import ListKind, RowOutcome
from crm.sealed import Seal
from crm.sealed import current as seal

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


@dataclass(frozen=True, slots=True)
class Ward:
    """A ward or commune people may be put into."""

    id: UUID
    name: str
    valid_from: date
    valid_to: date | None

    def valid_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


@dataclass(frozen=True)
class Asked:
    """A file, and all that is needed to understand it."""

    town_id: UUID
    import_id: UUID
    content: bytes
    filename: str
    options: dict[str, Any]
    today: date
    ward_id: UUID | None
    """The ward chosen for the whole list."""
    neighbourhood: str | None
    wards: Sequence[Ward]
    within: Collection[UUID] | None
    """The wards into which people may be put; None: all."""
    seal: Seal


@dataclass(frozen=True)
class Opened:
    """The file can be read: what was found in it, for the page that shows it, and how many rows there are at most."""

    found: dict[str, Any]
    height: int
    kind: ListKind


@dataclass(frozen=True)
class Made:
    """What was made of some rows: the rows themselves and the people they propose, packed to be copied in."""

    many: int
    first: UUID
    last: UUID
    """Their ids are in the order of the file."""
    rows: bytes
    people: bytes


@dataclass(frozen=True)
class Refused:
    """What is wrong with the whole file, as a list keeps it."""

    problem: dict[str, Any]


Said = Opened | Made | Refused


def understood(asked: Asked) -> Iterator[Said]:
    """How the file opens, and then what is made of it, so many rows at a time; what is wrong with all of it ends it."""
    try:
        read = open_list(asked.content, asked.filename, asked.options, asked.today)
        yield Opened(_found(read), read.height, read.kind)
        rows, making, made = read.rows(), _Making(asked), 0
        while chunk := list(islice(rows, CHUNK)):
            made += len(chunk)
            if made > MOST_ROWS:
                raise Unreadable(Refusal.TOO_MANY_ROWS, rows=made, limit=MOST_ROWS)
            yield making.made_of(chunk)
    except Unreadable as refusal:
        yield Refused({"code": refusal.reason.value, "params": refusal.params})


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


class Again:
    """Counts how often a list says the same words: two who are told alike are two people, each known again by their turn."""

    def __init__(self) -> None:
        self._turns: Counter[bytes] = Counter()

    def words(self, understood: str) -> bytes:
        """What this row is known by when the list comes again."""
        said = seal().index(understood)
        self._turns[said] += 1
        return seal().index(f"{self._turns[said]} {understood}")


class _Wards:
    """The ward each row is put into; a name is looked up once however many rows bear it."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._named: dict[str | None, UUID | WardReason] = {}

    def of(self, named: str | None) -> UUID | WardReason:
        if named not in self._named:
            self._named[named] = self._look_up(named)
        return self._named[named]

    def _look_up(self, named: str | None) -> UUID | WardReason:
        asked = self._asked
        if asked.ward_id:
            return asked.ward_id
        unit = unit_named(named, asked.wards, asked.today) if named else None
        if unit is None:
            return WardReason.UNKNOWN_WARD if named else WardReason.NO_WARD
        if asked.within is not None and unit.id not in asked.within:
            return WardReason.WARD_NOT_YOURS
        return unit.id


class _Making:
    """The rows of one list, while they are made ready."""

    def __init__(self, asked: Asked) -> None:
        self._asked, self._wards, self._again = asked, _Wards(asked), Again()

    def made_of(self, outcomes: Sequence[Outcome]) -> Made:
        """These rows, packed."""
        asked = self._asked
        said: list[tuple[str, tuple[Any, ...]]] = []
        people: list[Waiting] = []
        ids = new_ids(len(outcomes))  # in the order of the file
        for row_id, outcome in zip(ids, outcomes, strict=True):
            person = outcome.person if isinstance(outcome, Duplicate) else outcome
            if isinstance(person, Rejected):
                said.append(_rejected(person.reason.value, dict(person.params)))
                continue
            ward = self._wards.of(person.ward_named)
            if isinstance(ward, WardReason):
                said.append(_rejected(ward.value, {"value": person.ward_named or ""}))
                continue
            one = Proposed.of(person, ward, asked.neighbourhood)
            text = one.as_json()
            words = self._again.words(text) if one.says_no_number else None
            repeats = isinstance(outcome, Duplicate)
            people.append(Waiting(row_id, outcome.sheet, one, to_add=not repeats))
            if isinstance(outcome, Duplicate):
                of = {"of_sheet": outcome.of_sheet, "of_row": outcome.of_row}
                reasons = [why.value for why in outcome.reasons]
                said.append((text, (words, _DUPLICATE, reasons, of, None, None)))
            else:
                remarks = _remarks(person.remarks) if person.remarks else None
                said.append((text, (words, _NEW, [], remarks, row_id, 1)))
        raw = seal().close_all([cells_as_json(_as_it_stood(outcome)) for outcome in outcomes])
        texts = seal().close_all([text for text, _became in said])
        rows = [
            (asked.town_id, row_id, asked.import_id, outcome.sheet, outcome.row, cells, text, *became)
            for row_id, outcome, cells, text, (_text, became) in zip(ids, outcomes, raw, texts, said, strict=True)
        ]
        return Made(
            len(rows),
            ids[0],
            ids[-1],
            packed(ROW, rows),
            packed(COLUMNS, staged(asked.town_id, asked.import_id, people)),
        )


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
