"""Where a sponsor changes, pauses or ends their own promise, and gives up or closes the address of their page.

Opening an address shows only; the first press shows what would become of the promise, the second does it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.rules import May
from crm.background import ring
from crm.db import session, transaction
from crm.errors import Conflict, NotFound
from crm.money import Vnd
from crm.prospects.rules import Ground
from crm.sponsors import gateway
from crm.sponsors import queries as sponsors
from crm.sponsors.giving import queries as giving
from crm.sponsors.giving.own_forms import PauseForm, RearrangeForm, StopForm
from crm.sponsors.giving.rules import (
    STANDINGS,
    Account,
    Due,
    Frequency,
    laid,
    months_on,
    paused,
    refuse_too_little,
)
from crm.sponsors.giving.services import own_hand, scheduling
from crm.sponsors.giving.showing import links
from crm.sponsors.letters.routes.private import LETTERS, Door, by_account, by_token, unlisted
from crm.sponsors.models import Pledge
from crm.sponsors.rules import NEEDS, PledgeState, Wish, refuse_past_due
from crm.sponsors.services import give_up_page
from crm.web.filters import in_number
from crm.web.forms import refusals_on
from crm.web.guard import may, public
from tasks.mail import send_some

bp = Blueprint("own_promises", __name__)


# ---- the promise


@bp.get("/s/<token>/promises/<uuid:pledge_id>")
@public
def promise(token: str, pledge_id: UUID) -> ResponseReturnValue:
    """A promise as it stands, and what may be done to it. Looking changes nothing."""
    return _promise(by_token(token), pledge_id)


@bp.get("/my-giving/promises/<uuid:pledge_id>")
@may(May.SEE_OWN_GIVING)
def my_promise(pledge_id: UUID) -> ResponseReturnValue:
    """The same for a sponsor who signed in."""
    return _promise(by_account(), pledge_id)


@bp.post("/s/<token>/promises/<uuid:pledge_id>")
@public
def decide(token: str, pledge_id: UUID) -> ResponseReturnValue:
    """Show what would become of it; with the mark of what was shown, do it."""
    return _decide(by_token(token), pledge_id)


@bp.post("/my-giving/promises/<uuid:pledge_id>")
@may(May.SEE_OWN_GIVING)
def my_decide(pledge_id: UUID) -> ResponseReturnValue:
    """The same for a sponsor who signed in."""
    return _decide(by_account(), pledge_id)


def _promise(door: Door, pledge_id: UUID) -> ResponseReturnValue:
    pledge = giving.promise_of(session(), door.of, pledge_id)
    return _page(door, pledge, _filled(pledge), PauseForm.offering(), StopForm())


def _decide(door: Door, pledge_id: UUID) -> ResponseReturnValue:
    pledge = giving.promise_of(session(), door.of, pledge_id)
    change, pause, stop = RearrangeForm(), PauseForm.offering(), StopForm()
    form: Any = {"change": change, "pause": pause, "stop": stop}.get(request.form.get("act", ""))
    if form is None:
        raise NotFound
    seen = request.form.get("seen", "")
    if form.validate():
        with refusals_on(form):
            if not seen:
                return _confirmation(door, pledge, _rest(door, pledge, form))
            act = _act(door, form)
            try:
                with transaction() as current:
                    act(current, pledge, _hand(door, form, seen))
            except Conflict as refusal:
                flash(str(refusal), "warning")
                return redirect(door.url("promise", pledge_id=pledge_id), 303)
            ring(send_some)
            flash(_("Done. What you gave stays as it is; the office knows of it."), "success")
            return redirect(door.url("promise", pledge_id=pledge_id), 303)
    shown: Any = [one if one is form else None for one in (change, pause, stop)]
    pledge = giving.promise_of(session(), door.of, pledge_id)
    change, pause, stop = shown[0] or _filled(pledge), shown[1] or PauseForm.offering(), shown[2] or StopForm()
    return _page(door, pledge, change, pause, stop, status=422)


def _hand(door: Door, form: Any, seen: str) -> own_hand.Hand:
    by_id = door.by.id if door.by else None
    return own_hand.Hand(by_id, seen, form.note.data or "", clock.today(), clock.now(), links())


Act = Callable[[Session, Pledge, own_hand.Hand], None]


def _act(door: Door, form: Any) -> Act:
    """What a form asks for. Raises RuleBroken for what cannot be."""
    if isinstance(form, StopForm):
        return own_hand.stop
    if isinstance(form, PauseForm):
        months = form.pause_for.data
        return lambda current, pledge, hand: own_hand.pause(current, pledge, months, hand)
    rest, often = form.rest(partial(_a_month, door)), form.often
    return lambda current, pledge, hand: own_hand.rearrange(current, pledge, rest, often, hand)


def _rest(door: Door, pledge: Pledge, form: Any) -> Sequence[Due] | None:
    """What would be still to come; None when nothing more is. Raises RuleBroken for what would be refused."""
    if isinstance(form, StopForm):
        return None
    today, still = clock.today(), scheduling.open_dues(session(), pledge)
    if isinstance(form, PauseForm):
        return paused(still, months_on(today, form.pause_for.data))
    rest: tuple[Due, ...] = form.rest(partial(_a_month, door))
    came = giving.received_on(session(), pledge.town_id, [pledge.id]).get(pledge.id, 0)
    least = scheduling.least_month(session(), pledge, today)
    refuse_too_little(came + sum(due.amount for due in rest), pledge.amount, came, least)
    for due in rest:
        refuse_past_due(due.on, today)
    return rest


def _a_month(door: Door) -> Vnd:
    """What a month of whom they would like to help costs them today."""
    grounds = Wish.from_json(door.of.wish).grounds
    need = next((ground for ground in NEEDS if ground in grounds), Ground.POOR)
    return sponsors.a_month(session(), door.of.town_id, need, clock.today())


def _filled(pledge: Pledge) -> RearrangeForm:
    """The form with the promise as it is."""
    still = scheduling.open_dues(session(), pledge)
    often = giving.frequency_of(session(), pledge)
    return RearrangeForm(
        data={
            "way": "amount",
            "amount": sum(due.amount for due in still) or None,
            "months": len(still) * (3 if often is Frequency.QUARTERLY else 1) or None,
            "frequency": often.value,
            "first": max(still[0].on, clock.today()) if still else months_on(clock.today(), 1),
            "own": "\n".join(f"{due.on:%d/%m/%Y} {in_number(due.amount)}" for due in still),
        }
    )


def _page(
    door: Door, pledge: Pledge, change: RearrangeForm, pause: PauseForm, stop: StopForm, status: int = 200
) -> ResponseReturnValue:
    account = giving.account_of(session(), pledge, clock.today())
    page = render_template(
        "sponsors/letters/promise.html",
        door=door,
        pledge=pledge,
        account=account,
        standings=STANDINGS,
        change=change,
        pause=pause,
        stop=stop,
        a_month=_a_month(door),
        is_open=pledge.state is PledgeState.OPEN,
        rests_until=giving.resting(session(), [pledge], {pledge.id: account}, clock.today()).get(pledge.id),
    )
    return unlisted(page, status)


def _confirmation(door: Door, pledge: Pledge, rest: Sequence[Due] | None) -> ResponseReturnValue:
    """What would become of it, with everything that was typed and the mark of what is shown."""
    today = clock.today()
    account = giving.account_of(session(), pledge, today)
    came = sum(row.came for row in account.rows) + account.over
    after: Account = laid(rest or (), 0, today)
    page = render_template(
        "sponsors/letters/promise_sure.html",
        door=door,
        pledge=pledge,
        account=account,
        came=came,
        after=after,
        ends=rest is None,
        sent=[(name, value) for name, value in request.form.items(multi=True) if name not in ("csrf_token", "seen")],
        seen=own_hand.mark_of(session(), pledge),
        standings=STANDINGS,
    )
    return unlisted(page)


# ---- the address of the page


@bp.get("/s/<token>/address")
@public
def address(token: str) -> ResponseReturnValue:
    """What becomes of this address when it is given up."""
    return unlisted(render_template("sponsors/letters/address.html", door=by_token(token), renewed=None, closed=False))


@bp.post("/s/<token>/address")
@public
def give_up(token: str) -> ResponseReturnValue:
    """This address stops working at once: with a new one, which is shown this once, or with none."""
    door = by_token(token)
    if request.form.get("act") not in ("renew", "close"):
        raise NotFound
    with transaction() as current:
        new = give_up_page(current, token, renewed=request.form["act"] == "renew", at=clock.now())
    renewed = links().own_page(new) if new else None
    drawn = gateway.drawing(renewed) if renewed else None
    return unlisted(
        render_template(
            "sponsors/letters/address.html",
            door=door,
            renewed=renewed,
            qr=drawn,
            closed=renewed is None,
            phone=_phone(),
        )
    )


def _phone() -> str:
    account = sponsors.fund_account(session())
    return account.phone if account else ""


@bp.record_once
def _limited(state: BlueprintSetupState) -> None:
    """Nobody guesses at the addresses of promises."""
    limiter, views = state.app.extensions["crm.limits"], state.app.view_functions
    shared = limiter.shared_limit(LETTERS, scope="letters")
    for name in ("promise", "decide", "my_promise", "my_decide", "address", "give_up"):
        views[f"own_promises.{name}"] = shared(views[f"own_promises.{name}"])
