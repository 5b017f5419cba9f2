"""A report as a PDF that can be signed and handed in, in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from flask_babel import gettext as _

from crm.reports.documents.rules import written_day
from crm.reports.tables import ReportTable
from crm.web import filters
from crm.web.filters import in_day
from crm.web.language import chosen
from crm.web.typesetting import set_in_type

PAPER = Path(__file__).with_name("papers") / "table.typ"


def as_pdf(table: ReportTable, town: str, today: date) -> bytes:
    """One paper with every table of the report."""
    lang = chosen()
    return set_in_type(
        PAPER,
        {
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
        },
    )


WIDEST = 18
"""Characters after which a column grows no wider and its words wrap."""
FIRST_WIDEST = 32
"""The same of the first column, which says whose row it is."""


def _shown(table: ReportTable, lang: str) -> dict[str, Any]:
    rows = [[_cell(value, lang) for value in row] for row in table.rows]
    columns = [str(head) for head in table.columns]
    return {
        "title": table.title,
        "counting": table.counting,
        "boundaries": table.boundaries,
        "notes": list(table.notes),
        "columns": columns,
        "numeric": [any(isinstance(row[place], int | float) for row in table.rows) for place in range(len(columns))],
        "widths": [
            _width(head, [row[place] for row in rows], WIDEST if place else FIRST_WIDEST)
            for place, head in enumerate(columns)
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
