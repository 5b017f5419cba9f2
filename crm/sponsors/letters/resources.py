"""Papers for sponsors for other programs: receipts, certificates and yearly statements, listed, made, downloaded."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import UUID

from flask import Response, url_for
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.api.blueprint import Blueprint
from crm.api.description import Problem
from crm.db import session, transaction
from crm.sponsors import queries as sponsors
from crm.sponsors.letters import printing, queries, services
from crm.sponsors.letters.models import SponsorPaper
from crm.sponsors.letters.routes.private import verify_address
from crm.sponsors.letters.rules import PaperKind
from crm.web.guard import may
from crm.web.language import LANGUAGES

blp = Blueprint("papers_api", __name__, description="Papers that sponsors are given, each with a number to verify")

FIRST_YEAR, LAST_YEAR = 2000, 2100


class PaperOut(Schema):
    """A paper that was issued. It never changes; a newer one may take its place."""

    id = fields.UUID(required=True)
    sponsor_id = fields.UUID(required=True)
    kind = fields.Enum(PaperKind, by_value=True, required=True)
    number = fields.String(required=True)
    year = fields.Integer(required=True)
    of_year = fields.Integer(required=True, allow_none=True)
    receipt_id = fields.UUID(required=True, allow_none=True)
    issued_on = fields.Date(required=True)


class PapersOut(Schema):
    """The papers of one sponsor, the latest first."""

    items = fields.List(fields.Nested(PaperOut), required=True)


class PaperIn(Schema):
    """A `receipt` takes `receipt_id`, a `statement` takes `year`; a `certificate` of all the time takes none."""

    kind = fields.Enum(PaperKind, by_value=True, required=True)
    receipt_id = fields.UUID(load_default=None, allow_none=True)
    year = fields.Integer(
        load_default=None, allow_none=True, strict=True, validate=validate.Range(FIRST_YEAR, LAST_YEAR)
    )

    @validates_schema
    def _whole(self, sent: dict[str, Any], **_: Any) -> None:
        if sent["kind"] is PaperKind.RECEIPT and sent["receipt_id"] is None:
            raise ValidationError("Name the receipt.", "receipt_id")
        if sent["kind"] is PaperKind.STATEMENT and sent["year"] is None:
            raise ValidationError("Name the year.", "year")


class LanguageQuery(Schema):
    """The language of the paper."""

    lang = fields.String(load_default="vi", validate=validate.OneOf(list(LANGUAGES)))


@blp.get("/sponsors/<uuid:sponsor_id>/papers")
@may(May.SEE_SPONSORS)
@blp.response(200, PapersOut)
def papers(sponsor_id: UUID) -> dict[str, Any]:
    """The papers of a sponsor, the latest hundred first"""
    return {"items": queries.papers_of(session(), sponsors.sponsor(session(), current_scope(), sponsor_id))}


@blp.post("/sponsors/<uuid:sponsor_id>/papers")
@may(May.RECORD_MONEY)
@blp.arguments(PaperIn)
@blp.response(201, PaperOut)
@blp.alt_response(409, schema=Problem)
def issue(sent: dict[str, Any], sponsor_id: UUID) -> Any:
    """Make a paper; asked again while nothing changed it is the same one"""
    with transaction() as current:
        of = sponsors.sponsor(current, current_scope(), sponsor_id)
        made = _issued(current, of, sent)
        address = url_for("papers_api.download", sponsor_id=of.id, paper_id=made.id)
        return made, int(HTTPStatus.CREATED), {"Location": address}


def _issued(current: Any, of: Any, sent: dict[str, Any]) -> SponsorPaper:
    how: dict[str, Any] = {
        "by": current_user(),
        "on": clock.today(),
        "at": clock.now(),
        "address": verify_address(),
    }
    if sent["kind"] is PaperKind.RECEIPT:
        return services.issue_receipt(current, of, queries.receipt_of(current, of, sent["receipt_id"]), **how)
    if sent["kind"] is PaperKind.CERTIFICATE:
        return services.issue_certificate(current, of, sent["year"], **how)
    return services.issue_statement(current, of, sent["year"], **how)


@blp.get("/sponsors/<uuid:sponsor_id>/papers/<uuid:paper_id>")
@may(May.SEE_SPONSORS)
@blp.arguments(LanguageQuery, location="query")
@blp.response(200, {"format": "binary", "type": "string"}, content_type="application/pdf")
def download(asked: dict[str, Any], sponsor_id: UUID, paper_id: UUID) -> Response:
    """A paper as PDF, made again from what was issued"""
    of = sponsors.sponsor(session(), current_scope(), sponsor_id)
    paper = queries.paper_of(session(), of, paper_id)
    told = {"Content-Disposition": f'attachment; filename="{paper.number}.pdf"'}
    return Response(printing.pdf_of(paper, asked["lang"]), mimetype="application/pdf", headers=told)
