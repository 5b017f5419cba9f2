"""Correcting a person: particulars, grounds for support, what they said about messages."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock, phones
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.db import session, transaction
from crm.errors import Conflict, NotFound
from crm.prospects import timeline
from crm.prospects.forms import (
    ChangeForm,
    ConsentForm,
    GroundForm,
)
from crm.prospects.models import Prospect, Standing
from crm.prospects.queries.facts import Facts, consent_changes
from crm.prospects.queries.seeing import person_seen
from crm.prospects.routes.adding import Repeated, with_places
from crm.prospects.routes.blueprint import bp
from crm.prospects.routes.person import facts_seen, page_of_person, particulars_page
from crm.prospects.rules import Purpose
from crm.prospects.services.consent import answer_for
from crm.prospects.services.neighbourhoods import neighbourhood_id
from crm.prospects.services.people import change_prospect
from crm.prospects.services.standing import end_standing, record_standing
from crm.prospects.wording import CHANNELS, PURPOSES
from crm.web.forms import refusals_on
from crm.web.guard import may


@bp.get("/<uuid:prospect_id>/edit")
@may(May.EDIT_PEOPLE)
def edit(prospect_id: UUID) -> ResponseReturnValue:
    """The form to correct somebody's particulars."""
    facts = facts_seen(prospect_id)
    return page_of_person("prospects/edit.html", facts, form=_change_form(facts), stale=None)


def _change_form(facts: Facts) -> ChangeForm:
    person = facts.person
    born = person.birth_date.strftime("%d/%m/%Y") if person.birth_date else person.birth_year
    same = ("full_name", "address", "occupation", "version")
    form = ChangeForm(
        **{name: getattr(person, name) for name in same},
        birth=str(born or ""),
        phone=phones.pretty(person.phone or ""),
        other_phone=phones.pretty(person.other_phone or ""),
        sex=person.sex.value if person.sex else None,
        kinship=person.kinship.value if person.kinship else "",
        place=str(person.place_id),
        neighbourhood=facts.neighbourhood.name if facts.neighbourhood else "",
    )
    with_places(form, facts.place)
    return form


@bp.post("/<uuid:prospect_id>/edit")
@may(May.EDIT_PEOPLE)
def change(prospect_id: UUID) -> ResponseReturnValue:
    """Correct somebody's particulars."""
    form, stale = _change_form(facts_seen(prospect_id)), None
    if form.validate():
        try:
            with refusals_on(form), transaction() as current:
                _change(person_seen(current, current_scope(), prospect_id), form)
                flash(_("The corrections are saved."), "success")
                return redirect(url_for(".particulars", prospect_id=prospect_id))
        except Repeated as repeated:
            stale = repeated.refusal
    facts = facts_seen(prospect_id)
    if stale is not None:
        form.version.data = str(facts.person.version)
    return page_of_person(
        "prospects/edit.html", facts, form=form, stale=stale, latest=_latest(facts) if stale else None
    ), 422


def _latest(facts: Facts) -> Any:
    return next(iter(timeline.changes(session(), facts.person)), None)


def _change(person: Prospect, form: ChangeForm) -> None:
    current, by, place_id = session(), current_user(), UUID(form.place.data)
    named = neighbourhood_id(current, by.town_id, place_id, form.neighbourhood.data)
    changed = form.changes(clock.today()) | {"place_id": place_id, "neighbourhood_id": named}
    try:
        change_prospect(current, person, changed, by=by, at=clock.now(), expected_version=form.expected_version)
    except Conflict as refusal:
        if refusal.code == "stale":
            raise Repeated(refusal) from None
        raise


@bp.post("/<uuid:prospect_id>/grounds")
@may(May.EDIT_PEOPLE)
def add_ground(prospect_id: UUID) -> ResponseReturnValue:
    """A ground for support, with its paper."""
    form = GroundForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            record_standing(
                current,
                person_seen(current, current_scope(), prospect_id),
                form.chosen,
                certificate=form.certificate.data,
                valid_from=form.begins,
                valid_to=form.ends,
                at=clock.now(),
                by=current_user(),
            )
            return redirect(url_for(".particulars", prospect_id=prospect_id))
    return particulars_page(facts_seen(prospect_id), form), 422


@bp.post("/<uuid:prospect_id>/grounds/<uuid:standing_id>/end")
@may(May.EDIT_PEOPLE)
def end_ground(prospect_id: UUID, standing_id: UUID) -> ResponseReturnValue:
    """A ground holds no more from today on."""
    with transaction() as current:
        person = person_seen(current, current_scope(), prospect_id)
        standing = current.get(Standing, (person.town_id, standing_id))
        if standing is None or standing.prospect_id != person.id:
            raise NotFound
        end_standing(current, standing, on=clock.today(), at=clock.now(), by=current_user())
    return redirect(url_for(".particulars", prospect_id=prospect_id))


@bp.get("/<uuid:prospect_id>/consent")
@may(May.SEE_PEOPLE)
def consent(prospect_id: UUID) -> ResponseReturnValue:
    """Which messages somebody agreed to, and how we know."""
    return _consent(facts_seen(prospect_id), ConsentForm(formdata=None, on=clock.today()))


def _consent(facts: Facts, form: ConsentForm) -> str:
    form.purpose.choices = [(purpose.value, label) for purpose, label in PURPOSES.items()]
    past = consent_changes(session(), facts.person)
    return page_of_person(
        "prospects/consent.html", facts, form=form, purposes=PURPOSES, channels=CHANNELS, purpose=Purpose, past=past
    )


@bp.post("/<uuid:prospect_id>/consent")
@may(May.EDIT_PEOPLE)
def answer(prospect_id: UUID) -> ResponseReturnValue:
    """Write down what somebody said about messages."""
    form = ConsentForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            person = person_seen(current, current_scope(), prospect_id)
            answer_for(current, person, form.answer, by=current_user(), at=clock.now())
            flash(_("The answer is saved."), "success")
            return redirect(url_for(".consent", prospect_id=prospect_id))
    return _consent(facts_seen(prospect_id), form), 422
