"""A referral list as a workbook for the insurance office."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session
from xlsxwriter import Workbook

from crm.accounts.models import User
from crm.accounts.rules import May
from crm.accounts.services import note_change
from crm.participation.referrals.models import ReferralList
from crm.participation.referrals.queries import Line
from crm.participation.screening.rules import SENTENCES
from crm.prospects.lists.rules import harmless
from crm.prospects.models import IdentityReading
from crm.web import filters

SAFE = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
WAY = "referral_list"


def workbook(session: Session, sent: ReferralList, lines: Sequence[Line], *, by: User, at: datetime) -> bytes:
    """The list with whole citizen numbers where the account may read them; who read whose is kept."""
    whole = by.may(May.REVEAL_IDENTITY)
    if whole:
        read = [one.person.id for one in lines if one.person.citizen_masked]
        session.add_all(
            IdentityReading(town_id=sent.town_id, prospect_id=one, user_id=by.id, at=at, way=WAY) for one in read
        )
    note_change(
        session,
        town_id=sent.town_id,
        user_id=by.id,
        act="export_referral_list",
        subject="referral_list",
        subject_id=sent.id,
        at=at,
        after={"people": len(lines), "full_numbers": whole},
    )
    session.flush()
    return _written(sent, lines, whole)


def _written(sent: ReferralList, lines: Sequence[Line], whole: bool) -> bytes:
    made = io.BytesIO()
    with Workbook(made, SAFE) as book:
        sheet = book.add_worksheet(_("Referrals"))
        head = book.add_format({"bold": True, "border": 1, "text_wrap": True, "valign": "vcenter", "align": "center"})
        cell = book.add_format({"border": 1, "text_wrap": True, "valign": "top"})
        title = book.add_format({"bold": True, "font_size": 13})
        number = f"{sent.number}/{sent.year}"
        sheet.write_string(0, 0, _("People who belong in compulsory insurance, list %(number)s", number=number), title)
        sheet.write_string(1, 0, _("Sent on %(day)s", day=filters.in_day(sent.sent_on)))
        columns = (
            (_("No."), 5),
            (_("Full name"), 26),
            (_("Born"), 12),
            (_("Citizen number"), 16),
            (_("Phone"), 14),
            (_("Ward, commune"), 20),
            (_("Address"), 28),
            (_("Why"), 46),
            (_("By the law since"), 14),
            (_("Referred by"), 22),
            (_("Answer of the office"), 24),
        )
        for place, (words, width) in enumerate(columns):
            sheet.write_string(3, place, words, head)
            sheet.set_column(place, place, width)
        for count, line in enumerate(lines, 1):
            for place, text in enumerate((str(count), *_cells(line, whole), "")):
                sheet.write_string(3 + count, place, harmless(text), cell)
        sheet.freeze_panes(4, 2)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(3)
    return made.getvalue()


def _cells(line: Line, whole: bool) -> tuple[str, ...]:
    person, row = line.person, line.row
    number: Any = person.citizen_id if whole else person.citizen_masked
    return (
        person.full_name,
        str(filters.in_day(person.birth_date)) if person.birth_date else str(person.birth_year or ""),
        number or "",
        filters.phone(person.phone) if person.phone else "",
        line.place.name,
        person.address or "",
        " ".join(str(SENTENCES[code]) for code in row.why if code in SENTENCES),
        str(filters.in_day(row.since)) if row.since else "",
        line.by or "",
    )
