"""Leads invite the volunteers of their own unit, and of no other."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.rules import Role
from tests.factories import Make

Browser = Callable[[Role | User], FlaskClient]
NEW = {"full_name": "Mai Thị Mới", "identity": "0912 345 678"}


@pytest.fixture
def lead(make: Make) -> User:
    return make.user(Role.LEAD, organisation_id=make.organisation().id, place_id=make.ward().id)


def found(session: Session) -> User:
    return session.scalars(select(User).where(User.full_name == "Mai Thị Mới")).one()


def test_a_lead_invites_a_volunteer_who_then_signs_in(
    session: Session, signed_in: Browser, client: FlaskClient, lead: User
) -> None:
    browser = signed_in(lead)
    assert 'name="organisation"' not in browser.get("/team/new").text
    page = browser.post("/team/new", data=NEW).text
    who = found(session)
    assert (who.role, who.organisation_id, who.place_id) == (Role.VOLUNTEER, lead.organisation_id, lead.place_id)
    key = re.findall(r"/invitation/([\w-]+)", page)[0]
    assert 'href="/team"' in page
    sent = {"password": "mot mat khau dai", "again": "mot mat khau dai"}
    assert client.post(f"/invitation/{key}", data=sent).status_code == 302
    assert "Mai Thị Mới" in browser.get("/team").text


def test_nobody_is_put_into_another_unit_or_role(session: Session, signed_in: Browser, make: Make, lead: User) -> None:
    other = make.organisation("LDLD").id
    more = {"organisation": str(other), "role": "admin", "place": str(make.ward("14818@2019-10-15").id)}
    assert signed_in(lead).post("/team/new", data=NEW | more).status_code == 200
    who = found(session)
    assert (who.role, who.organisation_id, who.place_id) == (Role.VOLUNTEER, lead.organisation_id, lead.place_id)


def test_a_manager_chooses_the_unit(session: Session, signed_in: Browser, make: Make) -> None:
    union = make.organisation().id
    assert signed_in(Role.MANAGER).post("/team/new", data=NEW | {"organisation": str(union)}).status_code == 200
    assert found(session).organisation_id == union


def test_only_the_own_volunteers_who_wait_are_invited_again(signed_in: Browser, make: Make, lead: User) -> None:
    union, ward = lead.organisation_id, lead.place_id
    waiting = make.user(Role.VOLUNTEER, organisation_id=union, place_id=ward)
    settled = make.user(Role.VOLUNTEER, organisation_id=union, place_id=ward, password="x")
    away = make.user(Role.VOLUNTEER, organisation_id=make.organisation("LDLD").id)
    boss = make.user(Role.LEAD, organisation_id=union, place_id=ward)
    browser = signed_in(lead)
    answers = [browser.post(f"/team/{one.id}/invitation").status_code for one in (waiting, settled, away, boss)]
    assert answers[0] == 200
    assert 400 <= answers[1] < 500
    assert answers[2:] == [404, 404]


def test_who_leads_nothing_and_who_does_not_lead_invite_nobody(
    session: Session, signed_in: Browser, make: Make
) -> None:
    assert signed_in(make.user(Role.LEAD)).post("/team/new", data=NEW).status_code == 422
    for role in (Role.VOLUNTEER, Role.ORGANISER, Role.AUDITOR):
        assert signed_in(role).post("/team/new", data=NEW).status_code == 403
    assert session.scalar(select(func.count()).where(User.full_name == "Mai Thị Mới")) == 0


def test_an_administrator_sees_and_ends_the_keys_of_other_programs(
    signed_in: Browser, client: FlaskClient, session: Session, make: Make
) -> None:
    key, admin = make.token(make.user(Role.MANAGER, full_name="Phạm Văn Hùng")), signed_in(Role.ADMIN)
    page = admin.get("/accounts/keys").text
    assert "Phạm Văn Hùng" in page
    assert key not in page
    [address] = re.findall(r"/accounts/keys/[\w-]+/revoke", page)
    assert signed_in(Role.MANAGER).post(address).status_code == 403
    assert client.get("/api/v1/whoami", headers={"Authorization": f"Bearer {key}"}).status_code == 200
    assert admin.post(address).status_code == 303
    assert "/revoke" not in admin.get("/accounts/keys").text
    assert client.get("/api/v1/whoami", headers={"Authorization": f"Bearer {key}"}).status_code == 401
