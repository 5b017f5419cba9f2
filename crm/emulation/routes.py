"""The fair tables, the rule of credit, and the list of Biểu 06."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May, Reach
from crm.db import session, transaction
from crm.emulation import queries, services
from crm.emulation.forms import CreditForm, LineForm, ProposeForm
from crm.emulation.models import Commendation
from crm.emulation.rules import CREDITS, DRAWN_TO_AVERAGE, FORMS, Credit, Form, Standing
from crm.errors import NotFound
from crm.participation.rules import Span
from crm.web.forms import refusals_on
from crm.web.guard import may

bp = Blueprint("emulation", __name__, url_prefix="/emulation")


@bp.get("")
@may(May.SEE_TARGETS)
def show() -> ResponseReturnValue:
    """Organisations and volunteers compared over this year; a lead sees the volunteers of the own unit."""
    return _page()


MOST_ROWS = 20
"""How many volunteers stand on a page."""


def _span() -> Span:
    """The year that is asked for, up to today or its last day: this one, or the one before, whose list is often made after
    New Year."""
    today, asked = clock.today(), request.values.get("year", 0, type=int)
    return Span.year_to(date(asked, 12, 31) if asked == today.year - 1 else today)


def _page(form: CreditForm | None = None) -> str:
    scope, span = current_scope(), _span()
    declared = queries.rules(session(), scope.town_id)
    holds = [rule for rule in declared if rule.since <= span.as_of][-1]
    volunteers, after = queries.volunteers(session(), scope, span), request.args.get("after", 0, type=int)
    return render_template(
        "emulation/show.html",
        span=span,
        this_year=clock.today().year,
        organisations=queries.organisations(session(), scope, span) if scope.reach is Reach.ALL else [],
        volunteers=volunteers,
        start=after if 0 <= after < len(volunteers) else 0,
        most_rows=MOST_ROWS,
        rule=holds,
        to_come=[rule for rule in declared if rule.since > span.as_of],
        credits=CREDITS,
        drawn=DRAWN_TO_AVERAGE,
        listed={row.organisation_id or row.user_id for row in _lines(span.as_of.year)},
        form=form
        or CreditForm(formdata=None, data={"credit": holds.credit.value, "days": holds.days, "since": clock.today()}),
    )


def _lines(year: int) -> Any:
    return queries.commendations(session(), current_scope().town_id, year)


@bp.post("/credit")
@may(May.SET_TARGETS)
def credit() -> ResponseReturnValue:
    """From a day on joiners are credited otherwise."""
    form = CreditForm()
    if form.validate():
        asked: dict[str, Any] = {"since": form.since.data, "credit": Credit(form.credit.data), "days": form.days.data}
        with refusals_on(form), transaction() as current:
            today, at = clock.today(), clock.now()
            services.declare(current, current_scope().town_id, **asked, today=today, by=current_user(), at=at)
            flash(_("The rule is kept and holds from its day on."))
            return redirect(url_for(".show"))
    return _page(form), 422


@bp.get("/list")
@may(May.SEE_TARGETS)
def commendations() -> ResponseReturnValue:
    """Biểu 06 of a year."""
    return _listed()


def _listed(form: ProposeForm | None = None) -> str:
    year, this_year = _span().as_of.year, clock.today().year
    known = {"lines": _lines(year), "year": year, "this_year": this_year, "forms": FORMS, "form": form}
    return render_template("emulation/list.html", **known)


@bp.post("/list")
@may(May.SET_TARGETS)
def propose() -> ResponseReturnValue:
    """Put somebody on the list with the result as counted."""
    form = ProposeForm()
    kind, found = _found(form.who.data or "") if form.validate() else ("", None)
    if found is None:
        raise NotFound
    with refusals_on(form), transaction() as current:
        told: dict[str, Any] = {"who": kind, "as_of": _span().as_of, "by": current_user(), "at": clock.now()}
        services.propose(current, current_scope().town_id, found, **told)
        flash(_("%(name)s stands on the list.", name=found.one.name))
        return redirect(url_for(".commendations", year=_span().as_of.year))
    return _listed(form), 422


def _found(who: str) -> tuple[str, Standing | None]:
    kind, _colon, key = who.partition(":")
    ask = {"organisation": queries.organisations, "volunteer": queries.volunteers}.get(kind)
    rows = ask(session(), current_scope(), _span()) if ask else []
    return kind, next((row for row in rows if str(row.one.key) == key), None)


def _line(commendation_id: UUID) -> Commendation:
    row = session().get(Commendation, (current_scope().town_id, commendation_id), with_for_update=True)
    if row is None or row.removed_at:
        raise NotFound
    return row


@bp.get("/list/<uuid:commendation_id>")
@may(May.SET_TARGETS)
def line(commendation_id: UUID) -> ResponseReturnValue:
    """The form of a line."""
    row = _line(commendation_id)
    fields = ("name", "post", "result", "years_in_row")
    form = LineForm(formdata=None, data={name: getattr(row, name) for name in fields} | {"form": row.form.value})
    return render_template("emulation/line.html", row=row, form=form)


@bp.post("/list/<uuid:commendation_id>")
@may(May.SET_TARGETS)
def change(commendation_id: UUID) -> ResponseReturnValue:
    """Word a line otherwise."""
    row, form = _line(commendation_id), LineForm()
    if form.validate():
        told = {name: getattr(form, name).data for name in ("name", "post", "result", "years_in_row")}
        with refusals_on(form), transaction() as current:
            services.change(current, row, **told, form=Form(form.form.data), by=current_user(), at=clock.now())
            return redirect(url_for(".commendations", year=row.year))
    return render_template("emulation/line.html", row=row, form=form), 422


@bp.post("/list/<uuid:commendation_id>/remove")
@may(May.SET_TARGETS)
def remove(commendation_id: UUID) -> ResponseReturnValue:
    """Take a line off the list."""
    with transaction() as current:
        row = _line(commendation_id)
        services.remove(current, row, by=current_user(), at=clock.now())
    return redirect(url_for(".commendations", year=row.year))


@bp.post("/list/send")
@may(May.SET_TARGETS)
def send() -> ResponseReturnValue:
    """The list has gone."""
    year = _span().as_of.year
    with transaction() as current:
        services.send(current, current_scope().town_id, year, by=current_user(), at=clock.now())
    flash(_("The list is marked as gone; it stays as it is."))
    return redirect(url_for(".commendations", year=year))
