"""A report as a table: one row a ward or commune, one total, ready for JSON or Excel."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session
from xlsxwriter import Workbook

from crm.accounts.queries import Scope
from crm.participation.rules import NOBODY, Span
from crm.prospects.rules import Stage
from crm.reports.queries import pipeline, places_in
from crm.reports.rules import By

SAFE = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


@dataclass(frozen=True)
class ReportTable:
    """What a report says; the last row is the total."""

    title: str
    since: date
    as_of: date
    counting: str
    boundaries: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


def participants(session: Session, scope: Scope, span: Span, drawn: date | None = None) -> ReportTable:
    """Biểu 01: how the stock of participants moved, ward by ward in the boundaries of `drawn`, by default of the last day
    (layout proposed by this program)."""
    columns = [
        _("Ward, commune"),
        _("Target of the year"),
        _("At the start"),
        _("Joined"),
        _("Returned"),
        _("Left"),
        _("Now"),
        _("Percent of the target"),
    ]
    found = sorted(places_in(session, scope, span, drawn), key=lambda row: row.name_key)
    total, target = NOBODY, 0
    rows = []
    for row in found:
        total, target = total.plus(row.moved), target + (row.target or 0)
        rows.append(_line(row.name, row.target, row.moved))
    rows.append(_line(_("Total"), target or None, total))
    counting = _("People taking part at the end of the day: the stock, not the sum of those who joined.")
    title, day = _("People taking part, by ward"), drawn or span.as_of
    return ReportTable(title, span.since, span.as_of, counting, _drawn(day), columns, rows)


def _drawn(day: date) -> str:
    return str(_("Wards and communes in the boundaries of %(day)s.", day=f"{day:%d/%m/%Y}"))


def _line(name: str, target: int | None, moved: Any) -> list[Any]:
    percent = round(100 * moved.now / target, 2) if target else None
    return [name, target, moved.start, moved.joined, moved.returned, moved.left, moved.now, percent]


def stages(session: Session, scope: Scope, span: Span, drawn: date | None = None) -> ReportTable:
    """Where people stood at the end of the period, ward by ward in the boundaries of `drawn`, by default of the last day."""
    found = pipeline(session, scope, span.as_of, By.PLACE, drawn)
    rows: list[list[Any]] = [[row.name, *(row.stages[stage] for stage in Stage), row.people] for row in found]
    sums = [sum(row[place] for row in rows) for place in range(1, len(Stage) + 2)]
    columns = [_("Ward, commune"), *(stage.value for stage in Stage), _("People")]
    counting = _("Each person once, at the stage of the last step until the end of the day.")
    title = _("People by stage and ward")
    drawn_as = _drawn(drawn or span.as_of)
    return ReportTable(title, span.since, span.as_of, counting, drawn_as, columns, [*rows, [_("Total"), *sums]])


def as_json(table: ReportTable) -> bytes:
    """One JSON document."""
    return json.dumps(asdict(table), ensure_ascii=False, indent=2, default=str).encode()


def as_xlsx(table: ReportTable) -> bytes:
    """An Excel workbook; text stays text, whatever it begins with."""
    made = io.BytesIO()
    with Workbook(made, SAFE) as book:
        sheet = book.add_worksheet()
        bold = book.add_format({"bold": True})
        head = book.add_format({"bold": True, "border": 1, "text_wrap": True, "valign": "vcenter", "align": "center"})
        cell, last = book.add_format({"border": 1}), book.add_format({"border": 1, "bold": True})
        sheet.write(0, 0, table.title, bold)
        sheet.write(1, 0, f"{table.since:%d/%m/%Y} – {table.as_of:%d/%m/%Y}")
        sheet.write(2, 0, table.counting)
        sheet.write(3, 0, table.boundaries)
        sheet.write_row(5, 0, table.columns, head)
        for number, row in enumerate(table.rows, start=6):
            sheet.write_row(number, 0, row, last if number == len(table.rows) + 5 else cell)
        sheet.set_column(0, 0, 28)
        sheet.set_column(1, len(table.columns), 13)
        sheet.freeze_panes(6, 1)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
    return made.getvalue()
