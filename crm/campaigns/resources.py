"""Messages and campaigns for other programs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import current_app, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from marshmallow import RAISE, Schema, fields, validate

from crm.accounts.gateway import current_scope, current_user
from crm.accounts.queries import organisation_by_code
from crm.accounts.rules import May
from crm.api.blueprint import Blueprint
from crm.api.description import Problem
from crm.api.lists import ListQuery, listing
from crm.background import ring
from crm.campaigns import queries
from crm.campaigns.models import Campaign
from crm.campaigns.preflight.rules.sums import Sums
from crm.campaigns.routes.acts import ring_after_launch
from crm.campaigns.rules import texts
from crm.campaigns.rules.delivery import Delivery
from crm.campaigns.rules.reasons import REASONS
from crm.campaigns.rules.stages import Content, Stage
from crm.campaigns.services import drafting, launching
from crm.campaigns.showing import shown_body
from crm.campaigns.templating.queries import template
from crm.campaigns.templating.queries import version as template_version
from crm.clock import now, today
from crm.db import session, transaction
from crm.errors import Conflict, NotFound, RuleBroken
from crm.places.queries import place_named
from crm.prospects.lists.queries import segment_seen
from crm.prospects.queries.seeing import visible_to
from crm.prospects.rules import Ground, Purpose
from crm.prospects.rules import Stage as PersonStage
from crm.web.guard import may
from crm.web.problems import problem
from tasks.campaigns import send_some

blp = Blueprint("messages", __name__, description="What a text costs, campaigns, and what became of each message")


class PreviewInput(Schema):
    """A text, and values for its {places}; without `variables` the text is counted as it stands."""

    text = fields.String(required=True, validate=validate.Length(max=5000))
    variables = fields.Dict(keys=fields.String(), values=fields.String(), load_default=None, allow_none=True)


class SizeAnswer(Schema):
    """`characters` are the units that are charged: septets in GSM-7, UTF-16 units in UCS-2."""

    text = fields.String(required=True)
    encoding = fields.String(required=True, validate=validate.OneOf([texts.GSM_7, texts.UCS_2]))
    characters = fields.Integer(required=True)
    segments = fields.Integer(required=True)


class PreviewAnswer(SizeAnswer):
    """`costly` are the letters that force UCS-2, `double` those that count twice in GSM-7."""

    unaccented = fields.Nested(SizeAnswer, required=True)
    costly = fields.List(fields.String(), required=True)
    double = fields.List(fields.String(), required=True)


def _sized(text: str, size: texts.Size) -> dict[str, Any]:
    return {"text": text, "encoding": size.encoding, "characters": size.characters, "segments": size.segments}


@blp.post("/sms/preview")
@may(May.SEE_OWN_ACCOUNT)
@blp.arguments(PreviewInput, unknown=RAISE)
@blp.response(200, PreviewAnswer)
def preview(asked: dict[str, Any]) -> dict[str, Any]:
    """What a text costs, with accents and without"""
    shown = texts.preview(asked["text"], asked["variables"])
    plain = _sized(shown.plain_text, shown.plain_size)
    own = _sized(shown.text, shown.size)
    return {**own, "unaccented": plain, "costly": shown.costly, "double": shown.double}


class SegmentInput(Schema):
    """Who is meant; what is absent does not narrow."""

    list = fields.String(
        validate=validate.Regexp(r"^[\w-]{1,60}$"),
        metadata={"description": "A saved list by its id, or one that stands ready by its key"},
    )
    place = fields.String(metadata={"description": "A UUID, CODE or CODE@DATE"})
    stage = fields.Enum(PersonStage, by_value=True)
    standing = fields.Enum(Ground, by_value=True)
    organisation = fields.String(metadata={"description": "The organisation's code"})
    volunteer = fields.UUID()


CONTROL_SHARES = (0, 5, 10, 20, 50)


class CampaignChange(Schema):
    """What may be changed of a draft; what is absent stays."""

    name = fields.String(validate=validate.Length(1, 120))
    text = fields.String(validate=validate.Length(1, 1000))
    template_version = fields.UUID(metadata={"description": "Takes the text and the purpose of this version"})
    purpose = fields.Enum(Purpose, by_value=True)
    segment = fields.Nested(SegmentInput(unknown=RAISE))
    accented = fields.Boolean()
    scheduled_for = fields.AwareDateTime(
        allow_none=True, metadata={"description": "When it begins, within the hours; null is as soon as it is launched"}
    )
    last_day = fields.Date(allow_none=True, metadata={"description": "What has not left by then is not sent any more"})
    budget = fields.Integer(allow_none=True, strict=True, validate=validate.Range(1, 10**12))
    control_percent = fields.Integer(strict=True, validate=validate.OneOf(CONTROL_SHARES))
    follow_days = fields.Integer(strict=True, validate=validate.Range(1, 365))


class CampaignInput(CampaignChange):
    """A new campaign: a text with its purpose, or a template's version."""

    name = fields.String(required=True, validate=validate.Length(1, 120))
    segment = fields.Nested(SegmentInput(unknown=RAISE), load_default=dict)


class CampaignAnswer(Schema):
    """A campaign as it stands."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    text = fields.String(required=True)
    template_version = fields.UUID(required=True, allow_none=True, attribute="template_version_id")
    purpose = fields.Enum(Purpose, by_value=True, required=True)
    stage = fields.Enum(Stage, by_value=True, required=True)
    accented = fields.Boolean(required=True)
    segment = fields.Dict(required=True)
    scheduled_for = fields.AwareDateTime(required=True, allow_none=True)
    last_day = fields.Date(required=True, allow_none=True)
    budget = fields.Integer(required=True, allow_none=True)
    control_percent = fields.Integer(required=True)
    follow_days = fields.Integer(required=True)
    version = fields.Integer(required=True)
    created_at = fields.AwareDateTime(required=True)
    launched_at = fields.AwareDateTime(required=True, allow_none=True)
    expires_at = fields.AwareDateTime(required=True, allow_none=True)


class PreflightAnswer(Schema):
    """What a launch would do; `excluded` counts people by reason, `cost` is whole đồng."""

    people = fields.Integer(required=True)
    messages = fields.Integer(required=True)
    segments = fields.Integer(required=True)
    plain_segments = fields.Integer(required=True)
    accented_segments = fields.Integer(required=True)
    price = fields.Integer(required=True)
    cost = fields.Integer(required=True)
    shapes = fields.Integer(required=True, metadata={"description": "How many different texts there are"})
    warned = fields.Dict(
        keys=fields.String(), values=fields.Integer(), required=True, metadata={"description": "Messages to look at"}
    )
    costly = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        required=True,
        metadata={"description": "Letters that force UCS-2"},
    )
    excluded = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    sample = fields.String(required=True)


class MessagesQuery(ListQuery):
    """Which messages."""

    state = fields.Enum(Delivery, by_value=True, load_default=None)
    campaign = fields.UUID(load_default=None)
    prospect = fields.UUID(load_default=None)


class MessageAnswer(Schema):
    """A message and what became of it."""

    id = fields.UUID(required=True)
    campaign_id = fields.UUID(required=True, allow_none=True)
    reminder = fields.String(required=True, allow_none=True)
    prospect_id = fields.UUID(required=True, allow_none=True)
    purpose = fields.Enum(Purpose, by_value=True, required=True)
    phone = fields.String(required=True, allow_none=True)
    text = fields.Function(shown_body, required=True, metadata={"type": "string"})
    segments = fields.Integer(required=True)
    state = fields.Enum(Delivery, by_value=True, required=True)
    reason = fields.String(required=True, allow_none=True)
    why = fields.Function(
        lambda row: str(REASONS[row.reason]) if row.reason else None,
        required=True,
        metadata={"type": ["string", "null"]},
    )
    error_code = fields.Integer(required=True, allow_none=True)
    made_at = fields.AwareDateTime(required=True)
    sent_at = fields.AwareDateTime(required=True, allow_none=True, attribute="claimed_at")


def _found(campaign_id: UUID) -> Campaign:
    found = session().get(Campaign, (current_user().town_id, campaign_id))
    if found is None:
        raise NotFound
    return found


def _segment(asked: dict[str, Any]) -> dict[str, str]:
    """The filter as it is kept: ids and words."""
    town_id, kept = current_user().town_id, {name: str(value) for name, value in asked.items()}
    if "place" in kept:
        kept["place"] = str(place_named(session(), town_id, kept["place"], today=today()).id)
    if "organisation" in kept:
        organisation = organisation_by_code(session(), town_id, kept["organisation"])
        if organisation is None:
            raise RuleBroken(_l("There is no such organisation here."), field="segment.organisation")
        kept["organisation"] = str(organisation.id)
    if "list" in kept:
        segment_seen(session(), current_scope(), current_user(), kept["list"])
    return kept


def _public_url() -> str:
    return str(current_app.config["SETTINGS"].public_url)


@blp.get("/campaigns")
@may(May.SEE_MESSAGES)
@blp.arguments(ListQuery, location="query", unknown=RAISE)
@blp.response(200, listing(CampaignAnswer, "CampaignPage"))
def campaigns(asked: dict[str, Any]) -> dict[str, Any]:
    """Campaigns, the newest first"""
    page = queries.page_of_campaigns(session(), current_user().town_id, cursor=asked["cursor"], size=asked["limit"])
    return {"items": page.rows, "next": page.next}


@blp.post("/campaigns")
@may(May.RUN_CAMPAIGNS)
@blp.arguments(CampaignInput, unknown=RAISE)
@blp.response(201, CampaignAnswer)
def draft(asked: dict[str, Any]) -> Any:
    """A new campaign, not yet launched"""
    user, values = current_user(), _values(asked)
    if not values.get("text") or not values.get("purpose"):
        raise RuleBroken(_l("Send a text with its purpose, or a template_version."), field="text")
    content = Content(**{name: values.pop(name) for name in ("name", "text", "purpose", "segment")})
    with transaction() as current:
        made = drafting.draft_campaign(current, user.town_id, content, by_id=user.id, at=now())
        drafting.change(current, made, values, version=None, at=now())
    return _tagged(made)


@blp.get("/campaigns/<uuid:campaign_id>")
@may(May.SEE_MESSAGES)
@blp.response(200, CampaignAnswer)
def campaign(campaign_id: UUID) -> Any:
    """One campaign"""
    return _tagged(_found(campaign_id))


@blp.patch("/campaigns/<uuid:campaign_id>")
@may(May.RUN_CAMPAIGNS)
@blp.arguments(CampaignChange, unknown=RAISE)
@blp.response(200, CampaignAnswer)
@blp.alt_response(412, schema=Problem)
@blp.alt_response(428, schema=Problem)
def change(asked: dict[str, Any], campaign_id: UUID) -> Any:
    """Change a draft; `If-Match` must be the `ETag` that was read"""
    if not request.headers.get("If-Match"):
        return problem(428, detail=_("Send the ETag you read as If-Match."), code="if_match_missing")
    found = _found(campaign_id)
    try:
        with transaction() as current:
            drafting.change(current, found, _values(asked), version=_expected(found.version), at=now())
    except Conflict as refused:
        if refused.code != "stale":
            raise
        return problem(412, detail=str(refused), code="stale")
    return _tagged(found)


def _values(asked: dict[str, Any]) -> dict[str, Any]:
    """What was sent, as a campaign keeps it."""
    values = dict(asked)
    if "segment" in values:
        values["segment"] = _segment(values["segment"])
    if "template_version" in values:
        version = template_version(session(), current_user().town_id, values.pop("template_version"))
        shown = template(session(), current_user().town_id, version.template_id)
        values |= {"text": version.text, "purpose": shown.template.purpose, "template_version_id": version.id}
    elif "text" in values:
        values["template_version_id"] = None
    if values.get("scheduled_for"):
        launching.check_time(session(), current_user().town_id, values["scheduled_for"], now())
    return values


def _expected(now_: int) -> int:
    """The version that `If-Match` names; `*` is whatever there is; anything else is one that never was."""
    tags = request.if_match
    return now_ if tags.star_tag or str(now_) in tags else 0


def _tagged(found: Campaign) -> tuple[Campaign, dict[str, str]]:
    return found, {"ETag": f'"{found.version}"'}


@blp.get("/campaigns/<uuid:campaign_id>/preflight")
@may(May.SEE_MESSAGES)
@blp.response(200, PreflightAnswer)
def preflight(campaign_id: UUID) -> Sums:
    """What a launch would do now among the people one sees: messages, segments, cost, who is left out and why"""
    found, visible = _found(campaign_id), visible_to(current_scope())
    return launching.preflight(
        session(), found, public_url=_public_url(), at=now(), visible=visible, by_id=current_user().id
    )


@blp.post("/campaigns/<uuid:campaign_id>/launch")
@may(May.RUN_CAMPAIGNS)
@blp.response(200, CampaignAnswer)
def launch(campaign_id: UUID) -> Campaign:
    """Freeze the audience and let it run, or wait for its time; a large one is `preparing` first

    Above the town's limit it answers 409 `needs_second`: ask for a second person's yes."""
    with transaction() as current:
        found = _found(campaign_id)
        launching.launch(current, found, public_url=_public_url(), by_id=current_user().id, at=now())
    ring_after_launch(found)
    return found


@blp.post("/campaigns/<uuid:campaign_id>/pause")
@may(May.RUN_CAMPAIGNS)
@blp.response(200, CampaignAnswer)
def pause(campaign_id: UUID) -> Campaign:
    """Nothing more leaves for now"""
    with transaction() as current:
        found = _found(campaign_id)
        launching.pause(current, found, by_id=current_user().id, at=now())
    return found


@blp.post("/campaigns/<uuid:campaign_id>/resume")
@may(May.RUN_CAMPAIGNS)
@blp.response(200, CampaignAnswer)
def resume(campaign_id: UUID) -> Campaign:
    """It goes on where it stopped; one whose time was missed begins now"""
    with transaction() as current:
        found = _found(campaign_id)
        launching.resume(current, found, by_id=current_user().id, at=now())
    ring(send_some)
    return found


@blp.post("/campaigns/<uuid:campaign_id>/cancel")
@may(May.RUN_CAMPAIGNS)
@blp.response(200, CampaignAnswer)
def cancel(campaign_id: UUID) -> Campaign:
    """What has not left is called off"""
    with transaction() as current:
        found = _found(campaign_id)
        launching.cancel(current, found, now(), by_id=current_user().id)
    return found


@blp.get("/messages")
@may(May.SEE_MESSAGES)
@blp.arguments(MessagesQuery, location="query", unknown=RAISE)
@blp.response(200, listing(MessageAnswer, "MessagePage"))
def messages(asked: dict[str, Any]) -> dict[str, Any]:
    """Messages to the people one sees, and to whom works here or gives, the newest first: what was sent, what was not, and why

    Addresses that belong to one sponsor alone are left out of the text."""
    scope = current_scope()
    narrowed = {"state": asked["state"], "campaign_id": asked["campaign"], "prospect_id": asked["prospect"]}
    query = queries.messages_seen(
        scope.town_id, visible_to(scope), queries.without_a_person(scope, current_user()), **narrowed
    )
    page = queries.page_of_messages(session(), query, cursor=asked["cursor"], size=asked["limit"])
    return {"items": [row.message for row in page.rows], "next": page.next}
