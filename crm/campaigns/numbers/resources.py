"""What numbers said, refusals, and what people wrote back, for other programs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from marshmallow import RAISE, Schema, fields, validate

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.api.blueprint import Blueprint
from crm.api.lists import ListQuery, listing
from crm.campaigns.inbox import queries as inbox
from crm.campaigns.inbox import services as answering
from crm.campaigns.inbox.rules import Talk
from crm.campaigns.numbers import queries
from crm.campaigns.routes.pages import public_url
from crm.campaigns.rules.answers import Meaning
from crm.campaigns.services import opting_out
from crm.db import session, transaction
from crm.errors import RuleBroken
from crm.prospects.rules import ConsentChannel, Purpose, mobile_of
from crm.prospects.services.consent import agree_again
from crm.web.guard import may

blp = Blueprint("numbers_api", __name__, description="What telephone numbers agreed to or refused, and what they wrote")

SPOKEN = (
    ConsentChannel.PAPER,
    ConsentChannel.DOORSTEP,
    ConsentChannel.PHONE_CALL,
    ConsentChannel.HOTLINE,
    ConsentChannel.WEB,
    ConsentChannel.SMS,
)
said_by_a_person = validate.OneOf(SPOKEN)


class NumberQuery(Schema):
    """A number in any spelling."""

    phone = fields.String(required=True, validate=validate.Length(1, 60))


class AnswerOut(Schema):
    """An answer of a number. It is never changed; the latest of a purpose holds."""

    purpose = fields.Enum(Purpose, by_value=True, required=True)
    given = fields.Boolean(required=True)
    channel = fields.Enum(ConsentChannel, by_value=True, required=True)
    at = fields.AwareDateTime(required=True)
    words = fields.String(required=True, allow_none=True)
    recorded_at = fields.AwareDateTime(required=True)
    recorded_by = fields.String(required=True, allow_none=True)


class ReachOut(Schema):
    """Whether a message of a purpose would leave now; `why_not` is null when it would."""

    purpose = fields.Enum(Purpose, by_value=True, required=True)
    reachable = fields.Boolean(required=True)
    why_not = fields.String(required=True, allow_none=True)


class NumberOut(Schema):
    """A number: all its answers, the latest first, and what would reach it."""

    phone = fields.String(required=True)
    prospect_ids = fields.List(fields.UUID(), required=True, metadata={"description": "Those whom one sees."})
    others = fields.Integer(required=True, metadata={"description": "How many more have it, out of sight."})
    reach = fields.List(fields.Nested(ReachOut), required=True)
    answers = fields.List(fields.Nested(AnswerOut), required=True)


class RefusalIn(Schema):
    """A number wants no more messages; all purposes unless told."""

    phone = fields.String(required=True, validate=validate.Length(1, 60))
    purposes = fields.List(fields.Enum(Purpose, by_value=True), load_default=lambda: list(Purpose))
    channel = fields.Enum(ConsentChannel, by_value=True, load_default=ConsentChannel.HOTLINE, validate=said_by_a_person)
    words = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=500))


class AgreementIn(Schema):
    """A number agrees, with the proof of it."""

    phone = fields.String(required=True, validate=validate.Length(1, 60))
    purpose = fields.Enum(Purpose, by_value=True, required=True)
    channel = fields.Enum(ConsentChannel, by_value=True, required=True, validate=said_by_a_person)
    at = fields.AwareDateTime(required=True)
    words = fields.String(required=True, validate=validate.Length(2, 500))


def _shown(phone: str) -> dict[str, Any]:
    scope, at = current_scope(), clock.now()
    found = queries.look_up(session(), scope, phone)
    return {
        "phone": phone,
        "prospect_ids": [one.id for one in found.seen],
        "others": found.others,
        "reach": [
            {"purpose": one.purpose, "reachable": one.no is None, "why_not": one.no.value if one.no else None}
            for one in queries.reachable(session(), scope.town_id, phone, at)
        ],
        "answers": [
            {
                "purpose": one.consent.purpose,
                "given": one.consent.given,
                "channel": one.consent.channel,
                "at": one.consent.at,
                "words": one.consent.words,
                "recorded_at": one.consent.recorded_at,
                "recorded_by": one.by,
            }
            for one in queries.history_of(session(), scope.town_id, phone)
        ],
    }


@blp.get("/consents")
@may(May.SEE_PEOPLE)
@blp.arguments(NumberQuery, location="query", unknown=RAISE)
@blp.response(200, NumberOut)
def consents(asked: dict[str, Any]) -> dict[str, Any]:
    """All that a number said, and what would reach it now"""
    return _shown(mobile_of(asked["phone"]))


@blp.post("/opt-outs")
@may(May.LOG_VISITS)
@blp.arguments(RefusalIn, unknown=RAISE)
@blp.response(204)
def opt_out(asked: dict[str, Any]) -> None:
    """A number wants no more messages, somebody's of the register or not; what waits for it is called off"""
    by, phone = current_user(), mobile_of(asked["phone"])
    with transaction() as current:
        opting_out.withdraw(
            current,
            by.town_id,
            phone,
            at=clock.now(),
            channel=asked["channel"],
            purposes=asked["purposes"] or list(Purpose),
            words=asked["words"],
            by_id=by.id,
        )


@blp.post("/consents")
@may(May.EDIT_PEOPLE)
@blp.arguments(AgreementIn, unknown=RAISE)
@blp.response(201, NumberOut)
def agree(asked: dict[str, Any]) -> dict[str, Any]:
    """A number agrees to messages of one purpose; after a refusal only this way, with day, hour and words"""
    by, phone = current_user(), mobile_of(asked["phone"])
    with transaction() as current:
        queries.look_up(current, current_scope(), phone)
        agree_again(
            current,
            by.town_id,
            phone,
            asked["purpose"],
            channel=asked["channel"],
            words=asked["words"],
            said_at=asked["at"],
            by=by,
            at=clock.now(),
        )
    return _shown(phone)


# ---- the inbox


class InboxQuery(ListQuery):
    """Which conversations."""

    state = fields.Enum(Talk, by_value=True, load_default=Talk.OPEN)
    mine = fields.Boolean(load_default=False)
    campaign = fields.UUID(load_default=None)


class TalkOut(Schema):
    """A conversation with a number, by what it wrote last."""

    id = fields.UUID(required=True)
    phone = fields.String(required=True)
    state = fields.Enum(Talk, by_value=True, required=True)
    assigned_to = fields.UUID(required=True, allow_none=True)
    text = fields.String(required=True)
    meaning = fields.Enum(Meaning, by_value=True, required=True)
    received_at = fields.AwareDateTime(required=True)
    campaign_id = fields.UUID(required=True, allow_none=True)


class ReplyIn(Schema):
    """An answer in words; `{ten}` and the like are filled in."""

    text = fields.String(required=True, validate=validate.Length(1, 600))


@blp.get("/inbox")
@may(May.SEE_PEOPLE)
@blp.arguments(InboxQuery, location="query", unknown=RAISE)
@blp.response(200, listing(TalkOut, "TalkPage"))
def talks(asked: dict[str, Any]) -> dict[str, Any]:
    """What people wrote back, the latest first"""
    query = inbox.talks(current_scope(), asked["state"], mine=asked["mine"], campaign_id=asked["campaign"])
    page = inbox.talks_page(session(), query, cursor=asked["cursor"], size=asked["limit"])
    return {"items": [_talk(row) for row in page.rows], "next": page.next}


def _talk(row: inbox.Line) -> dict[str, Any]:
    return {
        "id": row.talk.id,
        "phone": row.talk.phone,
        "state": row.talk.state,
        "assigned_to": row.talk.assigned_to_id,
        "text": row.latest.body,
        "meaning": row.latest.meaning,
        "received_at": row.latest.received_at,
        "campaign_id": row.campaign_id,
    }


@blp.post("/inbox/<uuid:talk_id>/reply")
@may(May.LOG_VISITS)
@blp.arguments(ReplyIn, unknown=RAISE)
@blp.response(204)
def reply(asked: dict[str, Any], talk_id: UUID) -> None:
    """Answer what was written last, once; it leaves within hours and rules"""
    with transaction() as current:
        talk = inbox.talk_seen(current, current_scope(), talk_id, hold=True)
        seen = queries.holders(current, current_scope(), talk.phone).seen
        if not asked["text"].strip():
            raise RuleBroken(_l("Write an answer, no longer than ten messages."), field="text")
        told: dict[str, Any] = {"by": current_user(), "at": clock.now(), "public_url": public_url()}
        answering.reply(current, talk, seen[0] if seen else None, asked["text"], **told)


@blp.post("/inbox/<uuid:talk_id>/done")
@may(May.LOG_VISITS)
@blp.response(204)
def done(talk_id: UUID) -> None:
    """Nothing is left to do about it"""
    with transaction() as current:
        talk = inbox.talk_seen(current, current_scope(), talk_id, hold=True)
        answering.finish(current, talk, by=current_user(), at=clock.now())
