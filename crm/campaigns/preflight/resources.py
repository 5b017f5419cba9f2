"""A look at everybody, kept; a second person's yes; another time: for other programs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import RAISE, Schema, fields, validate

from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.api.blueprint import Blueprint
from crm.api.lists import ListQuery, listing
from crm.background import ring
from crm.campaigns.models import Campaign
from crm.campaigns.preflight import approving, checking, queries
from crm.campaigns.preflight.models import CampaignCheck
from crm.campaigns.preflight.rules.states import Answer, CheckState
from crm.campaigns.preflight.rules.sums import Gets, Warned
from crm.campaigns.routes.pages import campaign_or_404, public_url
from crm.campaigns.rules.reasons import Reason
from crm.campaigns.services import launching
from crm.clock import now
from crm.db import session, transaction
from crm.errors import NotFound
from crm.prospects.queries.seeing import visible_to
from crm.web.guard import may
from tasks.campaigns import send_some
from tasks.launching import check as make_check

blp = Blueprint(
    "preflight_api", __name__, description="What a launch would do person by person, and a second person's yes"
)


class CheckAnswer(Schema):
    """A look at everybody. A launch within the hour takes just these people."""

    id = fields.UUID(required=True)
    state = fields.Enum(CheckState, by_value=True, required=True)
    done = fields.Integer(required=True)
    total = fields.Integer(required=True)
    messages = fields.Integer(required=True)
    cost = fields.Integer(required=True)
    problem = fields.String(required=True, allow_none=True)
    holds = fields.Boolean(required=True, metadata={"description": "Whether a launch would take it as it is"})


class PeopleQuery(ListQuery):
    """Which people."""

    problem = fields.String(
        load_default=None,
        validate=validate.OneOf([one.value for kind in (Reason, Warned, Gets) for one in kind]),
        metadata={
            "description": "Only those who get none for this reason, or whose message has this to look at; `message`: only "
            "those to whom a message goes"
        },
    )


class PersonAnswer(Schema):
    """Somebody's message, or why there is none."""

    prospect_id = fields.UUID(required=True, attribute="row.person_id")
    name = fields.String(required=True)
    phone = fields.String(required=True, allow_none=True, attribute="row.phone")
    text = fields.String(required=True, attribute="row.body")
    encoding = fields.String(required=True, allow_none=True, attribute="row.encoding")
    segments = fields.Integer(required=True, attribute="row.segments")
    other_segments = fields.Integer(
        required=True,
        attribute="row.other_segments",
        metadata={"description": "The other way: with accents, or without"},
    )
    reason = fields.Enum(Reason, by_value=True, required=True, allow_none=True, attribute="row.reason")
    warnings = fields.List(fields.String(), required=True, attribute="row.warnings")


class WordsInput(Schema):
    """A word to the second person, or why not."""

    words = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=300))


class RefusalInput(Schema):
    """Why not."""

    words = fields.String(required=True, validate=validate.Length(1, 300))


class ApprovalAnswer(Schema):
    """What a second person is asked, and said."""

    id = fields.UUID(required=True)
    campaign_id = fields.UUID(required=True)
    messages = fields.Integer(required=True)
    cost = fields.Integer(required=True)
    asked_at = fields.AwareDateTime(required=True)
    answer = fields.Enum(Answer, by_value=True, required=True, allow_none=True)


class MoveInput(Schema):
    """Another time."""

    scheduled_for = fields.AwareDateTime(required=True)


def _checked(campaign: Campaign) -> dict[str, Any]:
    found = checking.latest(session(), campaign)
    if found is None:
        raise NotFound
    names = ("id", "state", "done", "total", "messages", "cost", "problem")
    return {**{name: getattr(found, name) for name in names}, "holds": checking.holds(found, campaign, now())}


@blp.post("/campaigns/<uuid:campaign_id>/check")
@may(May.RUN_CAMPAIGNS)
@blp.response(202, CheckAnswer)
def check(campaign_id: UUID) -> Any:
    """Look at everybody; few at once, many by a worker: ask again until it is `ready`"""
    by = current_user()
    with transaction() as current:
        campaign = campaign_or_404(campaign_id)
        asked, many = checking.look(current, campaign, public_url=public_url(), by_id=by.id, at=now())
        answer = _checked(campaign)
    if many:
        ring(make_check, str(by.town_id), str(asked.id))
    return answer


@blp.get("/campaigns/<uuid:campaign_id>/check")
@may(May.RUN_CAMPAIGNS)
@blp.response(200, CheckAnswer)
def checked(campaign_id: UUID) -> dict[str, Any]:
    """The last look at everybody"""
    return _checked(campaign_or_404(campaign_id))


@blp.get("/campaigns/<uuid:campaign_id>/check/people")
@may(May.RUN_CAMPAIGNS)
@blp.arguments(PeopleQuery, location="query", unknown=RAISE)
@blp.response(200, listing(PersonAnswer))
def people(asked: dict[str, Any], campaign_id: UUID) -> dict[str, Any]:
    """Everybody of the last look, until it is launched"""
    found: CampaignCheck | None = checking.latest(session(), campaign_or_404(campaign_id))
    if found is None:
        raise NotFound
    problem = queries.read_problem(asked["problem"])
    told: dict[str, Any] = {"problem": problem, "cursor": asked["cursor"], "size": asked["limit"]}
    page = queries.people(session(), found, visible_to(current_scope()), **told)
    return {"items": page.rows, "next": page.next}


@blp.post("/campaigns/<uuid:campaign_id>/approvals")
@may(May.RUN_CAMPAIGNS)
@blp.arguments(WordsInput, unknown=RAISE)
@blp.response(201, ApprovalAnswer)
def ask(asked: dict[str, Any], campaign_id: UUID) -> Any:
    """Ask a second person for a yes to the last look at everybody"""
    with transaction() as current:
        campaign = campaign_or_404(campaign_id)
        return approving.ask(current, campaign, words=asked["words"], by_id=current_user().id, at=now())


@blp.post("/campaigns/<uuid:campaign_id>/approvals/<uuid:approval_id>/approve")
@may(May.RUN_CAMPAIGNS)
@blp.response(200, ApprovalAnswer)
def approve(campaign_id: UUID, approval_id: UUID) -> Any:
    """Yes: it is launched for whoever asked"""
    with transaction() as current:
        row = queries.approval(current, campaign_or_404(campaign_id), approval_id)
        approving.approve(current, row, by_id=current_user().id, at=now())
    ring(send_some)
    return row


@blp.post("/campaigns/<uuid:campaign_id>/approvals/<uuid:approval_id>/refuse")
@may(May.RUN_CAMPAIGNS)
@blp.arguments(RefusalInput, unknown=RAISE)
@blp.response(200, ApprovalAnswer)
def refuse(asked: dict[str, Any], campaign_id: UUID, approval_id: UUID) -> Any:
    """No, and why"""
    with transaction() as current:
        row = queries.approval(current, campaign_or_404(campaign_id), approval_id)
        approving.refuse(current, row, words=asked["words"], by_id=current_user().id, at=now())
    return row


@blp.post("/campaigns/<uuid:campaign_id>/move")
@may(May.RUN_CAMPAIGNS)
@blp.arguments(MoveInput, unknown=RAISE)
@blp.response(204)
def move(asked: dict[str, Any], campaign_id: UUID) -> None:
    """It begins at another time"""
    with transaction() as current:
        campaign = campaign_or_404(campaign_id)
        launching.move(current, campaign, asked["scheduled_for"], by_id=current_user().id, at=now())
