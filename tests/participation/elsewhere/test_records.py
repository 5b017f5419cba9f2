"""Months paid elsewhere, or before this register, by the insurance office's paper."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.rules import Role
from crm.errors import RuleBroken
from crm.months import Month
from crm.participation import months
from crm.participation.elsewhere.models import InsuranceRecord
from crm.participation.elsewhere.rules import Said, beside, check
from crm.participation.elsewhere.services import write_down
from crm.participation.guard.queries import supported_until
from crm.participation.queries import helped_before, helped_of_all
from crm.participation.rules import Beginning
from crm.premiums.queries import law
from crm.prospects.models import Prospect
from tests.factories import Make
from tests.participation.stories import agent_of, join, pay, spell

Browse = Callable[..., FlaskClient]
OCTOBER = date(2019, 10, 15)
PAPER = Said(Month(2019, 9), voluntary=30, supported=20, compulsory=14, proof="Sổ BHXH, tờ rời 9/2019")


def read(make: Make, person: Prospect, said: Said = PAPER) -> None:
    write_down(make.session, person, said, by=make.user(Role.MANAGER), at=clock.now())


def test_months_helped_with_in_another_province_count_toward_the_cap(session: Session, make: Make) -> None:
    person = make.prospect()
    join(person, OCTOBER)
    read(make, person)
    assert helped_before(session, person).by_the_state == 23
    assert helped_of_all(session, person.town_id, [person.id])[person.id].by_the_state == 23
    told = months.told(session, person, law(session), OCTOBER)
    assert (told.paid, told.supported, told.for_pension, told.unsure) == (33, 23, 47, 0)
    assert [one.supported_so_far for one in told.calendar.months if one.is_paid] == [21, 22, 23]


def test_the_paper_counts_the_months_on_record_here_as_well(session: Session, make: Make) -> None:
    person = make.prospect()
    join(person, date(2019, 7, 1))
    read(make, person, Said(Month(2019, 9), 10, 8, 0, "VssID"))
    assert helped_before(session, person).by_the_state == 8
    pay(person, OCTOBER)
    told = months.told(session, person, law(session), OCTOBER)
    assert (told.beside.voluntary, told.paid, told.supported) == (7, 13, 11)
    assert helped_before(session, person).by_the_state == 11


def test_a_paper_that_knows_fewer_months_takes_none_of_ours_away(session: Session, make: Make) -> None:
    person = make.prospect()
    join(person, date(2019, 7, 1))
    read(make, person, Said(Month(2019, 9), 1, 1, 0, "VssID"))
    assert helped_before(session, person).by_the_state == 3
    assert months.told(session, person, law(session), OCTOBER).paid == 3


def test_what_a_list_left_unsure_is_sure_once_the_paper_was_read(session: Session, make: Make) -> None:
    person = make.prospect()
    through = date(2019, 9, 1)
    spell(make, person, date(2019, 1, 1), started_as=Beginning.BASELINE, paid_through=through, deadline_on=None)
    before = months.told(session, person, law(session), OCTOBER)
    assert (before.unsure, before.supported) == (9, 0)
    read(make, person, Said(Month(2019, 9), 9, 7, 0, "VssID"))
    told = months.told(session, person, law(session), OCTOBER)
    assert (told.unsure, told.supported, told.paid) == (0, 7, 9)
    read(make, person, Said(Month(2019, 9), 12, None, 0, "Sổ cũ"))
    told = months.told(session, person, law(session), OCTOBER)
    assert (told.unsure, told.supported, told.paid) == (12, 0, 12)


def helped_long(make: Make, person: Prospect, months: int) -> None:
    """So many months helped with, written past the check: in 2019 no paper can say so yet."""
    row = {"through": date(2019, 9, 1), "voluntary": months, "supported": months, "compulsory": 0, "proof": "Sổ BHXH"}
    by = make.user(Role.MANAGER)
    make.session.add(InsuranceRecord(town_id=person.town_id, prospect_id=person.id, at=clock.now(), by_id=by.id, **row))


@pytest.mark.parametrize(("months", "told"), [(108, True), (107, False)])
def test_a_year_before_the_states_support_ends_the_persons_page_says_so(
    session: Session, make: Make, signed_in: Browse, months: int, told: bool
) -> None:
    """With the three months joined for, the help ends in September 2020, or in October: a month too far to be told."""
    person = make.prospect()
    helped_long(make, person, months)
    join(person, OCTOBER)
    session.commit()
    page = signed_in(Role.MANAGER).get(f"/people/{person.id}").get_data(as_text=True)
    assert ("Nhà nước hỗ trợ đến hết 9/2020" in page) is told


def test_of_month_121_nothing_is_paid_by_the_state(session: Session, make: Make) -> None:
    person = make.prospect()
    helped_long(make, person, 119)
    spell_now = join(person, OCTOBER)
    first, second, third = months.told(session, person, law(session), OCTOBER).calendar.months[:3]
    assert [(one.supported, one.supported_so_far) for one in (first, second, third)] == [
        (True, 120),
        (False, 120),
        (False, 120),
    ]
    ending = dict(session.execute(supported_until(person.town_id, 120, OCTOBER)).tuples().all())
    assert ending == {person.id: date(2019, 10, 1)}
    assert spell_now.paid_through == date(2019, 12, 1)


def test_a_correction_stands_beside_what_was_said_before(session: Session, make: Make) -> None:
    person = make.prospect()
    read(make, person)
    read(make, person)
    read(make, person, Said(Month(2019, 9), 31, 20, 14, "Sổ BHXH, tờ rời 9/2019"))
    assert session.scalar(select(func.count(InsuranceRecord.id))) == 2
    with pytest.raises(DBAPIError, match="permission denied"), session.begin_nested():
        session.execute(text("update insurance_record set supported = 0"))


@pytest.mark.parametrize(
    ("said", "field"),
    [
        (Said(Month(2019, 11), 1, 1, 0, "x"), "through"),
        (Said(Month(2019, 9), 142, 1, 0, "x"), "voluntary"),
        (Said(Month(2019, 9), 5, 6, 0, "x"), "supported"),
        (Said(Month(2019, 9), 130, 121, 0, "x"), "supported"),
        (Said(Month(2019, 9), 5, 5, 2000, "x"), "compulsory"),
    ],
)
def test_what_no_paper_can_say_is_refused(said: Said, field: str) -> None:
    with pytest.raises(RuleBroken) as refusal:
        check(said, Month.of(OCTOBER), 120)
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("voluntary", "supported", "compulsory", "field"),
    [
        (40, 27, 0, None),
        (40, 28, 0, "supported"),  # the State helps since 2018; the year's window reaches back to July 2017
        (40, 20, 377, None),
        (40, 20, 378, "compulsory"),  # old enough since January 1985
    ],
)
def test_no_paper_counts_more_months_than_there_were(
    session: Session, make: Make, voluntary: int, supported: int, compulsory: int, field: str | None
) -> None:
    person = make.prospect(birth_date=date(1970, 1, 20), birth_year=1970)
    said = Said(Month(2019, 9), voluntary, supported, compulsory, "Sổ BHXH")
    with pytest.raises(RuleBroken) if field else nullcontext() as refusal:
        read(make, person, said)
    assert refusal is None or refusal.value.field == field


def test_the_refusal_says_from_when_the_state_helps_and_why_months_before_count(session: Session, make: Make) -> None:
    with pytest.raises(RuleBroken) as refusal:
        read(make, make.prospect(), Said(Month(2019, 9), 40, 28, 0, "Sổ BHXH"))
    words = str(refusal.value)
    assert "từ tháng 1/2018, tính theo ngày nộp tiền" in words
    assert "tháng sớm nhất còn được đóng là 7/2017" in words


def test_without_a_paper_nothing_is_added() -> None:
    assert beside(None, [Month(2019, 1)], []).voluntary == 0


def test_an_agent_reads_the_paper_and_a_volunteer_shows_it(session: Session, make: Make, signed_in: Browse) -> None:
    person = make.prospect()
    browser = signed_in(agent_of(make, person))
    data = {"through": "2019-09", "voluntary": "30", "supported": "20", "compulsory": "14", "proof": "Sổ BHXH"}
    page = f"/people/{person.id}/insurance-record"
    assert browser.post(page, data=data | {"supported": "31"}).status_code == 422
    assert browser.post(page, data=data | {"proof": ""}).status_code == 422
    assert session.scalars(select(InsuranceRecord)).all() == []
    assert browser.post(page, data=data).status_code == 302
    shown = browser.get(page).get_data(as_text=True)
    assert "Sổ BHXH" in shown
    assert "Sổ BHXH" in browser.get(f"/people/{person.id}").get_data(as_text=True)
    volunteer = make.user(Role.VOLUNTEER)
    person.volunteer_id = volunteer.id
    session.commit()
    other = signed_in(volunteer)
    assert other.get(page).status_code == 200
    assert other.post(page, data=data | {"voluntary": "99"}).status_code == 422
    assert len(session.scalars(select(InsuranceRecord)).all()) == 1


@pytest.mark.parametrize(("voluntary", "ticked"), [(30, True), (0, False)])
def test_whoever_paid_elsewhere_is_offered_as_somebody_who_moved_here(
    make: Make, signed_in: Browse, voluntary: int, ticked: bool
) -> None:
    person = make.prospect()
    read(make, person, replace(PAPER, voluntary=voluntary, supported=0))
    page = signed_in(agent_of(make, person)).get(f"/people/{person.id}/enrol").get_data(as_text=True)
    [box] = re.findall(r'<input[^>]*name="moved_in"[^>]*>', page)
    assert ("checked" in box) is ticked


def test_other_programs_read_and_write_it(app: Flask, session: Session, make: Make, client: FlaskClient) -> None:
    person, manager = make.prospect(), make.user(Role.MANAGER)
    headers = {"Authorization": f"Bearer {make.token(manager, 'read', 'write')}"}
    session.commit()
    address = f"/api/v1/prospects/{person.id}/insurance-record"
    assert client.get(address, headers=headers).status_code == 404
    sent: dict[str, Any] = {"through": "2019-09", "voluntary": 30, "supported": 20, "proof": "VssID"}
    assert client.put(address, json=sent, headers=headers).status_code == 200
    assert client.get(address, headers=headers).get_json() == sent | {"compulsory": 0}
    told = client.get(f"/api/v1/prospects/{person.id}/months", headers=headers).get_json()
    assert (told["paid_elsewhere"], told["supported"], told["compulsory"]) == (30, 20, 0)
    assert client.put(address, json=sent | {"through": "2019-99"}, headers=headers).status_code == 422
    assert timedelta(0) <= clock.now() - session.scalars(select(InsuranceRecord.at)).one() < timedelta(minutes=5)
