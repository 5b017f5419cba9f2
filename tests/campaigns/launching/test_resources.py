"""Campaigns and templates, by another program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from crm.accounts.rules import Role
from crm.campaigns.services import sending
from tests.campaigns.conftest import Texting

Headers = Callable[..., dict[str, str]]


class Program:
    """`program("POST", "/campaigns", name="x")`: the status and the answer."""

    def __init__(self, client: FlaskClient, headers: dict[str, str]) -> None:
        self.client, self.headers, self.tag = client, headers, ""

    def __call__(self, method: str, path: str, status: int, *, headers: Any = None, **body: Any) -> Any:
        way = {"json": body} if body or method == "PATCH" else {}
        told = {**self.headers, **(headers or {})}
        answer = self.client.open(f"/api/v1{path}", method=method, headers=told, **way)
        assert answer.status_code == status, answer.text
        self.tag = answer.headers.get("ETag", "")
        return answer.get_json(silent=True)


@pytest.fixture
def program(client: FlaskClient, texting: Texting, api: Headers) -> Program:
    return Program(client, api(texting.make.user(Role.ORGANISER)))


def test_a_draft_is_changed_by_whoever_has_read_it(program: Program, texting: Texting) -> None:
    made = program("POST", "/campaigns", 201, name="Tháng 10", text="Mời {ten}", purpose="service", budget=100_000)
    here, tag = f"/campaigns/{made['id']}", program.tag
    program("PATCH", here, 428, name="Khác")
    changed = program("PATCH", here, 200, headers={"If-Match": tag}, accented=True, control_percent=10)
    assert (changed["accented"], changed["control_percent"], changed["budget"]) == (True, 10, 100_000)
    assert program.tag != tag
    assert program("PATCH", here, 412, headers={"If-Match": tag}, name="Khác")["code"] == "stale"
    program("PATCH", here, 422, headers={"If-Match": "*"}, scheduled_for="2019-10-15T23:30:00+07:00")
    program("PATCH", here, 422, headers={"If-Match": "*"}, text="Chào {tuoi}")
    program("PATCH", here, 422, headers={"If-Match": "*"}, nonsense=1)
    program("POST", "/campaigns", 422, name="Không có nội dung")


def test_a_program_looks_at_everybody_and_asks_a_second_person(
    program: Program, texting: Texting, client: FlaskClient, api: Headers
) -> None:
    settings = sending.settings_of(texting.session, texting.make.town.id)
    settings.approve_messages = 0
    texting.make.add(settings)
    texting.person("Nguyễn Thị An")
    texting.person(agrees=False)
    made = program("POST", "/campaigns", 201, name="Tháng 10", text="Mời {ten}", purpose="service")
    here = f"/campaigns/{made['id']}"
    program("GET", f"{here}/check", 404)
    assert program("POST", f"{here}/check", 202)["holds"]
    assert program("GET", f"{here}/check", 200)["messages"] == 1
    people = program("GET", f"{here}/check/people?problem=no_consent", 200)["items"]
    assert [one["reason"] for one in people] == ["no_consent"]
    assert len(program("GET", f"{here}/check/people?limit=1", 200)["items"]) == 1
    program("GET", f"{here}/check/people?problem=nonsense", 422)
    assert program("POST", f"{here}/launch", 409)["code"] == "needs_second"
    asked = program("POST", f"{here}/approvals", 201, words="Gấp")
    program("POST", f"{here}/approvals/{asked['id']}/approve", 422)
    second = Program(client, api(texting.make.user(Role.MANAGER)))
    second("POST", f"{here}/approvals/{asked['id']}/refuse", 422)
    assert second("POST", f"{here}/approvals/{asked['id']}/approve", 200)["answer"] == "approved"
    assert program("GET", here, 200)["stage"] == "running"
    second("POST", f"{here}/approvals/{asked['id']}/refuse", 409, words="Muộn")


def test_a_program_schedules_and_moves(program: Program, texting: Texting) -> None:
    texting.person()
    at = "2019-10-15T15:00:00+07:00"
    made = program("POST", "/campaigns", 201, name="x", text="Chào {ten}", purpose="service", scheduled_for=at)
    here = f"/campaigns/{made['id']}"
    key = {"Idempotency-Key": "once"}
    for _ in range(2):
        assert program("POST", f"{here}/launch", 200, headers=key)["stage"] == "scheduled"
    program("POST", f"{here}/move", 204, scheduled_for="2019-10-15T16:00:00+07:00")
    program("POST", f"{here}/move", 422, scheduled_for="2019-10-15T06:00:00+07:00")
    assert program("GET", here, 200)["scheduled_for"] == "2019-10-15T09:00:00+00:00"


def test_a_template_by_a_program(program: Program, texting: Texting) -> None:
    made = program("POST", "/message-templates", 201, name="Mời", purpose="service", text="Mời {ten}")
    here, tag = f"/message-templates/{made['id']}", program.tag
    program("POST", "/message-templates", 422, name="mời", purpose="service", text="Mời {ten}")
    program("PATCH", here, 428, text="Khác")
    changed = program("PATCH", here, 200, headers={"If-Match": tag}, text="Kính mời {ten}")
    assert (changed["version"], changed["text"], changed["registered"]) == (2, "Kính mời {ten}", "draft")
    program("PATCH", here, 412, headers={"If-Match": tag}, text="Khác")
    told = program("POST", f"{here}/registrations", 201, sender="ANSINH", state="approved", number="42")
    assert told["registered"] == "approved"
    campaign = program("POST", "/campaigns", 201, name="x", template_version=changed["version_id"])
    assert (campaign["text"], campaign["purpose"]) == ("Kính mời {ten}", "service")
    assert program("POST", f"{here}/archive", 200)["archived_at"]
    program("POST", f"{here}/archive", 409)
    assert program("GET", "/message-templates", 200)["items"] == []
    assert len(program("GET", "/message-templates?archived=true&purpose=service", 200)["items"]) == 1
    assert program("POST", f"{here}/restore", 200)["archived_at"] is None
