"""The collection network for other programs: `/api/v1/collection-points`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from marshmallow import Schema, fields, validate

from crm import clock
from crm.accounts.gateway import current_scope
from crm.accounts.rules import May
from crm.api.blueprint import Blueprint
from crm.api.lists import ListQuery, listing
from crm.collecting import queries
from crm.collecting.models import CollectionPoint
from crm.collecting.rules import LONGEST_ADDRESS, PointKind
from crm.db import session
from crm.places.boundaries import boundaries
from crm.places.queries import place_named
from crm.web.guard import may

blp = Blueprint("points_api", __name__, description="Where premiums are taken, and which point is near")
MOST_NEAR, USUAL_NEAR = 50, 10


class NearQuery(Schema):
    """Where somebody is; without a ward or commune the address alone decides."""

    place = fields.String(
        load_default=None, validate=validate.Length(max=60), metadata={"description": "UUID, CODE or CODE@DATE."}
    )
    address = fields.String(load_default="", validate=validate.Length(max=LONGEST_ADDRESS))
    limit = fields.Integer(load_default=USUAL_NEAR, validate=validate.Range(min=1, max=MOST_NEAR))


class PointOut(Schema):
    """A point; `until` is its last day. Degrees are WGS 84."""

    id = fields.UUID(required=True)
    kind = fields.Enum(PointKind, by_value=True, required=True)
    name = fields.String(required=True)
    place_id = fields.UUID(required=True)
    serves = fields.List(
        fields.UUID(), required=True, metadata={"description": "Wards and communes it serves besides its own."}
    )
    address = fields.String(required=True)
    hours = fields.String(required=True)
    phone = fields.String(required=True, allow_none=True, metadata={"description": "E.164."})
    latitude = fields.Float(required=True, allow_none=True)
    longitude = fields.Float(required=True, allow_none=True)
    since = fields.Date(required=True)
    until = fields.Date(required=True, allow_none=True)
    note = fields.String(required=True, allow_none=True)


class KeptPointOut(PointOut):
    """The same for the office, with how many work there and how many of them are to be trained. Nobody is named."""

    staff = fields.Integer(required=True)
    to_train = fields.Integer(required=True)


class NearPointOut(PointOut):
    """The same with whether it stands in the ward that was asked for, or serves it."""

    near = fields.Boolean(required=True)


class NearAnswer(Schema):
    """The nearest first."""

    items = fields.List(fields.Nested(NearPointOut), required=True)


@blp.get("/collection-points")
@may(May.SEE_REPORTS)
@blp.arguments(ListQuery, location="query")
@blp.response(200, listing(KeptPointOut))
def listed(asked: dict[str, Any]) -> dict[str, Any]:
    """Every point of the town, those that have closed and those still to open included"""
    town_id, today = current_scope().town_id, clock.today()
    found = queries.page_of(session(), town_id, today, cursor=asked["cursor"], size=asked["limit"])
    told = _told(town_id, [line.point for line in found.rows])
    counts = ({"staff": line.staff, "to_train": line.to_train} for line in found.rows)
    return {"items": [one | more for one, more in zip(told, counts, strict=True)], "next": found.next}


@blp.get("/collection-points/nearest")
@may(May.SEE_LAW)
@blp.arguments(NearQuery, location="query")
@blp.response(200, NearAnswer)
def nearest(asked: dict[str, Any]) -> dict[str, Any]:
    """Points that are open today, the nearest first: in the ward, serving it, elsewhere; by address among them"""
    town_id, today = current_scope().town_id, clock.today()
    drawn = boundaries(session(), town_id, today)
    place = place_named(session(), town_id, asked["place"], today=today) if asked["place"] else None
    ward = drawn.unit_of(place.id) if place else None
    found = queries.near_to(session(), town_id, ward, asked["address"], drawn)[: asked["limit"]]
    told = _told(town_id, [one.point for one in found])
    return {"items": [one | {"near": line.near} for one, line in zip(told, found, strict=True)]}


def _told(town_id: UUID, points: Collection[CollectionPoint]) -> list[dict[str, Any]]:
    served = queries.served_by(session(), town_id, [point.id for point in points])
    same = tuple(name for name in PointOut._declared_fields if name != "serves")
    return [{name: getattr(point, name) for name in same} | {"serves": served.get(point.id, [])} for point in points]
