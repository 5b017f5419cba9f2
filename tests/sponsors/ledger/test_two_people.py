"""Above a limit it takes two people, and months close for good."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier
from typing import Any, cast

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.rules import Role
from crm.db import transaction
from crm.errors import Conflict, RuleBroken
from crm.months import Month
from crm.participation.rules import Basis
from crm.sponsors import queries, services
from crm.sponsors.giving.rules import Due
from crm.sponsors.ledger import deciding
from crm.sponsors.ledger.closing import close_month
from crm.sponsors.ledger.limits import set_limit
from crm.sponsors.ledger.models import LedgerPeriod, MoneyRequest
from crm.sponsors.ledger.queries import month_to_close
from crm.sponsors.ledger.rules import Decision, MoneyAct, next_to_close
from crm.sponsors.models import Allocation, Receipt, Sponsor
from crm.sponsors.rules import Balance
from tests.factories import Make
from tests.pages import JudgingClient
from tests.sponsors.ledger.test_booking import act, commit_would_hold, refused
from tests.sponsors.letters.stories import words
from tests.sponsors.stories import A_MONTH, TODAY, allocate, poor, receive, sponsor

NOVEMBER = date(2019, 11, 20)


@pytest.fixture
def two(session: Session, make: Make) -> tuple[User, User]:
    """The two treasurers; alone one may move as much as three months of a poor person."""
    set_limit(session, 3 * A_MONTH)
    return make.user(Role.TREASURER), make.user(Role.TREASURER)


@pytest.fixture
def by(make: Make) -> Sponsor:
    given = sponsor(make)
    receive(given, 100 * A_MONTH)
    return given


def now(who: User) -> dict[str, Any]:
    return {"by": who, "on": TODAY, "at": clock.now()}


def approve(session: Session, request: Any, who: User) -> None:
    assert isinstance(request, MoneyRequest)
    deciding.decide(session, request, Decision.APPROVED, **now(who))


def test_below_the_limit_one_person_is_enough(session: Session, make: Make, by: Sponsor, two: Any) -> None:
    assert allocate(by, poor(make), months=3).amount == 3 * A_MONTH
    services.refund(session, by, 3 * A_MONTH, reason="x", **act())
    commit_would_hold(session)


def test_above_it_money_is_set_aside_when_the_second_approves(
    session: Session, make: Make, by: Sponsor, two: tuple[User, User]
) -> None:
    one, other = two
    told: dict[str, Any] = {"start": Month(2019, 11), "months": 6, "reason": None, "expected": None}
    asked = deciding.allocate_or_ask(session, by, poor(make), **told, **now(one))
    assert isinstance(asked, MoneyRequest)
    assert (asked.act, asked.amount, queries.balance_of(session, by).reserved) == (MoneyAct.ALLOCATE, 6 * A_MONTH, 0)
    with pytest.raises(RuleBroken) as own:
        approve(session, asked, one)
    assert own.value.code == "own_request"
    approve(session, asked, other)
    assert queries.balance_of(session, by).reserved == 6 * A_MONTH
    with pytest.raises(Conflict) as again:
        approve(session, asked, other)
    assert again.value.code == "decided_already"
    commit_would_hold(session)


def test_refunds_corrections_and_payments_wait_as_well(
    session: Session, make: Make, by: Sponsor, two: tuple[User, User]
) -> None:
    one, other = two
    refund = deciding.refund_or_ask(session, by, 50 * A_MONTH, reason="xin lại", reference=None, **now(one))
    approve(session, refund, other)
    assert queries.balance_of(session, by).available == 50 * A_MONTH
    again = receive(by, 10 * A_MONTH, "FT2")
    correction = deciding.correct_or_ask(session, again, reason="nhầm", **now(one))
    approve(session, correction, other)
    assert queries.balance_of(session, by) == Balance(0, 100 * A_MONTH, 50 * A_MONTH, returned=50 * A_MONTH)
    set_limit(session, None)
    aside = allocate(by, poor(make), months=6)
    commit_would_hold(session)
    set_limit(session, A_MONTH)
    agent = make.user(Role.AGENT)
    payment: dict[str, Any] = {"paid_on": TODAY, "basis": Basis.TAKEN, "receipt_number": "BL1", "confirmation": None}
    asked = deciding.pay_or_ask(session, aside, **payment, by=agent, at=clock.now())
    assert aside.payment_id is None
    approve(session, asked, other)
    assert aside.payment_id
    assert queries.balance_of(session, by).paid == 6 * A_MONTH
    commit_would_hold(session)


def test_nobody_is_asked_for_more_than_there_is(session: Session, by: Sponsor, two: tuple[User, User]) -> None:
    receipt = session.scalars(select(Receipt)).one()
    refund: dict[str, Any] = {"reason": "xin lại", "reference": None}
    with pytest.raises(Conflict) as too_much:
        deciding.refund_or_ask(session, by, 101 * A_MONTH, **refund, **now(two[0]))
    assert too_much.value.code == "not_enough_received"
    services.refund(session, by, A_MONTH, reason="x", **act())
    with pytest.raises(Conflict) as spent:
        deciding.correct_or_ask(session, receipt, reason="nhầm", **now(two[0]))
    assert spent.value.code == "not_enough_received"
    assert session.scalar(select(MoneyRequest)) is None


def test_a_refusal_says_why_and_does_nothing(session: Session, make: Make, by: Sponsor, two: tuple[User, User]) -> None:
    one, other = two
    asked = deciding.refund_or_ask(session, by, 50 * A_MONTH, reason="xin lại", reference=None, **now(one))
    assert isinstance(asked, MoneyRequest)
    with pytest.raises(RuleBroken) as silent:
        deciding.decide(session, asked, Decision.REFUSED, **now(other))
    assert silent.value.field == "words"
    deciding.decide(session, asked, Decision.REFUSED, words="Chưa có công văn", **now(other))
    assert queries.balance_of(session, by).available == 100 * A_MONTH


def test_what_was_approved_is_refused_when_it_does_not_hold_any_more(
    session: Session, make: Make, by: Sponsor, two: tuple[User, User]
) -> None:
    one, other = two
    person = poor(make)
    told: dict[str, Any] = {"start": Month(2019, 11), "months": 6, "reason": None, "expected": None}
    asked = deciding.allocate_or_ask(session, by, person, **told, **now(one))
    allocate(by, person, months=1, start=Month(2020, 1))
    with pytest.raises(Conflict) as changed, session.begin_nested():
        approve(session, asked, other)
    assert changed.value.code == "months_carried"
    assert isinstance(asked, MoneyRequest)
    assert asked.decision is None


def test_small_steps_of_one_person_on_one_day_do_not_get_past_the_limit(
    session: Session, make: Make, by: Sponsor, two: tuple[User, User], at_time: Any
) -> None:
    one, other = two
    told: dict[str, Any] = {"reason": "xin lại"}
    for who in (one, other):
        services.refund(session, by, 2 * A_MONTH, **told, by_id=who.id, on=TODAY, at=clock.now())
    with pytest.raises(Conflict) as sum_of_the_day:
        services.refund(session, by, 2 * A_MONTH, **told, by_id=one.id, on=TODAY, at=clock.now())
    assert sum_of_the_day.value.code == "needs_second"
    asked = deciding.refund_or_ask(session, by, 2 * A_MONTH, reason="xin lại", reference=None, **now(one))
    approve(session, asked, other)
    services.refund(session, by, A_MONTH, **told, by_id=one.id, on=TODAY, at=clock.now())
    another = sponsor(make, "Hội Chữ thập đỏ")
    receive(another, 3 * A_MONTH, "FT2")
    services.refund(session, another, 3 * A_MONTH, **told, by_id=one.id, on=TODAY, at=clock.now())
    at_time(clock.at(date(2019, 10, 16), 8))
    services.refund(session, by, 3 * A_MONTH, **told, by_id=one.id, on=TODAY, at=clock.now())
    commit_would_hold(session)


@pytest.mark.committed
def test_of_acts_of_one_person_at_once_those_above_the_limit_together_are_told_to_ask(app: Flask) -> None:
    with transaction() as session:
        make = Make(session)
        set_limit(session, 3 * A_MONTH)
        given, who = sponsor(make), make.user(Role.TREASURER).id
        receive(given, 100 * A_MONTH)
        key = given.town_id, given.id
    start = Barrier(4)

    def act(_which: int) -> str:
        with app.app_context():
            start.wait()
            try:
                with transaction() as current:
                    told: dict[str, Any] = {"reason": "xin lại", "by_id": who, "on": TODAY, "at": clock.now()}
                    services.refund(current, current.get_one(Sponsor, key), 2 * A_MONTH, **told)
            except Conflict as refused:
                return refused.code
            return "moved"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(act, range(4))) == ["moved", *["needs_second"] * 3]


def test_the_database_adds_up_the_small_steps_of_a_day(
    session: Session, make: Make, by: Sponsor, two: tuple[User, User]
) -> None:
    set_limit(session, None)
    for _turn in range(2):
        allocate(by, poor(make), months=3, by_id=two[0].id)
    set_limit(session, 5 * A_MONTH)
    with pytest.raises(DBAPIError, match="above the limit of a day"):
        session.execute(text("set constraints all immediate"))


def test_what_waits_is_not_asked_for_twice(session: Session, make: Make, by: Sponsor, two: tuple[User, User]) -> None:
    one, other = two
    refund: dict[str, Any] = {"reason": "xin lại", "reference": None}
    asked = deciding.refund_or_ask(session, by, 4 * A_MONTH, **refund, **now(one))
    for who in two:
        with pytest.raises(Conflict) as twice:
            deciding.refund_or_ask(session, by, 4 * A_MONTH, **refund, **now(who))
        assert twice.value.code == "asked_already"
        if who is one:
            month: dict[str, Any] = {"by": who, "on": NOVEMBER, "at": clock.now()}
            deciding.close_or_ask(session, make.town.id, Month(2019, 10), **month)
        with pytest.raises(Conflict) as closing:
            deciding.close_or_ask(session, make.town.id, Month(2019, 10), **month | {"by": who})
        assert closing.value.code == "asked_already"
    approve(session, asked, other)
    again = deciding.refund_or_ask(session, by, 4 * A_MONTH, **refund, **now(one))
    assert isinstance(again, MoneyRequest)


def test_only_runs_that_can_be_paid_are_set_aside(session: Session, make: Make, by: Sponsor) -> None:
    for months in (2, 5, 24):
        with pytest.raises(RuleBroken) as refusal:
            allocate(by, poor(make), months=months)
        assert refusal.value.field == "months"
    assert queries.balance_of(session, by).reserved == 0


def test_a_mistyped_year_does_not_get_into_the_book(session: Session, make: Make, by: Sponsor) -> None:
    told: dict[str, Any] = {"reference": "FT1900", "pledge": None, "by_id": None, "at": clock.now()}
    for wrong in (date(1900, 1, 1), date(2017, 10, 1)):
        with pytest.raises(RuleBroken) as receipt:
            services.receive(session, by, A_MONTH, on=wrong, **told)
        assert (receipt.value.code, receipt.value.field) == ("long_ago", "received_on")
    assert services.receive(session, by, A_MONTH, on=date(2018, 10, 1), **told).amount == A_MONTH
    late: dict[str, Any] = {"by_id": None, "at": clock.now(), "on": TODAY}
    for dues in (None, [Due(TODAY, A_MONTH), Due(date(1919, 12, 1), A_MONTH)]):
        with pytest.raises(RuleBroken) as promise:
            services.pledge(session, by, 2 * A_MONTH, due=date(1919, 12, 1), dues=dues, **late)
        assert promise.value.field == "due_on"


# ---- by the database alone


def test_the_database_refuses_an_approval_by_whoever_asked(
    session: Session, make: Make, by: Sponsor, two: tuple[User, User]
) -> None:
    deciding.refund_or_ask(session, by, 50 * A_MONTH, reason="x", reference=None, **now(two[0]))
    own = "update money_request set decision = 'approved', decided_at = now(), decided_by_id = asked_by_id"
    assert "ck_money_request_two_people" in refused(session, own)
    assert "permission denied" in refused(session, "update money_request set amount = 1")
    assert "permission denied" in refused(session, "update money_request set asked_by_id = null")
    assert "permission denied" in refused(session, "delete from money_request")


def test_the_database_refuses_money_above_the_limit_without_an_approval(
    session: Session, make: Make, by: Sponsor, two: tuple[User, User]
) -> None:
    set_limit(session, None)
    allocate(by, poor(make), months=6)
    set_limit(session, 3 * A_MONTH)
    with pytest.raises(DBAPIError, match="above the limit"):
        session.execute(text("set constraints all immediate"))


def test_an_approval_is_used_once_and_not_for_more(
    session: Session, make: Make, by: Sponsor, two: tuple[User, User]
) -> None:
    one, other = two
    asked = deciding.refund_or_ask(session, by, 4 * A_MONTH, reason="x", reference=None, **now(one))
    approve(session, asked, other)
    assert isinstance(asked, MoneyRequest)
    with pytest.raises(DBAPIError, match="uq_posting_town_id_request_id"), session.begin_nested():
        services.refund(session, by, 4 * A_MONTH, reason="x", request_id=asked.id, **act())
    commit_would_hold(session)


# ---- closing


def test_months_close_in_order_once_they_are_over() -> None:
    october, november = Month(2019, 10), Month(2019, 11)
    assert next_to_close(None, None, october) is None
    assert next_to_close(None, october, october) is None
    assert next_to_close(None, october, november) == october
    assert next_to_close(october, october, november) is None
    assert next_to_close(october, Month(2019, 1), Month(2020, 1)) == november


def close(session: Session, make: Make, month: Month, on: date = NOVEMBER) -> LedgerPeriod:
    who = make.user(Role.TREASURER)
    return close_month(session, make.town.id, month, by_id=who.id, on=on, at=clock.now())


def test_a_closed_month_takes_nothing_and_what_is_learned_later_goes_into_the_open_one(
    session: Session, make: Make, by: Sponsor, at_time: Any
) -> None:
    at_time(clock.at(NOVEMBER, 9))
    aside = allocate(by, poor(make), months=1)
    assert month_to_close(session, make.town.id, NOVEMBER) == Month(2019, 10)
    period = close(session, make, Month(2019, 10))
    session.refresh(period)
    assert period.balances == {"outside": -100 * A_MONTH, "available": 99 * A_MONTH, "reserved": A_MONTH}
    assert period.moved["received available"] == 100 * A_MONTH
    assert (period.postings, len(period.digest)) == (2, 64)
    with pytest.raises(RuleBroken) as refusal:
        receive(by, A_MONTH, "FT7")
    assert (refusal.value.code, refusal.value.field) == ("month_closed", "received_on")
    posting = services.release(session, aside, **act())
    assert posting.posted_on == date(2019, 11, 1)
    receipt = session.scalars(select(Receipt)).one()
    assert services.correct_receipt(session, receipt, reason="nhầm", **act()).posted_on == date(2019, 11, 1)
    with pytest.raises(Conflict):
        close(session, make, Month(2019, 10))
    with pytest.raises(RuleBroken) as ahead:
        close(session, make, Month(2019, 12), on=date(2020, 2, 1))
    assert ahead.value.code == "not_its_turn"
    second = close(session, make, Month(2019, 11), on=date(2020, 2, 1))
    session.refresh(second)
    assert second.digest != period.digest
    commit_would_hold(session)


def test_the_database_refuses_to_book_into_a_closed_month_or_to_open_one(
    session: Session, make: Make, by: Sponsor
) -> None:
    close(session, make, Month(2019, 10))
    late = (
        "insert into posting (town_id, id, movement, posted_on, recorded_at, entries) "
        "select id, gen_random_uuid(), 'received', '2019-09-30', now(), 2 from town limit 1"
    )
    assert "are closed" in refused(session, late)
    assert "permission denied" in refused(session, "delete from ledger_period")
    assert "permission denied" in refused(session, "update ledger_period set month = '2018-01-01'")
    again = (
        "insert into ledger_period (town_id, month, closed_at, closed_by_id) "
        "select town_id, '2019-12-01', now(), closed_by_id from ledger_period"
    )
    assert "close in their order" in refused(session, again)


def test_with_a_limit_a_month_is_closed_by_two(
    session: Session, make: Make, by: Sponsor, two: tuple[User, User]
) -> None:
    one, other = two
    asked = deciding.close_or_ask(session, make.town.id, Month(2019, 10), by=one, on=NOVEMBER, at=clock.now())
    assert isinstance(asked, MoneyRequest)
    assert session.scalar(select(LedgerPeriod)) is None
    alone = (
        "insert into ledger_period (town_id, month, closed_at, closed_by_id) "
        "select town_id, '2019-10-01', now(), asked_by_id from money_request"
    )
    assert "closed by two people" in refused(session, alone)
    deciding.decide(session, asked, Decision.APPROVED, by=other, on=NOVEMBER, at=clock.now())
    assert session.scalars(select(LedgerPeriod.request_id)).one() == asked.id


# ---- the pages


def test_a_treasurer_refunds_corrects_and_gives_back_on_pages(
    session: Session, make: Make, by: Sponsor, signed_in: Callable[..., FlaskClient]
) -> None:
    browser, person = signed_in(Role.TREASURER), poor(make)
    aside = allocate(by, person, months=3)
    receipt = session.scalars(select(Receipt)).one()
    for address in ("refund", "decisions", "book"):
        opened = f"/sponsors/{by.id}/{address}" if address == "refund" else f"/sponsors/{address}"
        assert browser.get(opened).status_code == 200
    url = f"/sponsors/{by.id}/refund"
    assert browser.post(url, data={"amount": "1.000", "reason": ""}).status_code == 422
    assert "nhiều hơn" in browser.post(url, data={"amount": "999999999", "reason": "xin lại"}).text
    assert browser.post(url, data={"amount": "1.000", "reason": "xin lại"}).status_code == 303
    url = f"/allocations/{aside.id}/give-back"
    assert "12/2019" in browser.get(url).text
    assert browser.post(url, data={"since": "2025-01"}).status_code == 422
    assert browser.post(url, data={"since": "2019-12"}).status_code == 303
    session.expire_all()
    assert session.get_one(Allocation, (aside.town_id, aside.id)).carried_months == 2
    url = f"/receipts/{receipt.id}/correct"
    assert browser.get(url).status_code == 200
    assert browser.post(url, data={"reason": "nhầm"}).status_code == 422
    page = browser.get(f"/sponsors/{by.id}")
    assert "Hoàn lại nhà hỗ trợ" in page.text
    assert person.full_name in page.text


def test_two_treasurers_decide_on_pages(
    session: Session, make: Make, by: Sponsor, two: tuple[User, User], signed_in: Callable[..., FlaskClient]
) -> None:
    one, other = signed_in(two[0]), signed_in(two[1])
    person = poor(make)
    url = f"/sponsors/{by.id}/help/{person.id}"
    assert one.post(url, data={"step": "confirm", "months": "6", "start": "2019-11"}).status_code == 303
    asked = session.scalars(select(MoneyRequest)).one()
    assert "Chính anh/chị" in one.post(f"/sponsors/decisions/{asked.id}", data={"decision": "approved"}).text
    assert "người khác phải quyết định" in one.get(f"/sponsors/decisions/{asked.id}").text
    shown = other.get(f"/sponsors/decisions/{asked.id}")
    assert person.full_name in shown.text
    assert other.post(f"/sponsors/decisions/{asked.id}", data={}).status_code == 422
    assert other.post(f"/sponsors/decisions/{asked.id}", data={"decision": "approved"}).status_code == 303
    decided = words(other.get("/sponsors/decisions").text)
    assert "Đã duyệt" in decided
    assert person.full_name in decided
    assert decided.count("15/10/2019") == 2, "the day it was asked and the day it was decided"
    assert session.scalars(select(Allocation)).one().months == 6


def test_every_decision_stays_to_be_read(
    session: Session, make: Make, by: Sponsor, two: tuple[User, User], signed_in: Callable[..., FlaskClient]
) -> None:
    one, other = two
    for number in range(21):
        asked = deciding.refund_or_ask(session, by, 4 * A_MONTH, reason=f"Lý do {number}", reference=None, **now(one))
        approve(session, asked, other)
    browser = signed_in(Role.AUDITOR)
    first = browser.get("/sponsors/decisions")
    [earlier] = re.findall(r'href="([^"]*decided=[^"]*)"', first.text)
    links = [set(re.findall(r"/sponsors/decisions/[0-9a-f-]{36}", page.text)) for page in (first, browser.get(earlier))]
    assert [len(found) for found in links] == [20, 1]
    assert not links[0] & links[1]
    assert browser.get("/sponsors/decisions?decided=abc").status_code == 422


def test_a_month_whose_closing_waits_is_not_offered_again(
    session: Session,
    by: Sponsor,
    two: tuple[User, User],
    signed_in: Callable[..., FlaskClient],
    at_time: Callable[..., None],
) -> None:
    at_time(clock.at(NOVEMBER, 9))
    one, other = signed_in(two[0]), signed_in(two[1])
    assert 'name="month"' in one.get("/sponsors/book").text
    assert one.post("/sponsors/book/close", data={"month": "2019-10"}).status_code == 303
    page = one.get("/sponsors/book").text
    assert "đang chờ người thứ hai duyệt" in words(page)
    assert 'name="month"' not in page
    asked = session.scalars(select(MoneyRequest)).one()
    other.post(f"/sponsors/decisions/{asked.id}", data={"decision": "approved"})
    assert "20/11/2019" in words(one.get("/sponsors/book").text), "when it was closed"


def test_an_administrator_sets_the_limit_and_a_month_is_closed_on_the_page(
    session: Session, make: Make, by: Sponsor, signed_in: Callable[..., FlaskClient], at_time: Any
) -> None:
    at_time(clock.at(NOVEMBER, 9))
    admin, treasurer = signed_in(Role.ADMIN), signed_in(Role.TREASURER)
    assert treasurer.get("/sponsors/limit").status_code == 403
    assert treasurer.post("/sponsors/book/close", data={"month": "x"}).status_code == 422
    assert treasurer.post("/sponsors/book/close", data={"month": "2019-11"}).status_code == 422
    assert treasurer.post("/sponsors/book/close", data={"month": "2019-10"}).status_code == 303
    assert "10/2019" in treasurer.get("/sponsors/book").text
    assert admin.get("/sponsors/limit").status_code == 200
    assert admin.post("/sponsors/limit", data={"amount": "năm triệu"}).status_code == 422
    assert admin.post("/sponsors/limit", data={"amount": "5.000.000"}).status_code == 303
    assert "5.000.000" in treasurer.get("/sponsors/book").text
    assert admin.post("/sponsors/limit", data={"amount": ""}).status_code == 303
    who = session.scalars(select(User.full_name).where(User.role == Role.ADMIN)).one()
    page = words(admin.get("/sponsors/limit").text)
    assert "không có hạn mức → 5.000.000 đ" in page
    assert "5.000.000 đ → không có hạn mức" in page
    assert page.count(who) >= 2
    assert "20/11/2019" in page


def test_other_programs_ask_and_decide(
    session: Session,
    make: Make,
    by: Sponsor,
    two: tuple[User, User],
    client: FlaskClient,
    api: Callable[..., dict[str, str]],
) -> None:
    one, other = api(two[0]), api(two[1])
    money = {"amount": 50 * A_MONTH, "reason": "xin lại"}
    answer = client.post(f"/api/v1/sponsors/{by.id}/refunds", json=money, headers=one)
    assert (answer.status_code, answer.json["act"] if answer.json else None) == (202, "refund")
    address = answer.headers["Location"]
    assert client.get(address, headers=one).json["decision"] is None  # type: ignore[index]
    yes = {"decision": "approved"}
    assert client.post(f"{address}/decision", json=yes, headers=one).status_code == 422
    assert client.post(f"{address}/decision", json=yes, headers=other).status_code == 200
    assert client.post(f"{address}/decision", json=yes, headers=other).status_code == 409
    small = {"amount": A_MONTH, "reason": "xin lại"}
    assert client.post(f"/api/v1/sponsors/{by.id}/refunds", json=small, headers=one).status_code == 201
    run = {"sponsor_id": str(by.id), "prospect_id": str(poor(make).id), "start": "2019-11"}
    assert client.post("/api/v1/allocations", json=run | {"months": 6}, headers=one).status_code == 202
    made = client.post("/api/v1/allocations", json=run | {"months": 3}, headers=one)
    assert made.status_code == 201
    less = client.post(made.headers["Location"] + "/release?since=2020-01", headers=one)
    assert less.json["carried_months"] == 2  # type: ignore[index]
    receipt = receive(by, 10 * A_MONTH, "FT9")
    wrong = client.post(f"/api/v1/receipts/{receipt.id}/correction", json={"reason": "nhầm"}, headers=one)
    assert wrong.status_code == 202
    assert len(client.get("/api/v1/money-requests", headers=one).json["items"]) == 3  # type: ignore[index]
    assert client.get("/api/v1/ledger-periods", headers=one).json == {"items": []}


def test_several_are_approved_at_once_each_by_itself_and_never_ones_own(
    signed_in: Callable[..., FlaskClient], session: Session, make: Make, by: Sponsor, two: tuple[User, User]
) -> None:
    one, other = two
    run: dict[str, Any] = {"start": Month(2019, 11), "months": 6, "reason": None, "expected": None}
    people = [poor(make, f"Bà Chờ {number}") for number in range(4)]
    asked = [deciding.allocate_or_ask(session, by, person, **run, **now(one)) for person in people[:3]]
    own = deciding.allocate_or_ask(session, by, people[3], **run, **now(other))
    allocate(by, people[1], months=1, start=Month(2019, 12))  # meanwhile: that month is carried now
    keys = [str(request.id) for request in [*asked, own] if isinstance(request, MoneyRequest)]
    browser = cast(JudgingClient, signed_in(other))
    page = browser.get("/sponsors/decisions").text
    assert page.count('name="asked"') == 3, "one's own cannot be ticked"
    assert "Bà Chờ 0" in page
    browser.acts = len(keys)
    answer = browser.post("/sponsors/decisions", data={"asked": keys})
    assert answer.status_code == 303
    told = words(browser.get("/sponsors/decisions").text)
    assert told.count("Chưa làm được:") == 2, "the one carried meanwhile, and one's own"
    assert "Chưa làm được: Bà Chờ 1, 646.800 đ: " in told, told[-900:]
    assert queries.balance_of(session, by).reserved == 13 * A_MONTH
    waiting = session.scalars(select(MoneyRequest.id).where(MoneyRequest.decision.is_(None)))
    assert {str(key) for key in waiting} == {keys[1], keys[3]}
    again = browser.post("/sponsors/decisions", data={"asked": keys[:1]})
    assert (again.status_code, queries.balance_of(session, by).reserved) == (303, 13 * A_MONTH)
    assert browser.post("/sponsors/decisions", data={}).status_code == 303
    assert browser.post("/sponsors/decisions", data={"asked": "x"}).status_code == 404
