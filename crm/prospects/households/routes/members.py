"""Founding a household, moving in and out, who is the head."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.db import session, transaction
from crm.errors import RuleBroken
from crm.prospects.households import queries
from crm.prospects.households.forms import NOT_HEAD, FoundForm, JoinForm, LeaveForm, SearchForm
from crm.prospects.households.routes.blueprint import bp, is_id
from crm.prospects.households.routes.looking_up import called, people_found
from crm.prospects.households.routes.page import back
from crm.prospects.households.rules import Living
from crm.prospects.households.services import membership
from crm.prospects.models import Prospect
from crm.prospects.queries.seeing import person_seen
from crm.prospects.rules import Kinship
from crm.web.forms import refusals_on
from crm.web.guard import may


@bp.get("/people/<uuid:prospect_id>/household")
@may(May.EDIT_PEOPLE)
def new(prospect_id: UUID) -> ResponseReturnValue:
    """With whom somebody lives: those of the same phone or house first, others by a search."""
    person = person_seen(session(), current_scope(), prospect_id)
    if person.household_id:
        return redirect(url_for(".show", household_id=person.household_id))
    return _new_page(person, FoundForm(formdata=None, head=str(person.id)))


def _new_page(person: Prospect, form: FoundForm) -> str:
    search = SearchForm(request.args)
    likely = people_found(search) if search.q.data else queries.likely_to_live_with(session(), current_scope(), person)
    form.offer(
        (str(person.id), person.full_name), [(str(one.id), called(one)) for one in likely if one.id != person.id]
    )
    return render_template(
        "prospects/households/new.html", person=person, form=form, search=search, likely=likely, today=clock.today()
    )


@bp.post("/people/<uuid:prospect_id>/household")
@may(May.EDIT_PEOPLE)
def found(prospect_id: UUID) -> ResponseReturnValue:
    """Found a household of two people, or of one who lives alone."""
    form, scope = FoundForm(), current_scope()
    person = person_seen(session(), scope, prospect_id)
    other = person_seen(session(), scope, UUID(form.other.data)) if is_id(form.other.data) else None
    form.offer((str(person.id), person.full_name), [(str(other.id), called(other))] if other else [])
    if form.validate():
        with refusals_on(form), transaction() as current:
            made = membership.found(
                current,
                _living(form, person, other),
                since=form.since.data,
                code=form.code.data,
                address=form.address.data,
                to_its_address=form.to_its_address.data,
                by=current_user(),
                at=clock.now(),
            )
            return back(made.id, _("The household is founded."))
    return _new_page(person, form), 422


def _living(form: FoundForm, person: Prospect, other: Prospect | None) -> list[Living]:
    if other is None:
        return [Living(person.id, Kinship.HEAD)]
    head, second = (other, person) if form.head.data == "other" else (person, other)
    return [Living(head.id, Kinship.HEAD), Living(second.id, Kinship(form.kinship.data))]


@bp.get("/households/<uuid:household_id>/members")
@may(May.EDIT_PEOPLE)
def moving_in(household_id: UUID) -> ResponseReturnValue:
    """Who moves in: a search, then what they are to the head and since when."""
    return _join_page(household_id, JoinForm(formdata=None, on=clock.today()))


def _join_page(household_id: UUID, form: JoinForm) -> str:
    scope, search, today = current_scope(), SearchForm(request.args), clock.today()
    household = queries.household_seen(session(), scope, household_id)
    home = queries.home(session(), scope, household, today)
    first = home.named_after
    likely = (
        people_found(search) if search.q.data else queries.likely_to_live_with(session(), scope, first) if first else []
    )
    likely = [one for one in likely if one.household_id != household.id]
    form.person.choices = form.person.choices or [(str(one.id), called(one)) for one in likely]
    return render_template(
        "prospects/households/join.html", home=home, form=form, search=search, likely=likely, today=today
    )


@bp.post("/households/<uuid:household_id>/members")
@may(May.EDIT_PEOPLE)
def join(household_id: UUID) -> ResponseReturnValue:
    """Somebody moves in."""
    form, scope = JoinForm(), current_scope()
    household = queries.household_seen(session(), scope, household_id)
    person = person_seen(session(), scope, UUID(form.person.data)) if is_id(form.person.data) else None
    form.person.choices = [(str(person.id), called(person))] if person else []
    if form.validate() and person:
        with refusals_on(form), transaction() as current:
            membership.join(
                current,
                household,
                person,
                Kinship(form.kinship.data),
                on=form.on.data,
                by=current_user(),
                at=clock.now(),
                to_its_address=form.to_its_address.data,
            )
            return back(household.id, _("%(name)s lives here now.", name=person.full_name))
    return _join_page(household_id, form), 422


@bp.get("/households/<uuid:household_id>/members/<uuid:prospect_id>/leave")
@may(May.EDIT_PEOPLE)
def leaving(household_id: UUID, prospect_id: UUID) -> ResponseReturnValue:
    """On which day somebody moved out."""
    return _leave_page(household_id, prospect_id, LeaveForm(formdata=None, on=clock.today()))


def _leave_page(household_id: UUID, prospect_id: UUID, form: LeaveForm) -> str:
    household = queries.household_seen(session(), current_scope(), household_id)
    person = person_seen(session(), current_scope(), prospect_id)
    home = queries.home(session(), current_scope(), household, clock.today())
    return render_template("prospects/households/leave.html", home=home, person=person, form=form)


@bp.post("/households/<uuid:household_id>/members/<uuid:prospect_id>/leave")
@may(May.EDIT_PEOPLE)
def leave(household_id: UUID, prospect_id: UUID) -> ResponseReturnValue:
    """Somebody moves out."""
    form = LeaveForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            person = _member(household_id, prospect_id)
            membership.leave(current, person, on=form.day, by=current_user(), at=clock.now())
            flash(_("%(name)s lives here no more.", name=person.full_name), "success")
            return redirect(url_for("prospects.show", prospect_id=person.id))
    return _leave_page(household_id, prospect_id, form), 422


def _member(household_id: UUID, prospect_id: UUID) -> Prospect:
    """A member of this household whom one may see. Raises RuleBroken when they have left meanwhile."""
    scope = current_scope()
    household = queries.household_seen(session(), scope, household_id)
    return membership.member(household, person_seen(session(), scope, prospect_id))


@bp.get("/households/<uuid:household_id>/head")
@may(May.EDIT_PEOPLE)
def heading(household_id: UUID) -> ResponseReturnValue:
    """Who is the head, and what the others are to them."""
    return _head_page(household_id)


def _head_page(household_id: UUID, wrong: str | None = None) -> str:
    scope = current_scope()
    household = queries.household_seen(session(), scope, household_id)
    home = queries.home(session(), scope, household, clock.today())
    return render_template("prospects/households/head.html", home=home, kinships=NOT_HEAD, wrong=wrong)


@bp.post("/households/<uuid:household_id>/head")
@may(May.EDIT_PEOPLE)
def set_head(household_id: UUID) -> ResponseReturnValue:
    """Make somebody the head, and keep what the others are to them."""
    try:
        with transaction() as current:
            household = queries.household_seen(current, current_scope(), household_id)
            if not is_id(request.form.get("head")):
                raise RuleBroken(_l("Choose who is the head."))
            head, kinships = person_seen(current, current_scope(), UUID(request.form["head"])), dict(_kinships())
            membership.set_head(current, household, head, kinships, by=current_user(), at=clock.now())
            return back(household_id, _("Saved."))
    except RuleBroken as refusal:
        return _head_page(household_id, str(refusal)), 422


def _kinships() -> Iterator[tuple[UUID, Kinship]]:
    """`kinship-ID=child`, one for each member on the page; the head's own is not asked."""
    for name, value in request.form.items():
        id = name.removeprefix("kinship-")
        if name != id and is_id(id) and id != request.form.get("head") and value in dict(NOT_HEAD):
            yield UUID(id), Kinship(value)
