"""Proposals to amend policy for other programs: `/api/v1/amendments`."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from marshmallow import Schema, fields, validate

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.api.blueprint import Blueprint
from crm.api.lists import ListQuery, listing
from crm.db import session, transaction
from crm.places.queries import place_named
from crm.reports.amendments import queries, services
from crm.reports.amendments.models import Amendment
from crm.reports.amendments.rules import LONGEST_WORDS, State, Subject, Words
from crm.web.guard import may

blp = Blueprint("amendments_api", __name__, description="What the field proposes to change in the policy")


class AmendmentsQuery(ListQuery):
    """Which proposals."""

    state = fields.Enum(State, by_value=True, load_default=None)
    subject = fields.Enum(Subject, by_value=True, load_default=None)


class AmendmentIn(Schema):
    """A proposal; `law` may be left empty where the writer does not know it."""

    client_id = fields.UUID(
        required=True, metadata={"description": "Made by the caller, once for each; it becomes the proposal's `id`."}
    )
    place = fields.String(
        required=True, validate=validate.Length(max=60), metadata={"description": "UUID, CODE or CODE@DATE."}
    )
    subject = fields.Enum(Subject, by_value=True, required=True)
    happens = fields.String(required=True, validate=validate.Length(min=1, max=LONGEST_WORDS))
    change = fields.String(required=True, validate=validate.Length(min=1, max=LONGEST_WORDS))
    law = fields.String(load_default="", validate=validate.Length(max=LONGEST_WORDS))


class AmendmentOut(Schema):
    """A proposal with the wording that stands; `joined` counts others that say the same and go along with it."""

    id = fields.UUID(required=True)
    subject = fields.Enum(Subject, by_value=True, required=True)
    state = fields.Enum(State, by_value=True, required=True)
    place_id = fields.UUID(required=True)
    written_at = fields.AwareDateTime(required=True)
    joined_to_id = fields.UUID(required=True, allow_none=True)
    joined = fields.Integer(required=True)
    law = fields.String(required=True)
    happens = fields.String(required=True)
    change = fields.String(required=True)


@blp.get("/amendments")
@blp.arguments(AmendmentsQuery, location="query")
@blp.response(200, listing(AmendmentOut))
@may(May.SEE_AMENDMENTS)
def amendments(asked: dict[str, Any]) -> dict[str, Any]:
    """Proposals somebody may see, the last written first"""
    scope = current_scope()
    seen = queries.seen_by(scope, front=queries.is_the_fronts(session(), scope))
    narrowed = {name: asked[name] for name in ("state", "subject", "cursor")}
    found = queries.page_of(session(), seen, **narrowed, size=asked["limit"])
    return {"items": [_told(one) for one in found.rows], "next": found.next}


@blp.post("/amendments")
@blp.arguments(AmendmentIn)
@blp.response(201, AmendmentOut)
@blp.alt_response(200, schema=AmendmentOut)
@may(May.PROPOSE_AMENDMENTS)
def write(sent: dict[str, Any]) -> Any:
    """Write a proposal; the same `client_id` again answers 200 and the proposal that is there"""
    words = Words(sent["law"], sent["happens"], sent["change"])
    with transaction() as current:
        town_id = current_scope().town_id
        known = current.get(Amendment, (town_id, sent["client_id"])) is not None
        place = place_named(current, town_id, sent["place"], today=clock.today())
        told = sent["client_id"], sent["subject"], place.id, words
        row = services.write(current, *told, by=current_user(), at=clock.now())
        return _told(queries.line_of(current, row)), HTTPStatus.OK if known else HTTPStatus.CREATED


def _told(line: queries.Line) -> dict[str, Any]:
    of_row = {
        name: getattr(line.row, name) for name in ("id", "subject", "state", "place_id", "written_at", "joined_to_id")
    }
    words = {name: getattr(line.words, name) for name in ("law", "happens", "change")}
    return of_row | words | {"joined": line.joined}
