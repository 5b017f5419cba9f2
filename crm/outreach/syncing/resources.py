"""What devices recorded offline: `/api/v1/sync`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from marshmallow import Schema, ValidationError, fields, post_load, validate

from crm import clock, stored
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.api.blueprint import Blueprint
from crm.db import session, transaction
from crm.errors import RuleBroken
from crm.outreach.resources import VisitIn
from crm.outreach.syncing import services
from crm.outreach.syncing.queries import Changes, changes_since
from crm.outreach.syncing.rules import MOST_EVENTS, Became, Event, EventKind, Outcome
from crm.prospects.identity.showing import told
from crm.prospects.models import Prospect
from crm.prospects.resources import CandidateOut, ProspectChange, ProspectIn, candidate, given, said_by_people
from crm.prospects.rules import ConsentChannel, NewConsent, NewPerson, Purpose, Stage
from crm.web.guard import may
from crm.web.problems import wrong_fields

blp = Blueprint("sync_api", __name__, description="What was recorded offline, and what changed meanwhile")

BODIES = """By `type`. `visit`: the body of POST /visits without `client_id` and `occurred_at`. `new_person`: the body of
POST /prospects; without `id` the event's `client_id` becomes the person's id. `consent`: `{prospect_id, purpose, given,
channel?, text_version?}`. `opt_out`: `{prospect_id, purposes?, channel?, text_version?}`, all purposes unless told.
`correction`: `{prospect_id, version, changes}`, `changes` as for PATCH /prospects/{id}, without `grounds` and
`sms_consent`."""


class EventIn(Schema):
    """Something that happened while the device was offline."""

    client_id = fields.UUID(required=True, metadata={"description": "Made by the device, once for each event."})
    type = fields.Enum(EventKind, by_value=True, required=True)
    occurred_at = fields.AwareDateTime(required=True, metadata={"description": "RFC 3339 with an offset."})
    body = fields.Dict(keys=fields.String(), required=True, metadata={"description": BODIES})

    @post_load
    def made(self, sent: dict[str, Any], **_kwargs: Any) -> Event:
        return Event(sent["client_id"], sent["type"], sent["occurred_at"], sent["body"])


class SyncIn(Schema):
    """The events of a device, in the order in which they happened, and how far it knows what others did."""

    device_id = fields.String(required=True, validate=validate.Length(min=1, max=100))
    sent_at = fields.AwareDateTime(required=True, metadata={"description": "By the device's own clock."})
    epoch = fields.Integer(load_default=None, allow_none=True, strict=True)
    cursor = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=2000))
    events = fields.List(fields.Nested(EventIn), required=True, validate=validate.Length(max=MOST_EVENTS))


class ConsentBody(Schema):
    """An answer about messages."""

    prospect_id = fields.UUID(required=True)
    purpose = fields.Enum(Purpose, by_value=True, required=True)
    given = fields.Boolean(required=True, truthy={True}, falsy={False})
    channel = fields.Enum(ConsentChannel, by_value=True, load_default=ConsentChannel.DOORSTEP, validate=said_by_people)
    text_version = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=500))


class OptOutBody(Schema):
    """Somebody wants no messages."""

    prospect_id = fields.UUID(required=True)
    purposes = fields.List(fields.Enum(Purpose, by_value=True), load_default=lambda: list(Purpose))
    channel = fields.Enum(ConsentChannel, by_value=True, load_default=ConsentChannel.DOORSTEP, validate=said_by_people)
    text_version = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=500))


class CorrectionBody(Schema):
    """What is to be different, and the version of the person that was looked at."""

    prospect_id = fields.UUID(required=True)
    version = fields.Integer(required=True, strict=True)
    changes = fields.Nested(ProspectChange(exclude=("grounds", "sms_consent")), required=True)


class ErrorOut(Schema):
    field = fields.String(required=True)
    message = fields.String(required=True)


class OutcomeOut(Schema):
    """What became of an event. A rejected one may be sent again, mended, under the same `client_id`."""

    client_id = fields.UUID(required=True)
    type = fields.Enum(EventKind, by_value=True, required=True)
    result = fields.Enum(Became, by_value=True, required=True)
    prospect_id = fields.UUID(
        required=True, allow_none=True, metadata={"description": "Whom it is about now, merges followed."}
    )
    code = fields.String(required=True, allow_none=True, metadata={"description": "Why it was rejected, for programs."})
    reason = fields.String(required=True, allow_none=True, metadata={"description": "The same for a person."})
    errors = fields.List(fields.Nested(ErrorOut), required=True)
    candidates = fields.List(
        fields.Nested(CandidateOut), required=True, metadata={"description": "With `likely_duplicate`: who it may be."}
    )
    version = fields.Integer(
        required=True, allow_none=True, metadata={"description": "With `stale`: the version that is there now."}
    )


class ChangedOut(Schema):
    """Somebody whose record changed, as much as a list on a phone shows. GET /prospects/{id} says more."""

    id = fields.UUID(required=True)
    full_name = fields.String(required=True)
    birth_date = fields.Date(required=True, allow_none=True)
    birth_year = fields.Integer(required=True, allow_none=True)
    phone = fields.String(required=True, allow_none=True)
    place = fields.UUID(required=True, attribute="place_id")
    neighbourhood_id = fields.UUID(required=True, allow_none=True)
    address = fields.String(required=True, allow_none=True)
    stage = fields.Enum(Stage, by_value=True, required=True)
    assigned_to = fields.UUID(required=True, allow_none=True, attribute="volunteer_id")
    next_contact_on = fields.Date(required=True, allow_none=True)
    last_contact_at = fields.AwareDateTime(required=True, allow_none=True)
    updated_at = fields.AwareDateTime(required=True)
    version = fields.Integer(required=True)


class GoneOut(Schema):
    """Somebody who is in the list no more; `became` is the record they are part of now."""

    id = fields.UUID(required=True)
    became = fields.UUID(required=True, allow_none=True)


class SyncOut(Schema):
    """What became of the events, and what changed for this user since the cursor."""

    epoch = fields.Integer(
        required=True,
        metadata={
            "description": "When it is not the one sent, this system was restored from a backup: what was accepted since "
            "may be lost. Send everything again that is kept, and take `changed` as all there is."
        },
    )
    server_time = fields.AwareDateTime(required=True)
    events = fields.List(fields.Nested(OutcomeOut), required=True)
    changed = fields.List(fields.Nested(ChangedOut), required=True)
    gone = fields.List(fields.Nested(GoneOut), required=True)
    cursor = fields.String(required=True)
    more = fields.Boolean(required=True, metadata={"description": "There is more since: ask again with `cursor`."})


@blp.post("/sync")
@may(May.SEE_PEOPLE)
@blp.arguments(SyncIn)
@blp.response(200, SyncOut)
def sync(sent: dict[str, Any]) -> dict[str, Any]:
    """Take in up to 500 events, each by itself and each once, and say what changed since the cursor"""
    with transaction() as current:
        at, epoch = clock.now(), int(stored.read(current, "epoch") or 0)
        cursor = sent["cursor"] if sent["epoch"] in (None, epoch) else None
        outcomes = services.take_in(
            current, sent["events"], read, device_id=sent["device_id"], by=current_user(), at=at
        )
        changes = changes_since(current, current_scope(), cursor, at)
        return {"epoch": epoch, "server_time": at, "events": [outcome(one) for one in outcomes], **_listed(changes)}


def _listed(changes: Changes) -> dict[str, Any]:
    names = [field.attribute or name for name, field in ChangedOut._declared_fields.items()]
    people = [{name: getattr(person, name) for name in names} for person in changes.people]
    return {"changed": people, "gone": changes.gone, "cursor": changes.cursor, "more": changes.more}


def outcome(one: Outcome) -> dict[str, Any]:
    """What became of an event, under the names of the API; of people out of sight no id is told."""
    likely = told(session(), current_scope(), one.details.get("candidates", []))
    return {
        "client_id": one.event.client_id,
        "type": one.event.kind,
        "result": one.became,
        "prospect_id": one.prospect_id,
        "code": one.code,
        "reason": one.reason,
        "errors": one.errors,
        "candidates": [typed_candidate(candidate(each)) for each in likely],
        "version": one.details.get("current") if one.code == "stale" else None,
    }


def typed_candidate(plain: dict[str, Any]) -> dict[str, Any]:
    """The plain JSON of a candidate as the schema takes it."""
    return CandidateOut().load(plain)  # type: ignore[no-any-return]


def read(event: Event) -> Any:
    """The body of an event as its act takes it. Raises Unreadable and RuleBroken."""
    try:
        return _READERS[event.kind](event)
    except ValidationError as refusal:
        messages = refusal.messages if isinstance(refusal.messages, dict) else {"body": refusal.messages}
        raise services.Unreadable(list(wrong_fields({"body": messages}))) from None


def _read_visit(event: Event) -> Any:
    if extra := {"client_id", "occurred_at"} & event.body.keys():
        raise ValidationError({name: [_("Unknown field.")] for name in sorted(extra)})
    named = {"client_id": str(event.client_id), "occurred_at": event.occurred_at.isoformat()}
    return VisitIn().load({**event.body, **named})


def _read_new_person(event: Event) -> services.NewcomerBody:
    sent = ProspectIn().load(dict(event.body))
    allow = sent.pop("allow_duplicate")
    sent.setdefault("id", event.client_id)
    return services.NewcomerBody(NewPerson(**given(session(), sent)), allow)


def _read_consent(event: Event) -> services.AnswerBody:
    sent = ConsentBody().load(dict(event.body))
    return services.AnswerBody(sent["prospect_id"], [_consent(event, sent, sent["purpose"], sent["given"])])


def _read_opt_out(event: Event) -> services.AnswerBody:
    sent = OptOutBody().load(dict(event.body))
    purposes = sent["purposes"] or list(Purpose)
    return services.AnswerBody(sent["prospect_id"], [_consent(event, sent, one, given=False) for one in purposes])


def _consent(event: Event, sent: Mapping[str, Any], purpose: Purpose, given: bool) -> NewConsent:
    said_on = clock.local_day(event.occurred_at)
    if said_on > clock.today():
        raise RuleBroken(_("The answer cannot be given in the future. Correct the day."), field="occurred_at")
    return NewConsent(purpose, given, sent["channel"], said_on, sent["text_version"], event.occurred_at)


def _read_correction(event: Event) -> services.CorrectionBody:
    sent = CorrectionBody().load(dict(event.body))

    def changes(prospect: Prospect) -> Mapping[str, Any]:
        return given(session(), sent["changes"], prospect.place_id)

    return services.CorrectionBody(sent["prospect_id"], sent["version"], changes)


_READERS = {
    EventKind.VISIT: _read_visit,
    EventKind.CONSENT: _read_consent,
    EventKind.OPT_OUT: _read_opt_out,
    EventKind.NEW_PERSON: _read_new_person,
    EventKind.CORRECTION: _read_correction,
}
