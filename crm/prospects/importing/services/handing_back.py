"""The rows that were not loaded, as a workbook: as they stood in the file (old letters as Unicode), each with why, to be mended and loaded again."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain
from typing import Any

import xlsxwriter
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from crm.prospects.importing.queries import handed_back
from crm.prospects.importing.rules import cells_from_json, why_handed_back
from crm.prospects.models import ImportRow, ListImport
from crm.prospects.reading.old_letters import Letters, in_unicode
from crm.prospects.reading.outcomes import Cell

LONGEST_CELL = 32_767
"""Letters Excel keeps in a cell."""
LIKE_A_FORMULA = "=+-@\t\r"
"""A text that begins so stays text, also when somebody edits the cell and saves the sheet."""


def workbook(session: Session, row: ListImport) -> bytes:
    """An xlsx with one sheet for each sheet of the file: its titles and headings, then the rows that were rejected or
    set aside, with all their columns; after these the reason, the sheet and the row. No cell is a formula."""
    told = io.BytesIO()
    plain = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    with xlsxwriter.Workbook(told, plain | {"nan_inf_to_errors": True}) as book:
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        harmless = book.add_format({"quote_prefix": True})
        formats = _Formats(day, wrapped, harmless)
        for number, table in enumerate((row.found or {}).get("tables", ()), start=1):
            rows = handed_back(session, row, table["sheet"])
            if first := next(rows, None):
                _sheet(book.add_worksheet(_name(table["sheet"], number)), table, chain([first], rows), formats)
        if not book.worksheets():
            book.add_worksheet(_("Nothing was left out"))
    return told.getvalue()


def _name(sheet: str, number: int) -> str:
    """A name Excel takes: the sheet's own, without the signs it forbids."""
    kept = "".join(sign for sign in sheet if sign not in "[]:*?/\\").strip("'")[:31]
    return kept or f"{number}"


@dataclass(frozen=True)
class _Formats:
    """How days, reasons, and texts that look like formulas are written."""

    day: Format
    wrapped: Format
    harmless: Format


def _sheet(page: Worksheet, table: dict[str, Any], rows: Iterable[ImportRow], formats: _Formats) -> None:
    width = len(table["columns"])
    old = [Letters(name) for name in table.get("letters", ())]
    top = [in_unicode(cells_from_json(json.dumps(cells)), old) for cells in table["top"]]
    for at, cells in enumerate(top):
        _write(page, at, cells, formats)
    head = max(len(top) - 1, 0)
    for place, words in enumerate((_("Why it was left out"), _("Sheet in the file"), _("Row in the file"))):
        page.write_string(head, width + place, words, formats.wrapped)
    page.set_column(0, max(width - 1, 0), 18)
    page.set_column(width, width, 60)
    for at, one in enumerate(rows, start=head + 1):
        _write(page, at, in_unicode(cells_from_json(one.raw)[:width], old), formats)
        page.write_string(at, width, why_handed_back(one), formats.wrapped)
        page.write_string(at, width + 1, one.sheet)
        page.write_number(at, width + 2, one.row_number)
    page.freeze_panes(head + 1, 0)


def _write(page: Worksheet, at: int, cells: Sequence[Cell], formats: _Formats) -> None:
    for place, cell in enumerate(cells):
        if cell in ("", None):
            continue
        if isinstance(cell, bool):
            page.write_boolean(at, place, cell)
        elif isinstance(cell, (datetime, date)):
            page.write_datetime(at, place, cell, formats.day)
        elif isinstance(cell, (int, float)):
            page.write_number(at, place, cell)
        else:
            text = str(cell)[:LONGEST_CELL]
            page.write_string(at, place, text, formats.harmless if text[0] in LIKE_A_FORMULA else None)
