"""Whom a decree concerns, as a workbook: what each pays without and with it."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy.orm import Session
from xlsxwriter import Workbook

from crm.accounts.models import User
from crm.accounts.queries import Scope
from crm.accounts.services import note_change_of
from crm.decrees.models import Decree, DecreePerson
from crm.decrees.queries import Line, people_of, place_names
from crm.decrees.rules.states import Side
from crm.premiums.rules.wording import GROUNDS
from crm.prospects.lists.rules import harmless
from crm.prospects.rules import Ground
from crm.web import filters

SAFE = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
AT_ONCE = 1000
LAYERS = ("gross", "state", "place", "sponsors", "own")


def workbook(
    session: Session,
    scope: Scope,
    row: Decree,
    *,
    side: Side | None,
    takes_part: bool | None,
    place_id: UUID | None,
    by: User,
    at: datetime,
) -> bytes:
    """Everybody of a choice whom one may see, money in whole đồng as numbers; that it was taken is kept."""
    lines = list(_everybody(session, scope, row, {"side": side, "takes_part": takes_part, "place_id": place_id}))
    note_change_of(session, row, "export_decree_people", by=by, at=at, after={"people": len(lines)})
    return _written(row, lines, place_names(session, row.town_id, {line.found.place_id for line in lines}))


def _everybody(session: Session, scope: Scope, row: Decree, narrowed: Mapping[str, Any]) -> Iterator[Line]:
    cursor: str | None = None
    while True:
        shown, _total = people_of(session, scope, row, **narrowed, cursor=cursor, size=AT_ONCE)
        yield from shown.rows
        if not shown.next:
            return
        cursor = shown.next


def _written(row: Decree, lines: list[Line], places: Mapping[UUID, str]) -> bytes:
    made = io.BytesIO()
    with Workbook(made, SAFE) as book:
        sheet = book.add_worksheet(_("Whom it concerns")[:31])
        head = book.add_format({"bold": True, "border": 1, "text_wrap": True, "valign": "vcenter", "align": "center"})
        cell, money = book.add_format({"border": 1}), book.add_format({"border": 1, "num_format": "#,##0"})
        title = book.add_format({"bold": True, "font_size": 13})
        sheet.write_string(0, 0, harmless(f"{row.document}: {_('whom it concerns')}"), title)
        since = filters.in_day(row.effective_from)
        sheet.write_string(1, 0, _("From %(day)s on; đồng for all the months of the first payment.", day=since))
        for place, (words, width) in enumerate(_columns()):
            sheet.write_string(3, place, words, head)
            sheet.set_column(place, place, width)
        for count, line in enumerate(lines, 4):
            for place, value in enumerate(_cells(line, places)):
                if isinstance(value, int):
                    sheet.write_number(count, place, value, money)
                else:
                    sheet.write_string(count, place, harmless(value), cell)
        sheet.freeze_panes(4, 1)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(3)
    return made.getvalue()


def _columns() -> list[tuple[str, int]]:
    layers = {
        "gross": _("Premium"),
        "state": _("The State"),
        "place": _("The place"),
        "sponsors": _("Sponsors"),
        "own": _("The person"),
    }
    known = [(_("Full name"), 26), (_("Ward, commune"), 20), (_("Ground"), 18), (_("Taking part"), 10)]
    known += [(_("First month"), 11), (_("Months"), 8), (_("Pay by"), 12)]
    known += [(_("Income before"), 14), (_("Income after"), 14)]
    for layer in LAYERS:
        known += [(_("%(layer)s, before", layer=layers[layer]), 14), (_("%(layer)s, after", layer=layers[layer]), 14)]
    known += [(_("A month before"), 14), (_("A month after"), 14), (_("Difference a month"), 14)]
    return [(str(words), width) for words, width in known]


def _cells(line: Line, places: Mapping[UUID, str]) -> list[str | int]:
    one: DecreePerson = line.found
    found: list[str | int] = [
        line.person.full_name,
        places.get(one.place_id, ""),
        str(GROUNDS[Ground(one.ground)]),
        str(_("Yes") if one.takes_part else _("No")),
        f"{one.start_month.month}/{one.start_month.year}",
        one.months,
        str(filters.in_day(one.pay_by)),
        one.income_before,
        one.income_after,
    ]
    for layer in LAYERS:
        found += [getattr(one, f"{layer}_before"), getattr(one, f"{layer}_after")]
    before, after = one.own_before_a_month, one.own_after_a_month
    return [*found, before, after, after - before]
