"""`crm user add` and `crm token add`."""

from __future__ import annotations

from uuid import uuid4

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.accounts.commands import token, user
from crm.accounts.models import ChangeRecord, User
from crm.accounts.rules import Role
from tests.factories import Make


def run(*words: str, given: str | None = None) -> Result:
    group = {"user": user, "token": token}[words[0]]
    return CliRunner().invoke(group, words[1:], input=given)


def test_a_person_added_with_a_password_signs_in(client: FlaskClient, app: Flask) -> None:
    done = run("user", "add", "0912 345 678", "--role", "manager", "--password-stdin", given="mật khẩu Bỉm Sơn\n")
    assert done.exit_code == 0, done.output
    answer = client.post("/sign-in", data={"email": "+84912345678", "password": "mật khẩu Bỉm Sơn"})
    assert answer.headers["Location"] == "/"


def test_without_a_password_an_invitation_is_printed(client: FlaskClient, session: Session, make: Make) -> None:
    done = run(
        "user", "add", "lead@example.vn", "--role", "lead", "--organisation", "HPN", "--place", "14812@2019-10-15"
    )
    assert done.stdout.startswith("http://127.0.0.1:8000/invitation/")
    assert client.get(done.stdout.strip().removeprefix("http://127.0.0.1:8000")).status_code == 200
    who = session.scalars(select(User).where(User.email == "lead@example.vn")).one()
    assert (who.organisation_id, who.place_id) == (make.organisation().id, make.ward().id)


@pytest.mark.parametrize(
    ("words", "given"),
    [
        (("user", "add", "nobody", "--role", "manager"), None),
        (("user", "add", "a@example.vn", "--role", "king"), None),
        (("user", "add", "a@example.vn", "--role", "lead", "--organisation", "NOPE"), None),
        (("user", "add", "a@example.vn", "--role", "lead", "--place", "99999"), None),
        (("user", "add", "a@example.vn", "--role", "manager", "--password-stdin"), "short\n"),
        (("user", "add", "a@example.vn", "--role", "manager", "--password-stdin"), ""),
        (("user", "add", "taken@example.vn", "--role", "manager"), None),
        (("token", "add", "nobody@example.vn"), None),
        (("token", "add", "x"), None),
        (("token", "add", "taken@example.vn", "--scope", "everything"), None),
    ],
)
def test_what_a_person_gets_wrong_is_one_line_and_exit_code_2(
    make: Make, session: Session, words: tuple[str, ...], given: str | None
) -> None:
    make.user(email="taken@example.vn")
    done = run(*words, given=given)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()[-1]) > 10
    assert "Traceback" not in done.output
    assert session.scalar(select(User).where(User.email == "a@example.vn")) is None


def test_a_token_is_printed_once_and_alone(client: FlaskClient, make: Make) -> None:
    make.user(Role.MANAGER, email="manager@example.vn", full_name="Phạm Văn Hùng")
    done = run("token", "add", "Manager@example.vn", "--name", "bảng tính", "--scope", "identity:read")
    key = done.stdout.removesuffix("\n")
    assert key.split() == [key]
    told = client.get("/api/v1/whoami", headers={"Authorization": f"Bearer {key}"}).get_json()
    assert told["full_name"] == "Phạm Văn Hùng"
    assert told["scopes"] == ["identity:read"]
    assert told["reach"] == "all"


def test_a_key_is_listed_and_ended(client: FlaskClient, make: Make, session: Session) -> None:
    make.user(Role.MANAGER, email="manager@example.vn")
    key = run("token", "add", "manager@example.vn", "--name", "bảng tính").stdout.strip()
    assert key not in run("token", "list").stdout
    token_id, _since, whose, name, state = run("token", "list").stdout.strip().split("\t")
    assert (whose, name, state) == ("manager@example.vn", "bảng tính", "works")
    for _again in range(2):
        assert run("token", "revoke", token_id).exit_code == 0
    assert client.get("/api/v1/whoami", headers={"Authorization": f"Bearer {key}"}).status_code == 401
    assert "ended" in run("token", "list").stdout
    acts = session.scalars(select(ChangeRecord.act).order_by(ChangeRecord.at, ChangeRecord.id)).all()
    assert acts == ["token_added", "token_revoked"]
    unknown = run("token", "revoke", str(uuid4()))
    assert (unknown.exit_code, "crm token list" in unknown.stderr) == (2, True)
