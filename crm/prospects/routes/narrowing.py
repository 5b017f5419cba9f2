"""The form of everything a list can be narrowed to: filled with what is chosen, or given back with what cannot be read."""

from __future__ import annotations

from uuid import UUID

from flask import render_template
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from crm.accounts.gateway import current_scope, current_user
from crm.db import session
from crm.errors import RuleBroken
from crm.ids import read_id
from crm.kept import kept
from crm.places.models import Place
from crm.places.queries import ids_within, neighbourhoods
from crm.prospects.forms import Choice
from crm.prospects.lists.forms import NarrowForm
from crm.prospects.lists.showing import (
    conditions_to_choose,
    organisations_to_choose,
    tags_to_choose,
    volunteers_to_choose,
)
from crm.web.forms import refusals_on


def narrow_page(form: NarrowForm, places: list[Choice]) -> str:
    """The form with what somebody may choose."""
    scope, everyone = current_scope(), ("", _("All"))
    place = read_id(form.place.data)
    form.place.choices = [everyone, *places]
    form.neighbourhood.choices = [everyone, *(_parts(place) if place else [])]
    form.organisation.choices = [everyone, *organisations_to_choose(session(), scope)]
    helpers = volunteers_to_choose(session(), scope)
    form.assigned_to.choices = [everyone, ("nobody", _("Nobody yet")), ("me", _("My people")), *helpers]
    form.tag.choices = tags_to_choose(session(), scope)
    form.condition.choices = conditions_to_choose(current_user())
    return render_template("prospects/lists/narrow.html", form=form)


def refused_page(args: MultiDict[str, str], refusal: RuleBroken, places: list[Choice]) -> str:
    """The form as it was sent, with what cannot be read at its field."""
    form = NarrowForm(args)
    with refusals_on(form):
        raise refusal
    return narrow_page(form, places)


def _parts(place: UUID) -> list[Choice]:
    """The neighbourhoods of a place."""

    def read() -> list[Choice]:
        town_id = current_scope().town_id
        within = ids_within(session(), town_id, place)
        query = neighbourhoods(town_id, within).with_only_columns(Place.id, Place.name)
        return [(str(id), name) for id, name in session().execute(query)]

    return kept(("parts", current_scope().town_id, str(place)), read)
