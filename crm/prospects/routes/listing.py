"""The register of people: the list."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from crm import clock
from crm.accounts.gateway import current_scope
from crm.accounts.models import Organisation, User
from crm.accounts.queries import organisations, volunteers_for
from crm.accounts.rules import May, Reach
from crm.db import session
from crm.kept import kept
from crm.places.models import Place
from crm.places.queries import ids_within, neighbourhoods, units
from crm.prospects.forms import (
    Choice,
    FilterForm,
    typed_uuid,
)
from crm.prospects.queries.lists import Filters, count_list, list_of
from crm.prospects.routes.blueprint import bp
from crm.web.guard import may

PAGE = 48


MOST_COUNTED = 1000
"""Of a whole register nobody needs the exact number; counting stops here."""


MOST_COUNTED_NARROWED = 5_000
"""A figure of the manager's home opens a narrowed list, which must say the same number."""


@bp.get("")
@may(May.SEE_PEOPLE)
def listing() -> ResponseReturnValue:
    """People by name, searched and narrowed."""
    scope, today, form = current_scope(), clock.today(), _filter_form()
    if not form.validate():
        return render_template("prospects/listing.html", form=form, people=[], count=None, next_url=None), 422
    q, filters = form.q.data or "", _filters(form)
    cursor = request.args.get("cursor")
    found = list_of(session(), scope, filters, q, cursor=cursor, size=PAGE, today=today)
    count, most = len(found.rows), MOST_COUNTED_NARROWED if form.narrowed else MOST_COUNTED
    if cursor or found.next:
        count = count_list(session(), scope, filters, q, most, today=today)
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
    places = places_of_mine()
    parts = kept(("parts", scope.town_id, chosen), lambda: _parts(chosen)) if one_of(chosen, places) else []
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


def places_of_mine() -> list[Choice]:
    """The wards and communes of today that someone of this scope works in."""
    scope, today = current_scope(), clock.today()

    def read() -> list[tuple[UUID, str]]:
        return [
            (id, name)
            for id, name in session().execute(units(scope.town_id, today).with_only_columns(Place.id, Place.name))
        ]

    here = kept(("units", scope.town_id, today), read)
    return [(str(id), name) for id, name in here if scope.place_ids is None or id in scope.place_ids]


def one_of(value: str, choices: list[Choice]) -> bool:
    return value in [choice[0] for choice in choices]


def _within(place: str) -> tuple[UUID, ...]:
    town_id = current_scope().town_id
    return kept(("within", town_id, place), lambda: ids_within(session(), town_id, UUID(place)))


def _filters(form: FilterForm) -> Filters:
    assigned = form.assigned_to.data or None
    return Filters(
        place_ids=_within(form.place.data) if form.place.data else None,
        neighbourhood_id=typed_uuid(form.neighbourhood.data),
        stages=(form.stage_chosen,) if form.stage_chosen else (),
        standing=form.standing_chosen,
        organisation_id=typed_uuid(form.organisation.data),
        assigned_to="nobody" if assigned == "nobody" else typed_uuid(assigned),
        due_before=form.due_before.data,
    )
