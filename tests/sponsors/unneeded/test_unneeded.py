"""Money set aside for months it can no longer be paid for is found, and given back with one tap."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.months import Month
from crm.participation.queries import open_spell
from crm.participation.rules import Basis, Ending
from crm.participation.services import enrol, record_payment, stop
from crm.premiums.rules.quotes import Plan
from crm.prospects.models import Prospect
from crm.prospects.rules import Ground
from crm.sponsors import queries as sponsoring
from crm.sponsors.unneeded import queries
from crm.sponsors.unneeded.rules import Why
from tests.factories import Make
from tests.sponsors.stories import A_MONTH, TODAY, allocate, pay, poor, receive, sponsor


def found(session: Session, make: Make, today: date = TODAY) -> list[queries.Unneeded]:
    scope = scope_of(session, make.user(Role.MANAGER))
    rows = queries.unneeded_page(session, scope, today, cursor=None).rows
    assert queries.how_many(session, scope, today) == len(rows)
    return list(rows)


def pays_alone(session: Session, make: Make, person: Prospect, start: Month, months: int = 1) -> None:
    spell = open_spell(session, person)
    act: Any = record_payment if spell else enrol
    how: dict[str, Any] = {"paid_on": TODAY, "grounds": [Ground.POOR], "basis": Basis.CONFIRMED, "confirmation": "C1"}
    act(session, person, income=700_000, plan=Plan.periodic(months), start=start, by=make.user(), at=clock.now(), **how)


def test_money_that_can_still_be_paid_is_in_no_list(session: Session, make: Make) -> None:
    by = sponsor(make)
    receive(by, 20 * A_MONTH)
    pay(make, allocate(by, poor(make), months=3))
    allocate(by, poor(make, "Bà Sau"), months=6)
    assert found(session, make) == []


def test_a_month_somebody_paid_alone_frees_the_money_from_that_month_on(session: Session, make: Make) -> None:
    by, person = sponsor(make), poor(make)
    receive(by, 20 * A_MONTH)
    allocate(by, person, months=3)
    pays_alone(session, make, person, Month(2019, 11))
    (one,) = found(session, make)
    assert (one.why, str(one.since), one.months, one.amount) == (Why.PAID, "2019-11", 2, 2 * A_MONTH)


def test_who_left_for_good_needs_no_more_and_who_lapsed_may_come_back(session: Session, make: Make) -> None:
    by, gone, lapsed = sponsor(make), poor(make, "Ông Đi"), poor(make, "Bà Dừng")
    receive(by, 20 * A_MONTH)
    left = date(2019, 10, 20)
    for person, ending in ((gone, Ending.COMPULSORY), (lapsed, Ending.LAPSED)):
        pay(make, allocate(by, person, months=1))
        allocate(by, person, months=3, start=Month(2019, 11))
        spell = open_spell(session, person)
        assert spell
        stop(session, spell, on=left, ending=ending, by=make.user(Role.MANAGER), at=clock.at(left, 9))
    (one,) = found(session, make, left)
    assert (one.person.id, one.why, one.amount) == (gone.id, Why.LEFT, 3 * A_MONTH)


def test_months_that_can_no_longer_be_paid_are_told(session: Session, make: Make) -> None:
    by = sponsor(make)
    receive(by, 20 * A_MONTH)
    allocate(by, poor(make), months=1)
    assert found(session, make, date(2019, 10, 31)) == []
    (one,) = found(session, make, date(2020, 2, 1))
    assert one.why is Why.TOO_LATE


def test_the_treasurer_gives_all_back_with_one_tap_and_a_second_tap_changes_nothing(
    signed_in: Callable[..., FlaskClient], session: Session, make: Make
) -> None:
    by = sponsor(make)
    receive(by, 20 * A_MONTH)
    people = [poor(make, f"Bà Sớm {number}") for number in range(2)]
    kept = [str(allocate(by, person, months=3).id) for person in people]
    for person in people:
        pays_alone(session, make, person, Month(2019, 10))
    browser = signed_in(Role.TREASURER)
    assert "Bà Sớm 0" in browser.get("/sponsors/unneeded").text
    assert sponsoring.balance_of(session, by).available == 14 * A_MONTH
    assert browser.post("/sponsors/unneeded", data={"allocation": kept}).status_code == 303
    assert sponsoring.balance_of(session, by).available == 20 * A_MONTH
    assert browser.post("/sponsors/unneeded", data={"allocation": kept}).status_code == 303
    assert "Khoản này đã trả lại" in browser.get("/sponsors/unneeded").text
    assert sponsoring.balance_of(session, by).available == 20 * A_MONTH
    assert browser.post("/sponsors/unneeded", data={}).status_code == 303
