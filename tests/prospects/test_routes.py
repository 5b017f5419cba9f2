"""The pages about people."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.rules import Role
from crm.prospects import cards
from crm.prospects.cards import Card, Event, Step
from crm.prospects.models import Consent, Household, IdentityReading, Prospect
from crm.prospects.rules import Ground, NewPerson, Stage
from crm.prospects.services.people import add_prospect
from tests.factories import Make

Browser = Callable[..., FlaskClient]
CITIZEN = "038175000119"


def typed(make: Make, **fields: str) -> dict[str, str]:
    return {
        "full_name": "Nguyễn Thị Hoà",
        "phone": "0912 345 678",
        "birth": "2/3/1975",
        "sex": "female",
        "place": str(make.ward().id),
        "ground": "other",
        "channel": "doorstep",
    } | fields


def test_an_empty_list_says_what_to_do(signed_in: Browser) -> None:
    page = signed_in(Role.MANAGER).get("/people").text
    assert "/people/new" in page
    assert "/people/new" not in signed_in(Role.AUDITOR).get("/people").text


def test_the_list_shows_people_and_narrows(signed_in: Browser, make: Make) -> None:
    make.prospect("Lê Văn Đúng", stage=Stage.AGREED, grounds=(Ground.POOR,), phone="+84912345678", birth_year=1970)
    make.prospect("Trần Thị Khác")
    browser = signed_in(Role.MANAGER)
    assert browser.get("/people").text.count("person-card") == 2
    for query in (
        {"q": "le van dung"},
        {"q": "0912345"},
        {"stage": "agreed"},
        {"standing": "poor"},
        {"stage": "agreed", "place": str(make.ward().id)},
    ):
        page = browser.get("/people", query_string=query).text
        assert "Lê Văn Đúng" in page
        assert "Trần Thị Khác" not in page
    assert "person-card" not in browser.get("/people?q=khongai").text


def test_a_long_list_is_paged(signed_in: Browser, make: Make) -> None:
    for number in range(50):
        make.prospect(f"Lê Văn {chr(65 + number % 26)}", phone=make.phone())
    browser = signed_in(Role.MANAGER)
    first = browser.get("/people?q=le").text
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following
    assert browser.get(following[1].replace("&amp;", "&")).text.count("person-card") == 2


@pytest.mark.parametrize(
    "query",
    ["cursor=x", "stage=x", "place=x", "place=%00", "due_before=31/02/2019", "assigned_to=x", "q=" + "a" * 10_000],
)
def test_a_list_asked_for_nonsense_says_so(signed_in: Browser, query: str) -> None:
    assert signed_in(Role.MANAGER).get(f"/people?{query}").status_code == 422


@pytest.mark.parametrize("q", ["%00", "%F0%9F%98%80", "%25", "%5C", "_"])
def test_strange_searches_find_nobody(signed_in: Browser, make: Make, q: str) -> None:
    make.prospect()
    page = signed_in(Role.MANAGER).get(f"/people?q={q}")
    assert page.status_code == 200


def test_adding_somebody_leads_to_their_page(signed_in: Browser, make: Make, session: Session) -> None:
    browser = signed_in(Role.MANAGER)
    assert browser.get("/people/new").status_code == 200
    form = typed(
        make, neighbourhood="Khu phố 4", ground="near_poor", certificate="12/CN", service="y", citizen_id=CITIZEN
    )
    done = browser.post("/people/new", data=form)
    assert done.status_code == 302
    assert "Nguyễn Thị Hoà" in browser.get(done.headers["Location"]).text
    person = session.scalars(select(Prospect)).one()
    assert (person.birth_date, person.citizen_masked) == (date(1975, 3, 2), "038***119")
    assert session.scalars(select(Consent.given)).all() == [True]


def test_a_form_sent_twice_makes_one_person(signed_in: Browser, make: Make, session: Session) -> None:
    form = typed(make, id="0190a7b2-0000-7000-8000-000000000001")
    browser = signed_in(Role.MANAGER)
    assert browser.post("/people/new", data=form).status_code == 302
    assert browser.post("/people/new", data=form).headers["Location"].endswith(form["id"])
    assert session.scalar(select(func.count()).select_from(Prospect)) == 1


def test_a_likely_duplicate_is_shown_side_by_side_and_may_be_added(
    signed_in: Browser, make: Make, session: Session
) -> None:
    browser = signed_in(Role.MANAGER)
    browser.post("/people/new", data=typed(make))
    warned = browser.post("/people/new", data=typed(make, full_name="NGUYEN THI HOA", phone=""))
    assert warned.status_code == 409
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', warned.text.split("</main>")[0]))
    assert fields["allow_duplicate"] == "yes"
    assert browser.post("/people/new", data=fields).status_code == 302
    assert session.scalar(select(func.count()).select_from(Prospect)) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"full_name": ""},
        {"full_name": "Hoa 😀"},
        {"full_name": "a" * 10_000},
        {"full_name": "\x00"},
        {"birth": "31/02/1975"},
        {"birth": "31/13/1975"},
        {"birth": "hôm qua"},
        {"phone": "123"},
        {"phone": "0237 335 7806"},
        {"place": "x"},
        {"place": ""},
        {"citizen_id": "1"},
        {"si_number": "1"},
        {"ground": "rich"},
        {"ground_until": "31/02/2020", "ground": "poor"},
        {"ground_until": "9999-12-31", "ground": "poor"},
        {"neighbourhood": "x" * 200},
        {"phone": "", "service": "y"},
    ],
)
def test_a_wrong_form_comes_back_with_what_is_wrong(signed_in: Browser, make: Make, wrong: dict[str, str]) -> None:
    page = signed_in(Role.MANAGER).post("/people/new", data=typed(make, **wrong))
    assert page.status_code == 422
    assert "error-summary" in page.text


def person_with_number(session: Session, make: Make) -> Prospect:
    new = NewPerson("Nguyễn Thị Hoà", make.ward().id, citizen_id=CITIZEN, phone="0912345678", birth_year=1975)
    return add_prospect(session, new, by=make.user(), at=clock.now())


def test_every_page_of_a_person_opens(signed_in: Browser, make: Make, session: Session) -> None:
    home = make.add(Household(town_id=make.town.id, place_id=make.ward().id))
    person = person_with_number(session, make)
    person.household_id = home.id
    make.prospect("Lê Văn Chồng", household_id=home.id)
    make.standing(person, Ground.POOR)
    browser = signed_in(Role.MANAGER)
    for part in ("", "/particulars", "/consent", "/changes", "/edit"):
        page = browser.get(f"/people/{person.id}{part}")
        assert page.status_code == 200, part
        assert CITIZEN not in page.text
        assert "tel:+84912345678" in page.text
    assert "Lê Văn Chồng" in browser.get(f"/people/{person.id}/particulars").text


def test_a_full_number_is_shown_once_and_noted(signed_in: Browser, make: Make, session: Session) -> None:
    person = person_with_number(session, make)
    browser = signed_in(Role.MANAGER)
    assert CITIZEN in browser.post(f"/people/{person.id}/numbers").text
    assert session.scalars(select(IdentityReading.way)).all() == ["page"]
    assert CITIZEN not in browser.get(f"/people/{person.id}/particulars").text
    assert signed_in(Role.AUDITOR).post(f"/people/{person.id}/numbers").status_code == 403


def test_a_correction_is_kept_with_before_and_after(signed_in: Browser, make: Make, session: Session) -> None:
    person = person_with_number(session, make)
    browser = signed_in(Role.MANAGER)
    form = typed(make, birth="1975", full_name="Nguyễn Thị Hoa", version=str(person.version), citizen_id="")
    assert browser.post(f"/people/{person.id}/edit", data=form).status_code == 302
    page = browser.get(f"/people/{person.id}/changes").text
    assert "<del>Nguyễn Thị Hoà</del> → <ins>Nguyễn Thị Hoa</ins>" in page
    assert person.citizen_id == CITIZEN


def test_grounds_are_added_and_ended(signed_in: Browser, make: Make) -> None:
    person, browser = make.prospect(), signed_in(Role.MANAGER)
    form = {"ground": "poor", "certificate": "7/HN", "since": "2019-01-01", "until": "31/12/2019"}
    assert browser.post(f"/people/{person.id}/grounds", data=form).status_code == 302
    page = browser.get(f"/people/{person.id}/particulars").text
    assert "31/12/2019" in page
    end = re.search(r'action="([^"]+/end)"', page)
    assert end
    assert browser.post(end[1]).status_code == 302
    assert not re.search(r"/end\"", browser.get(f"/people/{person.id}/particulars").text)
    for wrong in ({"since": "31/02/2019"}, {"until": "2018-01-01"}, {"until": "9999-12-31"}, {"ground": "other"}):
        assert browser.post(f"/people/{person.id}/grounds", data=form | wrong).status_code == 422


def test_an_answer_about_messages_is_kept_with_its_proof(signed_in: Browser, make: Make, session: Session) -> None:
    person, browser = make.prospect(phone=make.phone()), signed_in(Role.MANAGER)
    form = {"purpose": "promotion", "given": "no", "channel": "phone_call", "on": "2019-10-15", "words": "Đừng nhắn"}
    assert browser.post(f"/people/{person.id}/consent", data=form).status_code == 302
    assert session.scalars(select(Consent.given)).one() is False
    assert "Đừng nhắn" in browser.get(f"/people/{person.id}/consent").text
    for wrong in ({"on": "2019-10-16"}, {"on": "31/02/2019"}, {"on": "0001-01-01"}, {"channel": "import"}):
        assert browser.post(f"/people/{person.id}/consent", data=form | wrong).status_code == 422


def test_the_id_of_a_merged_record_leads_to_the_person(signed_in: Browser, make: Make) -> None:
    person = make.prospect()
    merged = make.prospect("Nguyễn Thị Đằng", merged_into_id=person.id)
    assert signed_in(Role.MANAGER).get(f"/people/{merged.id}").headers["Location"].endswith(str(person.id))


def test_packages_above_add_cards_happenings_and_the_next_step(
    signed_in: Browser, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_cards", "_events", "_steps"):
        monkeypatch.setattr(cards, name, [])
    person = make.prospect()
    cards.register(
        card=lambda who, scope, today: Card("components/progress.html") if who.id == person.id else None,
        events=lambda who, scope: [Event(clock.now(), "Gặp ở chợ", note="Bán rau")],
        step=lambda who, scope, today: Step("Ghi lần gặp", "/visits/new"),
    )
    page = signed_in(Role.MANAGER).get(f"/people/{person.id}").text
    assert "Gặp ở chợ" in page
    assert re.search(r'button-strong" href="/visits/new"', page)


def test_pages_speak_both_languages(signed_in: Browser, make: Make) -> None:
    person, browser = make.prospect(), signed_in(Role.MANAGER)
    assert "Người dân" in browser.get("/people").text
    browser.get("/language/en")
    assert "What happened" in browser.get(f"/people/{person.id}").text


def test_a_new_person_with_several_mistakes_hears_all_of_them_at_once(signed_in: Browser, make: Make) -> None:
    wrong = typed(make, full_name="", phone="12", birth="hôm qua", citizen_id="1", si_number="1")
    answer = signed_in(Role.MANAGER).post("/people/new", data=wrong)
    assert answer.status_code == 422
    page = answer.text
    for name in ("full_name", "phone", "birth", "citizen_id", "si_number"):
        assert f'id="{name}-error"' in page, name
