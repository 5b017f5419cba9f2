"""Putting right how a list was understood: its columns, what it is, where its people live and which of its sheets count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from crm.accounts.queries import Scope
from crm.errors import Conflict, RuleBroken
from crm.names import fold
from crm.prospects.importing.services import remembering, taking_in
from crm.prospects.models import ListImport
from crm.prospects.reading.columns import Field
from crm.prospects.reading.outcomes import Refusal, Unreadable
from crm.prospects.rules import ImportState, ListKind

Chosen = Mapping[str, Mapping[str, str]]
"""Sheet → field → the letter of its column; a field that lost its column has none."""


class ColumnSaid(NamedTuple):
    """What somebody says of one column. Its letter or heading with no field: it is left out; a field with no column: the
    list does not say it. Without a sheet it holds for every sheet that has such a column."""

    column: str
    field: str | None
    sheet: str | None = None


@dataclass(frozen=True)
class Said:
    """What somebody says of a list; what is None stays as it was understood."""

    columns: Chosen | None = None
    kind: ListKind | None = None
    place_id: UUID | None = None
    by_itself: bool = False
    """It names its wards itself after all."""
    sheets: Collection[str] | None = None


def put_right(session: Session, row: ListImport, said: Said, *, scope: Scope | None, at: datetime) -> bool:
    """Remember what was put right for the next list of this source, and let this one be read again where that changes
    anything; answers whether it has to be. Raises RuleBroken, and Conflict when it is loaded or being worked on."""
    if _changes_nothing(row, said) and not (said.by_itself and row.place_id):
        if said.columns and row.options.get("headed") and not row.options.get("remembered"):
            remembering.remember(session, row, said.columns, row.kind, row.place_id, at=at)
        taking_in.note_checked(session, row)
        return False
    ward = said.place_id or (None if said.by_itself else row.place_id)
    if said.columns:
        remembering.remember(session, row, said.columns, said.kind or row.kind, ward, at=at)
    columns = said.columns if said.columns and row.found and not is_as_found(row.found, said.columns) else None
    taking_in.read_again(
        session,
        row,
        place_id=said.place_id,
        by_itself=said.by_itself,
        columns={sheet: dict(chosen) for sheet, chosen in columns.items()} if columns else None,
        kind=said.kind if said.kind is not row.kind else None,
        sheets=list(said.sheets) if said.sheets else None,
        scope=scope,
    )
    return True


def _changes_nothing(row: ListImport, said: Said) -> bool:
    if row.state is not ImportState.READY or not row.found:
        return False
    all_sheets = not said.sheets or set(said.sheets) == {table["sheet"] for table in row.found["tables"]}
    return (
        all_sheets
        and said.place_id in (None, row.place_id)
        and said.kind in (None, row.kind)
        and (said.columns is None or is_as_found(row.found, said.columns))
    )


def is_as_found(found: Mapping[str, Any], chosen: Chosen) -> bool:
    """Whether what was chosen is just what was found."""
    return all(
        {name: letter for name, letter in chosen[table["sheet"]].items() if letter}
        == {column["field"]: column["letter"] for column in table["columns"] if column["field"]}
        for table in found["tables"]
    )


def columns_said(row: ListImport, said: Sequence[ColumnSaid]) -> dict[str, dict[str, str]]:
    """All columns of a list as they stand once this is put right. Raises RuleBroken when it names a sheet, a column or a
    field that there is not, or one twice; Conflict when the list was never understood."""
    if not row.found:
        raise Conflict(_l("The columns of this list are not known yet. Wait until it is read."), code="not_ready")
    _check_named(row.found, said)
    chosen, missed = {}, Counter(each for each in said)
    for table in row.found["tables"]:
        fields = {column["letter"]: column["field"] for column in table["columns"] if column["field"]}
        chosen[table["sheet"]] = dict.fromkeys(fields.values(), "")
        mine = [each for each in said if each.sheet in (None, table["sheet"])]
        placed = [(each, _letter(table, each.column)) for each in mine]
        there = [(each, letter) for each, letter in placed if letter or not each.column]
        _check_once(there)
        for each, letter in there:
            missed.pop(each, None)
            fields = {at: name for at, name in fields.items() if name != each.field and at != letter}
            if each.field and letter:
                fields[letter] = each.field
        chosen[table["sheet"]] |= {name: letter for letter, name in fields.items()}
    if missed:
        raise _refused(Refusal.NO_SUCH_COLUMN, column=next(iter(missed)).column)
    return chosen


def _check_named(found: Mapping[str, Any], said: Sequence[ColumnSaid]) -> None:
    sheets = [table["sheet"] for table in found["tables"]]
    for each in said:
        if each.sheet is not None and each.sheet not in sheets:
            raise _refused(Refusal.NO_SUCH_SHEET, sheet=each.sheet, sheets=", ".join(sheets))
        if each.field is not None and each.field not in set(Field):
            raise _refused(Refusal.NO_SUCH_FIELD, field=each.field, fields=", ".join(Field))


def _check_once(placed: Sequence[tuple[ColumnSaid, str]]) -> None:
    names = Counter([each.field for each, _letter in placed if each.field])
    letters = Counter([letter for _each, letter in placed if letter])
    for name, many in (names + letters).most_common(1):
        if many > 1:
            raise RuleBroken(
                _l("“%(name)s” is named twice. Say of each column once what it holds.", name=name), field="columns"
            )


def _letter(table: Mapping[str, Any], named: str) -> str:
    """The letter of the column that is named by its letter or by its heading; nothing when there is none."""
    by_letter = {column["letter"] for column in table["columns"]}
    if named.upper() in by_letter:
        return named.upper()
    return next((each["letter"] for each in table["columns"] if named and fold(each["heading"]) == fold(named)), "")


def _refused(reason: Refusal, **params: str) -> RuleBroken:
    return RuleBroken(Unreadable(reason, **params).sentence, field="columns", code=reason.value)
