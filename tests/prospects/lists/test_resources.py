"""Lists for other programs."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from crm.accounts.rules import Role
from crm.prospects.lists import resources
from crm.prospects.lists.models import Segment
from crm.prospects.rules import Sex, Stage
from tests.factories import Make

API = "/api/v1"


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.json
    return sorted(one["full_name"] for one in answer.json["items"])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("stage=new&stage=agreed", ["Lê Thị Mới", "Lê Văn Chịu"]),
        ("stage=agreed&sex=male&age_from=39", ["Lê Văn Chịu"]),
        ("occupation=buon+ban", ["Lê Văn Chịu"]),
        ("never_contacted=true&due_within=0", []),
        ("due_within=30", ["Lê Thị Mới"]),
        ("has_phone=false", ["Lê Thị Mới", "Lê Văn Chịu"]),
        ("condition=falling_due", []),
        ("segment=stopped_this_year", []),
    ],
)
def test_people_are_narrowed(client: FlaskClient, api: Any, make: Make, query: str, expected: list[str]) -> None:
    make.prospect("Lê Thị Mới", next_contact_on=date(2019, 11, 1))
    make.prospect("Lê Văn Chịu", stage=Stage.AGREED, sex=Sex.MALE, birth_year=1980, occupation="Buôn bán")
    make.prospect("Lê Văn Từ", stage=Stage.REFUSED, phone=make.phone())
    assert names(client.get(f"{API}/prospects?{query}", headers=api(make.user()))) == expected


@pytest.mark.parametrize(
    "query",
    [
        "age_from=x",
        "stage=x",
        "condition=x",
        "tag=1",
        "due_within=-1",
        "last_contact_within=99999",
        "consent=x",
        "segment=%00",
    ],
)
def test_what_cannot_be_read_is_refused(client: FlaskClient, api: Any, make: Make, query: str) -> None:
    answer = client.get(f"{API}/prospects?{query}", headers=api(make.user()))
    assert answer.status_code == 422
    assert answer.json
    assert answer.json["errors"]


def test_a_list_is_saved_shared_changed_and_deleted(client: FlaskClient, api: Any, make: Make) -> None:
    ward = make.ward()
    make.prospect("Lê Ở Đây", stage=Stage.AGREED, place=ward)
    make.prospect("Lê Ở Kia", stage=Stage.AGREED, place=make.ward("14821@2019-10-15"))
    office, lead = api(make.user(Role.MANAGER)), api(make.user(Role.LEAD, place_id=ward.id))
    body = {"name": "Đồng ý", "sharing": "town", "asked": {"stage": ["agreed"], "place": "14812"}, "q": "lê"}
    wrong = client.post(f"{API}/segments", json=body | {"name": ""}, headers=office)
    assert wrong.status_code == 422
    made = client.post(f"{API}/segments", json=body | {"asked": {"stage": ["agreed"]}}, headers=office).json
    assert made is not None
    assert (made["people"], made["asked"]) == (2, {"stage": ["agreed"]})
    seen = client.get(f"{API}/segments/{made['id']}", headers=lead).json
    assert seen is not None
    assert (seen["people"], seen["own"]) == (1, False)
    assert names(client.get(f"{API}/prospects?segment={made['id']}", headers=lead)) == ["Lê Ở Đây"]
    assert client.patch(f"{API}/segments/{made['id']}", json={"name": "x"}, headers=lead).status_code == 404
    changed = client.patch(
        f"{API}/segments/{made['id']}", json={"name": "Mới", "asked": {"stage": ["new"]}}, headers=office
    )
    assert changed.json is not None
    assert (changed.json["name"], changed.json["people"]) == ("Mới", 0)
    assert client.delete(f"{API}/segments/{made['id']}", headers=office).status_code == 204
    assert client.get(f"{API}/segments/{made['id']}", headers=office).status_code == 404
    assert client.get(f"{API}/prospects?segment={made['id']}", headers=office).status_code == 404
    assert client.post(f"{API}/segments/{made['id']}/restore", headers=office).status_code == 200


def test_a_long_list_says_that_it_holds_more_than_was_counted(
    client: FlaskClient, api: Any, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "MOST_COUNTED", 2)
    for name in ("Lê Một", "Lê Hai", "Lê Ba"):
        make.prospect(name, stage=Stage.AGREED)
    make.prospect("Lê Bốn", stage=Stage.NEW)
    office = api(make.user(Role.MANAGER))
    long, short = (
        client.post(f"{API}/segments", json={"name": stage, "asked": {"stage": [stage]}}, headers=office).json
        for stage in ("agreed", "new")
    )
    assert long is not None
    assert short is not None
    assert (long["people"], long["more"]) == (2, True)
    assert (short["people"], short["more"]) == (1, False)


def test_a_list_that_asks_for_what_is_gone_hides_no_other(
    client: FlaskClient, api: Any, make: Make, session: Session
) -> None:
    office = api(make.user(Role.MANAGER))
    made = client.post(f"{API}/segments", json={"name": "Cũ", "asked": {"stage": ["new"]}}, headers=office).json
    assert made is not None
    session.execute(update(Segment).where(Segment.id == UUID(made["id"])).values(asked={"stage": ["gone"]}))
    session.expire_all()
    told = client.get(f"{API}/segments", headers=office)
    assert told.status_code == 200
    assert told.json is not None
    assert [(one["people"], one["more"]) for one in told.json["items"] if one["id"] == made["id"]] == [(None, False)]


def test_an_own_list_is_nobody_elses(client: FlaskClient, api: Any, make: Make) -> None:
    body = {"name": "Của tôi", "asked": {"has_phone": True}}
    made = client.post(f"{API}/segments", json=body, headers=api(make.user())).json
    assert made is not None
    other = api(make.user())
    assert client.get(f"{API}/segments/{made['id']}", headers=other).status_code == 404
    told = client.get(f"{API}/segments", headers=other).json
    assert told is not None
    ready = {one["id"] for one in told["items"]}
    assert {"stopped_this_year", "falling_due", "lives_with_participant", "grounds_without_paper"} < ready


def test_many_are_tagged_and_the_tag_taken_back(client: FlaskClient, api: Any, make: Make, session: Session) -> None:
    for letter in "ABC":
        make.prospect(f"Lê Văn {letter}n", stage=Stage.AGREED)
    make.prospect("Lê Văn Dn")
    office = api(make.user())
    sent = {"kind": "tag", "new_tag": "Đợt một", "asked": {"stage": ["agreed"]}}
    told = client.post(f"{API}/bulk-acts", json=sent, headers=office)
    assert told.status_code == 201, told.json
    assert told.json is not None
    assert (told.json["state"], told.json["people"]) == ("done", 3)
    tags = client.get(f"{API}/tags", headers=office).json
    assert tags is not None
    [tag] = tags["items"]
    assert len(names(client.get(f"{API}/prospects?tag={tag['id']}", headers=office))) == 3
    back = client.post(f"{API}/bulk-acts/{told.json['id']}/undo", headers=office).json
    assert back is not None
    assert back["tally"] == [{"outcome": "back", "why": None, "people": 3}]
    assert names(client.get(f"{API}/prospects?tag={tag['id']}", headers=office)) == []
    assert client.get(f"{API}/bulk-acts/{told.json['id']}", headers=api(make.user(Role.VOLUNTEER))).status_code == 404


def test_a_file_is_asked_for_and_only_its_owner_fetches_it(client: FlaskClient, api: Any, make: Make) -> None:
    office, auditor = api(make.user()), api(make.user(Role.AUDITOR))
    told = client.post(f"{API}/exports", json={"columns": ["phone"]}, headers=office)
    assert (told.status_code, told.json and told.json["state"]) == (202, "waiting")
    assert told.json is not None
    assert client.get(f"{API}/exports/{told.json['id']}", headers=auditor).status_code == 200
    assert client.get(f"{API}/exports/{told.json['id']}/file", headers=auditor).status_code == 403
    assert client.get(f"{API}/exports/{told.json['id']}/file", headers=office).status_code == 422
    helper = api(make.user(Role.VOLUNTEER))
    assert client.post(f"{API}/exports", json={"columns": ["phone"]}, headers=helper).status_code == 403
