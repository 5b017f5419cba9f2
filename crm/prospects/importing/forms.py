"""What is asked when a list is handed in, and when its columns are put right."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired
from werkzeug.datastructures import MultiDict
from wtforms import SelectField

from crm.errors import RuleBroken
from crm.prospects.importing.kinds import KIND_NAMES
from crm.prospects.rules import ListKind
from crm.web.forms import Form


def _choices(first: Any, options: Iterable[tuple[Any, str]]) -> list[tuple[str, Any]]:
    return [("", first), *((str(key), name) for key, name in options)]


class PlaceForm(Form):
    """The ward of a list that does not say it."""

    place = SelectField(_l("Ward of the whole list"), default="")

    def offer(self, places: Iterable[tuple[Any, str]]) -> None:
        """Let these be the wards to choose from."""
        self.place.choices = _choices(_l("As the list says"), places)

    @property
    def place_id(self) -> UUID | None:
        """The ward that was chosen; None also for what is no choice."""
        offered = {value for value, *_ in self.place.iter_choices() if value}
        return UUID(self.place.data) if self.place.data in offered else None


class ColumnsForm(PlaceForm):
    """What a list is, and the ward of one that does not say it; its columns are named by their letters."""

    kind = SelectField(_l("What the list is"), default="")

    @classmethod
    def with_kind(cls, places: Iterable[tuple[Any, str]], kind: ListKind, place_id: UUID | None = None) -> ColumnsForm:
        """With what the list is, and the ward that was chosen for it, chosen."""
        form = cls()
        if place_id and not form.is_submitted():
            form.place.data = str(place_id)
        form.offer(places)
        form.kind.choices = [(each.value, name) for each, name in KIND_NAMES.items()]
        form.kind.data = form.kind.data or kind.value
        return form

    @property
    def list_kind(self) -> ListKind | None:
        return ListKind(self.kind.data) if self.kind.data in set(ListKind) else None


class HandInForm(PlaceForm):
    """A list, what it is, its ward where it does not say it, and for whom the people are loaded."""

    kind = SelectField(_l("What the list is"), default="")
    file = FileField(
        _l("The list"),
        [FileRequired(_l("Choose the file that holds the list."))],
        description=_l("Excel (.xlsx, .xls), OpenDocument or CSV, at most 25 MB."),
    )
    organisation = SelectField(_l("Organisation that will look after the people"), default="")

    @classmethod
    def with_choices(cls, places: Iterable[tuple[Any, str]], organisations: Iterable[tuple[Any, str]]) -> HandInForm:
        form = cls()
        form.offer(places)
        form.organisation.choices = _choices(_l("None yet"), organisations)
        form.kind.choices = _choices(
            _l("As its headings say"), ((each.value, name) for each, name in KIND_NAMES.items())
        )
        return form

    @property
    def list_kind(self) -> ListKind | None:
        return ListKind(self.kind.data) if self.kind.data else None

    @property
    def organisation_id(self) -> UUID | None:
        return UUID(self.organisation.data) if self.organisation.data else None


def columns_chosen(found: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """What a person chose for each column, as sheet → field → column letter; a field that lost its column has none.

    The form names its fields `T-LETTER`, T counting the tables.
    """
    chosen: dict[str, dict[str, str]] = {}
    for number, table in enumerate(found["tables"]):
        lost = {column["field"]: "" for column in table["columns"] if column["field"]}
        for column in table["columns"]:
            field = given.get(f"{number}-{column['letter']}", column["field"] or "")
            if field:
                lost[field] = column["letter"]
        chosen[table["sheet"]] = lost
    return chosen


def headings_ticked(
    sheets: Sequence[str], found: Mapping[str, Any] | None, given: MultiDict[str, str]
) -> dict[str, list[int]]:
    """Sheet → rows of headings, of the sheets where somebody says otherwise than was found; no rows: it has no headings.

    The form names its boxes `S-row`, and `S-none` for a sheet without headings; S counts the sheets.
    """
    before = {table["sheet"]: list(table["header_rows"]) for table in (found or {}).get("tables", ())}
    said: dict[str, list[int]] = {}
    for number, sheet in enumerate(sheets):
        rows = sorted({int(row) for row in given.getlist(f"{number}-row") if row.isdecimal() and len(row) < _DIGITS})
        if rows and rows != before.get(sheet):
            said[sheet] = rows
        elif given.get(f"{number}-none") and before.get(sheet) != []:
            said[sheet] = []
    return said


_DIGITS = 5
_HEADED = re.compile(r"(?:(.*)=)?(\d{1,4})(?:-(\d{1,4}))?", re.DOTALL)


def _headed(told: Sequence[str]) -> dict[str, list[int]]:
    """Sheet → rows of headings from `[SHEET=]ROW` or `[SHEET=]FIRST-LAST`; row 0: it has none. Raises RuleBroken."""
    said: dict[str, list[int]] = {}
    for each in told:
        found = _HEADED.fullmatch(each.strip())
        if found is None:
            raise RuleBroken(
                _l(
                    "“%(given)s” names no row of headings. Write ROW, FIRST-LAST or SHEET=ROW, such as 5-6.", given=each
                ),
                field="headings",
            )
        first, last = int(found[2]), int(found[3] or found[2])
        said[found[1] or ""] = list(range(first, last + 1)) if first else []
    return said


def options_of(
    sheets: Sequence[str], mapping: Sequence[str], kind: ListKind | None, headings: Sequence[str] = ()
) -> dict[str, Any]:
    """How a list is to be read, as a program or a command says it: sheets, `FIELD=COLUMN`, what it is, where its headings
    stand. Raises RuleBroken."""
    pairs = [pair.partition("=") for pair in mapping]
    if wrong := [field for field, sign, _column in pairs if not sign]:
        raise RuleBroken(_l("“%(given)s” names no column. Write FIELD=COLUMN, such as phone=F.", given=wrong[0]))
    options: dict[str, Any] = {
        "sheets": list(sheets),
        "mapping": {field.strip(): column.strip() for field, _, column in pairs},
        "headed": _headed(headings),
    }
    if kind:
        options["kind"] = kind.value
    return {name: value for name, value in options.items() if value}
