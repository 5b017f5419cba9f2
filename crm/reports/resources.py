"""`GET /reports/pipeline`: where people stood on any day."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

from crm import clock
from crm.accounts.gateway import current_scope
from crm.accounts.rules import May
from crm.api.blueprint import Blueprint
from crm.db import session
from crm.prospects.rules import Stage
from crm.reports.pipeline import standing
from crm.reports.rules import By
from crm.web.guard import may

blp = Blueprint("reports_api", __name__, description="Read-only across everything")


class PipelineQuery(Schema):
    """The day (by default today), what the people are divided by, and on which day's boundaries (by default `as_of`'s)."""

    as_of = fields.Date(load_default=None)
    boundaries = fields.Date(load_default=None)
    by = fields.Enum(By, by_value=True, load_default=By.PLACE)


class PipelineLine(Schema):
    """People of one place, organisation, volunteer or month at each stage."""

    key = fields.String(required=True, allow_none=True, metadata={"description": "A UUID or a month; null for nobody."})
    name = fields.String(required=True)
    people = fields.Integer(required=True)
    stages = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        required=True,
        metadata={"description": "Every stage with its number."},
    )


class PipelineAnswer(Schema):
    """By place, organisation or volunteer the items add up to everyone; by month each is everyone at the month's end."""

    as_of = fields.Date(required=True)
    boundaries = fields.Date(required=True, metadata={"description": "The day whose wards and communes the rows are."})
    by = fields.Enum(By, by_value=True, required=True)
    stages = fields.List(fields.Enum(Stage, by_value=True), required=True)
    items = fields.List(fields.Nested(PipelineLine), required=True)


@blp.get("/reports/pipeline")
@blp.arguments(PipelineQuery, location="query")
@blp.response(200, PipelineAnswer)
@may(May.SEE_DASHBOARD)
def pipeline(asked: dict[str, Any]) -> dict[str, Any]:
    """Where people stood at the end of a day"""
    as_of = min(asked["as_of"] or clock.today(), clock.today())
    drawn = asked["boundaries"] or as_of
    rows = standing.rows(session(), current_scope(), as_of, asked["by"], drawn)
    return {"as_of": as_of, "boundaries": drawn, "by": asked["by"], "stages": list(Stage), "items": rows}
