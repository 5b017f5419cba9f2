"""The page of a household: who lives there, its certificate, its number and address."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.db import session, transaction
from crm.ids import new_id
from crm.prospects.households import queries
from crm.prospects.households.forms import CertifyForm, DescribeForm
from crm.prospects.households.routes.blueprint import bp
from crm.prospects.households.services import membership
from crm.prospects.households.telling import told_of
from crm.web.forms import refusals_on
from crm.web.guard import may


@bp.get("/households/<uuid:household_id>")
@may(May.SEE_PEOPLE)
def show(household_id: UUID) -> ResponseReturnValue:
    """Who lives here, what each pays, the certificate; one visit for each while one is here."""
    household = queries.household_seen(session(), current_scope(), household_id)
    if household.id != household_id:
        return redirect(url_for(".show", household_id=household.id))
    return page(household_id)


def page(household_id: UUID, **forms: Any) -> str:
    """The page, with the form that was refused in place of a new one."""
    today, scope = clock.today(), current_scope()
    household = queries.household_seen(session(), scope, household_id)
    home = queries.home(session(), scope, household, today)
    told = told_of([one.person for one in home.members], today)
    new: dict[str, Any] = {
        "certify": CertifyForm(formdata=None, year=today.year),
        "describe": DescribeForm(formdata=None, code=household.code, address=household.address),
        "wrong": None,
    }
    return render_template(
        "prospects/households/show.html",
        home=home,
        told=told,
        today=today,
        holding=queries.holding(home.certificates, today),
        client_ids={one.person.id: new_id() for one in home.members},
        **new | forms,
    )


@bp.post("/households/<uuid:household_id>")
@may(May.EDIT_PEOPLE)
def describe(household_id: UUID) -> ResponseReturnValue:
    """The household's number and address."""
    form = DescribeForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            household = queries.household_seen(current, current_scope(), household_id)
            code, address = form.code.data, form.address.data
            membership.describe(current, household, code=code, address=address, by=current_user(), at=clock.now())
            return back(household_id, _("Saved."))
    return page(household_id, describe=form, wrong=form), 422


def back(household_id: UUID, words: str) -> ResponseReturnValue:
    """Back to the page, which says what was done."""
    flash(words, "success")
    return redirect(url_for("households.show", household_id=household_id))
