"""Lists D05-TS for other programs: `/api/v1/dossiers/lists`; their rows carry whole numbers only in the files."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import Schema, fields, validate

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.api.blueprint import Blueprint
from crm.api.lists import MOST, ListQuery, listing
from crm.db import session, transaction
from crm.joining import services
from crm.joining.lists.queries import list_seen, lists_of
from crm.joining.models import DossierList
from crm.joining.rules import Outcome
from crm.web.guard import may

blp = Blueprint("dossier_lists", __name__, description="Lists of papers that go to the insurance office together")


class GatherIn(Schema):
    """Which dossiers go together; all of them were handed over."""

    dossier_ids = fields.List(fields.UUID(), required=True, validate=validate.Length(min=1, max=MOST))


class SubmitIn(Schema):
    submitted_on = fields.Date(required=True)


class ListOut(Schema):
    """A list as one among others."""

    id = fields.UUID(required=True)
    number = fields.String(required=True, metadata={"example": "3/2026"})
    made_at = fields.AwareDateTime(required=True)
    submitted_on = fields.Date(required=True, allow_none=True)


class CountedOut(ListOut):
    """The same with how many rows of it this token sees, and what became of those."""

    rows = fields.Integer(required=True)
    accepted = fields.Integer(required=True)
    returned = fields.Integer(required=True)


class RowOut(Schema):
    """Whose papers stand in a row, and the office's answer, once the list was handed in."""

    number = fields.Integer(required=True)
    dossier_id = fields.UUID(required=True)
    prospect_id = fields.UUID(required=True)
    outcome = fields.Enum(Outcome, by_value=True, required=True, allow_none=True)


class ListWhole(ListOut):
    """A list with the rows this token sees; `whole` where these are all."""

    whole = fields.Boolean(required=True)
    rows = fields.List(fields.Nested(RowOut), required=True)


@blp.get("/dossiers/lists")
@may(May.SEE_PEOPLE)
@blp.arguments(ListQuery, location="query")
@blp.response(200, listing(CountedOut))
def listed(asked: dict[str, Any]) -> dict[str, Any]:
    """Lists of which this token sees something, the latest first"""
    found = lists_of(session(), current_scope(), cursor=asked["cursor"], size=asked["limit"])
    items = [
        _columns(one.of)
        | {
            "rows": one.rows,
            "accepted": one.outcomes.get(Outcome.ACCEPTED, 0),
            "returned": one.outcomes.get(Outcome.RETURNED, 0),
        }
        for one in found.rows
    ]
    return {"items": items, "next": found.next}


@blp.post("/dossiers/lists")
@may(May.ENROL)
@blp.arguments(GatherIn)
@blp.response(201, ListWhole)
def gather(sent: dict[str, Any]) -> dict[str, Any]:
    """Put dossiers that were handed over into a numbered list; its rows say which: those that moved on are left out"""
    with transaction() as current:
        made = services.gather(current, current_scope(), sent["dossier_ids"], by=current_user(), at=clock.now())
        return _whole(made.id)


@blp.get("/dossiers/lists/<uuid:dossier_list_id>")
@may(May.SEE_PEOPLE)
@blp.response(200, ListWhole)
def one(dossier_list_id: UUID) -> dict[str, Any]:
    """One list with its rows"""
    return _whole(dossier_list_id)


@blp.post("/dossiers/lists/<uuid:dossier_list_id>/submit")
@may(May.ENROL)
@blp.arguments(SubmitIn)
@blp.response(200, ListWhole)
def submit(sent: dict[str, Any], dossier_list_id: UUID) -> dict[str, Any]:
    """Note that the list was handed in: its rows stay as they stand that day"""
    with transaction() as current:
        on, by = sent["submitted_on"], current_user()
        services.submit(current, current_scope(), dossier_list_id, on, by=by, at=clock.now())
        return _whole(dossier_list_id)


def _columns(of: DossierList) -> dict[str, Any]:
    return {"id": of.id, "number": of.label, "made_at": of.made_at, "submitted_on": of.submitted_on}


def _whole(list_id: UUID) -> dict[str, Any]:
    shown = list_seen(session(), current_scope(), list_id, clock.today())
    rows = [
        {
            "number": line.number,
            "dossier_id": line.dossier_id,
            "prospect_id": line.prospect_id,
            "outcome": line.answer.outcome if line.answer else None,
        }
        for line in shown.lines
    ]
    return _columns(shown.of) | {"whole": shown.whole, "rows": rows}
