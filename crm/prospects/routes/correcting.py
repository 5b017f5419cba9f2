"""Correcting a person: particulars, grounds for support, what they said about messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.db import session, transaction
from crm.errors import Conflict, NotFound, Refusals, RuleBroken
from crm.ids import read_id
from crm.places.models import Place
from crm.prospects import timeline
from crm.prospects.editing import Collision, columns_of_unit, unit_of
from crm.prospects.forms import ChangeForm, ConsentForm, GroundForm, PaperForm, fields_of_unit, texts_of
from crm.prospects.models import Prospect, Standing
from crm.prospects.queries.changes import change_of
from crm.prospects.queries.facts import Facts, consent_changes
from crm.prospects.queries.seeing import person_seen
from crm.prospects.routes.adding import Repeated, with_places
from crm.prospects.routes.blueprint import bp
from crm.prospects.routes.listing import one_of
from crm.prospects.routes.person import facts_seen, page_of_person, particulars_page
from crm.prospects.rules import NOBODY, Purpose, columns_of
from crm.prospects.services.consent import agree_again, answer_for, refusal_of
from crm.prospects.services.neighbourhoods import neighbourhood_id
from crm.prospects.services.people import CHANGEABLE, change_prospect, seen
from crm.prospects.services.people import put_back as put_back_one
from crm.prospects.services.standing import end_standing, name_paper, record_standing
from crm.prospects.wording import CHANNELS, PURPOSES
from crm.web.forms import refusals_on
from crm.web.guard import may


@bp.get("/<uuid:prospect_id>/edit")
@may(May.EDIT_PEOPLE)
def edit(prospect_id: UUID) -> ResponseReturnValue:
    """The form to correct somebody's particulars."""
    facts = facts_seen(prospect_id)
    return page_of_person("prospects/edit.html", facts, form=_change_form(facts))


def _seen(facts: Facts) -> dict[str, Any]:
    """What an editor sees of somebody, as the form carries it."""
    return seen(facts.person) | {"neighbourhood": facts.neighbourhood.name if facts.neighbourhood else None}


def _change_form(facts: Facts) -> ChangeForm:
    """The form as it stands, or as it was sent; what was left alone is what the editor saw."""
    now = _seen(facts)
    form = ChangeForm(**texts_of(now), version=str(facts.person.version))
    if form.carried("base") is None:
        known = not form.is_submitted() or form.expected_version == facts.person.version
        form.carry("base", now if known else {})
    with_places(form, facts.place)
    _offer_the_place_seen(form, facts.person.town_id)
    return form


def _offer_the_place_seen(form: ChangeForm, town_id: UUID) -> None:
    """A person who was moved meanwhile has left the place that the form still says."""
    choices: list[Any] = list(form.place.choices or ())
    seen_there = read_id((form.carried("base") or {}).get("place_id"))
    if seen_there and not one_of(str(seen_there), choices):
        place = session().get(Place, (town_id, seen_there))
        form.place.choices = [*choices, *([(str(place.id), place.name)] if place else [])]


@bp.post("/<uuid:prospect_id>/edit")
@may(May.EDIT_PEOPLE)
def change(prospect_id: UUID) -> ResponseReturnValue:
    """Correct somebody's particulars: only what was really changed. Where somebody else was at the same, ask."""
    form = _change_form(facts_seen(prospect_id))
    _take_choices(form)
    if form.validate():
        try:
            with refusals_on(form), transaction() as current:
                _change(person_seen(current, current_scope(), prospect_id), form)
                flash(_("The corrections are saved."), "success")
                return redirect(url_for(".particulars", prospect_id=prospect_id))
        except Repeated as met:
            return _ask_which(facts_seen(prospect_id), form, met.refusal.details["collisions"])
    return page_of_person("prospects/edit.html", facts_seen(prospect_id), form=form), 422


def _take_choices(form: ChangeForm) -> None:
    """What was chosen where two had met: the other's value or one's own, both now seen."""
    base, theirs = form.carried("base"), form.carried("theirs")
    if base is None or theirs is None:
        return
    for unit in request.form.getlist("met"):
        chosen = request.form.get(f"choose-{unit}")
        if chosen not in ("theirs", "mine") or unit not in {unit_of(name) for name in CHANGEABLE}:
            continue
        base |= {name: theirs[name] for name in _parts(unit) if name in theirs}
        if chosen == "theirs":
            form.take_theirs(unit, theirs)
    form.carry("base", base)


def _parts(unit: str) -> set[str]:
    """The columns of a thing, and the fields of the form that say it."""
    return {*columns_of_unit(unit), *fields_of_unit(unit)}


def _change(person: Prospect, form: ChangeForm) -> None:
    current, by = session(), current_user()
    base = form.carried("base") or {}
    edited = form.edited(base)
    refused = Refusals()
    changed = form.changes(clock.today(), edited, refused)
    if refused.found:
        with refused.noted():
            columns_of(changed, NOBODY, clock.today())
        refused.raise_all()
    if edited & {"place", "neighbourhood"}:
        place_id = UUID(form.place.data)
        named = neighbourhood_id(current, by.town_id, place_id, form.neighbourhood.data)
        changed |= {"place_id": place_id, "neighbourhood_id": named}
    try:
        change_prospect(
            current, person, changed, by=by, at=clock.now(), expected_version=form.expected_version, base=base
        )
    except Conflict as refusal:
        if refusal.code == "stale":
            raise Repeated(refusal) from None
        raise


def _ask_which(facts: Facts, form: ChangeForm, collisions: Sequence[Collision]) -> ResponseReturnValue:
    """Field by field what it was, what the other wrote and what this editor wrote; nothing typed is lost."""
    base, now = form.carried("base") or {}, _seen(facts)
    mine = form.edited(base)
    met = {name for one in collisions for name in _parts(one.unit)}
    for name, text in texts_of(now).items():
        if name not in mine:
            form[name].data = text
    still = {name: value for name, value in base.items() if name in met}
    form.carry("base", {name: value for name, value in now.items() if name not in met} | still)
    form.carry("theirs", now)
    form.version.data = str(facts.person.version)
    return page_of_person(
        "prospects/which.html",
        facts,
        form=form,
        met=timeline.collisions_told(session(), facts.person, collisions),
        besides=[form[name] for name in mine - met],
        unanswered=bool(request.form.getlist("met")),
    ), 409


@bp.post("/<uuid:prospect_id>/changes/<uuid:record_id>/put-back")
@may(May.EDIT_PEOPLE)
def put_back(prospect_id: UUID, record_id: UUID) -> ResponseReturnValue:
    """Let one thing be what it was before a correction."""
    try:
        with transaction() as current:
            person = person_seen(current, current_scope(), prospect_id)
            record, unit = change_of(current, person, record_id), request.form.get("unit", "")
            put_back_one(current, person, record, unit, by=current_user(), at=clock.now())
        flash(_("It is again what it was."), "success")
    except RuleBroken as refusal:
        flash(str(refusal), "error")
    return redirect(url_for(".changes", prospect_id=prospect_id))


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


@bp.post("/<uuid:prospect_id>/grounds/<uuid:standing_id>/paper")
@may(May.EDIT_PEOPLE)
def prove_ground(prospect_id: UUID, standing_id: UUID) -> ResponseReturnValue:
    """Name the paper of a ground that came without one."""
    form = PaperForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            standing = _ground_of(current, prospect_id, standing_id)
            name_paper(current, standing, form.paper.data, at=clock.now(), by=current_user())
            flash(_("The paper is named."), "success")
            return redirect(url_for(".particulars", prospect_id=prospect_id), 303)
    return particulars_page(facts_seen(prospect_id), paper=form), 422


@bp.post("/<uuid:prospect_id>/grounds/<uuid:standing_id>/end")
@may(May.EDIT_PEOPLE)
def end_ground(prospect_id: UUID, standing_id: UUID) -> ResponseReturnValue:
    """A ground holds no more from today on."""
    with transaction() as current:
        standing = _ground_of(current, prospect_id, standing_id)
        end_standing(current, standing, on=clock.today(), at=clock.now(), by=current_user())
    return redirect(url_for(".particulars", prospect_id=prospect_id))


def _ground_of(current: Session, prospect_id: UUID, standing_id: UUID) -> Standing:
    """A ground of somebody this person may see. Raises NotFound."""
    person = person_seen(current, current_scope(), prospect_id)
    standing = current.get(Standing, (person.town_id, standing_id))
    if standing is None or standing.prospect_id != person.id:
        raise NotFound
    return standing


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
            _keep_answer(current, person_seen(current, current_scope(), prospect_id), form)
            flash(_("The answer is saved."), "success")
            return redirect(url_for(".consent", prospect_id=prospect_id))
    return _consent(facts_seen(prospect_id), form), 422


def _keep_answer(current: Session, person: Prospect, form: ConsentForm) -> None:
    """Whoever refused before agrees again only with the proof of it."""
    said, by, at = form.answer, current_user(), clock.now()
    refused = person.phone and said.given and refusal_of(current, person.town_id, person.phone, said.purpose)
    if not (refused and person.phone):
        answer_for(current, person, said, by=by, at=at)
        return
    agree_again(
        current,
        person.town_id,
        person.phone,
        said.purpose,
        channel=said.channel,
        words=said.words,
        said_at=form.said_at(at),
        by=by,
        at=at,
        prospect_id=person.id,
    )
