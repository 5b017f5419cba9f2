"""Someone's months for other programs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import Schema, fields

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.api.blueprint import Blueprint
from crm.db import session
from crm.participation import months as telling
from crm.participation.calendar import Borne, OneMonth, State
from crm.participation.shares import PayerKind
from crm.premiums.queries import law
from crm.prospects.queries.seeing import person_seen
from crm.web.guard import may

blp = Blueprint("participation_api", __name__, description="Who takes part, and who paid each month")


class ShareOut(Schema):
    """What somebody else than the person, the State and the place gave for a month."""

    kind = fields.Enum(PayerKind, by_value=True, required=True)
    id = fields.UUID(required=True, allow_none=True)
    name = fields.String(required=True)
    amount = fields.Integer(required=True, metadata={"description": "Đồng."})


class MoneyOut(Schema):
    """Who bore a month, whole đồng; they sum to the month's premium."""

    own = fields.Integer(required=True)
    state_support = fields.Integer(required=True)
    local_support = fields.Integer(required=True)
    others = fields.List(fields.Nested(ShareOut), required=True)
    payment_id = fields.UUID(required=True)


class MonthOut(Schema):
    """What became of one month."""

    month = fields.String(required=True, metadata={"description": "Such as 2026-09."})
    state = fields.Enum(State, by_value=True, required=True)
    supported = fields.Boolean(required=True, metadata={"description": "Whether the State helped with it."})
    supported_so_far = fields.Integer(required=True)
    paid_ahead = fields.Boolean(required=True)
    in_grace = fields.Boolean(required=True, metadata={"description": "Over, unpaid, and still within its window."})
    payable_late = fields.Boolean(
        required=True, metadata={"description": "A gap that the insurance office still lets be paid."}
    )
    money = fields.Nested(
        MoneyOut,
        required=True,
        allow_none=True,
        metadata={"description": "Null where nothing is on record, and for whoever may not see money."},
    )
    not_needed = fields.List(
        fields.Nested(MoneyOut),
        required=True,
        allow_none=True,
        metadata={
            "description": "What was paid for it ahead and then not needed, for the person left; it counts for nothing "
            "and may have been paid anew. Null for whoever may not see money."
        },
    )


class MonthsOut(Schema):
    """The months of one person from the first on."""

    paid_through = fields.String(required=True, allow_none=True)
    deadline_on = fields.Date(required=True, allow_none=True)
    paid = fields.Integer(required=True)
    paid_elsewhere = fields.Integer(
        required=True,
        metadata={"description": "Voluntary months the insurance record knows of and this register does not."},
    )
    compulsory = fields.Integer(
        required=True, metadata={"description": "Months of compulsory insurance, by the record."}
    )
    supported = fields.Integer(
        required=True, metadata={"description": "Months the State has helped with, here and elsewhere, at least."}
    )
    supported_unsure = fields.Integer(
        required=True, metadata={"description": "Months known only from a list, which does not say whether it helped."}
    )
    supported_at_most = fields.Integer(required=True, allow_none=True)
    months = fields.List(fields.Nested(MonthOut), required=True)


@blp.get("/prospects/<uuid:prospect_id>/months")
@may(May.SEE_PEOPLE)
@blp.response(200, MonthsOut)
def months(prospect_id: UUID) -> Any:
    """What became of each month of somebody, and, for whoever may enrol or record money, who bore it"""
    person = person_seen(session(), current_scope(), prospect_id)
    told = telling.told(session(), person, law(session()), clock.today())
    money = current_user().may(May.ENROL) or current_user().may(May.RECORD_MONEY)
    through = told.calendar.paid_through
    return {
        "paid_through": str(through) if through else None,
        "deadline_on": told.calendar.deadline_on,
        "paid": told.calendar.paid,
        "paid_elsewhere": told.beside.voluntary,
        "compulsory": told.beside.compulsory,
        "supported": told.supported,
        "supported_unsure": told.unsure,
        "supported_at_most": told.cap,
        "months": [_month(told, one, money=money) for one in told.calendar.months],
    }


def _month(told: telling.Told, one: OneMonth, *, money: bool) -> dict[str, Any]:
    return {
        "month": str(one.month),
        "state": one.state,
        "supported": one.supported,
        "supported_so_far": one.supported_so_far,
        "paid_ahead": one.ahead,
        "in_grace": one.grace,
        "payable_late": one.payable,
        "money": _money(told, one.borne) if money and one.borne else None,
        "not_needed": [_money(told, paid) for paid in one.in_vain] if money else None,
    }


def _money(told: telling.Told, borne: Borne) -> dict[str, Any]:
    return {
        "own": borne.own,
        "state_support": borne.state,
        "local_support": borne.local,
        "others": [
            {"kind": payer.kind, "id": payer.id, "name": told.payers[payer], "amount": amount}
            for payer, amount in borne.others
        ],
        "payment_id": borne.payment_id,
    }
