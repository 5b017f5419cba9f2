"""Who sees whom: every list, search, page, program's answer and act is asked as each role."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.errors import NotFound
from crm.prospects.models import Prospect
from crm.prospects.queries.lists import EVERYONE, page_of
from crm.prospects.queries.seeing import listed_to, person_seen
from crm.prospects.services.neighbourhoods import find_or_add_neighbourhood
from tests.factories import Make

Browser = Callable[..., FlaskClient]
Headers = Callable[..., dict[str, str]]

NAMES = {
    "union": "Lê Thị Hội",
    "ward": "Lê Thị Phường",
    "both": "Lê Thị Cả",
    "mine": "Lê Thị Nhà",
    "other": "Lê Thị Xa",
}
"""Of the Women's Union; of Ba Đình; of both; looked after by one volunteer; of nobody."""

WHO: list[tuple[str, set[str]]] = [
    ("admin", set(NAMES)),
    ("manager", set(NAMES)),
    ("organiser", set(NAMES)),
    ("treasurer", set(NAMES)),
    ("auditor", set(NAMES)),
    ("union lead", {"union", "both"}),
    ("ward lead", {"ward", "both"}),
    ("neighbourhood lead", {"both"}),
    ("lead of both", {"both"}),
    ("lead of nothing", set()),
    ("volunteer", {"mine"}),
    ("agent", {"mine"}),
    ("new volunteer", set()),
]


class Town:
    """Five people, and someone of each kind who may look."""

    def __init__(self, make: Make, session: Session) -> None:
        here, away = make.ward(), make.ward("14818@2019-10-15")
        union, front = make.organisation().id, make.organisation("LDLD").id
        part = find_or_add_neighbourhood(session, here, "Khu phố 4").id
        self.users = {
            "admin": make.user(Role.ADMIN),
            "manager": make.user(Role.MANAGER),
            "organiser": make.user(Role.ORGANISER),
            "treasurer": make.user(Role.TREASURER),
            "auditor": make.user(Role.AUDITOR),
            "union lead": make.user(Role.LEAD, organisation_id=union),
            "ward lead": make.user(Role.LEAD, place_id=here.id),
            "neighbourhood lead": make.user(Role.LEAD, place_id=part),
            "lead of both": make.user(Role.LEAD, organisation_id=union, place_id=here.id),
            "lead of nothing": make.user(Role.LEAD),
            "volunteer": make.user(Role.VOLUNTEER),
            "agent": make.user(Role.AGENT),
            "new volunteer": make.user(Role.VOLUNTEER, organisation_id=union, place_id=here.id),
            "sponsor": make.user(Role.SPONSOR),
        }
        self.people = {
            "union": make.prospect(NAMES["union"], place=away, organisation_id=union),
            "ward": make.prospect(NAMES["ward"], place=here, organisation_id=front),
            "both": make.prospect(NAMES["both"], place=here, neighbourhood_id=part, organisation_id=union),
            "mine": make.prospect(NAMES["mine"], place=away, volunteer_id=self.users["volunteer"].id),
            "other": make.prospect(NAMES["other"], place=away),
        }

    def as_(self, who: str) -> User:
        """Someone of that kind; the person in a volunteer's care is in the agent's instead when the agent asks."""
        user = self.users[who]
        if who == "agent":
            self.people["mine"].volunteer_id = user.id
        return user


@pytest.fixture
def town(make: Make, session: Session) -> Town:
    return Town(make, session)


def named(text: str) -> set[str]:
    return {key for key, name in NAMES.items() if name in text}


@pytest.mark.parametrize(("who", "sees"), WHO)
def test_the_condition_the_list_and_the_search_agree(town: Town, session: Session, who: str, sees: set[str]) -> None:
    scope = scope_of(session, town.as_(who))
    session.flush()
    ids = {town.people[key].id for key in sees}
    assert set(session.scalars(select(Prospect.id).where(listed_to(scope)))) == ids
    for q in ("", "le thi", "Lê"):
        found = page_of(session, scope, EVERYONE, q, cursor=None, size=50, today=town.people["ward"].created_at.date())
        assert {row.id for row in found.rows} == ids


@pytest.mark.parametrize(("who", "sees"), WHO)
def test_pages_show_only_whom_one_may_see(town: Town, signed_in: Browser, who: str, sees: set[str]) -> None:
    browser = signed_in(town.as_(who))
    assert named(browser.get("/people").text) == sees
    assert named(browser.get("/people?q=le+thi").text) == sees
    for key, one in town.people.items():
        for part in ("", "/particulars", "/consent", "/changes"):
            assert browser.get(f"/people/{one.id}{part}").status_code == (200 if key in sees else 404), (key, part)


@pytest.mark.parametrize(("who", "sees"), WHO)
def test_programs_get_only_whom_their_user_may_see(
    town: Town, client: FlaskClient, api: Headers, who: str, sees: set[str]
) -> None:
    headers = api(town.as_(who))
    for query in ("", "?q=le+thi", "?limit=1"):
        items, url = [], f"/api/v1/prospects{query}"
        while url:
            got: dict[str, Any] = client.get(url, headers=headers).json
            items += got["items"]
            url = f"/api/v1/prospects?limit=1&cursor={got['next']}" if got["next"] else ""
        assert {item["full_name"] for item in items} == {NAMES[key] for key in sees}
    for key, one in town.people.items():
        assert client.get(f"/api/v1/prospects/{one.id}", headers=headers).status_code == (200 if key in sees else 404)


@pytest.mark.parametrize("who", ["union lead", "ward lead", "lead of nothing", "volunteer", "agent"])
def test_nobody_acts_on_a_stranger(
    town: Town, signed_in: Browser, client: FlaskClient, api: Headers, who: str, session: Session
) -> None:
    user, stranger = town.as_(who), town.people["other"]
    browser, before = signed_in(user), stranger.version
    form = {"full_name": "Khác", "place": str(stranger.place_id), "version": str(before)}
    for path, data in (
        ("edit", form),
        ("numbers", {}),
        ("grounds", {"ground": "poor", "since": "2019-01-01"}),
        (f"grounds/{uuid4()}/end", {}),
        ("consent", {"purpose": "service", "given": "yes", "channel": "paper", "on": "2019-10-01"}),
    ):
        assert browser.post(f"/people/{stranger.id}/{path}", data=data).status_code == 404, path
    headers = api(user) | {"If-Match": "*"}
    got = client.patch(f"/api/v1/prospects/{stranger.id}", json={"address": "x"}, headers=headers)
    assert got.status_code == 404
    session.refresh(stranger)
    assert stranger.version == before


@pytest.mark.parametrize("who", ["auditor", "treasurer", "sponsor"])
def test_those_who_only_look_change_nothing(
    town: Town, signed_in: Browser, client: FlaskClient, api: Headers, who: str
) -> None:
    user, one = town.users[who], town.people["ward"]
    browser = signed_in(user)
    for path in ("/people/new", f"/people/{one.id}/edit", f"/people/{one.id}/grounds", f"/people/{one.id}/numbers"):
        assert browser.post(path).status_code == 403, path
    assert client.post("/api/v1/prospects", json={}, headers=api(user)).status_code == 403
    assert client.patch(f"/api/v1/prospects/{one.id}", json={}, headers=api(user)).status_code == 403


def test_a_sponsor_sees_no_list_at_all(town: Town, signed_in: Browser, client: FlaskClient, api: Headers) -> None:
    sponsor = town.users["sponsor"]
    assert signed_in(sponsor).get("/people").status_code == 403
    assert client.get("/api/v1/prospects", headers=api(sponsor)).status_code == 403


def test_who_has_not_signed_in_gets_nothing(town: Town, client: FlaskClient) -> None:
    assert client.get("/people").status_code == 302
    assert client.get("/api/v1/prospects").status_code == 401


@pytest.mark.parametrize("text", ["x", "1", "00000000-0000-0000-0000-00000000000g", "%00"])
def test_an_id_that_is_none_is_not_found(
    signed_in: Browser, client: FlaskClient, api: Headers, make: Make, text: str
) -> None:
    user = make.user()
    assert signed_in(user).get(f"/people/{text}").status_code == 404
    assert client.get(f"/api/v1/prospects/{text}", headers=api(user)).status_code == 404


def test_a_filter_never_shows_more_than_the_scope(town: Town, client: FlaskClient, api: Headers) -> None:
    headers = api(town.users["volunteer"])
    for query in (
        f"assigned_to={town.users['agent'].id}",
        "assigned_to=nobody",
        "organisation=HPN",
        "place=14812@2019-10-15",
        "stage=refused",
    ):
        assert client.get(f"/api/v1/prospects?{query}", headers=headers).json["items"] == []


def test_a_merged_record_leads_to_the_person_only_for_who_may_see_them(
    town: Town, session: Session, make: Make
) -> None:
    mine, other = town.people["mine"], town.people["other"]
    old = make.prospect("Lê Thị Cũ", merged_into_id=mine.id, volunteer_id=town.users["volunteer"].id)
    gone = make.prospect("Lê Thị Mất", merged_into_id=other.id, volunteer_id=town.users["volunteer"].id)
    scope = scope_of(session, town.users["volunteer"])
    assert person_seen(session, scope, old.id).id == mine.id
    with pytest.raises(NotFound):
        person_seen(session, scope, gone.id)
    assert old.id not in set(session.scalars(select(Prospect.id).where(listed_to(scope))))
