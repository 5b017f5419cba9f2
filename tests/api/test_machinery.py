"""What every API call shares, seen from outside."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_smorest.fields import Upload
from marshmallow import Schema, ValidationError, fields, validate
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from config import Settings
from crm import clock, packages
from crm.accounts.gateway import current_user
from crm.accounts.models import ChangeRecord
from crm.accounts.rules import May, Role
from crm.accounts.services import note_change
from crm.api.blueprint import Blueprint
from crm.api.models import IdempotentAnswer
from crm.app import create_app
from crm.db import db, session, transaction, wait_for_commit
from crm.errors import Conflict, RuleBroken
from crm.web import problems
from crm.web.guard import may
from tests.factories import Make

PROBLEM = "application/problem+json"
blp = Blueprint("trial", __name__, url_prefix="/trial", description="Only for these tests")
pause = threading.Event()
bells: list[int] = []


class Deed(Schema):
    """Something to do."""

    word = fields.String(required=True)
    number = fields.Integer()
    parts = fields.List(fields.Nested(Schema.from_dict({"name": fields.String(required=True)}, name="Part")))


class Many(Schema):
    """How many."""

    limit = fields.Integer()


@blp.post("/deeds")
@may(May.EDIT_PEOPLE)
@blp.arguments(Deed)
@blp.response(201, Deed)
def act(deed: dict[str, Any]) -> dict[str, Any]:
    """Do it"""
    who = current_user()
    with transaction() as current:
        note_change(
            current,
            town_id=who.town_id,
            user_id=who.id,
            act=deed["word"],
            subject="deed",
            subject_id=who.id,
            at=clock.now(),
        )
        current.flush()
        if deed["word"] == "slow":
            pause.wait(3)
        if deed["word"] == "refused":
            raise RuleBroken("No.", field="word")
        if deed["word"] == "conflict":
            raise Conflict("There is one already.", candidates=[1, 2])
    wait_for_commit(lambda: bells.append(deeds_so_far())) or bells.append(deeds_so_far())
    if deed["word"] == "broken":
        raise OSError
    return deed


class Paper(Schema):
    """A file."""

    file = Upload(required=True)


class Place(Schema):
    """What is sent with a file."""

    place = fields.String()


@blp.post("/files")
@may(May.EDIT_PEOPLE)
@blp.arguments(Paper, location="files")
@blp.arguments(Place, location="form")
@blp.response(201, Place)
def hand_in(files: dict[str, Any], sent: dict[str, Any]) -> dict[str, Any]:
    """Hand in a file"""
    with transaction() as current:
        who, size = current_user(), len(files["file"].read())
        note_change(
            current,
            town_id=who.town_id,
            user_id=who.id,
            act=str(size),
            subject="file",
            subject_id=who.id,
            at=clock.now(),
        )
    return sent


@blp.get("/deeds")
@may(May.SEE_PEOPLE)
@blp.arguments(Many, location="query")
@blp.response(200, Many)
def look(asked: dict[str, Any]) -> dict[str, Any]:
    """Look"""
    return asked


@blp.get("/away")
@may(May.SEE_PEOPLE)
@blp.response(200, Many)
def away() -> dict[str, Any]:
    """The database is away"""
    raise OperationalError("select", {}, OSError("gone"))


def deeds_so_far() -> int:
    return session().scalar(select(func.count()).where(ChangeRecord.subject == "deed")) or 0


@pytest.fixture(scope="module")
def _app(settings: Settings, _app: Flask) -> Iterator[Flask]:
    """The program with a trial resource besides its own."""
    patch = pytest.MonkeyPatch()
    patch.setattr("crm.app.RESOURCES", (*packages.RESOURCES, blp))
    app = create_app(settings)
    app.config.update(WTF_CSRF_ENABLED=False, RATELIMIT_ENABLED=False)
    app.test_client_class = _app.test_client_class
    yield app
    patch.undo()


@pytest.fixture
def headers(api: Callable[..., dict[str, str]], make: Make) -> dict[str, str]:
    return api(make.user(Role.MANAGER))


def wrong_fields(answer: Any) -> list[str]:
    assert answer.mimetype == PROBLEM, answer.get_data(as_text=True)
    assert answer.get_json()["status"] == answer.status_code
    return [one["field"] for one in answer.get_json().get("errors", [])]


def test_without_a_token_nothing_is_told(client: FlaskClient) -> None:
    for given in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer"}):
        answer = client.get("/api/v1/whoami", headers=given)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.mimetype == PROBLEM


def test_a_session_is_no_token(signed_in: Callable[..., FlaskClient]) -> None:
    assert signed_in(Role.ADMIN).get("/api/v1/whoami").status_code == 401


def test_who_may_not_is_told_so(client: FlaskClient, api: Callable[..., dict[str, str]], make: Make) -> None:
    answer = client.get("/api/v1/trial/deeds", headers=api(make.user(Role.SPONSOR)))
    assert answer.status_code == 403
    assert answer.mimetype == PROBLEM


def test_an_unknown_address_and_a_wrong_method_are_problems_too(client: FlaskClient, headers: dict[str, str]) -> None:
    missing = client.get("/api/v1/nothing", headers=headers)
    assert (missing.status_code, missing.mimetype) == (404, PROBLEM)
    wrong = client.delete("/api/v1/trial/deeds", headers=headers)
    assert (wrong.status_code, wrong.mimetype) == (405, PROBLEM)
    assert set(wrong.headers["Allow"].split(", ")) >= {"GET", "POST"}


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "word"),
        ({"word": None}, "word"),
        ({"word": 5}, "word"),
        ({"word": "x", "other": 1}, "other"),
        ({"word": "a\x00b"}, "word"),
        ({"word": "\ud800"}, "word"),
        ({"word": "x", "number": 2**63}, "number"),
        ({"word": "x", "number": "many"}, "number"),
        ({"word": "x", "parts": [{"name": "a"}, {}]}, "parts.1.name"),
        ({"word": "x", "parts": [{"name": "a", "more": 1}]}, "parts.0.more"),
        ([], ""),
        ("text", ""),
        (5, ""),
    ],
)
def test_each_wrong_field_is_named(client: FlaskClient, headers: dict[str, str], sent: Any, field: str) -> None:
    answer = client.post("/api/v1/trial/deeds", json=sent, headers=headers)
    assert answer.status_code == 422
    assert field in wrong_fields(answer)


def test_the_sentences_are_vietnamese_unless_english_is_asked_for(client: FlaskClient, headers: dict[str, str]) -> None:
    said = {
        language: client.post(
            "/api/v1/trial/deeds", json={}, headers=headers | {"Accept-Language": language}
        ).get_json()["errors"][0]["message"]
        for language in ("vi", "en")
    }
    assert said == {"vi": "Thiếu trường bắt buộc.", "en": "Missing data for required field."}


ENGLISH = {"Accept-Language": "en"}


class Bounds(Schema):
    """Fields whose refusals name what would be accepted."""

    word = fields.String(validate=validate.Length(max=3))
    name = fields.String(validate=validate.Length(1, 3))
    number = fields.Integer(validate=validate.Range(min=1))
    share = fields.Integer(validate=validate.Range(1, 9))
    kind = fields.String(validate=validate.OneOf(["a", "b"]))
    role = fields.Enum(Role, by_value=True)
    at = fields.AwareDateTime()


WRONG = {
    "word": ("long", "Chỉ được dài tối đa 3.", "Must be at most 3 long."),
    "name": ("", "Cần dài từ 1 đến 3.", "Must be between 1 and 3 long."),
    "number": (0, "Ít nhất phải là 1.", "Must be at least 1."),
    "share": (10, "Phải từ 1 đến 9.", "Must be between 1 and 9."),
    "kind": ("c", "Phải là một trong các giá trị: a, b.", "Must be one of: a, b."),
    "role": ("king", "Phải là một trong các giá trị: ", "Must be one of: "),
    "at": ("2019-10-15T09:00:00", "Hãy ghi thời điểm kèm múi giờ", "Write the moment with its offset"),
    "more": (1, "Không có trường này.", "Unknown field."),
}


@pytest.mark.parametrize(("language", "which"), [("vi", 1), ("en", 2)])
def test_values_are_named_in_the_callers_language(app: Flask, language: str, which: int) -> None:
    with app.test_request_context("/api/v1/", headers={"Accept-Language": language}):
        with pytest.raises(ValidationError) as refused:
            Bounds().load({name: told[0] for name, told in WRONG.items()})
        said = {one["field"]: one["message"] for one in problems.wrong_fields({"json": refused.value.messages})}
    assert set(said) == set(WRONG)
    for name, told in WRONG.items():
        assert said[name].startswith(told[which]), name  # type: ignore[arg-type]


def test_every_failure_says_what_to_do_in_the_callers_language(client: FlaskClient, headers: dict[str, str]) -> None:
    deeds = "/api/v1/trial/deeds"
    asks: dict[str, Callable[[dict[str, str]], Any]] = {
        "crm token add": lambda more: client.get("/api/v1/whoami", headers=more),
        "Hãy kiểm tra lại địa chỉ.": lambda more: client.get("/api/v1/nothing", headers=headers | more),
        "`Allow`": lambda more: client.delete(deeds, headers=headers | more),
        "`Content-Type`": lambda more: client.post(deeds, data=b"x", content_type="a/b", headers=headers | more),
    }
    for words, ask in asks.items():
        vietnamese, english = (ask(more).get_json()["detail"] for more in ({}, ENGLISH))
        assert words in vietnamese
        assert vietnamese != english
        assert english.isascii()


@pytest.mark.parametrize("query", ["other=1", "limit=x", "limit=%00", "limit=99999999999999999999"])
def test_a_wrong_filter_is_refused(client: FlaskClient, headers: dict[str, str], query: str) -> None:
    answer = client.get(f"/api/v1/trial/deeds?{query}", headers=headers)
    assert answer.status_code == 422
    assert wrong_fields(answer) == [query.partition("=")[0]]


@pytest.mark.parametrize(
    "body",
    [b"{", b'{"word": NaN}', b'{"number": ' + b"9" * 5000 + b"}", b"[" * 100_000, b"\xff\xfe", b'{"word": Infinity}'],
)
def test_what_is_not_json_is_400(client: FlaskClient, headers: dict[str, str], body: bytes) -> None:
    answer = client.post("/api/v1/trial/deeds", data=body, content_type="application/json", headers=headers)
    assert answer.status_code == 400
    assert answer.mimetype == PROBLEM
    assert answer.get_json()["detail"] == "Nội dung gửi lên không phải JSON đúng."


def test_a_body_of_another_kind_is_415(client: FlaskClient, headers: dict[str, str]) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = client.post("/api/v1/trial/deeds", data=b'{"word": "x"}', content_type=kind, headers=headers)
        assert (answer.status_code, answer.mimetype) == (415, PROBLEM)


def test_who_calls_too_often_has_to_wait(_app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm.web.limits.API_BY_TOKEN", "3 per minute")
    client = create_app(settings).test_client()
    answers = [client.get("/api/v1/whoami", headers={"Authorization": "Bearer too often"}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    assert answers[-1].mimetype == PROBLEM
    assert int(answers[-1].headers["Retry-After"]) <= 61
    assert client.get("/api/v1/whoami", headers={"Authorization": "Bearer another"}).status_code == 401


def test_rules_and_conflicts_are_problems(client: FlaskClient, headers: dict[str, str]) -> None:
    refused = client.post("/api/v1/trial/deeds", json={"word": "refused"}, headers=headers)
    assert (refused.status_code, wrong_fields(refused)) == (422, ["word"])
    conflict = client.post("/api/v1/trial/deeds", json={"word": "conflict"}, headers=headers)
    assert (conflict.status_code, conflict.get_json()["candidates"]) == (409, [1, 2])


def test_a_lost_database_is_503_in_both_forms(client: FlaskClient, headers: dict[str, str], app: Flask) -> None:
    answer = client.get("/api/v1/trial/away", headers=headers)
    assert (answer.status_code, answer.mimetype) == (503, PROBLEM)
    assert answer.headers["Retry-After"] == "30"


def once(client: FlaskClient, headers: dict[str, str], key: str, word: str = "done", **more: Any) -> Any:
    return client.post("/api/v1/trial/deeds", json={"word": word} | more, headers=headers | {"Idempotency-Key": key})


def test_the_same_key_acts_once_and_answers_the_same(client: FlaskClient, headers: dict[str, str]) -> None:
    first, again = once(client, headers, "k1"), once(client, headers, "k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.get_data() == again.get_data()
    assert first.mimetype == again.mimetype
    assert again.headers["Idempotency-Replayed"] == "true"
    assert deeds_so_far() == 1
    assert once(client, headers, "k2").status_code == 201
    assert deeds_so_far() == 2


def test_without_a_key_it_acts_each_time(client: FlaskClient, headers: dict[str, str]) -> None:
    for _ in range(2):
        client.post("/api/v1/trial/deeds", json={"word": "done"}, headers=headers)
    assert deeds_so_far() == 2


def test_a_key_is_for_one_request_only(client: FlaskClient, headers: dict[str, str]) -> None:
    once(client, headers, "k1")
    other = once(client, headers, "k1", "other")
    assert (other.status_code, wrong_fields(other)) == (422, ["Idempotency-Key"])
    assert other.get_json()["code"] == "idempotency_key_reused"
    assert deeds_so_far() == 1


def test_a_key_belongs_to_a_person(
    client: FlaskClient, headers: dict[str, str], api: Callable[..., dict[str, str]], make: Make
) -> None:
    once(client, headers, "k1")
    assert once(client, api(make.user(Role.ADMIN)), "k1").status_code == 201
    assert deeds_so_far() == 2


@pytest.mark.parametrize("word", ["refused", "conflict", "broken"])
def test_what_failed_left_nothing_and_may_be_tried_again(
    client: FlaskClient, headers: dict[str, str], session: Session, word: str
) -> None:
    statuses = [once(client, headers, "k1", word).status_code for _ in range(2)]
    assert statuses[0] == statuses[1] >= 400
    assert deeds_so_far() == 0
    assert session.scalar(select(func.count()).select_from(IdempotentAnswer)) == 0
    assert once(client, headers, "k1").status_code == 201


@pytest.mark.parametrize("key", ["", " ", "a b", "ạ", "x" * 201])
def test_a_key_that_is_none_is_refused(client: FlaskClient, headers: dict[str, str], key: str) -> None:
    answer = once(client, headers, key)
    assert (answer.status_code, wrong_fields(answer)) == (422, ["Idempotency-Key"])


def test_the_same_file_under_the_same_key_is_taken_once(client: FlaskClient, headers: dict[str, str]) -> None:
    def send(content: bytes) -> Any:
        data = {"place": "14812", "file": (io.BytesIO(content), "danh sách.csv")}
        return client.post("/api/v1/trial/files", data=data, headers=headers | {"Idempotency-Key": "file"})

    assert send(b"a,b").status_code == send(b"a,b").status_code == 201
    assert session().scalars(select(ChangeRecord.act).where(ChangeRecord.act != "token_added")).all() == ["3"]
    assert send(b"a,c").status_code == 422


def test_a_bell_rings_after_the_one_commit(client: FlaskClient, headers: dict[str, str]) -> None:
    bells.clear()
    once(client, headers, "k1")
    assert bells == [1]
    assert not db.session().info.get("in_one_commit")


@pytest.mark.committed
def test_two_at_the_same_time_act_once(app: Flask, headers: dict[str, str]) -> None:
    db.session.commit()
    pause.clear()
    answers: list[Any] = []

    def send() -> None:
        answers.append(once(app.test_client(), headers, "same", "slow"))

    senders = [threading.Thread(target=send) for _ in range(3)]
    for sender in senders:
        sender.start()
    pause.set()
    for sender in senders:
        sender.join(20)
    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert sorted("Idempotency-Replayed" in answer.headers for answer in answers) == [False, True, True]
    assert deeds_so_far() == 1


def test_the_description_says_what_each_call_may_answer(client: FlaskClient) -> None:
    told = client.get("/api/v1/openapi.json").get_json()
    assert told["openapi"].startswith("3.1")
    post = told["paths"]["/api/v1/trial/deeds"]["post"]
    assert post["operationId"] == "trial_act"
    assert told["components"]["schemas"]["Deed"]["additionalProperties"] is False
    assert told["components"]["schemas"]["Part"]["additionalProperties"] is False
    assert told["components"]["schemas"]["Problem"]["additionalProperties"] is True
    multipart = told["paths"]["/api/v1/trial/files"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    sent = told["components"]["schemas"][multipart["$ref"].rpartition("/")[2]]
    assert set(sent["properties"]) == {"file", "place"}
    assert {"201", "400", "401", "403", "409", "415", "422", "429", "503"} <= set(post["responses"])
    assert {"$ref": "#/components/parameters/IdempotencyKey"} in post["parameters"]
    assert "default" not in post["responses"]
    problem = told["components"]["responses"]["Problem422"]["content"]
    assert list(problem) == [PROBLEM]
