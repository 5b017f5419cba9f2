"""What an insurance record says, for other programs: `/api/v1/prospects/{id}/insurance-record`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import Schema, fields, validate

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.api.blueprint import Blueprint
from crm.db import session, transaction
from crm.errors import NotFound
from crm.participation.elsewhere import queries, services
from crm.participation.elsewhere.rules import LONGEST_LIFE, Said
from crm.premiums.rules.quotes import START_PATTERN, read_start
from crm.prospects.queries.seeing import person_seen
from crm.web.guard import may

blp = Blueprint("insurance_record", __name__, description="Months paid elsewhere, or before this register")
MONTHS = validate.Range(0, LONGEST_LIFE)


class RecordIn(Schema):
    """What the insurance office's paper says: the months of a whole life, those on record here among them."""

    through = fields.String(
        required=True, validate=validate.Regexp(f"^{START_PATTERN}$"), metadata={"example": "2019-09"}
    )
    voluntary = fields.Integer(required=True, validate=MONTHS)
    supported = fields.Integer(
        load_default=None,
        allow_none=True,
        validate=MONTHS,
        metadata={"description": "Of the voluntary ones with the State's support; null where the paper does not say."},
    )
    compulsory = fields.Integer(load_default=0, validate=MONTHS)
    proof = fields.String(
        required=True, validate=validate.Length(1, 300), metadata={"description": "Which paper it is."}
    )


class RecordOut(RecordIn):
    """What was read last."""

    supported = fields.Integer(required=True, allow_none=True)
    compulsory = fields.Integer(required=True)


@blp.get("/prospects/<uuid:prospect_id>/insurance-record")
@may(May.SEE_PEOPLE)
@blp.response(200, RecordOut)
def record(prospect_id: UUID) -> Said:
    """What the last paper says; 404 where nobody has read one"""
    found = queries.latest(session(), person_seen(session(), current_scope(), prospect_id))
    if found is None:
        raise NotFound
    return found


@blp.put("/prospects/<uuid:prospect_id>/insurance-record")
@may(May.ENROL)
@blp.arguments(RecordIn)
@blp.response(200, RecordOut)
def write_down(sent: dict[str, Any], prospect_id: UUID) -> Said:
    """Keep what a paper says; what was said before stays beside it"""
    said = Said(**sent | {"through": read_start(sent["through"])})
    with transaction() as current:
        person = person_seen(current, current_scope(), prospect_id)
        services.write_down(current, person, said, by=current_user(), at=clock.now())
    return said
