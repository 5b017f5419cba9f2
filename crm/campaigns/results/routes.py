"""Campaigns and what became of them, for the office."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.campaigns.forms import MoveForm, SmsSettingsForm
from crm.campaigns.models import Campaign
from crm.campaigns.preflight.queries import waiting as waiting_for
from crm.campaigns.preflight.queries import waiting_among
from crm.campaigns.queries import page_of_campaigns
from crm.campaigns.results import queries
from crm.campaigns.results.rules import WHICH, Which
from crm.campaigns.routes.pages import bp, campaign_or_404
from crm.campaigns.rules.reasons import Reason
from crm.campaigns.rules.stages import KEEPS_TRYING, STAGE_NAMES, STAGE_SIGNS, STEPS, Stage
from crm.campaigns.services import launching
from crm.campaigns.services.sending import settings_of
from crm.campaigns.services.settling import change_settings
from crm.campaigns.showing import chips
from crm.clock import LOCAL, now
from crm.db import session, transaction
from crm.places.models import Place
from crm.prospects.queries.seeing import visible_to
from crm.web.forms import refusals_on
from crm.web.guard import may

PAGE = 50
RUNNING = (Stage.PREPARING, Stage.SCHEDULED, Stage.RUNNING)


@bp.get("/campaigns")
@may(May.SEE_MESSAGES)
def listing() -> ResponseReturnValue:
    """Campaigns, the newest first; of one stage, or all."""
    text, town_id = request.args.get("stage"), current_user().town_id
    stage = Stage(text) if text in set(Stage) else None
    page = page_of_campaigns(session(), town_id, stage=stage, cursor=request.args.get("cursor"), size=PAGE)
    price = settings_of(session(), town_id).price
    sums = queries.sums_of(session(), town_id, page.rows, visible_to(current_scope()), price)
    waiting = waiting_among(session(), town_id, [one.id for one in page.rows])
    words: dict[str, Any] = {"STAGES": STAGE_NAMES, "SIGNS": STAGE_SIGNS, "sums": sums, "waiting": waiting}
    if current_user().may(May.RUN_CAMPAIGNS):
        words["mine"] = waiting_for(session(), town_id, current_user().id, most=100)
    return render_template("campaigns/listing.html", page=page, stage=stage, **words)


@bp.get("/campaigns/<uuid:campaign_id>")
@may(May.SEE_MESSAGES)
def show(campaign_id: UUID) -> ResponseReturnValue:
    """How far a campaign is, what it cost, what became of each message and what followed, among the people one sees."""
    return _page(campaign_or_404(campaign_id), None)


def _page(campaign: Campaign, form: MoveForm | None) -> str:
    visible, town_id = visible_to(current_scope()), campaign.town_id
    launched = campaign.stage not in (Stage.DRAFT, Stage.PREPARING)
    settings = settings_of(session(), town_id)
    price = settings.price
    place_id = campaign.segment.get("place")
    words: dict[str, Any] = {"SIGNS": STAGE_SIGNS, "STEPS": STEPS, "Which": Which, "WHICH": WHICH, "chips": chips}
    words |= {"moving": form or _move_form(campaign), "asked": waiting_among(session(), town_id, [campaign.id])}
    words |= {"held": settings.held_since, "KEEPS_TRYING": KEEPS_TRYING}
    words |= {"hours": settings.hours, "waits_until": settings.hours.waits_until(now())}
    words["place"] = session().get(Place, (town_id, UUID(place_id))) if place_id else None
    if launched:
        words["tally"] = queries.tally(session(), campaign, visible, price)
        words["followed"] = queries.followed(session(), campaign, visible)
        until = queries.counted_until(campaign)
        words["goes_on_until"] = until if until and until > now() else None
        words["for_files"] = queries.for_files(session(), campaign, visible) if campaign.stage is Stage.RUNNING else 0
    if current_user().may(May.RUN_CAMPAIGNS):
        words["steps"] = queries.steps(session(), campaign)
        words["trials"] = queries.trials(session(), campaign)
    return render_template("campaigns/show.html", campaign=campaign, launched=launched, price=price, **words)


def _move_form(campaign: Campaign) -> MoveForm:
    moment = (campaign.scheduled_for or now()).astimezone(LOCAL)
    return MoveForm(data={"day": moment.date(), "time": moment.time()})


@bp.get("/campaigns/<uuid:campaign_id>/progress")
@may(May.SEE_MESSAGES)
def progress(campaign_id: UUID) -> Response:
    """How far a campaign is, for the page that waits."""
    campaign = campaign_or_404(campaign_id)
    tally = queries.tally(session(), campaign, visible_to(current_scope()), 0)
    told = {"done": tally.settled, "total": tally.everybody, "text": progress_words(tally.settled, tally.everybody)}
    return jsonify(**told, finished=campaign.stage not in RUNNING)


def progress_words(done: int, total: int) -> str:
    """*120 of 400 messages are on their way or settled.*"""
    told: str = _("%(done)s of %(total)s messages have left or are settled.", done=done, total=total)
    return told


@bp.get("/campaigns/<uuid:campaign_id>/people")
@may(May.SEE_MESSAGES)
def people(campaign_id: UUID) -> ResponseReturnValue:
    """The people of one figure."""
    campaign, text, why = campaign_or_404(campaign_id), request.args.get("which"), request.args.get("reason")
    which = Which(text) if text in set(Which) else Which.LEFT
    reason = Reason(why) if why in set(Reason) else None
    asked: dict[str, Any] = {"reason": reason, "cursor": request.args.get("cursor"), "size": PAGE}
    found = queries.people(session(), campaign, which, visible_to(current_scope()), **asked)
    words: dict[str, Any] = {"which": which, "reason": reason, "WHICH": WHICH}
    return render_template("campaigns/people.html", campaign=campaign, page=found, **words)


@bp.post("/campaigns/<uuid:campaign_id>/move")
@may(May.RUN_CAMPAIGNS)
def move(campaign_id: UUID) -> ResponseReturnValue:
    """Begin at another time."""
    campaign, form = campaign_or_404(campaign_id), MoveForm()
    if form.validate():
        with refusals_on(form):
            with transaction() as current:
                launching.move(current, campaign, form.moment, by_id=current_user().id, at=now(), field="time")
            return redirect(url_for(".show", campaign_id=campaign_id), 303)
    return _page(campaign, form), 422


# ---- what an administrator decides


@bp.get("/messages/settings")
@may(May.MANAGE_ACCOUNTS)
def settings() -> ResponseReturnValue:
    """Hours, price, budget of the month, and above what it takes two people."""
    row = settings_of(session(), current_user().town_id)
    return render_template("campaigns/settings.html", form=SmsSettingsForm(obj=row))


@bp.post("/messages/settings")
@may(May.MANAGE_ACCOUNTS)
def keep_settings() -> ResponseReturnValue:
    """From now on that holds."""
    form, by = SmsSettingsForm(), current_user()
    if form.validate():
        with refusals_on(form), transaction() as current:
            change_settings(current, by.town_id, form.data, by_id=by.id, at=now())
            flash(_("The settings are changed."), "success")
            return redirect(url_for(".settings"), 303)
    return render_template("campaigns/settings.html", form=form), 422
