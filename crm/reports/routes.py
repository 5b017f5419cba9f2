"""The manager's home."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May, Reach, Role
from crm.db import session
from crm.kept import kept
from crm.participation.rules import DUE_SOON
from crm.places.boundaries import vintages
from crm.places.models import Town
from crm.prospects.wording import STAGES
from crm.reports import queries
from crm.reports.attention import queries as attention
from crm.reports.attention.rules import per_week
from crm.reports.forms import HomeForm
from crm.reports.rules import ON_THE_WAY, Sort, in_order
from crm.targets.sharing.queries import asked_of
from crm.web.filters import day as written_day
from crm.web.guard import may

bp = Blueprint("reports", __name__)


@bp.get("/dashboard")
@may(May.SEE_DASHBOARD)
def dashboard() -> ResponseReturnValue:
    """Where the year stands: one sentence, the stock and how it moved, by place and organisation, what to decide."""
    form, today = HomeForm(request.args), clock.today()
    form.offer(_boundaries())
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
    )


def _boundaries() -> list[tuple[str, str]]:
    """A day of every set of boundaries, with how many units there were and until when."""
    town_id = current_scope().town_id
    return [
        (
            one.since.isoformat(),
            _("%(units)s units, until %(day)s", units=one.units, day=written_day(one.until))
            if one.until
            else _("%(units)s units, since %(day)s", units=one.units, day=written_day(one.since)),
        )
        for one in kept(("vintages", town_id), lambda: vintages(session(), town_id))
    ]


def _tables(home: queries.Home, order: Sort) -> dict[str, list[Any]]:
    return {"place": in_order(home.places, order), "organisation": in_order(home.organisations, order)}


def _listed(home: queries.Home, kind: str, drawn: date | None, **narrowed: Any) -> str:
    """The address of the people behind a figure."""
    if drawn and narrowed.get("place"):
        narrowed["boundaries"] = drawn.isoformat()
    given = {name: value for name, value in narrowed.items() if value}
    return url_for("participation.listing", kind=kind, as_of=home.span.as_of.isoformat(), **given)
