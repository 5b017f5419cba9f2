"""Households for other programs: `/api/v1/households`."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import UUID

from marshmallow import Schema, fields, post_load, validate
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.api.blueprint import Blueprint
from crm.api.description import Problem
from crm.api.lists import ListQuery, listing
from crm.db import transaction
from crm.places.queries import ids_within, place_named
from crm.prospects.households import merging, queries, renewing, reviewing
from crm.prospects.households.renewing import Asked
from crm.prospects.households.reviewing import Due, Narrowed
from crm.prospects.households.rules import LONGEST_CODE, Living, Renewal, year_ending
from crm.prospects.households.services import certificates, membership
from crm.prospects.models import Household
from crm.prospects.queries.seeing import person_seen
from crm.prospects.rules import POVERTY, Ground, Kinship
from crm.web.guard import may

blp = Blueprint("households_api", __name__, description="Who lives together, and the certificate of the household")

PLACE = validate.Regexp(r"^[\w.@-]{1,60}$")
YEAR = validate.Range(min=1990, max=2100)


class LivingIn(Schema):
    """Somebody and what they are to the head."""

    prospect_id = fields.UUID(required=True)
    kinship = fields.Enum(Kinship, by_value=True, required=True)

    @post_load
    def made(self, sent: dict[str, Any], **_kwargs: Any) -> Living:
        return Living(**sent)


class HouseholdIn(Schema):
    """A household of these people. Without `since` they have always lived together, as far as is known."""

    id = fields.UUID(metadata={"description": "Made by the caller, if at all."})
    members = fields.List(fields.Nested(LivingIn), required=True, validate=validate.Length(min=1, max=50))
    since = fields.Date(load_default=None, allow_none=True)
    code = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=LONGEST_CODE))
    address = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Length(max=300),
        metadata={"description": "Without it, where the head lives."},
    )


class HouseholdChange(Schema):
    """Only what is to be different."""

    code = fields.String(allow_none=True, validate=validate.Length(max=LONGEST_CODE))
    address = fields.String(allow_none=True, validate=validate.Length(max=300))


class JoinIn(LivingIn):
    """Somebody moves in; without `on` they have always lived there."""

    on = fields.Date(load_default=None, allow_none=True)
    to_its_address = fields.Boolean(
        load_default=False,
        metadata={"description": "Whether the household's ward, neighbourhood and address become theirs."},
    )

    @post_load
    def made(self, sent: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:  # type: ignore[override]
        return sent


class LeaveIn(Schema):
    """The first day elsewhere."""

    on = fields.Date(required=True)


class HeadIn(Schema):
    """Who is the head; members not named become `other`, until somebody asks."""

    prospect_id = fields.UUID(required=True)
    members = fields.List(fields.Nested(LivingIn), load_default=list, validate=validate.Length(max=50))


class MergeIn(Schema):
    """The other record of this household, which becomes part of it."""

    household_id = fields.UUID(required=True)


class CertificateIn(Schema):
    """The certificate of a year; without `since` it holds from 1 January. It ends with the year."""

    ground = fields.Enum(Ground, by_value=True, required=True, validate=validate.OneOf(POVERTY))
    number = fields.String(required=True, validate=validate.Length(min=1, max=100))
    year = fields.Integer(required=True, strict=True, validate=YEAR)
    since = fields.Date(load_default=None, allow_none=True)


class RenewalIn(Schema):
    """The new certificate of a household, or of somebody whose household is not known; or that there is none."""

    household_id = fields.UUID(load_default=None, allow_none=True)
    prospect_id = fields.UUID(load_default=None, allow_none=True)
    year = fields.Integer(
        required=True, strict=True, validate=YEAR, metadata={"description": "The year of the new certificate."}
    )
    number = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=100))
    no_longer = fields.Boolean(load_default=False, truthy={True}, falsy={False})


class HouseholdMemberOut(Schema):
    prospect_id = fields.UUID(required=True, attribute="id")
    full_name = fields.String(required=True)
    kinship = fields.Enum(Kinship, by_value=True, required=True, allow_none=True)
    since = fields.Date(required=True, allow_none=True)


class HouseholdCertificateOut(Schema):
    id = fields.UUID(required=True)
    ground = fields.Enum(Ground, by_value=True, required=True)
    number = fields.String(required=True)
    year = fields.Integer(required=True)
    since = fields.Date(required=True, attribute="valid_from")
    until = fields.Date(required=True, attribute="last_day")


class HouseholdOut(Schema):
    """A household with the members this token sees; `unseen` is the number of the others."""

    id = fields.UUID(required=True)
    code = fields.String(required=True, allow_none=True)
    place = fields.UUID(required=True, attribute="place_id")
    neighbourhood = fields.String(required=True, allow_none=True)
    address = fields.String(required=True, allow_none=True)
    standing = fields.Enum(Ground, by_value=True, required=True)
    head_id = fields.UUID(required=True, allow_none=True)
    members = fields.List(fields.Nested(HouseholdMemberOut), required=True)
    unseen = fields.Integer(required=True)
    certificates = fields.List(fields.Nested(HouseholdCertificateOut), required=True)
    ended_on = fields.Date(required=True, allow_none=True)


class HouseholdShort(Schema):
    """A household in a list."""

    id = fields.UUID(required=True)
    code = fields.String(required=True, allow_none=True)
    place = fields.UUID(required=True, attribute="place_id")
    address = fields.String(required=True, allow_none=True)
    member_ids = fields.List(fields.UUID(), required=True)
    people = fields.Integer(required=True, metadata={"description": "How many live there, seen or not."})


class HouseholdsQuery(ListQuery):
    """Which households are asked for."""

    code = fields.String(validate=validate.Length(max=LONGEST_CODE))
    place = fields.String(validate=PLACE)
    prospect_id = fields.UUID()


class RenewalsQuery(ListQuery):
    """Which certificates are asked for."""

    year = fields.Integer(validate=YEAR, metadata={"description": "The year they end with; the one under review."})
    state = fields.Enum(Renewal, by_value=True)
    place = fields.String(validate=PLACE)


class RenewalOut(Schema):
    """A household, or somebody whose household is not known, whose certificate ends with the year."""

    household_id = fields.UUID(required=True, allow_none=True)
    prospect_id = fields.UUID(required=True, allow_none=True)
    place = fields.String(required=True)
    neighbourhood = fields.String(required=True, allow_none=True)
    ground = fields.Enum(Ground, by_value=True, required=True)
    number = fields.String(required=True, allow_none=True)
    state = fields.Enum(Renewal, by_value=True, required=True)
    people = fields.Integer(required=True)


@blp.get("/households")
@may(May.SEE_PEOPLE)
@blp.arguments(HouseholdsQuery, location="query")
@blp.response(200, listing(HouseholdShort))
def listed(asked: dict[str, Any]) -> dict[str, Any]:
    """Households in which this token sees somebody, in the order they were founded"""
    scope = current_scope()
    with transaction() as current:
        found = queries.page_of_households(
            current,
            scope,
            code=asked.get("code"),
            place_ids=_within(current, asked.get("place")),
            member_id=asked.get("prospect_id"),
            cursor=asked["cursor"],
            size=asked["limit"],
        )
        ids = [row.id for row in found.rows]
        living, counts = queries.members_seen(current, scope, ids), queries.counts_of(current, scope.town_id, ids)
        items = [_short(row, [one.id for one in living[row.id]], counts[row.id]) for row in found.rows]
        return {"items": items, "next": found.next}


def _within(current: Session, named: str | None) -> tuple[UUID, ...] | None:
    if named is None:
        return None
    town_id = current_scope().town_id
    return ids_within(current, town_id, place_named(current, town_id, named, today=clock.today()).id)


def _short(row: Household, members: list[UUID], people: int) -> dict[str, Any]:
    return {
        "id": row.id,
        "code": row.code,
        "place_id": row.place_id,
        "address": row.address,
        "member_ids": members,
        "people": people,
    }


@blp.post("/households")
@may(May.EDIT_PEOPLE)
@blp.arguments(HouseholdIn)
@blp.response(201, HouseholdOut)
@blp.alt_response(409, schema=Problem)
def found(sent: dict[str, Any]) -> Any:
    """Found a household of people who have none yet"""
    with transaction() as current:
        living = sent.pop("members")
        for one in living:
            person_seen(current, current_scope(), one.prospect_id)
        row = membership.found(current, living, by=current_user(), at=clock.now(), **sent)
        return _told(current, row.id), HTTPStatus.CREATED


@blp.get("/households/<uuid:household_id>")
@may(May.SEE_PEOPLE)
@blp.response(200, HouseholdOut)
def one(household_id: UUID) -> Any:
    """One household; the id of one that was merged leads to the one it became"""
    with transaction() as current:
        return _told(current, household_id)


@blp.patch("/households/<uuid:household_id>")
@may(May.EDIT_PEOPLE)
@blp.arguments(HouseholdChange)
@blp.response(200, HouseholdOut)
def change(sent: dict[str, Any], household_id: UUID) -> Any:
    """The household's number and address"""
    with transaction() as current:
        row = queries.household_seen(current, current_scope(), household_id)
        told = {"code": row.code, "address": row.address} | sent
        membership.describe(current, row, by=current_user(), at=clock.now(), **told)
        return _told(current, row.id)


@blp.post("/households/<uuid:household_id>/members")
@may(May.EDIT_PEOPLE)
@blp.arguments(JoinIn)
@blp.response(200, HouseholdOut)
def join(sent: dict[str, Any], household_id: UUID) -> Any:
    """Somebody moves in; the certificate counts for them from that day"""
    with transaction() as current:
        row = queries.household_seen(current, current_scope(), household_id)
        person = person_seen(current, current_scope(), sent["prospect_id"])
        membership.join(
            current,
            row,
            person,
            sent["kinship"],
            on=sent["on"],
            by=current_user(),
            at=clock.now(),
            to_its_address=sent["to_its_address"],
        )
        return _told(current, row.id)


@blp.post("/households/<uuid:household_id>/members/<uuid:prospect_id>/leave")
@may(May.EDIT_PEOPLE)
@blp.arguments(LeaveIn)
@blp.response(204)
def leave(sent: dict[str, Any], household_id: UUID, prospect_id: UUID) -> None:
    """Somebody moves out; the certificate counts for them until the day before"""
    with transaction() as current:
        row = queries.household_seen(current, current_scope(), household_id)
        person = membership.member(row, person_seen(current, current_scope(), prospect_id))
        membership.leave(current, person, on=sent["on"], by=current_user(), at=clock.now())


@blp.put("/households/<uuid:household_id>/head")
@may(May.EDIT_PEOPLE)
@blp.arguments(HeadIn)
@blp.response(200, HouseholdOut)
def set_head(sent: dict[str, Any], household_id: UUID) -> Any:
    """Who is the head, and what the others are to them"""
    with transaction() as current:
        row = queries.household_seen(current, current_scope(), household_id)
        person = person_seen(current, current_scope(), sent["prospect_id"])
        kinships = {one.prospect_id: one.kinship for one in sent["members"]}
        membership.set_head(current, row, person, kinships, by=current_user(), at=clock.now())
        return _told(current, row.id)


@blp.post("/households/<uuid:household_id>/merge")
@may(May.EDIT_PEOPLE)
@blp.arguments(MergeIn)
@blp.response(200, HouseholdOut)
def merge(sent: dict[str, Any], household_id: UUID) -> Any:
    """Another record of the same household becomes part of this one"""
    with transaction() as current:
        row = queries.household_seen(current, current_scope(), household_id)
        gone = queries.household_seen(current, current_scope(), sent["household_id"])
        merging.merge(current, row, gone, by=current_user(), at=clock.now())
        return _told(current, row.id)


@blp.post("/households/<uuid:household_id>/certificates")
@may(May.EDIT_PEOPLE)
@blp.arguments(CertificateIn)
@blp.response(200, HouseholdOut)
def certify(sent: dict[str, Any], household_id: UUID) -> Any:
    """The household is poor or near-poor; said again for the same first day, it corrects what is there"""
    with transaction() as current:
        row, by, at = queries.household_seen(current, current_scope(), household_id), current_user(), clock.now()
        certificates.certify(
            current, row, sent["ground"], sent["number"], sent["year"], since=sent["since"], by=by, at=at
        )
        return _told(current, row.id)


@blp.post("/households/<uuid:household_id>/certificates/<uuid:certificate_id>/end")
@may(May.EDIT_PEOPLE)
@blp.arguments(LeaveIn)
@blp.response(200, HouseholdOut)
def end(sent: dict[str, Any], household_id: UUID, certificate_id: UUID) -> Any:
    """The certificate was withdrawn: it holds no more from `on`"""
    with transaction() as current:
        row = queries.household_seen(current, current_scope(), household_id)
        paper = queries.certificate_of(current, row, certificate_id)
        certificates.end(current, paper, on=sent["on"], by=current_user(), at=clock.now())
        return _told(current, row.id)


@blp.get("/renewals")
@may(May.SEE_DASHBOARD)
@blp.arguments(RenewalsQuery, location="query")
@blp.response(200, listing(RenewalOut))
def renewals(asked: dict[str, Any]) -> dict[str, Any]:
    """Whose certificate ends with a year, by ward and neighbourhood, and whether it was renewed"""
    with transaction() as current:
        within = _within(current, asked.get("place"))
        year, narrowed = asked.get("year", year_ending(clock.today())), Narrowed(asked.get("state"), place_ids=within)
        found = reviewing.page_of_due(
            current, current_scope(), year, narrowed, cursor=asked["cursor"], size=asked["limit"]
        )
        return {"items": [Due._asdict(row) for row in found.rows], "next": found.next}


@blp.post("/renewals")
@may(May.EDIT_PEOPLE)
@blp.arguments(RenewalIn)
@blp.response(204)
def renew(sent: dict[str, Any]) -> None:
    """The certificate of a new year with its number; or `no_longer`, that there is none"""
    asked, year = Asked(sent["household_id"], sent["prospect_id"], sent["number"]), sent["year"]
    with transaction() as current:
        scope, by, at = current_scope(), current_user(), clock.now()
        if sent["no_longer"]:
            renewing.no_longer(current, scope, asked, year=year, by=by, at=at)
        else:
            renewing.renew_all(current, scope, [asked], year=year, by=by, at=at)


def _told(current: Session, household_id: UUID) -> dict[str, Any]:
    """The household as this token sees it, read while the transaction is open."""
    scope, today = current_scope(), clock.today()
    home = queries.home(current, scope, queries.household_seen(current, scope, household_id), today)
    row, holding = home.household, queries.holding(home.certificates, today)
    return {
        "id": row.id,
        "code": row.code,
        "place_id": row.place_id,
        "neighbourhood": home.neighbourhood.name if home.neighbourhood else None,
        "address": row.address,
        "standing": holding.ground if holding else Ground.OTHER,
        "head_id": home.head.id if home.head else None,
        "members": [
            {
                "id": one.person.id,
                "full_name": one.person.full_name,
                "kinship": one.person.kinship,
                "since": home.since.get(one.person.id),
            }
            for one in home.members
        ],
        "unseen": home.unseen,
        "certificates": [
            {name: getattr(paper, name) for name in ("id", "ground", "number", "year", "valid_from", "last_day")}
            for paper in home.certificates
        ],
        "ended_on": row.ended_on,
    }
