"""Communication events on pages: logged from a phone, then the people who showed interest."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.db import session, transaction
from crm.errors import NotFound
from crm.ids import new_id
from crm.names import clean
from crm.reports.events import queries, services
from crm.reports.events.forms import EventForm, MetForm
from crm.reports.events.models import PublicEvent
from crm.reports.events.rules import KINDS, EventKind
from crm.web.forms import refusals_flashed, refusals_on
from crm.web.guard import may

bp = Blueprint("events", __name__, url_prefix="/events")


@bp.get("")
@may(May.LOG_VISITS)
def listing() -> ResponseReturnValue:
    """The events somebody may see, the last first."""
    found = queries.page_of(session(), current_scope(), cursor=request.args.get("cursor"))
    return render_template("reports/events/listing.html", found=found, KINDS=KINDS)


@bp.route("/new", methods=["GET", "POST"])
@may(May.LOG_VISITS)
def new() -> ResponseReturnValue:
    """Log an event that has taken place."""
    form, today = _form(), clock.today()
    if form.validate_on_submit():
        with refusals_on(form), transaction() as current:
            place_id, one = UUID(form.place.data), form.happened(today)
            row = services.log(current, form.event_id, place_id, one, by=current_user(), at=clock.now())
            flash(_("The event is logged. Who showed interest? Add them below."), "success")
            return redirect(url_for(".show", event_id=row.id), 303)
    return render_template("reports/events/new.html", form=form), 422 if form.errors or form.form_errors else 200


@bp.get("/<uuid:event_id>")
@may(May.LOG_VISITS)
def show(event_id: UUID) -> ResponseReturnValue:
    """One event, the people met there, and a search for whom to add."""
    return _page(queries.event_seen(session(), current_scope(), event_id))


@bp.post("/<uuid:event_id>/people")
@may(May.LOG_VISITS)
def meet(event_id: UUID) -> ResponseReturnValue:
    """Somebody showed interest: recorded as a visit at an event."""
    form = MetForm()
    if not form.validate() or form.prospect_id is None:
        raise NotFound
    with refusals_flashed(), transaction() as current:
        event = queries.event_seen(current, current_scope(), event_id, lock=True)
        services.meet(current, current_scope(), event, form.prospect_id, by=current_user(), at=clock.now())
        flash(_("Recorded as a visit at the event, with a day to come again."), "success")
    return redirect(url_for(".show", event_id=event_id), 303)


@bp.post("/<uuid:event_id>/take-back")
@may(May.LOG_VISITS)
def take_back(event_id: UUID) -> ResponseReturnValue:
    """It was logged by mistake."""
    with refusals_flashed(), transaction() as current:
        event = queries.event_seen(current, current_scope(), event_id, lock=True)
        services.take_back(current, event, by=current_user(), at=clock.now())
        flash(_("The event is taken back; it counts nowhere."), "success")
    return redirect(url_for(".show", event_id=event_id), 303)


# ---- pieces


def _form() -> EventForm:
    scope, user, today = current_scope(), current_user(), clock.today()
    places = [(str(place.id), place.name) for place in queries.places_for(session(), scope, user, today)]
    own = str(user.place_id) if user.place_id else None
    first: dict[str, Any] = {"held_on": today, "kind": EventKind.MEETING.value, "place": own}
    form = EventForm() if request.method == "POST" else EventForm(data=first | {"key": str(new_id())})
    form.offer(places)
    return form


def _page(event: PublicEvent) -> str:
    scope, q = current_scope(), clean(request.args.get("q", ""))
    met = queries.met_at(session(), scope, event)
    return render_template(
        "reports/events/show.html",
        line=queries.line_of(session(), scope, event),
        met=met,
        q=q,
        hits=[one for one in queries.found_by_name(session(), scope, q, clock.today()) if one not in met],
        KINDS=KINDS,
    )
