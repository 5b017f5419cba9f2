"""Paying at once for missing months, for other programs: `/api/v1/prospects/{id}/missing-months`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from marshmallow import Schema, fields, validate

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.api.blueprint import Blueprint
from crm.db import session, transaction
from crm.errors import RuleBroken
from crm.participation.missing.queries import missing_of
from crm.participation.missing.services import pay_missing_months
from crm.participation.queries import grounds_on
from crm.participation.rules import Basis, basis_for
from crm.premiums.queries import law
from crm.premiums.rules.missing import Missing
from crm.premiums.rules.quotes import Plan
from crm.prospects.queries.seeing import person_seen
from crm.web.guard import may

blp = Blueprint("missing_months", __name__, description="Paying at once for the months missing for a pension")


class WhyNotOut(Schema):
    """Why the law does not let it be paid at once."""

    code = fields.String(required=True)
    message = fields.String(required=True)


class MissingOut(Schema):
    """What is missing today."""

    so_far = fields.Integer(required=True, metadata={"description": "Months, voluntary and compulsory."})
    needed = fields.Integer(required=True)
    missing = fields.Integer(required=True, attribute="months")
    most_at_once = fields.Integer(required=True, attribute="most")
    opens = fields.String(required=True, metadata={"description": "First month in which it may be paid: 2019-09."})
    pension_from = fields.String(required=True)
    why_not = fields.Nested(WhyNotOut, required=True, allow_none=True, attribute="refusal")


class MissingIn(Schema):
    """A payment for all that is missing."""

    income = fields.Integer(required=True, validate=validate.Range(min=1))
    paid_on = fields.Date(required=True)
    months = fields.Integer(required=True, validate=validate.Range(min=1))
    receipt_number = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=40))
    confirmation = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=200))


class PaidOut(Schema):
    """The payment, whole đồng."""

    payment_id = fields.UUID(required=True, attribute="id")
    months = fields.Integer(required=True)
    gross = fields.Integer(required=True)
    state_support = fields.Integer(required=True)
    local_support = fields.Integer(required=True)
    other_support = fields.Integer(required=True)
    own = fields.Integer(required=True)


@blp.get("/prospects/<uuid:prospect_id>/missing-months")
@may(May.SEE_PEOPLE)
@blp.response(200, MissingOut)
def missing(prospect_id: UUID) -> Missing:
    """What is missing for a pension, and whether it may be paid at once"""
    person = person_seen(session(), current_scope(), prospect_id)
    return missing_of(session(), person, law(session()), clock.today())


@blp.post("/prospects/<uuid:prospect_id>/missing-months")
@may(May.ENROL)
@blp.arguments(MissingIn)
@blp.response(201, PaidOut)
def pay(sent: dict[str, Any], prospect_id: UUID) -> Any:
    """Record that all missing months were paid at once"""
    basis, by, paid_on = basis_for(current_user().may), current_user(), sent["paid_on"]
    if basis is None:
        raise RuleBroken(
            _l("Only a collection agent takes premiums. Hand this person over to one."), code="not_an_agent"
        )
    proof = "receipt_number" if basis is Basis.TAKEN else "confirmation"
    with transaction() as current:
        person = person_seen(current, current_scope(), prospect_id)
        return pay_missing_months(
            current,
            person,
            income=sent["income"],
            plan=Plan.missing(sent["months"]),
            paid_on=paid_on,
            grounds=grounds_on(current, person, paid_on),
            basis=basis,
            by=by,
            at=clock.now(),
            all_law=law(current),
            **{proof: sent[proof]},
        )
