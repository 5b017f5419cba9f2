"""Launching a campaign and stopping it: one button each."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue

from crm.accounts.gateway import current_user
from crm.accounts.rules import May
from crm.background import ring
from crm.campaigns.models import Campaign
from crm.campaigns.preflight import checking
from crm.campaigns.routes.pages import campaign_or_404, public_url
from crm.campaigns.rules.stages import Stage
from crm.campaigns.services import launching
from crm.clock import now
from crm.db import session, transaction
from crm.web.forms import refusals_flashed
from crm.web.guard import may
from tasks.campaigns import send_some
from tasks.launching import check as make_check

bp = Blueprint("campaign_acts", __name__)


def _back_to(campaign_id: UUID) -> ResponseReturnValue:
    return redirect(url_for("campaigns.show", campaign_id=campaign_id), 303)


@bp.post("/campaigns/<uuid:campaign_id>/launch")
@may(May.RUN_CAMPAIGNS)
def launch(campaign_id: UUID) -> ResponseReturnValue:
    """Freeze the audience and let it run, or wait for its time."""
    campaign = campaign_or_404(campaign_id)
    with refusals_flashed(), transaction() as current:
        launching.launch(current, campaign, public_url=public_url(), by_id=current_user().id, at=now())
    if campaign.stage is Stage.DRAFT:
        return redirect(url_for("preflight.show", campaign_id=campaign_id), 303)
    ring_after_launch(campaign)
    return _back_to(campaign_id)


def ring_after_launch(campaign: Campaign) -> None:
    """A large audience is looked at by a worker first; else what waits may leave."""
    check = checking.latest(session(), campaign) if campaign.stage is Stage.PREPARING else None
    if check is not None:
        ring(make_check, str(check.town_id), str(check.id))
    else:
        ring(send_some)


@bp.post("/campaigns/<uuid:campaign_id>/pause")
@may(May.RUN_CAMPAIGNS)
def pause(campaign_id: UUID) -> ResponseReturnValue:
    """Nothing more leaves for now."""
    with refusals_flashed(), transaction() as current:
        launching.pause(current, campaign_or_404(campaign_id), by_id=current_user().id, at=now())
    return _back_to(campaign_id)


@bp.post("/campaigns/<uuid:campaign_id>/resume")
@may(May.RUN_CAMPAIGNS)
def resume(campaign_id: UUID) -> ResponseReturnValue:
    """It goes on where it stopped."""
    with refusals_flashed(), transaction() as current:
        launching.resume(current, campaign_or_404(campaign_id), by_id=current_user().id, at=now())
    ring(send_some)
    return _back_to(campaign_id)


@bp.post("/campaigns/<uuid:campaign_id>/cancel")
@may(May.RUN_CAMPAIGNS)
def cancel(campaign_id: UUID) -> ResponseReturnValue:
    """What has not left is called off."""
    with refusals_flashed(), transaction() as current:
        launching.cancel(current, campaign_or_404(campaign_id), now(), by_id=current_user().id)
    return _back_to(campaign_id)
