"""A report as a PDF or a Word document that can be signed and handed in, in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from flask_babel import gettext as _

from crm.reports.documents.printing.word import filled, table_of
from crm.reports.documents.rules import written_day
from crm.reports.documents.sheets import NUMBER, WORDS, Column, Sheet, sheet
from crm.reports.tables import ReportTable
from crm.web import filters
from crm.web.filters import in_day
from crm.web.language import chosen
from crm.web.typesetting import set_in_type

FOLDER = Path(__file__).with_name("papers")
PAPER, FORM = FOLDER / "table.typ", FOLDER / "form.docx"


def as_pdf(table: ReportTable, town: str, today: date) -> bytes:
    """One paper with every table of the report."""
    return set_in_type(PAPER, _words(table, town, today))


def as_docx(table: ReportTable, town: str, today: date) -> bytes:
    """The same paper for whoever has to change it before it is handed in."""
    words = _words(table, town, today)
    return filled(
        {
            "co_quan_ban_hanh": words["issuer"].upper(),
            "ten": words["form"],
            "dia_danh_ngay_thang": words["day"],
            "tieu_de": words["title"].upper(),
            "ky": words["period"],
            "bang_bieu": [
                {
                    "tieu_de": one["title"] if place else "",
                    "cach_tinh": one["counting"] if place else f"{one['counting']} {one['boundaries']}",
                    "bang": table_of(_sheet(one), SIZES) if one["rows"] else "",
                    "ghi_chu": one["notes"],
                }
                for place, one in enumerate(words["tables"])
            ],
            "nguoi_lap": words["made_by"],
            "thu_truong": words["head"],
            "ky_ten": words["sign"],
            "so_trang_o_tren": True,
        },
        FORM.read_bytes(),
    )


PAPERS = {"docx": as_docx, "pdf": as_pdf}
"""The ways onto paper, by the ending of the file."""


def _words(table: ReportTable, town: str, today: date) -> dict[str, Any]:
    """Everything that stands on the paper."""
    lang = chosen()
    return {
        "lang": lang,
        "issuer": _("The steering office for social insurance, %(town)s", town=town),
        "form": table.form,
        "title": table.title,
        "period": _("From %(first)s to %(last)s", first=in_day(table.since), last=in_day(table.as_of)),
        "day": f"{town}, {written_day(today) if lang == 'vi' else in_day(today)}",
        "made_by": _("Made by"),
        "head": _("Head of the office"),
        "sign": _("(signature, full name)"),
        "tables": [_shown(one, lang) for one in (table, *table.below)],
    }


def _sheet(shown: dict[str, Any]) -> Sheet:
    told = zip(shown["columns"], shown["numeric"], shown["widths"], strict=True)
    columns = [Column(text, NUMBER if numeric else WORDS, width=width) for text, numeric, width in told]
    return sheet("", shown["title"], "", columns, shown["rows"])


SIZES = ((9, 22),)
"""Of letters in Word: half of these forms' columns are amounts of up to nine digits, which must not be torn."""
WIDEST = 18
"""Characters after which a column grows no wider and its words wrap."""
FIRST_WIDEST = 32
"""The same of the column that says whose row it is."""


def _shown(table: ReportTable, lang: str) -> dict[str, Any]:
    values, heads = [list(row) for row in table.rows], [str(head) for head in table.columns]
    if table.numbered:
        last = len(values) - 1  # the total has no number
        heads = [_("Line no."), *heads]
        values = [[str(place + 1) if place < last else "", *row] for place, row in enumerate(values)]
    rows = [[_cell(value, lang) for value in row] for row in values]
    named = int(table.numbered)
    return {
        "title": table.title,
        "counting": table.counting,
        "boundaries": table.boundaries,
        "notes": list(table.notes),
        "columns": heads,
        "numeric": [any(isinstance(row[place], int | float) for row in values) for place in range(len(heads))],
        "widths": [
            _width(head, [row[place] for row in rows], FIRST_WIDEST if place == named else WIDEST)
            for place, head in enumerate(heads)
        ],
        "rows": rows,
    }


def _width(head: str, cells: Sequence[str], widest: int) -> int:
    """How wide a column should be beside the others: as its longest cell, or the longest word above it."""
    words = (len(word) + 1 for word in head.split())
    return min(max((*map(len, cells), *words, 4)), widest) + 2


def _cell(value: Any, lang: str) -> str:
    if isinstance(value, int | float):
        return filters.number(value, 0 if isinstance(value, int) else 2, lang)
    return "" if value is None else str(value)
