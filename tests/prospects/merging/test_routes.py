"""The queue, the comparison and the way back, as people meet them; the same for other programs."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import html5lib
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.ids import new_id
from crm.outreach.models import Visit
from crm.outreach.rules import Outcome
from crm.prospects.merging.models import Merge, Suspect
from crm.prospects.merging.rules import Answer
from crm.prospects.merging.services import reviewing
from crm.prospects.models import Prospect
from crm.prospects.rules import Sex
from crm.sealed import current as seal
from tasks.identity import look_through
from tests.factories import Make
from tests.prospects.merging import world as told

SignedIn = Callable[..., FlaskClient]


@pytest.fixture
def twice(make: Make) -> tuple[Prospect, Prospect]:
    """Mrs Xoan, on two lists."""
    number = "038170001234"
    known: dict[str, Any] = {"citizen_id": number, "citizen_index": seal().index(number), "citizen_masked": "038***234"}
    one = make.prospect("Cù Thị Xoan", birth_date=date(1970, 5, 3), birth_year=1970, phone=make.phone(), **known)
    other = make.prospect("Cù Thị Xoan", birth_year=1970, address="Số 9", phone=make.phone(), **known)
    return one, other


def open_pairs(session: Session) -> list[Suspect]:
    return list(session.scalars(select(Suspect).where(Suspect.answer == Answer.OPEN)))


def test_the_night_finds_who_is_here_twice_and_the_office_makes_them_one(
    session: Session, signed_in: SignedIn, twice: tuple[Prospect, Prospect]
) -> None:
    one, other = twice
    reviewing.look_through(session, one.town_id, at=clock.now())
    assert len(open_pairs(session)) == 1
    browser = signed_in(Role.MANAGER)
    assert "Cù Thị Xoan" in browser.get("/people/same").text
    page = browser.get(f"/people/{one.id}/same/{other.id}")
    assert page.status_code == 200
    assert "Số 9" in page.text
    answer = browser.post(f"/people/{one.id}/same/{other.id}", data={"act": "merge", "pick_address": "gone"})
    assert answer.status_code == 302
    session.refresh(one)
    assert (one.address, session.scalars(select(Merge)).one().kept_id) == ("Số 9", one.id)
    queue = browser.get("/people/same")
    assert "Cù Thị Xoan" in queue.text  # the bar that takes it back
    shown = browser.get(f"/people/{other.id}")
    assert shown.location.endswith(str(one.id))
    merge = session.scalars(select(Merge)).one()
    assert f"/people/{one.id}/merges/{merge.id}" in browser.get(f"/people/{one.id}").text


def test_a_merge_is_taken_back_with_what_came_since_divided(
    session: Session, make: Make, signed_in: SignedIn, twice: tuple[Prospect, Prospect]
) -> None:
    one, other = twice
    browser = signed_in(Role.MANAGER)
    browser.post(f"/people/{one.id}/same/{other.id}", data={"act": "merge"})
    merge = session.scalars(select(Merge)).one()
    office = make.user(Role.MANAGER)
    world = told.World(session, office, scope_of(session, office))
    theirs = told.visit(world, other.id, Outcome.INTERESTED, clock.now() - timedelta(hours=3))
    mine = told.visit(world, one.id, Outcome.AGREED, clock.now() - timedelta(hours=2))
    page = browser.get(f"/people/{one.id}/merges/{merge.id}")
    assert page.text.count("checked") == 1
    assert "Cù Thị Xoan, hồ sơ được gộp vào" in page.text  # both bear one name
    late = browser.post(f"/people/{one.id}/same/{other.id}", data={"act": "merge"})
    assert (
        "đã là một hồ sơ" in browser.get(late.location).text
    )  # told on the person's page, not compared with themselves
    back = browser.post(f"/people/{one.id}/merges/{merge.id}")
    assert back.location.endswith(str(other.id))
    held = {row.id: row.prospect_id for row in session.scalars(select(Visit).execution_options(populate_existing=True))}
    assert held == {theirs: other.id, mine: one.id}
    assert browser.get(f"/people/{other.id}").status_code == 200
    for ask in (browser.post, browser.get):
        assert "đã tách rồi" in ask(f"/people/{one.id}/merges/{merge.id}", follow_redirects=True).text


def test_the_office_decides_whose_each_thing_is(
    session: Session, make: Make, signed_in: SignedIn, twice: tuple[Prospect, Prospect]
) -> None:
    one, other = twice
    browser = signed_in(Role.MANAGER)
    browser.post(f"/people/{one.id}/same/{other.id}", data={"act": "merge"})
    merge = session.scalars(select(Merge)).one()
    office = make.user(Role.MANAGER)
    world = told.World(session, office, scope_of(session, office))
    key = told.visit(world, one.id, Outcome.AGREED, clock.now() - timedelta(hours=2))
    name = f'visit|prospect_id|{{"id": "{key}"}}'
    browser.post(f"/people/{one.id}/merges/{merge.id}", data={"chosen": "yes", "given": name})
    session.expire_all()
    assert session.scalars(select(Visit)).one().prospect_id == other.id
    assert (one.last_contact_at, one.stage.value) == (None, "new")
    assert other.stage.value == "agreed"


def test_two_different_people_are_not_asked_about_again_until_a_number_changes(
    session: Session, signed_in: SignedIn, twice: tuple[Prospect, Prospect]
) -> None:
    one, other = twice
    reviewing.look_through(session, one.town_id, at=clock.now())
    signed_in(Role.MANAGER).post(f"/people/{one.id}/same/{other.id}", data={"act": "different"})
    reviewing.look_through(session, one.town_id, at=clock.now() + timedelta(days=1))
    assert open_pairs(session) == []
    other.phone = one.phone
    session.flush()
    reviewing.look_through(session, one.town_id, at=clock.now() + timedelta(days=2))
    session.expire_all()
    assert len(open_pairs(session)) == 1


def test_a_pair_that_is_alike_no_more_goes_from_the_queue(session: Session, twice: tuple[Prospect, Prospect]) -> None:
    one, other = twice
    reviewing.look_through(session, one.town_id, at=clock.now())
    other.full_name, other.citizen_index, other.birth_year = "Lê Văn Bình", b"x", 1991
    session.flush()
    reviewing.look_through(session, one.town_id, at=clock.now() + timedelta(days=1))
    assert open_pairs(session) == []


def test_the_task_runs_twice_without_harm(session: Session, twice: tuple[Prospect, Prospect]) -> None:
    look_through.run()
    look_through.run()
    assert len(open_pairs(session)) == 1


def test_only_who_sees_both_may_merge_them(
    session: Session, make: Make, signed_in: SignedIn, twice: tuple[Prospect, Prospect]
) -> None:
    one, other = twice
    lead = make.user(Role.LEAD, organisation_id=make.organisation().id)
    one.organisation_id = lead.organisation_id
    session.flush()
    reviewing.look_through(session, one.town_id, at=clock.now())
    browser = signed_in(lead)
    queue = browser.get("/people/same")
    assert "Cù Thị Xoan" not in queue.text
    assert browser.get(f"/people/{one.id}/same/{other.id}").status_code == 404
    assert browser.post(f"/people/{one.id}/same/{other.id}", data={"act": "merge"}).status_code == 404
    other.organisation_id = lead.organisation_id
    session.flush()
    assert "Cù Thị Xoan" in browser.get("/people/same").text
    assert browser.post(f"/people/{one.id}/same/{other.id}", data={"act": "merge"}).status_code == 302


def test_an_auditor_looks_and_a_volunteer_does_not(signed_in: SignedIn, twice: tuple[Prospect, Prospect]) -> None:
    one, other = twice
    auditor = signed_in(Role.AUDITOR)
    assert auditor.get("/people/same").status_code == 200
    assert "pick_address" not in auditor.get(f"/people/{one.id}/same/{other.id}").text
    assert auditor.post(f"/people/{one.id}/same/{other.id}", data={"act": "merge"}).status_code == 403
    assert signed_in(Role.VOLUNTEER).get("/people/same").status_code == 403


def test_what_contradicts_stands_open_and_what_one_record_alone_says_is_folded_and_taken_over(
    session: Session, make: Make, signed_in: SignedIn
) -> None:
    known: dict[str, Any] = {"birth_year": 1970, "sex": Sex.FEMALE}
    one = make.prospect("Cù Thị Xoan", phone="+84912345678", **known)
    other = make.prospect("Cù Thị Xoan", phone="+84912345679", address="Số 9", **known)
    browser = signed_in(Role.MANAGER)
    page = browser.get(f"/people/{one.id}/same/{other.id}").text
    open_part, _, folded = page.partition('<details class="fold">')
    assert "0912 345 67<mark>8</mark>" in open_part
    assert "0912 345 67<mark>9</mark>" in open_part
    assert 'name="pick_address" value="gone" checked' in folded
    assert "Số 9" not in open_part
    browser.post(f"/people/{one.id}/same/{other.id}", data={"act": "merge", "pick_address": "gone"})
    session.refresh(one)
    assert (one.address, one.phone) == ("Số 9", "+84912345678")


def test_the_menu_says_how_many_pairs_wait_to_those_who_may_look(
    session: Session, make: Make, signed_in: SignedIn, twice: tuple[Prospect, Prospect]
) -> None:
    reviewing.look_through(session, twice[0].town_id, at=clock.now())
    waits = '<span class="menu-waits">'
    office = signed_in(Role.MANAGER).get("/people").text
    assert set(re.findall(waits + r'<span class="hidden">[^<]*</span>(\d+)</span>', office)) == {"1"}
    assert waits not in signed_in(Role.VOLUNTEER).get("/people").text
    one, other = twice
    signed_in(Role.MANAGER).post(f"/people/{one.id}/same/{other.id}", data={"act": "different"})
    assert waits not in signed_in(Role.MANAGER).get("/people").text


FAMILIES = ("Cù", "Bùi", "Lê", "Mai", "Vũ")
GIVEN = ("Xoan", "Đào", "Mận", "Cúc", "Huệ", "Lan", "Sen")


def boxes(page: str, name: str) -> list[str]:
    """What the inputs of this name hold."""
    tree = html5lib.parse(page, namespaceHTMLElements=False)
    return [one.get("value", "") for one in tree.iter("input") if one.get("name") == name]


def test_whoever_merges_has_read_that_somebody_just_told_the_two_apart(
    session: Session, signed_in: SignedIn, twice: tuple[Prospect, Prospect]
) -> None:
    one, other = twice
    reviewing.look_through(session, one.town_id, at=clock.now())
    page = f"/people/{one.id}/same/{other.id}"
    browser = signed_in(Role.MANAGER)
    [seen] = boxes(browser.get(page).text, "knowing")
    colleague = signed_in(Role.MANAGER)
    assert colleague.post(page, data={"act": "different", "knowing": seen}).status_code == 302
    again = signed_in(Role.MANAGER)
    answer = again.post(page, data={"act": "merge", "knowing": seen})
    assert answer.status_code == 422
    assert "hai người khác nhau. Chưa có gì thay đổi" in answer.text
    assert "đã ghi ngày" in answer.text
    assert session.scalars(select(Merge)).all() == []
    [seen] = boxes(answer.text, "knowing")
    assert again.post(page, data={"act": "merge", "knowing": seen}).status_code == 302
    assert len(session.scalars(select(Merge)).all()) == 1


def test_the_queue_goes_on_after_its_first_twenty_and_an_answer_leads_back_to_where_one_was(
    session: Session, signed_in: SignedIn, make: Make
) -> None:
    for number in range(23):
        phone, name = make.phone(), f"{FAMILIES[number % 5]} Thị {GIVEN[number % 7]}"
        for _record in range(2):
            make.prospect(name, birth_year=1970, phone=phone)
    reviewing.look_through(session, make.town.id, at=clock.now())
    count = len(open_pairs(session))
    assert count > 20
    browser = signed_in(Role.MANAGER)
    first = browser.get("/people/same").text
    [following] = re.findall(r'rel="next" href="([^"]+)"', first)
    second = browser.get(following).text
    ways = [re.findall(r'href="(/people/[^"]+/same/[^"?]+)', page) for page in (first, second)]
    assert (len(ways[0]), len({*ways[0], *ways[1]})) == (20, count)
    assert 'rel="next"' not in second
    [way, *_rest] = re.findall(r'href="(/people/[^"]+/same/[^"]+)"', second)
    assert browser.post(way, data={"act": "different"}).location == following
    for each in re.findall(r'href="(/people/[^"]+/same/[^"]+)"', second)[1:]:
        browser.post(each, data={"act": "different"})
    assert browser.get(following).location == "/people/same"


def test_an_answer_that_is_none_is_refused_in_words(signed_in: SignedIn, twice: tuple[Prospect, Prospect]) -> None:
    one, other = twice
    browser = signed_in(Role.MANAGER)
    assert browser.post(f"/people/{one.id}/same/{other.id}").status_code == 422
    assert browser.post(f"/people/{one.id}/same/{other.id}", data={"act": "later"}).status_code == 422
    assert browser.get(f"/people/{one.id}/same/{one.id}").status_code == 302


def test_programs_merge_look_and_take_back(
    app: Flask, session: Session, make: Make, api: Callable[..., dict[str, str]], twice: tuple[Prospect, Prospect]
) -> None:
    one, other = twice
    client, headers = app.test_client(), api(make.user(Role.MANAGER))

    def post(url: str, **sent: Any) -> Any:
        return client.post(f"/api/v1{url}", json=sent, headers=headers)

    def get(url: str) -> Any:
        return client.get(f"/api/v1{url}", headers=headers).json

    made = post(f"/prospects/{one.id}/merge", other_id=str(other.id), take=["address"])
    assert (made.status_code, made.json["taken"]) == (201, ["address"])
    assert get(f"/prospects/{other.id}")["id"] == str(one.id)
    assert post(f"/prospects/{one.id}/merge", other_id=str(other.id)).status_code == 422
    visit = {"client_id": str(new_id()), "occurred_at": "2019-10-14T08:00:00+07:00", "channel": "phone_call"}
    sent = post("/visits", **visit, prospect_id=str(other.id), outcome="agreed")
    assert sent.json["prospect_id"] == str(one.id)
    seen = get(f"/merges/{made.json['id']}")
    assert [(row["table"], row["recorded_under"]) for row in seen["later"]] == [("visit", str(other.id))]
    undone = post(f"/merges/{made.json['id']}/undo")
    assert undone.status_code == 200, undone.text
    assert post(f"/merges/{made.json['id']}/undo").status_code == 409
    session.expire_all()
    assert session.scalars(select(Visit)).one().prospect_id == other.id
