"""`GET /targets`: the plan's numbers for other programs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from marshmallow import Schema, fields, validate

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.queries import organisation_coded
from crm.accounts.rules import May
from crm.api.blueprint import Blueprint
from crm.api.description import Problem
from crm.api.lists import ListQuery, listing
from crm.db import session, transaction
from crm.errors import RuleBroken
from crm.places.queries import place_named
from crm.targets import queries
from crm.targets.models import Target
from crm.targets.rules import (
    FIRST_YEAR,
    LAST_YEAR,
    MOST_PEOPLE,
    PER_CENT,
    Facts,
    Indicator,
    Whose,
    contradiction,
)
from crm.targets.services import set_target
from crm.web.guard import may
from crm.web.language import chosen
from crm.web.pager import page

TEXT = validate.Regexp(r"\S", error="Write something other than spaces.")

blp = Blueprint("targets_api", __name__, description="Targets: number, rate and denominator as the plan has them")


class TargetQuery(ListQuery):
    """Which targets."""

    year = fields.Integer(load_default=None)
    indicator = fields.Enum(Indicator, by_value=True, load_default=None)


class TargetAnswer(Schema):
    """Three facts that may contradict each other; `contradiction` is a sentence, or null."""

    id = fields.UUID(required=True)
    year = fields.Integer(required=True)
    indicator = fields.Enum(Indicator, by_value=True, required=True)
    place = fields.UUID(required=True, allow_none=True, attribute="place_id")
    organisation = fields.UUID(required=True, allow_none=True, attribute="organisation_id")
    people = fields.Integer(required=True)
    rate = fields.Float(required=True, allow_none=True, metadata={"description": "Percent, as written in the plan."})
    denominator = fields.Integer(required=True, allow_none=True)
    baseline = fields.Integer(required=True, allow_none=True)
    population = fields.Integer(required=True, allow_none=True)
    authority = fields.String(required=True)
    document = fields.String(required=True, allow_none=True)
    volunteer = fields.UUID(required=True, allow_none=True, attribute="volunteer_id")
    revision = fields.Integer(required=True, metadata={"description": "1 for the first; a change is the next."})
    reason = fields.String(required=True, allow_none=True, metadata={"description": "Why it was changed."})
    contradiction = fields.Function(
        lambda target: _sentence(target), required=True, metadata={"type": ["string", "null"]}
    )


PEOPLE = validate.Range(0, MOST_PEOPLE)


class TargetIn(Schema):
    """A target as a document sets it. Where one holds already `reason` is required and a further revision is kept."""

    year = fields.Integer(required=True, validate=validate.Range(FIRST_YEAR, LAST_YEAR))
    indicator = fields.Enum(Indicator, by_value=True, load_default=Indicator.VOLUNTARY)
    place = fields.String(allow_none=True, load_default=None, validate=validate.Regexp(r"^[\w.@-]{1,60}$"))
    organisation = fields.String(allow_none=True, load_default=None, validate=validate.Regexp(r"^[\w.-]{1,60}$"))
    people = fields.Integer(required=True, strict=True, validate=PEOPLE)
    rate = fields.Decimal(
        allow_none=True,
        load_default=None,
        places=2,
        allow_nan=False,
        validate=lambda rate: validate.Range(0, PER_CENT)(rate),
        metadata={"minimum": 0, "maximum": PER_CENT},
    )
    """The limits are said as numbers: apispec would write those of a decimal as texts."""
    denominator = fields.Integer(allow_none=True, load_default=None, strict=True, validate=PEOPLE)
    baseline = fields.Integer(allow_none=True, load_default=None, strict=True, validate=PEOPLE)
    population = fields.Integer(allow_none=True, load_default=None, strict=True, validate=PEOPLE)
    authority = fields.String(required=True, validate=[validate.Length(1, 200), TEXT])
    document = fields.String(allow_none=True, load_default=None, validate=validate.Length(max=80))
    reason = fields.String(allow_none=True, load_default=None, validate=[validate.Length(1, 500), TEXT])
    knowing = fields.Integer(
        allow_none=True,
        load_default=None,
        metadata={"description": "The revision you have read, 0 for none; refused when there is another by now."},
    )


@blp.post("/targets")
@blp.arguments(TargetIn)
@blp.response(201, TargetAnswer)
@blp.alt_response(409, schema=Problem)
@may(May.SET_TARGETS)
def keep(given: dict[str, Any]) -> Target:
    """Set a target, or change it by a further revision"""
    facts = Facts(*(given[name] for name in Facts._fields))
    told = {name: given[name] for name in ("authority", "document", "reason", "knowing")}
    with transaction() as current:
        town_id, whose = current_scope().town_id, _whose(given)
        return set_target(current, town_id, whose, facts, **told, by=current_user(), at=clock.now())


def _whose(given: dict[str, Any]) -> Whose:
    town_id, place, organisation = current_scope().town_id, given["place"], given["organisation"]
    if place and organisation:
        raise RuleBroken(_l("Name a place or an organisation, not both."), field="organisation")
    return Whose(
        given["year"],
        given["indicator"],
        place_named(session(), town_id, place, today=clock.today()).id if place else None,
        organisation_coded(session(), town_id, organisation).id if organisation else None,
    )


@blp.get("/targets")
@blp.arguments(TargetQuery, location="query")
@blp.response(200, listing(TargetAnswer))
@may(May.SEE_TARGETS)
def targets(asked: dict[str, Any]) -> dict[str, Any]:
    """Targets in their latest revision, by year"""
    query: Any = queries.visible(current_scope())
    for column in (Target.year, Target.indicator):
        if asked[column.key] is not None:
            query = query.where(column == asked[column.key])
    order = (Target.year, Target.id)
    kinds = (int, UUID)
    found = page(
        session(),
        query,
        order,
        cursor=asked["cursor"],
        size=asked["limit"],
        kinds=kinds,
        key=lambda row: (row.year, row.id),
    )
    return {"items": found.rows, "next": found.next}


def _sentence(target: Target) -> str | None:
    said = contradiction(target.people, target.rate, target.denominator, target.population, locale=chosen())
    return None if said is None else str(said)
