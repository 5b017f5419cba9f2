"""Visits as another program records and reads them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.rules import Role
from crm.outreach.models import Visit
from crm.outreach.rules import Channel, Outcome, Reason
from crm.prospects.models import Prospect
from crm.prospects.rules import Stage
from tests.factories import Make

Api = Callable[..., dict[str, str]]


@pytest.fixture
def lan(make: Make) -> User:
    return make.user(Role.VOLUNTEER, organisation_id=make.organisation().id)


@pytest.fixture
def dang(make: Make, lan: User) -> Prospect:
    return make.prospect(volunteer_id=lan.id)


def body(who: Prospect, **more: Any) -> dict[str, Any]:
    told = {"client_id": str(uuid4()), "prospect_id": str(who.id), "occurred_at": "2019-10-15T08:30:00+07:00"}
    return told | {"channel": "home_visit", "outcome": "interested"} | more


def test_a_visit_is_recorded_once(session: Session, client: FlaskClient, api: Api, lan: User, dang: Prospect) -> None:
    sent, headers = body(dang, reasons=["no_money"], note=" Chờ bán lúa "), api(lan)
    first = client.post("/api/v1/visits", json=sent, headers=headers)
    again = client.post("/api/v1/visits", json=sent, headers=headers)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json == again.json
    told = first.json
    assert told is not None
    assert (told["id"], told["client_id"]) == (sent["client_id"], sent["client_id"])
    assert (told["next_contact_on"], told["note"], told["reasons"]) == ("2019-10-22", "Chờ bán lúa", ["no_money"])
    assert told["withdrawn_at"] is None
    assert session.scalar(select(func.count()).select_from(Visit)) == 1
    assert dang.stage is Stage.INTERESTED


def test_someone_elses_person_is_not_found(client: FlaskClient, api: Api, make: Make, dang: Prospect) -> None:
    stranger = api(make.user(Role.VOLUNTEER))
    assert client.post("/api/v1/visits", json=body(dang), headers=stranger).status_code == 404
    assert client.get("/api/v1/visits", headers=stranger).json == {"items": [], "next": None}


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"occurred_at": "2019-10-15T08:30:00"}, "occurred_at"),
        ({"occurred_at": "2019-10-15T09:30:00+07:00"}, "occurred_at"),
        ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "occurred_at"),
        ({"occurred_at": "9999-12-31T23:59:59-14:00"}, "occurred_at"),
        ({"occurred_at": "2007-12-31T23:59:59+07:00"}, "occurred_at"),
        ({"channel": "fax"}, "channel"),
        ({"outcome": "maybe"}, "outcome"),
        ({"reasons": ["because"]}, "reasons"),
        ({"next_contact_on": "2019-10-14"}, "next_contact_on"),
        ({"next_contact_on": "9999-12-31"}, "next_contact_on"),
        ({"note": "x" * 2001}, "note"),
        ({"note": "a\x00b"}, "note"),
        ({"prospect_id": "12"}, "prospect_id"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_what_is_wrong_is_named(
    session: Session, client: FlaskClient, api: Api, lan: User, dang: Prospect, more: dict[str, Any], field: str
) -> None:
    answer = client.post("/api/v1/visits", json=body(dang, **more), headers=api(lan))
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert answer.json is not None
    assert field in {error["field"].split(".")[0] for error in answer.json["errors"]}
    assert session.scalar(select(func.count()).select_from(Visit)) == 0


def test_a_client_id_of_another_visit_is_a_conflict(
    client: FlaskClient, api: Api, make: Make, lan: User, dang: Prospect
) -> None:
    sent = body(dang)
    client.post("/api/v1/visits", json=sent, headers=api(lan))
    answer = client.post("/api/v1/visits", json=sent, headers=api(make.user(Role.MANAGER)))
    assert answer.status_code == 409
    assert answer.json is not None
    assert answer.json["code"] == "client_id_taken"


def test_visits_are_listed_narrowed_and_paged(client: FlaskClient, api: Api, lan: User, dang: Prospect) -> None:
    headers = api(lan)
    for day in (11, 12, 13, 14):
        sent = body(dang, occurred_at=f"2019-10-{day}T23:30:00+07:00", outcome="not_met" if day == 12 else "agreed")
        assert client.post("/api/v1/visits", json=sent, headers=headers).status_code == 201

    def days(query: str) -> list[str]:
        answer = client.get(f"/api/v1/visits?{query}", headers=headers).json
        assert answer is not None
        return [visit["occurred_at"][:10] for visit in answer["items"]]

    assert days("outcome=not_met") == ["2019-10-12"]
    assert days("since=2019-10-12&until=2019-10-13") == ["2019-10-13", "2019-10-12"]
    assert days(f"prospect_id={uuid4()}") == []
    first = client.get("/api/v1/visits?limit=3", headers=headers).json
    assert first is not None
    rest = client.get(f"/api/v1/visits?limit=3&cursor={first['next']}", headers=headers).json
    assert rest is not None
    assert (len(first["items"]), len(rest["items"]), rest["next"]) == (3, 1, None)
    assert client.get("/api/v1/visits?cursor=x", headers=headers).status_code == 422
    assert len(days("since=0001-01-01&until=9999-12-31")) == 4
    assert days("until=0001-01-01") == days("since=9999-12-31") == []


def test_a_visit_is_read_and_taken_back(client: FlaskClient, api: Api, make: Make, lan: User, dang: Prospect) -> None:
    sent = body(dang)
    client.post("/api/v1/visits", json=sent, headers=api(lan))
    address = f"/api/v1/visits/{sent['client_id']}"
    told = client.post(f"{address}/withdraw", headers=api(lan)).json
    assert told is not None
    assert told["withdrawn_at"]
    assert client.get(address, headers=api(lan)).json == told
    assert dang.stage is Stage.NEW
    assert client.get(address, headers=api(make.user(Role.VOLUNTEER))).status_code == 404


def test_the_description_names_every_choice(client: FlaskClient, api: Api, lan: User) -> None:
    described = client.get("/api/v1/openapi.json").json
    assert described is not None
    post = described["paths"]["/api/v1/visits"]["post"]
    assert {"200", "201", "404", "409", "422"} <= set(post["responses"])
    fields = described["components"]["schemas"]["VisitIn"]["properties"]
    assert fields["outcome"]["enum"] == [one.value for one in Outcome]
    assert fields["channel"]["enum"] == [one.value for one in Channel]
    assert fields["reasons"]["items"]["enum"] == [one.value for one in Reason]
