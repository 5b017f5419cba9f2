"""Several people correct one person: nobody's work is lost, and the same field is asked about."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import date
from html import unescape
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import ChangeRecord, User
from crm.accounts.rules import Role
from crm.db import transaction
from crm.errors import Conflict, RuleBroken
from crm.prospects.editing import sort_out, unit_of
from crm.prospects.models import Prospect
from crm.prospects.queries.changes import as_of_version, change_of
from crm.prospects.rules import NewPerson, Sex
from crm.prospects.services.people import add_prospect, change_prospect, put_back, seen
from tests.factories import Make

Browser = Callable[..., FlaskClient]
CITIZEN, ANOTHER = "038175001119", "038175002119"
"""Two numbers whose masks are the same."""

NAMES = ("full_name", "address", "birth_date", "birth_year", "place_id", "neighbourhood_id")
VALUES = st.fixed_dictionaries({name: st.integers(0, 2) for name in NAMES})


@given(VALUES, VALUES, VALUES)
def test_what_is_sorted_out_loses_nothing(base: Any, current: Any, yours: Any) -> None:
    found = sort_out(base, current, yours)
    written = current | {name: yours[name] for name in found.wanted}
    asked = {name for one in found.collisions for name in one.yours}
    for name in NAMES:
        together = [other for other in NAMES if unit_of(other) == unit_of(name)]
        mine = any(yours[other] != base[other] for other in together)
        theirs = any(current[other] != base[other] for other in together)
        if name in asked:
            assert mine
            assert theirs
        elif mine:
            assert written[name] == yours[name]
        else:
            assert written[name] == current[name]
    assert not asked & found.wanted


def test_a_value_nobody_saw_is_asked_about_only_when_it_differs() -> None:
    assert sort_out({}, {"address": "Số 5"}, {"address": "Số 5"}).collisions == ()
    [one] = sort_out({}, {"address": "Số 5"}, {"address": "Số 6"}).collisions
    assert (one.unit, one.base, one.current, one.yours) == ("address", {}, {"address": "Số 5"}, {"address": "Số 6"})


@pytest.fixture
def person(session: Session, make: Make) -> Prospect:
    new = NewPerson(
        "Nguyễn Thị Hoà", make.ward().id, phone="0912345678", birth_year=1975, address="Số 1", citizen_id=CITIZEN
    )
    return add_prospect(session, new, by=make.user(), at=clock.now())


def change(session: Session, person: Prospect, by: User, changes: dict[str, Any], base: dict[str, object]) -> None:
    change_prospect(session, person, changes, by=by, at=clock.now(), base=base)


def test_only_what_an_editor_changed_is_written(session: Session, make: Make, person: Prospect) -> None:
    mai, lan, opened = make.user(), make.user(), seen(person)
    change(session, person, mai, {"address": "Số 5", "full_name": person.full_name}, opened)
    change(session, person, lan, {"address": "Số 1", "full_name": "Nguyễn Thị Hoa"}, opened)
    assert (person.address, person.full_name) == ("Số 5", "Nguyễn Thị Hoa")


def test_two_who_write_the_same_do_not_meet(session: Session, make: Make, person: Prospect) -> None:
    opened = seen(person)
    change(session, person, make.user(), {"phone": "0988 777 666"}, opened)
    change(session, person, make.user(), {"phone": "+84 988777666"}, opened)
    records = session.scalars(select(ChangeRecord).where(ChangeRecord.act == "change_prospect")).all()
    assert len(records) == 1


def test_the_same_field_is_refused_with_all_three(session: Session, make: Make, person: Prospect) -> None:
    opened = seen(person)
    change(session, person, make.user(), {"address": "Số 5"}, opened)
    with pytest.raises(Conflict) as met:
        change(session, person, make.user(), {"address": "Số 6", "occupation": "May"}, opened)
    assert met.value.code == "stale"
    assert met.value.details["fields"] == [{"field": "address", "base": "Số 1", "current": "Số 5", "yours": "Số 6"}]
    assert (person.address, person.occupation) == ("Số 5", None)


def test_day_and_year_of_birth_are_one_thing(session: Session, make: Make, person: Prospect) -> None:
    opened = seen(person)
    change(session, person, make.user(), {"birth_date": date(1975, 3, 2), "birth_year": 1975}, opened)
    with pytest.raises(Conflict) as met:
        change(session, person, make.user(), {"birth_date": date(1975, 4, 2), "birth_year": 1975}, opened)
    assert [one.unit for one in met.value.details["collisions"]] == ["birth"]


def test_another_number_with_the_same_mask_is_another(session: Session, make: Make, person: Prospect) -> None:
    opened = seen(person)
    assert CITIZEN not in str(opened)
    change(session, person, make.user(), {"citizen_id": ANOTHER}, opened)
    assert person.citizen_id == ANOTHER
    record = session.scalars(select(ChangeRecord).where(ChangeRecord.act == "change_prospect")).one()
    assert (record.before or {})["citizen_id"] == "038***119"
    with pytest.raises(Conflict) as met:
        change(session, person, make.user(), {"citizen_id": "038175003119"}, opened)
    assert met.value.details["fields"][0]["yours"] == "038***119"


def test_what_a_version_was_is_known_from_the_records(session: Session, make: Make, person: Prospect) -> None:
    by, first = make.user(), person.version
    for address in ("Số 2", "Số 3"):
        change_prospect(session, person, {"address": address}, by=by, at=clock.now(), expected_version=person.version)
    assert as_of_version(session, person, first) == {"address": "Số 1"}
    assert as_of_version(session, person, first + 1) == {"address": "Số 2"}
    assert as_of_version(session, person, person.version) == {}


def correction(session: Session, person: Prospect) -> UUID:
    query = select(ChangeRecord.id).where(ChangeRecord.act == "change_prospect", ChangeRecord.subject_id == person.id)
    return session.scalars(query.order_by(ChangeRecord.at.desc(), ChangeRecord.id.desc()).limit(1)).one()


def test_one_field_is_put_back_and_that_is_a_correction(session: Session, make: Make, person: Prospect) -> None:
    by = make.user()
    changes = {"address": "Số 5", "sex": Sex.FEMALE, "birth_date": date(1975, 3, 2)}
    change(session, person, by, changes, seen(person))
    record = change_of(session, person, correction(session, person))
    put_back(session, person, record, "address", by=by, at=clock.now())
    put_back(session, person, record, "birth", by=by, at=clock.now())
    assert (person.address, person.sex, person.birth_date, person.birth_year) == ("Số 1", Sex.FEMALE, None, 1975)
    with pytest.raises(Conflict):
        put_back(session, person, record, "address", by=by, at=clock.now())
    last = change_of(session, person, correction(session, person))
    assert (last.before, (last.after or {})["birth_date"]) == ({"birth_date": "1975-03-02"}, None)


def test_a_number_that_is_not_kept_cannot_be_put_back(session: Session, make: Make, person: Prospect) -> None:
    by = make.user()
    change(session, person, by, {"citizen_id": ANOTHER, "si_number": "0123456789"}, seen(person))
    record = change_of(session, person, correction(session, person))
    with pytest.raises(RuleBroken):
        put_back(session, person, record, "citizen_id", by=by, at=clock.now())
    put_back(session, person, record, "si_number", by=by, at=clock.now())
    assert (person.citizen_id, person.insurance_number) == (ANOTHER, None)


@pytest.mark.committed
def test_two_at_once_of_different_fields_both_stand(app: Flask, session: Session, make: Make) -> None:
    person, by = make.prospect(address="Số 1", phone=make.phone()), make.user()
    told = race(app, session, person, by, {"address": "Số 5"}, {"occupation": "Thợ may"})
    session.expire_all()
    assert told == ["saved", "saved"]
    assert (person.address, person.occupation) == ("Số 5", "Thợ may")


@pytest.mark.committed
def test_two_at_once_of_the_same_field_one_is_asked(app: Flask, session: Session, make: Make) -> None:
    person, by = make.prospect(address="Số 1", phone=make.phone()), make.user()
    told = race(app, session, person, by, {"address": "Số 5"}, {"address": "Số 6"})
    session.expire_all()
    assert sorted(told) == ["saved", "stale"]
    assert person.address in ("Số 5", "Số 6")


def race(app: Flask, session: Session, person: Prospect, by: User, *changes: dict[str, Any]) -> list[str]:
    """Let sessions of their own change one person from the same base at the same time; answers what each was told."""
    key, user, base = (person.town_id, person.id), (by.town_id, by.id), seen(person)
    session.commit()
    ready, told = threading.Barrier(len(changes)), [""] * len(changes)

    def one(place: int, wanted: dict[str, Any]) -> None:
        with app.app_context():
            try:
                with transaction() as own:
                    who, editor = own.get_one(Prospect, key), own.get_one(User, user)
                    ready.wait(10)
                    change_prospect(own, who, wanted, by=editor, at=clock.now(), base=base)
                told[place] = "saved"
            except Conflict as refusal:
                told[place] = refusal.code

    threads = [threading.Thread(target=one, args=item) for item in enumerate(changes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


# ---- the pages


def opened_form(browser: FlaskClient, person: Prospect) -> dict[str, str]:
    """What the form says when it is opened, as the browser would send it."""
    return fields_of(browser.get(f"/people/{person.id}/edit").text)


def fields_of(page: str) -> dict[str, str]:
    main = page[page.index("<form", page.index("<main")) :]
    sent = {}
    for tag in re.findall(r"<input[^>]*>", main):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and ('type="radio"' not in tag or " checked" in tag):
            sent[unescape(name[1])] = unescape(value[1]) if value else ""
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', main, re.S):
        chosen = re.search(r'<option selected[^>]*value="([^"]*)"', options)
        sent[name] = unescape(chosen[1]) if chosen else ""
    return sent


def test_two_editors_of_different_fields_both_save(signed_in: Browser, person: Prospect, session: Session) -> None:
    mai, lan = signed_in(Role.MANAGER), signed_in(Role.MANAGER)
    hers, theirs = opened_form(mai, person), opened_form(lan, person)
    assert CITIZEN not in str(hers)
    assert lan.post(f"/people/{person.id}/edit", data=theirs | {"address": "Số 5"}).status_code == 302
    assert mai.post(f"/people/{person.id}/edit", data=hers | {"occupation": "Thợ may"}).status_code == 302
    session.refresh(person)
    assert (person.address, person.occupation, person.citizen_id) == ("Số 5", "Thợ may", CITIZEN)


@pytest.mark.parametrize(("choice", "address"), [("mine", "Số 6"), ("theirs", "Số 5")])
def test_two_editors_of_one_field_see_both_and_choose(
    signed_in: Browser, make: Make, person: Prospect, session: Session, choice: str, address: str
) -> None:
    lan = make.user(full_name="Lê Thị Lan")
    first, second = signed_in(lan), signed_in(Role.MANAGER)
    hers, mine = opened_form(first, person), opened_form(second, person)
    first.post(f"/people/{person.id}/edit", data=hers | {"address": "Số 5", "full_name": "Nguyễn Thị Hoa"})
    typed = mine | {"address": "Số 6", "occupation": "Thợ may", "citizen_id": ANOTHER}
    page = second.post(f"/people/{person.id}/edit", data=typed)
    assert page.status_code == 409
    for said in ("Trước đó: Số 1", "Số 5", "Số 6", "Lê Thị Lan ghi lúc", "Thợ may"):
        assert said in page.text
    again = fields_of(page.text)
    assert (again["address"], again["occupation"], again["citizen_id"]) == ("Số 6", "Thợ may", ANOTHER)
    unanswered = second.post(f"/people/{person.id}/edit", data=again)
    assert unanswered.status_code == 409
    assert "Hãy chọn một trong hai" in unanswered.text
    again = fields_of(unanswered.text) | {"choose-address": choice}
    assert second.post(f"/people/{person.id}/edit", data=again).status_code == 302
    session.refresh(person)
    assert (person.address, person.occupation, person.citizen_id) == (address, "Thợ may", ANOTHER)
    assert person.full_name == "Nguyễn Thị Hoa", "what only the other changed stays"


def test_a_third_who_writes_meanwhile_is_asked_about_too(
    signed_in: Browser, person: Prospect, session: Session, make: Make
) -> None:
    browser, by = signed_in(Role.MANAGER), make.user()
    form = opened_form(browser, person)
    change(session, person, by, {"address": "Số 5"}, seen(person))
    page = browser.post(f"/people/{person.id}/edit", data=form | {"address": "Số 6"})
    change(session, person, by, {"address": "Số 7"}, seen(person))
    answer = fields_of(page.text) | {"choose-address": "mine"}
    page = browser.post(f"/people/{person.id}/edit", data=answer)
    assert page.status_code == 409
    assert "Số 7" in page.text
    assert (
        browser.post(f"/people/{person.id}/edit", data=fields_of(page.text) | {"choose-address": "mine"}).status_code
        == 302
    )
    session.refresh(person)
    assert person.address == "Số 6"


def test_a_move_to_another_ward_meets_another_neighbourhood(
    signed_in: Browser, person: Prospect, session: Session, make: Make
) -> None:
    browser, ward = signed_in(Role.MANAGER), make.ward("14818@2019-10-15")
    form = opened_form(browser, person)
    change(session, person, make.user(), {"place_id": ward.id, "neighbourhood_id": None}, seen(person))
    page = browser.post(f"/people/{person.id}/edit", data=form | {"neighbourhood": "Khu phố 4"})
    assert page.status_code == 409
    assert ward.name in page.text
    assert "Khu phố 4" in page.text
    answer = fields_of(page.text) | {"choose-home": "theirs"}
    assert browser.post(f"/people/{person.id}/edit", data=answer).status_code == 302
    session.refresh(person)
    assert (person.place_id, person.neighbourhood_id) == (ward.id, None)


def test_bad_input_keeps_everything_typed(signed_in: Browser, person: Prospect) -> None:
    browser = signed_in(Role.MANAGER)
    form = opened_form(browser, person) | {
        "phone": "09",
        "address": "Số 9",
        "citizen_id": ANOTHER,
        "birth": "31/2/1975",
    }
    page = browser.post(f"/people/{person.id}/edit", data=form)
    assert page.status_code == 422
    kept = fields_of(page.text)
    assert {name: kept[name] for name in ("phone", "address", "citizen_id", "birth", "base")} == {
        name: form[name] for name in ("phone", "address", "citizen_id", "birth", "base")
    }


@pytest.mark.parametrize("base", ["", "nothing", "[]", "{}", '{"place_id": 5, "birth_date": [], "phone": {}}', "null"])
def test_a_form_with_a_broken_memory_is_no_error(signed_in: Browser, person: Prospect, base: str) -> None:
    browser = signed_in(Role.MANAGER)
    form = opened_form(browser, person) | {"base": base, "address": "Số 9"}
    assert browser.post(f"/people/{person.id}/edit", data=form).status_code in (302, 409)
    form |= {"theirs": base, "met": "address", "choose-address": "theirs"}
    assert browser.post(f"/people/{person.id}/edit", data=form).status_code in (302, 409)


def test_a_correction_is_put_back_from_the_page(
    signed_in: Browser, person: Prospect, session: Session, make: Make
) -> None:
    browser = signed_in(Role.MANAGER)
    change(session, person, make.user(), {"address": "Số 5"}, seen(person))
    page = browser.get(f"/people/{person.id}/changes").text
    assert "<del>Số 1</del> → <ins>Số 5</ins>" in page
    back = re.search(r'action="([^"]+/put-back)"', page)
    assert back
    browser.post(back[1], data={"unit": "address"})
    session.refresh(person)
    assert person.address == "Số 1"
    assert "được sửa lần nữa" in browser.post(back[1], data={"unit": "address"}, follow_redirects=True).text
    assert "không được lưu lại" in browser.post(back[1], data={"unit": "nonsense"}, follow_redirects=True).text
    assert back[1] not in browser.get(f"/people/{person.id}/changes").text, "it does not stand any more"
    auditor = signed_in(Role.AUDITOR)
    assert "put-back" not in auditor.get(f"/people/{person.id}/changes").text
    assert auditor.post(back[1], data={"unit": "address"}).status_code == 403
    other = make.prospect()
    assert browser.post(back[1].replace(str(person.id), str(other.id)), data={"unit": "address"}).status_code == 404
