"""A look at everybody before a campaign is launched: what it says, costs, whom it leaves out; a trial; a second person."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.background import ring
from crm.campaigns.forms import RefusalForm, TrialForm, WordsForm
from crm.campaigns.models import Campaign
from crm.campaigns.preflight import approving, checking, queries
from crm.campaigns.preflight.counting import STUB
from crm.campaigns.preflight.rules.states import AT_WORK, CHECK_STATES
from crm.campaigns.preflight.rules.sums import SHORT, STOPPING, TROUBLES, WARNED, Sums, Trouble
from crm.campaigns.routes.pages import PLACE_WORDS, campaign_or_404, public_url, words
from crm.campaigns.rules.reasons import REASONS
from crm.campaigns.rules.refused import refused_in
from crm.campaigns.rules.stages import Stage
from crm.campaigns.rules.texts import costly, unaccented
from crm.campaigns.services import launching, trying
from crm.campaigns.services.sending import settings_of
from crm.clock import now
from crm.db import session, transaction
from crm.phones import pretty
from crm.prospects.queries.seeing import visible_to
from crm.web.forms import refusals_flashed, refusals_on
from crm.web.guard import may
from tasks.campaigns import send_some

bp = Blueprint("preflight", __name__, url_prefix="/campaigns/<uuid:campaign_id>")
bp.context_processor(words)
PAGE = 50


@bp.get("/preflight")
@may(May.RUN_CAMPAIGNS)
def show(campaign_id: UUID) -> ResponseReturnValue:
    """What a launch would do, person by person."""
    campaign = campaign_or_404(campaign_id)
    if campaign.stage not in (Stage.DRAFT, Stage.PREPARING):
        return redirect(url_for("campaigns.show", campaign_id=campaign_id))
    return _page(campaign, _trial())


def _trial() -> TrialForm:
    return TrialForm(formdata=None, data={"phone": pretty(current_user().phone or "")})


@bp.get("/check")
@may(May.RUN_CAMPAIGNS)
def progress(campaign_id: UUID) -> Response:
    """How far the look at everybody is, for the page that waits."""
    check = checking.latest(session(), campaign_or_404(campaign_id))
    done = check is None or check.state not in AT_WORK
    told = {"done": check.done, "total": check.total, "text": str(CHECK_STATES[check.state])} if check else {}
    return jsonify(**told, finished=done)


@bp.post("/try")
@may(May.RUN_CAMPAIGNS)
def try_out(campaign_id: UUID) -> ResponseReturnValue:
    """Send it to a number of somebody who works here."""
    campaign, form, by = campaign_or_404(campaign_id), TrialForm(), current_user()
    if form.validate():
        with refusals_on(form):
            with transaction() as current:
                given: dict[str, Any] = {"public_url": public_url(), "by_id": by.id, "at": now()}
                sent = trying.try_out(current, campaign, form.phone.data or "", **given)
                phone, segments = pretty(sent.phone or ""), sent.segments
            ring(send_some)
            told = ngettext(
                "A trial of %(num)s segment is on its way to %(phone)s.",
                "A trial of %(num)s segments is on its way to %(phone)s.",
                segments,
                phone=phone,
            )
            flash(told, "success")
            return redirect(url_for(".show", campaign_id=campaign_id), 303)
    return _page(campaign, form), 422


@bp.post("/ask")
@may(May.RUN_CAMPAIGNS)
def ask(campaign_id: UUID) -> ResponseReturnValue:
    """Ask a second person."""
    form = WordsForm()
    with refusals_flashed(), transaction() as current:
        said = form.words.data if form.validate() else None
        approving.ask(current, campaign_or_404(campaign_id), words=said, by_id=current_user().id, at=now())
        flash(_("A second person was asked. You see here what they say."), "success")
    return _back(campaign_id)


@bp.post("/approve/<uuid:approval_id>")
@may(May.RUN_CAMPAIGNS)
def approve(campaign_id: UUID, approval_id: UUID) -> ResponseReturnValue:
    """Yes: it is launched for whoever asked."""
    with refusals_flashed(), transaction() as current:
        row = queries.approval(current, campaign_or_404(campaign_id), approval_id)
        approving.approve(current, row, by_id=current_user().id, at=now())
        flash(_("Approved and launched."), "success")
    ring(send_some)
    return _back(campaign_id)


@bp.post("/refuse/<uuid:approval_id>")
@may(May.RUN_CAMPAIGNS)
def refuse(campaign_id: UUID, approval_id: UUID) -> ResponseReturnValue:
    """No, and why."""
    form, campaign = RefusalForm(), campaign_or_404(campaign_id)
    if not form.validate():
        return _page(campaign, _trial(), form), 422
    with refusals_flashed(), transaction() as current:
        row = queries.approval(current, campaign, approval_id)
        approving.refuse(current, row, words=form.words.data or "", by_id=current_user().id, at=now())
        flash(_("Not approved. Whoever asked sees why."), "success")
    return _back(campaign_id)


def _back(campaign_id: UUID) -> ResponseReturnValue:
    return redirect(url_for(".show", campaign_id=campaign_id), 303)


def _page(campaign: Campaign, trial: TrialForm, refusal: RefusalForm | None = None) -> str:
    check = checking.latest(session(), campaign)
    current = check if check and check.content == campaign.content else None
    told: dict[str, Any] = {"campaign": campaign, "check": current, "trial": trial, "step": 4, "AT_WORK": AT_WORK}
    told |= {
        "REASONS": REASONS,
        "SHORT": SHORT,
        "WARNED": WARNED,
        "TROUBLES": TROUBLES,
        "STOPPING": STOPPING,
        "Trouble": Trouble,
        "STUB": STUB,
    }
    told |= {"CHECK_STATES": CHECK_STATES, "asked": queries.asked(session(), campaign)}
    told |= {
        "answers": queries.answers(session(), campaign),
        "form": WordsForm(),
        "refusal": refusal or RefusalForm(formdata=None),
    }
    if current is not None and current.state not in AT_WORK:
        told |= _found(campaign, current)
    return render_template("campaigns/preflight/show.html", **told, **PLACE_WORDS)


def _found(campaign: Campaign, check: Any) -> dict[str, Any]:
    sums, settings, at = Sums.from_json(check.facts), settings_of(session(), campaign.town_id), now()
    problem = queries.read_problem(request.args.get("problem"))
    asked: dict[str, Any] = {"problem": problem, "cursor": request.args.get("cursor"), "size": PAGE}
    found = checking.troubles(session(), campaign, sums, at, settings)
    return {
        "sums": sums,
        "problem": problem,
        "people": queries.people(session(), check, visible_to(current_scope()), **asked),
        "troubles": found,
        "stopped": any(one in STOPPING for one in found),
        "pieces": refused_in(campaign.text),
        "signs": costly(unaccented(campaign.text)),
        "holds": checking.holds(check, campaign, at),
        "second": launching.needs_second(settings, messages=check.messages, cost=check.cost),
        "hours": settings.hours,
        "waits_until": settings.hours.waits_until(at) if campaign.scheduled_for is None else None,
    }
