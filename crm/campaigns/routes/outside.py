"""What comes from outside without signing in: the carrier's signed calls, and people who say no."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from uuid import UUID

from flask import Blueprint, Response, abort, current_app, render_template, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from markupsafe import escape

from crm.campaigns import queries
from crm.campaigns.forms import OptOutForm
from crm.campaigns.gateway import is_signed
from crm.campaigns.inbox.queries import town_of
from crm.campaigns.inbox.services import take_in
from crm.campaigns.rules.handover import PROGRAM_TIME
from crm.campaigns.services import opting_out, receipts
from crm.clock import now
from crm.db import session, transaction
from crm.phones import pretty, read_phone
from crm.prospects.queries.facts import consents_of
from crm.prospects.rules import ConsentChannel, Purpose
from crm.web.guard import public

View = Callable[[], ResponseReturnValue]
webhooks = Blueprint("webhooks", __name__, url_prefix="/webhooks/twilio")
refusing = Blueprint("refusing", __name__)


@webhooks.record_once
def _signed_instead_of_token(state: BlueprintSetupState) -> None:
    """The carrier proves itself by its signature, not by a form's token."""
    state.app.extensions["csrf"].exempt(webhooks)


@webhooks.after_request
def _tell_the_time(answer: Response) -> Response:
    """The stand-in's telephones show the program's time. A real carrier is told nothing."""
    if current_app.config["SETTINGS"].sandbox_url:
        answer.headers[PROGRAM_TIME] = now().isoformat()
    return answer


def signed(view: View) -> View:
    """Only the carrier's own calls get through; all others get 403."""

    @wraps(view)
    def checked() -> ResponseReturnValue:
        path = request.full_path if request.query_string else request.path
        signature = request.headers.get("X-Twilio-Signature", "")
        if not is_signed(current_app.config["SETTINGS"], path, request.form.to_dict(), signature):
            abort(403)
        return view()

    return checked


def _uuid(name: str) -> UUID:
    try:
        return UUID(request.args.get(name, ""))
    except ValueError:
        abort(400)


def _text(name: str) -> str:
    return request.form.get(name, "").replace("\x00", "")


@webhooks.post("/status")
@public
@signed
def status() -> ResponseReturnValue:
    """A receipt: kept once, believed forwards only, and always thanked for."""
    code = _text("ErrorCode")
    with transaction() as current:
        receipts.take_status(
            current,
            town_id=_uuid("town"),
            message_id=_uuid("message"),
            sid=_text("MessageSid"),
            status=_text("MessageStatus"),
            error_code=int(code) if code.isdecimal() else None,
            at=now(),
        )
    return "", 204


@webhooks.post("/inbound")
@public
@signed
def inbound() -> ResponseReturnValue:
    """An answer: a no counts at once and is confirmed at once."""
    phone, confirmation = read_phone(_text("From")).mobile or _text("From"), None
    with transaction() as current:
        town_id = town_of(current, phone)
        if town_id is not None:
            sid, body = _text("MessageSid"), _text("Body")
            confirmation = take_in(current, town_id, sid=sid, phone=phone, body=body, at=now())
    inner = f"<Message>{escape(confirmation)}</Message>" if confirmation else ""
    return Response(f"<Response>{inner}</Response>", mimetype="text/xml")


@refusing.record_once
def _the_address_is_the_key(state: BlueprintSetupState) -> None:
    """Whoever has the message has its address, and nobody else; a browser that keeps no cookies may refuse as well."""
    state.app.extensions["csrf"].exempt(refusing)


def _nobodys() -> ResponseReturnValue:
    """An address that was copied by half: its reader is no user of ours, and learns how else to refuse."""
    return render_template("campaigns/opt_out_unknown.html"), 404


def _masked(phone: str) -> str:
    shown = pretty(phone)
    return f"{shown[:4]} *** {shown[-3:]}"


@refusing.get("/o/<token>")
@refusing.get("/o/<token>/qr")
@public
def ask(token: str) -> ResponseReturnValue:
    """Ask what is no longer wanted. Looking at the page changes nothing: phones fetch addresses by themselves."""
    link = queries.link_with(session(), token)
    if link is None:
        return _nobodys()
    said = consents_of(session(), link.town_id, link.phone)
    refused = all(purpose in said and not said[purpose].given for purpose in Purpose)
    return render_template("campaigns/opt_out.html", form=OptOutForm(), phone=_masked(link.phone), refused=refused)


@refusing.post("/o/<token>")
@public
def withdraw(token: str) -> ResponseReturnValue:
    """The no counts from now on; the words that were chosen are kept with it."""
    return _withdrawn(token, ConsentChannel.LINK)


@refusing.post("/o/<token>/qr")
@public
def withdraw_by_square(token: str) -> ResponseReturnValue:
    """The same, from the square that somebody scanned at the door."""
    return _withdrawn(token, ConsentChannel.QR)


def _withdrawn(token: str, channel: ConsentChannel) -> ResponseReturnValue:
    form, at = OptOutForm(), now()
    with transaction() as current:
        link = queries.link_with(current, token)
        if link is None:
            return _nobodys()
        phone = _masked(link.phone)
        opting_out.use_link(current, link, form.purposes, at, words=form.chosen, channel=channel)
    return render_template("campaigns/opted_out.html", phone=phone, at=at, everything=len(form.purposes) > 1)
