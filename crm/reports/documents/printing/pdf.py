"""The report as a PDF: the letter upright, the forms across."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crm.clock import LOCAL
from crm.reports.documents.paper import Paper, heads, remarks, shown, to_the_right
from crm.reports.documents.sheets import Sheet
from crm.web.typesetting import set_in_type

PAPER = Path(__file__).parents[1] / "papers" / "bao-cao.typ"


def document(paper: Paper) -> bytes:
    """The same bytes for the same paper."""
    when = paper.taken_at.astimezone(LOCAL)
    return set_in_type(
        PAPER,
        {
            "superior": paper.superior,
            "issuer": paper.issuer,
            "number": paper.numbered,
            "dated": paper.dated,
            "title": paper.title,
            "parts": [part._asdict() for part in paper.parts],
            "closing": paper.closing,
            "sign": paper.sign_lines,
            "signer": paper.head.signer,
            "recipients": paper.recipients,
            "number_on_top": paper.layout.page_number_on_top,
            "sealed": paper.sealed,
            "period": f"{paper.period[:1].upper()}{paper.period[1:]}",
            "sheets": [_sheet(one) for one in paper.sheets],
            "made": [when.year, when.month, when.day],
        },
    )


def _sheet(one: Sheet) -> dict[str, Any]:
    columns = one["columns"]
    first, second = heads(one)
    return {
        "form": one["form"],
        "title": one["title"],
        "unit": one["unit"].lower(),
        "widths": [column["width"] for column in columns],
        "right": [to_the_right(column["holds"]) for column in columns],
        "first": [list(head) for head in first],
        "second": second,
        "rows": [[shown(value, columns[place]["holds"]) for place, value in enumerate(row)] for row in one["rows"]],
        "total": one["total"],
        "remarks": remarks(one),
    }
