"""A sponsor's own page, by its address or by signing in, and everything that stands on it.

Both ways lead to one sponsor, who is found by the token or the account and never by an id; whatever else an address
names must belong to that sponsor, or is not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.gateway import current_user
from crm.accounts.models import User
from crm.accounts.rules import May
from crm.db import session, transaction
from crm.errors import NotFound, RuleBroken
from crm.months import Month
from crm.participation.guard.rules import SPONSOR_NOTICE
from crm.places.models import Town
from crm.prospects.rules import Ground
from crm.sponsors import queries as sponsors
from crm.sponsors.cliff.queries import ends_soon, renewal_of
from crm.sponsors.duplicates.queries import remained
from crm.sponsors.giving import queries as giving_queries
from crm.sponsors.giving.showing import links
from crm.sponsors.letters import printing, queries, services
from crm.sponsors.letters.models import SponsorPaper
from crm.sponsors.letters.rules import (
    MONTH_STATES,
    NEED_WORDS,
    PAPERS,
    MonthState,
    PaperKind,
    first_page_years,
    what_comes_next,
)
from crm.sponsors.letters.transfers import how_to_give
from crm.sponsors.models import Sponsor
from crm.sponsors.rules import Wish
from crm.sponsors.wording import place_names, wish_words
from crm.web.guard import may, public
from crm.web.language import LANGUAGES, chosen, prefer
from crm.web.parts import part_of

bp = Blueprint("letters", __name__)

LETTERS = "120 per minute"
LINES = 6
"""Rows of each list on one page: whoever reads on a telephone sees all of the letter."""


@dataclass(frozen=True)
class Door:
    """How somebody came to a sponsor's page: by `token`, or signed in as `by`."""

    of: Sponsor
    token: str | None = None
    by: User | None = None

    def url(self, endpoint: str, **values: Any) -> str:
        """An address behind the same door."""
        blueprint, _dot, name = endpoint.rpartition(".")
        if self.token is None:
            return url_for(f"{blueprint}.my_{name}", **values)
        return url_for(f"{blueprint}.{name}", token=self.token, **values)


def by_token(token: str) -> Door:
    """The page that this address opens. Raises NotFound."""
    of = sponsors.sponsor_with(session(), token)
    prefer(of.language)
    return Door(of, token=token)


def by_account() -> Door:
    """The page of the sponsor whose account this is. Raises NotFound when it belongs to none."""
    by = current_user()
    return Door(queries.sponsor_of_account(session(), by), by=by)


# ---- the page


@bp.get("/s/<token>")
@public
def letter(token: str) -> ResponseReturnValue:
    """A sponsor's own page: what became of their money, and how to give."""
    return _letter(by_token(token))


@bp.get("/my-giving")
@may(May.SEE_OWN_GIVING)
def my_letter() -> ResponseReturnValue:
    """The same page for a sponsor who signed in."""
    try:
        return _letter(by_account())
    except NotFound:
        return unlisted(render_template("sponsors/letters/nobody.html"))


def _letter(door: Door) -> ResponseReturnValue:
    by, today, current = door.of, clock.today(), session()
    this, told = Month.of(today), queries.telling(current, by, today)
    balance, received = sponsors.balance_of(current, by), queries.receipts_of(current, by)
    now = [line for line in told.lines if line.kept_months and line.kept_months[-1] >= this]
    groups, ever = told.groups(now), told.groups(told.lines)
    promises = giving_queries.open_promises(current, by)
    accounts = giving_queries.accounts_of(current, promises, today)
    rests = giving_queries.resting(current, promises, accounts, today)
    giving, a_month = (
        how_to_give(current, promises, accounts, rests),
        sponsors.a_month(current, by.town_id, Ground.POOR, today),
    )
    ends = min((line.kept_months[-1] for line in now), default=None)
    after = request.args.get("after", 0, type=int)
    lines = [line for line in told.lines if line.number > after]
    apart = remained(current, by)
    elsewhere, others = (sum(one.amount for one in apart if one.theirs is theirs) for theirs in (False, True))
    page = render_template(
        "sponsors/letters/letter.html",
        door=door,
        sponsor=by,
        balance=balance,
        groups=groups,
        people=len([line for line in now if line.paid_months]),
        months=sum(group.months for group in groups),
        ever=sum(group.people for group in ever),
        newcomers=len([line for line in told.lines if line.waiting_months and not line.paid_months]),
        paid=sum(group.months for group in ever),
        waiting=sum(group.waiting for group in ever),
        next=what_comes_next(
            balance,
            giving["left"] if giving else 0,
            a_month,
            ends,
            this + (SPONSOR_NOTICE - 1) if ends_soon(current, by, today) else this - 1,
            rests=bool(rests),
        ),
        rests=rests,
        wish=_wish_words(by),
        ends=ends,
        a_month=a_month,
        lines=lines[:LINES],
        more=lines[LINES - 1].number if len(lines) > LINES else None,
        after=after,
        moves=part_of("money", partial(queries.moves_of, current, by), LINES),
        received=part_of("papers", lambda most, skip: received[skip : skip + most], LINES),
        papers=queries.papers_of(current, by),
        years=first_page_years(filter(None, [queries.first_received(current, by)]), today),
        publicity=queries.publicity_of(current, by),
        giving=giving,
        promises=promises,
        accounts=accounts,
        given=balance.received + elsewhere - others,
        elsewhere=elsewhere,
        others=others,
        address=current_app.config["SETTINGS"].public_url + door.url("letter") if door.token else None,
        renewing=renewal_of(current, by, today, balance.available),
        renew_at=url_for("cliff.renew", token=links().renew_token(by.id)),
        town=current.get_one(Town, by.town_id),
        today=today,
        needs=NEED_WORDS,
        states=MONTH_STATES,
        given_back=MonthState.GIVEN_BACK,
        kinds=PAPERS,
        fund_phone=account.phone if (account := sponsors.fund_account(current)) else "",
    )
    return unlisted(page)


def _wish_words(of: Sponsor) -> list[str]:
    wish = Wish.from_json(of.wish)
    today = clock.today()
    places = sponsors.places_to_wish(session(), of.town_id, wish, today) if wish.places else ()
    return wish_words(wish, dict(place_names(places, today)))


# ---- papers


@bp.post("/s/<token>/papers")
@public
def issue(token: str) -> ResponseReturnValue:
    """A receipt, a certificate or a statement, made once."""
    return _issue(by_token(token))


@bp.post("/my-giving/papers")
@may(May.SEE_OWN_GIVING)
def my_issue() -> ResponseReturnValue:
    """The same for a sponsor who signed in."""
    return _issue(by_account())


def _issue(door: Door) -> ResponseReturnValue:
    try:
        with transaction() as current:
            paper_id = issue_asked(current, door.of, door.by).id
    except RuleBroken as refusal:
        flash(str(refusal), "error")
        return redirect(door.url("letter") + "#papers", 303)
    return redirect(door.url("paper", paper_id=paper_id), 303)


def issue_asked(current: Any, of: Sponsor, by: User | None) -> SponsorPaper:
    """The paper that a form asks for: `paper`, with `receipt` or `year` (empty: all the time). Raises NotFound for what
    is not this sponsor's, RuleBroken for what cannot be said."""
    how: dict[str, Any] = {"by": by, "on": clock.today(), "at": clock.now(), "address": verify_address()}
    year = request.form.get("year", type=int)
    match request.form.get("paper"):
        case PaperKind.RECEIPT.value:
            try:
                receipt_id = UUID(request.form.get("receipt", ""))
            except ValueError:
                raise NotFound from None
            return services.issue_receipt(current, of, queries.receipt_of(current, of, receipt_id), **how)
        case PaperKind.CERTIFICATE.value:
            return services.issue_certificate(current, of, year, **how)
        case PaperKind.STATEMENT.value if year and 1 <= year <= how["on"].year:
            return services.issue_statement(current, of, year, **how)
    raise NotFound


def verify_address() -> str:
    """Where everybody verifies a paper, without its number."""
    return str(current_app.config["SETTINGS"].public_url + url_for("everybody.verify"))


@bp.get("/s/<token>/papers/<uuid:paper_id>")
@public
def paper(token: str, paper_id: UUID) -> ResponseReturnValue:
    """A paper as PDF, made again from its row; `?lang=en` in English."""
    return pdf(queries.paper_of(session(), by_token(token).of, paper_id))


@bp.get("/my-giving/papers/<uuid:paper_id>")
@may(May.SEE_OWN_GIVING)
def my_paper(paper_id: UUID) -> ResponseReturnValue:
    """The same for a sponsor who signed in."""
    return pdf(queries.paper_of(session(), by_account().of, paper_id))


def pdf(shown: SponsorPaper) -> Response:
    """A paper in the language that its address names, else in the reader's."""
    lang = request.args.get("lang")
    made = printing.pdf_of(shown, lang if lang in LANGUAGES else chosen())
    response = unlisted(made)
    response.headers["Content-Type"] = "application/pdf"
    response.headers["Content-Disposition"] = f'inline; filename="{shown.number}.pdf"'
    return response


# ---- what everybody may see


@bp.post("/s/<token>/publicity")
@public
def publicity(token: str) -> ResponseReturnValue:
    """Switch the page that thanks them, or their name on the fund's page, on or off."""
    return _publicity(by_token(token))


@bp.post("/my-giving/publicity")
@may(May.SEE_OWN_GIVING)
def my_publicity() -> ResponseReturnValue:
    """The same for a sponsor who signed in."""
    return _publicity(by_account())


def _publicity(door: Door) -> ResponseReturnValue:
    wanted = {name: request.form[name] == "on" for name in ("thanked", "named") if name in request.form}
    with transaction() as current:
        services.show(current, door.of, **wanted, by=door.by, at=clock.now())
    flash(_("Done. You can change this at any time."), "success")
    return redirect(door.url("letter") + "#share", 303)


def unlisted(content: str | bytes, status: int = 200) -> Response:
    """An answer that no search engine lists and whose address no other page is told."""
    response = make_response(content, status)
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


@bp.record_once
def _limited(state: BlueprintSetupState) -> None:
    """Nobody guesses at the addresses of letters, or lets papers be set without end."""
    limiter, views = state.app.extensions["crm.limits"], state.app.view_functions
    shared = limiter.shared_limit(LETTERS, scope="letters")
    for name in ("letter", "issue", "paper", "publicity", "my_issue", "my_paper", "my_publicity"):
        views[f"letters.{name}"] = shared(views[f"letters.{name}"])
