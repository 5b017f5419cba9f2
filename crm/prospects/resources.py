"""People for other programs: `/api/v1/prospects`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from uuid import UUID

from flask import Response, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.gateway import api_token, current_scope, current_user
from crm.accounts.models import Organisation
from crm.accounts.queries import Scope, organisation_by_code
from crm.accounts.rules import May
from crm.api.blueprint import Blueprint
from crm.api.description import Problem
from crm.api.lists import ListQuery, listing
from crm.citizen_ids import mask
from crm.db import session, transaction
from crm.errors import Conflict, Refusals, RuleBroken
from crm.places.models import Place
from crm.places.queries import place_named
from crm.prospects.editing import NUMBERS
from crm.prospects.identity.rules import Clue
from crm.prospects.identity.showing import Told, told
from crm.prospects.lists.narrowing import MOST_DAYS, NAMES, OLDEST, Consenting, Narrowing
from crm.prospects.lists.queries import narrowing_of, segment_seen
from crm.prospects.models import Prospect
from crm.prospects.queries.changes import as_of_version
from crm.prospects.queries.facts import Facts, facts_of
from crm.prospects.queries.lists import Filters, page_of
from crm.prospects.queries.seeing import person_seen
from crm.prospects.rules import (
    NOBODY,
    NOWHERE,
    READ_FIELDS,
    ConsentChannel,
    Ground,
    NewConsent,
    NewPerson,
    NewStanding,
    Purpose,
    Same,
    Sex,
    Stage,
    columns_of,
)
from crm.prospects.services.consent import answer_for
from crm.prospects.services.neighbourhoods import neighbourhood_id
from crm.prospects.services.people import add_prospect, change_prospect, columns_of_new, reveal
from crm.prospects.services.standing import set_grounds
from crm.web.guard import may
from crm.web.problems import problem

blp = Blueprint("prospects_api", __name__, description="People we hope will join, and those who have")

READ_NUMBERS = "identity:read"
DAYS = validate.Range(1, MOST_DAYS)
CODE = validate.Regexp(r"^[\w.@-]{1,60}$")


class GroundField(fields.Field[NewStanding]):
    """A ground by itself, or with its paper and its last day."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> NewStanding:
        if isinstance(value, str):
            value = {"ground": value}
        if not isinstance(value, Mapping):
            raise ValidationError(_("Give a ground, or an object with `ground`, `certificate` and `until`."))
        return NewStanding(**GroundIn().load(value))


class GroundIn(Schema):
    """A ground for State support, its paper, and the last day on which it holds."""

    ground = fields.Enum(Ground, by_value=True, required=True)
    certificate = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=100))
    since = fields.Date(load_default=None, allow_none=True)
    until = fields.Date(load_default=None, allow_none=True)


said_by_people = validate.NoneOf([ConsentChannel.DO_NOT_CALL])
"""A do-not-call list is handed in as a whole, never as somebody's answer."""


class ConsentIn(Schema):
    """Yes or no to messages of one purpose, and the proof of it."""

    purpose = fields.Enum(Purpose, by_value=True, required=True)
    given = fields.Boolean(required=True, truthy={True}, falsy={False})
    channel = fields.Enum(ConsentChannel, by_value=True, required=True, validate=said_by_people)
    on = fields.Date(required=True)
    text_version = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=500))

    @post_load
    def made(self, data: dict[str, Any], **_kwargs: Any) -> NewConsent:
        return NewConsent(data["purpose"], data["given"], data["channel"], data["on"], data["text_version"])


GROUNDS = {
    "items": {
        "oneOf": [
            {"type": "string", "enum": [ground.value for ground in Ground]},
            {
                "type": "object",
                "required": ["ground"],
                "additionalProperties": False,
                "properties": {
                    "ground": {"type": "string", "enum": [ground.value for ground in Ground]},
                    "certificate": {"type": ["string", "null"], "maxLength": 100},
                    "since": {"type": ["string", "null"], "format": "date"},
                    "until": {"type": ["string", "null"], "format": "date"},
                },
            },
        ]
    }
}


class Particulars(Schema):
    """What may be sent of somebody. Numbers in any spelling; a number sent back masked stays as it is."""

    birth_date = fields.Date(allow_none=True)
    birth_year = fields.Integer(allow_none=True, strict=True)
    sex = fields.Enum(Sex, by_value=True, allow_none=True)
    phone = fields.String(
        allow_none=True, validate=validate.Length(max=60), metadata={"description": "A mobile that gets SMS."}
    )
    other_phone = fields.String(allow_none=True, validate=validate.Length(max=60))
    citizen_id = fields.String(allow_none=True, validate=validate.Length(max=30))
    si_number = fields.String(allow_none=True, validate=validate.Length(max=30))
    neighbourhood = fields.String(allow_none=True, validate=validate.Length(max=100))
    address = fields.String(allow_none=True, validate=validate.Length(max=300))
    occupation = fields.String(allow_none=True, validate=validate.Length(max=100))
    organisation = fields.String(allow_none=True, validate=CODE, metadata={"description": "Its code."})
    grounds = fields.List(GroundField(), validate=validate.Length(max=10), metadata=GROUNDS)
    sms_consent = fields.List(fields.Nested(ConsentIn), validate=validate.Length(max=20))

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def with_the_rules(self, data: dict[str, Any], original_data: Any, **_kwargs: Any) -> None:
        """Where something is refused already, what the rules refuse of the rest is told at once."""
        sent = set(original_data) if isinstance(original_data, Mapping) else set()
        if not sent - data.keys() and not any(one.required and name not in data for name, one in self.fields.items()):
            return
        refused = Refusals()
        with refused.noted():
            columns_of({name: data[name] for name in READ_FIELDS if name in data}, NOBODY, clock.today())
        if refused.found:
            raise ValidationError({str(one.field): [str(one)] for one in refused.found})


class ProspectIn(Particulars):
    """Somebody new."""

    id = fields.UUID(metadata={"description": "Made by the caller, if at all."})
    full_name = fields.String(required=True, validate=validate.Length(min=1, max=200))
    place = fields.String(
        required=True, validate=CODE, metadata={"description": "A UUID, a CODE of today, or CODE@DATE."}
    )
    allow_duplicate = fields.Boolean(load_default=False, truthy={True}, falsy={False})


class ProspectChange(Particulars):
    """Only what is to be different. `grounds`, when sent, are all that hold from today; `sms_consent` adds answers."""

    full_name = fields.String(validate=validate.Length(min=1, max=200))
    place = fields.String(validate=CODE)


class GroundOut(Schema):
    ground = fields.Enum(Ground, by_value=True, required=True)
    certificate = fields.String(required=True, allow_none=True)
    since = fields.Date(required=True)
    until = fields.Date(required=True, allow_none=True)


class ConsentOut(Schema):
    purpose = fields.Enum(Purpose, by_value=True, required=True)
    given = fields.Boolean(required=True)
    channel = fields.Enum(ConsentChannel, by_value=True, required=True)
    on = fields.Date(required=True)
    text_version = fields.String(required=True, allow_none=True)


class ProspectOut(Schema):
    """Somebody. Citizen and insurance numbers are masked unless the token has the scope `identity:read`."""

    id = fields.UUID(required=True)
    full_name = fields.String(required=True)
    birth_date = fields.Date(required=True, allow_none=True)
    birth_year = fields.Integer(required=True, allow_none=True)
    sex = fields.Enum(Sex, by_value=True, required=True, allow_none=True)
    phone = fields.String(required=True, allow_none=True)
    other_phone = fields.String(required=True, allow_none=True)
    citizen_id = fields.String(required=True, allow_none=True)
    si_number = fields.String(required=True, allow_none=True)
    place = fields.UUID(required=True)
    place_code = fields.String(required=True, allow_none=True)
    place_name = fields.String(required=True)
    neighbourhood = fields.String(required=True, allow_none=True)
    address = fields.String(required=True, allow_none=True)
    occupation = fields.String(required=True, allow_none=True)
    grounds = fields.List(fields.Nested(GroundOut), required=True)
    standing = fields.Enum(
        Ground, by_value=True, required=True, metadata={"description": "The ground that decides support today."}
    )
    sms_consent = fields.List(fields.Nested(ConsentOut), required=True)
    stage = fields.Enum(Stage, by_value=True, required=True)
    organisation = fields.String(required=True, allow_none=True)
    assigned_to = fields.UUID(required=True, allow_none=True)
    household_id = fields.UUID(required=True, allow_none=True)
    next_contact_on = fields.Date(required=True, allow_none=True)
    last_contact_at = fields.AwareDateTime(required=True, allow_none=True)
    created_at = fields.AwareDateTime(required=True)
    updated_at = fields.AwareDateTime(required=True)
    version = fields.Integer(required=True)


SAME_NAMES = [name for name in ProspectOut._declared_fields if hasattr(Prospect, name)]
"""The fields that are called the same in the database."""


class PeopleQuery(ListQuery):
    """Who is asked for. All that is given narrows; of `stage`, `tag` and `condition` several may be given."""

    q = fields.String(
        load_default="",
        validate=validate.Length(max=200),
        metadata={"description": "A name without regard to accents, part of a phone number, or a whole citizen id."},
    )
    segment = fields.String(
        validate=validate.Regexp(r"^[\w-]{1,60}$"),
        metadata={"description": "A saved list by its id, or one that stands ready by its key; narrowed further."},
    )
    place = fields.String(validate=CODE)
    neighbourhood = fields.UUID()
    stage = fields.List(fields.Enum(Stage, by_value=True), validate=validate.Length(max=20))
    organisation = fields.String(validate=CODE, metadata={"description": "Its code or its id."})
    standing = fields.Enum(Ground, by_value=True)
    assigned_to = fields.String(
        validate=validate.Regexp(r"^(nobody|me|[0-9a-fA-F-]{32,36})$"),
        metadata={"description": "The id of an account, `me` or `nobody`."},
    )
    sex = fields.Enum(Sex, by_value=True)
    age_from = fields.Integer(validate=validate.Range(0, OLDEST))
    age_to = fields.Integer(validate=validate.Range(0, OLDEST))
    occupation = fields.String(validate=validate.Length(max=100), metadata={"description": "Words, without accents."})
    never_contacted = fields.Boolean()
    last_contact_before = fields.Date()
    last_contact_within = fields.Integer(validate=DAYS, metadata={"description": "Days."})
    no_contact_for = fields.Integer(validate=DAYS, metadata={"description": "Days; those never met, too."})
    due_before = fields.Date()
    due_within = fields.Integer(
        validate=validate.Range(0, MOST_DAYS), metadata={"description": "Days from today; what is late, too."}
    )
    tag = fields.List(fields.UUID(), validate=validate.Length(max=20))
    has_phone = fields.Boolean()
    consent = fields.Enum(Consenting, by_value=True)
    condition = fields.List(
        fields.String(validate=validate.Regexp(r"^[a-z_]{1,60}$")),
        validate=validate.Length(max=20),
        metadata={"description": "Such as `stopped_this_year`, `falling_due`, `lives_with_participant`."},
    )


class EvidenceOut(Schema):
    """One thing seen in two records: how much it speaks for one person, in bits, or below nothing against."""

    code = fields.Enum(Clue, by_value=True, required=True)
    weight = fields.Float(required=True)
    sentence = fields.String(required=True)


class CandidateOut(Schema):
    """Someone who may be the same person. Of people out of the caller's sight neither id nor name nor evidence."""

    id = fields.UUID(required=True, allow_none=True)
    score = fields.Integer(required=True)
    reasons = fields.List(fields.Enum(Same, by_value=True), required=True)
    why = fields.String(required=True)
    evidence = fields.List(fields.Nested(EvidenceOut), required=True)
    full_name = fields.String(required=True, allow_none=True)
    birth_year = fields.Integer(required=True, allow_none=True)


class LikelyDuplicate(Problem):
    candidates = fields.List(fields.Nested(CandidateOut))


class Versions(Schema):
    """One field in its versions: `base` as it was at the version that was read, left out when nobody knows; `current`;
    `yours` as it was sent. Identity numbers masked."""

    field = fields.String(required=True)
    base = fields.Raw(allow_none=True)
    current = fields.Raw(required=True, allow_none=True)
    yours = fields.Raw(required=True, allow_none=True)


class Stale(Problem):
    """What was sent, and the person as they are now: whole, and field by field what was to be changed."""

    expected = fields.Integer(allow_none=True)
    version = fields.Integer()
    yours = fields.Dict()
    current = fields.Nested(ProspectOut)
    fields_ = fields.List(fields.Nested(Versions), data_key="fields")


@blp.get("/prospects")
@may(May.SEE_PEOPLE)
@blp.arguments(PeopleQuery, location="query")
@blp.response(200, listing(ProspectOut))
def listed(asked: dict[str, Any]) -> dict[str, Any]:
    """People by name, those this token sees"""
    scope, today = current_scope(), clock.today()
    with transaction() as current:
        filters = filters_of(current, scope, asked)
        found = page_of(current, scope, filters, asked["q"], cursor=asked["cursor"], size=asked["limit"], today=today)
        facts = facts_of(current, scope.town_id, found.rows, today)
        return {"items": [answer(one) for one in facts], "next": found.next}


@blp.post("/prospects")
@may(May.EDIT_PEOPLE)
@blp.arguments(ProspectIn)
@blp.response(201, ProspectOut)
@blp.alt_response(409, schema=LikelyDuplicate)
def add(sent: dict[str, Any]) -> Any:
    """Somebody new; a likely duplicate is refused unless `allow_duplicate`"""
    allow = sent.pop("allow_duplicate")
    try:
        with transaction() as current:
            new = new_person(current, sent)
            person = add_prospect(current, new, by=current_user(), at=clock.now(), allow_duplicate=allow)
            return answered(person.id, HTTPStatus.CREATED)
    except Conflict as refusal:
        return likely_duplicate(refusal)


@blp.get("/prospects/<uuid:prospect_id>")
@may(May.SEE_PEOPLE)
@blp.response(200, ProspectOut)
def one(prospect_id: UUID) -> Any:
    """One person; the id of a merged record leads to the one it became"""
    with transaction():
        return answered(prospect_id)


@blp.patch("/prospects/<uuid:prospect_id>")
@may(May.EDIT_PEOPLE)
@blp.arguments(ProspectChange)
@blp.response(200, ProspectOut)
@blp.alt_response(409, schema=LikelyDuplicate)
@blp.alt_response(412, schema=Stale)
@blp.alt_response(428, schema=Problem)
def change(sent: dict[str, Any], prospect_id: UUID) -> Any:
    """Change some fields; `If-Match` must be the `ETag` that was read"""
    if not request.headers.get("If-Match"):
        return problem(428, detail=_("Send the ETag you read as If-Match."), code="if_match_missing")
    try:
        with transaction() as current:
            person = person_seen(current, current_scope(), prospect_id)
            apply(current, person, sent, expected_version(person.version))
            return answered(person.id)
    except Conflict as refusal:
        return stale(prospect_id, refusal) if refusal.code == "stale" else likely_duplicate(refusal)


def new_person(current: Session, sent: Mapping[str, Any]) -> NewPerson:
    """Who is sent. Raises RuleBroken, or RulesBroken with everything that is wrong of them."""
    refused = Refusals()
    new = NewPerson(**given(current, sent, into=refused))
    if refused.found:
        with refused.noted():
            columns_of_new(current, new, by=current_user(), at=clock.now())
    refused.raise_all()
    return new


def expected_version(now: int) -> int:
    """The version that `If-Match` names; `*` is whatever there is; anything else is a version that never was."""
    tags = request.if_match
    return now if tags.star_tag or str(now) in tags else next((int(t) for t in tags if t.isdigit()), 0)


def apply(current: Session, person: Prospect, sent: dict[str, Any], version: int) -> None:
    """Change the person, then their grounds and answers."""
    by, at, changes = current_user(), clock.now(), given(current, sent, person.place_id)
    grounds, consents = changes.pop("grounds", None), changes.pop("consents", ())
    change_prospect(current, person, changes, by=by, at=at, expected_version=version)
    if grounds is not None:
        set_grounds(current, person, grounds, by=by, at=at)
    for consent in consents:
        answer_for(current, person, consent, by=by, at=at)


def given(
    current: Session, sent: Mapping[str, Any], place_id: UUID | None = None, into: Refusals | None = None
) -> dict[str, Any]:
    """The body in the words of the services: places and organisations found, lists typed. Raises RuleBroken for what is
    not found, or notes it in `into`."""
    refused = Refusals() if into is None else into
    town_id, fields_ = current_user().town_id, dict(sent)
    if "place" in fields_:
        named, fields_["place_id"] = fields_.pop("place"), NOWHERE
        with refused.noted():
            fields_["place_id"] = place_named(current, town_id, named, today=clock.today()).id
    if "organisation" in fields_:
        named, fields_["organisation_id"] = fields_.pop("organisation"), None
        with refused.noted():
            fields_["organisation_id"] = organisation_id(current, town_id, named)
    if "neighbourhood" in fields_:
        name, unit = fields_.pop("neighbourhood"), fields_.get("place_id", place_id)
        fields_["neighbourhood_id"] = None
        with refused.noted():
            fields_["neighbourhood_id"] = neighbourhood_id(current, town_id, unit, name)
    if "grounds" in fields_:
        fields_["grounds"] = tuple(fields_["grounds"])
    if "sms_consent" in fields_:
        fields_["consents"] = tuple(fields_.pop("sms_consent"))
    if into is None:
        refused.raise_all()
    return fields_


def organisation_id(current: Session, town_id: UUID, named: str | None) -> UUID | None:
    """The organisation of a code or an id. Raises RuleBroken when there is none."""
    if named is None:
        return None
    try:
        return UUID(named)
    except ValueError:
        found = organisation_by_code(current, town_id, named)
    if found is None:
        raise RuleBroken(_l("No organisation has this code."), field="organisation")
    return found.id


def filters_of(current: Session, scope: Scope, asked: Mapping[str, Any]) -> Filters:
    """The filters of a list. Raises RuleBroken for what is not known, NotFound for a saved list out of sight."""
    filters = narrowing_of_query(current, scope, asked).filters(current, scope, clock.today())
    if not asked.get("segment"):
        return filters
    saved = segment_seen(current, scope, current_user(), asked["segment"])
    within = narrowing_of(saved).filters(current, scope, clock.today())
    return replace(filters, also=(within,), words=saved.q)


def narrowing_of_query(current: Session, scope: Scope, asked: Mapping[str, Any]) -> Narrowing:
    """What a program asks, with places and organisations found. Raises RuleBroken."""
    given = {name: value for name, value in asked.items() if name in NAMES}
    if given.get("place"):
        given["place"] = place_named(current, scope.town_id, given["place"], today=clock.today()).id
    if given.get("organisation"):
        given["organisation"] = organisation_id(current, scope.town_id, given["organisation"])
    if given.get("assigned_to"):
        assigned_to(scope, given["assigned_to"])
    return Narrowing.from_args(given)


def assigned_to(scope: Scope, text: str) -> Any:
    """`nobody`, `me`, or the id of an account. Raises RuleBroken."""
    if text == "nobody":
        return text
    try:
        return scope.user_id if text == "me" else UUID(text)
    except ValueError:
        raise RuleBroken(_l("Give the id of an account, `me` or `nobody`."), field="assigned_to") from None


def answered(prospect_id: UUID, status: int = HTTPStatus.OK) -> Any:
    """One person as an answer, with its ETag."""
    current, scope = session(), current_scope()
    person = person_seen(current, scope, prospect_id)
    [facts] = facts_of(current, scope.town_id, [person], clock.today())
    headers = {"ETag": f'"{person.version}"'}
    if status == HTTPStatus.CREATED:
        headers["Location"] = url_for("prospects_api.one", prospect_id=person.id)
    return answer(facts), int(status), headers


def answer(facts: Facts) -> dict[str, Any]:
    """A person under the names of the API. Reading full numbers is kept."""
    person = facts.person
    numbers = {"citizen_id": person.citizen_masked, "si_number": person.insurance_masked}
    if any(numbers.values()) and reads_numbers():
        numbers = reveal(session(), person, by=current_user(), at=clock.now(), way="api")
    same = {name: getattr(person, name) for name in SAME_NAMES}
    return same | {
        **numbers,
        "place": facts.place.id,
        "place_code": facts.place.code,
        "place_name": facts.place.name,
        "neighbourhood": facts.neighbourhood.name if facts.neighbourhood else None,
        "organisation": facts.organisation.code if facts.organisation else None,
        "assigned_to": person.volunteer_id,
        "standing": facts.standing,
        "grounds": [
            {
                "ground": one.ground,
                "certificate": one.certificate,
                "since": one.valid_from,
                "until": one.last_day,
            }
            for one in facts.standings
        ],
        "sms_consent": [
            {
                "purpose": one.purpose,
                "given": one.given,
                "channel": one.channel,
                "on": clock.local_day(one.at),
                "text_version": one.words,
            }
            for one in facts.consents.values()
        ],
    }


def reads_numbers() -> bool:
    """Whether this token may read full numbers, and its holder too."""
    token = api_token()
    return token is not None and READ_NUMBERS in token.scopes and current_user().may(May.REVEAL_IDENTITY)


def likely_duplicate(refusal: Conflict) -> Response:
    """409 with the people found, as far as the caller may know them."""
    found = told(session(), current_scope(), refusal.details.get("candidates", []))
    more: dict[str, Any] = {"candidates": [candidate(one) for one in found]} if found else {}
    return problem(HTTPStatus.CONFLICT, detail=str(refusal), code=refusal.code, **more)


def candidate(one: Told) -> dict[str, Any]:
    """Somebody who may be the same, under the names of the API."""
    person = one.person
    return {
        "id": str(person.id) if person else None,
        "full_name": person.full_name if person else None,
        "birth_year": person.birth_year if person else None,
        "score": one.score,
        "reasons": [reason.value for reason in one.reasons],
        "why": one.why,
        "evidence": [
            {"code": each.code.value, "weight": each.weight, "sentence": str(each.sentence)} for each in one.evidence
        ],
    }


def stale(prospect_id: UUID, refusal: Conflict) -> Response:
    """412 with what was sent and the person as they are now."""
    with transaction():
        current, _status, headers = answered(prospect_id)
    now, sent = ProspectOut().dump(current), request.get_json()
    yours = {name: masked_number(value) if name in NUMBERS else value for name, value in sent.items()}
    base = base_of(current["id"], refusal.details["expected"])
    return problem(
        HTTPStatus.PRECONDITION_FAILED,
        detail=str(refusal),
        code=refusal.code,
        headers=headers,
        expected=refusal.details["expected"],
        version=refusal.details["current"],
        yours=yours,
        current=now,
        fields=[
            {"field": name, "current": now.get(name), "yours": value} | ({"base": base[name]} if name in base else {})
            for name, value in yours.items()
        ],
    )


def masked_number(value: str | None) -> str | None:
    """A number that was sent, as it may be sent back."""
    return value if not value or "*" in value else mask("".join(filter(str.isalnum, value)))


def base_of(prospect_id: UUID, version: int) -> dict[str, Any]:
    """What the fields changed since a version were at it, under the names of the API."""
    current, town_id = session(), current_user().town_id
    was = as_of_version(current, current.get_one(Prospect, (town_id, prospect_id)), version)
    if "place_id" in was:
        was["place"] = was.pop("place_id")
    for name, kind, said in (("neighbourhood", Place, "name"), ("organisation", Organisation, "code")):
        if f"{name}_id" in was:
            key = was.pop(f"{name}_id")
            was[name] = getattr(current.get_one(kind, (town_id, UUID(key))), said) if key else None
    return was
