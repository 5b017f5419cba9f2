"""Changes of the law for other programs: drafted, compared and put on record: `/api/v1/decrees`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from marshmallow import Schema, fields, validate

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.api.blueprint import Blueprint
from crm.api.lists import ListQuery, listing
from crm.background import ring
from crm.db import session, transaction
from crm.decrees import queries, services
from crm.decrees.models import Decree, DecreeImpact, DecreePerson
from crm.decrees.queries import Line
from crm.decrees.rules.saying import MOST_ITEMS, Item, Said
from crm.decrees.rules.states import ImpactState, Side, State
from crm.errors import Conflict, NotFound
from crm.places.queries import place_named
from crm.premiums.rules.keys import LawKey, LawStatus
from crm.prospects.rules import Ground
from crm.web.guard import may
from tasks.decrees import compare

blp = Blueprint("decrees_api", __name__, description="Changes of the law, and whom they concern")


MOST = 10**11


def _within(value: Decimal | None) -> None:
    """No number of the law is below nothing or beyond all money."""
    validate.Range(min=0, max=MOST)(value)


class ItemIn(Schema):
    """A value of national law (`key`), or, without a key, what a place adds for a ground."""

    key = fields.Enum(LawKey, by_value=True, load_default=None, allow_none=True)
    ground = fields.Enum(Ground, by_value=True, load_default=None, allow_none=True)
    value = fields.Decimal(
        load_default=None,
        allow_none=True,
        validate=_within,
        metadata={
            "description": "Percent, đồng, months, years or times; of a place: percent of the floor premium.",
            "minimum": 0,
            "maximum": MOST,
        },
    )
    of_year = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(min=1995, max=2100))
    amount = fields.Integer(
        load_default=None,
        allow_none=True,
        validate=validate.Range(min=0, max=MOST),
        metadata={"description": "Of a place: đồng a month instead of a percent."},
    )
    place = fields.String(load_default=None, allow_none=True, metadata={"description": "UUID, CODE or CODE@DATE."})
    until = fields.Date(load_default=None, allow_none=True)
    months_cap = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(min=1, max=1200))
    article = fields.String(load_default="", validate=validate.Length(max=120))


class DecreeIn(Schema):
    """A document that changes the law from a day on."""

    document = fields.String(required=True, validate=validate.Length(min=1, max=120))
    article = fields.String(load_default="", validate=validate.Length(max=120))
    source = fields.String(required=True, validate=validate.Length(min=1, max=300))
    note = fields.String(load_default="", validate=validate.Length(max=500))
    effective_from = fields.Date(required=True)
    status = fields.Enum(LawStatus, by_value=True, load_default=LawStatus.IN_FORCE)
    items = fields.List(fields.Nested(ItemIn), required=True, validate=validate.Length(min=1, max=MOST_ITEMS))


class ItemOut(Schema):
    """The same, as it was written down; numbers as text, so that they stay exact."""

    key = fields.String(required=True, allow_none=True)
    ground = fields.String(required=True, allow_none=True)
    value = fields.String(required=True, allow_none=True)
    of_year = fields.Integer(required=True, allow_none=True)
    amount = fields.Integer(required=True, allow_none=True)
    place = fields.UUID(required=True, allow_none=True)
    until = fields.Date(required=True, allow_none=True)
    months_cap = fields.Integer(required=True, allow_none=True)
    article = fields.String(required=True)


class DecreeOut(Schema):
    """A decree; `version` goes up with every change of a draft."""

    id = fields.UUID(required=True)
    document = fields.String(required=True)
    article = fields.String(required=True)
    source = fields.String(required=True)
    note = fields.String(required=True)
    effective_from = fields.Date(required=True)
    status = fields.Enum(LawStatus, by_value=True, required=True)
    state = fields.Enum(State, by_value=True, required=True)
    version = fields.Integer(required=True)
    items = fields.List(fields.Nested(ItemOut), required=True)
    saved_at = fields.AwareDateTime(required=True, allow_none=True)


class SumsOut(Schema):
    """How many pay more, less or the same, and đồng a month of all of them together, without and with the decree."""

    takes_part = fields.Boolean(required=True)
    people = fields.Integer(required=True)
    more = fields.Integer(required=True)
    less = fields.Integer(required=True)
    same = fields.Integer(required=True)
    below = fields.Integer(required=True, metadata={"description": "Whose chosen income falls below the least one."})
    own_before = fields.Integer(required=True)
    own_after = fields.Integer(required=True)
    state_before = fields.Integer(required=True)
    state_after = fields.Integer(required=True)
    place_before = fields.Integer(required=True)
    place_after = fields.Integer(required=True)
    sponsors_before = fields.Integer(required=True)
    sponsors_after = fields.Integer(required=True)


class ImpactOut(Schema):
    """How far the comparison is; `sums` once it is done, among the people this token sees."""

    state = fields.Enum(ImpactState, by_value=True, required=True)
    version = fields.Integer(required=True, metadata={"description": "The version of the draft that was compared."})
    today = fields.Date(required=True)
    done = fields.Integer(required=True)
    total = fields.Integer(required=True)
    sums = fields.List(fields.Nested(SumsOut), required=True)


class SaveIn(Schema):
    """The version one has looked at."""

    version = fields.Integer(required=True)


class PeopleQuery(ListQuery):
    """Whom to list of those a decree concerns."""

    side = fields.Enum(Side, by_value=True)
    takes_part = fields.Boolean()


class AffectedOut(Schema):
    """Somebody's first payment from the day of effect on, without the decree and with it: đồng for all its months."""

    prospect_id = fields.UUID(required=True)
    full_name = fields.String(required=True)
    takes_part = fields.Boolean(required=True)
    ground = fields.Enum(Ground, by_value=True, required=True)
    place_id = fields.UUID(required=True)
    start = fields.String(required=True, metadata={"example": "2026-07"})
    months = fields.Integer(required=True)
    pay_by = fields.Date(required=True)
    before_possible = fields.Boolean(required=True)
    below_floor = fields.Boolean(required=True)
    income_before = fields.Integer(required=True)
    income_after = fields.Integer(required=True)
    gross_before = fields.Integer(required=True)
    gross_after = fields.Integer(required=True)
    state_before = fields.Integer(required=True)
    state_after = fields.Integer(required=True)
    place_before = fields.Integer(required=True)
    place_after = fields.Integer(required=True)
    sponsors_before = fields.Integer(required=True)
    sponsors_after = fields.Integer(required=True)
    own_before = fields.Integer(required=True)
    own_after = fields.Integer(required=True)


@blp.get("/decrees")
@may(May.SEE_DASHBOARD)
@blp.arguments(ListQuery, location="query")
@blp.response(200, listing(DecreeOut))
def listed(asked: dict[str, Any]) -> dict[str, Any]:
    """Decrees in the order in which they were written down; drafts only for whoever may change the law"""
    drafts = current_user().may(May.CHANGE_LAW)
    given = {"cursor": asked["cursor"], "size": asked["limit"]}
    found = queries.decrees_page(session(), current_scope().town_id, drafts=drafts, **given)
    return {"items": [_typed(row) for row in found.rows], "next": found.next}


@blp.post("/decrees")
@may(May.CHANGE_LAW)
@blp.arguments(DecreeIn)
@blp.response(201, DecreeOut)
def draft(sent: dict[str, Any]) -> dict[str, Any]:
    """Write a decree down as a draft: nothing changes until it is saved"""
    with transaction() as current:
        return _typed(services.describe(current, _said(sent), by=current_user(), at=clock.now()))


@blp.get("/decrees/<uuid:decree_id>")
@may(May.SEE_DASHBOARD)
@blp.response(200, DecreeOut)
def one(decree_id: UUID) -> dict[str, Any]:
    """One decree with its lines"""
    return _typed(_row(decree_id))


@blp.delete("/decrees/<uuid:decree_id>")
@may(May.CHANGE_LAW)
@blp.response(204)
def drop(decree_id: UUID) -> None:
    """Throw a draft away; 409 once it is on record"""
    with transaction() as current:
        services.drop(current, _row(decree_id, lock=True), by=current_user(), at=clock.now())


@blp.post("/decrees/<uuid:decree_id>/impact")
@may(May.CHANGE_LAW)
@blp.response(202, ImpactOut)
def ask_impact(decree_id: UUID) -> dict[str, Any]:
    """Compare what everybody it concerns pays without and with a draft; ask for the impact until it is done"""
    with transaction() as current:
        impact = services.ask_impact(current, _row(decree_id, lock=True), at=clock.now())
        small = impact.total <= services.AT_ONCE
        while small and services.step(current, current_scope().town_id, decree_id, at=clock.now()):
            pass
    if not small:
        ring(compare, str(current_scope().town_id), str(decree_id))
    return _impact(_row(decree_id))


@blp.get("/decrees/<uuid:decree_id>/impact")
@may(May.SEE_DASHBOARD)
@blp.response(200, ImpactOut)
def impact(decree_id: UUID) -> dict[str, Any]:
    """How far the comparison is, and what came of it"""
    return _impact(_row(decree_id))


@blp.get("/decrees/<uuid:decree_id>/people")
@may(May.SEE_DASHBOARD)
@blp.arguments(PeopleQuery, location="query")
@blp.response(200, listing(AffectedOut))
def people(asked: dict[str, Any], decree_id: UUID) -> dict[str, Any]:
    """Whom a decree concerns, one by one, with what they pay before and after; 409 until they are compared"""
    narrowed: dict[str, Any] = {"side": asked.get("side"), "takes_part": asked.get("takes_part"), "place_id": None}
    given: dict[str, Any] = {"cursor": asked["cursor"], "size": asked["limit"]}
    row = _row(decree_id)
    if not queries.compared(session(), row):
        raise Conflict(
            _l("Its people are not compared yet: ask again when the comparison is done."), code="not_compared"
        )
    found, _total = queries.people_of(session(), current_scope(), row, **narrowed, **given)
    return {"items": [_affected(line) for line in found.rows], "next": found.next}


@blp.post("/decrees/<uuid:decree_id>/save")
@may(May.CHANGE_LAW)
@blp.arguments(SaveIn)
@blp.response(200, DecreeOut)
def save(sent: dict[str, Any], decree_id: UUID) -> dict[str, Any]:
    """Put a draft on record, as it was compared"""
    with transaction() as current:
        row = _row(decree_id, lock=True)
        services.save(current, row, version=sent["version"], by=current_user(), at=clock.now())
        return _typed(row)


# ---- pieces


def _row(decree_id: UUID, *, lock: bool = False) -> Decree:
    row = queries.decree(session(), current_scope().town_id, decree_id, lock=lock)
    if row.state is State.DRAFT and not current_user().may(May.CHANGE_LAW):
        raise NotFound
    return row


def _said(sent: dict[str, Any]) -> Said:
    day = clock.today()
    items = []
    for one in sent["items"]:
        place = place_named(session(), current_user().town_id, one["place"], today=day) if one["place"] else None
        items.append(Item(**one | {"place": place.id if place else None}))
    same = ("document", "article", "source", "note", "status")
    return Said(**{name: sent[name] for name in same}, since=sent["effective_from"], items=tuple(items))


def _typed(row: Decree) -> dict[str, Any]:
    return {name: getattr(row, name) for name in DecreeOut().fields if name != "items"} | {
        "items": [{name: getattr(item, name) for name in ItemOut().fields} for item in queries.said_of(row).items]
    }


def _impact(row: Decree) -> dict[str, Any]:
    found: DecreeImpact | None = queries.impact_of(session(), row)
    if found is None:
        raise NotFound
    same = ("state", "version", "today", "done", "total")
    done = found.state is ImpactState.DONE
    sums = queries.sums(session(), current_scope(), row, DecreePerson.takes_part) if done else []
    return {name: getattr(found, name) for name in same} | {
        "sums": [{"takes_part": key[0], **told._asdict()} for key, told in sums]
    }


def _affected(line: Line) -> dict[str, Any]:
    found = line.found
    same = {name: getattr(found, name) for name in AffectedOut().fields if name not in ("full_name", "start", "ground")}
    return {
        **same,
        "ground": Ground(found.ground),
        "full_name": line.person.full_name,
        "start": f"{found.start_month:%Y-%m}",
    }
