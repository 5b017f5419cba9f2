"""Lists of people for other programs: hand one in, see what it would do, load it, take it back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from flask_smorest.fields import Upload
from marshmallow import Schema, fields, validate

from crm.accounts.gateway import current_scope, current_user
from crm.accounts.queries import organisation_coded
from crm.accounts.rules import May
from crm.api.blueprint import Blueprint
from crm.api.lists import ListQuery, listing
from crm.background import ring
from crm.clock import now, today
from crm.db import session, transaction
from crm.places.queries import place_named
from crm.prospects.importing import queries
from crm.prospects.importing.forms import options_of
from crm.prospects.importing.rules import problem_sentence
from crm.prospects.importing.services import committing, deciding, handing_back, taking_in, undoing
from crm.prospects.importing.services.deciding import Decision
from crm.prospects.importing.services.putting_right import ColumnSaid, Said, columns_said, put_right
from crm.prospects.importing.showing import Shown, columns_of, shown
from crm.prospects.models import ListImport
from crm.prospects.reading.columns import Field
from crm.prospects.reading.outcomes import SameBecause
from crm.prospects.rules import ImportState, ListKind, RowOutcome, Same
from crm.web.attachments import MEDIA
from crm.web.guard import may
from tasks.prospects import commit_list, read_list, undo_list

blp = Blueprint("list_imports", __name__, description="Lists of people: handed in, looked at, loaded, taken back")


class FileInput(Schema):
    """The list: xlsx, xls, xlsb, ods or a text table (csv), at most 25 MB and 200,000 rows."""

    file = Upload(required=True)


class ListInput(Schema):
    """Where the people live, when the file does not say it, and for whom they are loaded."""

    place = fields.String(
        load_default=None,
        validate=validate.Length(1, 100),
        metadata={"description": "A UUID, CODE or CODE@DATE; needed where the file names no ward."},
    )
    organisation = fields.String(
        load_default=None,
        validate=validate.Length(1, 60),
        metadata={"description": "The code of the organisation that will look after the people."},
    )
    sheet = fields.String(
        load_default=None,
        validate=validate.Length(1, 100),
        metadata={"description": "Only this sheet; by default all that can be seen."},
    )
    kind = fields.Enum(
        ListKind,
        by_value=True,
        load_default=None,
        metadata={"description": "What the list is; by default what its headings and titles say."},
    )
    headings = fields.List(
        fields.String(validate=validate.Regexp(r"^(.*=)?\d{1,4}(-\d{1,4})?$")),
        load_default=[],
        metadata={
            "description": "Where the headings stand when they are not found: `ROW`, `FIRST-LAST` or `SHEET=ROW`, such as"
            " `5-6`; 0 when there are none. May be given several times."
        },
    )
    map = fields.List(
        fields.String(validate=[validate.Length(3, 200), validate.Regexp(r"[a-z_]+=.*")]),
        load_default=[],
        metadata={"description": "`FIELD=COLUMN`, such as `phone=F`; may be given several times."},
    )


class ColumnAnswer(Schema):
    """One column: its letter, its heading, what it is taken to hold and why, and some values, identity numbers masked."""

    column = fields.String(attribute="letter", required=True)
    heading = fields.String(required=True)
    field = fields.String(required=True, allow_none=True)
    why = fields.Function(lambda one: one.why or None, required=True, metadata={"type": ["string", "null"]})
    samples = fields.List(fields.String(), required=True)


class TableAnswer(Schema):
    """How one sheet was understood."""

    sheet = fields.String(required=True)
    headings = fields.Function(
        lambda one: one.headings or None,
        required=True,
        metadata={"type": ["string", "null"], "description": "The rows of its headings; null when it has none."},
    )
    ward = fields.String(required=True, allow_none=True, metadata={"description": "The ward its title names."})
    columns = fields.List(fields.Nested(ColumnAnswer), required=True)


class ColumnsAnswer(Schema):
    """How a list was understood, and for which ward it was handed in."""

    kind = fields.Enum(ListKind, by_value=True, required=True)
    place = fields.UUID(required=True, allow_none=True)
    tables = fields.List(fields.Nested(TableAnswer), required=True)


class ColumnInput(Schema):
    """What one column holds; with a null field it is left out."""

    column = fields.String(
        required=True,
        validate=validate.Length(1, 200),
        metadata={"description": "Its letter or its heading, as it is written."},
    )
    field = fields.Enum(Field, by_value=True, required=True, allow_none=True)
    sheet = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Length(1, 100),
        metadata={"description": "By default every sheet that has such a column."},
    )


class ColumnsInput(Schema):
    """What of the list was understood wrongly; what is left out stays."""

    columns = fields.List(fields.Nested(ColumnInput), load_default=[], validate=validate.Length(max=500))
    kind = fields.Enum(ListKind, by_value=True, load_default=None, allow_none=True)
    place = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Length(1, 100),
        metadata={"description": "A UUID, CODE or CODE@DATE: the ward of the whole list."},
    )
    sheets = fields.List(
        fields.String(validate=validate.Length(1, 100)),
        load_default=[],
        validate=validate.Length(max=500),
        metadata={"description": "Only these sheets; by default those it was read with."},
    )


class RowsQuery(ListQuery):
    """Which rows of a list; all of them unless an outcome is named."""

    outcome = fields.Enum(RowOutcome, by_value=True, load_default=None)


class RowAnswer(Schema):
    """A row of a list, what becomes of it and why; identity numbers are masked."""

    id = fields.UUID(required=True)
    sheet = fields.String(required=True)
    row = fields.Integer(required=True)
    outcome = fields.Enum(RowOutcome, by_value=True, required=True)
    reasons = fields.List(fields.String(), required=True)
    why = fields.String(required=True, allow_none=True)
    full_name = fields.String(required=True, allow_none=True)
    prospect_id = fields.UUID(required=True, allow_none=True, metadata={"description": "Whom the row may be, or is."})
    decided = fields.String(required=True, allow_none=True)


class DecisionInput(Schema):
    """`same`: the row is the person it was likened to. `add`: somebody else. `skip`: leave it out. `take`: what the list says
    otherwise replaces what is kept."""

    decision = fields.Enum(Decision, by_value=True, required=True)


class DecisionsInput(Schema):
    """One decision for all open rows that were set aside, or for those set aside for one reason."""

    decision = fields.Enum(Decision, by_value=True, required=True)
    reason = fields.String(
        load_default=None,
        validate=validate.OneOf([*(one.value for one in Same), *(one.value for one in SameBecause)]),
    )


class DecisionsAnswer(Schema):
    """How many rows were decided."""

    decided = fields.Integer(required=True)


class ImportAnswer(Schema):
    """A list and its figures: `rows` = `valid` + `rejected` + `duplicates`. `duplicates` are set aside for a person's
    decision. `created`, `updated` and `unchanged` count what has been done, so they are 0 until it is loaded."""

    id = fields.UUID(required=True)
    state = fields.Enum(ImportState, by_value=True, required=True)
    kind = fields.Enum(ListKind, by_value=True, required=True, metadata={"description": "What the list is taken for."})
    rows = fields.Integer(required=True)
    valid = fields.Integer(required=True)
    rejected = fields.Integer(required=True)
    duplicates = fields.Integer(required=True)
    created = fields.Integer(required=True)
    updated = fields.Integer(required=True)
    unchanged = fields.Integer(required=True)
    filename = fields.String(required=True)
    done = fields.Integer(required=True, metadata={"description": "Rows the work in progress is through with."})
    total = fields.Integer(required=True, metadata={"description": "Rows it has, at most."})
    problem = fields.Function(
        lambda row: problem_sentence(row.problem),
        required=True,
        metadata={"type": ["string", "null"], "description": "Why the list as a whole cannot be used."},
    )
    created_at = fields.AwareDateTime(required=True)


def _place_id(text: str | None) -> UUID | None:
    return place_named(session(), current_user().town_id, text, today=today()).id if text else None


def _organisation_id(code: str | None) -> UUID | None:
    return organisation_coded(session(), current_user().town_id, code).id if code else None


def _seen(import_id: UUID) -> ListImport:
    return queries.list_seen(session(), current_scope(), import_id)


@blp.get("/imports")
@may(May.IMPORT_PEOPLE)
@blp.arguments(ListQuery, location="query")
@blp.response(200, listing(ImportAnswer))
def imports(asked: dict[str, Any]) -> dict[str, Any]:
    """Lists that were handed in, the newest first"""
    page = queries.page_of_lists(session(), current_scope(), cursor=asked["cursor"], size=asked["limit"])
    return {"items": page.rows, "next": page.next}


@blp.post("/imports")
@may(May.IMPORT_PEOPLE)
@blp.arguments(FileInput, location="files")
@blp.arguments(ListInput, location="form")
@blp.response(201, ImportAnswer)
def hand_in(files: dict[str, Any], asked: dict[str, Any]) -> ListImport:
    """Hand in a list; it is read in the background"""
    handed = taking_in.Handed(
        files["file"].filename or "list",
        files["file"].read(),
        _place_id(asked["place"]),
        _organisation_id(asked["organisation"]),
        options_of([asked["sheet"]] if asked["sheet"] else [], asked["map"], asked["kind"], asked["headings"]),
    )
    with transaction() as current:
        user = current_user()
        handed = taking_in.as_remembered(current, user.town_id, handed, by=user, scope=current_scope(), at=now())
        row = taking_in.take_in(current, user.town_id, handed, by=user, scope=current_scope(), at=now())
    ring(read_list, str(row.id))
    return row


@blp.get("/imports/<uuid:import_id>")
@may(May.IMPORT_PEOPLE)
@blp.response(200, ImportAnswer)
def one_import(import_id: UUID) -> ListImport:
    """One list"""
    return _seen(import_id)


@blp.get("/imports/<uuid:import_id>/columns")
@may(May.IMPORT_PEOPLE)
@blp.response(200, ColumnsAnswer)
def columns(import_id: UUID) -> dict[str, Any]:
    """How the columns of a list were understood"""
    row = _seen(import_id)
    return {"kind": row.kind, "place": row.place_id, "tables": columns_of(session(), row)}


@blp.post("/imports/<uuid:import_id>/columns")
@may(May.IMPORT_PEOPLE)
@blp.arguments(ColumnsInput)
@blp.response(202, ImportAnswer)
def set_columns(asked: dict[str, Any], import_id: UUID) -> ListImport:
    """Put right how a list was understood; where that changes anything it is read once more, and remembered for the next"""
    with transaction() as current:
        row = _seen(import_id)
        named = [ColumnSaid(one["column"], one["field"], one["sheet"]) for one in asked["columns"]]
        said = Said(
            columns_said(row, named) if named else None,
            asked["kind"],
            _place_id(asked["place"]),
            sheets=asked["sheets"],
        )
        again = put_right(current, row, said, scope=current_scope(), at=now())
    if again:
        ring(read_list, str(import_id))
    return row


@blp.post("/imports/<uuid:import_id>/commit")
@may(May.IMPORT_PEOPLE)
@blp.response(202, ImportAnswer)
def commit(import_id: UUID) -> ListImport:
    """Load the people of a list that is ready; it goes on in the background"""
    with transaction() as current:
        row = _seen(import_id)
        committing.start(current, row)
    ring(commit_list, str(import_id))
    return row


@blp.post("/imports/<uuid:import_id>/undo")
@may(May.IMPORT_PEOPLE)
@blp.response(202, ImportAnswer)
def undo(import_id: UUID) -> ListImport:
    """Take a loaded list back; whom somebody has worked with since is kept"""
    with transaction() as current:
        row = _seen(import_id)
        undoing.start(current, row)
    ring(undo_list, str(import_id))
    return row


class StayAnswer(Schema):
    """How many people would stay as they are, and why."""

    code = fields.String(required=True)
    why = fields.String(required=True)
    people = fields.Integer(required=True)


class UndoAnswer(Schema):
    """What taking a list back would do to people now. Nothing is written."""

    removed = fields.Integer(required=True)
    restored = fields.Integer(required=True)
    stay = fields.List(fields.Nested(StayAnswer), required=True)


@blp.get("/imports/<uuid:import_id>/undo")
@may(May.IMPORT_PEOPLE)
@blp.response(200, UndoAnswer)
def foresee_undo(import_id: UUID) -> dict[str, Any]:
    """What taking a loaded list back would do"""
    row = _seen(import_id)
    undoing.check_loaded(row)
    told = undoing.foresee(session(), row)
    stay = [{"code": why, "why": str(undoing.KEPT[why]), "people": many} for why, many in told.stay.items()]
    return {"removed": told.removed, "restored": told.restored, "stay": stay}


@blp.get("/imports/<uuid:import_id>/rows")
@may(May.IMPORT_PEOPLE)
@blp.arguments(RowsQuery, location="query")
@blp.response(200, listing(RowAnswer))
def rows(asked: dict[str, Any], import_id: UUID) -> dict[str, Any]:
    """Rows of a list, in the order of the file"""
    row = _seen(import_id)
    page = queries.page_of_rows(session(), row, asked["outcome"], cursor=asked["cursor"], size=asked["limit"])
    return {"items": [_row(one) for one in shown(session(), current_scope(), page.rows)], "next": page.next}


def _row(one: Shown) -> dict[str, Any]:
    return {
        "id": one.row.id,
        "sheet": one.row.sheet,
        "row": one.row.row_number,
        "outcome": one.row.outcome,
        "reasons": one.row.reasons,
        "why": one.why,
        "full_name": one.proposed.full_name if one.proposed else None,
        "prospect_id": one.person.id if one.person else None,
        "decided": one.decided,
    }


@blp.post("/imports/<uuid:import_id>/rows/<uuid:row_id>")
@may(May.IMPORT_PEOPLE)
@blp.arguments(DecisionInput)
@blp.response(200, ImportAnswer)
def decide(asked: dict[str, Any], import_id: UUID, row_id: UUID) -> ListImport:
    """Decide on a row that was set aside, or that says otherwise than is kept"""
    with transaction() as current:
        row = _seen(import_id)
        deciding.decide(current, current_scope(), row, row_id, asked["decision"], at=now())
    return _seen(import_id)


@blp.post("/imports/<uuid:import_id>/decisions")
@may(May.IMPORT_PEOPLE)
@blp.arguments(DecisionsInput)
@blp.response(200, DecisionsAnswer)
def decide_all(asked: dict[str, Any], import_id: UUID) -> dict[str, int]:
    """Decide on up to 500 rows that were set aside at once"""
    with transaction() as current:
        row = _seen(import_id)
        done = deciding.decide_all(current, current_scope(), row, asked["decision"], asked["reason"], at=now())
    return {"decided": done}


@blp.get("/imports/<uuid:import_id>/errors.xlsx")
@may(May.IMPORT_PEOPLE)
@blp.response(200, {"type": "string", "format": "binary"}, content_type=MEDIA["xlsx"])
def errors(import_id: UUID) -> Response:
    """The rows that were rejected or set aside, each with why, as a workbook to be mended and handed in again"""
    return Response(handing_back.workbook(session(), _seen(import_id)), mimetype=MEDIA["xlsx"])
