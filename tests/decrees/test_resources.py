"""A change of the law by other programs: drafted, compared, put on record; and whom it concerns as a file."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.accounts.models import ChangeRecord
from crm.accounts.rules import Role
from crm.premiums.models import LocalTopUpRow
from crm.premiums.queries import law
from tests.factories import Make
from tests.participation.stories import join

DRAFT: dict[str, Any] = {
    "document": "Nghị định 9/2019/NĐ-CP",
    "source": "Công báo",
    "effective_from": "2020-01-01",
    "items": [{"key": "poverty_line", "value": 1_000_000}],
}


@pytest.fixture
def office(make: Make) -> dict[str, str]:
    return {"Authorization": f"Bearer {make.token(make.user(Role.ADMIN))}"}


def test_a_program_drafts_compares_and_saves(
    session: Session, make: Make, client: FlaskClient, office: dict[str, str]
) -> None:
    join(make.prospect("Mai Thị Lan"), date(2019, 10, 1))
    made = client.post("/api/v1/decrees", json=DRAFT, headers=office)
    assert made.status_code == 201
    url = f"/api/v1/decrees/{made.get_json()['id']}"
    assert client.get(f"{url}/impact", headers=office).status_code == 404
    assert client.get(f"{url}/people", headers=office).get_json()["code"] == "not_compared"
    refused = client.post(f"{url}/save", json={"version": 1}, headers=office)
    assert (refused.status_code, refused.get_json()["code"]) == (422, "not_compared")
    told = client.post(f"{url}/impact", headers=office).get_json()
    assert (told["state"], told["done"]) == ("done", 1)
    assert [(one["more"], one["own_after"] - one["own_before"]) for one in told["sums"]] == [(1, 59_400)]
    (who,) = client.get(f"{url}/people?side=more", headers=office).get_json()["items"]
    assert (who["full_name"], who["income_before"], who["income_after"]) == ("Mai Thị Lan", 700_000, 1_000_000)
    assert who["own_after"] == who["gross_after"] - who["state_after"] - who["place_after"] - who["sponsors_after"]
    assert client.post(f"{url}/save", json={"version": 7}, headers=office).status_code == 409
    assert client.post(f"{url}/save", json={"version": 1}, headers=office).get_json()["state"] == "saved"
    assert law(session).on(date(2020, 1, 1)).floor == 1_000_000
    assert client.post(f"{url}/save", json={"version": 1}, headers=office).status_code == 409


def test_a_draft_is_the_business_of_whoever_may_change_the_law(
    make: Make, client: FlaskClient, office: dict[str, str]
) -> None:
    made = client.post("/api/v1/decrees", json=DRAFT, headers=office).get_json()
    manager = {"Authorization": f"Bearer {make.token(make.user(Role.MANAGER))}"}
    assert client.get(f"/api/v1/decrees/{made['id']}", headers=manager).status_code == 404
    assert client.get("/api/v1/decrees", headers=manager).get_json()["items"] == []
    assert client.post("/api/v1/decrees", json=DRAFT, headers=manager).status_code == 403
    assert [one["id"] for one in client.get("/api/v1/decrees", headers=office).get_json()["items"]] == [made["id"]]


@pytest.mark.parametrize(
    "wrong",
    [
        {"effective_from": "2019-01-01", "status": "announced"},
        {"items": [{"key": "support_percent", "value": 30}]},
        {"items": [{"key": "support_percent", "ground": "poor", "value": 150}]},
        {"items": [{"key": "support_percent", "ground": "poor"}]},
        {"items": [{"key": "poverty_line", "value": 0}]},
        {"items": [{"key": "poverty_line", "value": 1_000_000.5}]},
        {"items": [{"key": "poverty_line", "value": 1_000_000, "until": "2020-12-31"}]},
        {"items": [{"key": "poverty_line", "value": 1_000_000}, {"key": "poverty_line", "value": 1_100_000}]},
        {"items": [{"key": "poverty_line", "value": 1_000_000, "place": "00000"}]},
        {"items": [{"ground": "poor", "value": 30, "amount": 5}]},
        {"items": []},
    ],
)
def test_what_a_decree_may_not_say_is_refused(
    client: FlaskClient, office: dict[str, str], wrong: dict[str, Any]
) -> None:
    assert client.post("/api/v1/decrees", json=DRAFT | wrong, headers=office).status_code == 422
    assert client.get("/api/v1/decrees", headers=office).get_json()["items"] == []


def test_what_a_place_adds_until_a_day_is_drafted_listed_compared_and_saved(
    session: Session, client: FlaskClient, office: dict[str, str]
) -> None:
    addition = {"ground": "poor", "value": 12.5, "until": "2020-12-31", "months_cap": 12}
    made = client.post("/api/v1/decrees", json=DRAFT | {"items": [addition]}, headers=office)
    assert made.status_code == 201
    (line,) = made.get_json()["items"]
    assert (line["ground"], line["value"], line["until"], line["months_cap"]) == ("poor", "12.5", "2020-12-31", 12)
    url = f"/api/v1/decrees/{made.get_json()['id']}"
    assert client.get(url, headers=office).get_json()["items"] == [line]
    (listed,) = client.get("/api/v1/decrees", headers=office).get_json()["items"]
    assert listed["items"] == [line]
    client.post(f"{url}/impact", headers=office)
    saved = client.post(f"{url}/save", json={"version": 1}, headers=office).get_json()
    assert (saved["state"], saved["items"]) == ("saved", [line])
    (kept,) = session.scalars(select(LocalTopUpRow)).all()
    assert kept.effective_to == date(2020, 12, 31)


def test_a_draft_is_thrown_away_and_a_decree_on_record_is_not(
    session: Session, make: Make, client: FlaskClient, office: dict[str, str]
) -> None:
    manager = {"Authorization": f"Bearer {make.token(make.user(Role.MANAGER))}"}
    url = f"/api/v1/decrees/{client.post('/api/v1/decrees', json=DRAFT, headers=office).get_json()['id']}"
    assert client.delete(url, headers=manager).status_code == 403
    assert client.delete(url, headers=office).status_code == 204
    assert client.get(url, headers=office).status_code == 404
    assert client.delete(url, headers=office).status_code == 404
    assert "drop_decree" in session.scalars(select(ChangeRecord.act)).all()
    again = f"/api/v1/decrees/{client.post('/api/v1/decrees', json=DRAFT, headers=office).get_json()['id']}"
    client.post(f"{again}/impact", headers=office)
    client.post(f"{again}/save", json={"version": 1}, headers=office)
    refused = client.delete(again, headers=office)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "saved_already")
    assert client.get(again, headers=office).get_json()["state"] == "saved"


def test_whom_it_concerns_is_taken_as_a_file_with_before_and_after(
    session: Session, make: Make, signed_in: Callable[..., FlaskClient], client: FlaskClient, office: dict[str, str]
) -> None:
    join(make.prospect("=Mai Thị Lan"), date(2019, 10, 1))
    made = client.post("/api/v1/decrees", json=DRAFT, headers=office).get_json()
    client.post(f"/api/v1/decrees/{made['id']}/impact", headers=office)
    browser = signed_in(Role.ADMIN)
    assert "people.xlsx" in browser.get(f"/law/decrees/{made['id']}/people").text
    taken = browser.get(f"/law/decrees/{made['id']}/people.xlsx?side=more")
    sheet = load_workbook(io.BytesIO(taken.data)).active
    assert sheet is not None
    heads = [cell.value for cell in sheet[4]]
    row = dict(zip(heads, [cell.value for cell in sheet[5]], strict=True))
    assert row["Mỗi tháng, sau"] - row["Mỗi tháng, trước"] == row["Chênh lệch mỗi tháng"] == 59_400
    assert all(cell.data_type != "f" for cell in sheet[5])
    acts = session.scalars(select(ChangeRecord.act)).all()
    assert "export_decree_people" in acts
