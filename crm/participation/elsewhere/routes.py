"""Reading an insurance record, and what was read before."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.db import session, transaction
from crm.months import Month
from crm.participation import months
from crm.participation.elsewhere import cards, queries, services
from crm.participation.elsewhere.forms import RecordForm
from crm.participation.rules import basis_for
from crm.premiums.queries import law
from crm.prospects.models import Prospect
from crm.prospects.queries.seeing import person_seen
from crm.web.forms import refusals_on
from crm.web.guard import may

bp = Blueprint("elsewhere", __name__)
cards.register()


@bp.get("/people/<uuid:prospect_id>/insurance-record")
@may(May.SEE_PEOPLE)
def show(prospect_id: UUID) -> ResponseReturnValue:
    """What the paper says, what was read before, and what it adds to the months on record here."""
    person = person_seen(session(), current_scope(), prospect_id)
    return _page(person, _form(person))


@bp.post("/people/<uuid:prospect_id>/insurance-record")
@may(May.ENROL)
def write_down(prospect_id: UUID) -> ResponseReturnValue:
    """Keep what the paper says."""
    person = person_seen(session(), current_scope(), prospect_id)
    form = _form(person)
    if form.validate():
        with refusals_on(form), transaction() as current:
            services.write_down(current, person, form.said, by=current_user(), at=clock.now())
            flash(_("What the paper says is kept, and counts from now on."), "success")
            return redirect(url_for(".show", prospect_id=person.id))
    return _page(person, form), 422


def _form(person: Prospect) -> RecordForm:
    return RecordForm.of(Month.of(clock.today()), queries.latest(session(), person))


def _page(person: Prospect, form: RecordForm) -> str:
    return render_template(
        "participation/insurance_record.html",
        person=person,
        form=form,
        told=months.told(session(), person, law(session()), clock.today()),
        read=queries.all_of(session(), person),
        mine=current_user().may(May.ENROL) and basis_for(current_user().may) is not None,
    )
