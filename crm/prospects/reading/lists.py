"""Reading a whole file: its sheets, the tables in them, and each row as a person, a repeat or a rejection."""

import csv
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import islice
from pathlib import Path

from crm.prospects.reading.columns import HEAD_ROWS, SAMPLE_ROWS, Table, find_table, first_texts, letter_of
from crm.prospects.reading.outcomes import Cell, Duplicate, Outcome, Person, Refusal, Rejected, Unreadable
from crm.prospects.reading.repeats import Repeats
from crm.prospects.reading.rows import RowReader
from crm.prospects.reading.sources import Sheet, Source, open_source
from crm.prospects.rules import ListKind

MOST_ROWS = 200_000
_MARGIN = 200  # rows more, for titles, sub-headings and signatures
_OTHER_THINGS = re.compile(r"\.(pdf|docx?|rtf|pptx?|jpe?g|png|gif|heic|webp|exe|msi|zip|rar|7z|html?|mp4|apk)$")
_WARD_IN_FILENAME = re.compile(r"(?:^|[-_ .])((?:phuong|xa|thi-tran)[-_ ].+)$")


@dataclass(frozen=True)
class ListRead:
    """A file that can be read. `tables` is the proposal, one a sheet; `rows()` goes through the file again each time."""

    filename: str
    tables: tuple[Table, ...]
    skipped: tuple[str, ...]
    today: date
    _sheets: tuple[Sheet, ...]

    def rows(self) -> Iterator[Outcome]:
        """Each person, repeat and rejected row in the order of the file, one at a time. Raises Unreadable."""
        repeats = Repeats()
        for sheet, table in zip(self._sheets, self.tables, strict=True):
            for outcome in RowReader(table, self.today, sheet.merged).read(_guarded(sheet)):
                if isinstance(outcome, Rejected):
                    yield outcome
                elif first := repeats.first_of(outcome):
                    of_sheet, of_row, reasons = first
                    yield Duplicate(outcome.sheet, outcome.row, of_sheet, of_row, reasons, outcome)
                else:
                    yield outcome

    @property
    def height(self) -> int:
        """How many rows the tables have at most, headings and titles included."""
        return sum(sheet.height for sheet in self._sheets)

    def top_of(self, table: Table) -> list[Sequence[Cell]]:
        """The rows of a table's sheet down to its headings, as they stand in the file."""
        sheet = self._sheets[self.tables.index(table)]
        return list(islice(_guarded(sheet), table.first_row - 1))

    @cached_property
    def _outcomes(self) -> tuple[Outcome, ...]:
        return tuple(self.rows())

    @property
    def people(self) -> list[Person]:
        """The people the file proposes. Holds the whole list: for small files and tests."""
        return [outcome for outcome in self._outcomes if isinstance(outcome, Person)]

    @property
    def duplicates(self) -> list[Duplicate]:
        """The rows that repeat an earlier one."""
        return [outcome for outcome in self._outcomes if isinstance(outcome, Duplicate)]

    @property
    def rejected(self) -> list[Rejected]:
        """The rows that cannot be used as they stand."""
        return [outcome for outcome in self._outcomes if isinstance(outcome, Rejected)]

    @property
    def kind(self) -> ListKind:
        """What the list is about."""
        return self.tables[0].kind

    @property
    def ward_named(self) -> str | None:
        """The one ward that the titles of the tables name, as written; None when they name none or several."""
        named = {table.ward_named for table in self.tables if table.ward_named}
        return named.pop() if len(named) == 1 else None

    @property
    def ward_hint(self) -> str | None:
        """What the file's name says after `phuong` or `xa`, without accents: good for a suggestion, not for a decision."""
        stem = re.split(r"[/\\]", self.filename)[-1].rsplit(".", 1)[0].lower()
        match = _WARD_IN_FILENAME.search(stem)
        return re.sub(r"[-_ ]+", " ", match[1]).strip() if match else None


def read(
    file: str | Path | bytes,
    filename: str,
    *,
    today: date,
    sheets: Collection[str] | None = None,
    mapping: Mapping[str, str] | None = None,
    columns: Mapping[str, Mapping[str, str]] | None = None,
    kind: ListKind | None = None,
    headed: Mapping[str, Sequence[int]] | None = None,
    most_rows: int = MOST_ROWS,
) -> ListRead:
    """Open a list and find its tables; the rows themselves are read by `rows()`.

    `sheets` are the names of those wanted, by default all that can be seen. `mapping` overrides what was found: a field
    (`full_name`, `phone`, …) and its column's letter or heading; an empty column takes the field away; `columns` is such a mapping for each sheet
    it names. `kind` is what the list is about, by default what its headings and titles say. `headed` says of some sheets
    in which rows the headings stand; under an empty name, of all others. Raises Unreadable only.
    """
    source = open_source(file, filename)
    wanted = _wanted(source, sheets)
    found: list[tuple[Sheet, Table]] = []
    skipped: list[str] = [sheet.name for sheet in source.sheets if sheet not in wanted]
    empty = True
    for sheet in wanted:
        sample = list(islice(_guarded(sheet), HEAD_ROWS + SAMPLE_ROWS))
        filled = any(cell not in ("", None) for row in sample for cell in row)
        empty = empty and not filled
        wished = {**(mapping or {}), **(columns or {}).get(sheet.name, {})}
        table = (
            find_table(sheet.name, sample, sheet.merged, wished, kind, _headed(sheet.name, headed)) if filled else None
        )
        if table is None:
            skipped.append(sheet.name)
        else:
            found.append((sheet, table))
    if len({table.kind for _, table in found}) > 1:  # sheets of several kinds: people as such
        return read(
            file, filename, today=today, sheets=sheets, mapping=mapping, columns=columns, kind=ListKind.PEOPLE,
            headed=headed, most_rows=most_rows,
        )  # fmt: skip
    if not found:
        other = _OTHER_THINGS.search(filename.lower()) and source.kind == "text"
        raise Unreadable(Refusal.EMPTY if empty else Refusal.WRONG_TYPE if other else Refusal.NO_HEADER)
    held = tuple(sheet for sheet, _ in found)
    _refuse_too_many(held, most_rows)
    return ListRead(filename, tuple(table for _, table in found), tuple(skipped), today, held)


def _wanted(source: Source, names: Collection[str] | None) -> list[Sheet]:
    """The sheets of these names, by default all that can be seen. Raises Unreadable for a name that is not there."""
    if names is None:
        return [sheet for sheet in source.sheets if not sheet.hidden]
    there = [sheet.name for sheet in source.sheets]
    if missing := [name for name in names if name not in there]:
        raise Unreadable(Refusal.NO_SUCH_SHEET, sheet=missing[0], sheets=", ".join(there))
    return [sheet for sheet in source.sheets if sheet.name in names]


def _refuse_too_many(sheets: Sequence[Sheet], most: int) -> None:
    """Raises Unreadable. What a file says of its height is not believed against it: then the filled rows are counted."""
    rows = sum(sheet.height for sheet in sheets)
    if rows > most + _MARGIN:
        rows = sum(1 for sheet in sheets for row in _guarded(sheet) if any(cell not in ("", None) for cell in row))
    if rows > most + _MARGIN:
        raise Unreadable(Refusal.TOO_MANY_ROWS, rows=rows, limit=most)


def _headed(sheet: str, headed: Mapping[str, Sequence[int]] | None) -> Sequence[int] | None:
    return (headed or {}).get(sheet, (headed or {}).get(""))


@dataclass(frozen=True)
class FirstRows:
    """How a sheet begins, as people read it."""

    sheet: str
    rows: list[list[str]]

    @property
    def letters(self) -> list[str]:
        """What a spreadsheet calls its columns."""
        return [letter_of(index) for index in range(max(map(len, self.rows), default=0))]


def first_rows(content: bytes, filename: str, many: int = 30) -> list[FirstRows]:
    """How every sheet that can be seen begins. Raises Unreadable."""
    sheets = [sheet for sheet in open_source(content, filename).sheets if not sheet.hidden]
    return [FirstRows(sheet.name, first_texts(list(islice(_guarded(sheet), many)))) for sheet in sheets]


def _guarded(sheet: Sheet) -> Iterator[Sequence[Cell]]:
    """The rows of a sheet, where whatever goes wrong inside the file is a damaged file."""
    try:
        yield from sheet.rows()
    except (csv.Error, ValueError, OSError):
        raise Unreadable(Refusal.BROKEN) from None
