"""Money that goes back, receipts that are put right, closed months and the decisions of a second person, for other programs."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import UUID

from flask import Response, jsonify, make_response, url_for
from marshmallow import Schema, fields, validate

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.api.blueprint import Blueprint
from crm.api.description import Problem
from crm.api.lists import ListQuery, listing
from crm.db import session, transaction
from crm.months import Month
from crm.sponsors import queries as sponsoring
from crm.sponsors.ledger import deciding, queries
from crm.sponsors.ledger.models import MoneyRequest
from crm.sponsors.ledger.rules import Decision, MoneyAct
from crm.sponsors.rules import MOST_DONG, Movement
from crm.web.guard import may

blp = Blueprint("ledger_api", __name__, description="The account book under sponsors' money")

REASON = [validate.Length(1, 300), validate.Regexp(r"\S", error="Write something other than spaces.")]


class MoneyRequestOut(Schema):
    """An act above the limit that waits for a second person, or was decided."""

    id = fields.UUID(required=True)
    act = fields.Enum(MoneyAct, by_value=True, required=True)
    arguments = fields.Dict(required=True)
    amount = fields.Integer(required=True)
    reason = fields.String(required=True, allow_none=True)
    sponsor_id = fields.UUID(required=True, allow_none=True)
    asked_by_id = fields.UUID(required=True)
    asked_at = fields.AwareDateTime(required=True)
    decision = fields.Enum(Decision, by_value=True, required=True, allow_none=True)
    decided_by_id = fields.UUID(required=True, allow_none=True)
    decided_at = fields.AwareDateTime(required=True, allow_none=True)
    words = fields.String(required=True, allow_none=True)


class PostingOut(Schema):
    """A movement in the account book."""

    id = fields.UUID(required=True)
    movement = fields.Enum(Movement, by_value=True, required=True)
    posted_on = fields.Date(required=True)
    memo = fields.String(required=True, allow_none=True)
    recorded_at = fields.AwareDateTime(required=True)
    reverses_id = fields.UUID(required=True, allow_none=True)


class RefundIn(Schema):
    """Money that went back to a sponsor: only what is not set aside."""

    amount = fields.Integer(required=True, strict=True, validate=validate.Range(1, MOST_DONG - 1))
    reason = fields.String(required=True, validate=REASON)
    reference = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=60))


class CorrectionIn(Schema):
    """Why a receipt was wrong."""

    reason = fields.String(required=True, validate=REASON)


class DecisionIn(Schema):
    """Yes or no; a no takes words."""

    decision = fields.Enum(Decision, by_value=True, required=True)
    words = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=300))


class PeriodOut(Schema):
    """A closed month of the book."""

    month = fields.Function(lambda row: str(Month.of(row.period.month)), required=True, metadata={"type": "string"})
    closed_at = fields.AwareDateTime(required=True, attribute="period.closed_at")
    closed_by = fields.String(required=True, attribute="by")
    postings = fields.Integer(required=True, attribute="period.postings")
    balances = fields.Dict(required=True, attribute="period.balances")
    moved = fields.Dict(required=True, attribute="period.moved")
    digest = fields.String(required=True, attribute="period.digest")


class PeriodsOut(Schema):
    """Closed months, the latest first."""

    items = fields.List(fields.Nested(PeriodOut), required=True)


@blp.post("/sponsors/<uuid:sponsor_id>/refunds")
@may(May.RECORD_MONEY)
@blp.arguments(RefundIn)
@blp.response(201, PostingOut)
@blp.alt_response(202, schema=MoneyRequestOut)
@blp.alt_response(409, schema=Problem)
def add_refund(sent: dict[str, Any], sponsor_id: UUID) -> Any:
    """Money went back to a sponsor; what is above the limit for one person waits for a second (202)"""
    with transaction() as current:
        by = sponsoring.sponsor(current, current_scope(), sponsor_id)
        done = deciding.refund_or_ask(current, by, sent["amount"], **_told(sent), **_asking())
        return asked(done) or (done, int(HTTPStatus.CREATED))


@blp.post("/receipts/<uuid:receipt_id>/correction")
@may(May.RECORD_MONEY)
@blp.arguments(CorrectionIn)
@blp.response(201, PostingOut)
@blp.alt_response(202, schema=MoneyRequestOut)
@blp.alt_response(409, schema=Problem)
def add_correction(sent: dict[str, Any], receipt_id: UUID) -> Any:
    """A receipt is taken back exactly, and its reference is free; above the limit it waits for a second person (202)"""
    with transaction() as current:
        wrong = sponsoring.receipt(current, current_scope(), receipt_id)
        done = deciding.correct_or_ask(current, wrong, reason=sent["reason"], **_asking())
        return asked(done) or (done, int(HTTPStatus.CREATED))


@blp.get("/money-requests")
@may(May.SEE_SPONSORS)
@blp.arguments(ListQuery, location="query")
@blp.response(200, listing(MoneyRequestOut))
def requests(given: dict[str, Any]) -> dict[str, Any]:
    """Acts above the limit, in the order they were asked for"""
    found = queries.all_requests(session(), current_scope(), cursor=given["cursor"], size=given["limit"])
    return {"items": found.rows, "next": found.next}


@blp.get("/money-requests/<uuid:asked_id>")
@may(May.SEE_SPONSORS)
@blp.response(200, MoneyRequestOut)
def one_request(asked_id: UUID) -> MoneyRequest:
    """One of them"""
    return queries.request(session(), current_scope(), asked_id).request


@blp.post("/money-requests/<uuid:asked_id>/decision")
@may(May.RECORD_MONEY)
@blp.arguments(DecisionIn)
@blp.response(200, MoneyRequestOut)
@blp.alt_response(409, schema=Problem)
def decide(sent: dict[str, Any], asked_id: UUID) -> MoneyRequest:
    """Approve, which does it at once, or refuse; whoever asked cannot decide"""
    with transaction() as current:
        found = queries.request(current, current_scope(), asked_id).request
        deciding.decide(current, found, sent["decision"], words=sent["words"], **_asking())
        return found


@blp.get("/ledger-periods")
@may(May.SEE_SPONSORS)
@blp.response(200, PeriodsOut)
def periods() -> dict[str, Any]:
    """Closed months of the account book, the latest first"""
    return {"items": queries.closed_months(session(), current_scope().town_id)}


def asked(done: object) -> Response | None:
    """The answer when an act waits for a second person: 202, the request and its address."""
    if not isinstance(done, MoneyRequest):
        return None
    address = {"Location": url_for("ledger_api.one_request", asked_id=done.id)}
    return make_response(jsonify(MoneyRequestOut().dump(done)), HTTPStatus.ACCEPTED, address)


def _asking() -> dict[str, Any]:
    return {"by": current_user(), "on": clock.today(), "at": clock.now()}


def _told(sent: dict[str, Any]) -> dict[str, Any]:
    return {"reason": sent["reason"], "reference": sent["reference"]}
