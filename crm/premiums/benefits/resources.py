"""`GET /benefits`: what one person may look forward to, with every rule, assumption and gap it rests on."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from marshmallow import Schema, fields, validate

from crm import clock
from crm.accounts.gateway import current_user
from crm.accounts.rules import May
from crm.api.blueprint import Blueprint
from crm.db import session
from crm.errors import RuleBroken
from crm.months import Month
from crm.places.queries import place_named
from crm.premiums import queries
from crm.premiums.resources import LineAnswer
from crm.premiums.rules.benefits.brings import Brings, Stopping, brings
from crm.premiums.rules.benefits.earnings import Earned
from crm.premiums.rules.benefits.pension import Person
from crm.premiums.rules.benefits.retirement import Birth
from crm.premiums.rules.benefits.wording import ASSUMPTIONS, UNKNOWNS, WHY_NOT
from crm.premiums.rules.law import PER_CENT
from crm.premiums.rules.quotes import START_PATTERN, read_start
from crm.prospects.rules import Ground, Sex
from crm.web.guard import may

blp = Blueprint("benefits", __name__, description="What taking part brings, by the law of the first month")

EARNED = r"20[0-9]{2}:([1-9]|1[0-2]):[0-9]{1,9}"
SENTENCES: dict[Any, Any] = {**ASSUMPTIONS, **UNKNOWNS, **WHY_NOT}
OLDEST, LONGEST = 110, 1200
AGE_SHOWN = 90


class BenefitsQuery(Schema):
    """Public numbers of one person; nobody's name is needed. A day or a year of birth, one of them."""

    sex = fields.Enum(Sex, by_value=True, required=True)
    birth = fields.Date(metadata={"example": "1986-03-08"})
    birth_year = fields.Integer(validate=validate.Range(min=1900, max=2100))
    income = fields.Integer(
        required=True, validate=validate.Range(min=0), metadata={"description": "Chosen for the months ahead."}
    )
    start = fields.String(
        validate=validate.Regexp(f"^{START_PATTERN}$"),
        metadata={"example": "2026-12", "description": "The first month paid; by default this month."},
    )
    ground = fields.List(fields.Enum(Ground, by_value=True), load_default=list)
    months = fields.Integer(
        load_default=0, validate=validate.Range(min=0, max=LONGEST), metadata={"description": "Months paid so far."}
    )
    average_income = fields.Integer(
        validate=validate.Range(min=0), metadata={"description": "Of the months so far; not known when left out."}
    )
    earned = fields.List(
        fields.String(validate=validate.Regexp(f"^{EARNED}$"), metadata={"example": "2019:12:700000"}),
        load_default=list,
        metadata={"description": "Instead of months: year:months:income, once for each year."},
    )
    paid_so_far = fields.Integer(
        validate=validate.Range(min=0), metadata={"description": "From one's own pocket, đồng."}
    )
    state_support = fields.Integer(
        validate=validate.Range(min=0), metadata={"description": "What the State has paid so far, đồng."}
    )
    supported_before = fields.Integer(
        validate=validate.Range(min=0),
        metadata={"description": "Months the State has helped with; all the months so far when left out."},
    )
    voluntary_since = fields.Date(metadata={"description": "First day of voluntary insurance."})
    first_insured = fields.Date(metadata={"description": "First day of any social insurance."})
    months_stopped = fields.Integer(
        validate=validate.Range(min=0), metadata={"description": "How long nothing has been paid."}
    )
    child = fields.String(
        validate=validate.Regexp(f"^{START_PATTERN}$"), metadata={"description": "The month a birth is expected."}
    )
    place = fields.String(
        metadata={"description": "Where one lives, as UUID, CODE or CODE@DATE: what that place adds counts as well."}
    )
    until_age = fields.Integer(load_default=AGE_SHOWN, validate=validate.Range(min=1, max=OLDEST))


class Said(Schema):
    """A stable code for programs, and a sentence for people in the language asked for."""

    code = fields.Function(str, required=True, metadata={"type": "string"})
    text = fields.Function(lambda reason: str(SENTENCES[reason]), required=True, metadata={"type": "string"})


class Percent(fields.Field[Any]):
    """An exact share as percent."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> float:
        return float(value * PER_CENT)


def _month(**more: Any) -> fields.String:
    return fields.String(required=True, metadata={"example": "2046-12"}, **more)


def _whole(**more: Any) -> fields.Integer:
    return fields.Integer(required=True, **more)


class RetirementAnswer(Schema):
    """When the age of retirement is reached."""

    age_months = _whole()
    reached = _month()
    pension_from = _month()


class LifeYearAnswer(Schema):
    """At a birthday: what was paid oneself and what was received until then, đồng."""

    age = _whole()
    paid = _whole()
    received = _whole()


class WayAnswer(Schema):
    """One way to a pension. Đồng of today; null where it is not known, see `unknown`."""

    months_ahead = _whole()
    months_at_once = _whole()
    months = _whole()
    entitled_from = _month()
    rate_percent = Percent(required=True, attribute="rate", metadata={"type": "number"})
    average_income = _whole()
    pension = _whole()
    paid_in_months = _whole()
    paid_at_once = _whole(allow_none=True)
    at_once_without_interest = _whole()
    paid_by_oneself = _whole(allow_none=True)
    months_until_paid_back = _whole(allow_none=True)
    life = fields.List(fields.Nested(LifeYearAnswer), required=True)


class PensionAnswer(Schema):
    """Paying on every month, and paying once for months missing at the age of retirement where that is allowed."""

    months_so_far = _whole()
    months_needed = _whole()
    months_still_needed = _whole()
    short_at_retirement = _whole()
    paying_on = fields.Nested(WayAnswer, required=True, allow_none=True)
    missing_months = fields.Nested(WayAnswer, required=True, allow_none=True)


class MaternityAnswer(Schema):
    """The grant for a birth in the month asked for, if every month from the start on is paid."""

    grant = _whole(allow_none=True)
    months_counted = _whole()
    months_needed = _whole(allow_none=True)
    pay_from_at_latest = _month(allow_none=True)


class SurvivorsAnswer(Schema):
    """What the family is given if someone dies on the eve of the pension, by the law of the start."""

    months = _whole()
    funeral = _whole(allow_none=True)
    lump_sum = _whole(allow_none=True)


class LumpSumAnswer(Schema):
    """What leaving with a lump sum brings for the months so far: gross less the State's support."""

    allowed = fields.Boolean(required=True, allow_none=True)
    why_not = fields.Nested(Said, required=True, allow_none=True)
    gross = _whole(allow_none=True)
    state_support = _whole(allow_none=True)
    amount = _whole(allow_none=True)


class SocialPensionAnswer(Schema):
    """For information: what whoever has no pension is paid from an age on, đồng a month."""

    amount = _whole()
    age = _whole()


class BenefitsAnswer(Schema):
    """Whole đồng of today; null is never zero but «not known», and `unknown` says why."""

    start = _month()
    retirement = fields.Nested(RetirementAnswer, required=True, attribute="pension.retirement")
    pension = fields.Nested(PensionAnswer, required=True)
    maternity = fields.Nested(MaternityAnswer, required=True, allow_none=True)
    survivors = fields.Nested(SurvivorsAnswer, required=True, allow_none=True)
    lump_sum = fields.Nested(LumpSumAnswer, required=True, allow_none=True)
    social_pension = fields.Nested(SocialPensionAnswer, required=True, allow_none=True)
    rules = fields.List(fields.Nested(LineAnswer), required=True, attribute="lines")
    assumptions = fields.List(fields.Nested(Said), required=True)
    gaps = fields.List(fields.Nested(Said), required=True, attribute="unknown", data_key="unknown")


@blp.get("/benefits")
@may(May.SEE_LAW)
@blp.arguments(BenefitsQuery, location="query")
@blp.response(200, BenefitsAnswer)
def benefits(asked: dict[str, Any]) -> Brings:
    """What taking part brings one person: pension, birth, survivors, leaving; with rules, assumptions and gaps"""
    start = read_start(asked["start"]) if "start" in asked else Month.of(clock.today())
    day, town_id = start.first_day, current_user().town_id
    place = place_named(session(), town_id, asked["place"], today=day) if asked.get("place") else None
    return brings(
        queries.law(session()),
        person_of(asked),
        asked["income"],
        start,
        until_age=asked["until_age"],
        child=read_start(asked["child"]) if "child" in asked else None,
        stopping=Stopping(*map(asked.get, ("first_insured", "months_stopped", "state_support"))),
        local_top_ups=queries.top_ups_at(session(), town_id, place, day),
    )


def person_of(asked: dict[str, Any]) -> Person:
    """The person asked about; RuleBroken where the question says a thing twice or not at all."""
    if ("birth" in asked) is ("birth_year" in asked):
        raise RuleBroken(_l("Say the day of birth, or the year of birth: one of them."), field="birth")
    if asked["months"] and asked["earned"]:
        raise RuleBroken(_l("Say the months so far in all, or year by year: one of them."), field="months")
    earned = [Earned(asked["months"], asked.get("average_income"))] if asked["months"] else []
    earned += [Earned(int(months), int(income), int(year)) for year, months, income in map(parts, asked["earned"])]
    return Person(
        sex=asked["sex"],
        birth=Birth(asked["birth"]) if "birth" in asked else Birth.in_year(asked["birth_year"]),
        earned=tuple(earned),
        paid_so_far=asked.get("paid_so_far"),
        supported_so_far=asked.get("supported_before"),
        grounds=frozenset(asked["ground"]),
        voluntary_since=asked.get("voluntary_since"),
    )


def parts(text: str) -> list[str]:
    """ "2019:12:700000" → year, months, income."""
    return text.split(":")
