"""Campaigns and messages, for the office."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.campaigns import cards, queries
from crm.campaigns.forms import CampaignForm, MessagesForm
from crm.campaigns.models import Campaign
from crm.campaigns.preflight.rules.sums import Sums
from crm.campaigns.rules.delivery import DELIVERY_NAMES
from crm.campaigns.rules.reasons import REASONS
from crm.campaigns.rules.stages import PURPOSE_NAMES, STAGE_NAMES, Stage
from crm.campaigns.services import drafting, launching, sending
from crm.campaigns.tracing.queries import campaigns_to_choose
from crm.clock import now, today
from crm.db import session, transaction
from crm.errors import NotFound, RuleBroken
from crm.places.queries import units
from crm.prospects.lists.queries import ready_made, segments_of
from crm.prospects.queries.seeing import visible_to
from crm.web.forms import refusals_on
from crm.web.guard import may

cards.register()
bp = Blueprint("campaigns", __name__)
bp.context_processor(
    lambda: {
        "delivery_names": DELIVERY_NAMES,
        "reasons": REASONS,
        "stage_names": STAGE_NAMES,
        "purpose_names": PURPOSE_NAMES,
    }
)
PAGE = 50


def campaign_or_404(campaign_id: UUID) -> Campaign:
    """The town's campaign. Raises NotFound."""
    found = session().get(Campaign, (current_user().town_id, campaign_id))
    if found is None:
        raise NotFound
    return found


def public_url() -> str:
    """The address that stands in messages."""
    return str(current_app.config["SETTINGS"].public_url)


def new_form() -> CampaignForm:
    """An empty campaign with the saved lists one finds and the town's wards of today."""
    wards = session().scalars(units(current_user().town_id, today())).all()
    found = session().scalars(segments_of(current_scope(), current_user())).all()
    lists = [*((one.key, one.name) for one in ready_made(current_user())), *((one.id, one.name) for one in found)]
    return CampaignForm.with_choices(lists, ((ward.id, ward.name) for ward in wards))


@bp.get("/messages")
@may(May.SEE_MESSAGES)
def messages() -> ResponseReturnValue:
    """What was sent and what was not, and why, among the people this person sees."""
    scope = current_scope()
    form = MessagesForm(request.args).offering(campaigns_to_choose(session(), scope.town_id))
    query = queries.messages_seen(scope.town_id, visible_to(scope), **form.narrowed)
    found = queries.page_of_messages(session(), query, cursor=request.args.get("cursor"), size=PAGE)
    held = sending.is_held(session(), scope.town_id)
    return render_template("campaigns/messages.html", form=form, page=found, held=held)


@bp.get("/campaigns")
@may(May.SEE_MESSAGES)
def listing() -> ResponseReturnValue:
    """All campaigns, the newest first."""
    found = session().scalars(queries.campaigns_of(current_user().town_id).limit(200)).all()
    return render_template("campaigns/listing.html", campaigns=found)


@bp.get("/campaigns/new")
@may(May.RUN_CAMPAIGNS)
def new() -> ResponseReturnValue:
    """The form for a campaign."""
    return render_template("campaigns/new.html", form=new_form())


@bp.post("/campaigns/new")
@may(May.RUN_CAMPAIGNS)
def create() -> ResponseReturnValue:
    """Keep a campaign as a draft and show what launching it would do."""
    form, user = new_form(), current_user()
    if form.validate():
        with refusals_on(form), transaction() as current:
            made = drafting.draft_campaign(current, user.town_id, form.content, by_id=user.id, at=now())
            return redirect(url_for(".show", campaign_id=made.id))
    return render_template("campaigns/new.html", form=form), 422


@bp.get("/campaigns/<uuid:campaign_id>")
@may(May.SEE_MESSAGES)
def show(campaign_id: UUID) -> ResponseReturnValue:
    """Before the launch what it would do; afterwards what became of it; both among the people this person sees."""
    campaign, visible = campaign_or_404(campaign_id), visible_to(current_scope())
    before = _before(campaign) if campaign.stage is Stage.DRAFT else None
    counts = session().execute(queries.counts_of(campaign.town_id, campaign.id, visible)).all()
    return render_template("campaigns/show.html", campaign=campaign, before=before, counts=counts)


def _before(campaign: Campaign) -> Sums | None:
    """What a launch would do, among the people this person sees; None, with a word, when its list is gone."""
    visible = visible_to(current_scope())
    try:
        return launching.preflight(
            session(), campaign, public_url=public_url(), at=now(), visible=visible, by_id=current_user().id
        )
    except RuleBroken as refusal:
        flash(str(refusal.message), "warning")
        return None
