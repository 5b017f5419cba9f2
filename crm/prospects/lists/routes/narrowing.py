"""Everything a list can be narrowed to."""

from __future__ import annotations

from uuid import UUID

from flask import render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.db import session
from crm.errors import RuleBroken
from crm.kept import kept
from crm.places.models import Place
from crm.places.queries import ids_within, neighbourhoods
from crm.prospects.lists.forms import Choice, NarrowForm
from crm.prospects.lists.narrowing import Narrowing
from crm.prospects.lists.routes.blueprint import asked_here, bp
from crm.prospects.lists.showing import (
    conditions_to_choose,
    organisations_to_choose,
    tags_to_choose,
    volunteers_to_choose,
)
from crm.prospects.routes.listing import Asked, places_of_mine
from crm.web.guard import may


@bp.get("/narrow")
@may(May.SEE_PEOPLE)
def narrow() -> ResponseReturnValue:
    """Everything a list can be narrowed to."""
    try:
        asked = asked_here()
    except RuleBroken:
        asked = Asked(Narrowing(), "", None)
    form = NarrowForm.of(asked.narrowing, q=asked.q, named=asked.args.get("list"))
    _offer(form, asked.narrowing)
    return render_template("prospects/lists/narrow.html", form=form, asked=asked)


def _offer(form: NarrowForm, narrowing: Narrowing) -> None:
    scope, everyone = current_scope(), ("", _("All"))
    place = str(narrowing.place or "")
    form.place.choices = [everyone, *places_of_mine()]
    form.neighbourhood.choices = [everyone, *(_parts(place) if place else [])]
    form.organisation.choices = [everyone, *organisations_to_choose(session(), scope)]
    helpers = volunteers_to_choose(session(), scope)
    form.assigned_to.choices = [everyone, ("nobody", _("Nobody yet")), ("me", _("My people")), *helpers]
    form.tag.choices = tags_to_choose(session(), scope)
    form.condition.choices = conditions_to_choose(current_user())


def _parts(place: str) -> list[Choice]:
    """The neighbourhoods of a place."""

    def read() -> list[Choice]:
        town_id = current_scope().town_id
        within = ids_within(session(), town_id, UUID(place))
        query = neighbourhoods(town_id, within).with_only_columns(Place.id, Place.name)
        return [(str(id), name) for id, name in session().execute(query)]

    return kept(("parts", current_scope().town_id, place), read)
