"""Templates of messages, for other programs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from marshmallow import RAISE, Schema, fields, validate

from crm.accounts.gateway import current_user
from crm.accounts.rules import May
from crm.api.blueprint import Blueprint
from crm.api.description import Problem
from crm.api.lists import ListQuery, listing
from crm.campaigns.templating import queries, services
from crm.campaigns.templating.rules import Registered
from crm.clock import now, today
from crm.db import session, transaction
from crm.errors import Conflict, RuleBroken
from crm.prospects.rules import Purpose
from crm.web.guard import may
from crm.web.problems import problem

blp = Blueprint(
    "templating_api", __name__, description="Templates of messages, their versions, and what the carrier said"
)


class TemplateInput(Schema):
    """A new template; its text may name places such as {ten}."""

    name = fields.String(required=True, validate=validate.Length(1, 120))
    purpose = fields.Enum(Purpose, by_value=True, required=True)
    text = fields.String(required=True, validate=validate.Length(1, 1000))


class TemplateChange(Schema):
    """Another name or text; another text is a new version."""

    name = fields.String(validate=validate.Length(1, 120))
    text = fields.String(validate=validate.Length(1, 1000))


class TemplateAnswer(Schema):
    """A template with its latest version."""

    id = fields.UUID(required=True, attribute="template.id")
    name = fields.String(required=True, attribute="template.name")
    purpose = fields.Enum(Purpose, by_value=True, required=True, attribute="template.purpose")
    archived_at = fields.AwareDateTime(required=True, allow_none=True, attribute="template.archived_at")
    version = fields.Integer(required=True, attribute="version.number")
    version_id = fields.UUID(required=True, attribute="version.id")
    text = fields.String(required=True, attribute="version.text")
    registered = fields.Enum(Registered, by_value=True, required=True)


class TemplateQuery(ListQuery):
    """Which templates."""

    archived = fields.Boolean(load_default=False)
    purpose = fields.Enum(Purpose, by_value=True, load_default=None)


class RegistrationInput(Schema):
    """What became of registering the latest version."""

    sender = fields.String(required=True, validate=validate.Length(1, 11))
    state = fields.Enum(Registered, by_value=True, required=True)
    number = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=60))
    words = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=300))
    on = fields.Date(load_default=None, allow_none=True)


def _shown(template_id: UUID) -> queries.Shown:
    return queries.template(session(), current_user().town_id, template_id)


def _tagged(template_id: UUID) -> tuple[queries.Shown, dict[str, str]]:
    shown = _shown(template_id)
    return shown, {"ETag": f'"{shown.template.number}"'}


@blp.get("/message-templates")
@may(May.SEE_MESSAGES)
@blp.arguments(TemplateQuery, location="query", unknown=RAISE)
@blp.response(200, listing(TemplateAnswer))
def templates(asked: dict[str, Any]) -> dict[str, Any]:
    """Templates by name: those in use, or those put away"""
    size = asked.pop("limit")
    page = queries.templates(session(), current_user().town_id, **asked, size=size)
    return {"items": page.rows, "next": page.next}


@blp.post("/message-templates")
@may(May.RUN_CAMPAIGNS)
@blp.arguments(TemplateInput, unknown=RAISE)
@blp.response(201, TemplateAnswer)
def add(asked: dict[str, Any]) -> Any:
    """A new template with its first version"""
    user = current_user()
    with transaction() as current:
        made = services.add_template(current, user.town_id, **asked, by_id=user.id, at=now())
        return _tagged(made.id)


@blp.get("/message-templates/<uuid:template_id>")
@may(May.SEE_MESSAGES)
@blp.response(200, TemplateAnswer)
def one(template_id: UUID) -> Any:
    """One template"""
    return _tagged(template_id)


@blp.patch("/message-templates/<uuid:template_id>")
@may(May.RUN_CAMPAIGNS)
@blp.arguments(TemplateChange, unknown=RAISE)
@blp.response(200, TemplateAnswer)
@blp.alt_response(412, schema=Problem)
@blp.alt_response(428, schema=Problem)
def change(asked: dict[str, Any], template_id: UUID) -> Any:
    """Another name or text; `If-Match` must be the `ETag` that was read"""
    if not request.headers.get("If-Match"):
        return problem(428, detail=_("Send the ETag you read as If-Match."), code="if_match_missing")
    shown, tags = _shown(template_id), request.if_match
    number = None if tags.star_tag else shown.template.number if str(shown.template.number) in tags else 0
    told = {"name": shown.template.name, "text": shown.version.text, **asked}
    try:
        with transaction() as current:
            services.change_template(current, shown.template, **told, number=number, by_id=current_user().id, at=now())
            return _tagged(template_id)
    except Conflict as refused:
        if refused.code != "stale":
            raise
        return problem(412, detail=str(refused), code="stale")


@blp.post("/message-templates/<uuid:template_id>/registrations")
@may(May.RUN_CAMPAIGNS)
@blp.arguments(RegistrationInput, unknown=RAISE)
@blp.response(201, TemplateAnswer)
def register(asked: dict[str, Any], template_id: UUID) -> Any:
    """Write down what the carrier said of the latest version"""
    on = asked.pop("on") or today()
    if on > today():
        raise RuleBroken(_l("This day is still to come."), field="on")
    with transaction() as current:
        services.register(current, _shown(template_id).version, **asked, on=on, by_id=current_user().id, at=now())
        return _tagged(template_id)


@blp.post("/message-templates/<uuid:template_id>/archive")
@may(May.RUN_CAMPAIGNS)
@blp.response(200, TemplateAnswer)
def archive(template_id: UUID) -> Any:
    """Offer it no more; what used it keeps it"""
    with transaction() as current:
        services.archive(current, _shown(template_id).template, by_id=current_user().id, at=now())
        return _tagged(template_id)


@blp.post("/message-templates/<uuid:template_id>/restore")
@may(May.RUN_CAMPAIGNS)
@blp.response(200, TemplateAnswer)
def restore(template_id: UUID) -> Any:
    """Offer it again"""
    with transaction() as current:
        services.restore(current, _shown(template_id).template)
        return _tagged(template_id)
