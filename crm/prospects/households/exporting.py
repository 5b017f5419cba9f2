"""The renewal list as a workbook, for the ward's desk."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from xlsxwriter import Workbook

from crm.prospects.households.reviewing import Due
from crm.prospects.households.rules import RENEWALS
from crm.prospects.rules import Ground
from crm.web import filters

SAFE = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def workbook(year: int, rows: Sequence[Due], grounds: Mapping[Ground, Any]) -> bytes:
    """An Excel workbook; text stays text, whatever it begins with."""
    made = io.BytesIO()
    with Workbook(made, SAFE) as book:
        sheet = book.add_worksheet()
        head = book.add_format({"bold": True, "border": 1, "text_wrap": True, "valign": "vcenter"})
        cell = book.add_format({"border": 1, "text_wrap": True, "valign": "top"})
        sheet.write_string(
            0, 0, _("Certificates of %(year)s and who renewed them", year=year), book.add_format({"bold": True})
        )
        columns = [
            _("Ward, commune"),
            _("Neighbourhood"),
            _("Household"),
            _("People"),
            _("Group"),
            _("Certificate number"),
            _("Phone"),
            _("Renewed?"),
            _("New certificate number"),
        ]
        for column, title in enumerate(columns):
            sheet.write_string(2, column, title, head)
        for number, row in enumerate(rows, start=3):
            line = (row.place, row.neighbourhood or "", ", ".join(row.names), str(row.people), str(grounds[row.ground]))
            told = (*line, row.number or "", filters.phone(row.phone), str(RENEWALS[row.state]), "")
            for column, text in enumerate(told):
                sheet.write_string(number, column, text, cell)
        for column, width in enumerate((18, 18, 32, 8, 16, 20, 16, 18, 20)):
            sheet.set_column(column, column, width)
        sheet.freeze_panes(3, 0)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
    return made.getvalue()
