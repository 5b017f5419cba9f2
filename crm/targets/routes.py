"""The plan's targets, as three facts each: read, set, changed with their history."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.queries import organisations
from crm.accounts.rules import May, Reach
from crm.db import session, transaction
from crm.errors import NotFound
from crm.participation.queries import organisations_named, places_named
from crm.places.queries import units
from crm.targets import queries
from crm.targets.forms import TargetForm
from crm.targets.models import Target
from crm.targets.rules import INDICATORS, Indicator, contradiction, digits, implied_denominator
from crm.targets.services import set_target
from crm.targets.sharing import queries as sharing
from crm.targets.sharing.forms import AnswerForm
from crm.targets.sharing.rules import LEVELS, STATES, State
from crm.web.forms import refusals_on
from crm.web.guard import may
from crm.web.language import chosen

bp = Blueprint("targets", __name__)


@bp.get("/targets")
@may(May.SEE_TARGETS)
def listing() -> ResponseReturnValue:
    """Number, rate and denominator of each target of a year, where they contradict each other, and what waits for an answer."""
    scope, years = current_scope(), queries.years(session(), current_scope())
    asked, this = request.args.get("year", type=int), clock.today().year
    latest = next((one for one in years if one <= this), this)
    year = asked if asked is not None and asked in years else latest
    return render_template(
        "targets/listing.html",
        year=year,
        years=years,
        this_year=this,
        targets=queries.of_year(session(), scope, year),
        sees_all=scope.reach is Reach.ALL,
        waiting=sorted(sharing.asked_of(session(), scope), key=lambda one: one[0].answer is not None),
        answer_form=AnswerForm(formdata=None),
        sharings=[
            row for row in session().scalars(sharing.sharings(scope).limit(MOST)) if row.state is not State.DROPPED
        ],
        levels=LEVELS,
        states=STATES,
        may_share=current_user().may(May.SET_TARGETS) or sharing.leads_one_unit(scope),
        **_words(),
    )


MOST = 20
"""How many sharings the page tells of, the latest first."""


def _words() -> dict[str, Any]:
    town_id = current_scope().town_id
    return {
        "indicators": INDICATORS,
        "contradiction": partial(contradiction, locale=chosen()),
        "implied_denominator": implied_denominator,
        "digits": digits,
        "places": places_named(session(), town_id),
        "organisations": organisations_named(session(), town_id),
        "volunteers": sharing.volunteers_named(session(), current_scope()),
    }


@bp.get("/targets/<uuid:target_id>/history")
@may(May.SEE_TARGETS)
def history(target_id: UUID) -> ResponseReturnValue:
    """Every revision of a target: what it was, who changed it, by which document and why."""
    row = _target(target_id)
    return render_template(
        "targets/history.html",
        row=row,
        revisions=queries.history(session(), row.town_id, queries.whose_is(row)),
        **_words(),
    )


def _target(target_id: UUID) -> Target:
    row = session().scalars(queries.visible(current_scope()).where(Target.id == target_id)).one_or_none()
    if row is None:
        raise NotFound
    return row


@bp.get("/targets/set")
@may(May.SET_TARGETS)
def new() -> ResponseReturnValue:
    """The form of a new target."""
    return _page(_form(data={"year": clock.today().year, "indicator": Indicator.VOLUNTARY.value}))


@bp.get("/targets/<uuid:target_id>/change")
@may(May.SET_TARGETS)
def change(target_id: UUID) -> ResponseReturnValue:
    """The form with what holds now."""
    row = _target(target_id)
    kind = "place" if row.place_id else "organisation"
    unit = row.place_id or row.organisation_id
    if row.volunteer_id:
        raise NotFound
    named = {"unit": f"{kind}:{unit}" if unit else "", "indicator": row.indicator.value, "knowing": str(row.revision)}
    same = ("year", "people", "rate", "denominator", "baseline", "population", "authority")
    return _page(_form(data={name: getattr(row, name) for name in same} | named), row)


def _form(**given: Any) -> TargetForm:
    form, scope = TargetForm(**given), current_scope()
    here = session().scalars(units(scope.town_id, clock.today())).all()
    form.offer(
        [(place.id, place.name) for place in here],
        [(one.id, one.name) for one in session().scalars(organisations(scope.town_id))],
    )
    return form


def _page(form: TargetForm, row: Target | None = None) -> str:
    return render_template("targets/set.html", form=form, row=row)


@bp.post("/targets/set")
@may(May.SET_TARGETS)
def save() -> ResponseReturnValue:
    """Keep a target as its next revision."""
    form = _form()
    if form.validate():
        told = {name: getattr(form, name).data for name in ("authority", "document", "reason")}
        with refusals_on(form), transaction() as current:
            town_id, by, at = current_scope().town_id, current_user(), clock.now()
            set_target(current, town_id, form.whose, form.facts, **told, by=by, at=at, knowing=form.known)
            flash(_("The target is kept. What it was before stands in its history."))
            return redirect(url_for(".listing", year=form.whose.year))
    return _page(form), 422
