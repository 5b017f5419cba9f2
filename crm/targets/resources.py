"""`GET /targets`: the plan's numbers for other programs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import Schema, fields

from crm.accounts.gateway import current_scope
from crm.accounts.rules import May
from crm.api.blueprint import Blueprint
from crm.api.lists import ListQuery, listing
from crm.db import session
from crm.targets import queries
from crm.targets.models import Target
from crm.targets.rules import Indicator, contradiction
from crm.web.guard import may
from crm.web.language import chosen
from crm.web.pager import page

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
    contradiction = fields.Function(
        lambda target: _sentence(target), required=True, metadata={"type": ["string", "null"]}
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
