"""The treasurer's reports: on a page, as a workbook, as a paper to be signed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.gateway import current_scope
from crm.accounts.queries import Scope
from crm.accounts.rules import May, Reach
from crm.db import session
from crm.places.models import Town
from crm.places.queries import ids_within, units
from crm.reports.forms import MoneyForm
from crm.reports.money.tables import KIND_WORDS, MAKERS
from crm.reports.periods import ReportKind, periods_to, span_of
from crm.reports.printing import PAPERS
from crm.reports.tables import ReportTable, as_xlsx
from crm.web.attachments import attachment
from crm.web.guard import may

bp = Blueprint("money_reports", __name__)


@bp.get("/reports/money")
@may(May.SEE_SPONSORS)
def show() -> ResponseReturnValue:
    """Biểu 03, Biểu 05 or the reconciliation of a period; `format` xlsx, docx or pdf takes it away."""
    form, scope, today = MoneyForm(request.args), current_scope(), clock.today()
    places = [(str(place.id), place.name) for place in session().scalars(units(scope.town_id, today))]
    form.offer([(kind.value, str(words)) for kind, words in KIND_WORDS.items()], _periods(), places)
    kind, period, place = form.asked()
    span = span_of(ReportKind(kind), period, today)
    table = MAKERS[ReportKind(kind)](session(), _within(scope, place), span, None)
    town = session().get_one(Town, scope.town_id).name
    way = request.args.get("format")
    if way == "xlsx":
        return attachment(as_xlsx(table), f"{kind}-{period}.xlsx")
    if way in PAPERS:
        return attachment(PAPERS[way](table, town, today), f"{kind}-{period}.{way}")
    return render_template(
        "reports/money.html",
        form=form,
        table=table,
        asked={"kind": kind, "period": period, "place": place or None},
        tables=[_worth_showing(one) for one in (table, *table.below)],
        numeric=_numeric,
    )


def _periods() -> list[tuple[str, str]]:
    def words(period: str) -> Any:
        year, _dash, part = period.partition("-")
        if not part:
            return _("Year %(year)s", year=year)
        if part.startswith("H"):
            return _("Half-year %(half)s of %(year)s", half=part[1:], year=year)
        return _("Month %(month)s", month=f"{int(part)}/{year}")

    return [(period, str(words(period))) for period in periods_to(clock.today())]


def _within(scope: Scope, place: str) -> Scope:
    """The same person's view of one place and what lies in it; never more than they see anyhow."""
    if not place:
        return scope
    inside = set(ids_within(session(), scope.town_id, UUID(place)))
    seen = inside if scope.place_ids is None else inside.intersection(scope.place_ids)
    return replace(scope, reach=Reach.UNIT, place_ids=tuple(seen))


def _worth_showing(table: ReportTable) -> ReportTable:
    """On a screen, columns in which nothing but nothing stands are left out, and so are they below it; the
    files have them all."""
    kept = [
        place
        for place in range(len(table.columns))
        if place == 0 or not table.rows or any(row[place] not in (0, None, "") for row in table.rows)
    ]
    rows = [[row[place] for place in kept] for row in table.rows]
    return replace(table, columns=[table.columns[place] for place in kept], rows=rows)


def _numeric(table: ReportTable, place: int) -> bool:
    return any(isinstance(row[place], int | float) for row in table.rows)
