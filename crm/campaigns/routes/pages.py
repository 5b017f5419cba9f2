"""Campaigns and messages, for the office."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, current_app, render_template, request
from flask.typing import ResponseReturnValue

from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.campaigns import cards, queries
from crm.campaigns.forms import MessagesForm
from crm.campaigns.models import Campaign
from crm.campaigns.preflight.queries import waiting as campaigns_asked
from crm.campaigns.rules.delivery import DELIVERY_NAMES
from crm.campaigns.rules.places import PLACES
from crm.campaigns.rules.reasons import REASONS
from crm.campaigns.rules.refused import KINDS, refused_in
from crm.campaigns.rules.stages import PURPOSE_NAMES, STAGE_NAMES
from crm.campaigns.rules.texts import is_lawful
from crm.campaigns.services import sending
from crm.campaigns.showing import chips, shown_body, whom
from crm.campaigns.tracing.queries import campaigns_to_choose
from crm.db import session
from crm.errors import NotFound
from crm.prospects.queries.seeing import visible_to
from crm.web.guard import may

cards.register()
bp = Blueprint("campaigns", __name__)


def words() -> dict[str, Any]:
    """What every page about messages may say."""
    return {
        "delivery_names": DELIVERY_NAMES,
        "reasons": REASONS,
        "stage_names": STAGE_NAMES,
        "purpose_names": PURPOSE_NAMES,
        "shown_body": shown_body,
        "whom": whom,
    }


bp.context_processor(words)
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


PLACE_WORDS: dict[str, Any] = {
    "PLACES": PLACES,
    "KINDS": KINDS,
    "refused_in": refused_in,
    "is_lawful": is_lawful,
    "chips": chips,
}
"""What pages need that show a text."""


@bp.get("/messages")
@may(May.SEE_MESSAGES)
def messages() -> ResponseReturnValue:
    """What was sent and what was not, and why, among the people this person sees."""
    scope = current_scope()
    form = MessagesForm(request.args).offering(campaigns_to_choose(session(), scope.town_id))
    query = queries.messages_seen(
        scope.town_id, visible_to(scope), queries.without_a_person(scope, current_user()), **form.narrowed
    )
    found = queries.page_of_messages(session(), query, cursor=request.args.get("cursor"), size=PAGE)
    held = sending.is_held(session(), scope.town_id)
    mine = 0
    if current_user().may(May.RUN_CAMPAIGNS):
        mine = campaigns_asked(session(), scope.town_id, scope.user_id, most=100)
    return render_template("campaigns/messages.html", form=form, page=found, held=held, mine=mine)
