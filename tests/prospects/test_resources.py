"""People for other programs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.rules import Role
from crm.prospects.models import IdentityReading
from crm.prospects.rules import Ground, Stage
from tests.factories import Make

PEOPLE = "/api/v1/prospects"
CITIZEN = "038175000119"
WARD = "14812@2019-10-15"

Headers = Callable[..., dict[str, str]]


@pytest.fixture
def clerk(make: Make) -> User:
    return make.user()


def body(**fields: Any) -> dict[str, Any]:
    return {"full_name": "Nguyễn Thị Hoà", "place": WARD} | fields


def test_somebody_new_comes_back_whole_and_masked(client: FlaskClient, api: Headers, clerk: User) -> None:
    sent = body(
        id="0190a7b2-0000-7000-8000-000000000001",
        birth_date="1975-03-02",
        sex="female",
        phone="0162.345.6789",
        citizen_id="038 175 000 119",
        si_number="3812345678",
        occupation="Bán rau",
        grounds=[
            {"ground": "ethnic_minority", "certificate": "Giấy khai sinh 12/2001"},
            {"ground": "near_poor", "certificate": "12/CN", "until": "2019-12-31"},
        ],
        sms_consent=[
            {"purpose": "service", "given": True, "channel": "paper", "on": "2019-10-01", "text_version": "v1"}
        ],
    )
    made = client.post(PEOPLE, json=sent, headers=api(clerk))
    assert made.status_code == 201, made.json
    person = made.json
    assert person["id"] == sent["id"]
    assert (person["birth_year"], person["phone"], person["standing"]) == (1975, "+84323456789", "near_poor")
    assert (person["citizen_id"], person["si_number"]) == ("038***119", "381***678")
    assert {"ground": "near_poor", "certificate": "12/CN", "since": "2019-10-15", "until": "2019-12-31"} in person[
        "grounds"
    ]
    assert person["sms_consent"] == sent["sms_consent"]
    got = client.get(f"{PEOPLE}/{person['id']}", headers=api(clerk))
    assert got.json == person
    assert got.headers["ETag"] == f'"{person["version"]}"'
    assert client.get(PEOPLE, headers=api(clerk)).json["items"] == [person]


@pytest.mark.parametrize(
    "q",
    ["nguyễn thị hòa", "NGUYEN THI HOA", "Hoà", "hoa nguyen", "0912345678", "+84 912 345 678", "5678", CITIZEN, "3812345678"],
)  # fmt: skip
def test_search_finds_by_name_phone_and_number(client: FlaskClient, api: Headers, clerk: User, q: str) -> None:
    wanted = client.post(
        PEOPLE, json=body(phone="0912 345 678", citizen_id=CITIZEN, si_number="3812345678"), headers=api(clerk)
    ).json["id"]
    client.post(PEOPLE, json=body(full_name="Lê Văn Tám", phone="0987 111 222"), headers=api(clerk))
    found = client.get(PEOPLE, query_string={"q": q}, headers=api(clerk)).json["items"]
    assert [person["id"] for person in found] == [wanted]


def test_a_likely_duplicate_is_refused_until_one_insists(client: FlaskClient, api: Headers, clerk: User) -> None:
    first = client.post(PEOPLE, json=body(citizen_id=CITIZEN), headers=api(clerk)).json
    again = client.post(PEOPLE, json=body(full_name="Hoa Nguyen", citizen_id=CITIZEN), headers=api(clerk))
    assert again.status_code == 409
    assert again.mimetype == "application/problem+json"
    [candidate] = again.json["candidates"]
    assert (candidate["id"], candidate["reasons"]) == (first["id"], ["citizen_id", "name_and_birth_year"])
    assert candidate["full_name"] == "Nguyễn Thị Hoà"
    insisted = client.post(PEOPLE, json=body(citizen_id=CITIZEN, allow_duplicate=True), headers=api(clerk))
    assert insisted.status_code == 201


def test_a_duplicate_out_of_sight_is_told_without_its_name(client: FlaskClient, api: Headers, make: Make) -> None:
    client.post(PEOPLE, json=body(citizen_id=CITIZEN), headers=api(make.user()))
    volunteer = make.user(Role.VOLUNTEER)
    again = client.post(PEOPLE, json=body(citizen_id=CITIZEN), headers=api(volunteer))
    assert again.status_code == 409
    assert again.json["candidates"][0]["full_name"] is None


def test_a_change_needs_the_version_that_was_read(client: FlaskClient, api: Headers, clerk: User) -> None:
    made = client.post(PEOPLE, json=body(), headers=api(clerk))
    url, tag = f"{PEOPLE}/{made.json['id']}", made.headers["ETag"]
    assert client.patch(url, json={"address": "Số 5"}, headers=api(clerk)).status_code == 428
    changed = client.patch(url, json={"address": "Số 5"}, headers=api(clerk) | {"If-Match": tag})
    assert (changed.status_code, changed.json["address"]) == (200, "Số 5")
    assert changed.headers["ETag"] != tag
    late = client.patch(url, json={"address": "Số 6"}, headers=api(clerk) | {"If-Match": tag})
    assert late.status_code == 412
    assert late.json["yours"] == {"address": "Số 6"}
    assert late.json["current"]["address"] == "Số 5"
    assert late.headers["ETag"] == changed.headers["ETag"]
    assert late.json["fields"] == [
        {"field": "address", "base": made.json["address"], "current": "Số 5", "yours": "Số 6"}
    ]


def test_a_late_change_is_told_field_by_field_in_the_words_of_the_api(
    client: FlaskClient, api: Headers, clerk: User, make: Make
) -> None:
    made = client.post(PEOPLE, json=body(citizen_id=CITIZEN), headers=api(clerk))
    url, tag, ward = f"{PEOPLE}/{made.json['id']}", made.headers["ETag"], make.ward("14818@2019-10-15")
    sent = {"place": "14818@2019-10-15", "neighbourhood": "Khu phố 4", "birth_date": "1975-03-02"}
    assert client.patch(url, json=sent, headers=api(clerk) | {"If-Match": tag}).status_code == 200
    yours = {"place": "14812@2019-10-15", "citizen_id": CITIZEN, "birth_date": None, "occupation": "Thợ may"}
    late = client.patch(url, json=yours | {"neighbourhood": None}, headers=api(clerk) | {"If-Match": tag}).json
    told = {one.pop("field"): one for one in late["fields"]}
    assert told["place"] == {
        "base": made.json["place"],
        "current": str(ward.id),
        "yours": "14812@2019-10-15",
    }
    assert told["neighbourhood"] == {"base": None, "current": "Khu phố 4", "yours": None}
    assert told["birth_date"] == {"base": None, "current": "1975-03-02", "yours": None}
    assert told["occupation"] == {"current": None, "yours": "Thợ may"}
    assert told["citizen_id"] == {"current": "038***119", "yours": "038***119"}
    assert CITIZEN not in str(late)


def test_grounds_sent_are_all_that_hold_from_now(client: FlaskClient, api: Headers, clerk: User, make: Make) -> None:
    person = make.prospect(grounds=(Ground.POOR,))
    changed = client.patch(
        f"{PEOPLE}/{person.id}", json={"grounds": ["near_poor"]}, headers=api(clerk) | {"If-Match": "*"}
    )
    assert changed.json["standing"] == "near_poor"


def test_a_full_number_needs_the_scope_and_leaves_a_trace(
    client: FlaskClient, api: Headers, clerk: User, session: Session
) -> None:
    person = client.post(PEOPLE, json=body(citizen_id=CITIZEN), headers=api(clerk)).json
    url = f"{PEOPLE}/{person['id']}"
    assert client.get(url, headers=api(clerk)).json["citizen_id"] == "038***119"
    assert session.scalars(select(IdentityReading)).all() == []
    assert client.get(url, headers=api(clerk, "identity:read")).json["citizen_id"] == CITIZEN
    [reading] = session.scalars(select(IdentityReading))
    assert (reading.user_id, reading.way) == (clerk.id, "api")


def test_the_scope_does_not_give_an_auditor_what_their_role_does_not(
    client: FlaskClient, api: Headers, clerk: User, make: Make
) -> None:
    person = client.post(PEOPLE, json=body(citizen_id=CITIZEN), headers=api(clerk)).json
    got = client.get(f"{PEOPLE}/{person['id']}", headers=api(make.user(Role.AUDITOR), "identity:read"))
    assert got.json["citizen_id"] == "038***119"


def test_a_list_is_walked_by_its_cursor(client: FlaskClient, api: Headers, clerk: User, make: Make) -> None:
    names = ["Bùi An", "Lê Bình", "Đỗ Cúc", "Vũ Đào", "Mai Em"]
    for name in reversed(names):
        make.prospect(name)
    walked, cursor = [], None
    while True:
        got = client.get(PEOPLE, query_string={"limit": 2} | ({"cursor": cursor} if cursor else {}), headers=api(clerk))
        walked += [person["full_name"] for person in got.json["items"]]
        cursor = got.json["next"]
        if not cursor:
            break
    assert walked == names


def test_filters_narrow_the_list(client: FlaskClient, api: Headers, clerk: User, make: Make) -> None:
    volunteer = make.user(Role.VOLUNTEER)
    wanted = make.prospect(
        "Lê Thị Đúng",
        stage=Stage.AGREED,
        organisation_id=make.organisation().id,
        volunteer_id=volunteer.id,
        next_contact_on=date(2019, 10, 14),
        grounds=(Ground.POOR,),
    )
    make.prospect("Lê Thị Khác", place=make.ward("14818@2019-10-15"))
    for narrowing in (
        {"place": WARD},
        {"stage": "agreed"},
        {"organisation": "HPN"},
        {"standing": "poor"},
        {"assigned_to": str(volunteer.id)},
        {"due_before": "2019-10-15"},
    ):
        found = client.get(PEOPLE, query_string=narrowing, headers=api(clerk)).json["items"]
        assert [person["id"] for person in found] == [str(wanted.id)], narrowing
    unassigned = client.get(PEOPLE, query_string={"assigned_to": "nobody"}, headers=api(clerk)).json["items"]
    assert [person["full_name"] for person in unassigned] == ["Lê Thị Khác"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"full_name": "Hoa 😀"}, "full_name"),
        ({"full_name": "a" * 10_000}, "full_name"),
        ({"full_name": "Hoa\x00"}, "full_name"),
        ({"full_name": None}, "full_name"),
        ({"birth_date": "2019-02-31"}, "birth_date"),
        ({"birth_date": "0001-01-01"}, "birth_date"),
        ({"birth_year": 10**30}, "birth_year"),
        ({"phone": "12"}, "phone"),
        ({"phone": "0237 335 7806"}, "phone"),
        ({"place": "nowhere"}, "place"),
        ({"place": "a\x00b"}, "place"),
        ({"place": "14812@2019-02-31"}, "place"),
        ({"place": "0190a7b2-0000-7000-8000-000000000001"}, "place"),
        ({"organisation": "none"}, "organisation"),
        ({"organisation": "0190a7b2-0000-7000-8000-000000000001"}, "organisation"),
        ({"id": "not-a-uuid"}, "id"),
        ({"unknown_field": 1}, "unknown_field"),
        ({"grounds": ["rich"]}, "grounds"),
        ({"grounds": [{"ground": "poor", "until": "9999-12-31"}]}, "grounds"),
        ({"grounds": [{"ground": "poor", "since": "0001-01-01"}]}, "grounds"),
        ({"sms_consent": [{"purpose": "service", "given": True, "channel": "paper", "on": "2019-10-01"}]}, "phone"),
        (
            {
                "phone": "0912345678",
                "sms_consent": [{"purpose": "service", "given": True, "channel": "paper", "on": "0001-01-01"}],
            },
            "sms_consent",
        ),
    ],
)
def test_what_cannot_be_kept_is_answered_in_words(
    client: FlaskClient, api: Headers, clerk: User, fields: dict[str, Any], field: str
) -> None:
    got = client.post(PEOPLE, json=body(**fields), headers=api(clerk))
    assert got.status_code == 422, got.json
    assert got.mimetype == "application/problem+json"
    assert got.json["detail"]
    assert any(error["field"].startswith(field) for error in got.json["errors"]), got.json


@pytest.mark.parametrize(
    "query",
    [
        {"cursor": "nonsense"},
        {"cursor": "apart.%%%"},
        {"cursor": "é"},
        {"limit": "0"},
        {"limit": "201"},
        {"stage": "x"},
        {"assigned_to": "somebody"},
        {"assigned_to": "-" * 36},
        {"due_before": "2019-13-01"},
        {"place": "x" * 500},
        {"organisation": "nobody"},
        {"whatever": "1"},
        {"q": "a" * 10_000},
    ],
)
def test_a_query_that_means_nothing_is_answered_in_words(
    client: FlaskClient, api: Headers, clerk: User, query: dict[str, str]
) -> None:
    got = client.get(PEOPLE, query_string=query, headers=api(clerk))
    assert got.status_code == 422, got.json
    assert got.json["detail"]


@pytest.mark.parametrize("q", ["😀", "%", "_", "\\", "'; drop table prospect", "()", "a" * 200])
def test_strange_searches_find_nobody(client: FlaskClient, api: Headers, clerk: User, make: Make, q: str) -> None:
    make.prospect()
    got = client.get(PEOPLE, query_string={"q": q}, headers=api(clerk))
    assert (got.status_code, got.json["items"]) == (200, [])


def test_the_same_id_twice_is_refused(client: FlaskClient, api: Headers, clerk: User, make: Make) -> None:
    person = make.prospect()
    got = client.post(PEOPLE, json=body(id=str(person.id), full_name="Lê Văn Tám"), headers=api(clerk))
    assert (got.status_code, got.json["code"]) == (409, "id_taken")


def test_every_answer_of_people_is_described(client: FlaskClient) -> None:
    paths = client.get("/api/v1/openapi.json").json["paths"]
    one = paths["/api/v1/prospects/{prospect_id}"]
    assert {"200", "401", "403", "404", "409", "412", "422", "428", "429"} <= one["patch"]["responses"].keys()
    assert {"201", "401", "403", "409", "422", "429"} <= paths[PEOPLE]["post"]["responses"].keys()
    for status in ("409", "412", "428"):
        assert list(one["patch"]["responses"][status]["content"]) == ["application/problem+json"]


def fields_refused(answer: Any) -> set[str]:
    assert answer.status_code == 422, answer.json
    return {one["field"] for one in answer.json["errors"]}


def test_a_new_person_with_several_mistakes_hears_all_of_them(client: FlaskClient, api: Headers, clerk: User) -> None:
    wrong = body(full_name="Nguyễn 9", phone="12", birth_year=2500, citizen_id="1", si_number="1", place="NOWHERE")
    told = fields_refused(client.post(PEOPLE, json=wrong, headers=api(clerk)))
    assert told == {"full_name", "phone", "birth_year", "citizen_id", "si_number", "place"}


def test_what_the_schema_refuses_is_told_together_with_what_the_rules_refuse(
    client: FlaskClient, api: Headers, clerk: User
) -> None:
    wrong = {"full_name": "Nguyễn 9", "phone": "12", "birth_date": "yesterday", "unknown": 1}
    told = fields_refused(client.post(PEOPLE, json=wrong, headers=api(clerk)))
    assert told == {"full_name", "phone", "birth_date", "unknown", "place"}


def test_a_correction_with_several_mistakes_hears_all_of_them(client: FlaskClient, api: Headers, clerk: User) -> None:
    person = client.post(PEOPLE, json=body(), headers=api(clerk)).json
    match = {"If-Match": f'"{person["version"]}"'}
    wrong = {"phone": "12", "other_phone": "13", "si_number": "1"}
    answer = client.patch(f"{PEOPLE}/{person['id']}", json=wrong, headers=api(clerk) | match)
    assert fields_refused(answer) == {"phone", "other_phone", "si_number"}
