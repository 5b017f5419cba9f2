"""The manager's home."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May, Reach, Role
from crm.db import session
from crm.participation.rules import DUE_SOON
from crm.places.models import Town
from crm.prospects.wording import STAGES
from crm.reports import queries
from crm.reports.attention import queries as attention
from crm.reports.attention.rules import per_week
from crm.reports.documents.showing import boundaries, period_title, periods
from crm.reports.forecast.queries import latest
from crm.reports.forecast.writing import headline, sentences
from crm.reports.forms import HomeForm
from crm.reports.rounds.queries import to_write
from crm.reports.rules import ON_THE_WAY, Sort, in_order
from crm.targets.sharing.queries import asked_of
from crm.web.guard import may

bp = Blueprint("reports", __name__)


@bp.get("/dashboard")
@may(May.SEE_DASHBOARD)
def dashboard() -> ResponseReturnValue:
    """Where the year stands: one sentence, the stock and how it moved, by place and organisation, what to decide."""
    form, today = HomeForm(request.args), clock.today()
    form.offer(boundaries(session(), current_scope().town_id))
    drawn = form.drawn if form.validate() else None
    home, order = queries.home(session(), current_scope(), form.day(today), today, drawn), form.order()
    scope, now = current_scope(), home.to_decide is not None
    return render_template(
        "reports/dashboard.html",
        wrong=attention.wrong(session(), scope, home, today) if now and home.whole_town else None,
        volunteers=attention.own_volunteers(session(), scope, today) if now and scope.reach is Reach.UNIT else [],
        weekly=per_week(home.moved.now, home.target.people, today) if now and home.target else 0,
        audit=attention.audit(session(), scope, clock.now()) if current_user().role is Role.AUDITOR else None,
        waiting=asked_of(session(), scope),
        owed=to_write(session(), scope, today, most=3) if now else [],
        period_title=period_title,
        forecast=_forecast() if now and home.whole_town else None,
        form=form,
        home=home,
        sort=order,
        sorts=Sort,
        tables=_tables(home, order),
        stage_words=STAGES,
        on_the_way=ON_THE_WAY,
        due_days=DUE_SOON.days,
        town=session().get_one(Town, current_scope().town_id),
        whose=queries.unit_of(session(), current_user()),
        listed=lambda kind, **narrowed: _listed(home, kind, drawn, **narrowed),
        today=today,
        report_to_make=periods(today)[0],
    )


def _forecast() -> list[str]:
    """The last forecast in two sentences; none where none was made."""
    found = latest(session(), current_scope())
    return [headline(found.outlook), *sentences(found.outlook)[:1]] if found else []


def _tables(home: queries.Home, order: Sort) -> dict[str, list[Any]]:
    return {"place": in_order(home.places, order), "organisation": in_order(home.organisations, order)}


def _listed(home: queries.Home, kind: str, drawn: date | None, **narrowed: Any) -> str:
    """The address of the people behind a figure."""
    if drawn and narrowed.get("place"):
        narrowed["boundaries"] = drawn.isoformat()
    given = {name: value for name, value in narrowed.items() if value}
    return url_for("participation.listing", kind=kind, as_of=home.span.as_of.isoformat(), **given)
