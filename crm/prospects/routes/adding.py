"""Adding somebody, unless they may be here already."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.db import session, transaction
from crm.errors import Conflict, Refusals
from crm.ids import new_id, read_id
from crm.places.models import Place
from crm.prospects.forms import (
    NewPersonForm,
    ParticularsForm,
)
from crm.prospects.identity.queries import candidates, neighbourhood_typed
from crm.prospects.identity.showing import Told, told
from crm.prospects.identity.typed import traits_typed
from crm.prospects.models import Prospect
from crm.prospects.queries.facts import Facts, facts_of
from crm.prospects.routes.blueprint import bp
from crm.prospects.routes.listing import one_of, places_of_mine
from crm.prospects.rules import NOWHERE, NewPerson
from crm.prospects.services.neighbourhoods import neighbourhood_id
from crm.prospects.services.people import add_prospect, columns_of_new
from crm.web.forms import refusals_on
from crm.web.guard import may

SHOWN_WHILE_TYPING = 3
"""More would hide the form."""
DOORSTEP_WORDS = _l("Said yes when asked whether the office may send messages about this.")


def with_places(form: ParticularsForm, now: Place | None = None) -> None:
    """Offer the places of whoever asks, and the one that stands there now even when it has become part of another."""
    places = places_of_mine()
    if now is not None and not one_of(str(now.id), places):
        places.insert(0, (str(now.id), now.name))
    form.place.choices = places if len(places) == 1 else [("", _l("Choose…")), *places]


@bp.get("/new")
@may(May.EDIT_PEOPLE)
def new() -> ResponseReturnValue:
    """The form for somebody new."""
    form = NewPersonForm(id=str(new_id()), place=str(current_user().place_id or ""))
    with_places(form)
    return render_template("prospects/new.html", form=form)


@bp.post("/new")
@may(May.EDIT_PEOPLE)
def add() -> ResponseReturnValue:
    """Add somebody, or show who they may be."""
    form = NewPersonForm()
    with_places(form)
    if form.validate():
        try:
            with refusals_on(form), transaction():
                person = _add(form)
                flash(_("%(name)s is in the register.", name=person.full_name), "success")
                return redirect(url_for(".show", prospect_id=person.id))
        except Repeated as repeated:
            return alike_page(form, repeated.refusal)
    else:
        with refusals_on(form):
            _check(form)
    return render_template("prospects/new.html", form=form), 422


class Repeated(Exception):
    """Somebody like this is here: not a mistake in the form but a question."""

    def __init__(self, refusal: Conflict) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


def _add(form: NewPersonForm) -> Prospect:
    current, by = session(), current_user()
    place_id = UUID(form.place.data)
    person = _check(form)
    home = neighbourhood_id(current, by.town_id, place_id, form.neighbourhood.data)
    person = replace(person, neighbourhood_id=home)
    try:
        return add_prospect(current, person, by=by, at=clock.now(), allow_duplicate=form.allow_duplicate.data == "yes")
    except Conflict as refusal:
        raise Repeated(refusal) from None


def _check(form: NewPersonForm) -> NewPerson:
    """Who the form tells of, the neighbourhood apart. Raises RuleBroken, or RulesBroken with everything that the rules
    refuse; whatever the form itself refuses already is passed over."""
    refused, today = Refusals(), clock.today()
    person = NewPerson(
        **form.particulars(today, refused),
        id=read_id(form.id.data),
        place_id=read_id(form.place.data) or NOWHERE,
        citizen_id=form.citizen_id.data,
        si_number=form.si_number.data,
        grounds=() if form.ground.errors or form.ground_until.errors else form.grounds,
        consents=() if form.channel.errors else form.consents(today, str(DOORSTEP_WORDS)),
    )
    with refused.noted():
        columns_of_new(session(), person, by=current_user(), at=clock.now())
    refused.raise_all()
    return person


def alike_page(form: NewPersonForm, refusal: Conflict) -> ResponseReturnValue:
    """Sent twice: go to the person. Otherwise the people found, side by side with what was typed."""
    scope = current_scope()
    if refusal.code == "id_taken":
        return redirect(url_for(".show", prospect_id=refusal.details["id"]))
    found = told(session(), scope, refusal.details["candidates"])
    return render_template("prospects/alike.html", form=form, found=found, facts=_facts(found)), 409


@bp.post("/alike")
@may(May.EDIT_PEOPLE)
def alike() -> ResponseReturnValue:
    """Who may be the person that is being typed: `{found, html}`."""
    current, scope = session(), current_scope()
    place = neighbourhood_typed(current, scope.town_id, request.form.get("place"), request.form.get("neighbourhood"))
    new = traits_typed(request.form, place, clock.today())
    likely = candidates(current, scope.town_id, new) if new else []
    found = told(current, scope, [one.as_details() for one in likely])[:SHOWN_WHILE_TYPING]
    return {"found": len(found), "html": render_template("prospects/_alike.html", found=found, facts=_facts(found))}


def _facts(found: list[Told]) -> dict[UUID, Facts]:
    """What pages show of those of these people who are in sight."""
    seen = [one.person for one in found if one.person]
    return {facts.person.id: facts for facts in facts_of(session(), current_scope().town_id, seen, clock.today())}
