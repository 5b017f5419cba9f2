"""The annex as an Excel workbook: a sheet for each form, ready to print; text stays text, whatever it begins with."""

from __future__ import annotations

import io
from collections.abc import Sequence
from textwrap import wrap
from typing import Any

from xlsxwriter import Workbook

from crm.clock import LOCAL
from crm.reports.documents.paper import Paper, heads, remarks
from crm.reports.documents.sheets import PERCENT, PLACE, WORDS, Sheet
from crm.reports.tables import SAFE

A4 = 9
LONGEST_NAME = 31
BESIDE = 2
"""Letters of room beside the longest word of a column."""
BOLD = 1
"""Letters by which a bold head is shorter than its column is wide."""
LINE = 15
"""Points."""


def workbook(paper: Paper) -> bytes:
    """The same bytes for the same paper: the file's own date is the day on which the figures were counted."""
    made = io.BytesIO()
    with Workbook(made, SAFE) as book:
        when = paper.taken_at.astimezone(LOCAL).replace(tzinfo=None, microsecond=0)
        book.set_properties({"title": paper.title, "author": paper.head.issuer, "created": when})
        for one in paper.sheets:
            _sheet(book, paper, one)
    return made.getvalue()


def _sheet(book: Workbook, paper: Paper, one: Sheet) -> None:
    sheet = book.add_worksheet(one["form"][:LONGEST_NAME])
    font: dict[str, Any] = {"font_name": "Times New Roman", "font_size": 11}
    line = font | {"border": 1, "valign": "vcenter", "text_wrap": True}
    columns, width = one["columns"], len(one["columns"])
    widths = [column["width"] + BESIDE for column in columns]

    def styled(**more: Any) -> Any:
        return book.add_format(line | more)

    centred = book.add_format(font | {"align": "center", "valign": "vcenter", "text_wrap": True})
    title = book.add_format(font | {"align": "center", "bold": True, "font_size": 13, "text_wrap": True})
    small = book.add_format(font | {"italic": True, "font_size": 10, "text_wrap": True, "valign": "top"})
    bold = book.add_format(font | {"bold": True})
    sheet.write(0, 0, paper.head.issuer.upper(), bold)
    sheet.write(1, 0, paper.numbered, book.add_format(font))
    sheet.merge_range(2, 0, 2, width - 1, f"{one['form']}. {one['title'].upper()}", title)
    sheet.merge_range(
        3,
        0,
        3,
        width - 1,
        f"{paper.period[:1].upper()}{paper.period[1:]} (số liệu tính đến hết ngày {_as_of(paper)})",
        centred,
    )
    sheet.merge_range(
        4,
        0,
        4,
        width - 1,
        f"Đơn vị tính: {one['unit'].lower()}",
        book.add_format(font | {"italic": True, "align": "right"}),
    )
    top = _head(sheet, one, styled(bold=True, align="center"), widths, row=5)
    for place, row in enumerate(one["rows"], start=top):
        strong = one["total"] and place == top + len(one["rows"]) - 1
        for column, value in enumerate(row):
            holds = columns[column]["holds"]
            more: dict[str, Any] = {"bold": strong}
            if holds == PLACE:
                more["align"] = "center"
            elif holds != WORDS:
                more |= {"num_format": "#,##0.00" if holds == PERCENT else "#,##0", "align": "right"}
            sheet.write(place, column, value, styled(**more))
        sheet.set_row(place, _tall(max(map(_lines, row, widths))))
    below = top + len(one["rows"]) + 1
    for place, note in enumerate([remarks(one), paper.sealed], start=below):
        sheet.merge_range(place, 0, place, width - 1, note, small)
        sheet.set_row(place, _tall(_lines(note, sum(widths))))
    for column, wide in enumerate(widths):
        sheet.set_column(column, column, wide)
    sheet.freeze_panes(top, 2 if width > 2 else 1)
    sheet.repeat_rows(5, top - 1)
    sheet.set_landscape()
    sheet.set_paper(A4)
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.8, right=0.6, top=0.8, bottom=0.8)


def _lines(words: Any, wide: int) -> int:
    """How many lines a cell takes in a column of so many letters."""
    return len(wrap(str(words or ""), wide)) or 1


def _tall(lines: int) -> int:
    """The height of a row, in points. It is written down: no program widens a row of merged cells by itself."""
    return LINE * lines + 3


def _head(sheet: Any, one: Sheet, style: Any, widths: Sequence[int], *, row: int) -> int:
    """The head in one row or two; answers the first row below it."""
    first, second = heads(one)
    tall = 2 if second else 1
    column = 0
    below = iter(second)
    _tall_heads(sheet, one, widths, row)
    for words, wide, height in first:
        if height == tall and wide == 1 and tall == 1:
            sheet.write(row, column, words, style)
        elif height == 2:
            sheet.merge_range(row, column, row + 1, column, words, style)
        else:
            if wide > 1:
                sheet.merge_range(row, column, row, column + wide - 1, words, style)
            else:
                sheet.write(row, column, words, style)
            for place in range(wide):
                sheet.write(row + 1, column + place, next(below), style)
        column += wide
    return row + tall


def _tall_heads(sheet: Any, one: Sheet, widths: Sequence[int], row: int) -> None:
    """Rows of the head as tall as their words in bold; the lower one carries what the upper has no room for."""
    (first, second), column, upper, through = heads(one), 0, 1, 1
    grouped: list[int] = []
    for words, wide, height in first:
        lines = _lines(words, sum(widths[column : column + wide]) - BOLD)
        if second and height == 1:
            upper, grouped = max(upper, lines), [*grouped, *widths[column : column + wide]]
        else:
            through = max(through, lines)
        column += wide
    if not second:
        sheet.set_row(row, _tall(through))
        return
    lower = max(_lines(words, wide - BOLD) for words, wide in zip(second, grouped, strict=True))
    sheet.set_row(row, _tall(upper))
    sheet.set_row(row + 1, _tall(max(lower, through - upper)))


def _as_of(paper: Paper) -> str:
    year, month, day = paper.facts["as_of"].split("-")
    return f"{day}/{month}/{year}"
