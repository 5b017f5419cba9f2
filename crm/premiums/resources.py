"""`GET /premium`: a quote for other programs; `GET /law`: the law it rests on."""

from decimal import Decimal
from typing import Any

from marshmallow import Schema, fields, validate

from crm import clock
from crm.accounts.gateway import current_user
from crm.accounts.rules import May
from crm.api.blueprint import Blueprint
from crm.db import session
from crm.places.queries import place_named
from crm.premiums import queries
from crm.premiums.rules.keys import PERIODS, LawKey, LawStatus
from crm.premiums.rules.quotes import START_PATTERN, Plan, Quote, quote, read_start
from crm.premiums.rules.timeline import When, timelines
from crm.prospects.rules import Ground
from crm.web.guard import may

blp = Blueprint("premium", __name__, description="What a premium costs, by the law of the day of payment")


class Exact(fields.Field[Decimal]):
    """A number of the law: whole when it is whole."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> int | float:
        return int(value) if value == int(value) else float(value)


class QuoteQuery(Schema):
    """What to quote; exactly one of months, years_ahead, missing_months. A ground may be given several times."""

    income = fields.Integer(required=True, validate=validate.Range(min=0))
    ground = fields.List(fields.Enum(Ground, by_value=True), load_default=list)
    start = fields.String(
        required=True, validate=validate.Regexp(f"^{START_PATTERN}$"), metadata={"example": "2026-07"}
    )
    paid_on = fields.Date()
    months = fields.Integer(validate=validate.OneOf(list(PERIODS.values())))
    years_ahead = fields.Integer(validate=validate.Range(min=2))
    missing_months = fields.Integer(validate=validate.Range(min=1))
    supported_before = fields.Integer(load_default=0, validate=validate.Range(min=0))
    place = fields.String(
        metadata={"description": "Where one lives, as UUID, CODE or CODE@DATE: what that place adds counts as well."}
    )
    local_months_before = fields.Integer(
        load_default=0,
        validate=validate.Range(min=0),
        metadata={"description": "Months the place's own budget has helped with."},
    )


class LineAnswer(Schema):
    """One number a result rests on; of a ground, or of the year in which months were paid, where it differs by these."""

    name = fields.String(required=True)
    value = Exact(required=True, metadata={"type": "number"})
    since = fields.Date(required=True)
    source = fields.String(required=True)
    status = fields.Enum(LawStatus, by_value=True, required=True)
    ground = fields.Enum(Ground, by_value=True, required=True, allow_none=True)
    of_year = fields.Integer(required=True, allow_none=True)


class RemarkAnswer(Schema):
    """A stable code for programs, and a sentence for people in the language asked for."""

    code = fields.String(required=True, attribute="remark")
    text = fields.String(required=True)


class WeighedAnswer(Schema):
    """What one of several grounds would bring, and whether it counts."""

    ground = fields.Enum(Ground, by_value=True, required=True)
    percent = fields.Float(required=True, metadata={"description": "The State's share of the least premium."})
    by_the_state = fields.Boolean(required=True)
    local = fields.Integer(required=True, metadata={"description": "What places would add, đồng."})
    by_the_place = fields.Boolean(required=True)


class QuoteAnswer(Schema):
    """Whole đồng; gross is the sum of the three supports and what is payable."""

    gross = fields.Integer(required=True)
    state_support = fields.Integer(required=True)
    local_support = fields.Integer(required=True)
    other_support = fields.Integer(required=True)
    payable = fields.Integer(required=True)
    supported_months = fields.Integer(required=True)
    deadline = fields.Date(required=True, allow_none=True)
    next_start = fields.String(required=True, allow_none=True)
    paid_on = fields.Date(required=True)
    late = fields.Boolean(required=True)
    ground = fields.Enum(Ground, by_value=True, required=True)
    weighed = fields.List(
        fields.Nested(WeighedAnswer),
        required=True,
        metadata={"description": "Of somebody with several grounds each of them; the one that counts first."},
    )
    remarks = fields.List(fields.Nested(RemarkAnswer), required=True, attribute="said")
    rules = fields.List(fields.Nested(LineAnswer), required=True, attribute="lines")


@blp.get("/premium")
@may(May.SEE_LAW)
@blp.arguments(QuoteQuery, location="query")
@blp.response(200, QuoteAnswer)
def premium(asked: dict[str, Any]) -> Quote:
    """The premium in layers, with every rule it rests on"""
    start, paid_on = read_start(asked["start"]), asked.get("paid_on")
    day, town_id = paid_on or start.first_day, current_user().town_id
    place = place_named(session(), town_id, asked["place"], today=day) if asked.get("place") else None
    return quote(
        queries.law(session()),
        asked["income"],
        asked["ground"],
        start,
        paid_on,
        Plan.of(**{name: asked.get(name) for name in ("months", "years_ahead", "missing_months")}),
        supported_before=asked["supported_before"],
        local_top_ups=queries.top_ups_at(session(), town_id, place, day),
        local_months_before=asked["local_months_before"],
    )


class LawQuery(Schema):
    """Without a day: every value with all its dates. With one: what holds on it."""

    on = fields.Date(metadata={"example": "2026-07-01"})
    key = fields.Enum(LawKey, by_value=True)


class LawAnswerLine(Schema):
    """One value of the law, from a day on; `until` is its last day, null while nothing takes its place."""

    key = fields.Enum(LawKey, by_value=True, required=True, attribute="value.key")
    ground = fields.Enum(Ground, by_value=True, required=True, allow_none=True, attribute="value.ground")
    of_year = fields.Integer(required=True, allow_none=True, attribute="value.of_year")
    value = Exact(required=True, attribute="value.value", metadata={"type": "number"})
    since = fields.Date(required=True, attribute="value.since")
    until = fields.Date(required=True, allow_none=True)
    when = fields.Enum(When, by_value=True, required=True)
    document = fields.String(required=True, attribute="value.document")
    article = fields.String(required=True, attribute="value.article")
    source = fields.String(required=True, attribute="value.source")
    status = fields.Enum(LawStatus, by_value=True, required=True, attribute="value.status")
    note = fields.String(required=True, attribute="value.note")


class LawAnswer(Schema):
    """The law on record. Percentages are percent, money is đồng, spans are months."""

    day = fields.Date(required=True)
    values = fields.List(fields.Nested(LawAnswerLine), required=True)


@blp.get("/law")
@may(May.SEE_LAW)
@blp.arguments(LawQuery, location="query")
@blp.response(200, LawAnswer)
def law(asked: dict[str, Any]) -> dict[str, Any]:
    """Every value of the law by date, or what holds on a day"""
    day, key = asked.get("on"), asked.get("key")
    every = timelines(queries.law(session()).values, day or clock.today())
    found = [line for line in every if key is None or line.key is key]
    if day:
        return {"day": day, "values": [line.now for line in found if line.now]}
    return {"day": clock.today(), "values": [span for line in found for span in (*line.spans, *line.announced)]}
