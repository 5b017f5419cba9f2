"""Official reports for other programs: `/api/v1/reports/documents`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from flask_babel import lazy_gettext as _l
from marshmallow import Schema, fields, validate

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.api.blueprint import Blueprint
from crm.api.lists import ListQuery, listing
from crm.background import ring
from crm.db import session, transaction
from crm.errors import RuleBroken
from crm.places.queries import place_named
from crm.reports.documents import showing
from crm.reports.documents.models import Report
from crm.reports.documents.queries import finding
from crm.reports.documents.rules import OFFICIAL, Form, State, issues_for
from crm.reports.documents.services import counting, signing
from crm.reports.periods import ReportKind
from crm.web.guard import may
from tasks.documents import count_report

blp = Blueprint("documents_api", __name__, description="Official reports: counted, signed, sent")

KINDS = [kind.value for kind in OFFICIAL]


class ReportIn(Schema):
    """The report to make: its kind, its period as 2019-09, 2019-H1 or 2019, and of one ward or, without a place, the town."""

    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    period = fields.String(required=True, validate=validate.Length(max=10))
    place = fields.String(
        load_default=None, allow_none=True, metadata={"description": "UUID, CODE or CODE@DATE of a ward or commune."}
    )
    boundaries = fields.Date(
        load_default=None, allow_none=True, metadata={"description": "Wards as on this day; by default the last day."}
    )


class ReportAnswer(Schema):
    """A report and how far it is. `digest` is the seal of its figures: SHA-256 of them as canonical JSON."""

    id = fields.UUID(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    period = fields.String(required=True)
    place = fields.UUID(required=True, allow_none=True, attribute="place_id")
    state = fields.Enum(State, by_value=True, required=True)
    snapshot = fields.Function(lambda one: _figures(one).get("label"), metadata={"type": ["string", "null"]})
    digest = fields.Function(lambda one: _figures(one).get("digest"), metadata={"type": ["string", "null"]})
    as_of = fields.Function(lambda one: _figures(one).get("as_of"), metadata={"type": ["string", "null"]})
    number = fields.Integer(required=True, allow_none=True)
    symbol = fields.String(required=True, allow_none=True)
    signed_on = fields.Date(required=True, allow_none=True)
    sent_on = fields.Date(required=True, allow_none=True)
    withdrawn_why = fields.String(required=True, allow_none=True)


class FileQuery(Schema):
    """In which form."""

    format = fields.Enum(Form, by_value=True, load_default=Form.JSON)


class SentIn(Schema):
    """The day on which a signed report was sent, and how."""

    sent_on = fields.Date(required=True)
    way = fields.String(load_default="", validate=validate.Length(max=200))


@blp.get("/reports/documents")
@blp.arguments(ListQuery, location="query")
@blp.response(200, listing(ReportAnswer))
@may(May.SEE_REPORTS)
def documents(asked: dict[str, Any]) -> dict[str, Any]:
    """Official reports, the last opened first"""
    found = finding.page_of(session(), current_scope(), cursor=asked["cursor"], size=asked["limit"])
    return {"items": found.rows, "next": found.next}


@blp.post("/reports/documents")
@blp.arguments(ReportIn)
@blp.response(201, ReportAnswer)
@may(May.WRITE_REPORTS)
def make(given: dict[str, Any]) -> Report:
    """Make the report of a period, or find the one there is; it is counted in the background"""
    scope, today = current_scope(), clock.today()
    named = place_named(session(), scope.town_id, given["place"], today=today) if given["place"] else None
    if named is not None and not issues_for(named.kind):
        raise RuleBroken(_l("A report is of the town, or of a ward or commune."), field="place", code="no_unit")
    place = finding.place_for(session(), scope, named.id if named else None, today)
    kind = ReportKind(given["kind"])
    with transaction() as current:
        by, at = current_user(), clock.now()
        report = counting.open_report(current, kind, given["period"], place, given["boundaries"], by=by, at=at)
        report_id, waits = report.id, report.state is State.COUNTING
    if waits:
        ring(count_report, str(scope.town_id), str(report_id))
    return finding.report_seen(session(), scope, report_id)


@blp.get("/reports/documents/<uuid:report_id>")
@blp.response(200, ReportAnswer)
@may(May.SEE_REPORTS)
def document(report_id: UUID) -> Report:
    """One official report"""
    return finding.report_seen(session(), current_scope(), report_id)


@blp.get("/reports/documents/<uuid:report_id>/file")
@blp.arguments(FileQuery, location="query")
@blp.response(200, content_type="application/octet-stream")
@may(May.SEE_REPORTS)
def file(asked: dict[str, Any], report_id: UUID) -> Response:
    """The report as JSON, Word, Excel or PDF: as it was signed, or as the draft stands"""
    return showing.file(session(), finding.report_seen(session(), current_scope(), report_id), asked["format"])


@blp.post("/reports/documents/<uuid:report_id>/sent")
@blp.arguments(SentIn)
@blp.response(200, ReportAnswer)
@may(May.WRITE_REPORTS)
def sent(given: dict[str, Any], report_id: UUID) -> Report:
    """Note that a signed report was sent"""
    with transaction() as current:
        report = finding.report_seen(current, current_scope(), report_id, lock=True)
        signing.send(current, report, sent_on=given["sent_on"], way=given["way"], by=current_user(), at=clock.now())
    return finding.report_seen(session(), current_scope(), report_id)


def _figures(report: Report) -> dict[str, Any]:
    found = finding.snapshot_of(session(), report)
    return {"label": found.label, "digest": found.digest, "as_of": found.as_of.isoformat()} if found else {}
