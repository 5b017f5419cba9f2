"""What everybody may open: a paper's truth, the fund in all, and thanks that a sponsor wants to be seen."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, current_app, make_response, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from crm import clock
from crm.db import session
from crm.errors import NotFound, RuleBroken
from crm.kept import kept
from crm.places.models import Town
from crm.places.queries import the_town
from crm.sponsors import queries as sponsors
from crm.sponsors.letters import printing, queries, services
from crm.sponsors.letters.rules import FEWEST, NEED_WORDS, PAPERS, read_number
from crm.sponsors.models import Sponsor
from crm.sponsors.rules import NEEDS
from crm.web.guard import public
from crm.web.language import chosen

bp = Blueprint("everybody", __name__)

TRIES = "60 per minute"
FRESH = 300
"""Seconds for which a browser may keep what everybody sees."""


# ---- is this paper genuine?


@bp.get("/verify")
@public
def verify() -> ResponseReturnValue:
    """Where the number of a paper is typed."""
    number = request.args.get("number", "").replace("\x00", "").strip()[:60]
    if not number:
        return render_template("sponsors/letters/verify.html", number="", refused=None, found=None)
    try:
        return redirect(url_for(".verified", number=read_number(number)))
    except RuleBroken as refusal:
        return render_template("sponsors/letters/verify.html", number=number, refused=str(refusal), found=None), 422


@bp.get("/verify/<number>")
@public
def verified(number: str) -> ResponseReturnValue:
    """What the paper with this number says, and whether it still holds."""
    shown = number.replace("\x00", "")[:60]
    try:
        paper = queries.paper_numbered(session(), read_number(shown))
    except RuleBroken as refusal:
        return render_template("sponsors/letters/verify.html", number=shown, refused=str(refusal), found=None), 404
    if paper is None:
        return render_template("sponsors/letters/verify.html", number=shown, refused=None, found=None), 404
    came_on = paper.facts.get("received_on")
    page = render_template(
        "sponsors/letters/verify.html",
        number=paper.number,
        refused=None,
        found=services.verify(session(), paper),
        renamed=queries.name_now(session(), paper) != paper.facts["sponsor"],
        kind=PAPERS[paper.kind],
        issuer=printing.issuer(paper.facts["town"], chosen()),
        came_on=date.fromisoformat(came_on) if came_on else None,
    )
    response = make_response(page)
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


# ---- the fund


@bp.get("/fund")
@public
def fund() -> ResponseReturnValue:
    """What the fund received and did, who waits, and how to help. Nobody's session is opened for it."""
    today, town = clock.today(), the_town(session())
    page = render_template("sponsors/letters/fund.html", town=town, today=today, **_fund(town.id))
    return _kept_for_a_while(make_response(page))


def _fund(town_id: UUID) -> dict[str, Any]:
    """The figures, read at most once a minute in each process."""
    today, current = clock.today(), session()

    def read() -> dict[str, Any]:
        groups = queries.fund_groups(current, town_id)
        enough = bool(groups) and min(group.people for group in groups) >= FEWEST
        waiting = sponsors.how_many_wait(current, town_id, today)
        return {
            "sums": queries.fund_sums(current, town_id, today),
            "groups": groups if enough else [],
            "waiting": waiting,
            "fewest": FEWEST,
            "months_of": {ground: sponsors.a_month(current, town_id, ground, today) for ground in NEEDS},
            "names": queries.who_wants_to_be_named(current, town_id),
            "needs": NEED_WORDS,
        }

    return kept(("the fund's page", town_id, today), read)


# ---- thanks to be seen


@bp.get("/thanks/<public_id>")
@public
def thanks(public_id: str) -> ResponseReturnValue:
    """Thanks to a sponsor who wants them to be seen, with a picture to share."""
    by, done = _thanked(public_id)
    page = render_template(
        "sponsors/letters/thanks.html",
        sponsor=by,
        done=done,
        sentence=printing.sentence(done.people, chosen()),
        issuer=printing.issuer(session().get_one(Town, by.town_id).name, chosen()),
        public_id=public_id,
        base=current_app.config["SETTINGS"].public_url,
    )
    return _kept_for_a_while(make_response(page))


@bp.get("/thanks/<public_id>/<shape>.png")
@public
def picture(public_id: str, shape: str) -> ResponseReturnValue:
    """The picture, "wide" or "square"."""
    if shape not in printing.SHAPES:
        abort(404)
    by, done = _thanked(public_id)
    town = session().get_one(Town, by.town_id).name
    invites = (current_app.config["SETTINGS"].public_url + url_for(".fund")).partition("://")[2]
    lang = "en" if request.args.get("lang") == "en" else "vi"
    response = make_response(printing.picture(by.name, town, done, shape, lang, invites))
    response.headers["Content-Type"] = "image/png"
    return _kept_for_a_while(response)


def _thanked(public_id: str) -> tuple[Sponsor, queries.InAll]:
    """A sponsor who wants to be thanked and carried somebody. Raises NotFound."""
    by = queries.thanked(session(), public_id.replace("\x00", ""))
    done = queries.carried_in_all(queries.carried_months(session(), by, queries.helped_by(session(), by)))
    if done is None:
        raise NotFound
    return by, done


def _kept_for_a_while(response: Response) -> Response:
    """What is the same for everybody who brings no session; a session has its language, and words to be shown once."""
    if current_app.config["SESSION_COOKIE_NAME"] not in request.cookies:
        response.headers["Cache-Control"] = f"public, max-age={FRESH}"
    response.headers["Vary"] = "Cookie"
    return response


@bp.record_once
def _limited(state: BlueprintSetupState) -> None:
    """Nobody looks for the numbers of papers, or for pages of thanks, by trying."""
    limiter, views = state.app.extensions["crm.limits"], state.app.view_functions
    shared = limiter.shared_limit(TRIES, scope="papers of sponsors")
    for name in ("verify", "verified", "thanks", "picture"):
        views[f"everybody.{name}"] = shared(views[f"everybody.{name}"])
