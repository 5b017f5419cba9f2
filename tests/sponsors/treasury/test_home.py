"""The treasurer's first page says what its rows say."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.months import Month
from crm.sponsors import services
from crm.sponsors.ledger.deciding import ask_to_refund
from crm.sponsors.treasury.queries import Carried, desk, months_carried
from tests.factories import Make
from tests.sponsors.stories import A_MONTH, LONG_AGO, TODAY, allocate, pay, poor, receive, sponsor

Browser = Callable[..., FlaskClient]


def test_every_figure_of_the_first_page_is_what_was_done(session: Session, make: Make) -> None:
    by, other = sponsor(make), sponsor(make, "Bà Hiền")
    services.pledge(session, other, 500_000, due=date(2019, 10, 1), by_id=None, at=clock.now(), on=date(2019, 9, 1))
    receive(by, 10 * A_MONTH)
    services.hold_unidentified(session, make.town.id, 70_000, reference="L1", by_id=None, on=TODAY, at=clock.now())
    allocate(by, poor(make, "Lê Thị Một"), months=3, at=LONG_AGO)
    allocate(by, poor(make, "Lê Thị Hai"), months=6)
    told = desk(session, scope_of(session, make.user(Role.TREASURER)), TODAY)
    assert (told.balance.received, told.balance.reserved, told.balance.available) == (
        10 * A_MONTH,
        9 * A_MONTH,
        A_MONTH,
    )
    assert told.balance.expected == told.late[1] == 500_000
    assert told.late[0] == 1
    assert told.unidentified == 70_000
    assert told.held == 10 * A_MONTH + 70_000
    assert told.ahead[:2] == (1, Month(2019, 12)), "whoever is carried for six months stands before no cliff yet"
    assert told.carried == Carried(0, 0), "money that is only set aside carries nobody yet"
    assert told.bridge is None
    assert told.proposed is None
    assert told.decisions == 0


def test_months_of_this_year_stand_beside_the_same_months_of_the_last(session: Session, make: Make) -> None:
    by = sponsor(make)
    receive(by, 20 * A_MONTH)
    pay(make, allocate(by, poor(make), months=12))
    allocate(by, poor(make, "Bà Sau"), months=1)
    assert months_carried(session, make.town.id, Month(2020, 9)) == Carried(9, 0)
    assert months_carried(session, make.town.id, Month(2020, 12)) == Carried(9, 3)


@pytest.mark.parametrize("role", list(Role))
def test_the_first_page_is_the_treasurers_and_open_to_who_sees_sponsors(signed_in: Browser, role: Role) -> None:
    browser = signed_in(role)
    allowed = role in (Role.ADMIN, Role.MANAGER, Role.TREASURER, Role.AUDITOR)
    for path in ("/treasury", "/sponsors/ending"):
        assert browser.get(path).status_code == (200 if allowed else 403)
    sent = browser.get("/").location
    assert (sent == "/treasury") == (role is Role.TREASURER)


def test_each_figure_opens_a_page_that_is_there(signed_in: Browser, make: Make) -> None:
    by = sponsor(make)
    receive(by, 10 * A_MONTH)
    sponsor(make, "Công ty Chưa Góp")
    allocate(by, poor(make))
    browser = signed_in(Role.TREASURER)
    page = browser.get("/treasury").text
    links = re.findall(r'<a class="figure[^"]*" href="([^"]+)"', page)
    assert len(links) >= 12
    for link in links:
        assert browser.get(link.replace("&amp;", "&")).status_code == 200, link
    narrowed = browser.get("/sponsors?holding=reserved").text
    assert "Công ty Đá Xanh" in narrowed
    assert "Công ty Chưa Góp" not in narrowed


def test_whose_help_ends_stands_in_the_list_until_somebody_carries_them_on(signed_in: Browser, make: Make) -> None:
    by, person = sponsor(make), poor(make, "Lê Thị Cuối")
    receive(by, 10 * A_MONTH)
    allocate(by, person, months=3, at=LONG_AGO)
    browser = signed_in(Role.TREASURER)
    assert "Lê Thị Cuối" in browser.get("/sponsors/ending").text
    allocate(by, person, months=6, start=Month(2020, 1))
    assert "Lê Thị Cuối" not in browser.get("/sponsors/ending").text


def test_it_says_what_waits_for_whom(session: Session, make: Make) -> None:
    first, second, manager = (make.user(role) for role in (Role.TREASURER, Role.TREASURER, Role.MANAGER))
    by = sponsor(make)
    receive(by, 5_000_000)
    ask_to_refund(session, by, 3_000_000, reason="Nhầm", reference=None, by=first, at=clock.now())
    for who in (first, second, manager):
        (waits,) = desk(session, scope_of(session, who), TODAY).second
        assert (who.id in waits.able) is (who is not first)
        assert next(iter(waits.able)) == second.id, "the other treasurer stands first"


def test_whoever_asked_for_much_finds_the_way_to_all_of_it(
    session: Session, make: Make, signed_in: Callable[..., FlaskClient]
) -> None:
    first, by = make.user(Role.TREASURER), sponsor(make)
    receive(by, 50_000_000)
    for number in range(7):
        given: dict[str, Any] = {"reference": None, "by": first, "at": clock.now()}
        ask_to_refund(session, by, 3_000_000 + number, reason="Nhầm", **given)
    page = signed_in(first).get("/treasury").text
    assert "Xem tất cả 7 việc đang chờ" in page


def test_as_many_things_wait_as_figures_say_so(signed_in: Browser, session: Session, make: Make) -> None:
    by = sponsor(make)
    receive(by, 10 * A_MONTH)
    allocate(by, poor(make), months=3, at=LONG_AGO)
    ask_to_refund(session, by, A_MONTH, reason="Nhầm", reference=None, by=make.user(Role.TREASURER), at=clock.now())
    page = signed_in(Role.TREASURER).get("/treasury").text
    [figures] = re.findall(r'<div class="figures">.*?</div>', page, re.S)[:1]
    waiting = re.findall(r'class="figure figure-(?:due|late)', figures)
    assert len(waiting) == 2
    assert "2 việc đang chờ" in page
