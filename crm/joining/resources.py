"""Papers for joining for other programs: `/api/v1/dossiers`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from marshmallow import Schema, fields, validate

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.api.blueprint import Blueprint
from crm.api.lists import ListQuery, listing
from crm.db import session, transaction
from crm.errors import RuleBroken
from crm.joining import queries, services
from crm.joining.models import Dossier
from crm.joining.queries import Asked, Line, Worked
from crm.joining.rules import CLOSED, Movement, State
from crm.months import LONGEST_RUN, Month
from crm.premiums.rules.quotes import START_PATTERN
from crm.prospects.queries.seeing import person_seen
from crm.web.forms import stripped
from crm.web.guard import may

blp = Blueprint("dossiers", __name__, description="Papers for joining, paying on and stopping")


class DossiersQuery(ListQuery):
    """Which dossiers are asked for."""

    state = fields.Enum(State, by_value=True)
    prospect_id = fields.UUID()
    agent_id = fields.UUID()


INCOME: dict[str, Any] = {"validate": validate.Range(min=1)}
MONTHS: dict[str, Any] = {"validate": validate.Range(min=1, max=LONGEST_RUN)}
START: dict[str, Any] = {
    "validate": validate.Regexp(f"^{START_PATTERN}$"),
    "metadata": {"description": "`YYYY-MM`"},
}


class FiguresIn(Schema):
    """What somebody chooses to pay, from which month on, and where the office may answer."""

    income = fields.Integer(required=True, **INCOME)
    months = fields.Integer(required=True, **MONTHS)
    start = fields.String(required=True, **START)
    missing = fields.Boolean(
        load_default=False,
        metadata={"description": "Whether `months` are all that are missing for a pension, paid at once."},
    )
    email = fields.Email(load_default=None, allow_none=True)
    results_address = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=300))


class DossierIn(FiguresIn):
    """The same of somebody, or the day on which they stop."""

    prospect_id = fields.UUID(required=True)
    income = fields.Integer(**INCOME)
    months = fields.Integer(**MONTHS)
    start = fields.String(**START)
    stop_on = fields.Date()


class ProblemOut(Schema):
    """Something missing or odd; `firm` ones hold the dossier back."""

    code = fields.String(required=True)
    firm = fields.Boolean(required=True)
    message = fields.String(required=True)


class DossierOut(Schema):
    """A dossier; amounts are whole đồng, those it was submitted with once it was."""

    id = fields.UUID(required=True)
    prospect_id = fields.UUID(required=True)
    state = fields.Enum(State, by_value=True, required=True)
    movement = fields.Enum(Movement, by_value=True, required=True)
    income = fields.Integer(required=True, allow_none=True)
    months = fields.Integer(required=True, allow_none=True)
    missing = fields.Boolean(required=True)
    start = fields.String(required=True, allow_none=True)
    stop_on = fields.Date(required=True, allow_none=True)
    agent_id = fields.UUID(required=True, allow_none=True)
    list = fields.String(required=True, allow_none=True, metadata={"description": "Number of the list D05-TS."})
    returned_for = fields.String(required=True, allow_none=True)
    accepted_on = fields.Date(required=True, allow_none=True)
    changed_at = fields.AwareDateTime(required=True)


class DossierWhole(DossierOut):
    """A dossier with what still holds it back and its row of D05-TS, without name and code."""

    problems = fields.List(fields.Nested(ProblemOut), required=True)
    row = fields.Dict(required=True, allow_none=True)


class HandOverIn(Schema):
    agent_id = fields.UUID(required=True)


class ReasonIn(Schema):
    reason = fields.String(required=True, validate=validate.Length(min=1, max=500))


class AcceptIn(Schema):
    """The office's answer; the proof is a receipt for agents, a list or letter for the office."""

    accepted_on = fields.Date(required=True)
    paid_on = fields.Date(load_default=None, allow_none=True)
    number = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=20))
    receipt_number = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=40))
    confirmation = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=200))


@blp.get("/dossiers")
@may(May.SEE_PEOPLE)
@blp.arguments(DossiersQuery, location="query")
@blp.response(200, listing(DossierOut))
def listed(asked: dict[str, Any]) -> dict[str, Any]:
    """Dossiers this token sees, those that have waited longest first"""
    narrowed = Asked(asked.get("state"), None, asked.get("agent_id"), asked.get("prospect_id"))
    found = queries.page_of(session(), current_scope(), narrowed, cursor=asked["cursor"], size=asked["limit"])
    return {"items": [_typed(one) for one in found.rows], "next": found.next}


@blp.post("/dossiers")
@may(May.ENROL)
@blp.arguments(DossierIn)
@blp.response(201, DossierWhole)
def begin(sent: dict[str, Any]) -> dict[str, Any]:
    """Begin somebody's papers; one person has one open dossier"""
    chosen = {name: sent.get(name) for name in ("income", "months", "missing", "stop_on", "email")}
    pays = all(sent.get(name) for name in ("income", "months", "start"))
    if pays == bool(sent.get("stop_on")) or (sent["missing"] and not pays):
        raise RuleBroken(_l("Give income, months and start, or else stop_on."), field="start")
    with transaction() as current:
        person = person_seen(current, current_scope(), sent["prospect_id"])
        start = Month.parse(sent["start"]) if pays else None
        address = stripped(sent["results_address"])
        what: dict[str, Any] = {**chosen, "start": start, "results_address": address}
        return _whole(services.open_dossier(current, person, **what, by=current_user(), at=clock.now()).id)


@blp.get("/dossiers/<uuid:dossier_id>")
@may(May.SEE_PEOPLE)
@blp.response(200, DossierWhole)
def one(dossier_id: UUID) -> dict[str, Any]:
    """One dossier, with what holds it back"""
    return _whole(dossier_id)


@blp.put("/dossiers/<uuid:dossier_id>")
@may(May.ENROL)
@blp.arguments(FiguresIn)
@blp.response(200, DossierWhole)
def change(sent: dict[str, Any], dossier_id: UUID) -> dict[str, Any]:
    """Choose otherwise while the papers are with the volunteer; complete ones have to be checked again"""
    with transaction() as current:
        dossier, person = services.of_person(current, current_scope(), dossier_id)
        start, address = Month.parse(sent["start"]), stripped(sent["results_address"])
        what = {name: sent[name] for name in ("income", "months", "missing", "email")}
        what |= {"start": start, "results_address": address}
        services.change(current, dossier, person, **what, by=current_user(), at=clock.now())
        return _whole(dossier_id)


@blp.post("/dossiers/<uuid:dossier_id>/withdraw")
@may(May.ENROL)
@blp.response(200, DossierWhole)
def withdraw(dossier_id: UUID) -> dict[str, Any]:
    """The person has thought better of it"""
    with transaction() as current:
        dossier, _person = services.of_person(current, current_scope(), dossier_id)
        services.withdraw(current, dossier, by=current_user(), at=clock.now())
        return _typed_alone(dossier)


@blp.post("/dossiers/<uuid:dossier_id>/check")
@may(May.ENROL)
@blp.response(200, DossierWhole)
def check(dossier_id: UUID) -> dict[str, Any]:
    """Say that the papers are complete; said again by the same person it stays so"""
    with transaction() as current:
        dossier, person = services.of_person(current, current_scope(), dossier_id)
        worked = services.check(current, dossier, person, by=current_user(), at=clock.now())
        return _typed_alone(dossier, worked)


@blp.post("/dossiers/<uuid:dossier_id>/hand-over")
@may(May.ENROL)
@blp.arguments(HandOverIn)
@blp.response(200, DossierWhole)
def hand_over(sent: dict[str, Any], dossier_id: UUID) -> dict[str, Any]:
    """The papers go to a collection agent, who takes the money; the same again, by the same person, stays as it is"""
    with transaction() as current:
        dossier, person = services.of_person(current, current_scope(), dossier_id)
        services.hand_over(current, dossier, person, sent["agent_id"], by=current_user(), at=clock.now())
        return _typed_alone(dossier)


@blp.post("/dossiers/<uuid:dossier_id>/send-back")
@may(May.ENROL)
@blp.arguments(ReasonIn)
@blp.response(200, DossierWhole)
def send_back(sent: dict[str, Any], dossier_id: UUID) -> dict[str, Any]:
    """The papers come back, with the reason"""
    with transaction() as current:
        dossier, person = services.of_person(current, current_scope(), dossier_id)
        reason = stripped(sent["reason"])
        services.send_back(current, dossier, person, reason, by=current_user(), at=clock.now())
        return _typed_alone(dossier)


@blp.post("/dossiers/<uuid:dossier_id>/take-out")
@may(May.ENROL)
@blp.response(200, DossierWhole)
def take_out(dossier_id: UUID) -> dict[str, Any]:
    """It does not go with its list after all, which was not handed in yet"""
    with transaction() as current:
        dossier, _person = services.of_person(current, current_scope(), dossier_id)
        services.take_out(current, dossier, by=current_user())
        return _typed_alone(dossier)


@blp.post("/dossiers/<uuid:dossier_id>/accept")
@may(May.ENROL)
@blp.arguments(AcceptIn)
@blp.response(200, DossierWhole)
def accept(sent: dict[str, Any], dossier_id: UUID) -> dict[str, Any]:
    """The insurance office has accepted: what was declared is recorded as paid, or as stopped"""
    with transaction() as current:
        dossier, person = services.of_person(current, current_scope(), dossier_id)
        proof: dict[str, Any] = {name: stripped(sent[name]) for name in ("number", "receipt_number", "confirmation")}
        days = {"accepted_on": sent["accepted_on"], "paid_on": sent["paid_on"] or sent["accepted_on"]}
        services.accept(current, dossier, person, **days, **proof, by=current_user(), at=clock.now())
        return _typed_alone(dossier)


def _typed(line: Line) -> dict[str, Any]:
    return _columns(line.dossier, line.listed.label if line.listed else None)


def _columns(row: Dossier, listed_in: str | None) -> dict[str, Any]:
    same = (
        "id",
        "prospect_id",
        "state",
        "movement",
        "income",
        "months",
        "missing",
        "stop_on",
        "agent_id",
        "returned_for",
    )
    kept = {name: getattr(row, name) for name in (*same, "accepted_on", "changed_at")}
    return {**kept, "start": str(Month.of(row.start_month)) if row.start_month else None, "list": listed_in}


def _whole(dossier_id: UUID) -> dict[str, Any]:
    line = queries.dossier_seen(session(), current_scope(), dossier_id)
    if line.dossier.declared or line.dossier.state in CLOSED:
        return {**_typed(line), "problems": [], "row": line.dossier.declared}
    return {**_typed(line), **_told(queries.work_out(session(), line.dossier, line.person, clock.today()))}


def _told(worked: Worked) -> dict[str, Any]:
    problems = [{"code": one.code, "firm": one.firm, "message": str(one.words)} for one in worked.problems]
    return {"problems": problems, "row": worked.row.without_names() if worked.row else None}


def _typed_alone(dossier: Dossier, worked: Worked | None = None) -> dict[str, Any]:
    """The dossier after an act, which may have taken it out of the caller's sight."""
    told = _told(worked) if worked else {"problems": [], "row": dossier.declared}
    return {**_columns(dossier, None), **told}
