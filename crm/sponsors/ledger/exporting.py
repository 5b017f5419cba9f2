"""A month of the account book as an Excel workbook. Nobody who is helped is named in it."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from flask_babel import gettext as _
from xlsxwriter import Workbook

from crm.months import Month
from crm.sponsors.ledger.journal import Line, Turnover

SAFE = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
WIDTHS = (12, 34, 40, 16, 16, 18, 24, 24, 24, 40)


def workbook(
    month: Month, of: Turnover, lines: Iterable[Line], sponsors: Mapping[UUID, Sequence[tuple[UUID, str]]]
) -> bytes:
    """The postings of a month between what stood on the bank accounts before and after it, whole đồng."""
    heads = [
        _("Day"),
        _("Movement"),
        _("Sponsor"),
        _("Amount"),
        _("Onto the bank accounts, off them"),
        _("On the accounts afterwards"),
        _("Recorded by"),
        _("Approved by"),
        _("Takes back, taken back"),
        _("Reference, reason"),
    ]
    made = io.BytesIO()
    with Workbook(made, SAFE) as book:
        sheet, line = book.add_worksheet(str(month)), {"border": 1}
        bold = book.add_format(line | {"bold": True, "num_format": "#,##0"})
        head = book.add_format(line | {"bold": True, "text_wrap": True, "valign": "vcenter"})
        day = book.add_format(line | {"num_format": "dd/mm/yyyy", "align": "left"})
        amount, text = book.add_format(line | {"num_format": "#,##0"}), book.add_format(line)
        for column, (words, width) in enumerate(zip(heads, WIDTHS, strict=True)):
            sheet.write(0, column, words, head)
            sheet.set_column(column, column, width)
        sheet.freeze_panes(1, 0)
        sheet.write(1, 1, _("Before the month"), bold)
        sheet.write(1, 5, of.opening, bold)
        at = 1
        for at, one in enumerate(lines, 2):
            sheet.write_datetime(at, 0, one.posting.posted_on, day)
            sheet.write(at, 1, str(one.words), text)
            sheet.write(at, 2, ", ".join(name for _id, name in sponsors.get(one.posting.id, ())), text)
            sheet.write(at, 3, one.amount, amount)
            sheet.write(at, 4, one.held, amount)
            sheet.write(at, 5, one.left, amount)
            sheet.write(at, 6, one.by or "", text)
            sheet.write(at, 7, one.approved_by or "", text)
            other = one.takes_back or one.taken_back
            sheet.write(at, 8, f"{other:%d/%m/%Y}" if other else "", text)
            sheet.write(at, 9, one.posting.memo or "", text)
        sheet.write(at + 1, 1, _("After the month"), bold)
        sheet.write(at + 1, 4, of.came_in - of.went_out, bold)
        sheet.write(at + 1, 5, of.closing, bold)
    return made.getvalue()
