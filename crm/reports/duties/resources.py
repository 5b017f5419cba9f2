"""The plan's duties for other programs: `GET /api/v1/duties`."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from crm import clock
from crm.accounts.gateway import current_scope
from crm.accounts.rules import May
from crm.api.blueprint import Blueprint
from crm.api.lists import ListQuery, listing
from crm.db import session
from crm.reports.duties import queries
from crm.reports.duties.queries import Line
from crm.reports.duties.rules import FIRST_YEAR, LAST_ACTOR, LAST_YEAR, DayBy, State, is_late
from crm.web.guard import may
from crm.web.pager import read_cursor, write_cursor

blp = Blueprint("duties_api", __name__, description="What the plan asks of each actor, and how it stands")
MOST_DIGITS = 6


class DutiesQuery(ListQuery):
    """Which duties; by default of this year."""

    year = fields.Integer(load_default=None, validate=validate.Range(FIRST_YEAR, LAST_YEAR))
    actor = fields.Integer(load_default=None, validate=validate.Range(1, LAST_ACTOR))
    late = fields.Boolean(load_default=False)


class DutyAnswer(Schema):
    """A duty. `actor` is its number in section IV of the plan; `whose` the ward, organisation or actor that owes it."""

    id = fields.UUID(required=True)
    year = fields.Integer(required=True)
    actor = fields.Integer(required=True)
    whose = fields.String(required=True)
    words = fields.String(required=True)
    source = fields.String(required=True)
    due_on = fields.Date(required=True, allow_none=True)
    day_by = fields.Enum(DayBy, by_value=True, required=True, allow_none=True)
    state = fields.Enum(State, by_value=True, required=True)
    late = fields.Boolean(required=True)
    steps = fields.Integer(required=True)


@blp.get("/duties")
@blp.arguments(DutiesQuery, location="query")
@blp.response(200, listing(DutyAnswer))
@may(May.SEE_REPORTS)
def duties(asked: dict[str, Any]) -> dict[str, Any]:
    """Duties of a year, in the plan's order"""
    today, limit = clock.today(), asked["limit"]
    (skip,) = read_cursor(asked["cursor"], (_position,)) if asked["cursor"] else (0,)
    which: dict[str, Any] = {"actor_no": asked["actor"], "only_late": asked["late"]}
    found = queries.lines(
        session(), current_scope(), asked["year"] or today.year, today, **which, most=limit + 1, skip=skip
    )
    items = [_told(one) for one in found[:limit]]
    return {"items": items, "next": write_cursor((skip + limit,)) if len(found) > limit else None}


def _position(text: str) -> int:
    """How many stand before a page. Raises ValueError."""
    if not (text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS):
        raise ValueError(text)
    return int(text)


def _told(line: Line) -> dict[str, Any]:
    duty = line.duty
    names = ("id", "year", "words", "source", "due_on", "day_by", "state", "steps")
    late = is_late(duty.state, duty.due_on, clock.today())
    return {name: getattr(duty, name) for name in names} | {"actor": duty.actor_no, "whose": line.whose, "late": late}
