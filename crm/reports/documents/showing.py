"""What the pages of official reports show, and their files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from flask import Response
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from crm import clock
from crm.errors import NotFound
from crm.kept import kept
from crm.places.boundaries import vintages
from crm.places.models import Town
from crm.reports.documents.models import Report, ReportSnapshot
from crm.reports.documents.paper import Paper
from crm.reports.documents.printing import excel, pdf, word
from crm.reports.documents.queries import finding
from crm.reports.documents.rules import Form, Section, suggested, usual_head
from crm.reports.periods import ReportKind, periods_to
from crm.web.attachments import attachment
from crm.web.filters import in_day


def period_title(kind: str, period: str) -> str:
    """«Month 10/2019», «First half of 2019», «Year 2019», in the reader's language."""
    year, _dash, part = period.partition("-")
    if kind == ReportKind.MONTH:
        return str(_("month %(month)s", month=f"{int(part)}/{year}"))
    if kind == ReportKind.HALF_YEAR:
        return str(_("first half of %(year)s", year=year) if part == "H1" else _("second half of %(year)s", year=year))
    return str(_("year %(year)s", year=year))


def kind_of(period: str) -> ReportKind:
    """What kind of period is written like this."""
    if "-H" in period:
        return ReportKind.HALF_YEAR
    return ReportKind.MONTH if "-" in period else ReportKind.YEAR


def periods(today: date) -> list[tuple[str, str]]:
    """The periods a report can be made of, the likely one first."""
    first = f"{suggested(today)[0]}:{suggested(today)[1]}"
    found = [
        (f"{kind_of(period)}:{period}", _capital(period_title(kind_of(period), period))) for period in periods_to(today)
    ]
    return sorted(found, key=lambda choice: choice[0] != first)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def boundaries(session: Session, town_id: Any) -> list[tuple[str, str]]:
    """A day of every set of boundaries, with how many units there were and until when."""
    return [
        (
            one.since.isoformat(),
            str(
                _("%(units)s units, until %(day)s", units=one.units, day=in_day(one.until))
                if one.until
                else _("%(units)s units, since %(day)s", units=one.units, day=in_day(one.since))
            ),
        )
        for one in kept(("vintages", town_id), lambda: vintages(session, town_id))
    ]


# ---- files


def content_of(session: Session, report: Report, form: Form) -> bytes:
    """A report as a file: as it was signed, or as the draft stands. Raises NotFound."""
    kept = finding.file_of(session, report, form)
    if kept is not None:
        return kept.content
    snapshot = finding.snapshot_of(session, report)
    if snapshot is None:
        raise NotFound
    template = finding.template_of(session, report.town_id, report.place_id)
    return made(finding.paper_of(session, report), snapshot, form, template.content if template else None)


def made(paper: Paper, snapshot: ReportSnapshot, form: Form, template: bytes | None) -> bytes:
    """A paper as a file of this form."""
    if form is Form.DOCX:
        return word.document(paper, template)
    if form is Form.XLSX:
        return excel.workbook(paper)
    return pdf.document(paper) if form is Form.PDF else as_json(paper, snapshot)


def as_json(paper: Paper, snapshot: ReportSnapshot) -> bytes:
    """One JSON document: Biểu 01 in short at the top, everything else below it."""
    first, facts = paper.sheets[0], paper.facts
    short = [[row[1], row[2], _start(row), row[4], row[5], sum(row[6:9]), row[11], row[12]] for row in first["rows"]]
    told = {
        "number": snapshot.label if snapshot.serial else None,
        "digest": snapshot.digest,
        "kind": facts["kind"],
        "period": facts["period"],
        "since": facts["since"],
        "as_of": facts["as_of"],
        "place": facts["place"],
        "title": paper.title,
        "form": first["form"],
        "counting": "Số đang tham gia cuối ngày, không phải tổng số người tham gia mới.",
        "boundaries": facts["boundaries"],
        "columns": [
            first["columns"][1]["text"],
            "Chỉ tiêu giao năm",
            "Đầu kỳ",
            "Tham gia mới, chuyển đến",
            "Đóng lại",
            "Giảm",
            "Cuối kỳ",
            "Tỷ lệ so chỉ tiêu (%)",
        ],
        "rows": short,
        "notes": first["notes"],
        "below": list(paper.sheets),
        "corrections": facts["corrections"],
        "text": {section.value: words for section, words in paper.text.items()},
    }
    return json.dumps(told, ensure_ascii=False, indent=2).encode()


def _start(row: Sequence[Any]) -> int:
    """The stock at the beginning of the period: what moved in it taken back from its end."""
    return int(row[11] - row[4] - row[5] + sum(row[6:9]))


def file(session: Session, report: Report, form: Form) -> Response:
    """A report to take away."""
    name = finding.paper_of(session, report).filename
    return attachment(content_of(session, report, form), f"{name}.{form}")


def sample(town: Town, today: date) -> Paper:
    """A paper with something at every place, to try a template with."""
    row = [1, "Phường mẫu", 100, 90, 3, 1, 1, 0, 0, 8, 2, 96, 96.0, 6, 5, 4, 1, 86, ""]
    columns = [
        {"text": f"Cột {place}", "group": "", "holds": "words" if isinstance(value, str) else "number", "width": 8}
        for place, value in enumerate(row)
    ]
    table = {
        "form": "Biểu 01",
        "title": "Biểu mẫu",
        "unit": "Người",
        "columns": columns,
        "rows": [row, row],
        "total": True,
        "notes": ["Mẫu."],
    }
    total = {"now": 96, "target": 100, "joined": 3, "returned": 1, "left": 1}
    facts = {
        "kind": "month",
        "period": f"{today:%Y-%m}",
        "since": today.replace(day=1).isoformat(),
        "as_of": today.isoformat(),
        "town": town.name,
        "place": None,
        "tables": [table],
        "total": total,
    }
    head = usual_head(town.name, None, today)
    return Paper(
        facts,
        dict.fromkeys(Section, "Một đoạn mẫu.\nMột đoạn nữa."),
        head,
        1,
        today,
        "1/2019",
        "0" * 64,
        clock.at(today),
    )
