"""Proposals whom to fund, for other programs."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import UUID

from flask import url_for
from marshmallow import Schema, fields, validate

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.api.blueprint import Blueprint
from crm.api.description import Problem
from crm.api.lists import ListQuery, listing
from crm.background import ring
from crm.db import session, transaction
from crm.sponsors.matching import queries, services, showing
from crm.sponsors.matching.models import FundingProposal
from crm.sponsors.matching.rules.needs import RUNS, USUAL, Rest, Terms, Why
from crm.sponsors.matching.rules.states import LineState, ProposalState
from crm.web.guard import may
from tasks.matching import make, settle

blp = Blueprint(
    "matching_api", __name__, description="Whom sponsors' money should carry next, and what a treasurer makes of it"
)


class ProposalIn(Schema):
    """How a proposal is asked for."""

    sponsors = fields.List(
        fields.UUID(),
        load_default=list,
        validate=validate.Length(max=1_000),
        metadata={"description": "Whose money; absent or empty, of every sponsor who has some."},
    )
    months = fields.Integer(
        load_default=USUAL,
        strict=True,
        validate=validate.OneOf(RUNS),
        metadata={"description": "For each person, where a sponsor names no number."},
    )
    past_certificate = fields.Boolean(load_default=False, truthy={True}, falsy={False})


class ProposalOut(Schema):
    """A proposal; its lines are there once it is `ready`."""

    id = fields.UUID(required=True)
    state = fields.Enum(ProposalState, by_value=True, required=True)
    as_of = fields.Date(required=True)
    sponsors = fields.List(fields.UUID(), required=True)
    months = fields.Integer(required=True)
    past_certificate = fields.Boolean(required=True)
    people = fields.Integer(required=True)
    asked_at = fields.AwareDateTime(required=True)


class FundingLineOut(Schema):
    """Somebody in a proposal: whose money would carry which months, or why nobody's does (`why`)."""

    id = fields.UUID(required=True)
    position = fields.Integer(required=True)
    state = fields.Enum(LineState, by_value=True, required=True)
    prospect_id = fields.UUID(required=True)
    sponsor_id = fields.UUID(required=True, allow_none=True)
    start = fields.String(required=True, allow_none=True)
    months = fields.Integer(required=True, allow_none=True)
    amount = fields.Integer(required=True, allow_none=True)
    why = fields.Enum(Why, by_value=True, required=True, allow_none=True)
    because = fields.String(required=True)
    words = fields.String(required=True, allow_none=True)
    allocation_id = fields.UUID(required=True, allow_none=True)


class OfferOut(Schema):
    """What a sponsor had, what would be left, and why that could not be used."""

    sponsor_id = fields.UUID(required=True)
    available = fields.Integer(required=True)
    proposed = fields.Integer(required=True)
    after = fields.Integer(required=True)
    why = fields.Enum(Rest, by_value=True, required=True)
    cheapest = fields.Integer(required=True, allow_none=True)


class LinesQuery(ListQuery):
    """Which lines."""

    state = fields.Enum(LineState, by_value=True, load_default=None)
    why = fields.Enum(Why, by_value=True, load_default=None)
    sponsor_id = fields.UUID(load_default=None)


class AcceptLinesIn(Schema):
    """Which lines; absent, all that are proposed still."""

    line_ids = fields.List(fields.UUID(), load_default=None, allow_none=True, validate=validate.Length(1, 1_000))


class AcceptedLinesOut(Schema):
    """How many lines were accepted; the money is set aside in the background, line by line."""

    accepted = fields.Integer(required=True)


@blp.get("/funding-proposals")
@may(May.SEE_SPONSORS)
@blp.arguments(ListQuery, location="query")
@blp.response(200, listing(ProposalOut))
def proposals(asked: dict[str, Any]) -> dict[str, Any]:
    """Proposals in the order they were asked for"""
    found = queries.proposals_page(session(), current_scope(), cursor=asked["cursor"], size=asked["limit"])
    return {"items": [told(row) for row in found.rows], "next": found.next}


@blp.post("/funding-proposals")
@may(May.RECORD_MONEY)
@blp.arguments(ProposalIn)
@blp.response(201, ProposalOut)
def ask(sent: dict[str, Any]) -> Any:
    """Ask whom to fund; the answer is `ready` after some seconds"""
    by, terms = current_user(), Terms(tuple(sent["sponsors"]), sent["months"], sent["past_certificate"])
    with transaction() as current:
        row = services.ask(current, by.town_id, terms, by_id=by.id, on=clock.today(), at=clock.now())
        answer, proposal_id = told(row), row.id
    ring(make, str(current_user().town_id), str(proposal_id))
    at = {"Location": url_for("matching_api.one", proposal_id=proposal_id)}
    return answer, int(HTTPStatus.CREATED), at


@blp.get("/funding-proposals/<uuid:proposal_id>")
@may(May.SEE_SPONSORS)
@blp.response(200, ProposalOut)
def one(proposal_id: UUID) -> dict[str, Any]:
    """One proposal"""
    return told(queries.proposal(session(), current_scope(), proposal_id))


@blp.get("/funding-proposals/<uuid:proposal_id>/lines")
@may(May.SEE_SPONSORS)
@blp.arguments(LinesQuery, location="query")
@blp.response(200, listing(FundingLineOut))
def lines(asked: dict[str, Any], proposal_id: UUID) -> dict[str, Any]:
    """Lines in the order of priority, then those who were passed over"""
    scope, cursor, size = current_scope(), asked.pop("cursor"), asked.pop("limit")
    row = queries.proposal(session(), scope, proposal_id)
    found = queries.lines(session(), scope, row, **asked, cursor=cursor, size=size)
    rows = [shown.row for shown in found.rows]
    names = queries.sponsor_names(session(), scope.town_id, showing.sponsors_named_in(rows))
    return {"items": [told_line(line, names) for line in rows], "next": found.next}


@blp.get("/funding-proposals/<uuid:proposal_id>/offers")
@may(May.SEE_SPONSORS)
@blp.arguments(ListQuery, location="query")
@blp.response(200, listing(OfferOut))
def offers(asked: dict[str, Any], proposal_id: UUID) -> dict[str, Any]:
    """The money of each sponsor before and after, by name"""
    row = queries.proposal(session(), current_scope(), proposal_id)
    found = queries.given(session(), row, cursor=asked["cursor"], size=asked["limit"])
    items = [given._asdict() | {"sponsor_id": given.sponsor.id, "after": given.after} for given in found.rows]
    return {"items": items, "next": found.next}


@blp.post("/funding-proposals/<uuid:proposal_id>/accept")
@may(May.RECORD_MONEY)
@blp.arguments(AcceptLinesIn)
@blp.response(202, AcceptedLinesOut)
@blp.alt_response(409, schema=Problem)
def accept(sent: dict[str, Any], proposal_id: UUID) -> dict[str, int]:
    """Accept lines; each says afterwards what became of it"""
    with transaction() as current:
        row = queries.proposal(current, current_scope(), proposal_id)
        chosen = services.choose(current, row, line_ids=sent["line_ids"], by_id=current_user().id, at=clock.now())
    ring(settle, str(current_user().town_id), str(proposal_id))
    return {"accepted": len(chosen)}


@blp.post("/funding-proposals/<uuid:proposal_id>/close")
@may(May.RECORD_MONEY)
@blp.response(200, ProposalOut)
@blp.alt_response(409, schema=Problem)
def close(proposal_id: UUID) -> dict[str, Any]:
    """Accept nothing more of it"""
    with transaction() as current:
        row = queries.proposal(current, current_scope(), proposal_id)
        services.close(current, row, by_id=current_user().id, at=clock.now())
        return told(row)


def told(row: FundingProposal) -> dict[str, Any]:
    """A proposal under the names of the API."""
    same = ("id", "state", "as_of", "people", "asked_at")
    return {name: getattr(row, name) for name in same} | row.terms


def told_line(line: Any, names: dict[str, str]) -> dict[str, Any]:
    """A line under the names of the API."""
    same = ("id", "position", "state", "prospect_id", "sponsor_id", "months", "amount", "why", "words", "allocation_id")
    passed = line.state is LineState.PASSED
    return {name: getattr(line, name) for name in same} | {
        "start": line.start_month.strftime("%Y-%m") if line.start_month else None,
        "because": showing.passed_over(line) if passed else showing.because(line, names),
    }
