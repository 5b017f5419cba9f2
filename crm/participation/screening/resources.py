"""Whether somebody may join, for other programs: `/api/v1/prospects/{id}/screening`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from marshmallow import Schema, fields

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.api.blueprint import Blueprint
from crm.db import session, transaction
from crm.errors import RuleBroken
from crm.participation.screening import queries, services
from crm.participation.screening.rules import Allowance, Answers, Business, Elsewhere, Kind, Verdict, Work
from crm.premiums.rules.keys import LawStatus
from crm.prospects.models import Prospect
from crm.prospects.queries.seeing import person_seen
from crm.web.guard import may

blp = Blueprint("screening_api", __name__, description="Whether the law lets somebody join voluntary insurance")


class AnswersIn(Schema):
    """What somebody answered. Whether they are a citizen is needed only where no citizen number shows it."""

    work = fields.Enum(Work, by_value=True, required=True)
    business = fields.Enum(Business, by_value=True, required=True)
    allowance = fields.Enum(Allowance, by_value=True, required=True)
    elsewhere = fields.Enum(Elsewhere, by_value=True, required=True)
    citizen = fields.Boolean(load_default=None, allow_none=True)


class AnswersOut(Schema):
    """What is known; null where nobody has asked yet."""

    work = fields.Enum(Work, by_value=True, required=True, allow_none=True)
    business = fields.Enum(Business, by_value=True, required=True, allow_none=True)
    allowance = fields.Enum(Allowance, by_value=True, required=True, allow_none=True)
    elsewhere = fields.Enum(Elsewhere, by_value=True, required=True, allow_none=True)
    citizen = fields.Boolean(required=True, allow_none=True)


class WhyOut(Schema):
    """One reason, and where it stands."""

    code = fields.String(required=True)
    kind = fields.Enum(Kind, by_value=True, required=True)
    message = fields.String(required=True, attribute="words")
    source = fields.String(required=True, allow_none=True)
    since = fields.Date(required=True, allow_none=True)
    status = fields.Enum(LawStatus, by_value=True, required=True, allow_none=True)


class VerdictOut(Schema):
    """What the law of the day says; the deciding reasons first."""

    kind = fields.Enum(Kind, by_value=True, required=True)
    barred = fields.Boolean(required=True)
    day = fields.Date(required=True)
    law = fields.String(required=True)
    why = fields.List(fields.Nested(WhyOut), required=True)
    answers = fields.Nested(AnswersOut, required=True)


@blp.get("/prospects/<uuid:prospect_id>/screening")
@may(May.SEE_PEOPLE)
@blp.response(200, VerdictOut)
def screening(prospect_id: UUID) -> dict[str, Any]:
    """What the law of today says of somebody, by what is known"""
    person = person_seen(session(), current_scope(), prospect_id)
    return _told(person, queries.verdict_of(session(), person, clock.today()))


@blp.post("/prospects/<uuid:prospect_id>/screening")
@may(May.ENROL)
@blp.arguments(AnswersIn)
@blp.response(200, VerdictOut)
def screen(sent: dict[str, Any], prospect_id: UUID) -> dict[str, Any]:
    """Keep the answers; who belongs in compulsory insurance goes on the referral list"""
    with transaction() as current:
        person = person_seen(current, current_scope(), prospect_id)
        shown = queries.citizen_by_number(person)
        citizen = shown if shown is not None else sent["citizen"]
        if citizen is None:
            raise RuleBroken(_l("Say whether they are a Vietnamese citizen."), field="citizen")
        said = Answers(**sent | {"citizen": citizen})
        verdict = services.record_screening(current, person, said, by=current_user(), at=clock.now())
        return _told(person, verdict)


def _told(person: Prospect, verdict: Verdict) -> dict[str, Any]:
    why = [
        {
            "code": one.code,
            "kind": one.kind,
            "words": str(one.words),
            "source": one.row.reference if one.row else None,
            "since": one.row.since if one.row else None,
            "status": one.row.status if one.row else None,
        }
        for one in verdict.why
    ]
    same = {"kind": verdict.kind, "barred": verdict.barred, "day": verdict.day, "law": verdict.law}
    return {**same, "why": why, "answers": queries.known_of(session(), person)}
