"""Who may be here already is told while somebody is typed, and to nobody more than they may know."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.rules import Role
from crm.places.models import PlaceSuccession
from crm.prospects.identity.queries import candidates, lineages, pairs, traits_of
from crm.prospects.identity.rules import Verdict
from crm.prospects.models import Prospect
from crm.prospects.rules import NewPerson, Same
from crm.prospects.services.people import add_prospect
from tests.factories import Make

Browser = Callable[[Role | User], FlaskClient]
Headers = Callable[[User], dict[str, str]]
ASK = "/people/alike"


def ask(browser: FlaskClient, **typed: Any) -> dict[str, Any]:
    answer = browser.post(ASK, data=typed)
    assert answer.status_code == 200
    assert answer.json is not None
    return dict(answer.json)


@pytest.fixture
def resident(make: Make) -> Prospect:
    return make.prospect(
        "Cù Thị Xoan", birth_date=date(1971, 3, 2), birth_year=1971, phone="+84912345678", address="Số 12 Trần Phú"
    )


def test_somebody_like_the_one_being_typed_is_shown_with_why(
    signed_in: Browser, make: Make, resident: Prospect
) -> None:
    told = ask(signed_in(Role.MANAGER), full_name="cu thi xoan", birth="1971", place=str(make.ward().id))
    assert told["found"] == 1
    assert "Cù Thị Xoan" in told["html"]
    assert f"/people/{resident.id}" in told["html"]
    assert "cùng năm sinh" in told["html"]


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"full_name": "Cù Thị Xoan"},
        {"phone": "0912345678"},
        {"full_name": "Trần Văn Khác", "birth": "1971"},
        {"full_name": "Cù Thị Xoan", "birth": "hôm"},
        {"full_name": "\x00\ud800"},
        {"full_name": "%_%", "birth": "1971"},
        {"full_name": "a" * 5000, "birth": "1" * 5000, "place": "x" * 5000, "neighbourhood": "\x00"},
        {"citizen_id": "abc", "si_number": "12"},
    ],
)
def test_too_little_or_nonsense_finds_nobody(signed_in: Browser, resident: Prospect, typed: dict[str, Any]) -> None:
    safe = {name: value.encode("utf-8", "replace").decode() for name, value in typed.items()}
    assert ask(signed_in(Role.MANAGER), **safe) == {"found": 0, "html": ""}


def test_a_number_alone_is_enough(signed_in: Browser, make: Make, resident: Prospect) -> None:
    new = NewPerson("Lê Thị Hoa", make.ward().id, citizen_id="038175000119")
    add_prospect(make.session, new, by=make.user(), at=clock.now())
    told = ask(signed_in(Role.MANAGER), citizen_id="038 175 000 119")
    assert told["found"] == 1
    assert "Lê Thị Hoa" in told["html"]


def test_of_somebody_out_of_sight_only_that_there_is_one(signed_in: Browser, make: Make, resident: Prospect) -> None:
    volunteer = make.user(Role.VOLUNTEER)
    told = ask(signed_in(volunteer), full_name="Cu Thi Xoan", birth="1971", phone="0912345678")
    assert told["found"] == 1
    for secret in (str(resident.id), "Cù Thị Xoan", "Trần Phú", "2/3/1971", "912"):
        assert secret not in told["html"]
    assert "Ban chỉ đạo" in told["html"]


def test_whoever_may_not_add_people_may_not_ask(signed_in: Browser) -> None:
    assert signed_in(Role.AUDITOR).post(ASK, data={}).status_code == 403


def test_the_page_for_somebody_new_carries_the_question(signed_in: Browser) -> None:
    page = signed_in(Role.MANAGER).get("/people/new").text
    assert f'data-url="{ASK}"' in page
    assert "js/alike.js" in page


def test_the_api_tells_the_evidence_and_no_id_of_people_out_of_sight(
    client: FlaskClient, api: Headers, make: Make, resident: Prospect
) -> None:
    new = {"full_name": "Cù Thị Xoan", "birth_year": 1971, "phone": "0912345678", "place": str(make.ward().id)}
    seen = client.post("/api/v1/prospects", json=new, headers=api(make.user())).json["candidates"][0]  # type: ignore[index]
    assert seen["id"] == str(resident.id)
    assert {"phone", "name_rare"} <= {one["code"] for one in seen["evidence"]}
    assert all(one["sentence"] for one in seen["evidence"])
    volunteer = make.user(Role.VOLUNTEER)
    hidden = client.post("/api/v1/prospects", json=new, headers=api(volunteer)).json["candidates"][0]  # type: ignore[index]
    assert (hidden["id"], hidden["full_name"], hidden["birth_year"], hidden["evidence"]) == (None, None, None, [])
    assert hidden["reasons"]


ONE_WAY_OR_ANOTHER: list[dict[str, Any]] = [
    {"full_name": "Xoan Thị Cù", "birth_year": 1971},
    {"full_name": "Cù Xoan", "birth_year": 1971},
    {"full_name": "Cù Thị Xaon", "birth_year": 1971},
    {"full_name": "Cùu Thị Xoan", "birth_year": 1971},
    {"full_name": "Cù Thị Xoan", "birth_year": 1972},
    {"full_name": "Cù Thị Xoan", "birth_year": 1981, "phone": "+84912345678"},
    {"full_name": "Cù Thị Xoan", "birth_year": None},
    {"full_name": "Cù Thị Xoann", "birth_date": date(1971, 3, 2), "birth_year": 1971},
    {"full_name": "Bà Xoan", "phone": "+84912345678", "birth_year": None},
]


@pytest.mark.parametrize("written", ONE_WAY_OR_ANOTHER, ids=lambda written: f"{written}")
def test_candidates_are_met_whatever_one_thing_is_written_otherwise(
    session: Session, make: Make, resident: Prospect, written: dict[str, Any]
) -> None:
    again = make.prospect(**written)
    found = candidates(session, make.town.id, traits_of(again), except_id=again.id)
    assert [one.id for one in found] == [resident.id]


def test_a_ward_and_what_it_became_are_one_place(session: Session, make: Make, resident: Prospect) -> None:
    known = lineages(session, make.town.id)
    old, new = make.ward("14812@2019-10-15"), make.ward("14812@2026-01-01")
    neighbour = make.ward("14815@2019-10-15")
    assert new.id in known[old.id]
    assert old.id in known[new.id]
    assert neighbour.id not in known[old.id]
    again = make.prospect("Cù Xoan", birth_year=1971, place=new)
    assert candidates(session, make.town.id, traits_of(again), except_id=again.id)[0].id == resident.id
    assert session.query(PlaceSuccession).count() > 0


def test_merged_records_are_nobodys_candidates(session: Session, make: Make, resident: Prospect) -> None:
    make.prospect("Cù Thị Xoan", birth_year=1971, phone="+84912345678", merged_into_id=resident.id)
    found = candidates(session, make.town.id, traits_of(resident), except_id=resident.id)
    assert found == []


def test_pairs_of_a_whole_register_are_told_once(session: Session, make: Make, resident: Prospect) -> None:
    again = make.prospect("CÙ THỊ XOAN", birth_year=1971, phone="+84912345678")
    make.prospect("Cù Văn Xuyên", birth_year=1973, phone="+84912345678")
    [pair] = pairs(session, make.town.id)
    assert {pair.one_id, pair.other_id} == {resident.id, again.id}
    assert pair.comparison.verdict is Verdict.SAME
    assert Same.NAME_AND_PHONE in pair.comparison.reasons
