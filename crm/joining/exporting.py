"""A list D05-TS as a workbook: the official columns, a row of totals, text that stays text."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from xlsxwriter import Workbook

from crm.accounts.models import User
from crm.accounts.services import note_change
from crm.joining.lists.queries import Shown
from crm.joining.models import Dossier, DossierList
from crm.joining.rules import COLUMNS, MONEY_COLUMNS, SUMMED, Row
from crm.prospects.lists.rules import harmless
from crm.prospects.models import IdentityReading, Prospect
from crm.web.filters import VIETNAMESE

SAFE = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
WIDTHS = {"HoTen": 28, "MasoBHXH": 16, "Ghichu": 46, "PA": 7, "Sothang": 7, "Tyle": 6, "Heso": 8}


def note_readings(
    session: Session, people: Sequence[Prospect], subject: Dossier, way: str, *, by: User, at: datetime
) -> None:
    """Keep who took whole numbers away on paper, person by person and once as an act."""
    read = [one.id for one in people if one.citizen_masked or one.insurance_masked]
    _note(session, read, len(people), subject, way, by=by, at=at)


def note_rows(session: Session, shown: Shown, way: str, *, by: User, at: datetime) -> None:
    """Keep who took a list away, and of whom a whole number stands in it."""
    read = [line.prospect_id for line in shown.lines if line.row and line.row.MasoBHXH]
    _note(session, read, len(shown.rows), shown.of, way, by=by, at=at)


def _note(
    session: Session,
    read: Sequence[UUID],
    people: int,
    subject: DossierList | Dossier,
    way: str,
    *,
    by: User,
    at: datetime,
) -> None:
    session.add_all(
        IdentityReading(town_id=subject.town_id, prospect_id=one, user_id=by.id, at=at, way=way) for one in read
    )
    note_change(
        session,
        town_id=subject.town_id,
        user_id=by.id,
        act="export_dossiers",
        subject=subject.__tablename__,
        subject_id=subject.id,
        at=at,
        after={"people": people, "way": way},
    )
    session.flush()


def totals(rows: Sequence[Row]) -> dict[str, int]:
    """The sums of the money columns, under their names."""
    return {name: sum(getattr(row, name) for row in rows) for name in SUMMED}


def workbook(of: DossierList, rows: Sequence[Row]) -> bytes:
    """One sheet: the words above, the official names below them, the rows, the totals. It is for the insurance office, so
    in Vietnamese whoever takes it away."""
    made = io.BytesIO()
    with force_locale(VIETNAMESE), Workbook(made, SAFE) as book:
        sheet = book.add_worksheet("D05-TS")
        line = {"border": 1, "valign": "top", "text_wrap": True, "font_name": "Times New Roman", "font_size": 11}
        head = book.add_format(line | {"bold": True, "align": "center", "valign": "vcenter"})
        small = book.add_format(line | {"italic": True, "align": "center", "font_size": 9})
        text, money = book.add_format(line), book.add_format(line | {"num_format": "#,##0"})
        total, strong = (
            book.add_format(line | {"bold": True}),
            book.add_format(line | {"bold": True, "num_format": "#,##0"}),
        )
        title = book.add_format({"bold": True, "font_size": 14, "font_name": "Times New Roman"})
        sheet.write_string(
            0,
            0,
            _("List of participants in voluntary social insurance (D05-TS), number %(number)s", number=of.label),
            title,
        )
        names = ("STT", *COLUMNS)
        for place, name in enumerate(names):
            sheet.write_string(2, place, _("No.") if name == "STT" else str(COLUMNS[name]).replace("%%", "%"), head)
            sheet.write_string(3, place, name, small)
            sheet.set_column(place, place, 5 if name == "STT" else WIDTHS.get(name, 13))
        for count, row in enumerate(rows, 1):
            sheet.write_number(3 + count, 0, count, text)
            for place, name in enumerate(COLUMNS, 1):
                _write(sheet, 3 + count, place, getattr(row, name), money if name in MONEY_COLUMNS else text)
        last = 4 + len(rows)
        sums = totals(rows)
        for place, name in enumerate(names):
            if name in sums:
                sheet.write_number(last, place, sums[name], strong)
            else:
                sheet.write_string(last, place, _("Total") if name == "HoTen" else "", total)
        sheet.freeze_panes(4, 2)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(2, 3)
    return made.getvalue()


def _write(sheet: Any, line: int, place: int, value: Any, form: Any) -> None:
    if isinstance(value, int):
        sheet.write_number(line, place, value, form)
    else:
        sheet.write_string(line, place, harmless(str(value)), form)
