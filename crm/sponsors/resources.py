"""Sponsors, promises, receipts and allocations for other programs."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from uuid import UUID

from flask import Response, url_for
from flask_babel import lazy_gettext as _l
from marshmallow import Schema, fields, validate

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.api.blueprint import Blueprint
from crm.api.description import Problem
from crm.api.lists import ListQuery, listing
from crm.db import session, transaction
from crm.errors import RuleBroken
from crm.months import Month
from crm.places.queries import place_named
from crm.premiums.rules.keys import PERIODS
from crm.premiums.rules.quotes import START_PATTERN, read_start
from crm.prospects.queries.seeing import person_seen
from crm.prospects.rules import Ground
from crm.sponsors import queries, services
from crm.sponsors.duplicates.queries import Alike, Same, alike_to_told
from crm.sponsors.giving.queries import accounts_of, frequencies_of
from crm.sponsors.giving.rules import Due, Frequency, Standing, own_schedule
from crm.sponsors.giving.services import scheduling
from crm.sponsors.ledger import deciding
from crm.sponsors.ledger.resources import MoneyRequestOut, asked
from crm.sponsors.models import Allocation, Pledge, Receipt, Sponsor
from crm.sponsors.rules import (
    LONGEST_PROMISE,
    MOST_AGE,
    MOST_DONG,
    MOST_PEOPLE,
    NEEDS,
    SPEAKS,
    Balance,
    PledgeState,
    SponsorKind,
    Wish,
)
from crm.web.guard import may
from crm.web.problems import problem

blp = Blueprint("sponsors_api", __name__, description="Who pays for others, what came in, and whose months it carries")

DONG = validate.Range(min=1, max=MOST_DONG - 1)
MOST_PLACES = 100
TEXT = validate.Regexp(r"\S", error="Write something other than spaces.")


class WishIn(Schema):
    """Whom the sponsor would like to help; what is absent narrows nothing."""

    places = fields.List(
        fields.String(validate=validate.Regexp(r"^[\w.@-]{1,60}$")),
        validate=validate.Length(max=MOST_PLACES),
        metadata={"description": "Each a UUID, a CODE of today, or CODE@DATE."},
    )
    grounds = fields.List(fields.Enum(Ground, by_value=True, validate=validate.OneOf(list(NEEDS))))
    women = fields.Boolean(truthy={True}, falsy={False})
    age_from = fields.Integer(allow_none=True, validate=validate.Range(1, MOST_AGE))
    age_to = fields.Integer(allow_none=True, validate=validate.Range(1, MOST_AGE))
    people = fields.Integer(allow_none=True, validate=validate.Range(1, MOST_PEOPLE))
    months = fields.Integer(allow_none=True, validate=validate.Range(1, LONGEST_PROMISE))
    monthly = fields.Boolean(truthy={True}, falsy={False})


class WishOut(Schema):
    """Whom the sponsor would like to help."""

    places = fields.List(fields.UUID(), required=True)
    grounds = fields.List(fields.Enum(Ground, by_value=True), required=True)
    women = fields.Boolean(required=True)
    age_from = fields.Integer(required=True, allow_none=True)
    age_to = fields.Integer(required=True, allow_none=True)
    people = fields.Integer(required=True, allow_none=True)
    months = fields.Integer(required=True, allow_none=True)
    monthly = fields.Boolean(required=True)


class SponsorIn(Schema):
    """A new sponsor."""

    name = fields.String(required=True, validate=[validate.Length(1, 200), TEXT])
    kind = fields.Enum(SponsorKind, by_value=True, required=True)
    contact_name = fields.String(allow_none=True, validate=validate.Length(max=120))
    phone = fields.String(allow_none=True, validate=validate.Length(max=40))
    email = fields.Email(allow_none=True, validate=validate.Length(max=200))
    tax_code = fields.String(allow_none=True, validate=validate.Length(max=20))
    language = fields.String(validate=validate.OneOf(list(SPEAKS)), load_default="vi")
    wish = fields.Nested(WishIn, load_default=dict)
    allow_duplicate = fields.Boolean(load_default=False, truthy={True}, falsy={False})


class AlikeOut(Schema):
    """A sponsor who may be the same."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    reasons = fields.List(fields.Enum(Same, by_value=True), required=True)
    why = fields.String(required=True)


class LikelySponsor(Problem):
    candidates = fields.List(fields.Nested(AlikeOut))


class SponsorChange(Schema):
    """What changes of a sponsor; what is absent stays. A wish takes the place of the whole wish before."""

    name = fields.String(validate=[validate.Length(1, 200), TEXT])
    kind = fields.Enum(SponsorKind, by_value=True)
    contact_name = fields.String(allow_none=True, validate=validate.Length(max=120))
    phone = fields.String(allow_none=True, validate=validate.Length(max=40))
    email = fields.Email(allow_none=True, validate=validate.Length(max=200))
    tax_code = fields.String(allow_none=True, validate=validate.Length(max=20))
    language = fields.String(validate=validate.OneOf(list(SPEAKS)))
    wish = fields.Nested(WishIn)


class SponsorOut(Schema):
    """A sponsor, and where their money stands in whole đồng: received = available + reserved + paid + returned."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    kind = fields.Enum(SponsorKind, by_value=True, required=True)
    contact_name = fields.String(required=True, allow_none=True)
    phone = fields.String(required=True, allow_none=True)
    email = fields.String(required=True, allow_none=True)
    tax_code = fields.String(required=True, allow_none=True)
    language = fields.String(
        required=True,
        validate=validate.OneOf(list(SPEAKS)),
        metadata={"description": "In which letters and messages are written to them."},
    )
    wish = fields.Nested(WishOut, required=True)
    promised = fields.Integer(required=True)
    received = fields.Integer(required=True)
    returned = fields.Integer(required=True, metadata={"description": "What of `received` went back to the sponsor."})
    available = fields.Integer(required=True)
    reserved = fields.Integer(required=True)
    paid = fields.Integer(required=True)
    expected = fields.Integer(
        required=True, metadata={"description": "What open promises still have to bring, whole đồng."}
    )
    created_at = fields.AwareDateTime(required=True)


class DueIn(Schema):
    """A part of a promise on its day."""

    due_on = fields.Date(required=True)
    amount = fields.Integer(required=True, strict=True, validate=DONG)


class InstalmentOut(Schema):
    """A part of a promise on its day, and what came in on it: received money is laid on the oldest first."""

    due_on = fields.Date(required=True, attribute="due.on")
    amount = fields.Integer(required=True, attribute="due.amount")
    received = fields.Integer(required=True, attribute="came")
    standing = fields.Enum(Standing, by_value=True, required=True)


class PledgeIn(Schema):
    """A promise; not money."""

    sponsor_id = fields.UUID(required=True)
    amount = fields.Integer(required=True, strict=True, validate=DONG)
    due_on = fields.Date(allow_none=True, load_default=None)
    schedule = fields.List(
        fields.Nested(DueIn),
        load_default=None,
        allow_none=True,
        validate=validate.Length(1, LONGEST_PROMISE),
        metadata={"description": "Its instalments, which sum to `amount`; one on `due_on` when absent."},
    )
    note = fields.String(allow_none=True, load_default=None, validate=validate.Length(max=500))


class PledgeOut(Schema):
    """A promise; `code` is what the payer writes on the transfer."""

    id = fields.UUID(required=True)
    sponsor_id = fields.UUID(required=True)
    amount = fields.Integer(required=True)
    code = fields.String(required=True)
    pledged_on = fields.Date(required=True)
    due_on = fields.Date(required=True, allow_none=True)
    state = fields.Enum(PledgeState, by_value=True, required=True)
    frequency = fields.Enum(Frequency, by_value=True, required=True)
    received = fields.Integer(required=True)
    over = fields.Integer(required=True, metadata={"description": "What came in beyond the promise."})
    schedule = fields.List(fields.Nested(InstalmentOut), required=True)
    note = fields.String(required=True, allow_none=True)


class PledgeChange(Schema):
    """What is still to come is paid otherwise: `rest` takes the place of every instalment that is open."""

    rest = fields.List(fields.Nested(DueIn), required=True, validate=validate.Length(max=LONGEST_PROMISE))
    reason = fields.String(required=True, validate=[validate.Length(1, 300), TEXT])


class PledgeEnd(Schema):
    """Why nothing more is expected."""

    reason = fields.String(required=True, validate=[validate.Length(1, 300), TEXT])


class ReceiptIn(Schema):
    """Money that came in. The same `reference` a second time is refused with 409."""

    sponsor_id = fields.UUID(required=True)
    amount = fields.Integer(required=True, strict=True, validate=DONG)
    reference = fields.String(required=True, validate=[validate.Length(1, 60), TEXT])
    received_on = fields.Date(load_default=None, allow_none=True, metadata={"description": "Today when absent."})
    pledge_id = fields.UUID(load_default=None, allow_none=True)


class ReceiptOut(Schema):
    """Money that came in."""

    id = fields.UUID(required=True)
    sponsor_id = fields.UUID(required=True)
    pledge_id = fields.UUID(required=True, allow_none=True)
    amount = fields.Integer(required=True)
    reference = fields.String(required=True)
    received_on = fields.Date(required=True)
    corrected = fields.Function(
        lambda row: row.corrected_id is not None,
        required=True,
        metadata={"type": "boolean", "description": "It was recorded by mistake, was taken back and counts nowhere."},
    )


class AllocationIn(Schema):
    """Whole months of one person. The amount follows from the law of the day: what the person still owes for them."""

    sponsor_id = fields.UUID(required=True)
    prospect_id = fields.UUID(required=True)
    start = fields.String(
        required=True, validate=validate.Regexp(f"^{START_PATTERN}$"), metadata={"example": "2019-11"}
    )
    months = fields.Integer(required=True, strict=True, validate=validate.OneOf(tuple(PERIODS.values())))
    amount = fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        validate=DONG,
        metadata={"description": "What the caller expects it to come to; 409 `amount_changed` when it does not."},
    )
    reason = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Length(max=300),
        metadata={
            "description": "Needed for somebody without a certificate of a poor or near-poor household, and outside "
            "the sponsor's wish."
        },
    )
    beyond_wish = fields.Boolean(
        load_default=False,
        truthy={True},
        falsy={False},
        metadata={
            "description": "Help somebody whom the sponsor did not wish to help, with a `reason`; else that is refused "
            "with the code `outside_wish`."
        },
    )


class AllocationOut(Schema):
    """Money set aside, paid on (`payment_id`) or given back (`released_at`). `carried_months`, the first of them first,
    are what is left when the last ones were given back, and `carried_amount` is what is set aside for those."""

    id = fields.UUID(required=True)
    sponsor_id = fields.UUID(required=True)
    prospect_id = fields.UUID(required=True)
    start = fields.Function(lambda row: str(Month.of(row.start_month)), required=True, metadata={"type": "string"})
    months = fields.Integer(required=True)
    amount = fields.Integer(required=True)
    carried_months = fields.Integer(required=True)
    carried_amount = fields.Integer(required=True)
    payment_id = fields.UUID(required=True, allow_none=True)
    released_at = fields.AwareDateTime(required=True, allow_none=True)
    recorded_at = fields.AwareDateTime(required=True)


class ReleaseQuery(Schema):
    """What is given back."""

    since = fields.String(
        load_default=None,
        validate=validate.Regexp(f"^{START_PATTERN}$"),
        metadata={"description": "Only the months from this one on, such as 2020-02; all when absent."},
    )


class SponsorsQuery(ListQuery):
    """Which sponsors."""

    q = fields.String(
        load_default="",
        validate=validate.Length(max=200),
        metadata={"description": "Part of a name, a transfer code, or a bank's narrative with one in it."},
    )


class OfSponsorQuery(ListQuery):
    """Whose."""

    sponsor_id = fields.UUID(load_default=None)


@blp.get("/sponsors")
@may(May.SEE_SPONSORS)
@blp.arguments(SponsorsQuery, location="query")
@blp.response(200, listing(SponsorOut))
def sponsors(asked: dict[str, Any]) -> dict[str, Any]:
    """Sponsors by name, with where their money stands"""
    scope = current_scope()
    found = queries.sponsors_page(session(), scope, asked["q"], cursor=asked["cursor"], size=asked["limit"])
    balances = queries.balances_of(session(), scope.town_id, [row.id for row in found.rows])
    return {"items": [told(row, balances[row.id]) for row in found.rows], "next": found.next}


@blp.post("/sponsors")
@may(May.RECORD_MONEY)
@blp.arguments(SponsorIn)
@blp.response(201, SponsorOut)
@blp.alt_response(409, schema=LikelySponsor)
def add_sponsor(sent: dict[str, Any]) -> Any:
    """A new sponsor; a tax code that is here already is refused, and, unless `allow_duplicate`, who is likely here"""
    by, wish, allow = current_user(), sent.pop("wish"), sent.pop("allow_duplicate")
    known = {name: sent.get(name) for name in ("email", "phone", "tax_code")}
    found = [] if allow else alike_to_told(session(), by.town_id, name=sent["name"], **known)
    if found:
        return _likely(found)
    with transaction() as current:
        kept = wish_of(by.town_id, wish)
        new, _token = services.register_sponsor(current, by.town_id, **sent, wish=kept, by_id=by.id, at=clock.now())
        return created(told(new, Balance()), "one_sponsor", sponsor_id=new.id)


def _likely(found: Sequence[Alike]) -> Response:
    """409 with the sponsors who may be the same."""
    told = [
        {
            "id": str(one.sponsor.id),
            "name": one.sponsor.name,
            "reasons": [why.value for why in one.whys],
            "why": ", ".join(str(words) for words in one.words),
        }
        for one in found
    ]
    detail = str(_l("A sponsor like this is here already. Compare before you add a second entry."))
    return problem(HTTPStatus.CONFLICT, detail=detail, code="likely_duplicate", candidates=told)


@blp.get("/sponsors/<uuid:sponsor_id>")
@may(May.SEE_SPONSORS)
@blp.response(200, SponsorOut)
def one_sponsor(sponsor_id: UUID) -> dict[str, Any]:
    """One sponsor"""
    found = queries.sponsor(session(), current_scope(), sponsor_id)
    return told(found, queries.balance_of(session(), found))


@blp.patch("/sponsors/<uuid:sponsor_id>")
@may(May.RECORD_MONEY)
@blp.arguments(SponsorChange)
@blp.response(200, SponsorOut)
@blp.alt_response(409, schema=Problem)
def change_sponsor(sent: dict[str, Any], sponsor_id: UUID) -> dict[str, Any]:
    """What is known of a sponsor; who changed what from what is kept"""
    by = current_user()
    with transaction() as current:
        known = queries.sponsor(current, current_scope(), sponsor_id)
        if "wish" in sent:
            sent["wish"] = wish_of(by.town_id, sent["wish"])
        services.change_some(current, known, sent, by_id=by.id, at=clock.now())
        return told(known, queries.balance_of(current, known))


@blp.get("/pledges")
@may(May.SEE_SPONSORS)
@blp.arguments(OfSponsorQuery, location="query")
@blp.response(200, listing(PledgeOut))
def pledges(asked: dict[str, Any]) -> dict[str, Any]:
    """Promises with their instalments, in the order they were recorded"""
    found = rows(Pledge, asked)
    return found | {"items": promised(found["items"])}


@blp.post("/pledges")
@may(May.RECORD_MONEY)
@blp.arguments(PledgeIn)
@blp.response(201, PledgeOut)
def add_pledge(sent: dict[str, Any]) -> Any:
    """A promise with its instalments, and the code of its transfer"""
    dues = dues_of(sent["schedule"]) if sent["schedule"] else None
    if dues and sum(due.amount for due in dues) != sent["amount"]:
        raise RuleBroken(_l("The instalments do not sum to the amount."), field="schedule")
    with transaction() as current:
        by = queries.sponsor(current, current_scope(), sent["sponsor_id"])
        due = dues[-1].on if dues else sent["due_on"]
        often = {"dues": dues, "frequency": Frequency.OWN} if dues and len(dues) > 1 else {"dues": dues}
        made = services.pledge(current, by, sent["amount"], due=due, note=sent["note"], **often, **acting())
        return created(promised([made])[0], "one_pledge", pledge_id=made.id)


@blp.get("/pledges/<uuid:pledge_id>")
@may(May.SEE_SPONSORS)
@blp.response(200, PledgeOut)
def one_pledge(pledge_id: UUID) -> dict[str, Any]:
    """One promise with its instalments"""
    return promised([queries.pledge(session(), current_scope(), pledge_id)])[0]


@blp.post("/pledges/<uuid:pledge_id>/change")
@may(May.RECORD_MONEY)
@blp.arguments(PledgeChange)
@blp.response(200, PledgeOut)
@blp.alt_response(409, schema=Problem)
def change_pledge(sent: dict[str, Any], pledge_id: UUID) -> dict[str, Any]:
    """Pay the rest of a promise otherwise; what came in stays. An ended promise is refused with 409"""
    rest = dues_of(sent["rest"]) if sent["rest"] else ()
    with transaction() as current:
        changed = queries.pledge(current, current_scope(), pledge_id)
        scheduling.change(current, changed, rest, Frequency.OWN, reason=sent["reason"], **acting())
        return promised([changed])[0]


@blp.post("/pledges/<uuid:pledge_id>/end")
@may(May.RECORD_MONEY)
@blp.arguments(PledgeEnd)
@blp.response(200, PledgeOut)
@blp.alt_response(409, schema=Problem)
def end_pledge(sent: dict[str, Any], pledge_id: UUID) -> dict[str, Any]:
    """Expect no more of a promise; what was done stays. Twice is refused with 409"""
    with transaction() as current:
        ended = queries.pledge(current, current_scope(), pledge_id)
        scheduling.end(current, ended, reason=sent["reason"], **acting())
        return promised([ended])[0]


@blp.get("/receipts")
@may(May.SEE_SPONSORS)
@blp.arguments(OfSponsorQuery, location="query")
@blp.response(200, listing(ReceiptOut))
def receipts(asked: dict[str, Any]) -> dict[str, Any]:
    """Money that came in, in the order it was recorded"""
    return rows(Receipt, asked)


@blp.post("/receipts")
@may(May.RECORD_MONEY)
@blp.arguments(ReceiptIn)
@blp.response(201, ReceiptOut)
@blp.alt_response(409, schema=Problem)
def add_receipt(sent: dict[str, Any]) -> Any:
    """Money came in; the same reference a second time is refused"""
    with transaction() as current:
        scope, given = current_scope(), acting() | ({"on": sent["received_on"]} if sent["received_on"] else {})
        by = queries.sponsor(current, scope, sent["sponsor_id"])
        on_pledge = queries.pledge(current, scope, sent["pledge_id"]) if sent["pledge_id"] else None
        made = services.receive(current, by, sent["amount"], reference=sent["reference"], pledge=on_pledge, **given)
        return created(made, "one_receipt", receipt_id=made.id)


@blp.get("/receipts/<uuid:receipt_id>")
@may(May.SEE_SPONSORS)
@blp.response(200, ReceiptOut)
def one_receipt(receipt_id: UUID) -> Receipt:
    """One receipt"""
    return queries.receipt(session(), current_scope(), receipt_id)


@blp.get("/allocations")
@may(May.SEE_SPONSORS)
@blp.arguments(OfSponsorQuery, location="query")
@blp.response(200, listing(AllocationOut))
def allocations(asked: dict[str, Any]) -> dict[str, Any]:
    """Money set aside for people this token sees, in the order it was recorded"""
    return rows(Allocation, asked)


@blp.post("/allocations")
@may(May.RECORD_MONEY)
@blp.arguments(AllocationIn)
@blp.response(201, AllocationOut)
@blp.alt_response(202, schema=MoneyRequestOut)
@blp.alt_response(409, schema=Problem)
def add_allocation(sent: dict[str, Any]) -> Any:
    """Set money aside for whole months of one person

    More than was received is refused with 409, somebody outside the sponsor's wish with 422 `outside_wish`; what is above the limit for one person waits for a second (202).
    """
    with transaction() as current:
        scope = current_scope()
        by = queries.sponsor(current, scope, sent["sponsor_id"])
        helped = person_seen(current, scope, sent["prospect_id"])
        beyond = sent["reason"] if sent["beyond_wish"] else None
        services.refuse_outside_wish(current, by, helped, clock.today(), beyond)
        run = {"start": read_start(sent["start"]), "months": sent["months"]}
        run |= {"expected": sent["amount"], "reason": sent["reason"]} | asking()
        made = deciding.allocate_or_ask(current, by, helped, **run)
        return asked(made) or created(made, "one_allocation", allocation_id=made.id)


@blp.get("/allocations/<uuid:allocation_id>")
@may(May.SEE_SPONSORS)
@blp.response(200, AllocationOut)
def one_allocation(allocation_id: UUID) -> Allocation:
    """One allocation"""
    return queries.allocation(session(), current_scope(), allocation_id)


@blp.post("/allocations/<uuid:allocation_id>/release")
@may(May.RECORD_MONEY)
@blp.arguments(ReleaseQuery, location="query")
@blp.response(200, AllocationOut)
@blp.alt_response(409, schema=Problem)
def release(sent: dict[str, Any], allocation_id: UUID) -> Allocation:
    """Give the money back to what is left, all of it or that of the last months; once paid on it is refused with 409"""
    with transaction() as current:
        released = queries.allocation(current, current_scope(), allocation_id)
        since = read_start(sent["since"]) if sent["since"] else None
        services.release(current, released, since=since, **acting())
        return released


def asking() -> dict[str, Any]:
    """Who acts, on which day, when, for an act that may have to be asked of a second person."""
    return {"by": current_user(), "on": clock.today(), "at": clock.now()}


def acting() -> dict[str, Any]:
    """Who acts, on which day, when."""
    return {"by_id": current_user().id, "on": clock.today(), "at": clock.now()}


def dues_of(sent: list[dict[str, Any]]) -> tuple[Due, ...]:
    """Instalments as they were sent, by their days. Raises RuleBroken."""
    return own_schedule([Due(one["due_on"], one["amount"]) for one in sent])


def promised(pledges: Sequence[Pledge]) -> list[dict[str, Any]]:
    """Promises under the names of the API, with what came in laid on their instalments."""
    accounts, often = accounts_of(session(), pledges, clock.today()), frequencies_of(session(), pledges)
    same = ("id", "sponsor_id", "amount", "code", "pledged_on", "due_on", "state", "note")
    return [
        {name: getattr(pledge, name) for name in same}
        | {
            "frequency": often[pledge.id],
            "received": sum(row.came for row in accounts[pledge.id].rows) + accounts[pledge.id].over,
            "over": accounts[pledge.id].over,
            "schedule": accounts[pledge.id].rows,
        }
        for pledge in pledges
    ]


def wish_of(town_id: UUID, sent: dict[str, Any]) -> Wish:
    """The wish with its places found. Raises RuleBroken for a place that is not known."""
    named = dict.fromkeys(sent.pop("places", ()))
    found = tuple(place_named(session(), town_id, place, today=clock.today()).id for place in named)
    grounds = tuple(dict.fromkeys(sent.pop("grounds", ())))
    return Wish(found, grounds, **{name: value for name, value in sent.items() if value is not None})


def told(row: Sponsor, balance: Balance) -> dict[str, Any]:
    """A sponsor under the names of the API."""
    same = ("id", "name", "kind", "contact_name", "phone", "email", "tax_code", "language", "created_at")
    return {name: getattr(row, name) for name in same} | balance._asdict() | {"wish": Wish.from_json(row.wish)}


def rows(kind: type[Any], asked: dict[str, Any]) -> dict[str, Any]:
    """A page of one kind of rows."""
    found = queries.rows_page(
        session(), current_scope(), kind, asked["sponsor_id"], cursor=asked["cursor"], size=asked["limit"]
    )
    return {"items": found.rows, "next": found.next}


def created(row: Any, endpoint: str, **key: Any) -> Any:
    """A new row with its address."""
    return row, int(HTTPStatus.CREATED), {"Location": url_for(f"sponsors_api.{endpoint}", **key)}
