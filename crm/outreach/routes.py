"""Logging visits, looking through them, and giving people to volunteers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.queries import organisations
from crm.accounts.rules import May
from crm.db import session, transaction
from crm.ids import new_id
from crm.outreach import queries, services
from crm.outreach.cards import said
from crm.outreach.forms import AssignForm, DetailsForm, VisitForm, VisitsForm, WhoForm
from crm.outreach.queries import Load, Narrowed
from crm.outreach.rules import CHANNELS, OUTCOME_SIGNS, OUTCOMES, REASONS, SHORT_OUTCOMES, NewVisit, Outcome
from crm.outreach.services import Amendment, HandOver
from crm.places.queries import ids_within, neighbourhoods, units
from crm.prospects.households.queries import while_here
from crm.prospects.models import Prospect
from crm.prospects.queries.facts import facts_of
from crm.prospects.queries.lists import Filters
from crm.prospects.queries.seeing import person_seen
from crm.web.forms import refusals_on
from crm.web.guard import may

bp = Blueprint("outreach", __name__)

PAGE = 30
SHOWN = 100
NOON = 12
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
LAST = 10**17
"""A number that is still a moment."""


@bp.app_context_processor
def _words() -> dict[str, Any]:
    return {
        "outcome_words": OUTCOMES,
        "outcome_signs": OUTCOME_SIGNS,
        "outcome_buttons_told": [(one.value, SHORT_OUTCOMES[one], *OUTCOME_SIGNS[one], None) for one in Outcome],
        "channel_words": CHANNELS,
        "told": said,
        "reason_words": {reason.value: words for reason, words in REASONS.items()},
    }


# ---- one visit


@bp.get("/people/<uuid:person_id>/visit")
@may(May.LOG_VISITS)
def log(person_id: UUID) -> ResponseReturnValue:
    """How did it go? One tap saves."""
    who = person_seen(session(), current_scope(), person_id)
    return _log_page(who, VisitForm(data={"client_id": str(new_id())}))


def _log_page(who: Prospect, form: VisitForm) -> str:
    facts = facts_of(session(), who.town_id, [who], clock.today())[0]
    before = queries.page_of_visits(session(), current_scope(), Narrowed(prospect_id=who.id), size=3).rows
    return render_template("outreach/log.html", facts=facts, form=form, before=before, today=clock.today())


@bp.post("/people/<uuid:person_id>/visit")
@may(May.LOG_VISITS)
def save(person_id: UUID) -> ResponseReturnValue:
    """Save the visit; a second tap of the same page finds the first."""
    form, at = VisitForm(), clock.now()
    if form.validate():
        with refusals_on(form), transaction() as current:
            new = _visit_in(form, person_id, at)
            visit, created = services.record_visit(current, current_scope(), new, by=current_user(), at=at)
            if not created and visit.outcome is not new.outcome:
                flash(_("This visit was saved before. Take it back first, then record it again."), "warning")
            if visit.handed_on:
                return _delivered()
            return _on_to(url_for(".saved", visit_id=visit.id))
    return _log_page(person_seen(session(), current_scope(), person_id), form), 422


def _delivered() -> ResponseReturnValue:
    """Said without a name: the person is out of this one's sight."""
    flash(
        _(
            "The visit is kept and counts as yours. The person is no longer in your list: whoever looks after them now "
            "reads it."
        ),
        "success",
    )
    return _on_to(url_for("followups.today"))


def _on_to(address: str) -> ResponseReturnValue:
    """Where to go on: told to a page that sent the form by itself, as it does when the network may be gone."""
    asks = request.accept_mimetypes.best == "application/json"
    return {"to": address} if asks else redirect(address)


def _visit_in(form: VisitForm, person_id: UUID, at: datetime) -> NewVisit:
    """The visit a form tells of: just now, or at noon of another day."""
    channel, outcome = form.chosen
    day = form.occurred_on.data
    occurred_at = at if day in (None, clock.local_day(at)) else clock.at(day, NOON)
    return NewVisit(UUID(form.client_id.data), person_id, occurred_at, channel, outcome)


@bp.get("/visits/<uuid:visit_id>")
@may(May.SEE_PEOPLE)
def saved(visit_id: UUID) -> ResponseReturnValue:
    """What was saved, the way to take it back, and room for more."""
    visit, _who = queries.visit_and_person(session(), current_scope(), visit_id)
    return _saved_page(visit_id, DetailsForm(obj=visit))


def _saved_page(visit_id: UUID, form: DetailsForm) -> str:
    visit, who = queries.visit_and_person(session(), current_scope(), visit_id)
    form.ask_after(visit.outcome, visit.reasons)
    changeable = visit.withdrawn_at is None and services.may_change(visit, current_user(), clock.now())
    return render_template(
        "outreach/saved.html",
        visit=visit,
        person=who,
        form=form,
        changeable=changeable and current_user().may(May.LOG_VISITS),
        earliest=clock.local_day(visit.occurred_at),
        here=while_here(session(), current_scope(), who) if visit.withdrawn_at is None else [],
    )


@bp.post("/visits/<uuid:visit_id>")
@may(May.LOG_VISITS)
def amend(visit_id: UUID) -> ResponseReturnValue:
    """Add reasons, a note or another next day, and go on with the day's work."""
    form = DetailsForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            amendment = Amendment(**form.values)
            services.amend_visit(current, current_scope(), visit_id, amendment, by=current_user(), at=clock.now())
            flash(_("Saved."), "success")
            return redirect(url_for("followups.today"))
    return _saved_page(visit_id, form), 422


@bp.post("/visits/<uuid:visit_id>/undo")
@may(May.LOG_VISITS)
def undo(visit_id: UUID) -> ResponseReturnValue:
    """Take a visit back and offer to record it anew."""
    with transaction() as current:
        visit = services.withdraw_visit(current, current_scope(), visit_id, by=current_user(), at=clock.now())
        person_id = visit.prospect_id
    flash(_("The visit is taken back. If it went otherwise, record it again."), "message")
    return redirect(url_for(".log", person_id=person_id))


@bp.get("/visits")
@may(May.SEE_PEOPLE)
def listing() -> ResponseReturnValue:
    """Visits to the people one sees, the latest first."""
    form = VisitsForm(request.args)
    form.validate()
    since, until = queries.span(form.day.data, form.day.data)
    outcome = next((one for one in Outcome if one.value == form.outcome.data), None)
    narrowed = Narrowed(outcome=outcome, since=since, until=until)
    found = queries.page_of_visits(session(), current_scope(), narrowed, cursor=request.args.get("cursor"), size=PAGE)
    return render_template("outreach/visits.html", form=form, found=found)


# ---- who looks after whom


class Desk(NamedTuple):
    """What the page of giving people away rests on: whose people, the form that says so, and who could have them."""

    filters: Filters
    narrowing: WhoForm
    loads: list[Load]

    @property
    def address(self) -> str:
        """The same page again."""
        return f"{url_for('.assigning')}?{request.query_string.decode()}".rstrip("?")


def _desk() -> Desk:
    scope, form, current = current_scope(), WhoForm(request.args), session()
    wards = list(current.scalars(units(scope.town_id, clock.today())))
    place_id = next((ward.id for ward in wards if str(ward.id) == form.place.data), None)
    loads = queries.loads(current, scope, clock.today())
    form.offer(
        [(ward.id, ward.name) for ward in wards],
        [(one.id, one.name) for one in current.scalars(neighbourhoods(scope.town_id, [place_id]))] if place_id else [],
        [(one.id, one.name) for one in current.scalars(organisations(scope.town_id))],
        [(load.user.id, load.user.full_name) for load in loads],
    )
    filters = Filters(
        place_ids=ids_within(current, scope.town_id, place_id) if place_id else None,
        neighbourhood_id=form.id_of(form.neighbourhood),
        organisation_id=form.id_of(form.organisation),
        assigned_to=form.id_of(form.held_by) or "nobody",
    )
    return Desk(filters, form, loads)


def _in_words(load: Load) -> str:
    people = ngettext("%(num)s person", "%(num)s people", load.people)
    return f"{load.user.full_name} · {people}"


def _assign_page(form: AssignForm, desk: Desk) -> str:
    listed = queries.to_give(session(), current_scope(), desk.filters, most=SHOWN, today=clock.today())
    form.offer([(load.user.id, _in_words(load)) for load in desk.loads])
    return render_template("outreach/assign.html", form=form, desk=desk, listed=listed)


@bp.get("/assign")
@may(May.ASSIGN)
def assigning() -> ResponseReturnValue:
    """People nobody looks after yet, and those who could."""
    return _assign_page(AssignForm(formdata=None), _desk())


@bp.post("/assign")
@may(May.ASSIGN)
def assign() -> ResponseReturnValue:
    """Give the chosen people to somebody, or take them back."""
    form, desk = AssignForm(), _desk()
    form.offer([(load.user.id, load.user.full_name) for load in desk.loads])
    if form.validate():
        with refusals_on(form), transaction() as current:
            _say(_hand_over(current, form, desk), form, desk)
            return redirect(desk.address)
    return _assign_page(form, desk), 422


def _hand_over(current: Session, form: AssignForm, desk: Desk) -> HandOver:
    scope, by, at = current_scope(), current_user(), clock.now()
    ids: Sequence[UUID] = form.people.data or []
    if form.first.data:
        ids = queries.first_to_give(current, scope, desk.filters, first=form.first.data, today=clock.today())
    if form.takes_back:
        return services.unassign(current, scope, ids, by=by, at=at)
    return services.assign(current, scope, ids, UUID(form.volunteer.data), by=by, at=at)


def _say(given: HandOver, form: AssignForm, desk: Desk) -> None:
    """What was done, with the way to undo it."""
    name = next((load.user.full_name for load in desk.loads if str(load.user.id) == form.volunteer.data), "")
    if form.takes_back:
        words = ngettext("%(num)s person was taken back.", "%(num)s people were taken back.", given.people)
    else:
        words = ngettext(
            "%(num)s person was given to %(name)s.", "%(num)s people were given to %(name)s.", given.people, name=name
        )
    undo_url = url_for(".give_back", given=(given.at - EPOCH) // MICROSECOND)
    flash((words, undo_url), "undo")  # type: ignore[arg-type]  # the bar's words and address (docs/design-system.md)


@bp.post("/assign/undo/<int:given>")
@may(May.ASSIGN)
def give_back(given: int) -> ResponseReturnValue:
    """Undo one act of giving, named by its moment."""
    with transaction() as current:
        moment = EPOCH + min(given, LAST) * MICROSECOND
        back = services.undo_assignment(current, current_scope(), moment, by=current_user(), at=clock.now())
    flash(ngettext("%(num)s person is back as before.", "%(num)s people are back as before.", back.people), "success")
    if back.stayed:
        flash(
            ngettext(
                "%(num)s person was met since and stays with whoever has them.",
                "%(num)s people were met since and stay with whoever has them.",
                back.stayed,
            ),
            "warning",
        )
    return redirect(url_for(".assigning"))
