"""Work packages for other programs: `/api/v1/work-packages`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from marshmallow import Schema, fields, validate

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.api.blueprint import Blueprint
from crm.api.lists import ListQuery, listing
from crm.db import session, transaction
from crm.errors import RuleBroken
from crm.outreach.packages import queries, services
from crm.outreach.packages.queries import Asked, Progress
from crm.outreach.packages.rules import (
    LONGEST_NAME,
    LONGEST_NOTE,
    MOST_DAYS,
    MOST_PEOPLE,
    USUAL_SIZE,
    Ending,
    NewPackage,
    Settled,
)
from crm.places.queries import ids_within, place_named
from crm.places.rules import PlaceKind
from crm.prospects.lists.queries import people_of, segment_seen
from crm.prospects.rules import Ground, Stage
from crm.web.forms import stripped
from crm.web.guard import may

blp = Blueprint("work_packages", __name__, description="People given to a volunteer until a day")


class CutSchema(Schema):
    """Out of whom: those whom nobody looks after; without a stage those whom nobody has met, or, of a saved list,
    everybody still to be won."""

    place = fields.String(
        load_default=None,
        allow_none=True,
        metadata={"description": "A UUID, `CODE` or `CODE@DATE`, or a neighbourhood's UUID."},
    )
    segment = fields.UUID(load_default=None, allow_none=True, metadata={"description": "A saved list."})
    stage = fields.Enum(Stage, by_value=True, load_default=None, allow_none=True)
    standing = fields.Enum(Ground, by_value=True, load_default=None, allow_none=True)
    size = fields.Integer(load_default=USUAL_SIZE, validate=validate.Range(min=1, max=MOST_PEOPLE))


class PackageIn(Schema):
    """Give either `prospect_ids`, in the order of the walk, or `out_of`."""

    volunteer_id = fields.UUID(required=True)
    until = fields.Date(required=True, metadata={"description": "The last day, included."})
    name = fields.String(required=True, validate=validate.Length(min=1, max=LONGEST_NAME))
    note = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=LONGEST_NOTE))
    prospect_ids = fields.List(fields.UUID(), load_default=list, validate=validate.Length(max=MOST_PEOPLE))
    out_of = fields.Nested(CutSchema, load_default=None, allow_none=True)


class PackageOut(Schema):
    """A package, and how far it is."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    volunteer_id = fields.UUID(required=True)
    until = fields.Date(required=True)
    note = fields.String(required=True, allow_none=True)
    given_at = fields.AwareDateTime(required=True)
    given_by_id = fields.UUID(required=True, allow_none=True)
    ended_at = fields.AwareDateTime(required=True, allow_none=True)
    ended_by_id = fields.UUID(
        required=True, allow_none=True, metadata={"description": "Null for a package whose time ran out."}
    )
    ending = fields.Enum(Ending, by_value=True, required=True, allow_none=True)
    ended_note = fields.String(required=True, allow_none=True)
    people = fields.Integer(required=True)
    met = fields.Integer(required=True)
    left = fields.Integer(required=True)
    returned = fields.Integer(required=True)
    handed_on = fields.Integer(required=True)


class MemberOut(Schema):
    """Somebody in a package."""

    prospect_id = fields.UUID(required=True)
    position = fields.Integer(required=True)
    met = fields.Boolean(required=True)
    settled = fields.Enum(Settled, by_value=True, required=True, allow_none=True)


class PackageWithPeople(PackageOut):
    """A package with the people in it whom this token sees."""

    members = fields.List(fields.Nested(MemberOut), required=True)


class PackagesQuery(ListQuery):
    """Which packages are asked for."""

    volunteer_id = fields.UUID()
    out = fields.Boolean(metadata={"description": "True: those that are out; false: those that ended."})


class ReturnIn(Schema):
    """Why, and whether those who were met stay with the volunteer."""

    note = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=LONGEST_NOTE))
    keep_met = fields.Boolean(load_default=True)


class ExtendIn(Schema):
    """Days more."""

    days = fields.Integer(required=True, validate=validate.Range(min=1, max=MOST_DAYS))


@blp.get("/work-packages")
@may(May.LOG_VISITS)
@blp.arguments(PackagesQuery, location="query")
@blp.response(200, listing(PackageOut))
def listed(asked: dict[str, Any]) -> dict[str, Any]:
    """Packages this token sees, the latest given first"""
    found = queries.page_of(
        session(),
        current_scope(),
        volunteer_id=asked.get("volunteer_id"),
        out=asked.get("out"),
        cursor=asked["cursor"],
        size=asked["limit"],
    )
    return {"items": [_typed(one) for one in found.rows], "next": found.next}


@blp.post("/work-packages")
@may(May.ASSIGN)
@blp.arguments(PackageIn)
@blp.response(201, PackageWithPeople)
def give(sent: dict[str, Any]) -> dict[str, Any]:
    """Give people to a volunteer until a day; whoever was given to somebody meanwhile is left out"""
    if bool(sent["prospect_ids"]) == bool(sent["out_of"]):
        raise RuleBroken(_l("Give either prospect_ids or out_of, not both and not none."), field="prospect_ids")
    with transaction() as current:
        ids, place_id = _people_of(sent)
        note, name = stripped(sent["note"]), stripped(sent["name"]) or ""
        new = NewPackage(sent["volunteer_id"], sent["until"], name, note, place_id)
        given = services.give(current, current_scope(), new, ids, by=current_user(), at=clock.now())
        return _whole(given.package.id)


def _people_of(sent: dict[str, Any]) -> tuple[list[UUID], UUID | None]:
    """Whom to give, and the place they were cut out of."""
    cut, scope, current, today = sent["out_of"], current_scope(), session(), clock.today()
    if not cut:
        return sent["prospect_ids"], None
    place = place_named(current, scope.town_id, cut["place"], today=today) if cut["place"] else None
    part = place.id if place and place.kind is PlaceKind.NEIGHBOURHOOD else None
    within = ids_within(current, scope.town_id, place.id) if place and not part else None
    listed = None
    if cut["segment"]:
        segment = segment_seen(current, scope, current_user(), cut["segment"])
        listed = people_of(segment, scope, today, session=current)
    usual = queries.STILL_TO_BE_WON if cut["segment"] else queries.NOT_MET_YET
    asked = Asked(within, part, (cut["stage"],) if cut["stage"] else usual, cut["standing"], listed)
    return queries.first_to_walk(current, scope, asked, size=cut["size"], today=today), place.id if place else None


@blp.get("/work-packages/<uuid:package_id>")
@may(May.LOG_VISITS)
@blp.response(200, PackageWithPeople)
def one(package_id: UUID) -> dict[str, Any]:
    """One package with its people"""
    return _whole(package_id)


@blp.post("/work-packages/<uuid:package_id>/extend")
@may(May.ASSIGN)
@blp.arguments(ExtendIn)
@blp.response(200, PackageWithPeople)
def extend(sent: dict[str, Any], package_id: UUID) -> dict[str, Any]:
    """Some days more"""
    with transaction() as current:
        services.extend(current, current_scope(), package_id, sent["days"], by=current_user(), at=clock.now())
        return _whole(package_id)


@blp.post("/work-packages/<uuid:package_id>/return")
@may(May.LOG_VISITS)
@blp.arguments(ReturnIn)
@blp.response(200, PackageWithPeople)
def bring_back(sent: dict[str, Any], package_id: UUID) -> dict[str, Any]:
    """Hand a package back, or take it back; who was not met belongs to nobody again"""
    with transaction() as current:
        note, keep, by = stripped(sent["note"]), sent["keep_met"], current_user()
        services.bring_back(current, current_scope(), package_id, by=by, at=clock.now(), note=note, keep_met=keep)
        return _whole(package_id)


def _whole(package_id: UUID) -> dict[str, Any]:
    current, scope = session(), current_scope()
    progress = queries.package_seen(current, scope, package_id)
    members = [
        {
            "prospect_id": one.person.id,
            "position": one.item.position,
            "met": one.met if one.item.settled is None else one.item.settled is Settled.MET,
            "settled": one.item.settled,
        }
        for one in queries.members(current, scope, progress.package)
    ]
    return {**_typed(progress), "members": members}


def _typed(progress: Progress) -> dict[str, Any]:
    row = progress.package
    counts = {name: getattr(progress, name) for name in ("people", "met", "left", "returned", "handed_on")}
    return {name: getattr(row, name) for name in PackageOut().fields if name not in counts} | counts
