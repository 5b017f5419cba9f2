"""Logging visits and giving people away, as a person does it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from crm import clock
from crm.accounts.models import User
from crm.accounts.rules import Role
from crm.outreach.models import Visit
from crm.prospects.models import Prospect
from crm.prospects.rules import Stage
from tests.factories import Make

NOW = clock.at(date(2019, 10, 15), 9)

Browser = Callable[[Role | User], FlaskClient]


@pytest.fixture
def lan(make: Make) -> User:
    return make.user(Role.VOLUNTEER, full_name="Trịnh Thị Lan", organisation_id=make.organisation().id)


@pytest.fixture
def dang(make: Make, lan: User) -> Prospect:
    return make.prospect(volunteer_id=lan.id, organisation_id=lan.organisation_id, birth_year=1975, address="Số 12")


def tap(browser: FlaskClient, who: Prospect, outcome: str, **more: str) -> TestResponse:
    return browser.post(f"/people/{who.id}/visit", data={"client_id": str(uuid4()), "outcome": outcome} | more)


def test_one_tap_saves_and_offers_to_take_it_back(
    session: Session, signed_in: Browser, lan: User, dang: Prospect
) -> None:
    browser = signed_in(lan)
    page = browser.get(f"/people/{dang.id}/visit").text
    assert "Nguyễn Thị Đăng" in page
    client_id = re.findall(r'name="client_id" value="([^"]+)"', page)[0]
    answer = browser.post(
        f"/people/{dang.id}/visit", data={"client_id": client_id, "outcome": "interested"}, follow_redirects=True
    )
    assert "Đã lưu" in answer.text
    assert "Hoàn tác" in answer.text
    assert 'value="2019-10-22"' in answer.text
    assert dang.stage is Stage.INTERESTED
    assert session.scalar(select(Visit.id)) == UUID(client_id)


def test_two_taps_of_one_page_make_one_visit(session: Session, signed_in: Browser, lan: User, dang: Prospect) -> None:
    browser, client_id = signed_in(lan), str(uuid4())
    first = tap(browser, dang, "agreed", client_id=client_id)
    second = tap(browser, dang, "agreed", client_id=client_id)
    assert first.location == second.location
    assert session.scalar(select(func.count()).select_from(Visit)) == 1
    other = tap(browser, dang, "refused", client_id=client_id)
    assert "đã được lưu từ trước" in browser.get(other.location).text
    assert dang.stage is Stage.AGREED


def test_details_are_added_and_the_day_goes_on(session: Session, signed_in: Browser, lan: User, dang: Prospect) -> None:
    browser = signed_in(lan)
    address = tap(browser, dang, "considering").location
    details = {
        "channel": "phone_call",
        "reasons": ["ask_family", "no_money"],
        "note": " Chồng đi làm xa ",
        "next_contact_on": "2019-11-01",
    }
    answer = browser.post(address, data=details)
    assert answer.location == "/today"
    visit = session.scalars(select(Visit)).one()
    assert (visit.reasons, visit.note, visit.channel) == (["ask_family", "no_money"], "Chồng đi làm xa", "phone_call")
    assert dang.next_contact_on == date(2019, 11, 1)


@pytest.mark.parametrize(
    "wrong", [{"next_contact_on": "2019-10-01"}, {"note": "x" * 2001}, {"reasons": "none such"}, {"channel": "smoke"}]
)
def test_wrong_details_come_back_with_a_sentence(
    signed_in: Browser, lan: User, dang: Prospect, wrong: dict[str, str]
) -> None:
    browser = signed_in(lan)
    answer = browser.post(tap(browser, dang, "considering").location, data={"channel": "home_visit"} | wrong)
    assert answer.status_code == 422
    assert "error-summary" in answer.text


def test_undo_leads_back_to_the_question(signed_in: Browser, lan: User, dang: Prospect) -> None:
    browser = signed_in(lan)
    address = tap(browser, dang, "refused").location
    answer = browser.post(f"{address}/undo", follow_redirects=True)
    assert answer.request.path == f"/people/{dang.id}/visit"
    assert dang.stage is Stage.NEW
    assert "Đã hoàn tác" in browser.get(address).text
    assert browser.post(address, data={"channel": "home_visit"}).status_code == 422


@pytest.mark.parametrize("more", [{"outcome": "gone"}, {"client_id": "x"}, {"occurred_on": "2019-10-16"}])
def test_what_cannot_be_saved_is_asked_again(
    session: Session, signed_in: Browser, lan: User, dang: Prospect, more: dict[str, str]
) -> None:
    answer = tap(signed_in(lan), dang, **{"outcome": "agreed"} | more)
    assert answer.status_code == 422
    assert session.scalar(select(func.count()).select_from(Visit)) == 0


def test_a_visit_of_another_day_is_kept_on_that_day(
    session: Session, signed_in: Browser, lan: User, dang: Prospect
) -> None:
    tap(signed_in(lan), dang, "interested", occurred_on="2019-10-10", channel="meeting")
    visit = session.scalars(select(Visit)).one()
    assert (clock.local_day(visit.occurred_at), visit.channel) == (date(2019, 10, 10), "meeting")


def test_other_peoples_people_and_visits_are_not_there(
    signed_in: Browser, make: Make, lan: User, dang: Prospect
) -> None:
    address = tap(signed_in(lan), dang, "agreed").location
    stranger = signed_in(Role.VOLUNTEER)
    assert stranger.get(f"/people/{dang.id}/visit").status_code == 404
    assert tap(stranger, dang, "agreed").status_code == 404
    assert stranger.get(address).status_code == 404
    assert stranger.post(address, data={"channel": "home_visit"}).status_code == 404
    assert stranger.post(f"{address}/undo").status_code == 404
    assert "Thị Đăng" not in stranger.get("/visits").text


def test_an_auditor_reads_and_changes_nothing(signed_in: Browser, lan: User, dang: Prospect) -> None:
    address = tap(signed_in(lan), dang, "agreed", channel="event").location
    auditor = signed_in(Role.AUDITOR)
    seen = auditor.get(address)
    assert "Tại sự kiện" in seen.text
    assert "Hoàn tác" not in seen.text
    assert auditor.get(f"/people/{dang.id}/visit").status_code == 403
    assert auditor.post(f"{address}/undo").status_code == 403


def test_the_list_of_visits_is_narrowed_and_paged(signed_in: Browser, make: Make, lan: User, dang: Prospect) -> None:
    browser = signed_in(lan)
    for days in range(35):
        tap(browser, dang, "not_met", occurred_on=str(date(2019, 10, 14) - timedelta(days=days)))
    tap(browser, dang, "agreed")
    page = browser.get("/visits").text
    following = re.findall(r'rel="next" href="([^"]+)"', page)[0].replace("&amp;", "&")
    assert "Trịnh Thị Lan" in browser.get(following).text
    assert browser.get("/visits?outcome=agreed").text.count('<th scope="row">') == 1
    assert browser.get("/visits?day=2019-10-12").text.count('<th scope="row">') == 1
    assert "Chưa có lượt gặp nào" in browser.get("/visits?outcome=joined").text
    assert browser.get("/visits?outcome=nonsense&day=never").status_code == 200
    assert browser.get("/visits?day=9999-12-31").status_code == 200
    assert browser.get("/visits?cursor=nonsense").status_code == 422


@pytest.mark.parametrize("language", ["vi", "en"])
def test_pages_speak_both_languages(signed_in: Browser, make: Make, lan: User, dang: Prospect, language: str) -> None:
    browser = signed_in(lan)
    browser.get(f"/language/{language}")
    address = tap(browser, dang, "considering").location
    pages = [browser.get(path).text for path in (f"/people/{dang.id}/visit", address, "/visits")]
    words = {"vi": ("Thế nào rồi", "Còn nghĩ", "Lượt gặp"), "en": ("How did it go", "Thinking it over", "Visits")}
    for page, word in zip(pages, words[language], strict=True):
        assert word in page


def test_a_persons_page_tells_the_visits_and_offers_the_next(signed_in: Browser, lan: User, dang: Prospect) -> None:
    browser = signed_in(lan)
    assert "Chưa gặp" in browser.get(f"/people/{dang.id}").text
    first = tap(browser, dang, "refused").location
    browser.post(f"{first}/undo")
    tap(browser, dang, "considering", channel="phone_call")
    page = browser.get(f"/people/{dang.id}").text
    assert "Đã hoàn tác: Từ chối" in page
    assert "Qua điện thoại · hẹn lại 29/10/2019" in page
    assert f'href="/people/{dang.id}/visit" data-sheet="#log-visit"' in page
    assert "log-visit" not in signed_in(Role.AUDITOR).get(f"/people/{dang.id}").text


# ---- assigning


@pytest.fixture
def lead(make: Make, lan: User) -> User:
    return make.user(Role.LEAD, organisation_id=lan.organisation_id)


def people_of(make: Make, lan: User, count: int) -> list[Prospect]:
    return [make.prospect(f"Lê Văn {number}", organisation_id=lan.organisation_id) for number in range(count)]


def give(browser: FlaskClient, to: User | None, query: str = "", **more: Any) -> TestResponse:
    return browser.post(f"/assign{query}", data={"volunteer": str(to.id) if to else "", "act": "give"} | more)


def test_ticked_people_are_given_and_given_back(signed_in: Browser, make: Make, lan: User, lead: User) -> None:
    browser, people = signed_in(lead), people_of(make, lan, 3)
    assert "Lê Văn 2" in browser.get("/assign").text
    answer = give(browser, lan, people=[str(one.id) for one in people[:2]])
    page = browser.get(answer.location).text
    assert "2 người" in page
    assert "Lê Văn 0" not in page
    assert [one.volunteer_id for one in people] == [lan.id, lan.id, None]
    undo = re.findall(r'action="(/assign/undo/[0-9]+)"', page)[0]
    assert "như trước" in browser.post(undo, follow_redirects=True).text
    assert [one.volunteer_id for one in people] == [None, None, None]


def test_the_first_so_many_of_a_narrowed_list_are_given(signed_in: Browser, make: Make, lan: User, lead: User) -> None:
    people_of(make, lan, 5)
    elsewhere = make.prospect("Phạm Văn Xa", organisation_id=lan.organisation_id, place=make.ward("14815@2019-10-15"))
    browser = signed_in(lead)
    answer = give(browser, lan, query=f"?place={elsewhere.place_id}", first="5")
    assert f"place={elsewhere.place_id}" in answer.location
    assert elsewhere.volunteer_id == lan.id
    give(browser, lan, first="2")
    assert "3 người" in browser.get("/assign").text


def test_people_are_taken_back(signed_in: Browser, lan: User, lead: User, dang: Prospect) -> None:
    browser = signed_in(lead)
    assert "Nguyễn Thị Đăng" in browser.get(f"/assign?held_by={lan.id}").text
    taken = browser.post(f"/assign?held_by={lan.id}", data={"act": "take", "people": [str(dang.id)]})
    assert dang.volunteer_id is None
    undo = re.findall(r'action="(/assign/undo/[0-9]+)"', browser.get(taken.location).text)[0]
    browser.post(undo)
    assert dang.volunteer_id == lan.id


@pytest.mark.parametrize("more", [{}, {"first": "0"}, {"first": "many"}, {"people": "x"}, {"people": str(uuid4())}])
def test_giving_nobody_or_nobody_known_is_asked_again(
    signed_in: Browser, make: Make, lan: User, lead: User, more: dict[str, str]
) -> None:
    people_of(make, lan, 2)
    answer = give(signed_in(lead), lan, **more)
    assert answer.status_code == 422
    assert "error-summary" in answer.text


def test_somebody_of_another_unit_or_nobody_gets_no_people(
    signed_in: Browser, make: Make, lan: User, lead: User
) -> None:
    people = people_of(make, lan, 1)
    stranger = make.user(Role.VOLUNTEER, organisation_id=make.organisation("DTN").id)
    for to in (stranger, None):
        assert give(signed_in(lead), to, people=str(people[0].id)).status_code == 422
    assert people[0].volunteer_id is None


def test_assigning_is_for_those_who_lead(signed_in: Browser, lan: User) -> None:
    assert signed_in(lan).get("/assign").status_code == 403
    assert signed_in(lan).post("/assign/undo/1").status_code == 403


def test_an_undo_of_a_moment_at_which_nothing_was_given_changes_nothing(
    signed_in: Browser, lan: User, lead: User, dang: Prospect
) -> None:
    for moment in ("0", "1571104800000000", "9" * 30):
        assert signed_in(lead).post(f"/assign/undo/{moment}").status_code in (302, 422)
    assert dang.volunteer_id == lan.id


def test_a_page_that_sends_its_form_by_itself_is_told_where_to_go_on_and_sends_it_once(
    session: Session, signed_in: Browser, make: Make
) -> None:
    lan = make.user(Role.VOLUNTEER)
    who, browser = make.prospect(volunteer_id=lan.id), signed_in(lan)
    data = {"client_id": str(uuid4()), "outcome": "interested"}
    answers = [
        browser.post(f"/people/{who.id}/visit", data=data, headers={"Accept": "application/json"})
        for _again in range(2)
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json == answers[1].json == {"to": f"/visits/{data['client_id']}"}
    assert browser.post(f"/people/{who.id}/visit", data=data).status_code == 302
    page = browser.get(f"/people/{who.id}/visit").text
    assert f'data-outbox="{clock.today().isoformat()}"' in page
