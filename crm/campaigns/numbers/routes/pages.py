"""A number's own page, the hotline, and the tap at the door."""

from __future__ import annotations

from io import BytesIO
from uuid import UUID

import segno
from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.campaigns.numbers import queries
from crm.campaigns.numbers.forms import AgreeAgainForm, HotlineForm, LookUpForm, RefuseForm
from crm.campaigns.numbers.rules import purposes_of
from crm.campaigns.rules.reasons import REASONS
from crm.campaigns.services import opting_out
from crm.db import session, transaction
from crm.errors import NotFound, RuleBroken
from crm.phones import pretty, read_phone
from crm.prospects.models import Prospect
from crm.prospects.queries.seeing import person_seen
from crm.prospects.rules import ConsentChannel
from crm.prospects.services.consent import agree_again
from crm.prospects.wording import CHANNELS, PURPOSES
from crm.web.filters import moment
from crm.web.forms import refusals_on
from crm.web.guard import may
from crm.web.language import chosen

bp = Blueprint("numbers", __name__)
bp.context_processor(lambda: {"purpose_words": PURPOSES, "channel_ways": CHANNELS, "reasons": REASONS})


def written(phone: str) -> str:
    """A number as it stands in an address: `0912345678`."""
    return pretty(phone).replace(" ", "")


def phone_of(number: str) -> str:
    """The number in E.164 that an address names. Raises NotFound."""
    read = read_phone(number) if number.isascii() and number.isdigit() else None
    found = read and (read.mobile or read.landline)
    if not found:
        raise NotFound
    return found


@bp.get("/numbers")
@may(May.SEE_PEOPLE)
def look_up() -> ResponseReturnValue:
    """Look for a number in any spelling."""
    form = LookUpForm(request.args)
    read = read_phone(form.number.data)
    found = read.mobile or read.landline
    if found and _may_look(found):
        return redirect(url_for(".show", number=written(found)))
    if form.number.data:
        sentence = (
            _("Nobody whom you see has this number.") if found else _("This is no telephone number. Look at it again.")
        )
        form.number.errors = [sentence]
    return render_template("campaigns/numbers/look_up.html", form=form)


def _may_look(phone: str) -> bool:
    try:
        queries.look_up(session(), current_scope(), phone)
    except NotFound:
        return False
    return True


@bp.get("/numbers/<number>")
@may(May.SEE_PEOPLE)
def show(number: str) -> ResponseReturnValue:
    """What a number said, whose it is, and what would reach it now."""
    again = AgreeAgainForm(formdata=None, on=clock.today(), hour=clock.now().astimezone(clock.LOCAL).time())
    return _page(phone_of(number), RefuseForm(formdata=None), again)


def _page(phone: str, refusing: RefuseForm, again: AgreeAgainForm) -> str:
    scope, town_id = current_scope(), current_scope().town_id
    holders = queries.look_up(session(), scope, phone)
    return render_template(
        "campaigns/numbers/show.html",
        phone=phone,
        number=written(phone),
        holders=holders,
        reachable=queries.reachable(session(), town_id, phone, clock.now()),
        history=queries.history_of(session(), town_id, phone),
        lists=queries.lists_with(session(), town_id, phone),
        refusing=refusing,
        again=again,
        mobile=read_phone(phone).mobile,
    )


@bp.post("/numbers/<number>/refuse")
@may(May.LOG_VISITS)
def refuse(number: str) -> ResponseReturnValue:
    """The owner of this number wants no more messages."""
    form, phone = RefuseForm(), phone_of(number)
    if form.validate():
        with refusals_on(form), transaction() as current:
            queries.look_up(current, current_scope(), phone)
            _withdraw(phone, form)
            return redirect(url_for(".show", number=number), 303)
    return _page(phone, form, AgreeAgainForm(formdata=None, on=clock.today())), 422


@bp.post("/numbers/<number>/agree")
@may(May.EDIT_PEOPLE)
def agree(number: str) -> ResponseReturnValue:
    """The owner of this number agrees again, with the proof of it."""
    form, phone = AgreeAgainForm(), phone_of(number)
    if form.validate():
        with refusals_on(form), transaction() as current:
            queries.look_up(current, current_scope(), phone)
            _agree(phone, form)
            flash(_("Kept with its proof: the number gets these messages again."), "success")
            return redirect(url_for(".show", number=number), 303)
    return _page(phone, RefuseForm(formdata=None), form), 422


def _agree(phone: str, form: AgreeAgainForm) -> None:
    by = current_user()
    agree_again(
        session(),
        by.town_id,
        phone,
        purposes_of(form.purpose.data)[0],
        channel=ConsentChannel(form.channel.data),
        words=form.words.data,
        said_at=form.said_at,
        by=by,
        at=clock.now(),
    )


@bp.get("/numbers/<number>/qr")
@may(May.LOG_VISITS)
def qr(number: str) -> ResponseReturnValue:
    """The number's own address for refusing, to be scanned with its owner's phone."""
    phone, scope = phone_of(number), current_scope()
    with transaction() as current:
        queries.look_up(current, scope, phone)
        token = opting_out.links_for(current, scope.town_id, [phone], clock.now())[phone]
    address = f"{current_app.config['SETTINGS'].public_url}/o/{token}/qr"
    drawn = BytesIO()
    segno.make(address, error="m", micro=False).save(drawn, kind="svg", scale=6, border=4, xmldecl=False)
    answer = Response(drawn.getvalue(), mimetype="image/svg+xml")
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


# ---- the hotline


@bp.get("/hotline")
@may(May.LOG_VISITS)
def hotline() -> ResponseReturnValue:
    """Somebody called and wants no more messages."""
    return render_template("campaigns/numbers/hotline.html", form=HotlineForm(formdata=None))


@bp.post("/hotline")
@may(May.LOG_VISITS)
def take_call() -> ResponseReturnValue:
    """Keep it at once, whoever's number it is: a refusal never waits."""
    form = HotlineForm()
    if form.validate():
        with refusals_on(form), transaction():
            phone = form.phone
            _withdraw(phone, form)
            seen = _may_look(phone)
            return redirect(url_for(".show", number=written(phone)) if seen else url_for(".hotline"), 303)
    return render_template("campaigns/numbers/hotline.html", form=form), 422


def _withdraw(phone: str, form: RefuseForm, person: Prospect | None = None) -> None:
    by, at = current_user(), clock.now()
    if not read_phone(phone).mobile:
        raise RuleBroken(_("Messages go to mobile numbers only; this one gets none."), field="number")
    opting_out.withdraw(
        session(),
        by.town_id,
        phone,
        at=at,
        channel=form.by,
        purposes=form.purposes,
        words=form.words.data,
        by_id=by.id,
        prospect_id=person.id if person else None,
    )
    sentence = _(
        "Noted at %(moment)s: %(number)s gets no more of these messages.",
        moment=moment(at, chosen()),
        number=pretty(phone),
    )
    flash(sentence, "success")


# ---- at the door


@bp.post("/people/<uuid:prospect_id>/no-messages")
@may(May.LOG_VISITS)
def at_the_door(prospect_id: UUID) -> ResponseReturnValue:
    """One tap: this person wants no more messages."""
    with transaction() as current:
        person = person_seen(current, current_scope(), prospect_id)
        if not person.phone:
            raise RuleBroken(_("There is no mobile number, so no messages go out."), field="phone")
        form = RefuseForm(data={"what": request.form.get("what"), "channel": ConsentChannel.DOORSTEP})
        _withdraw(person.phone, form, person)
    return redirect(url_for("prospects.consent", prospect_id=person.id), 303)
