"""What a person reads of a row: who it proposes, what it would fill in, why it is set aside or rejected."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import zip_longest
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy import tuple_
from sqlalchemy.orm import Session

from crm.accounts.queries import Scope
from crm.citizen_ids import mask
from crm.months import Month
from crm.names import clean, fold
from crm.prospects.importing.kinds import why_kept
from crm.prospects.importing.queries import (
    people_of_rows,
    place_names,
    rows_of,
    those_settled_with_another,
)
from crm.prospects.importing.rules import (
    COLUMN_NAMES,
    FIELD_NAMES,
    Proposed,
    cell_shown,
    cells_from_json,
    masked_cell,
    why_handed_back,
)
from crm.prospects.importing.services.undoing import KEPT
from crm.prospects.importing.services.updating import value_of
from crm.prospects.models import ImportRow, ListImport, Prospect
from crm.prospects.reading.columns import SPECIAL, Field, Why, index_of
from crm.prospects.reading.old_letters import Letters, in_unicode
from crm.prospects.reading.outcomes import Cell, Reason, Remark
from crm.prospects.reading.values import as_text
from crm.prospects.rules import Ground, Kinship, ListKind, RowOutcome, Sex, deciding
from crm.prospects.wording import GROUNDS, KINSHIPS, SEXES
from crm.web import filters

CELLS_SHOWN = 6
KEPT_SHOWN = 200
ROWS_SAMPLED = 40
SAMPLES = 3
COMPARED = (
    "full_name",
    "birth_date",
    "birth_year",
    "sex",
    "phone",
    "other_phone",
    "citizen_id",
    "si_number",
    "address",
)
WHY = {
    Why.HEADING: _l("by its heading"),
    Why.VALUES: _l("by what stands in it"),
    Why.CHOSEN: _l("chosen"),
}
TAX = {"lump_sum": _l("lump-sum tax"), "declaration": _l("tax by declaration")}


@dataclass(frozen=True)
class Change:
    """One field that a row says: what is kept and what the list says; `open` when somebody has to decide."""

    name: str
    kept: str
    said: str
    open: bool


@dataclass(frozen=True)
class Shown:
    """A row as the page shows it."""

    row: ImportRow
    proposed: Proposed | None
    person: Prospect | None
    ground: Ground
    why: str | None
    cells: str
    changes: Sequence[Change]
    remarks: Sequence[str]
    decided: str | None
    ward: str | None = None
    """The ward or commune the person is put into, as it is called; None for a row that proposes nobody."""
    means: Sequence[str] = ()
    """What only a list of this kind says of the person, in words."""
    waits: bool = True
    """Whether somebody has to decide on it where it is set aside; False when loading settles it with an earlier row."""

    @property
    def birth(self) -> str:
        """The day of birth, or the year when only that is known."""
        one = self.proposed
        return (
            str(filters.in_day(one.birth_date))
            if one and one.birth_date
            else str((one and one.birth_year) or filters.NOTHING)
        )


def shown(session: Session, scope: Scope, rows: Sequence[ImportRow]) -> list[Shown]:
    """Rows of a list as the page shows them; identity numbers masked, nothing of people who are out of sight by now."""
    if not rows:
        return []
    people = people_of_rows(session, scope, rows)
    listed = session.get_one(ListImport, (rows[0].town_id, rows[0].import_id))
    proposed = {
        row.id: Proposed.from_json(row.understood or "") for row in rows if row.outcome is not RowOutcome.REJECTED
    }
    wards = {one.place_id for one in proposed.values()}
    names = place_names(session, listed.town_id, _neighbourhoods(rows, people.values()) | wards)
    settled = those_settled_with_another(session, listed, rows)
    told = [
        _shown(
            one,
            proposed.get(one.id),
            _table_of(listed, one),
            people.get(one.prospect_id) if one.prospect_id else None,
            names,
        )
        for one in rows
    ]
    return [replace(one, waits=one.row.id not in settled) for one in told]


def _neighbourhoods(rows: Sequence[ImportRow], people: Iterable[Prospect]) -> set[UUID]:
    before = [json.loads(row.before).get("neighbourhood") for row in rows if row.before]
    return {UUID(one) for one in before if one} | {one.neighbourhood_id for one in people if one.neighbourhood_id}


def _table_of(listed: ListImport, row: ImportRow) -> Mapping[str, Any]:
    """How the row's sheet was understood."""
    found: Sequence[Mapping[str, Any]] = (listed.found or {}).get("tables", ())
    return next((table for table in found if table["sheet"] == row.sheet), {})


def _shown(
    row: ImportRow,
    proposed: Proposed | None,
    table: Mapping[str, Any],
    person: Prospect | None,
    names: Mapping[UUID | None, str],
) -> Shown:
    detail = row.detail or {}
    told = Shown(
        row=row,
        proposed=proposed,
        person=person,
        ground=_ground(proposed) if proposed else Ground.OTHER,
        why=None,
        cells="" if proposed else _cells(row, table),
        changes=(),
        remarks=_remarks(row, table),
        decided=detail.get("decided"),
        ward=names.get(proposed.place_id) if proposed else None,
        means=means_in_words(proposed.extra) if proposed else (),
    )
    if row.outcome in (RowOutcome.REJECTED, RowOutcome.DUPLICATE):
        told = replace(told, why=_why(row))
    elif "kept" in detail:
        told = replace(told, why=why_stays(detail["kept"]))
    if proposed and person and row.outcome in (RowOutcome.CHANGED, RowOutcome.UNCHANGED):
        told = replace(told, changes=_changes(row, proposed, person, names))
    return told


def _why(row: ImportRow) -> str:
    told = why_handed_back(row)
    return masked_cell(told, ()) if set(row.reasons) & _OF_IDENTITY else told


_OF_IDENTITY = {
    Reason.CITIZEN_ID_UNREADABLE,
    Reason.CITIZEN_ID_OTHER_SEX,
    Reason.CITIZEN_ID_OTHER_YEAR,
    Reason.SI_NUMBER_UNREADABLE,
    Reason.TAX_CODE_UNREADABLE,
}


def _ground(one: Proposed) -> Ground:
    """The ground that decides support, that of the household's certificate included."""
    certified = (Ground(one.extra["ground"]),) if one.extra.get("ground") else ()
    return deciding((*one.grounds, *certified))


def why_stays(code: str) -> str:
    """Why somebody was not taken back with the list."""
    return str(KEPT[code]) if code in KEPT else why_kept(code) or code


@dataclass(frozen=True)
class KeptBack:
    """Somebody who stayed when a list was taken back; without a link when out of sight."""

    name: str
    person: Prospect | None
    why: str


def kept_back(session: Session, scope: Scope, row: ListImport) -> list[KeptBack]:
    """Who stayed when a list was taken back, and why; at most KEPT_SHOWN of them."""
    query = rows_of(row, ImportRow.detail.has_key("kept")).order_by(ImportRow.sheet, ImportRow.row_number)
    rows = session.scalars(query.limit(KEPT_SHOWN)).all()
    people = people_of_rows(session, scope, rows)
    return [
        KeptBack(
            Proposed.from_json(one.understood or "").full_name,
            people.get(one.prospect_id) if one.prospect_id else None,
            why_stays((one.detail or {})["kept"]),
        )
        for one in rows
    ]


@dataclass(frozen=True)
class Side:
    """One line of a comparison: what the list says and what is kept; `agrees` None when one of them says nothing."""

    name: str
    said: str
    kept: str
    agrees: bool | None


@dataclass(frozen=True)
class Beside:
    """A row that was set aside beside whom it may be: somebody kept, or (`row` says which) an earlier row of the list."""

    sides: Sequence[Side]
    row: ImportRow | None


def beside(session: Session, scope: Scope, listed: ListImport, rows: Sequence[ImportRow]) -> dict[UUID, Beside]:
    """For each row that was set aside: both beside each other, identity numbers masked; nobody out of sight."""
    people = people_of_rows(session, scope, rows)
    repeated = _repeated(session, listed, rows)
    found: dict[UUID, Beside] = {}
    for one in rows:
        if one.outcome is not RowOutcome.DUPLICATE:
            continue
        said, detail = Proposed.from_json(one.understood or ""), one.detail or {}
        person = people.get(one.prospect_id) if one.prospect_id else None
        first = repeated.get((detail.get("of_sheet"), detail.get("of_row")))
        if person:
            found[one.id] = Beside(_sides(said, lambda name, person=person: value_of(person, name)), None)  # type: ignore[misc]
        elif first and first.understood and first.outcome is not RowOutcome.REJECTED:
            other = Proposed.from_json(first.understood)
            found[one.id] = Beside(_sides(said, lambda name, other=other: getattr(other, name)), first)  # type: ignore[misc]
    return found


def _repeated(
    session: Session, listed: ListImport, rows: Sequence[ImportRow]
) -> dict[tuple[str | None, int | None], ImportRow]:
    wanted = {(one.detail["of_sheet"], one.detail["of_row"]) for one in rows if one.detail and "of_row" in one.detail}
    if not wanted:
        return {}
    query = rows_of(listed, tuple_(ImportRow.sheet, ImportRow.row_number).in_(wanted))
    return {(one.sheet, one.row_number): one for one in session.scalars(query)}


def _sides(one: Proposed, kept_of: Callable[[str], Any]) -> list[Side]:
    sides = []
    for name in COMPARED:
        said, kept = getattr(one, name), kept_of(name)
        if said is None and kept is None:
            continue
        agrees = None if said is None or kept is None else same_words(said, kept)
        sides.append(Side(str(FIELD_NAMES[name]), in_words(name, said), in_words(name, kept), agrees))
    return sides


def same_words(one: Any, other: Any) -> bool:
    """Whether two values are the same but for accents and case."""
    return fold(one) == fold(other) if isinstance(one, str) and isinstance(other, str) else bool(one == other)


@dataclass(frozen=True)
class ColumnShown:
    """A column as the page shows it: what it was taken for and why, with what stands in it."""

    letter: str
    heading: str
    field: str | None
    why: str
    samples: Sequence[str]
    by_heading: bool


@dataclass(frozen=True)
class TableShown:
    """A sheet as it was understood."""

    number: int
    sheet: str
    ward: str | None
    year: int | None
    headings: str
    """The rows they stand in, as people count; empty when it has none."""
    sure: int
    """How sure the columns are, in percent."""
    letters: Sequence[str]
    """What was converted, in words."""
    columns: Sequence[ColumnShown]

    @property
    def clear(self) -> list[ColumnShown]:
        """Columns whose headings say what they hold."""
        return [one for one in self.columns if one.field and one.by_heading]

    @property
    def doubtful(self) -> list[ColumnShown]:
        """The others in which something stands: somebody has to look at them."""
        return [
            one
            for one in self.columns
            if not (one.field and one.by_heading) and (one.heading or one.samples or one.field)
        ]


def columns_of(session: Session, row: ListImport) -> list[TableShown]:
    """How each sheet was understood, with up to three values of each column as they stand in the file."""
    return [_table(session, row, number, table) for number, table in enumerate((row.found or {}).get("tables", ()))]


def _table(session: Session, row: ListImport, number: int, table: Mapping[str, Any]) -> TableShown:
    query = rows_of(row, ImportRow.sheet == table["sheet"]).order_by(ImportRow.row_number).limit(ROWS_SAMPLED)
    rows = [cells_from_json(one.raw) for one in session.scalars(query)]
    letters = [Letters(name) for name in table.get("letters", ())]
    headed = table.get("header_rows", ())
    return TableShown(
        number=number,
        sheet=table["sheet"],
        ward=table["ward"],
        year=table.get("year") if row.kind is ListKind.POOR_HOUSEHOLDS else None,
        headings="–".join(str(end) for end in sorted({min(headed), max(headed)})) if headed else "",
        sure=round(100 * table["confidence"]),
        letters=_converted(table),
        columns=[
            ColumnShown(
                column["letter"],
                column["heading"],
                column["field"],
                str(WHY[Why(column["why"])]) if column["why"] else "",
                _samples(rows, column, letters),
                column["why"] == Why.HEADING,
            )
            for column in table["columns"]
        ],
    )


def _converted(table: Mapping[str, Any]) -> list[str]:
    told = [
        _(
            "Sheet “%(sheet)s” was written in %(letters)s letters; converted.",
            sheet=table["sheet"],
            letters=name.upper(),
        )
        for name in table.get("letters", ())
    ]
    if table.get("decomposed"):
        told.append(_("Sheet “%(sheet)s” kept letters and accents apart; put together.", sheet=table["sheet"]))
    return told


def _samples(rows: Sequence[Sequence[Cell]], column: Mapping[str, Any], letters: Sequence[Letters]) -> list[str]:
    index, held = index_of(column["letter"]), _held(column)
    found: list[str] = []
    for cells in rows:
        texts = [as_text(cell)[:80] for cell in in_unicode(cells[index : index + 1], letters)]
        text = cell_shown(clean(texts[0]), held) if texts else ""
        if text and text not in found:
            found.append(text[:40])
        if len(found) == SAMPLES:
            break
    return found


def _held(column: Mapping[str, Any]) -> Field | None:
    return Field(column["field"]) if column.get("field") else None


def fields_of(kind: ListKind) -> dict[Field, Any]:
    """What a column of a list of this kind may be said to hold: what only such a list has comes first."""
    special = {one for fields in SPECIAL.values() for one in fields}
    usual = {one: name for one, name in COLUMN_NAMES.items() if one not in special}
    return {**{one: COLUMN_NAMES[one] for one in SPECIAL[kind]}, **usual}


def means_in_words(extra: Mapping[str, Any]) -> list[str]:
    """What only a list of its kind says of somebody, as people say it."""
    told = [str(extra[name]) for name in ("name", "trade") if extra.get(name)]
    if extra.get("method"):
        told.append(str(TAX[extra["method"]]))
    if extra.get("paid_through"):
        told.append(_("paid through %(month)s", month=filters.month(Month.parse(extra["paid_through"]))))
    if extra.get("months_at_once"):
        told.append(ngettext("%(num)s month at once", "%(num)s months at once", extra["months_at_once"]))
    if extra.get("from_month"):
        told.append(_paid_from(filters.month(Month.parse(extra["from_month"])), extra.get("months")))
    if extra.get("total") is not None:
        told.append(filters.vnd(extra["total"]))
    if extra.get("income"):
        told.append(filters.vnd(extra["income"]))
    if extra.get("kinship"):
        told.append(str(KINSHIPS[Kinship(extra["kinship"])]))
    if extra.get("ground"):
        told.append(f"{GROUNDS[Ground(extra['ground'])]} {extra['year']}")
    if extra.get("certificate"):
        told.append(extra["certificate"])
    return told


def _paid_from(start: str, months: int | None) -> str:
    if months is None:
        return str(_("from %(start)s, months not said", start=start))
    return str(ngettext("%(num)s month from %(start)s", "%(num)s months from %(start)s", months, start=start))


def _cells(row: ImportRow, table: Mapping[str, Any]) -> str:
    """The first cells of a rejected row as people wrote them, so that one knows it again."""
    filled = [cell for cell in _texts(row, table) if cell]
    return " · ".join(cell[:40] for cell in filled[:CELLS_SHOWN])


def _texts(row: ImportRow, table: Mapping[str, Any]) -> list[str]:
    """Every cell of a row in its column's place, in Unicode, numbers of identity masked."""
    cells = in_unicode(cells_from_json(row.raw), [Letters(name) for name in table.get("letters", ())])
    columns = {index_of(column["letter"]): _held(column) for column in table.get("columns", ())}
    return [cell_shown(clean(as_text(cell)), columns.get(index)) for index, cell in enumerate(cells)]


def _remarks(row: ImportRow, table: Mapping[str, Any]) -> list[str]:
    detail = row.detail or {}
    codes, columns = detail.get("remarks", ()), detail.get("remarked", ())
    if not codes:
        return []
    texts = _texts(row, table)
    return [_remark(row, code, column, texts) for code, column in zip_longest(codes, columns)]


def _remark(row: ImportRow, code: str, column: str | None, texts: Sequence[str]) -> str:
    index = index_of(column) if column else len(texts)
    value = texts[index][:60] if index < len(texts) else "…"
    told: dict[str, str | int] = {"sheet": row.sheet, "row": row.row_number, "column": column or "–", "value": value}
    return Remark(Reason(code), told).sentence


def _changes(row: ImportRow, proposed: Proposed, person: Prospect, names: Mapping[UUID | None, str]) -> list[Change]:
    detail = row.detail or {}
    before = json.loads(row.before) if row.before else None
    found = []
    for kind in ("fills", "differs"):
        for name in detail.get(kind, ()):
            kept = before.get(name) if before is not None and name in before else value_of(person, name)
            if name == "neighbourhood" and kept is not None:
                kept = names.get(UUID(str(kept)))
            filled = kind == "fills" or detail.get("decided") == "take"
            found.append(
                Change(
                    str(FIELD_NAMES[name]),
                    filters.NOTHING if kind == "fills" else in_words(name, kept),
                    in_words(name, None if name == "place" else getattr(proposed, name)),
                    not filled,
                )
            )
    return found


def in_words(name: str, value: Any) -> str:
    """A field's value as people write it."""
    if value is None or value == () or name == "place":
        return filters.NOTHING
    if name in ("phone", "other_phone"):
        return filters.phone(value)
    if name in ("citizen_id", "si_number"):
        return mask(value)
    if name == "birth_date":
        return str(filters.in_day(value if isinstance(value, date) else date.fromisoformat(value)))
    if name == "sex":
        return str(SEXES[Sex(value)])
    if name == "grounds":
        return ", ".join(str(GROUNDS[ground]) for ground in value)
    if name == "sms_consent":
        return str(_("yes") if value else _("no"))
    return str(value)
