"""Whom the law lets pay at once for missing months, and what becomes of these months."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.errors import RuleBroken
from crm.months import Month
from crm.participation import months, queries, services
from crm.participation.calendar import State
from crm.participation.elsewhere.rules import Said
from crm.participation.elsewhere.services import write_down
from crm.participation.leaving.models import LeavingRefund
from crm.participation.models import Participation, Payment
from crm.participation.recounting import differences
from crm.participation.rules import Basis, Ending, Kind, Span
from crm.premiums.queries import law
from crm.premiums.rules.benefits.retirement import Birth, retirement
from crm.premiums.rules.missing import missing_for_pension
from crm.premiums.rules.quotes import Plan
from crm.premiums.services import law_as_shipped
from crm.prospects.models import Prospect
from crm.prospects.rules import Sex
from tests.factories import Make
from tests.participation.stories import agent_of, join

Browse = Callable[..., FlaskClient]
LAW = law_as_shipped()
AUGUST = date(2026, 8, 10)
"""A woman born in 9/1969 reaches 57 years in 9/2026: from August on she may pay."""
WOMAN = {"birth_date": date(1969, 9, 5), "birth_year": 1969, "sex": Sex.FEMALE}


@pytest.fixture(autouse=True)
def in_august(at_time: Callable[[datetime], None]) -> None:
    at_time(clock.at(AUGUST, 9))


def of_the_age(make: Make, *, voluntary: int = 120, compulsory: int = 10, **more: Any) -> Prospect:
    person = make.prospect(**WOMAN | more)
    said = Said(Month(2026, 7), voluntary, min(voluntary, 100), compulsory, "Sổ BHXH, tờ rời 7/2026")
    write_down(make.session, person, said, by=make.user(Role.MANAGER), at=clock.now())
    return person


def pay_for_all(make: Make, person: Prospect, plan: Plan, **more: Any) -> Participation:
    agent = agent_of(make, person)
    given: dict[str, Any] = {"income": 1_500_000, "basis": Basis.TAKEN, "by": agent, "receipt_number": "C45-9"}
    return join(person, AUGUST, plan=plan, **given | more)


def missing(sex: Sex, birth: date, so_far: int, day: date) -> Any:
    return missing_for_pension(LAW.on(day), retirement(LAW, sex, Birth(birth)), so_far)


@pytest.mark.parametrize(
    ("so_far", "day", "code"),
    [
        (180, AUGUST, "nothing_missing"),
        (130, date(2026, 7, 31), "too_early"),
        (119, AUGUST, "too_many_missing"),
        (120, AUGUST, None),
        (179, date(2026, 8, 1), None),
    ],
)
def test_only_at_the_age_and_only_for_as_many_as_the_law_says(so_far: int, day: date, code: str | None) -> None:
    told = missing(Sex.FEMALE, date(1969, 9, 5), so_far, day)
    assert (told.refusal.code if told.refusal else None) == code
    assert told.opens == Month(2026, 8)


def test_the_law_of_2019_needed_more_months_and_let_more_be_paid_at_once() -> None:
    told = missing(Sex.MALE, date(1959, 11, 1), 121, date(2019, 10, 15))
    assert (told.needed, told.months, told.most, told.refusal) == (240, 119, 120, None)


def test_a_pension_begins_after_the_age_is_reached_and_all_is_paid() -> None:
    assert missing(Sex.FEMALE, date(1969, 9, 5), 130, AUGUST).pension_from == Month(2026, 10)
    assert missing(Sex.FEMALE, date(1969, 9, 5), 130, date(2026, 12, 3)).pension_from == Month(2027, 1)


def test_whoever_pays_takes_part_from_that_day_until_the_pension(session: Session, make: Make) -> None:
    person = of_the_age(make)
    spell = pay_for_all(make, person, Plan.missing(50))
    payment = session.scalars(select(Payment)).one()
    assert (payment.missing, payment.months, payment.method) == (True, 50, 0)
    assert payment.gross == payment.own + payment.state_support
    assert payment.gross > 330_000 * 50  # with interest
    assert payment.supported_months == 20  # the State helped with 100 of 120 before
    stock = queries.page_of(
        session, scope_of(session, make.user(Role.MANAGER)), Kind.STOCK, Span.year_to(AUGUST), cursor=None
    ).rows
    assert [one.person.id for one in stock] == [person.id]
    assert (spell.started_on, spell.deadline_on, spell.paid_through) == (AUGUST, None, date(2030, 9, 1))
    assert services.lapse_overdue(session, date(2031, 1, 1), at=clock.now()) == 0
    told = months.told(session, person, law(session), AUGUST)
    assert told.for_pension == 180
    assert {one.state for one in told.calendar.months if one.is_paid} == {State.MISSING}
    assert not any(one.ahead for one in told.calendar.months)
    first, last = (one.borne for one in (told.calendar.months[0], told.calendar.months[49]))
    assert first
    assert last
    assert last.own > first.own  # the longest missing bears the most interest, and the State no longer helps
    assert differences(session) == []


def test_the_pension_brings_nothing_back_of_missing_months(session: Session, make: Make) -> None:
    person = of_the_age(make)
    spell = pay_for_all(make, person, Plan.missing(50))
    later = clock.at(date(2026, 10, 2), 9)
    manager = make.user(Role.MANAGER)
    assert services.stop(session, spell, on=date(2026, 10, 1), ending=Ending.PENSION, by=manager, at=later) == []
    assert session.scalars(select(LeavingRefund)).all() == []
    assert (spell.ended_as, spell.ended_on) == (Ending.PENSION, date(2026, 10, 1))


def test_who_takes_part_pays_on_with_it(session: Session, make: Make) -> None:
    person = of_the_age(make)
    spell = join(person, AUGUST, income=1_500_000, months=1)
    services.record_payment(
        session,
        person,
        income=1_500_000,
        plan=Plan.missing(49),
        paid_on=AUGUST,
        grounds=(),
        basis=Basis.CONFIRMED,
        by=make.user(Role.MANAGER),
        at=clock.now(),
    )
    assert (spell.paid_through, spell.deadline_on) == (date(2030, 9, 1), None)
    assert months.told(session, person, law(session), AUGUST).for_pension == 180


def test_a_mistake_is_taken_back_like_any_other(session: Session, make: Make) -> None:
    person = of_the_age(make)
    pay_for_all(make, person, Plan.missing(50))
    payment = session.scalars(select(Payment)).one()
    services.reverse_payment(
        session,
        payment,
        by=make.session.get_one(type(make.user()), (person.town_id, payment.recorded_by_id)),
        at=clock.now(),
    )
    assert months.told(session, person, law(session), AUGUST).for_pension == 130
    assert differences(session) == []


@pytest.mark.parametrize(
    ("known", "plan", "code"),
    [
        ({"voluntary": 170}, Plan.missing(50), "nothing_missing"),
        ({"voluntary": 100}, Plan.missing(60), "too_many_missing"),
        ({}, Plan.missing(40), "missing_differs"),
        ({"birth_date": date(1971, 1, 5), "birth_year": 1971}, Plan.missing(50), "too_early"),
        ({"sex": None}, Plan.missing(50), "age_unknown"),
    ],
)
def test_nobody_else_pays_for_missing_months(make: Make, known: dict[str, Any], plan: Plan, code: str) -> None:
    person = of_the_age(make, **known)
    with pytest.raises(RuleBroken) as refusal:
        pay_for_all(make, person, plan)
    assert refusal.value.code == code


def test_without_the_insurance_record_nobody_knows_what_is_missing(make: Make) -> None:
    with pytest.raises(RuleBroken) as refusal:
        pay_for_all(make, make.prospect(**WOMAN), Plan.missing(50))
    assert refusal.value.code == "record_unread"


def test_the_page_says_what_is_missing_and_records_it_once(session: Session, make: Make, signed_in: Browse) -> None:
    person = of_the_age(make)
    browser = signed_in(agent_of(make, person))
    page = f"/people/{person.id}/missing-months"
    shown = browser.get(page).get_data(as_text=True)
    assert "50" in shown
    assert "biên lai" in shown
    assert "Được đóng một lần nhiều nhất cho 60 tháng" in shown  # and not from which month on: it has come
    assert page in browser.get(f"/people/{person.id}").get_data(as_text=True)
    data = {"income": "1.500.000", "paid_on": "2026-08-10", "receipt_number": "C45-2"}
    for wrong in (
        {"income": "1.499.999"},
        {"paid_on": "2026-08-11"},
        {"paid_on": "2026-07-31"},
        {"receipt_number": ""},
    ):
        assert browser.post(page, data=data | wrong).status_code == 422, wrong
    assert session.scalars(select(Payment)).all() == []
    assert browser.post(page, data=data).status_code == 302
    assert browser.post(page, data=data | {"receipt_number": "C45-3"}).status_code == 422
    assert len(session.scalars(select(Payment)).all()) == 1
    assert browser.get(f"/people/{person.id}").status_code == 200
    assert browser.get(f"/people/{person.id}/months").status_code == 200


def test_the_page_says_what_to_do_first(make: Make, signed_in: Browse) -> None:
    person = make.prospect(**WOMAN)
    browser = signed_in(agent_of(make, person))
    shown = browser.get(f"/people/{person.id}/missing-months").get_data(as_text=True)
    assert f"/people/{person.id}/insurance-record" in shown
    assert browser.post(f"/people/{person.id}/missing-months", data={}).status_code == 422


def test_other_programs_ask_and_pay(session: Session, make: Make, client: FlaskClient) -> None:
    person, manager = of_the_age(make), make.user(Role.MANAGER)
    headers = {"Authorization": f"Bearer {make.token(manager, 'read', 'write')}"}
    session.commit()
    address = f"/api/v1/prospects/{person.id}/missing-months"
    told = client.get(address, headers=headers).get_json()
    assert (told["missing"], told["opens"], told["why_not"]) == (50, "2026-08", None)
    sent = {"income": 1_500_000, "paid_on": "2026-08-10", "months": 50, "confirmation": "Danh sách 12/BHXH"}
    assert client.post(address, json=sent | {"months": 49}, headers=headers).status_code == 422
    paid = client.post(address, json=sent, headers=headers)
    assert (paid.status_code, paid.get_json()["months"]) == (201, 50)
    assert client.post(address, json=sent, headers=headers).status_code == 422
