"""The first page, one's own page, and the people who sign in."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from config import Settings
from crm import clock, stored
from crm.accounts import queries, services
from crm.accounts.gateway import normal_hash
from crm.accounts.models import ChangeRecord, User
from crm.accounts.rules import PERMISSIONS, May, Role
from crm.app import create_app
from crm.db import db
from crm.errors import RuleBroken
from crm.web.health import _may_measure
from tests.factories import Make

SignedIn = Callable[..., FlaskClient]


def test_a_stranger_is_welcomed_and_shown_three_ways(client: FlaskClient) -> None:
    page = client.get("/").get_data(as_text=True)
    assert 'href="/calculator"' in page
    assert 'href="/sign-in"' in page
    assert "Tài khoản dùng thử" not in page


def test_the_demo_shows_its_accounts(client: FlaskClient, session: Session) -> None:
    accounts = [{"identity": "lan@example.vn", "name": "Mai Thị Lan", "role": "volunteer"}]
    stored.write(session, "demo", {"accounts": accounts, "password": "bim-son-2019"})
    page = client.get("/").get_data(as_text=True)
    assert "bim-son-2019" in page
    assert "/sign-in?name=lan@example.vn" in page
    assert 'value="lan@example.vn"' in client.get("/sign-in?name=lan@example.vn").get_data(as_text=True)


@pytest.mark.parametrize("role", list(Role))
def test_everyone_has_a_first_page_they_may_open(signed_in: SignedIn, make: Make, role: Role) -> None:
    browser = signed_in(make.user(role, organisation_id=make.organisation().id))
    answer = browser.get("/")
    assert answer.status_code == 302
    assert browser.get(answer.headers["Location"]).status_code == 200


@pytest.mark.parametrize(
    ("role", "words"),
    [(Role.VOLUNTEER, "những người được giao cho anh/chị"), (Role.MANAGER, "mọi người trong thị xã")],
)
def test_my_account_says_what_i_see(signed_in: SignedIn, role: Role, words: str) -> None:
    assert words in signed_in(role).get("/account").get_data(as_text=True)


def test_only_who_manages_accounts_opens_the_list(signed_in: SignedIn) -> None:
    for role in Role:
        expected = 200 if May.MANAGE_ACCOUNTS in PERMISSIONS[role] else 403
        assert signed_in(role).get("/accounts").status_code == expected, role


def new_person(**changes: str) -> dict[str, str]:
    return {
        "full_name": "Lê Văn Tám",
        "identity": "0987 654 321",
        "role": "volunteer",
        "organisation": "",
        "place": "",
    } | changes


def test_who_signs_in_stands_once_on_some_page_those_closed_out_last(session: Session, make: Make) -> None:
    made = [make.user(role, active=active) for active in (False, True) for role in (Role.VOLUNTEER, Role.MANAGER)]
    found, cursor = list[User](), None
    while not found or cursor:
        page = queries.page_of_accounts(session, make.town.id, cursor=cursor, size=1)
        found, cursor = [*found, *(row[0] for row in page.rows)], page.next
    assert found == [made[3], made[2], made[1], made[0]]
    assert queries.how_many_sign_in(session, make.town.id) == 4
    scope = queries.scope_of(session, made[3])
    assert queries.page_of_volunteers(session, scope, cursor=None, size=5).rows == [made[2]]
    assert queries.how_many_volunteers(session, scope) == 1


def test_someone_is_added_invited_and_signs_in(app: Flask, signed_in: SignedIn, session: Session) -> None:
    admin = signed_in(Role.ADMIN)
    page = admin.post("/accounts/new", data=new_person()).get_data(as_text=True)
    path = re.search(r'href="http://[^/"]+(/invitation/[^"]+)"', page)
    assert path
    assert "<svg" in page
    who = session.scalars(select(User).where(User.phone == "+84987654321")).one()
    assert session.scalars(select(ChangeRecord).where(ChangeRecord.subject_id == who.id)).one().act == "account_added"

    phone = app.test_client()
    assert "Lê Văn Tám" in phone.get(path[1]).get_data(as_text=True)
    twice = {"password": "một câu dễ nhớ", "again": "một câu khó nhớ"}
    assert "khác nhau" in phone.post(path[1], data=twice).get_data(as_text=True)
    short = {"password": "ngắn", "again": "ngắn"}
    assert "ít nhất 8" in phone.post(path[1], data=short).get_data(as_text=True)
    right = {"password": "một câu dễ nhớ", "again": "một câu dễ nhớ"}
    assert phone.post(path[1], data=right).status_code == 302
    assert "Lê Văn Tám" in phone.get("/account").get_data(as_text=True)

    other = app.test_client()
    assert other.get(path[1]).status_code == 404
    assert other.post(path[1], data=right).status_code == 422
    signed = other.post("/sign-in", data={"email": "0987654321", "password": "một câu dễ nhớ"})
    assert signed.headers["Location"] == "/"


def test_an_invitation_ends_after_two_weeks_and_when_a_newer_one_is_made(
    client: FlaskClient, make: Make, session: Session, at_time: Callable[..., None]
) -> None:
    who = make.user()
    first = services.invite(session, who, at=clock.now())
    second = services.invite(session, who, at=clock.now())
    assert client.get(f"/invitation/{first}").status_code == 404
    assert client.get(f"/invitation/{second}").status_code == 200
    at_time(clock.at(date(2019, 10, 30), 9))
    assert client.get(f"/invitation/{second}").status_code == 404
    with pytest.raises(RuleBroken):
        services.accept_invitation(session, second, password_hash="x", at=clock.now())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"identity": "12"}, "không phải e-mail hay số di động"),
        ({"identity": "a@b"}, "không phải e-mail hay số di động"),
        ({"full_name": " "}, "Hãy điền ô này"),
        ({"role": "king"}, "Lựa chọn này không có"),
        ({"role": "lead"}, "cần có tổ chức"),
        ({"place": "nowhere"}, "Lựa chọn này không có"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(signed_in: SignedIn, changes: dict[str, str], words: str) -> None:
    answer = signed_in(Role.ADMIN).post("/accounts/new", data=new_person(**changes))
    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)


def test_nobody_signs_in_twice_with_one_number(signed_in: SignedIn, make: Make) -> None:
    make.user(phone="+84987654321")
    answer = signed_in(Role.ADMIN).post("/accounts/new", data=new_person())
    assert answer.status_code == 422
    assert "Đã có người đăng nhập bằng 0987 654 321" in answer.get_data(as_text=True)


def test_who_is_closed_out_is_out_at_once(signed_in: SignedIn, make: Make, session: Session) -> None:
    lan = make.user(Role.VOLUNTEER, password=normal_hash("mật khẩu"))
    admin, hers = signed_in(Role.ADMIN), signed_in(lan)
    token = {"Authorization": f"Bearer {make.token(lan)}"}
    assert hers.get("/account").status_code == 200
    assert hers.get("/api/v1/whoami", headers=token).status_code == 200
    admin.post(f"/accounts/{lan.id}/close")
    assert hers.get("/account").status_code == 302
    assert hers.get("/api/v1/whoami", headers=token).status_code == 401
    admin.post(f"/accounts/{lan.id}/open")
    session.refresh(lan)
    assert lan.active


def test_one_does_not_close_oneself_out(signed_in: SignedIn, make: Make) -> None:
    admin = make.user(Role.ADMIN)
    assert signed_in(admin).post(f"/accounts/{admin.id}/close").status_code == 422
    assert admin.active


def test_someone_of_another_town_does_not_exist(signed_in: SignedIn) -> None:
    assert signed_in(Role.ADMIN).post("/accounts/0190b5a0-0000-7000-8000-000000000000/close").status_code == 404


def test_a_watchman_is_answered(client: FlaskClient) -> None:
    assert client.get("/healthz").get_json()["status"] == "ok"
    assert client.get("/readyz").get_json() == {"status": "ok", "database": "ok", "broker": "ok"}


def test_without_a_broker_the_program_is_not_ready_but_people_still_sign_in(
    app: Flask, client: FlaskClient, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "REDIS_URL", "unix:///nowhere/at/all.sock")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json() == {"status": "unavailable", "database": "ok", "broker": "unreachable"}


def test_numbers_are_for_named_addresses_only(app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.get("/metrics").status_code == 404
    monkeypatch.setattr("crm.web.health._may_measure", lambda address, allowed: True)
    assert "ansinh_answers_total" in client.get("/metrics").get_data(as_text=True)


@pytest.mark.parametrize(
    ("address", "allowed", "answer"),
    [
        ("10.0.0.7", ("10.0.0.0/24",), True),
        ("10.0.0.7", ("10.0.0.7",), True),
        ("10.0.1.7", ("10.0.0.0/24", "127.0.0.1"), False),
        ("127.0.0.1", (), False),
        ("", ("127.0.0.1",), False),
    ],
)
def test_an_address_is_among_the_named_ones(address: str, allowed: tuple[str, ...], answer: bool) -> None:
    assert _may_measure(address, allowed) is answer


NOWHERE = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"


def app_of(database_url: str, redis_url: str) -> Flask:
    app = create_app(Settings(database_url=database_url, migrate_database_url=database_url, redis_url=redis_url))
    app.config.update(WTF_CSRF_ENABLED=False)
    return app


@pytest.mark.committed
def test_people_sign_in_while_the_broker_is_away(app: Flask, make: Make, settings: Settings) -> None:
    make.user(email="lan@example.vn", password=normal_hash("mật khẩu Bỉm Sơn"))
    db.session.commit()
    lonely = app_of(settings.database_url, "unix:///nowhere/at/all.sock").test_client()
    for _ in range(2):
        answer = lonely.post("/sign-in", data={"email": "lan@example.vn", "password": "mật khẩu Bỉm Sơn"})
        assert answer.status_code == 302


def test_without_a_database_the_process_lives_and_says_what_is_wrong(settings: Settings) -> None:
    lost = app_of(NOWHERE, settings.redis_url).test_client()
    assert lost.get("/healthz").status_code == 200
    assert lost.get("/readyz").get_json() == {"status": "unavailable", "database": "unreachable", "broker": "ok"}
    with lost.session_transaction() as cookie:
        cookie["_user_id"] = "somebody"
    for address in ("/", "/account", "/accounts"):
        answer = lost.get(address)
        assert answer.status_code == 503
        assert "chưa nối được với cơ sở dữ liệu" in answer.get_data(as_text=True)
        assert answer.headers["Retry-After"] == "30"
    told = lost.get("/api/v1/whoami", headers={"Authorization": "Bearer x"})
    assert (told.status_code, told.mimetype) == (503, "application/problem+json")
