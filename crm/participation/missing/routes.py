"""The page on which somebody pays at once for missing months."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.db import session, transaction
from crm.errors import RuleBroken
from crm.months import Month
from crm.participation import months, queries
from crm.participation.missing.forms import MissingForm
from crm.participation.missing.queries import missing_of
from crm.participation.missing.services import pay_missing_months
from crm.participation.months import Told
from crm.participation.rules import basis_for
from crm.premiums.queries import law
from crm.premiums.rules.law import Law
from crm.premiums.rules.missing import Missing
from crm.premiums.rules.quotes import Quote
from crm.premiums.rules.wording import GROUNDS, METHODS, STATUSES
from crm.prospects.models import Prospect
from crm.prospects.queries.seeing import person_seen
from crm.web.filters import month as in_month
from crm.web.forms import refusals_on
from crm.web.guard import may
from crm.web.language import chosen
from crm.web.once import once

bp = Blueprint("missing", __name__)


@bp.get("/people/<uuid:prospect_id>/missing-months")
@may(May.SEE_PEOPLE)
def show(prospect_id: UUID) -> ResponseReturnValue:
    """What is missing for a pension, whether the law lets it be paid at once, and what that costs."""
    person = person_seen(session(), current_scope(), prospect_id)
    counted = _counted(person)
    return _page(person, counted, *_missing(person, counted))


@bp.post("/people/<uuid:prospect_id>/missing-months")
@may(May.ENROL)
def pay(prospect_id: UUID) -> ResponseReturnValue:
    """Record the payment."""
    person, all_law = person_seen(session(), current_scope(), prospect_id), _law()
    counted = _counted(person)
    told, refusal = _missing(person, counted)
    basis = basis_for(current_user().may)
    form = MissingForm.for_all(all_law.on(clock.today()), told.months) if told and basis else None
    if form is not None and told and basis and form.validate():
        with refusals_on(form), transaction() as current:
            paid_on = form.paid_on.data or clock.today()
            given: dict[str, Any] = {
                "paid_on": paid_on,
                "grounds": queries.grounds_on(current, person, paid_on),
                **form.proof(basis),
            }
            acts: dict[str, Any] = {"basis": basis, "by": current_user(), "at": clock.now(), "all_law": all_law}
            pay_missing_months(current, person, income=int(form.income.data or 0), plan=form.plan, **given, **acts)
            when = in_month(told.pension_from.first_day, chosen())
            flash(_("The payment is recorded. A pension may begin in %(month)s: record it once it does.", month=when))
            return redirect(url_for("prospects.show", prospect_id=person.id))
    return _page(person, counted, told, refusal, form), 422


def _law() -> Law:
    return once("law", lambda: law(session()))


def _counted(person: Prospect) -> Told:
    return months.told(session(), person, _law(), clock.today())


def _missing(person: Prospect, counted: Told) -> tuple[Missing | None, RuleBroken | None]:
    """What is missing today, or what has to be written down first; and why it may not be paid at once."""
    try:
        told = missing_of(session(), person, _law(), clock.today(), counted)
    except RuleBroken as refusal:
        return None, refusal
    return told, told.refusal


def _page(
    person: Prospect, counted: Told, told: Missing | None, refusal: RuleBroken | None, form: MissingForm | None = None
) -> str:
    all_law, today = _law(), clock.today()
    form = form or (MissingForm.for_all(all_law.on(today), told.months) if told and not refusal else None)
    return render_template(
        "participation/missing_months.html",
        person=person,
        missing=told,
        refusal=refusal,
        form=form,
        told=_quote(person, form) if form and not refusal else None,
        counted=counted,
        basis=basis_for(current_user().may),
        grounds=GROUNDS,
        methods=METHODS,
        statuses=STATUSES,
        aside=None,
    )


def _quote(person: Prospect, form: MissingForm) -> Quote | None:
    """What it would cost as the form stands; what is refused is said at its field."""
    paid_on = form.paid_on.data or clock.today()
    with refusals_on(form):
        return queries.quote_for(
            session(),
            person,
            income=int(form.income.data or 0),
            plan=form.plan,
            start=Month.of(paid_on),
            paid_on=paid_on,
            grounds=queries.grounds_on(session(), person, paid_on),
            all_law=_law(),
        )
    return None
