"""Visits for other programs: `/api/v1/visits`."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import UUID

from marshmallow import Schema, fields, post_load, validate

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.api.blueprint import Blueprint
from crm.api.lists import ListQuery, listing
from crm.db import session, transaction
from crm.outreach import queries, services
from crm.outreach.models import Visit
from crm.outreach.queries import Narrowed
from crm.outreach.rules import LONGEST_NOTE, Channel, NewVisit, Outcome, Reason
from crm.web.forms import stripped
from crm.web.guard import may

blp = Blueprint("visits_api", __name__, description="Conversations at a door, by phone or at a meeting")


class VisitIn(Schema):
    """A conversation. Without `next_contact_on` the outcome says when to come again."""

    client_id = fields.UUID(
        required=True, metadata={"description": "Made by the caller, once for each visit; it becomes the visit's `id`."}
    )
    prospect_id = fields.UUID(required=True)
    occurred_at = fields.AwareDateTime(
        required=True, metadata={"description": "RFC 3339 with an offset; not ahead, not before 2008."}
    )
    channel = fields.Enum(Channel, by_value=True, required=True)
    outcome = fields.Enum(Outcome, by_value=True, required=True)
    reasons = fields.List(
        fields.Enum(Reason, by_value=True), load_default=list, validate=validate.Length(max=len(Reason))
    )
    note = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=LONGEST_NOTE))
    next_contact_on = fields.Date(load_default=None, allow_none=True)

    @post_load
    def made(self, sent: dict[str, Any], **_kwargs: Any) -> NewVisit:
        return NewVisit(**sent | {"reasons": frozenset(sent["reasons"]), "note": stripped(sent["note"])})


class VisitOut(Schema):
    """A visit that was recorded; `withdrawn_at` says that it was taken back and counts nowhere."""

    id = fields.UUID(required=True)
    client_id = fields.UUID(required=True, metadata={"description": "The same as `id`."})
    prospect_id = fields.UUID(required=True)
    user_id = fields.UUID(required=True)
    organisation_id = fields.UUID(required=True, allow_none=True)
    place = fields.UUID(required=True, attribute="place_id")
    occurred_at = fields.AwareDateTime(required=True)
    recorded_at = fields.AwareDateTime(required=True)
    channel = fields.Enum(Channel, by_value=True, required=True)
    outcome = fields.Enum(Outcome, by_value=True, required=True)
    reasons = fields.List(fields.Enum(Reason, by_value=True), required=True)
    note = fields.String(required=True, allow_none=True)
    next_contact_on = fields.Date(required=True, allow_none=True)
    withdrawn_at = fields.AwareDateTime(required=True, allow_none=True)
    handed_on = fields.Boolean(
        required=True,
        metadata={"description": "The person had left the caller's list; whoever has them now reads the visit."},
    )
    keyed_by_id = fields.UUID(
        required=True, allow_none=True, metadata={"description": "Who typed it in from a paper list."}
    )


class VisitsQuery(ListQuery):
    """Which visits are asked for; days are those of Vietnam, both included."""

    prospect_id = fields.UUID()
    user_id = fields.UUID(metadata={"description": "Who recorded them."})
    outcome = fields.Enum(Outcome, by_value=True)
    since = fields.Date()
    until = fields.Date()


@blp.get("/visits")
@may(May.SEE_PEOPLE)
@blp.arguments(VisitsQuery, location="query")
@blp.response(200, listing(VisitOut))
def listed(asked: dict[str, Any]) -> dict[str, Any]:
    """Visits to people this token sees, the latest first"""
    found = queries.page_of_visits(
        session(), current_scope(), narrowed(asked), cursor=asked["cursor"], size=asked["limit"]
    )
    return {"items": [_typed(line.visit) for line in found.rows], "next": found.next}


@blp.post("/visits")
@may(May.LOG_VISITS)
@blp.arguments(VisitIn)
@blp.response(201, VisitOut)
@blp.alt_response(200, schema=VisitOut)
def record(new: NewVisit) -> Any:
    """Record a visit; the same `client_id` again answers 200 and the visit that is there"""
    with transaction() as current:
        visit, created = services.record_visit(current, current_scope(), new, by=current_user(), at=clock.now())
        return _typed(visit), HTTPStatus.CREATED if created else HTTPStatus.OK


@blp.get("/visits/<uuid:visit_id>")
@may(May.SEE_PEOPLE)
@blp.response(200, VisitOut)
def one(visit_id: UUID) -> Any:
    """One visit"""
    return _typed(queries.visit_and_person(session(), current_scope(), visit_id)[0])


@blp.post("/visits/<uuid:visit_id>/withdraw")
@may(May.LOG_VISITS)
@blp.response(200, VisitOut)
def withdraw(visit_id: UUID) -> Any:
    """Take a visit back; the person stands where the other visits leave them"""
    with transaction() as current:
        visit = services.withdraw_visit(current, current_scope(), visit_id, by=current_user(), at=clock.now())
        return _typed(visit)


def narrowed(asked: dict[str, Any]) -> Narrowed:
    """The filters of a list, days turned into moments."""
    since, until = queries.span(asked.get("since"), asked.get("until"))
    return Narrowed(
        prospect_id=asked.get("prospect_id"),
        user_id=asked.get("user_id"),
        outcome=asked.get("outcome"),
        since=since,
        until=until,
    )


def _typed(visit: Visit) -> dict[str, Any]:
    """The row with its reasons as choices, read while the transaction is open."""
    plain = {name: getattr(visit, name) for name in Visit.__mapper__.columns.keys()}  # noqa: SIM118
    return plain | {"client_id": visit.id, "reasons": [Reason(one) for one in visit.reasons]}
