"""The insurance office's referral list for other programs: `/api/v1/referrals`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import Schema, fields, validate

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.api.blueprint import Blueprint
from crm.api.lists import ListQuery, listing
from crm.db import session, transaction
from crm.participation.referrals import queries, services
from crm.participation.referrals.rules import Answer, State
from crm.participation.screening.rules import SENTENCES
from crm.web.guard import may

blp = Blueprint("referrals_api", __name__, description="People who belong in compulsory insurance")


class ReferralsQuery(ListQuery):
    """Those in which state."""

    state = fields.Enum(State, by_value=True, load_default=State.TO_SEND)


class ReasonOut(Schema):
    code = fields.String(required=True)
    message = fields.String(required=True)


class ReferralOut(Schema):
    """Somebody who belongs in compulsory insurance, and how far the office is."""

    id = fields.UUID(required=True)
    prospect_id = fields.UUID(required=True)
    state = fields.Enum(State, by_value=True, required=True)
    why = fields.List(fields.Nested(ReasonOut), required=True)
    since = fields.Date(required=True, allow_none=True, metadata={"description": "Since when the law says so."})
    referred_at = fields.AwareDateTime(required=True)
    list = fields.String(required=True, allow_none=True, metadata={"description": "Number of the list sent: 3/2026."})
    sent_on = fields.Date(required=True, allow_none=True)
    answer = fields.Enum(Answer, by_value=True, required=True, allow_none=True)
    answered_at = fields.AwareDateTime(required=True, allow_none=True)
    note = fields.String(required=True, allow_none=True)


class ReferralsSendIn(Schema):
    """Who goes into a list, and the day on which it is handed over."""

    referrals = fields.List(fields.UUID(), required=True, validate=validate.Length(min=1, max=200))
    sent_on = fields.Date(required=True)


class ReferralListOut(Schema):
    """A list as it was sent."""

    id = fields.UUID(required=True)
    list = fields.String(required=True, metadata={"description": "Its number within the year: 3/2026."})
    sent_on = fields.Date(required=True)


class OfficeAnswerIn(Schema):
    """What the insurance office says of one person."""

    answer = fields.Enum(Answer, by_value=True, required=True)
    note = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=500))


class OfficeAnswerOut(Schema):
    """The answer that is kept."""

    id = fields.UUID(required=True)
    prospect_id = fields.UUID(required=True)
    state = fields.Enum(State, by_value=True, required=True)
    answer = fields.Enum(Answer, by_value=True, required=True)
    answered_at = fields.AwareDateTime(required=True)
    note = fields.String(required=True, allow_none=True)


@blp.get("/referrals")
@may(May.SEE_PEOPLE)
@blp.arguments(ReferralsQuery, location="query")
@blp.response(200, listing(ReferralOut))
def listed(asked: dict[str, Any]) -> dict[str, Any]:
    """Referrals in a state among the people this token sees, the oldest first"""
    given = {"cursor": asked["cursor"], "size": asked["limit"]}
    found = queries.page_of(session(), current_scope(), asked["state"], **given)
    return {"items": [_typed(line) for line in found.rows], "next": found.next}


@blp.post("/referrals/send")
@may(May.EXPORT_PEOPLE)
@blp.arguments(ReferralsSendIn)
@blp.response(201, ReferralListOut)
def send(sent: dict[str, Any]) -> dict[str, Any]:
    """Put referrals into a numbered list for the insurance office; those sent meanwhile are left out"""
    with transaction() as current:
        by, at = current_user(), clock.now()
        made = services.send(current, current_scope(), sent["referrals"], on=sent["sent_on"], by=by, at=at)
        return {"id": made.id, "list": f"{made.number}/{made.year}", "sent_on": made.sent_on}


@blp.post("/referrals/<uuid:referral_id>/answer")
@may(May.EXPORT_PEOPLE)
@blp.arguments(OfficeAnswerIn)
@blp.response(200, OfficeAnswerOut)
def answer(sent: dict[str, Any], referral_id: UUID) -> Any:
    """Keep what the office answered of one person; who is not subject goes back to where they stood"""
    with transaction() as current:
        by, at = current_user(), clock.now()
        return services.record_answer(current, current_scope(), referral_id, sent["answer"], sent["note"], by=by, at=at)


def _typed(line: queries.Line) -> dict[str, Any]:
    row, sent = line.row, line.sent
    same = ("id", "prospect_id", "state", "since", "referred_at", "answer", "answered_at", "note")
    return {
        **{name: getattr(row, name) for name in same},
        "why": [{"code": code, "message": str(SENTENCES[code])} for code in row.why if code in SENTENCES],
        "list": f"{sent.number}/{sent.year}" if sent else None,
        "sent_on": sent.sent_on if sent else None,
    }
