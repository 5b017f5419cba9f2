"""The register of people: the list, a person, adding and correcting."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from crm import clock, phones
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.models import Organisation, User
from crm.accounts.queries import organisations, volunteers_for
from crm.accounts.rules import May, Reach
from crm.db import session, transaction
from crm.errors import Conflict, NotFound
from crm.ids import new_id
from crm.kept import kept
from crm.places.models import Place
from crm.places.queries import ids_within, neighbourhoods, units
from crm.prospects import cards, queries, services, timeline
from crm.prospects.forms import (
    ChangeForm,
    Choice,
    ConsentForm,
    FilterForm,
    GroundForm,
    NewPersonForm,
    ParticularsForm,
    typed_uuid,
)
from crm.prospects.models import Prospect, Standing
from crm.prospects.queries import Facts, Filters
from crm.prospects.rules import SAME_SENTENCES, NewPerson, Purpose, Same
from crm.prospects.wording import CHANNELS, GROUNDS, KINSHIPS, PURPOSES, SEXES, STAGES
from crm.web.forms import refusals_on
from crm.web.guard import may

bp = Blueprint("prospects", __name__, url_prefix="/people")

PAGE = 48
MOST_COUNTED = 1000
"""Of a whole register nobody needs the exact number; counting stops here."""
MOST_COUNTED_NARROWED = 5_000
"""A figure of the manager's home opens a narrowed list, which must say the same number."""
DOORSTEP_WORDS = _l("Said yes when asked whether the office may send messages about this.")

bp.app_context_processor(lambda: {"GROUNDS": GROUNDS, "STAGES": STAGES})


# ---- the list


@bp.get("")
@may(May.SEE_PEOPLE)
def listing() -> ResponseReturnValue:
    """People by name, searched and narrowed."""
    scope, today, form = current_scope(), clock.today(), _filter_form()
    if not form.validate():
        return render_template("prospects/listing.html", form=form, people=[], count=None, next_url=None), 422
    q, filters = form.q.data or "", _filters(form)
    cursor = request.args.get("cursor")
    found = queries.list_of(session(), scope, filters, q, cursor=cursor, size=PAGE, today=today)
    count, most = len(found.rows), MOST_COUNTED_NARROWED if form.narrowed else MOST_COUNTED
    if cursor or found.next:
        count = queries.count_list(session(), scope, filters, q, most, today=today)
    following = url_for(".listing", **_asked(), cursor=found.next) if found.next else None
    return render_template(
        "prospects/listing.html",
        form=form,
        people=found.rows,
        count=count,
        most=most,
        next_url=following,
        today=today,
    )


def _asked() -> dict[str, Any]:
    return {name: value for name, value in request.args.items() if name != "cursor" and value}


def _filter_form() -> FilterForm:
    """The filters, with the choices of whoever asks."""
    scope, form = current_scope(), FilterForm(request.args)
    chosen = request.args.get("place", "")
    places = _places()
    parts = kept(("parts", scope.town_id, chosen), lambda: _parts(chosen)) if _one_of(chosen, places) else []
    form.offer(places, parts, *kept(("filters", scope), _who_looks_after))
    return form


def _parts(place: str) -> list[Choice]:
    """The neighbourhoods of a place."""
    query = neighbourhoods(current_scope().town_id, _within(place)).with_only_columns(Place.id, Place.name)
    return [(str(id), name) for id, name in session().execute(query)]


def _who_looks_after() -> tuple[list[Choice], list[Choice]]:
    """The organisations and the volunteers that a list can be narrowed to."""
    scope = current_scope()
    unions = organisations(scope.town_id).with_only_columns(Organisation.id, Organisation.name)
    helpers = volunteers_for(scope).with_only_columns(User.id, User.full_name)
    return (
        [(str(id), name) for id, name in session().execute(unions)] if scope.organisation_id is None else [],
        [(str(id), name) for id, name in session().execute(helpers)] if scope.reach is not Reach.OWN else [],
    )


def _places() -> list[Choice]:
    """The wards and communes of today that someone of this scope works in."""
    scope, today = current_scope(), clock.today()

    def read() -> list[tuple[UUID, str]]:
        return [
            (id, name)
            for id, name in session().execute(units(scope.town_id, today).with_only_columns(Place.id, Place.name))
        ]

    here = kept(("units", scope.town_id, today), read)
    return [(str(id), name) for id, name in here if scope.place_ids is None or id in scope.place_ids]


def _one_of(value: str, choices: list[Choice]) -> bool:
    return value in [choice[0] for choice in choices]


def _within(place: str) -> tuple[UUID, ...]:
    town_id = current_scope().town_id
    return kept(("within", town_id, place), lambda: ids_within(session(), town_id, UUID(place)))


def _filters(form: FilterForm) -> Filters:
    assigned = form.assigned_to.data or None
    return Filters(
        place_ids=_within(form.place.data) if form.place.data else None,
        neighbourhood_id=typed_uuid(form.neighbourhood.data),
        stage=form.stage_chosen,
        standing=form.standing_chosen,
        organisation_id=typed_uuid(form.organisation.data),
        assigned_to="nobody" if assigned == "nobody" else typed_uuid(assigned),
        due_before=form.due_before.data,
    )


# ---- adding


def _with_places(form: ParticularsForm, now: Place | None = None) -> None:
    """Offer the places of whoever asks, and the one that stands there now even when it has become part of another."""
    places = _places()
    if now is not None and not _one_of(str(now.id), places):
        places.insert(0, (str(now.id), now.name))
    form.place.choices = places if len(places) == 1 else [("", _l("Choose…")), *places]


@bp.get("/new")
@may(May.EDIT_PEOPLE)
def new() -> ResponseReturnValue:
    """The form for somebody new."""
    form = NewPersonForm(id=str(new_id()), place=str(current_user().place_id or ""))
    _with_places(form)
    return render_template("prospects/new.html", form=form)


@bp.post("/new")
@may(May.EDIT_PEOPLE)
def add() -> ResponseReturnValue:
    """Add somebody, or show who they may be."""
    form = NewPersonForm()
    _with_places(form)
    if form.validate():
        try:
            with refusals_on(form), transaction():
                person = _add(form)
                flash(_("%(name)s is in the register.", name=person.full_name), "success")
                return redirect(url_for(".show", prospect_id=person.id))
        except Repeated as repeated:
            return _alike(form, repeated.refusal)
    return render_template("prospects/new.html", form=form), 422


class Repeated(Exception):
    """Somebody like this is here: not a mistake in the form but a question."""

    def __init__(self, refusal: Conflict) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


def _add(form: NewPersonForm) -> Prospect:
    current, by, today = session(), current_user(), clock.today()
    place_id = UUID(form.place.data)
    person = NewPerson(
        **form.particulars(today),
        id=_client_id(form.id.data),
        place_id=place_id,
        neighbourhood_id=services.neighbourhood_id(current, by.town_id, place_id, form.neighbourhood.data),
        citizen_id=form.citizen_id.data,
        si_number=form.si_number.data,
        grounds=form.grounds,
        consents=form.consents(today, str(DOORSTEP_WORDS)),
    )
    try:
        return services.add_prospect(
            current, person, by=by, at=clock.now(), allow_duplicate=form.allow_duplicate.data == "yes"
        )
    except Conflict as refusal:
        raise Repeated(refusal) from None


def _client_id(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _alike(form: NewPersonForm, refusal: Conflict) -> ResponseReturnValue:
    """Sent twice: go to the person. Otherwise the people found, side by side with what was typed."""
    scope = current_scope()
    if refusal.code == "id_taken":
        return redirect(url_for(".show", prospect_id=refusal.details["id"]))
    found = {UUID(one["id"]): one["reasons"] for one in refusal.details["candidates"]}
    seen = queries.facts_of(
        session(), scope.town_id, queries.visible_among(session(), scope, list(found)), clock.today()
    )
    why = {key: ", ".join(str(SAME_SENTENCES[Same(reason)]) for reason in reasons) for key, reasons in found.items()}
    unseen = [why[key] for key in found if key not in {facts.person.id for facts in seen}]
    return render_template("prospects/alike.html", form=form, seen=seen, why=why, unseen=unseen), 409


# ---- one person


def _facts(prospect_id: UUID) -> Facts:
    scope = current_scope()
    person = queries.person(session(), scope, prospect_id)
    return queries.facts_of(session(), scope.town_id, [person], clock.today())[0]


def _page(template: str, facts: Facts, **more: Any) -> str:
    """One of the pages of a person, under the same head."""
    today = clock.today()
    step = cards.next_step(facts.person, current_scope(), today)
    return render_template(template, facts=facts, person=facts.person, today=today, step=step, **more)


@bp.get("/<uuid:prospect_id>")
@may(May.SEE_PEOPLE)
def show(prospect_id: UUID) -> ResponseReturnValue:
    """A person: who, what next, what it costs them, what has happened."""
    facts, scope = _facts(prospect_id), current_scope()
    if facts.person.id != prospect_id:
        return redirect(url_for(".show", prospect_id=facts.person.id))
    parts = cards.cards_of(facts.person, scope, clock.today())
    events = timeline.everything(session(), facts.person, scope)
    return _page("prospects/show.html", facts, cards=parts, events=events)


@bp.get("/<uuid:prospect_id>/particulars")
@may(May.SEE_PEOPLE)
def particulars(prospect_id: UUID) -> ResponseReturnValue:
    """Particulars, grounds for support and household."""
    return _particulars(_facts(prospect_id))


def _particulars(facts: Facts, form: GroundForm | None = None, numbers: dict[str, str | None] | None = None) -> str:
    household = queries.household_of(session(), current_scope(), facts.person)
    form = form or GroundForm(formdata=None, since=clock.today())
    return _page(
        "prospects/particulars.html",
        facts,
        form=form,
        numbers=numbers,
        household=household,
        sexes=SEXES,
        kinships=KINSHIPS,
        may_reveal=current_user().may(May.REVEAL_IDENTITY),
    )


@bp.post("/<uuid:prospect_id>/numbers")
@may(May.REVEAL_IDENTITY)
def numbers(prospect_id: UUID) -> ResponseReturnValue:
    """The full numbers, once; that they were read is kept."""
    with transaction() as current:
        person = queries.person(current, current_scope(), prospect_id)
        read = services.reveal(current, person, by=current_user(), at=clock.now(), way="page")
    return _particulars(_facts(prospect_id), numbers=read)


@bp.get("/<uuid:prospect_id>/changes")
@may(May.SEE_PEOPLE)
def changes(prospect_id: UUID) -> ResponseReturnValue:
    """Who corrected what, and who read the full numbers."""
    facts = _facts(prospect_id)
    return _page(
        "prospects/changes.html",
        facts,
        events=timeline.changes(session(), facts.person),
        readings=queries.identity_readings(session(), facts.person),
    )


# ---- correcting


@bp.get("/<uuid:prospect_id>/edit")
@may(May.EDIT_PEOPLE)
def edit(prospect_id: UUID) -> ResponseReturnValue:
    """The form to correct somebody's particulars."""
    facts = _facts(prospect_id)
    return _page("prospects/edit.html", facts, form=_change_form(facts), stale=None)


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
    _with_places(form, facts.place)
    return form


@bp.post("/<uuid:prospect_id>/edit")
@may(May.EDIT_PEOPLE)
def change(prospect_id: UUID) -> ResponseReturnValue:
    """Correct somebody's particulars."""
    form, stale = _change_form(_facts(prospect_id)), None
    if form.validate():
        try:
            with refusals_on(form), transaction() as current:
                _change(queries.person(current, current_scope(), prospect_id), form)
                flash(_("The corrections are saved."), "success")
                return redirect(url_for(".particulars", prospect_id=prospect_id))
        except Repeated as repeated:
            stale = repeated.refusal
    facts = _facts(prospect_id)
    if stale is not None:
        form.version.data = str(facts.person.version)
    return _page("prospects/edit.html", facts, form=form, stale=stale, latest=_latest(facts) if stale else None), 422


def _latest(facts: Facts) -> Any:
    return next(iter(timeline.changes(session(), facts.person)), None)


def _change(person: Prospect, form: ChangeForm) -> None:
    current, by, place_id = session(), current_user(), UUID(form.place.data)
    named = services.neighbourhood_id(current, by.town_id, place_id, form.neighbourhood.data)
    changed = form.changes(clock.today()) | {"place_id": place_id, "neighbourhood_id": named}
    try:
        services.change_prospect(
            current, person, changed, by=by, at=clock.now(), expected_version=form.expected_version
        )
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
            services.record_standing(
                current,
                queries.person(current, current_scope(), prospect_id),
                form.chosen,
                certificate=form.certificate.data,
                valid_from=form.begins,
                valid_to=form.ends,
                at=clock.now(),
                by=current_user(),
            )
            return redirect(url_for(".particulars", prospect_id=prospect_id))
    return _particulars(_facts(prospect_id), form), 422


@bp.post("/<uuid:prospect_id>/grounds/<uuid:standing_id>/end")
@may(May.EDIT_PEOPLE)
def end_ground(prospect_id: UUID, standing_id: UUID) -> ResponseReturnValue:
    """A ground holds no more from today on."""
    with transaction() as current:
        person = queries.person(current, current_scope(), prospect_id)
        standing = current.get(Standing, (person.town_id, standing_id))
        if standing is None or standing.prospect_id != person.id:
            raise NotFound
        services.end_standing(current, standing, on=clock.today(), at=clock.now(), by=current_user())
    return redirect(url_for(".particulars", prospect_id=prospect_id))


@bp.get("/<uuid:prospect_id>/consent")
@may(May.SEE_PEOPLE)
def consent(prospect_id: UUID) -> ResponseReturnValue:
    """Which messages somebody agreed to, and how we know."""
    return _consent(_facts(prospect_id), ConsentForm(formdata=None, on=clock.today()))


def _consent(facts: Facts, form: ConsentForm) -> str:
    form.purpose.choices = [(purpose.value, label) for purpose, label in PURPOSES.items()]
    past = queries.consent_changes(session(), facts.person)
    return _page(
        "prospects/consent.html", facts, form=form, purposes=PURPOSES, channels=CHANNELS, purpose=Purpose, past=past
    )


@bp.post("/<uuid:prospect_id>/consent")
@may(May.EDIT_PEOPLE)
def answer(prospect_id: UUID) -> ResponseReturnValue:
    """Write down what somebody said about messages."""
    form = ConsentForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            person = queries.person(current, current_scope(), prospect_id)
            services.answer_for(current, person, form.answer, by=current_user(), at=clock.now())
            flash(_("The answer is saved."), "success")
            return redirect(url_for(".consent", prospect_id=prospect_id))
    return _consent(_facts(prospect_id), form), 422
