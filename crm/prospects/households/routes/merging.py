"""Two records of one household become one."""

from __future__ import annotations

from uuid import UUID

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.db import session, transaction
from crm.prospects.households import merging, queries
from crm.prospects.households.forms import MergeForm, SearchForm
from crm.prospects.households.routes.blueprint import bp, is_id
from crm.prospects.households.routes.looking_up import people_found
from crm.prospects.households.routes.page import back
from crm.web.forms import refusals_on
from crm.web.guard import may


@bp.get("/households/<uuid:household_id>/merge")
@may(May.EDIT_PEOPLE)
def merging_page(household_id: UUID) -> ResponseReturnValue:
    """Look for the other record of the same household."""
    return _merge_page(household_id, MergeForm(formdata=None))


def _merge_page(household_id: UUID, form: MergeForm) -> str:
    scope, search = current_scope(), SearchForm(request.args)
    household = queries.household_seen(session(), scope, household_id)
    home = queries.home(session(), scope, household, clock.today())
    found_ids = {one.household_id for one in people_found(search)} - {None, household.id}
    living = queries.members_seen(session(), scope, [id for id in found_ids if id])
    form.other.choices = [(str(id), ", ".join(one.full_name for one in living[id])) for id in living]
    return render_template("prospects/households/merge.html", home=home, form=form, search=search)


@bp.post("/households/<uuid:household_id>/merge")
@may(May.EDIT_PEOPLE)
def merge(household_id: UUID) -> ResponseReturnValue:
    """The other record becomes part of this one."""
    form, scope = MergeForm(), current_scope()
    form.other.choices = [(form.other.data, "")]
    if form.validate() and is_id(form.other.data):
        with refusals_on(form), transaction() as current:
            kept = queries.household_seen(current, scope, household_id)
            gone = queries.household_seen(current, scope, UUID(form.other.data))
            merging.merge(current, kept, gone, by=current_user(), at=clock.now())
            return back(kept.id, _("The two records are one now. Say what the others are to the head."))
    return _merge_page(household_id, form), 422
