"""Signing in through the form, as people really do."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.gateway import normal_hash
from crm.accounts.models import User
from crm.accounts.rules import Role
from tests.factories import Make

PASSWORD = "mật khẩu Bỉm Sơn"
REFUSED = "không khớp nhau"
TOKEN = re.compile(r'name="csrf_token" value="[^"]*"')


@pytest.fixture
def lan(make: Make) -> User:
    return make.user(
        Role.VOLUNTEER,
        full_name="Mai Thị Lan",
        email="lan@example.vn",
        phone="+84912345678",
        password=normal_hash(PASSWORD),
    )


def try_to_sign_in(client: FlaskClient, identity: str, password: str = PASSWORD, **more: str) -> str:
    """Where one gets to: an address, or the words of the form."""
    answer = client.post("/sign-in", data={"email": identity, "password": password, **more})
    return answer.headers.get("Location") or TOKEN.sub("", answer.get_data(as_text=True))


def who_is_in(client: FlaskClient) -> str:
    page = client.get("/account")
    return page.get_data(as_text=True) if page.status_code == 200 else ""


@pytest.mark.parametrize(
    "identity",
    [
        "lan@example.vn",
        "  Lan@Example.VN ",
        "0912345678",
        "0912 345 678",
        "+84912345678",
        "+84 912.345.678",
        "84912345678",
        "lan@example.vn\x00",
    ],
)
def test_one_signs_in_by_email_or_by_phone_however_it_is_written(client: FlaskClient, lan: User, identity: str) -> None:
    assert try_to_sign_in(client, identity) == "/"
    assert "Mai Thị Lan" in who_is_in(client)


def test_a_password_may_be_typed_with_letters_put_together_or_apart(client: FlaskClient, lan: User) -> None:
    apart = unicodedata.normalize("NFD", PASSWORD)
    assert apart != PASSWORD
    assert try_to_sign_in(client, "lan@example.vn", apart) == "/"


@pytest.mark.parametrize(
    ("identity", "password"),
    [
        ("lan@example.vn", "mat khau Bim Son"),
        ("lan@example.vn", ""),
        ("", PASSWORD),
        ("nobody@example.vn", PASSWORD),
        ("0987654321", PASSWORD),
        ("not an identity", PASSWORD),
        ("lan@example.vn", "x" * 5000),
    ],
)
def test_whatever_is_wrong_the_answer_is_the_same(client: FlaskClient, lan: User, identity: str, password: str) -> None:
    page = try_to_sign_in(client, identity, password)
    assert page.count(REFUSED) == 1
    assert not who_is_in(client)


def test_someone_whose_account_was_closed_gets_the_same_answer(
    client: FlaskClient, lan: User, session: Session
) -> None:
    lan.active = False
    session.flush()
    assert REFUSED in try_to_sign_in(client, "lan@example.vn")


def test_someone_invited_who_has_no_password_yet_gets_the_same_answer(client: FlaskClient, make: Make) -> None:
    make.user(email="new@example.vn")
    assert REFUSED in try_to_sign_in(client, "new@example.vn", "")
    assert REFUSED in try_to_sign_in(client, "new@example.vn", "None")


def test_ten_wrong_passwords_lock_the_account_for_a_quarter_of_an_hour(
    client: FlaskClient, lan: User, session: Session, at_time: Callable[..., None]
) -> None:
    pages = {try_to_sign_in(client, "lan@example.vn", "wrong") for _ in range(10)}
    assert len(pages) == 1
    assert lan.failed_sign_ins == 10
    assert pages == {try_to_sign_in(client, "lan@example.vn")}
    at_time(clock.at(date(2019, 10, 15), 9, 14))
    assert REFUSED in try_to_sign_in(client, "0912345678")
    at_time(clock.at(date(2019, 10, 15), 9, 16))
    assert try_to_sign_in(client, "lan@example.vn") == "/"
    session.refresh(lan)
    assert (lan.failed_sign_ins, lan.locked_until) == (0, None)


def test_after_the_rest_counting_begins_anew(
    client: FlaskClient, lan: User, session: Session, at_time: Callable[..., None]
) -> None:
    for _ in range(10):
        try_to_sign_in(client, "lan@example.vn", "wrong")
    at_time(clock.at(date(2019, 10, 15), 9, 30))
    try_to_sign_in(client, "lan@example.vn", "wrong")
    session.refresh(lan)
    assert (lan.failed_sign_ins, lan.locked_until) == (1, None)


def test_nine_wrong_ones_and_a_right_one_are_forgotten(client: FlaskClient, lan: User, session: Session) -> None:
    for _ in range(9):
        try_to_sign_in(client, "lan@example.vn", "wrong")
    assert try_to_sign_in(client, "lan@example.vn") == "/"
    session.refresh(lan)
    assert lan.failed_sign_ins == 0


def test_after_signing_in_one_is_where_one_wanted_to_go(client: FlaskClient, lan: User) -> None:
    assert client.get("/account").headers["Location"] == "/sign-in?next=/account"
    form = client.get("/sign-in?next=/account").get_data(as_text=True)
    assert 'name="next"' in form
    assert 'value="/account"' in form
    assert try_to_sign_in(client, "lan@example.vn", next="/account") == "/account"


@pytest.mark.parametrize(
    "elsewhere",
    ["//evil.example", "https://evil.example/", "/\\evil.example", "///evil.example", "javascript:alert(1)"],
)
def test_nobody_is_sent_elsewhere(client: FlaskClient, lan: User, elsewhere: str) -> None:
    assert try_to_sign_in(client, "lan@example.vn", next=elsewhere) in ("/", "/%5Cevil.example", "/evil.example")
    client.post("/sign-out")
    answer = client.post(
        "/sign-in", query_string={"next": elsewhere}, data={"email": "lan@example.vn", "password": PASSWORD}
    )
    assert answer.status_code == 302
    assert "//evil" not in answer.headers["Location"]
    assert not answer.headers["Location"].startswith(("http", "javascript", "/\\"))


def test_signing_out_is_a_post(client: FlaskClient, lan: User) -> None:
    try_to_sign_in(client, "lan@example.vn")
    assert client.get("/sign-out").status_code == 405
    assert who_is_in(client)
    assert client.post("/sign-out").status_code == 302
    assert not who_is_in(client)


def test_a_form_from_elsewhere_signs_nobody_in(app: Flask, lan: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)
    answer = app.test_client().post("/sign-in", data={"email": "lan@example.vn", "password": PASSWORD})
    assert answer.status_code == 400
    assert "Set-Cookie" not in answer.headers or "_user_id" not in answer.headers["Set-Cookie"]


def test_staying_signed_in_is_a_choice(client: FlaskClient, lan: User) -> None:
    try_to_sign_in(client, "lan@example.vn")
    assert client.get_cookie("remember_token") is None
    client.post("/sign-out")
    try_to_sign_in(client, "lan@example.vn", remember="y")
    assert client.get_cookie("remember_token") is not None


def test_sign_in_speaks_english_too(client: FlaskClient, lan: User) -> None:
    client.get("/language/en")
    assert "do not go together" in try_to_sign_in(client, "lan@example.vn", "wrong")


def test_one_changes_the_password_and_other_browsers_are_signed_out(app: Flask, lan: User) -> None:
    here, there = app.test_client(), app.test_client()
    for browser in (here, there):
        assert try_to_sign_in(browser, "lan@example.vn") == "/"
    wrong = {"password": "wrong", "new_password": "mật khẩu mới", "new_password_confirm": "mật khẩu mới"}
    assert "Mật khẩu không đúng" in here.post("/account/password", data=wrong).get_data(as_text=True)
    short = {"password": PASSWORD, "new_password": "ngắn", "new_password_confirm": "ngắn"}
    assert "ít nhất 8 ký tự" in here.post("/account/password", data=short).get_data(as_text=True)
    different = {"password": PASSWORD, "new_password": "mật khẩu mới", "new_password_confirm": "khác hẳn"}
    assert "không giống nhau" in here.post("/account/password", data=different).get_data(as_text=True)
    right = wrong | {"password": PASSWORD}
    assert here.post("/account/password", data=right).headers["Location"] == "/account"
    assert "Đã đổi mật khẩu" in who_is_in(here)
    assert not who_is_in(there)
    assert try_to_sign_in(there, "lan@example.vn", "mật khẩu mới") == "/"


def test_too_many_tries_from_one_place_have_to_wait(app: Flask, lan: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "RATELIMIT_ENABLED", True)
    client = app.test_client()
    answers = [client.post("/sign-in", data={"email": "someone@example.vn", "password": "x"}) for _ in range(31)]
    assert [answer.status_code for answer in answers] == [200] * 30 + [429]
    assert int(answers[-1].headers["Retry-After"]) <= 61
    assert "Thử quá nhiều lần" in answers[-1].get_data(as_text=True) or "chờ" in answers[-1].get_data(as_text=True)
    assert try_to_sign_in(client, "lan@example.vn") == "/"
