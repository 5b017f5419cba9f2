"""Where a sponsor says anew whom they would like to help. What is set aside or paid on stays as it is."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.rules import May
from crm.db import session, transaction
from crm.sponsors.forms import WishForm
from crm.sponsors.letters.routes.private import LETTERS, Door, by_account, by_token, unlisted
from crm.sponsors.queries import places_to_wish
from crm.sponsors.rules import Wish
from crm.sponsors.services import change_wish
from crm.sponsors.wording import place_names
from crm.web.forms import refusals_on
from crm.web.guard import may, public

bp = Blueprint("own_wish", __name__)


@bp.get("/s/<token>/wish")
@public
def wish(token: str) -> ResponseReturnValue:
    """Whom they would like to help, as they said last. Looking changes nothing."""
    return _shown(by_token(token))


@bp.get("/my-giving/wish")
@may(May.SEE_OWN_GIVING)
def my_wish() -> ResponseReturnValue:
    """The same for a sponsor who signed in."""
    return _shown(by_account())


@bp.post("/s/<token>/wish")
@public
def change(token: str) -> ResponseReturnValue:
    """From now on they would like to help these."""
    return _changed(by_token(token))


@bp.post("/my-giving/wish")
@may(May.SEE_OWN_GIVING)
def my_change() -> ResponseReturnValue:
    """The same for a sponsor who signed in."""
    return _changed(by_account())


def _shown(door: Door) -> ResponseReturnValue:
    return _page(door, WishForm.showing(Wish.from_json(door.of.wish)).offering(_places(door)))


def _changed(door: Door) -> ResponseReturnValue:
    form = WishForm().offering(_places(door))
    if form.validate():
        with refusals_on(form), transaction() as current:
            by_id = door.by.id if door.by else None
            change_wish(current, door.of, form.wish, by_id=by_id, at=clock.now())
            flash(_("Kept. What comes next goes by it; what is set aside or paid stays as it is."), "success")
            return redirect(door.url("letters.letter"), 303)
    return _page(door, form, status=422)


def _places(door: Door) -> list[tuple[UUID, str]]:
    today, wish = clock.today(), Wish.from_json(door.of.wish)
    return place_names(places_to_wish(session(), door.of.town_id, wish, today), today)


def _page(door: Door, form: WishForm, status: int = 200) -> ResponseReturnValue:
    return unlisted(render_template("sponsors/letters/wish.html", door=door, form=form), status)


@bp.record_once
def _limited(state: BlueprintSetupState) -> None:
    """Nobody guesses at addresses."""
    limiter, views = state.app.extensions["crm.limits"], state.app.view_functions
    shared = limiter.shared_limit(LETTERS, scope="letters")
    for name in ("wish", "change", "my_wish", "my_change"):
        views[f"own_wish.{name}"] = shared(views[f"own_wish.{name}"])
