"""Two lists as offices keep them, through the API, the page and the command, against what a careful clerk makes of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm.accounts.models import ChangeRecord, User
from crm.accounts.rules import Role
from crm.citizen_ids import mask
from crm.prospects.importing.commands import importing
from crm.prospects.models import Consent, ImportRow, ListImport, Prospect, StageChange
from crm.prospects.queries.standing import deciding_grounds
from crm.prospects.rules import RowOutcome
from tasks.prospects import commit_list, read_list
from tests.factories import Make

LISTS = Path(__file__).parents[2] / "data" / "lists"
BA_DINH = "danh-sach-phuong-ba-dinh.xlsx"
DONG_SON = "hoi-phu-nu-phuong-dong-son.csv"
PLACES: dict[str, str | None] = {BA_DINH: None, DONG_SON: "14821"}
TODAY = date(2019, 10, 15)
Headers = Callable[..., dict[str, str]]


def expected_of(name: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads((LISTS / name).with_suffix(".expected.json").read_text("utf-8"))
    return answer


@pytest.fixture(params=[BA_DINH, DONG_SON])
def name(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture
def manager(make: Make) -> User:
    return make.user(Role.MANAGER)


def hand_in(client: FlaskClient, headers: dict[str, str], name: str) -> Any:
    data: dict[str, Any] = {"file": (LISTS / name).open("rb")}
    if PLACES[name]:
        data["place"] = PLACES[name]
    answer = client.post("/api/v1/imports", data=data, headers=headers)
    assert answer.status_code == 201, answer.text
    made: Any = answer.json
    read_list(made["id"])
    return client.get(f"/api/v1/imports/{made['id']}", headers=headers).json


def load(client: FlaskClient, headers: dict[str, str], import_id: str) -> Any:
    answer = client.post(f"/api/v1/imports/{import_id}/commit", headers=headers)
    told: Any = answer.json
    assert (answer.status_code, told["state"]) == (202, "committing")
    commit_list(import_id)
    return client.get(f"/api/v1/imports/{import_id}", headers=headers).json


def people_of(session: Session, import_id: str | UUID) -> list[dict[str, Any]]:
    session.expire_all()
    query = (
        select(ImportRow, Prospect)
        .join(Prospect, Prospect.id == ImportRow.prospect_id)
        .where(ImportRow.import_id == import_id, ImportRow.outcome == RowOutcome.NEW)
    )
    found = session.execute(query.order_by(ImportRow.sheet, ImportRow.row_number)).all()
    grounds = deciding_grounds(session, [person.id for _row, person in found], TODAY)
    agreed = set(session.scalars(select(Consent.prospect_id).where(Consent.given)))
    return [
        {
            "sheet": row.sheet,
            "row": row.row_number,
            "full_name": person.full_name,
            "sex": person.sex,
            "birth_year": person.birth_year,
            "birth_date": str(person.birth_date) if person.birth_date else None,
            "phone": person.phone,
            "other_phone": person.other_phone,
            "citizen_id": person.citizen_id,
            "standing": grounds[person.id],
            "sms_consent": person.id in agreed,
        }
        for row, person in found
    ]


def as_expected(name: str) -> list[dict[str, Any]]:
    people = expected_of(name)["people"]
    return sorted(people, key=lambda person: (person.get("sheet", ""), person["row"]))


def assert_equal_people(session: Session, import_id: str | UUID, name: str) -> None:
    expected = as_expected(name)
    told = [{key: person[key] for key in expected[0]} for person in people_of(session, import_id)]
    if name == DONG_SON:  # who has no mobile cannot be sent anything, whatever the list says
        expected = [{**one, "sms_consent": bool(one["sms_consent"] and one["phone"])} for one in expected]
    assert told == expected


def figures(answer: Any) -> tuple[int, ...]:
    return tuple(answer[key] for key in ("valid", "rejected", "duplicates", "created", "updated", "unchanged"))


def test_a_list_through_the_api(
    name: str, client: FlaskClient, api: Headers, manager: User, session: Session, make: Make
) -> None:
    expected, headers = expected_of(name), api(manager)
    people, aside, rejected = (len(expected[key]) for key in ("people", "duplicates", "rejected"))
    ready = hand_in(client, headers, name)
    assert (ready["state"], ready["rows"]) == ("ready", people + aside + rejected)
    assert figures(ready) == (people, rejected, aside, 0, 0, 0)
    done = load(client, headers, ready["id"])
    assert (done["state"], figures(done)) == ("committed", (people, rejected, aside, people, 0, 0))
    assert_equal_people(session, ready["id"], name)
    ward = session.scalars(select(Prospect.place_id).distinct()).one()
    assert ward == make.ward("14812@2019-10-15" if name == BA_DINH else "14821").id
    rows = session.scalars(select(ImportRow).where(ImportRow.import_id == ready["id"])).all()
    for outcome, key in ((RowOutcome.DUPLICATE, "duplicates"), (RowOutcome.REJECTED, "rejected")):
        places = {(row["sheet"], row["row"]) for row in expected[key]}
        assert {(row.sheet, row.row_number) for row in rows if row.outcome is outcome} == places
    assert session.scalar(select(func.count()).select_from(StageChange)) == people
    record = session.scalars(select(ChangeRecord).where(ChangeRecord.act == "import_people")).one()
    assert record.after
    assert record.after["created"] == people


def test_the_same_list_twice_changes_nothing(
    name: str, client: FlaskClient, api: Headers, manager: User, session: Session
) -> None:
    headers = api(manager)
    first = load(client, headers, hand_in(client, headers, name)["id"])
    before = [(row.id, row.version) for row in session.scalars(select(Prospect).order_by(Prospect.id))]
    consents = session.scalar(select(func.count()).select_from(Consent))
    second = load(client, headers, hand_in(client, headers, name)["id"])
    assert figures(second) == (first["valid"], first["rejected"], first["duplicates"], 0, 0, first["created"])
    session.expire_all()
    assert [(row.id, row.version) for row in session.scalars(select(Prospect).order_by(Prospect.id))] == before
    assert session.scalar(select(func.count()).select_from(Consent)) == consents


def test_two_copies_read_before_either_is_loaded_still_add_everybody_once(
    client: FlaskClient, api: Headers, manager: User, session: Session
) -> None:
    headers = api(manager)
    one, other = hand_in(client, headers, BA_DINH), hand_in(client, headers, BA_DINH)
    people = len(expected_of(BA_DINH)["people"])
    assert load(client, headers, one["id"])["created"] == people
    again = load(client, headers, other["id"])
    assert (again["created"], again["unchanged"]) == (0, people)
    assert session.scalar(select(func.count()).select_from(Prospect)) == people


def command(app: Flask, *arguments: str) -> Any:
    return CliRunner().invoke(importing, ["prospects", *arguments])


def test_a_list_through_the_command(name: str, app: Flask, session: Session) -> None:
    expected = expected_of(name)
    place = PLACES[name]
    where = ["--place", place] if place else []
    result = command(app, str(LISTS / name), *where, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["state"], told["created"]) == ("committed", len(expected["people"]))
    for key, rows in (("rejected", told["rejected_rows"]), ("duplicates", told["duplicate_rows"])):
        assert {(row["sheet"], row["row"]) for row in rows} == {(row["sheet"], row["row"]) for row in expected[key]}
        assert all(str(row["row"]) in row["reason"] or key == "duplicates" for row in rows)
    assert_equal_people(session, told["id"], name)


def test_a_dry_run_keeps_nothing(app: Flask, session: Session) -> None:
    result = command(app, str(LISTS / BA_DINH), "--dry-run", "--json")
    told = json.loads(result.stdout)
    assert (told["valid"], told["created"]) == (len(expected_of(BA_DINH)["people"]), 0)
    for kind in (Prospect, ListImport, ImportRow):
        assert session.scalar(select(func.count()).select_from(kind)) == 0


def test_a_list_without_a_ward_asks_for_it(app: Flask, session: Session) -> None:
    result = command(app, str(LISTS / DONG_SON))
    assert result.exit_code == 2
    assert "phường" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert session.scalar(select(func.count()).select_from(ListImport)) == 0


def test_numbers_are_masked_for_programs(client: FlaskClient, api: Headers, manager: User, session: Session) -> None:
    load(client, api(manager), hand_in(client, api(manager), BA_DINH)["id"])
    one = session.scalars(select(Prospect).where(Prospect.citizen_id.is_not(None)).limit(1)).one()
    assert one.citizen_id
    assert one.citizen_masked == mask(one.citizen_id)
