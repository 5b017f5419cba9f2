"""A message's own page."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.campaigns.queries import without_a_person
from crm.campaigns.rules.delivery import DELIVERY_NAMES, TOLD, Delivery
from crm.campaigns.rules.reasons import REASONS
from crm.campaigns.showing import shown_body, whom
from crm.campaigns.tracing import queries
from crm.campaigns.tracing.rules import MEANS, to_do
from crm.db import session
from crm.prospects.queries.seeing import visible_to
from crm.prospects.wording import PURPOSES
from crm.web.guard import may

bp = Blueprint("tracing", __name__, url_prefix="/messages")


@bp.get("/<uuid:message_id>")
@may(May.SEE_MESSAGES)
def show(message_id: UUID) -> ResponseReturnValue:
    """What became of a message, what that means, and what to do."""
    scope = current_scope()
    found = queries.traced(
        session(), scope.town_id, visible_to(scope), without_a_person(scope, current_user()), message_id
    )
    message = found.message
    return render_template(
        "campaigns/tracing/show.html",
        found=found,
        message=message,
        body=shown_body(message),
        whom=whom(message),
        name=DELIVERY_NAMES[message.state],
        means=MEANS[message.state].means,
        to_do=to_do(message.state, message.reason),
        why=REASONS[message.reason] if message.reason else None,
        purpose=PURPOSES[message.purpose],
        told=lambda status: DELIVERY_NAMES[TOLD.get(status, Delivery.ACCEPTED)],
    )
