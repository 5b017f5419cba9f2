"""The certificate of a household: writing it down, ending it."""

from __future__ import annotations

from uuid import UUID

from flask import render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.db import session, transaction
from crm.prospects.households import queries
from crm.prospects.households.forms import CertifyForm, EndForm
from crm.prospects.households.routes.blueprint import bp
from crm.prospects.households.routes.page import back, page
from crm.prospects.households.services import certificates
from crm.web.forms import refusals_on
from crm.web.guard import may


@bp.post("/households/<uuid:household_id>/certificates")
@may(May.EDIT_PEOPLE)
def certify(household_id: UUID) -> ResponseReturnValue:
    """The certificate of a year, for everybody who lives here."""
    form = CertifyForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            household = queries.household_seen(current, current_scope(), household_id)
            number, year, since = form.certificate.data, form.year.data or 0, form.since.data
            certificates.certify(
                current, household, form.chosen, number, year, since=since, by=current_user(), at=clock.now()
            )
            return back(household_id, _("The certificate counts for everybody who lives here."))
    return page(household_id, certify=form, wrong=form), 422


@bp.get("/households/<uuid:household_id>/certificates/<uuid:certificate_id>/end")
@may(May.EDIT_PEOPLE)
def ending(household_id: UUID, certificate_id: UUID) -> ResponseReturnValue:
    """From which day on a certificate holds no more."""
    return _end_page(household_id, certificate_id, EndForm(formdata=None, on=clock.today()))


def _end_page(household_id: UUID, certificate_id: UUID, form: EndForm) -> str:
    household = queries.household_seen(session(), current_scope(), household_id)
    paper = queries.certificate_of(session(), household, certificate_id)
    home = queries.home(session(), current_scope(), household, clock.today())
    return render_template("prospects/households/end.html", home=home, paper=paper, form=form)


@bp.post("/households/<uuid:household_id>/certificates/<uuid:certificate_id>/end")
@may(May.EDIT_PEOPLE)
def end(household_id: UUID, certificate_id: UUID) -> ResponseReturnValue:
    """The certificate was withdrawn: it holds no more from a day on."""
    form = EndForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            household = queries.household_seen(current, current_scope(), household_id)
            paper = queries.certificate_of(current, household, certificate_id)
            certificates.end(current, paper, on=form.day, by=current_user(), at=clock.now())
            return back(household_id, _("The certificate has ended."))
    return _end_page(household_id, certificate_id, form), 422
