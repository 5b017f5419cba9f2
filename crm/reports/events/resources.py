"""Communication events for other programs: `/api/v1/events`."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from marshmallow import Schema, fields, validate

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.api.blueprint import Blueprint
from crm.api.lists import ListQuery, listing
from crm.db import session, transaction
from crm.errors import RuleBroken
from crm.places.queries import place_named
from crm.reports.events import queries, services
from crm.reports.events.models import PublicEvent
from crm.reports.events.rules import LONGEST_NOTE, LONGEST_TITLE, LONGEST_VENUE, EventKind, Happened
from crm.web.guard import may

blp = Blueprint("events_api", __name__, description="Meetings, dialogues, broadcasts, leaflets and stalls")


class PublicEventIn(Schema):
    """An event that has taken place."""

    client_id = fields.UUID(
        required=True, metadata={"description": "Made by the caller, once for each event; it becomes the event's `id`."}
    )
    place = fields.String(
        required=True, validate=validate.Length(max=60), metadata={"description": "UUID, CODE or CODE@DATE."}
    )
    kind = fields.Enum(EventKind, by_value=True, required=True)
    held_on = fields.Date(required=True)
    title = fields.String(required=True, validate=validate.Length(min=1, max=LONGEST_TITLE))
    venue = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=LONGEST_VENUE))
    times = fields.Integer(strict=True, load_default=1, metadata={"description": "How often it was held or broadcast."})
    attended = fields.Integer(strict=True, load_default=None, allow_none=True)
    leaflets = fields.Integer(strict=True, load_default=None, allow_none=True)
    note = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=LONGEST_NOTE))


class PublicEventOut(Schema):
    """An event; `withdrawn_at` says that it was taken back and counts nowhere."""

    id = fields.UUID(required=True)
    place = fields.UUID(required=True, attribute="place_id")
    organisation_id = fields.UUID(required=True, allow_none=True)
    kind = fields.Enum(EventKind, by_value=True, required=True)
    held_on = fields.Date(required=True)
    title = fields.String(required=True)
    venue = fields.String(required=True, allow_none=True)
    times = fields.Integer(required=True)
    attended = fields.Integer(required=True, allow_none=True)
    leaflets = fields.Integer(required=True, allow_none=True)
    note = fields.String(required=True, allow_none=True)
    logged_at = fields.AwareDateTime(required=True)
    logged_by_id = fields.UUID(required=True)
    withdrawn_at = fields.AwareDateTime(required=True, allow_none=True)


@blp.get("/events")
@may(May.LOG_VISITS)
@blp.arguments(ListQuery, location="query")
@blp.response(200, listing(PublicEventOut))
def listed(asked: dict[str, Any]) -> dict[str, Any]:
    """Events this token sees, the last held first"""
    found = queries.page_of(session(), current_scope(), cursor=asked["cursor"], size=asked["limit"])
    return {"items": [line.event for line in found.rows], "next": found.next}


@blp.post("/events")
@may(May.LOG_VISITS)
@blp.arguments(PublicEventIn)
@blp.response(201, PublicEventOut)
@blp.alt_response(200, schema=PublicEventOut)
def log(sent: dict[str, Any]) -> Any:
    """Log an event; the same `client_id` again answers 200 and the event that is there"""
    event_id, place = sent.pop("client_id"), sent.pop("place")
    with transaction() as current:
        known = current.get(PublicEvent, (current_scope().town_id, event_id)) is not None
        place_id = _place_for(current, place)
        row = services.log(current, event_id, place_id, Happened(**sent), by=current_user(), at=clock.now())
        return row, HTTPStatus.OK if known else HTTPStatus.CREATED


@blp.get("/events/<uuid:event_id>")
@may(May.LOG_VISITS)
@blp.response(200, PublicEventOut)
def one(event_id: UUID) -> Any:
    """One event"""
    return queries.event_seen(session(), current_scope(), event_id)


@blp.post("/events/<uuid:event_id>/withdraw")
@may(May.LOG_VISITS)
@blp.response(200, PublicEventOut)
def withdraw(event_id: UUID) -> Any:
    """Take back an event that was logged by mistake"""
    with transaction() as current:
        event = queries.event_seen(current, current_scope(), event_id, lock=True)
        services.take_back(current, event, by=current_user(), at=clock.now())
        return event


def _place_for(current: Any, text: str) -> UUID:
    """The ward that is meant, among those in which this person logs events. Raises RuleBroken."""
    scope, user, today = current_scope(), current_user(), clock.today()
    place = place_named(current, scope.town_id, text, today=today)
    if place.id not in {one.id for one in queries.places_for(current, scope, user, today)}:
        raise RuleBroken(_l("You cannot log an event of this ward."), field="place", code="other_place")
    return place.id
