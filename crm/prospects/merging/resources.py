"""Merging for other programs: `/api/v1/prospects/{id}/merge`, `/api/v1/merges/{id}/undo`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import Schema, fields, validate

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.api.blueprint import Blueprint
from crm.api.description import Problem
from crm.db import session, transaction
from crm.prospects.merging import queries
from crm.prospects.merging.models import Merge
from crm.prospects.merging.rules import CHOSEN
from crm.prospects.merging.services.joining import merge as join
from crm.prospects.merging.services.parting import unmerge
from crm.prospects.queries.seeing import person_seen
from crm.web.guard import may

blp = Blueprint("merging_api", __name__, description="Two records that are one person")


class PeopleMergeIn(Schema):
    """The record that becomes part of the one in the address, and what that one takes from it."""

    other_id = fields.UUID(required=True)
    take = fields.List(
        fields.String(validate=validate.OneOf(CHOSEN)),
        load_default=None,
        allow_none=True,
        validate=validate.Length(max=len(CHOSEN)),
        metadata={"description": "Particulars taken from the other record; without it, those that are better there."},
    )


class PeopleMergeOut(Schema):
    """A merge. The id of the record that is gone keeps working."""

    id = fields.UUID(required=True)
    kept_id = fields.UUID(required=True)
    gone_id = fields.UUID(required=True)
    at = fields.AwareDateTime(required=True)
    taken = fields.List(fields.String(), required=True)
    undone_at = fields.AwareDateTime(required=True, allow_none=True)


class AfterMergeOut(Schema):
    """Something recorded after the merge. `name` is what `given` of the undo names."""

    name = fields.String(required=True)
    table = fields.String(required=True)
    row_id = fields.UUID(required=True, allow_none=True, attribute="id")
    recorded_under = fields.UUID(required=True, attribute="origin_id")


class PeopleMergeSeen(PeopleMergeOut):
    later = fields.List(fields.Nested(AfterMergeOut), required=True)


class PeopleMergeUndo(Schema):
    """Which of the things recorded since go with the record that had gone; without it, those sent under its id."""

    given = fields.List(
        fields.String(validate=validate.Length(max=400)),
        load_default=None,
        allow_none=True,
        validate=validate.Length(max=1000),
    )


def _told(row: Merge) -> dict[str, Any]:
    """A merge as an answer, read while the transaction is open."""
    return {name: getattr(row, name) for name in PeopleMergeOut._declared_fields}


@blp.post("/prospects/<uuid:prospect_id>/merge")
@may(May.MERGE)
@blp.arguments(PeopleMergeIn)
@blp.response(201, PeopleMergeOut)
@blp.alt_response(409, schema=Problem)
def merge(sent: dict[str, Any], prospect_id: UUID) -> Any:
    """Make another record part of this one; 422 says in words what speaks against it"""
    with transaction() as current:
        scope = current_scope()
        kept, gone = person_seen(current, scope, prospect_id), person_seen(current, scope, sent["other_id"])
        return _told(join(current, kept, gone, sent["take"], by=current_user(), at=clock.now()))


@blp.get("/merges/<uuid:merge_id>")
@may(May.SEE_ALIKE)
@blp.response(200, PeopleMergeSeen)
def one(merge_id: UUID) -> Any:
    """A merge, and what was recorded since that may be either one's"""
    row = queries.merge_seen(session(), current_scope(), merge_id)
    later = queries.later_than(session(), row).free if row.undone_at is None else []
    return _told(row) | {"later": later}


@blp.post("/merges/<uuid:merge_id>/undo")
@may(May.MERGE)
@blp.arguments(PeopleMergeUndo)
@blp.response(200, PeopleMergeOut)
@blp.alt_response(409, schema=Problem)
def undo(sent: dict[str, Any], merge_id: UUID) -> Any:
    """Take a merge back: two records again, as they were"""
    with transaction() as current:
        row = queries.merge_seen(current, current_scope(), merge_id)
        unmerge(current, row, by=current_user(), at=clock.now(), given=sent["given"])
        return _told(row)
