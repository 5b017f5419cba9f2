"""`GET /reports/forecast`: when the target is reached, and how earlier forecasts did."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

from crm import clock
from crm.accounts.gateway import current_scope
from crm.accounts.rules import May, Reach
from crm.api.blueprint import Blueprint
from crm.db import session
from crm.errors import NotFound
from crm.reports.forecast.queries import latest, scores
from crm.reports.forecast.rules import Lacking, Move
from crm.web.guard import may

blp = Blueprint("forecast_api", __name__, description="When the target is reached")


class RangeAnswer(Schema):
    """Eight of ten futures lie from low to high."""

    low = fields.Integer(required=True)
    middle = fields.Integer(required=True)
    high = fields.Integer(required=True)


class ComingAnswer(Schema):
    """The stock at the end of a coming month."""

    end = fields.Date(required=True)
    people = fields.Nested(RangeAnswer, required=True)


class ReachedAnswer(Schema):
    """When the target is reached; null: not within two years."""

    low = fields.Date(required=True, allow_none=True)
    middle = fields.Date(required=True, allow_none=True)
    high = fields.Date(required=True, allow_none=True)


class UnitAnswer(Schema):
    """A place or an organisation."""

    key = fields.String(required=True)
    stock = fields.Integer(required=True)
    target = fields.Integer(required=True, allow_none=True)
    needed = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Who must join a week to reach the target."}
    )
    year_end = fields.Nested(RangeAnswer, required=True, allow_none=True)


class LeverAnswer(Schema):
    """What one could do, and how many more would take part at the year's end."""

    move = fields.Enum(Move, by_value=True, required=True)
    key = fields.String(required=True, metadata={"description": "A place's id or a ground."})
    number = fields.Integer(required=True)
    people = fields.Float(required=True)
    chance = fields.Float(required=True)


class ScoredAnswer(Schema):
    """What an earlier forecast said about a day, and what came."""

    made_for = fields.Date(required=True)
    afterwards = fields.Boolean(required=True)
    day = fields.Date(required=True)
    said = fields.Nested(RangeAnswer, required=True)
    came = fields.Integer(required=True)
    held = fields.Boolean(required=True)
    interval_score = fields.Float(required=True)


class ForecastAnswer(Schema):
    """The last forecast. Without `coming` the figures did not carry one, and `lacking` says why. A unit's lead gets the own
    unit alone."""

    as_of = fields.Date(required=True)
    stock = fields.Integer(required=True)
    target = fields.Integer(required=True, allow_none=True)
    year_end = fields.Date(required=True)
    months = fields.Integer(required=True, metadata={"description": "Full months it was made of."})
    joiners = fields.Integer(required=True)
    lacking = fields.Enum(Lacking, by_value=True, required=True, allow_none=True)
    reached = fields.Nested(ReachedAnswer, required=True)
    chance = fields.Float(required=True, metadata={"description": "Of having reached the target at the year's end."})
    needed = fields.Integer(required=True, metadata={"description": "Who must join a week to reach it."})
    coming = fields.List(fields.Nested(ComingAnswer), required=True)
    places = fields.List(fields.Nested(UnitAnswer), required=True)
    organisations = fields.List(fields.Nested(UnitAnswer), required=True)
    levers = fields.List(fields.Nested(LeverAnswer), required=True)
    scored = fields.List(fields.Nested(ScoredAnswer), required=True)


@blp.get("/reports/forecast")
@blp.response(200, ForecastAnswer)
@may(May.SEE_DASHBOARD)
def forecast() -> dict[str, Any]:
    """The last forecast, and how earlier ones did"""
    scope = current_scope()
    found = latest(session(), scope)
    if found is None:
        raise NotFound
    whole = scope.reach is Reach.ALL
    return {**vars(found.outlook), "scored": scores(session(), scope.town_id, clock.today()) if whole else []}
