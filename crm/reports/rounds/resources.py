"""Reporting rounds for other programs: `/api/v1/reporting-rounds`, and a unit's report sent by a program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from marshmallow import Schema, fields, validate

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.api.blueprint import Blueprint
from crm.api.description import Problem
from crm.api.lists import ListQuery, listing
from crm.db import one_moment, session, transaction
from crm.errors import RuleBroken
from crm.reports.rounds import correcting, queries, services
from crm.reports.rounds.models import ReportCorrection
from crm.reports.rounds.queries import Line
from crm.reports.rounds.rules import (
    ASKED,
    KINDS,
    LONGEST_NOTE,
    LONGEST_SOURCE,
    LONGEST_WHY,
    MOST_NUMBER,
    Own,
    State,
    late_by,
)
from crm.web.guard import may
from crm.web.pager import read_cursor, write_cursor

blp = Blueprint("rounds_api", __name__, description="Reporting rounds: who owes which report, what has come")


class RoundAnswer(Schema):
    """A round of a period. Counts are units, among those the token may see; `late` are those that have not come in time."""

    id = fields.UUID(required=True)
    kind = fields.String(required=True, validate=validate.OneOf([kind.value for kind in KINDS]))
    period = fields.String(required=True)
    due_on = fields.Date(required=True)
    closed_at = fields.DateTime(required=True, allow_none=True)
    owed = fields.Integer(required=True)
    came = fields.Integer(required=True)
    returned = fields.Integer(required=True)
    late = fields.Integer(required=True)


class OwnFigure(Schema):
    """A number that the register does not hold, and where it is from (required unless it is 0)."""

    figure = fields.Enum(Own, by_value=True, required=True)
    number = fields.Integer(required=True, strict=True, validate=validate.Range(0, MOST_NUMBER))
    source = fields.String(load_default="", validate=validate.Length(max=LONGEST_SOURCE))


class FigurePutRight(Schema):
    """A figure of a closed round that was put right: what was told (null: nothing), and what it is."""

    figure = fields.Enum(Own, by_value=True, required=True)
    was = fields.Integer(required=True, allow_none=True)
    number = fields.Integer(required=True)
    source = fields.String(required=True)
    why = fields.String(required=True)
    corrected_at = fields.DateTime(required=True)


class FigurePutRightIn(Schema):
    """The right figure; `read` is how many corrections the unit has, refused when there are others by now."""

    read = fields.Integer(required=True, strict=True, validate=validate.Range(0, 1_000_000))
    figure = fields.Enum(Own, by_value=True, required=True)
    number = fields.Integer(required=True, strict=True, validate=validate.Range(0, MOST_NUMBER))
    source = fields.String(load_default="", validate=validate.Length(max=LONGEST_SOURCE))
    why = fields.String(required=True, validate=validate.Length(1, LONGEST_WHY))


class OwedAnswer(Schema):
    """What a unit owes. `known` are the register's figures frozen when it was sent; `own` the unit's own; null before."""

    id = fields.UUID(required=True)
    unit = fields.String(required=True)
    place = fields.UUID(required=True, allow_none=True)
    organisation = fields.UUID(required=True, allow_none=True)
    state = fields.Enum(State, by_value=True, required=True)
    version = fields.Integer(required=True, metadata={"description": "0: nothing has come."})
    came_at = fields.DateTime(required=True, allow_none=True)
    days_late = fields.Integer(required=True)
    known = fields.Dict(required=True, allow_none=True)
    own = fields.List(fields.Nested(OwnFigure), required=True, allow_none=True)
    note = fields.String(required=True, allow_none=True)
    digest = fields.String(required=True, allow_none=True)
    corrections = fields.List(
        fields.Nested(FigurePutRight), required=True, metadata={"description": "Made after the round was closed."}
    )


class SubmissionIn(Schema):
    """A unit's report; `version` is the one that was read, 0 for the first: refused when there is another by now."""

    version = fields.Integer(required=True, strict=True, validate=validate.Range(0, 1_000_000))
    own = fields.List(fields.Nested(OwnFigure), load_default=list, validate=validate.Length(max=len(Own)))
    note = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=LONGEST_NOTE))


@blp.get("/reporting-rounds")
@blp.arguments(ListQuery, location="query")
@blp.response(200, listing(RoundAnswer))
@may(May.SEE_REPORTS)
def rounds(asked: dict[str, Any]) -> dict[str, Any]:
    """Reporting rounds, the one that is due last first"""
    scope, today = current_scope(), clock.today()
    found = queries.page_of(session(), scope, cursor=asked["cursor"], size=asked["limit"])
    counts = queries.counts(session(), scope, [row.id for row in found.rows], today)
    items = [
        {
            **{name: getattr(row, name) for name in ("id", "kind", "period", "due_on", "closed_at")},
            **counts.get(row.id, queries.Counts())._asdict(),
        }
        for row in found.rows
    ]
    return {"items": items, "next": found.next}


@blp.get("/reporting-rounds/<uuid:round_id>/reports")
@blp.arguments(ListQuery, location="query")
@blp.response(200, listing(OwedAnswer))
@may(May.SEE_REPORTS)
def reports(asked: dict[str, Any], round_id: UUID) -> dict[str, Any]:
    """What each unit of a round owes and sent"""
    scope = current_scope()
    row = queries.round_seen(session(), scope, round_id)
    (skip,) = read_cursor(asked["cursor"], (_position,)) if asked["cursor"] else (0,)
    lines = queries.lines_of(session(), scope, row, most=asked["limit"] + 1, skip=skip)
    more = len(lines) > asked["limit"]
    put_right = correcting.by_unit(session(), scope.town_id, [one.owed.id for one in lines])
    items = [_told(one, row.due_on, put_right.get(one.owed.id, ())) for one in lines[: asked["limit"]]]
    return {"items": items, "next": write_cursor((skip + asked["limit"],)) if more else None}


@blp.post("/reporting-rounds/reports/<uuid:owed_id>")
@blp.arguments(SubmissionIn)
@blp.response(200, OwedAnswer)
@blp.alt_response(409, schema=Problem)
@may(May.WRITE_REPORTS)
def submit(given: dict[str, Any], owed_id: UUID) -> dict[str, Any]:
    """Send a unit's report: the register's figures are frozen with it"""
    scope = current_scope()
    asked = queries.owed_seen(session(), scope, owed_id)
    with one_moment() as still:
        known = services.known_of(still, asked, queries.round_of(session(), asked), clock.today())
    with transaction() as current:
        owed = queries.owed_seen(current, scope, owed_id, lock=True)
        line, row = queries.line_of(current, scope, owed), queries.round_of(current, owed)
        strange = [one["figure"].value for one in given["own"] if one["figure"] not in ASKED[line.who]]
        if strange:
            names = ", ".join(strange)
            raise RuleBroken(_l("This unit is not asked for: %(names)s.", names=names), field="own", code="not_asked")
        own = {one["figure"]: (one["number"], one["source"]) for one in given["own"]}
        told: dict[str, Any] = {"who": line.who, "known": known, "knowing_version": given["version"]}
        services.submit(current, owed, row, own, given["note"], **told, by=current_user(), at=clock.now())
        due_on = row.due_on
    return _told(queries.line_of(session(), scope, queries.owed_seen(session(), scope, owed_id)), due_on, ())


@blp.post("/reporting-rounds/reports/<uuid:owed_id>/corrections")
@blp.arguments(FigurePutRightIn)
@blp.response(200, OwedAnswer)
@blp.alt_response(409, schema=Problem)
@may(May.WRITE_REPORTS)
def correct(given: dict[str, Any], owed_id: UUID) -> dict[str, Any]:
    """Put a figure of a closed round right: what was told stays, old and new go into the next official report"""
    scope = current_scope()
    with transaction() as current:
        owed = queries.owed_seen(current, scope, owed_id, lock=True)
        line, row = queries.line_of(current, scope, owed), queries.round_of(current, owed)
        told = [given[name] for name in ("figure", "number", "source", "why")]
        asked: dict[str, Any] = {"who": line.who, "read": given["read"], "by": current_user(), "at": clock.now()}
        correcting.correct(current, owed, row, *told, **asked)
        due_on, put_right = row.due_on, correcting.by_unit(current, scope.town_id, [owed_id])[owed_id]
    return _told(queries.line_of(session(), scope, queries.owed_seen(session(), scope, owed_id)), due_on, put_right)


MOST_SKIPPED = 100_000


def _position(text: str) -> int:
    """How many units stand before a page. Raises ValueError."""
    if not (text.isascii() and text.isdecimal() and len(text) < len(str(MOST_SKIPPED))):
        raise ValueError(text)
    return int(text)


def _told(line: Line, due_on: Any, put_right: Sequence[ReportCorrection]) -> dict[str, Any]:
    owed, last = line.owed, line.last
    late = late_by(due_on, line.came_on, clock.today()) if owed.state is not State.EXCUSED else 0
    return {
        "id": owed.id,
        "unit": line.name,
        "place": owed.place_id,
        "organisation": owed.organisation_id,
        "state": owed.state,
        "version": owed.version,
        "came_at": owed.came_at,
        "days_late": late,
        "known": last.known if last else None,
        "own": [{"figure": key, **one._asdict()} for key, one in last.figures.items()] if last else None,
        "note": last.note if last else None,
        "digest": last.digest if last else None,
        "corrections": put_right,
    }
