"""Statements and papers for other programs."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from crm.accounts.rules import Role
from crm.sponsors import queries as sponsoring
from tests.factories import Make
from tests.sponsors.statements.stories import ACCOUNT, csv_of, load
from tests.sponsors.stories import A_MONTH, allocate, pay, poor, receive, sponsor

Headers = Callable[..., dict[str, str]]


@pytest.fixture
def headers(api: Headers, make: Make) -> dict[str, str]:
    return api(make.user(Role.TREASURER))


def hand_in(client: FlaskClient, headers: dict[str, str], content: bytes, **more: str) -> Any:
    sent = {"file": (io.BytesIO(content), "sao-ke.csv"), **more}
    return client.post("/api/v1/statements", data=sent, headers=headers, content_type="multipart/form-data")


def test_a_statement_is_handed_in_once_and_its_columns_are_confirmed(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    content = csv_of((3, 500_000, "ung ho"))
    made = hand_in(client, headers, content)
    assert made.status_code == 201, made.text
    assert (made.json["state"], made.json["lines"]) == ("columns", 0)
    assert "amount" in made.json["columns"].values()
    again = hand_in(client, headers, content)
    assert (again.status_code, again.json["id"]) == (200, made.json["id"])
    path = made.headers["Location"].partition("/api/v1")[2]
    loading = client.post(f"/api/v1{path}/load", json={}, headers=headers)
    assert (loading.status_code, loading.json["state"], loading.json["lines"]) == (202, "queued", 1)
    assert client.post(f"/api/v1{path}/load", json={}, headers=headers).status_code == 409
    assert [one["id"] for one in client.get("/api/v1/statements", headers=headers).json["items"]] == [made.json["id"]]


def test_what_is_no_statement_is_refused_in_words(client: FlaskClient, headers: dict[str, str]) -> None:
    answer = hand_in(client, headers, b"\x00\x01\x02")
    assert answer.status_code == 422
    assert answer.json["detail"]
    unnamed = csv_of((3, 500_000, "ung ho")).split(b"\n", 1)[1]
    assert hand_in(client, headers, unnamed).status_code == 422
    assert hand_in(client, headers, unnamed, account=ACCOUNT).status_code == 201


def test_the_money_of_a_line_is_said_to_be_a_sponsors_once(
    client: FlaskClient, headers: dict[str, str], session: Session, make: Make
) -> None:
    by = sponsor(make, "Công ty Đá Xanh")
    load(make, csv_of((3, 500_000, "cong ty da xanh ung ho")))
    (line,) = client.get("/api/v1/statement-lines", headers=headers).json["items"]
    path = f"/api/v1/statement-lines/{line['id']}"
    offered = client.get(f"{path}/suggestions", headers=headers).json
    assert offered["items"][0]["shares"] == [{"sponsor_id": str(by.id), "pledge_id": None, "amount": 500_000}]
    assert offered["items"][0]["whys"]
    assert offered["certain"] is False
    wrong = {"shares": [{"sponsor_id": str(by.id), "amount": 400_000}]}
    assert client.post(f"{path}/match", json=wrong, headers=headers).status_code == 422
    right = {"shares": [{"sponsor_id": str(by.id), "amount": 500_000}]}
    done = client.post(f"{path}/match", json=right, headers=headers)
    assert (done.status_code, done.json["state"], done.json["parts"][0]["use"]) == (200, "settled", "gift")
    assert client.post(f"{path}/match", json=right, headers=headers).status_code == 409
    assert client.get(path, headers=headers).json == done.json
    assert sponsoring.balance_of(session, by).available == 500_000


def test_papers_are_made_listed_and_downloaded(client: FlaskClient, headers: dict[str, str], make: Make) -> None:
    by, other = sponsor(make), sponsor(make, "Người Khác")
    came = receive(by, 10 * A_MONTH)
    pay(make, allocate(by, poor(make)))
    path = f"/api/v1/sponsors/{by.id}/papers"
    asks: list[dict[str, Any]] = [
        {"kind": "receipt", "receipt_id": str(came.id)},
        {"kind": "certificate"},
        {"kind": "statement", "year": 2019},
    ]
    made = [client.post(path, json=one, headers=headers) for one in asks]
    assert [one.status_code for one in made] == [201, 201, 201]
    assert client.post(path, json=asks[1], headers=headers).json == made[1].json
    listed = client.get(path, headers=headers).json["items"]
    assert {one["number"] for one in listed} == {one.json["number"] for one in made}
    shown = client.get(made[2].headers["Location"] + "?lang=en", headers=headers)
    assert (shown.mimetype, shown.data[:4]) == ("application/pdf", b"%PDF")
    elsewhere = f"/api/v1/sponsors/{other.id}/papers/{made[2].json['id']}"
    assert client.get(elsewhere, headers=headers).status_code == 404
    assert client.post(path, json={"kind": "statement"}, headers=headers).status_code == 422
    assert client.post(path, json={"kind": "statement", "year": 2018}, headers=headers).status_code == 422
