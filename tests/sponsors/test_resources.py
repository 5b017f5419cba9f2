"""Sponsors for other programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from crm.accounts.rules import Role
from crm.prospects.rules import Ground
from crm.sponsors.rules import Wish
from tests.factories import Make
from tests.sponsors.stories import A_MONTH, poor, receive, sponsor

Headers = Callable[..., dict[str, str]]


@pytest.fixture
def call(client: FlaskClient, api: Headers, make: Make) -> Callable[..., Any]:
    treasurer = api(make.user(Role.TREASURER))

    def post(
        path: str, body: dict[str, Any] | None = None, headers: dict[str, str] | None = None, *, change: bool = False
    ) -> Any:
        send = client.get if body is None else client.patch if change else client.post
        more = {} if body is None else {"json": body}
        return send(f"/api/v1{path}", headers=treasurer | (headers or {}), **more)

    return post


def test_from_a_promise_to_what_is_left(call: Callable[..., Any], make: Make) -> None:
    new = call("/sponsors", {"name": "Công ty A", "kind": "company", "tax_code": "0100109106", "wish": {"women": True}})
    assert new.status_code == 201
    key = new.json["id"]
    promised = call("/pledges", {"sponsor_id": key, "amount": 5_000_000})
    assert promised.status_code == 201
    assert promised.json["code"].startswith("BSX")
    money = {"sponsor_id": key, "amount": 10 * A_MONTH, "reference": "FT1", "pledge_id": promised.json["id"]}
    assert call("/receipts", money).status_code == 201
    person = poor(make)
    given = {"sponsor_id": key, "prospect_id": str(person.id), "start": "2019-11", "months": 3}
    made = call("/allocations", given)
    assert made.status_code == 201
    assert made.json["amount"] == 3 * A_MONTH
    assert call(made.location.removeprefix("/api/v1")).json == made.json
    told = call(f"/sponsors/{key}").json
    assert (told["received"], told["available"], told["reserved"], told["paid"]) == (
        10 * A_MONTH,
        7 * A_MONTH,
        3 * A_MONTH,
        0,
    )
    nothing = dict.fromkeys(("age_from", "age_to", "people", "months"))
    assert told["wish"] == {"places": [], "grounds": [], "women": True, "monthly": False, **nothing}
    for path in ("/pledges", "/receipts", "/allocations"):
        listed = call(f"{path}?sponsor_id={key}").json
        assert len(listed["items"]) == 1
        assert listed["next"] is None
        assert call(f"{path}?sponsor_id={uuid4()}").json["items"] == []
    back = call(f"/allocations/{made.json['id']}/release", {})
    assert back.status_code == 200
    assert back.json["released_at"]
    assert call(f"/allocations/{made.json['id']}/release", {}).status_code == 409


def test_an_allocation_beyond_what_was_received_is_a_conflict(call: Callable[..., Any], make: Make) -> None:
    by, person = sponsor(make), poor(make)
    given = {"sponsor_id": str(by.id), "prospect_id": str(person.id), "start": "2019-11", "months": 12}
    assert call("/allocations", given).status_code == 409
    receive(by, 12 * A_MONTH - 1)
    refused = call("/allocations", given)
    assert (refused.status_code, refused.json["code"]) == (409, "not_enough_received")
    assert refused.mimetype == "application/problem+json"
    changed = call("/allocations", given | {"months": 3, "amount": 5})
    assert (changed.status_code, changed.json["code"], changed.json["amount"]) == (409, "amount_changed", 3 * A_MONTH)


def test_the_same_reference_twice_is_a_conflict_and_the_same_key_is_not(call: Callable[..., Any], make: Make) -> None:
    body = {"sponsor_id": str(sponsor(make).id), "amount": 1_000, "reference": "FT9"}
    key = {"Idempotency-Key": "one"}
    first, again = call("/receipts", body, key), call("/receipts", body, key)
    assert (first.status_code, again.status_code, again.json) == (201, 201, first.json)
    assert call("/receipts", body).status_code == 409


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/sponsors", {"name": " ", "kind": "company"}),
        ("/sponsors", {"name": "A", "kind": "bank"}),
        ("/sponsors", {"name": "A", "kind": "company", "tax_code": "1"}),
        ("/sponsors", {"name": "A", "kind": "company", "phone": "1"}),
        ("/sponsors", {"name": "A", "kind": "company", "wish": {"places": ["99999"]}}),
        ("/sponsors", {"name": "A", "kind": "company", "color": "red"}),
        ("/pledges", {"sponsor_id": "x", "amount": 1}),
        ("/pledges", {"sponsor_id": "SPONSOR", "amount": 0}),
        ("/pledges", {"sponsor_id": "SPONSOR", "amount": 1.5}),
        ("/receipts", {"sponsor_id": "SPONSOR", "amount": -5, "reference": "R"}),
        ("/receipts", {"sponsor_id": "SPONSOR", "amount": 5, "reference": " "}),
        ("/receipts", {"sponsor_id": "SPONSOR", "amount": 5, "reference": "R", "received_on": "2019-10-16"}),
        ("/allocations", {"sponsor_id": "SPONSOR", "prospect_id": "PERSON", "start": "2019-13", "months": 1}),
        ("/allocations", {"sponsor_id": "SPONSOR", "prospect_id": "PERSON", "start": "2019-11", "months": 0}),
        ("/allocations", {"sponsor_id": "SPONSOR", "prospect_id": "PERSON", "start": "2018-11", "months": 1}),
        ("/allocations", {"sponsor_id": "SPONSOR", "prospect_id": "RICH", "start": "2019-11", "months": 1}),
    ],
)
def test_bad_input_is_refused_at_its_field(
    call: Callable[..., Any], make: Make, path: str, body: dict[str, Any]
) -> None:
    ids = {"SPONSOR": sponsor(make).id, "PERSON": poor(make).id, "RICH": make.prospect("Khá Giả").id}
    refused = call(
        path, {name: str(ids.get(value, value)) if isinstance(value, str) else value for name, value in body.items()}
    )
    assert refused.status_code == 422
    assert refused.json["errors"]


def test_what_is_not_there_is_not_found(call: Callable[..., Any], make: Make) -> None:
    for path in ("/sponsors", "/pledges", "/receipts", "/allocations"):
        assert call(f"{path}/{uuid4()}").status_code == 404
    assert call("/pledges", {"sponsor_id": str(uuid4()), "amount": 5}).status_code == 404


@pytest.mark.parametrize("role", list(Role))
def test_who_may_read_and_who_may_write(client: FlaskClient, api: Headers, make: Make, role: Role) -> None:
    headers = api(make.user(role))
    sees = role in (Role.ADMIN, Role.MANAGER, Role.TREASURER, Role.AUDITOR)
    records = sees and role is not Role.AUDITOR
    for path in ("sponsors", "pledges", "receipts", "allocations"):
        assert client.get(f"/api/v1/{path}", headers=headers).status_code == (200 if sees else 403)
        assert client.post(f"/api/v1/{path}", headers=headers, json={}).status_code == (422 if records else 403)


def test_a_list_goes_on_where_the_page_before_ended(call: Callable[..., Any], make: Make) -> None:
    names = [sponsor(make, f"Nhà hỗ trợ {letter}").name for letter in "BACED"]
    first = call("/sponsors?limit=3").json
    rest = call(f"/sponsors?limit=3&cursor={first['next']}").json
    assert [one["name"] for one in first["items"] + rest["items"]] == sorted(names)
    assert rest["next"] is None
    assert call("/sponsors?cursor=x").status_code == 422


def test_a_program_changes_some_of_a_sponsor_and_leaves_the_rest(call: Callable[..., Any], make: Make) -> None:
    new = call("/sponsors", {"name": "Công ty A", "kind": "company", "phone": "0912345678", "wish": {"women": True}})
    key = new.json["id"]
    call("/pledges", {"sponsor_id": key, "amount": 5_000_000})
    changed = call(f"/sponsors/{key}", {"name": "Công ty B", "wish": {"people": 3}}, change=True)
    assert changed.status_code == 200
    told = changed.json
    assert (told["name"], told["phone"], told["wish"]["people"], told["wish"]["women"]) == (
        "Công ty B",
        "+84912345678",
        3,
        False,
    )
    assert told["expected"] == 5_000_000
    assert call(f"/sponsors/{key}", {"name": " "}, change=True).status_code == 422


def test_money_outside_the_sponsors_wish_takes_an_express_word_and_a_reason(
    call: Callable[..., Any], make: Make, signed_in: Callable[..., FlaskClient]
) -> None:
    by = sponsor(make, wish=Wish(grounds=(Ground.NEAR_POOR,)))
    receive(by, 10 * A_MONTH)
    person, wished = poor(make), poor(make, "Lê Thị Cận", Ground.NEAR_POOR)
    given = {"sponsor_id": str(by.id), "prospect_id": str(person.id), "start": "2019-10", "months": 1}
    for sent in (given, given | {"reason": "Cháy nhà"}, given | {"beyond_wish": True}):
        refused = call("/allocations", sent)
        assert (refused.status_code, refused.json["code"]) == (422, "outside_wish")
    assert call("/allocations", given | {"prospect_id": str(wished.id)}).status_code == 201
    assert call("/allocations", given | {"reason": "Cháy nhà", "beyond_wish": True}).status_code == 201
    other = poor(make, "Lê Thị Khác")
    page, treasurer = f"/sponsors/{by.id}/help/{other.id}", signed_in(Role.TREASURER)
    assert "Nhà hỗ trợ mong muốn khác" in treasurer.get(page).text
    typed = {"step": "confirm", "months": "1", "start": "2019-10", "amount": str(A_MONTH)}
    assert "Hãy ghi lý do" in treasurer.post(page, data=typed).text
    assert treasurer.post(page, data=typed | {"reason": "Neo đơn"}).status_code == 303
