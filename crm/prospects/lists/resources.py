"""Saved lists, tags, acts on many people and files for other programs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import Schema, fields, validate

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.api.blueprint import Blueprint
from crm.api.lists import ListQuery, listing
from crm.background import ring
from crm.db import session, transaction
from crm.errors import RuleBroken
from crm.prospects.lists import bulk, queries
from crm.prospects.lists.models import BulkAct, PeopleExport, Segment
from crm.prospects.lists.narrowing import Narrowing
from crm.prospects.lists.queries import Ready
from crm.prospects.lists.rules import ActState, Column, ExportState, Outcome, Sharing, Why
from crm.prospects.lists.services import acts, exporting, segments
from crm.prospects.lists.showing import in_words
from crm.prospects.resources import PeopleQuery, narrowing_of_query
from crm.web.attachments import MEDIA
from crm.web.guard import may
from crm.web.language import chosen
from tasks.lists import work_on_act, write_export

blp = Blueprint("lists_api", __name__, description="Saved lists, tags, acts on many people, files of people")

MOST_COUNTED = 1_000
"""Of every saved list at once: counting stops here."""


class Question(PeopleQuery):
    """What a list asks; the names are those of `GET /prospects`."""

    class Meta:
        exclude = ("limit", "cursor", "segment", "q")


class SegmentIn(Schema):
    """A question under a name. `asked` takes what `GET /prospects` takes; it is kept as a question, not as people."""

    name = fields.String(required=True, validate=validate.Length(1, 80))
    sharing = fields.Enum(Sharing, by_value=True, load_default=Sharing.OWN)
    asked = fields.Nested(Question, load_default=dict)
    q = fields.String(load_default="", validate=validate.Length(max=200))


class SegmentChange(Schema):
    """Only what is to be different; `asked` replaces the whole question."""

    name = fields.String(validate=validate.Length(1, 80))
    sharing = fields.Enum(Sharing, by_value=True)
    asked = fields.Nested(Question)
    q = fields.String(validate=validate.Length(max=200))


class SegmentOut(Schema):
    """A saved list. `id` of a list that stands ready is its key."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    sharing = fields.Enum(Sharing, by_value=True, required=True)
    own = fields.Boolean(required=True)
    asked = fields.Dict(required=True)
    q = fields.String(required=True)
    people = fields.Integer(
        required=True,
        allow_none=True,
        metadata={
            "description": "How many of its people the caller sees; null where it asks for what is not there any more."
        },
    )
    more = fields.Boolean(
        required=True,
        metadata={"description": f"There are more than `people`: counting stops at {MOST_COUNTED}."},
    )


class Segments(Schema):
    items = fields.List(fields.Nested(SegmentOut), required=True)
    next = fields.String(required=True, allow_none=True)


class TagOut(Schema):
    id = fields.UUID(required=True)
    name = fields.String(required=True)


class Tags(Schema):
    items = fields.List(fields.Nested(TagOut), required=True)
    next = fields.String(required=True, allow_none=True)


class ActIn(Schema):
    """What is to be done, and to whom: `people`, or everybody whom `asked` and `q` find now."""

    kind = fields.String(required=True, validate=validate.Length(1, 40))
    volunteer = fields.UUID()
    stage = fields.String(validate=validate.Length(max=40))
    tag = fields.UUID()
    new_tag = fields.String(validate=validate.Length(max=40))
    reason = fields.String(validate=validate.Length(max=300))
    people = fields.List(fields.UUID(), validate=validate.Length(max=1000))
    asked = fields.Nested(Question)
    q = fields.String(load_default="", validate=validate.Length(max=200))


class Tally(Schema):
    outcome = fields.Enum(Outcome, by_value=True, required=True)
    why = fields.Enum(Why, by_value=True, required=True, allow_none=True)
    people = fields.Integer(required=True)


class ActOut(Schema):
    """An act on many people, and what became of how many."""

    id = fields.UUID(required=True)
    kind = fields.String(required=True)
    state = fields.Enum(ActState, by_value=True, required=True)
    at = fields.AwareDateTime(required=True)
    people = fields.Integer(required=True)
    done = fields.Integer(required=True)
    tally = fields.List(fields.Nested(Tally), required=True)


class ExportIn(Schema):
    """A file of everybody whom `asked` and `q` find."""

    columns = fields.List(fields.Enum(Column, by_value=True), required=True, validate=validate.Length(1, 30))
    asked = fields.Nested(Question, load_default=dict)
    q = fields.String(load_default="", validate=validate.Length(max=200))
    full_numbers = fields.Boolean(load_default=False, truthy={True}, falsy={False})


class ExportOut(Schema):
    """A file, and how far it is."""

    id = fields.UUID(required=True)
    state = fields.Enum(ExportState, by_value=True, required=True)
    at = fields.AwareDateTime(required=True)
    asked = fields.Dict(required=True)
    columns = fields.List(fields.String(), required=True)
    full_numbers = fields.Boolean(required=True)
    total = fields.Integer(required=True)
    done = fields.Integer(required=True)
    people = fields.Integer(required=True, allow_none=True)
    expires_at = fields.AwareDateTime(required=True, allow_none=True)


def _told(segment: Segment | Ready) -> dict[str, Any]:
    user, found = current_user(), _counted(segment)
    return {
        "id": str(segment.id) if isinstance(segment, Segment) else segment.key,
        "name": str(segment.name),
        "sharing": segment.sharing if isinstance(segment, Segment) else Sharing.TOWN,
        "own": isinstance(segment, Segment) and segment.owner_id == user.id,
        "asked": dict(segment.asked),
        "q": segment.q,
        "people": None if found is None else min(found, MOST_COUNTED),
        "more": found is not None and found > MOST_COUNTED,
    }


def _counted(segment: Segment | Ready) -> int | None:
    try:
        return queries.count_of(session(), segment, current_scope(), clock.today(), MOST_COUNTED)
    except RuleBroken:
        return None


def _narrowing(asked: dict[str, Any]) -> Narrowing:
    return narrowing_of_query(session(), current_scope(), asked)


@blp.get("/segments")
@may(May.SEE_PEOPLE)
@blp.response(200, Segments)
def all_segments() -> dict[str, Any]:
    """Saved lists, those that stand ready first"""
    rows = session().scalars(queries.segments_of(current_scope(), current_user())).all()
    found: list[Segment | Ready] = [*queries.ready_made(current_user()), *rows]
    return {"items": [_told(one) for one in found], "next": None}


@blp.post("/segments")
@may(May.SEE_PEOPLE)
@blp.arguments(SegmentIn)
@blp.response(201, SegmentOut)
def add_segment(sent: dict[str, Any]) -> dict[str, Any]:
    """Save a question under a name"""
    with transaction() as current:
        row = segments.save_segment(
            current,
            _narrowing(sent["asked"]),
            sent["q"],
            name=sent["name"],
            sharing=sent["sharing"],
            by=current_user(),
            at=clock.now(),
        )
        return _told(row)


@blp.get("/segments/<uuid:segment_id>")
@may(May.SEE_PEOPLE)
@blp.response(200, SegmentOut)
def one_segment(segment_id: UUID) -> dict[str, Any]:
    """One saved list"""
    return _told(queries.segment_seen(session(), current_scope(), current_user(), segment_id))


@blp.patch("/segments/<uuid:segment_id>")
@may(May.SEE_PEOPLE)
@blp.arguments(SegmentChange)
@blp.response(200, SegmentOut)
def change_segment(sent: dict[str, Any], segment_id: UUID) -> dict[str, Any]:
    """Another name, other readers or another question"""
    if "asked" in sent:
        sent["narrowing"] = _narrowing(sent.pop("asked"))
    with transaction() as current:
        return _told(segments.change_segment(current, segment_id, by=current_user(), at=clock.now(), **sent))


@blp.delete("/segments/<uuid:segment_id>")
@may(May.SEE_PEOPLE)
@blp.response(204)
def delete_segment(segment_id: UUID) -> None:
    """Take a saved list away; `restore` brings it back for a day"""
    with transaction() as current:
        segments.delete_segment(current, segment_id, by=current_user(), at=clock.now())


@blp.post("/segments/<uuid:segment_id>/restore")
@may(May.SEE_PEOPLE)
@blp.response(200, SegmentOut)
def restore_segment(segment_id: UUID) -> dict[str, Any]:
    """Bring a deleted list back"""
    with transaction() as current:
        return _told(segments.restore_segment(current, segment_id, by=current_user(), at=clock.now()))


@blp.get("/tags")
@may(May.SEE_PEOPLE)
@blp.response(200, Tags)
def all_tags() -> dict[str, Any]:
    """The town's tags by name"""
    return {"items": session().scalars(queries.tags_of(current_scope().town_id)).all(), "next": None}


def _act_told(row: BulkAct) -> dict[str, Any]:
    names = ("id", "kind", "state", "at", "people", "done")
    tally = [one._asdict() for one in queries.tally_of(session(), row)]
    return {name: getattr(row, name) for name in names} | {"tally": tally}


@blp.post("/bulk-acts")
@may(May.EDIT_PEOPLE)
@blp.arguments(ActIn)
@blp.response(201, ActOut)
def begin_act(sent: dict[str, Any]) -> dict[str, Any]:
    """Do one thing to many people: up to 1,000 at once, more in the background (`state` is `waiting`)"""
    with transaction() as current:
        meant = acts.Meant(people=sent.pop("people", ()))
        if "asked" in sent:
            meant = acts.Meant(narrowing=_narrowing(sent.pop("asked")), q=sent["q"])
        row = acts.ask_for(current, current_scope(), sent["kind"], sent, meant, by=current_user(), at=clock.now())
        if acts.is_small(row):
            acts.work_at_once(current, row, at=clock.now())
        told = _act_told(row)
    _ring_if_waiting(told)
    return told


def _ring_if_waiting(told: dict[str, Any]) -> None:
    if told["state"] in (ActState.WAITING, ActState.UNDOING):
        ring(work_on_act, str(current_scope().town_id), str(told["id"]))


@blp.get("/bulk-acts/kinds")
@may(May.EDIT_PEOPLE)
@blp.response(200, Schema.from_dict({"kinds": fields.List(fields.String(), required=True)}, name="ActKinds"))
def act_kinds() -> dict[str, Any]:
    """What the caller may do to many people"""
    return {"kinds": [kind.key for kind in bulk.kinds().values() if current_user().may(kind.permission)]}


@blp.get("/bulk-acts/<uuid:act_id>")
@may(May.EDIT_PEOPLE)
@blp.response(200, ActOut)
def one_act(act_id: UUID) -> dict[str, Any]:
    """One act, and what became of how many people"""
    return _act_told(queries.act_seen(session(), current_scope(), current_user(), act_id))


@blp.post("/bulk-acts/<uuid:act_id>/undo")
@may(May.EDIT_PEOPLE)
@blp.response(200, ActOut)
def undo_act(act_id: UUID) -> dict[str, Any]:
    """Undo an act for those nobody touched since"""
    with transaction() as current:
        row = queries.act_seen(current, current_scope(), current_user(), act_id)
        acts.undo(current, row, by=current_user(), at=clock.now())
        if acts.is_small(row):
            acts.work_at_once(current, row, at=clock.now())
        told = _act_told(row)
    _ring_if_waiting(told)
    return told


@blp.get("/exports")
@may(May.SEE_EXPORTS)
@blp.arguments(ListQuery, location="query")
@blp.response(200, listing(ExportOut))
def all_exports(asked: dict[str, Any]) -> dict[str, Any]:
    """Files of people, the newest first"""
    page = queries.page_of_exports(
        session(), current_scope(), current_user(), cursor=asked["cursor"], size=asked["limit"]
    )
    return {"items": [row for row, _who in page.rows], "next": page.next}


@blp.post("/exports")
@may(May.EXPORT_PEOPLE)
@blp.arguments(ExportIn)
@blp.response(202, ExportOut)
def begin_export(sent: dict[str, Any]) -> PeopleExport:
    """Let a file be written; fetch it when its `state` is `ready`"""
    with transaction() as current:
        narrowing = _narrowing(sent["asked"])
        row = exporting.ask_for_export(
            current,
            current_scope(),
            narrowing,
            sent["q"],
            [column.value for column in sent["columns"]],
            words=in_words(current, current_scope(), narrowing, sent["q"]),
            full_numbers=sent["full_numbers"],
            language=chosen(),
            by=current_user(),
            at=clock.now(),
        )
    ring(write_export, str(row.id))
    return row


@blp.get("/exports/<uuid:export_id>")
@may(May.SEE_EXPORTS)
@blp.response(200, ExportOut)
def one_export(export_id: UUID) -> PeopleExport:
    """One file"""
    return queries.export_seen(session(), current_scope(), current_user(), export_id)


@blp.get("/exports/<uuid:export_id>/file")
@may(May.EXPORT_PEOPLE)
@blp.response(200, {"format": "binary", "type": "string"}, content_type=MEDIA["xlsx"])
def export_file(export_id: UUID) -> Response:
    """The file itself, for whoever asked for it"""
    with transaction() as current:
        row = queries.export_seen(current, current_scope(), current_user(), export_id)
        content = exporting.fetch(current, row, by=current_user(), at=clock.now())
    return Response(content, mimetype=MEDIA["xlsx"])
