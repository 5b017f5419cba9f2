"""Whose help ends, for the treasurer; and the page on which a sponsor goes on with the same people."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.background import ring
from crm.db import session, transaction
from crm.errors import Conflict, NotFound, RuleBroken
from crm.participation.guard.rules import SPONSOR_NOTICE
from crm.places.models import Town
from crm.prospects.models import Prospect
from crm.sponsors import queries as sponsors
from crm.sponsors.cliff import agreed, queries, services
from crm.sponsors.cliff.hindered import hindered
from crm.sponsors.family import kept_of
from crm.sponsors.giving.showing import links, pay_token
from crm.sponsors.matching.rules.needs import Terms
from crm.sponsors.matching.rules.wording import WHY
from crm.sponsors.matching.services import ask
from crm.sponsors.models import Pledge, Sponsor
from crm.web.guard import may, public
from crm.web.language import prefer
from crm.web.pager import Page, page
from tasks.matching import make

bp = Blueprint("cliff", __name__)

PAGE, SPONSORS_AT_ONCE = 50, 20
LOOKING = "60 per minute"


@bp.get("/sponsors/ending")
@may(May.SEE_SPONSORS)
def listing() -> ResponseReturnValue:
    """Whose help ends soon or has just ended, sponsor by sponsor, the soonest first, and who knows of it."""
    scope, today = current_scope(), clock.today()
    waiting = agreed.waiting(session(), scope.town_id, today)
    found, people = queries.endings_by_sponsor(
        session(), scope, today, cursor=request.args.get("cursor"), size=SPONSORS_AT_ONCE
    )
    return render_template(
        "sponsors/cliff/listing.html",
        found=found,
        people=people,
        ahead=queries.ahead(session(), scope, today),
        agreed=waiting,
        hindered=hindered(session(), scope, today, [one.sponsor.id for one in waiting]),
        WHY=WHY,
        to_call=queries.to_tell(session(), scope.town_id, today),
        months=SPONSOR_NOTICE,
        short=sponsors.SHORT,
    )


@bp.get("/sponsors/ending/<uuid:sponsor_id>")
@may(May.SEE_SPONSORS)
def of_sponsor(sponsor_id: UUID) -> ResponseReturnValue:
    """Everybody whose help by one sponsor ends soon or has just ended, and what going on with them would be."""
    scope, today = current_scope(), clock.today()
    of = sponsors.sponsor(session(), scope, sponsor_id)
    query, until = queries.endings(scope, today, of.id)
    found: Page[Any] = page(
        session(),
        query,
        (until, Prospect.id),
        cursor=request.args.get("cursor"),
        size=PAGE,
        kinds=(date.fromisoformat, UUID),
        key=lambda row: (row[2], row[0].id),
    )
    return render_template(
        "sponsors/cliff/of_sponsor.html",
        sponsor=of,
        found=Page([queries.as_ending(row) for row in found.rows], found.next),
        renewing=queries.renewal_of(session(), of, today),
        before=queries.open_renewal(session(), of),
    )


@bp.post("/sponsors/ending/<uuid:sponsor_id>/renew")
@may(May.RECORD_MONEY)
def renew_for(sponsor_id: UUID) -> ResponseReturnValue:
    """The sponsor said that they go on: the promise, recorded by the office; asked twice it is one."""
    by = current_user()
    try:
        with transaction() as current:
            of = sponsors.sponsor(current, current_scope(), sponsor_id)
            made = _go_on(current, of, by_id=by.id)
            code, where = (made.code, url_for("giving.show_pledge", pledge_id=made.id)) if made else (None, "")
    except Conflict as refusal:
        flash(str(refusal), "warning")
        return redirect(url_for(".of_sponsor", sponsor_id=sponsor_id), 303)
    if code is None:
        flash(_("Written down: what is left goes on with the same people. Set it aside in a proposal."), "success")
        return redirect(url_for(".of_sponsor", sponsor_id=sponsor_id), 303)
    flash(
        _(
            "They go on: promised under the code %(code)s. Matching serves the same people first once the money is in.",
            code=code,
        ),
        "success",
    )
    return redirect(where, 303)


@bp.post("/sponsors/ending/propose")
@may(May.RECORD_MONEY)
def propose() -> ResponseReturnValue:
    """A proposal whom to fund with everybody's money: whoever is carried already comes first. Of one sponsor only for the
    people whom they are asked about, or agreed to go on with."""
    by = current_user()
    try:
        with transaction() as current:
            asked = ask(
                current,
                by.town_id,
                _asked_terms(current),
                by_id=by.id,
                on=clock.today(),
                at=clock.now(),
            )
            proposal_id = asked.id
    except RuleBroken as refusal:
        flash(str(refusal), "error")
        return redirect(url_for(".listing"), 303)
    ring(make, str(by.town_id), str(proposal_id))
    return redirect(url_for("matching.show", proposal_id=proposal_id), 303)


def _asked_terms(current: Session) -> Terms:
    """The one sponsor whose money is asked, for those under their renewal; or everybody's for all. Raises NotFound, and
    RuleBroken when nobody is left under the renewal."""
    asked, today = request.form.get("sponsor", ""), clock.today()
    if not asked:
        return Terms()
    try:
        of = sponsors.sponsor(current, current_scope(), UUID(asked))
    except ValueError:
        raise NotFound from None
    offer = queries.offer_to(current, of, today)
    said = agreed.waiting_people(current, of.town_id, today, [of.id]).get(of.id, ())
    people = dict.fromkeys((*said, *(one.prospect_id for one in (offer.people if offer else ()))))
    if not people:
        raise RuleBroken(_("Nobody they carry comes to an end now; open the list again."), code="nobody_ends")
    return Terms(sponsors=(of.id,), only=tuple(people))


@bp.post("/sponsors/ending/<uuid:sponsor_id>/called")
@may(May.RECORD_MONEY)
def called(sponsor_id: UUID) -> ResponseReturnValue:
    """The sponsor was called and knows that their help ends."""
    with transaction() as current:
        of = sponsors.sponsor(current, current_scope(), sponsor_id)
        services.told(current, of, by_id=current_user().id, today=clock.today(), at=clock.now())
    flash(_("Written down: the sponsor knows."), "success")
    return redirect(url_for(".listing"), 303)


# ---- the sponsor goes on


@bp.get("/sponsor/renew/<token>")
@public
def renewal(token: str) -> ResponseReturnValue:
    """What going on with the same people would be. Looking at it promises nothing."""
    of = _sponsor(token)
    return _unlisted(
        render_template(
            "sponsors/cliff/renew.html",
            sponsor=of,
            token=token,
            renewing=queries.renewal_of(session(), of, clock.today()),
            before=queries.open_renewal(session(), of),
            pay_token=pay_token,
            town=session().get_one(Town, of.town_id),
            today=clock.today(),
        )
    )


@bp.post("/sponsor/renew/<token>")
@public
def renew(token: str) -> ResponseReturnValue:
    """Promise it, and go to the QR; asked twice it is one promise."""
    of = _sponsor(token)
    try:
        with transaction() as current:
            made = _go_on(current, of, by_id=None)
            where = pay_token(made.id) if made else None
    except Conflict as refusal:
        flash(str(refusal), "warning")
        return redirect(url_for(".renewal", token=token), 303)
    if where is None:
        flash(_("Thank you. What is left of your gift goes on with them; you need transfer nothing."), "success")
        return _unlisted(redirect(url_for(".renewal", token=token), 303))
    return _unlisted(redirect(url_for("giving.pay", token=where), 303))


def _go_on(current: Session, of: Sponsor, *, by_id: UUID | None) -> Pledge | None:
    """With what is left first, or with new money for the whole."""
    act = services.use_left if request.form.get("use") == "left" else services.renew
    return act(current, of, by_id=by_id, on=clock.today(), at=clock.now())


def _sponsor(token: str) -> Sponsor:
    found = session().scalar(select(Sponsor).where(Sponsor.id == links().sponsor_of(token)))
    if found is None:
        raise NotFound
    of = kept_of(session(), found)
    prefer(of.language)
    return of


def _unlisted(content: Any) -> Response:
    response = make_response(content)
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


@bp.record_once
def _limited(state: BlueprintSetupState) -> None:
    """Nobody guesses at links."""
    limiter, views = state.app.extensions["crm.limits"], state.app.view_functions
    for name in ("renewal", "renew"):
        views[f"cliff.{name}"] = limiter.limit(LOOKING)(views[f"cliff.{name}"])
