"""A report as a table: one row a ward or commune, one total, ready for JSON or Excel."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from flask_babel import gettext as _
from sqlalchemy.orm import Session
from xlsxwriter import Workbook

from crm.accounts.queries import Scope
from crm.participation.rules import Span
from crm.prospects.rules import Stage
from crm.reports.pipeline import standing
from crm.reports.rules import By
from crm.web.filters import in_day

SAFE = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


class Equation(NamedTuple):
    """Columns that add up to another, each part a sign («+» or «−») and the head of its column."""

    parts: Sequence[tuple[str, str]]
    result: str
    sentence: Callable[[str], str]
    """What is said of them, once they stand in a line."""

    def told(self, columns: Sequence[str]) -> str:
        """The sentence with the columns that are shown, and no other."""
        shown = [(sign, head) for sign, head in self.parts if head in columns]
        added = "".join(f" {sign} {head}" if place else head for place, (sign, head) in enumerate(shown))
        return self.sentence(f"{added} = {self.result}")


@dataclass(frozen=True)
class ReportTable:
    """What a report says; the last row is the total. Without any row its words are all it says."""

    title: str
    since: date
    as_of: date
    counting: str
    boundaries: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    form: str = ""
    """What the form is called, such as «Biểu 03»; a proposal of this program where there is no official one."""
    remarks: Sequence[str] = ()
    """What is to be known of the figures, below them."""
    equation: Equation | None = None
    """Which of its columns add up; said before the remarks."""
    numbered: bool = False
    """On paper its rows stand under «TT», numbered."""
    below: Sequence[ReportTable] = ()
    """Further tables of the same report."""

    @property
    def notes(self) -> list[str]:
        """What stands below the figures: how the columns shown add up, then the remarks."""
        first = [self.equation.told(self.columns)] if self.equation and self.equation.result in self.columns else []
        return [*first, *self.remarks]


def _drawn(day: date) -> str:
    return str(_("Wards and communes in the boundaries of %(day)s.", day=in_day(day)))


def stages(session: Session, scope: Scope, span: Span, drawn: date | None = None) -> ReportTable:
    """Where people stood at the end of the period, ward by ward in the boundaries of `drawn`, by default of the last day."""
    found = standing.rows(session, scope, span.as_of, By.PLACE, drawn)
    rows: list[list[Any]] = [[row.name, *(row.stages[stage] for stage in Stage), row.people] for row in found]
    sums = [sum(row[place] for row in rows) for place in range(1, len(Stage) + 2)]
    columns = [_("Ward, commune"), *(stage.value for stage in Stage), _("People")]
    counting = _("Each person once, at the stage of the last step until the end of the day.")
    title = _("People by stage and ward")
    drawn_as = _drawn(drawn or span.as_of)
    return ReportTable(title, span.since, span.as_of, counting, drawn_as, columns, [*rows, [_("Total"), *sums]])


def as_json(table: ReportTable) -> bytes:
    """One JSON document."""
    return json.dumps(_plain(table), ensure_ascii=False, indent=2, default=str).encode()


def _plain(table: ReportTable) -> dict[str, Any]:
    said = {name: getattr(table, name) for name in ("title", "since", "as_of", "counting", "boundaries")}
    said |= {"columns": table.columns, "rows": table.rows, "form": table.form, "notes": table.notes}
    return said | {"below": [_plain(one) for one in table.below]}


def as_xlsx(table: ReportTable) -> bytes:
    """An Excel workbook, a sheet for each table; text stays text, whatever it begins with."""
    made = io.BytesIO()
    with Workbook(made, SAFE) as book:
        for one in (table, *table.below):
            _sheet(book, one)
    return made.getvalue()


def _sheet(book: Workbook, table: ReportTable) -> None:
    sheet, line = book.add_worksheet(), {"border": 1}
    bold = book.add_format({"bold": True})
    head = book.add_format(line | {"bold": True, "text_wrap": True, "valign": "vcenter", "align": "center"})
    whole = {"num_format": "#,##0"}
    cell, number = book.add_format(line), book.add_format(line | whole)
    last, last_number = book.add_format(line | {"bold": True}), book.add_format(line | whole | {"bold": True})
    sheet.write(0, 0, table.title, bold)
    sheet.write(1, 0, f"{in_day(table.since)} – {in_day(table.as_of)}")
    sheet.write(2, 0, table.counting)
    sheet.write(3, 0, table.boundaries)
    sheet.write_row(5, 0, table.columns, head)
    for place, row in enumerate(table.rows, start=6):
        plain, counted = (last, last_number) if place == len(table.rows) + 5 else (cell, number)
        for column, value in enumerate(row):
            sheet.write(place, column, value, counted if isinstance(value, int) else plain)
    for place, note in enumerate(table.notes, start=len(table.rows) + 7):
        sheet.write(place, 0, note)
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, len(table.columns), 13)
    sheet.freeze_panes(6, 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
