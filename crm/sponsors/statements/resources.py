"""Statements of the bank for other programs: hand one in, look at its columns, load it, say what its lines were."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from uuid import UUID

from flask import url_for
from flask_smorest.fields import Upload
from marshmallow import Schema, fields, validate

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.api.blueprint import Blueprint
from crm.api.description import Problem
from crm.api.lists import ListQuery, listing
from crm.background import ring
from crm.db import session, transaction
from crm.sponsors.rules import MOST_DONG
from crm.sponsors.statements import queries
from crm.sponsors.statements.models import Statement, StatementLine
from crm.sponsors.statements.queries import TABS, Narrowed
from crm.sponsors.statements.reading import Field
from crm.sponsors.statements.rules.kinds import Likely, LineState, Share, StatementState, Use
from crm.sponsors.statements.services import deciding, taking_in
from crm.sponsors.statements.showing import why_words
from crm.web.guard import may
from tasks.statements import load_statement

blp = Blueprint("statements_api", __name__, description="Statements of the fund's bank accounts")

MOST_SHARES = 50


class StatementFile(Schema):
    """The statement as it was downloaded from the bank: xlsx, xls or csv."""

    file = Upload(required=True)


class StatementFor(Schema):
    """The account it is of, where the file does not say it."""

    account = fields.String(
        load_default=None,
        validate=validate.Length(4, 40),
        metadata={"description": "The number of the bank account; needed where the file names none."},
    )


class ColumnsIn(Schema):
    """What each column holds, by its letter. Left out: as it was found, or remembered for this account."""

    columns = fields.Dict(
        keys=fields.String(validate=validate.Regexp(r"^[A-Z]{1,3}$")),
        values=fields.Enum(Field, by_value=True),
        load_default=None,
    )


class StatementOut(Schema):
    """A statement. `new_lines` of its `lines` stood in no earlier one; `done` of them have been looked through."""

    id = fields.UUID(required=True)
    bank_account_id = fields.UUID(required=True)
    filename = fields.String(required=True)
    state = fields.Enum(StatementState, by_value=True, required=True)
    columns = fields.Function(
        lambda row: row.found.get("columns", {}),
        required=True,
        metadata={
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "Letter → what it holds.",
        },
    )
    from_day = fields.Date(required=True, allow_none=True)
    to_day = fields.Date(required=True, allow_none=True)
    opening = fields.Integer(required=True, allow_none=True)
    closing = fields.Integer(required=True, allow_none=True)
    lines = fields.Integer(required=True)
    new_lines = fields.Integer(required=True)
    done = fields.Integer(required=True)
    recorded_at = fields.AwareDateTime(required=True)


class LinesQuery(ListQuery):
    """Which lines: `open` to decide, `held`: nobody knows whose, `settled`."""

    state = fields.String(load_default="open", validate=validate.OneOf(TABS))
    likely = fields.Enum(Likely, by_value=True, load_default=None)
    statement_id = fields.UUID(load_default=None)


class LinePartOut(Schema):
    """What a line, or a part of it, was; the amount has the sign of the line."""

    use = fields.Enum(Use, by_value=True, required=True)
    amount = fields.Integer(required=True)
    sponsor_id = fields.UUID(required=True, allow_none=True)
    receipt_id = fields.UUID(required=True, allow_none=True)
    why = fields.String(required=True, allow_none=True)
    by_itself = fields.Boolean(required=True, metadata={"description": "Booked because of its code, by nobody's hand."})


class LineOut(Schema):
    """A line of the bank; a positive amount came in. The parts of a settled one sum to it."""

    id = fields.UUID(required=True)
    statement_id = fields.UUID(required=True)
    bank_account_id = fields.UUID(required=True)
    posted_on = fields.Date(required=True)
    amount = fields.Integer(required=True)
    balance = fields.Integer(required=True, allow_none=True)
    reference = fields.String(required=True)
    narrative = fields.String(required=True)
    payer = fields.String(required=True)
    state = fields.Enum(LineState, by_value=True, required=True)
    likely = fields.Enum(Likely, by_value=True, required=True)
    parts = fields.List(fields.Nested(LinePartOut), required=True)


class LineShareIn(Schema):
    """A part of the line's money, and whose it is."""

    sponsor_id = fields.UUID(required=True)
    pledge_id = fields.UUID(load_default=None, allow_none=True)
    amount = fields.Integer(required=True, strict=True, validate=validate.Range(1, MOST_DONG - 1))


class MatchIn(Schema):
    """Whose the money of a line is: shares that sum to it."""

    shares = fields.List(fields.Nested(LineShareIn), required=True, validate=validate.Length(1, MOST_SHARES))


class LineShareOut(Schema):
    """A part of the line's money, and whose it may be."""

    sponsor_id = fields.UUID(required=True)
    pledge_id = fields.UUID(required=True, allow_none=True)
    amount = fields.Integer(required=True)


class LineSuggestionOut(Schema):
    """Whose the money may be; the score only orders suggestions."""

    shares = fields.List(fields.Nested(LineShareOut), required=True)
    score = fields.Integer(required=True)
    whys = fields.List(fields.String(), required=True, metadata={"description": "In words."})


class LineSuggestionsOut(Schema):
    """The best first; `certain` when a whole code of an open promise leaves no doubt."""

    certain = fields.Boolean(required=True)
    items = fields.List(fields.Nested(LineSuggestionOut), required=True)


@blp.get("/statements")
@may(May.SEE_SPONSORS)
@blp.arguments(ListQuery, location="query")
@blp.response(200, listing(StatementOut))
def statements(asked: dict[str, Any]) -> dict[str, Any]:
    """Statements, the latest first"""
    found = queries.statements_page(session(), current_scope(), cursor=asked["cursor"], size=asked["limit"])
    return {"items": found.rows, "next": found.next}


@blp.post("/statements")
@may(May.RECORD_MONEY)
@blp.arguments(StatementFile, location="files")
@blp.arguments(StatementFor, location="form")
@blp.response(201, StatementOut)
@blp.alt_response(200, schema=StatementOut)
def hand_in(files: dict[str, Any], asked: dict[str, Any]) -> Any:
    """Hand in a file of the bank; its columns are confirmed next. The very same file again answers 200 and the first one"""
    content, filename = files["file"].read(), files["file"].filename or "statement"
    with transaction() as current:
        by = current_user()
        act: dict[str, Any] = {"by_id": by.id, "at": clock.now()}
        account = taking_in.account_of_file(current, by.town_id, content, filename, asked["account"], **act)
        row, known = taking_in.hand_in(current, account, filename, content, **act)
        address = {"Location": url_for("statements_api.one_statement", statement_id=row.id)}
        return row, int(HTTPStatus.OK if known else HTTPStatus.CREATED), address


@blp.get("/statements/<uuid:statement_id>")
@may(May.SEE_SPONSORS)
@blp.response(200, StatementOut)
def one_statement(statement_id: UUID) -> Statement:
    """One statement, and how far its loading is"""
    return queries.statement(session(), current_scope(), statement_id)


@blp.post("/statements/<uuid:statement_id>/load")
@may(May.RECORD_MONEY)
@blp.arguments(ColumnsIn)
@blp.response(202, StatementOut)
@blp.alt_response(409, schema=Problem)
def load(sent: dict[str, Any], statement_id: UUID) -> Statement:
    """The columns are right: its lines are loaded in the background. A second time is refused with 409"""
    with transaction() as current:
        row = queries.statement(current, current_scope(), statement_id)
        chosen = sent["columns"]
        columns = (
            row.found.get("columns", {}) if chosen is None else {letter: held.value for letter, held in chosen.items()}
        )
        taking_in.confirm(current, row, columns, by_id=current_user().id, at=clock.now())
    ring(load_statement, str(row.town_id), str(statement_id))
    return row


@blp.get("/statement-lines")
@may(May.SEE_SPONSORS)
@blp.arguments(LinesQuery, location="query")
@blp.response(200, listing(LineOut))
def lines(asked: dict[str, Any]) -> dict[str, Any]:
    """Lines of all statements, or of one, in the order of time"""
    wanted = Narrowed(asked["state"], asked["likely"], statement_id=asked["statement_id"])
    found = queries.lines_page(session(), current_scope(), wanted, cursor=asked["cursor"], size=asked["limit"])
    return {"items": told(found.rows), "next": found.next}


@blp.get("/statement-lines/<uuid:line_id>")
@may(May.SEE_SPONSORS)
@blp.response(200, LineOut)
def one_line(line_id: UUID) -> dict[str, Any]:
    """One line, and what it was"""
    return told([queries.line(session(), current_scope(), line_id)])[0]


@blp.get("/statement-lines/<uuid:line_id>/suggestions")
@may(May.SEE_SPONSORS)
@blp.response(200, LineSuggestionsOut)
def suggestions(line_id: UUID) -> dict[str, Any]:
    """Whose the money of a line may be, and why"""
    line = queries.line(session(), current_scope(), line_id)
    verdict = queries.matcher_of(session(), line.town_id).match(queries.seen(line))
    found = [verdict.certain] if verdict.certain else list(verdict.suggestions)
    items = [{"shares": one.shares, "score": one.score, "whys": [why_words(why) for why in one.whys]} for one in found]
    return {"certain": verdict.certain is not None, "items": items}


@blp.post("/statement-lines/<uuid:line_id>/match")
@may(May.RECORD_MONEY)
@blp.arguments(MatchIn)
@blp.response(200, LineOut)
@blp.alt_response(409, schema=Problem)
def match(sent: dict[str, Any], line_id: UUID) -> dict[str, Any]:
    """The money of an open or held line is these sponsors'; a settled one is refused with 409"""
    with transaction() as current:
        line = queries.line(current, current_scope(), line_id)
        shares = [Share(**one) for one in sent["shares"]]
        act: dict[str, Any] = {"by_id": current_user().id, "at": clock.now()}
        if line.state is LineState.SETTLED:
            deciding.identify(current, line, shares, on=clock.today(), **act)
        else:
            deciding.book(current, line, shares, **act)
        return told([line])[0]


def told(rows: Sequence[StatementLine]) -> list[dict[str, Any]]:
    """Lines under the names of the API, with their parts."""
    parts = queries.parts_of(session(), current_scope().town_id, [row.id for row in rows])
    names = [
        "id",
        "statement_id",
        "bank_account_id",
        "posted_on",
        "amount",
        "balance",
        "reference",
        "narrative",
        "payer",
        "state",
        "likely",
    ]
    return [
        {name: getattr(row, name) for name in names} | {"parts": [one.part for one in parts.get(row.id, [])]}
        for row in rows
    ]
