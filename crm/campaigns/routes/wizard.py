"""A campaign step by step: whom, what, when, a look at everybody. Each step may be left and taken up again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.background import ring
from crm.campaigns.forms import WhatForm, WhenForm, WhomForm
from crm.campaigns.models import Campaign
from crm.campaigns.preflight import checking
from crm.campaigns.routes.pages import PLACE_WORDS, campaign_or_404, public_url, words
from crm.campaigns.rules.places import fillable, once
from crm.campaigns.rules.refused import without
from crm.campaigns.rules.stages import Content
from crm.campaigns.rules.texts import lawful, without_signs
from crm.campaigns.services import audience, drafting, launching
from crm.campaigns.services.sending import settings_of
from crm.campaigns.showing import Example, values_of_first
from crm.campaigns.templating import queries as templating
from crm.clock import LOCAL, now, today
from crm.db import session, transaction
from crm.errors import RuleBroken
from crm.places.queries import units
from crm.prospects.lists.queries import ready_made, segments_of
from crm.prospects.rules import Purpose
from crm.web.forms import refusals_on
from crm.web.guard import may
from tasks.launching import check as make_check

bp = Blueprint("wizard", __name__, url_prefix="/campaigns")
bp.context_processor(words)


def whom_form(data: dict[str, Any] | None = None) -> WhomForm:
    """The first step with the saved lists one finds and the town's wards of today."""
    wards = session().scalars(units(current_user().town_id, today())).all()
    found = session().scalars(segments_of(current_scope(), current_user())).all()
    lists = [*((one.key, one.name) for one in ready_made(current_user())), *((one.id, one.name) for one in found)]
    return WhomForm.with_choices(lists, ((ward.id, ward.name) for ward in wards), data)


@bp.get("/new")
@may(May.RUN_CAMPAIGNS)
def new() -> ResponseReturnValue:
    """Whom, of a campaign that is not there yet."""
    form = whom_form({"list": request.args.get("list", ""), "purpose": Purpose.SERVICE})
    return _whom_page(form, None)


@bp.post("/new")
@may(May.RUN_CAMPAIGNS)
def create() -> ResponseReturnValue:
    """Keep a draft and go on to its text."""
    form, user = whom_form(), current_user()
    if form.validate():
        with refusals_on(form), transaction() as current:
            content = Content(form.name.data or "", "", Purpose(form.purpose.data), form.segment)
            made = drafting.draft_campaign(current, user.town_id, content, by_id=user.id, at=now())
            return redirect(url_for(".what", campaign_id=made.id), 303)
    return _whom_page(form, None), 422


@bp.route("/<uuid:campaign_id>/whom", methods=["GET", "POST"])
@may(May.RUN_CAMPAIGNS)
def whom(campaign_id: UUID) -> ResponseReturnValue:
    """The name, the purpose and who is meant."""
    campaign = campaign_or_404(campaign_id)
    told = {"name": campaign.name, "purpose": campaign.purpose, "version": campaign.version, **campaign.segment}
    form = whom_form(told)
    if request.method == "POST" and form.validate():
        values = {"name": form.name.data, "purpose": Purpose(form.purpose.data), "segment": form.segment}
        if values["purpose"] is not campaign.purpose:
            values["template_version_id"] = None
        if _changed(campaign, form, values):
            return redirect(url_for(".what", campaign_id=campaign_id), 303)
    return _whom_page(form, campaign), 422 if form.errors else 200


def _whom_page(form: WhomForm, campaign: Campaign | None) -> str:
    asked = form.segment if form.purpose.data else {}
    purpose = Purpose(form.purpose.data) if form.purpose.data in set(Purpose) else Purpose.SERVICE
    told = None
    if not {"list", "place", "stage", "standing", "purpose"} & set(form.errors):
        try:
            told = audience.at_a_glance(
                session(), current_user().town_id, asked, purpose, now(), by_id=current_user().id
            )
        except (RuleBroken, ValueError):
            told = None
    return render_template("campaigns/whom.html", form=form, campaign=campaign, told=told, step=1)


@bp.get("/count")
@may(May.RUN_CAMPAIGNS)
def count() -> Response:
    """How many people a filter finds now, and how many of them would get a message, for the page that asks."""
    form = WhomForm(request.args)
    purpose = Purpose.PROMOTION if form.purpose.data == Purpose.PROMOTION else Purpose.SERVICE
    try:
        told = audience.at_a_glance(
            session(), current_user().town_id, form.segment, purpose, now(), by_id=current_user().id
        )
    except (RuleBroken, ValueError) as refused:
        return jsonify(html="", problem=str(refused) if isinstance(refused, RuleBroken) else "")
    return jsonify(html=render_template("campaigns/_glance.html", told=told))


@bp.route("/<uuid:campaign_id>/what", methods=["GET", "POST"])
@may(May.RUN_CAMPAIGNS)
def what(campaign_id: UUID) -> ResponseReturnValue:
    """A template or a text of its own."""
    campaign, town_id = campaign_or_404(campaign_id), current_user().town_id
    offered = [one for one in templating.choices(session(), town_id, campaign.purpose) if fillable(one.version.text)]
    told = {"text": campaign.text, "accented": campaign.accented, "version": campaign.version}
    chosen = str(campaign.template_version_id or request.args.get("template") or "")
    template = next((one.version.text for one in offered if str(one.version.id) == chosen), "")
    told["text"], told["template"] = campaign.text or template, chosen
    form = WhatForm.with_choices(((one.version.id, one.template.name) for one in offered), told)
    if request.method == "POST" and form.validate():
        picked = next((one for one in offered if str(one.version.id) == form.template.data), None)
        values: dict[str, Any] = {
            "text": picked.version.text if picked else form.text.data,
            "accented": form.accented.data,
        }
        values["template_version_id"] = picked.version.id if picked else None
        if _changed(campaign, form, values):
            return redirect(url_for(".when", campaign_id=campaign_id), 303)
    page = render_template(
        "campaigns/what.html", form=form, campaign=campaign, offered=offered, step=2, **_text_words(campaign, form)
    )
    return page, 422 if form.errors else 200


def _text_words(campaign: Campaign, form: WhatForm) -> dict[str, Any]:
    values = values_of_first(session(), campaign, at=now(), by_id=current_user().id)
    price, text = settings_of(session(), campaign.town_id).price, form.text.data or ""
    told = {"example": Example.of(text, campaign.purpose, values), "text": text}
    return {**PLACE_WORDS, **told, "price": price, "accented": form.accented.data}


@bp.post("/wording")
@may(May.RUN_CAMPAIGNS)
def wording() -> Response:
    """How a text reads, what it costs, and what a carrier would not take, while one types."""
    purpose = Purpose.PROMOTION if request.form.get("purpose") == Purpose.PROMOTION else Purpose.SERVICE
    text = (request.form.get("text") or "").replace("\x00", "")[:1000]
    price = settings_of(session(), current_user().town_id).price
    told: dict[str, Any] = {"example": Example.of(text, purpose), "accented": bool(request.form.get("accented"))}
    return jsonify(
        html=render_template("campaigns/_reads.html", price=price, purpose=purpose, text=text, **told, **PLACE_WORDS)
    )


@bp.route("/<uuid:campaign_id>/when", methods=["GET", "POST"])
@may(May.RUN_CAMPAIGNS)
def when(campaign_id: UUID) -> ResponseReturnValue:
    """When it begins and ends, what it may cost, and whether it is compared; then everybody is looked at."""
    campaign, town_id = campaign_or_404(campaign_id), current_user().town_id
    form = WhenForm(data=_when_told(campaign))
    if request.method == "POST" and form.validate():
        with refusals_on(form):
            if form.scheduled_for is not None:
                launching.check_time(session(), town_id, form.scheduled_for, now(), field="time")
            if form.last_day.data and form.last_day.data < (form.day.data or today()):
                raise RuleBroken(_("The last day is before the first."), field="last_day")
        if not form.errors and _changed(campaign, form, form.values):
            return _look(campaign_id)
    hours = settings_of(session(), town_id).hours
    page = render_template("campaigns/when.html", form=form, campaign=campaign, hours=hours, step=3)
    return page, 422 if form.errors else 200


def _when_told(campaign: Campaign) -> dict[str, Any]:
    moment = campaign.scheduled_for.astimezone(LOCAL) if campaign.scheduled_for else None
    return {
        "begins": "later" if moment else "now",
        "day": moment.date() if moment else None,
        "time": moment.time() if moment else None,
        "last_day": campaign.last_day,
        "budget": campaign.budget,
        "control_percent": str(campaign.control_percent),
        "follow_days": campaign.follow_days,
        "version": campaign.version,
    }


def _changed(campaign: Campaign, form: Any, values: dict[str, Any]) -> bool:
    """Keep a step; what is refused stands in the form."""
    with refusals_on(form):
        with transaction() as current:
            drafting.change(current, campaign, values, version=form.version.data, at=now())
        return True
    return False


@bp.post("/<uuid:campaign_id>/check")
@may(May.RUN_CAMPAIGNS)
def check(campaign_id: UUID) -> ResponseReturnValue:
    """Look at everybody again."""
    return _look(campaign_id)


def _look(campaign_id: UUID) -> ResponseReturnValue:
    by = current_user()
    with transaction() as current:
        campaign = campaign_or_404(campaign_id)
        asked, many = checking.look(current, campaign, public_url=public_url(), by_id=by.id, at=now())
    if many:
        ring(make_check, str(by.town_id), str(asked.id))
    return redirect(url_for("preflight.show", campaign_id=campaign_id), 303)


@bp.post("/<uuid:campaign_id>/mend")
@may(May.RUN_CAMPAIGNS)
def mend(campaign_id: UUID) -> ResponseReturnValue:
    """Mend what can be mended by one tap, and look at everybody again."""
    campaign, how = campaign_or_404(campaign_id), request.form.get("how", "")
    values = _mended(campaign, how, request.form.get("piece", ""))
    if values:
        with transaction() as current:
            drafting.change(current, campaign, values, version=None, at=now())
    return _look(campaign_id)


def _mended(campaign: Campaign, how: str, piece: str) -> dict[str, Any]:
    if how == "plain":
        return {"accented": False}
    if how == "accented":
        return {"accented": True}
    if how == "now":
        return {"scheduled_for": None}
    if how == "hours":
        hours, at = settings_of(session(), campaign.town_id).hours, now()
        moment = hours.next_allowed(max(campaign.scheduled_for or at, at))
        return {"scheduled_for": moment if moment > at else None}
    if how == "lawful" and campaign.purpose is Purpose.PROMOTION:
        return {"text": lawful(campaign.text), "template_version_id": None}
    if how == "signs":
        return {"text": without_signs(campaign.text), "template_version_id": None}
    if how == "once":
        return {"text": once(campaign.text), "template_version_id": None}
    if how == "drop" and piece:
        return {"text": without(campaign.text, piece), "template_version_id": None}
    return {}
