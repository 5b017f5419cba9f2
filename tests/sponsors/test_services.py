"""The ledger: nothing is given away that did not come in, and the database itself sees to it."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.rules import Role
from crm.db import db, transaction
from crm.errors import Conflict, RuleBroken
from crm.months import Month
from crm.participation.queries import Helped, page_of_payments
from crm.participation.rules import Basis
from crm.participation.services import reverse_payment
from crm.prospects.models import Prospect
from crm.prospects.rules import Ground, Stage
from crm.sponsors import queries, services
from crm.sponsors.giving.services import scheduling
from crm.sponsors.ledger.booking import accounts_of
from crm.sponsors.models import Allocation, LedgerAccount, LedgerEntry, Posting, Sponsor
from crm.sponsors.rules import AccountKind, Balance
from tests.factories import Make
from tests.participation.stories import join
from tests.sponsors.stories import A_MONTH, A_NEAR_POOR_MONTH, TODAY, allocate, poor, receive, sponsor


def entries_sum(session: Session) -> int:
    return int(session.scalar(select(func.coalesce(func.sum(LedgerEntry.amount), 0))) or 0)


def test_what_is_promised_is_no_money(session: Session, make: Make) -> None:
    by = sponsor(make)
    made = services.pledge(session, by, 10 * A_MONTH, due=None, by_id=None, at=clock.now(), on=TODAY)
    assert queries.balance_of(session, by) == Balance(promised=10 * A_MONTH, expected=10 * A_MONTH)
    with pytest.raises(Conflict) as refused:
        allocate(by, poor(make))
    assert refused.value.code == "not_enough_received"
    scheduling.end(session, made, reason="Đã phá sản", by_id=None, on=TODAY, at=clock.now())
    assert queries.balance_of(session, by) == Balance()


def test_what_came_in_can_be_set_aside_and_given_back(session: Session, make: Make) -> None:
    by = sponsor(make)
    receive(by, 10 * A_MONTH)
    assert queries.balance_of(session, by) == Balance(0, 10 * A_MONTH, 10 * A_MONTH)
    made = allocate(by, poor(make), months=6)
    assert made.amount == 6 * A_MONTH
    assert queries.balance_of(session, by) == Balance(0, 10 * A_MONTH, 4 * A_MONTH, 6 * A_MONTH)
    services.release(session, made, by_id=None, on=TODAY, at=clock.now())
    assert queries.balance_of(session, by) == Balance(0, 10 * A_MONTH, 10 * A_MONTH)
    with pytest.raises(Conflict):
        services.release(session, made, by_id=None, on=TODAY, at=clock.now())
    assert entries_sum(session) == 0
    left = [line.left for line in queries.account_book(session, by)]
    assert sorted(left) == [4 * A_MONTH, 10 * A_MONTH, 10 * A_MONTH]


def test_the_amount_follows_from_the_law_of_the_day(session: Session, make: Make) -> None:
    by = sponsor(make)
    receive(by, 100_000_000)
    assert allocate(by, poor(make), months=3).amount == 3 * A_MONTH
    assert allocate(by, poor(make, "Lê Cận", Ground.NEAR_POOR), months=3).amount == 3 * A_NEAR_POOR_MONTH
    with pytest.raises(Conflict) as changed:
        allocate(by, poor(make, "Lê Khác"), months=3, expected=1)
    assert changed.value.details == {"amount": 3 * A_MONTH}


def test_after_the_cap_the_state_helps_no_more_and_the_sponsor_carries_it_all(
    session: Session, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    by = sponsor(make)
    receive(by, 100_000_000)
    monkeypatch.setattr("crm.sponsors.queries.helped_before", lambda *_: Helped(118, 0))
    assert allocate(by, poor(make), months=3).amount == 2 * A_MONTH + 154_000


def test_money_is_for_people_in_need_on_that_day(session: Session, make: Make) -> None:
    by, well_off = sponsor(make), make.prospect("Trần Khá Giả", stage=Stage.AGREED)
    receive(by, 10_000_000)
    make.standing(well_off, Ground.POOR, date(2018, 1, 1), date(2019, 10, 15))
    with pytest.raises(RuleBroken) as refused:
        allocate(by, well_off)
    assert (refused.value.code, refused.value.field) == ("not_in_need", "reason")
    made = allocate(by, well_off, reason="Nhà cháy hôm qua")
    assert made.amount == 138_600
    assert queries.reasons_of(session, by.town_id, [made.posting_id]) == {made.posting_id: "Nhà cháy hôm qua"}


def test_whoever_cannot_take_part_is_not_carried(session: Session, make: Make) -> None:
    by = sponsor(make)
    receive(by, 10_000_000)
    with pytest.raises(RuleBroken):
        allocate(by, poor(make, stage=Stage.NOT_ELIGIBLE), reason="x")


def test_months_that_a_sponsor_carries_are_not_carried_twice(session: Session, make: Make) -> None:
    one, other, person = sponsor(make), sponsor(make, "Quỹ khác"), poor(make)
    receive(one, 10_000_000)
    receive(other, 10_000_000, "FT2")
    first = allocate(one, person, months=3, start=Month(2019, 11))
    for start, months in ((Month(2019, 11), 1), (Month(2020, 1), 3), (Month(2019, 10), 12)):
        with pytest.raises(Conflict) as refused:
            allocate(other, person, months=months, start=start)
        assert refused.value.code == "months_carried"
    assert allocate(other, person, months=3, start=Month(2020, 2)).amount == 3 * A_MONTH
    services.release(session, first, by_id=None, on=TODAY, at=clock.now())
    assert allocate(other, person, months=1, start=Month(2019, 11)).amount == A_MONTH


def test_months_that_are_paid_are_not_carried(session: Session, make: Make) -> None:
    by, person = sponsor(make), poor(make)
    receive(by, 10_000_000)
    join(person, TODAY, grounds=(Ground.POOR,))
    with pytest.raises(Conflict) as refused:
        allocate(by, person, months=3, start=Month(2019, 12))
    assert refused.value.code == "months_paid"
    assert allocate(by, person, months=3, start=Month(2020, 1))


@pytest.mark.parametrize(
    ("start", "months"),
    [(Month(2019, 9), 1), (Month(2020, 11), 1), (Month(2019, 10), 0), (Month(2019, 10), 61), (Month(2019, 10), -1)],
)
def test_months_that_cannot_be_paid_are_refused(make: Make, start: Month, months: int) -> None:
    by = sponsor(make)
    receive(by, 100_000_000)
    with pytest.raises(RuleBroken) as refused:
        allocate(by, poor(make), months=months, start=start)
    assert refused.value.field in ("start", "months")


@pytest.mark.parametrize("months", [0, 2, 24, 60, 61])
def test_money_is_set_aside_for_a_period_that_can_be_paid_at_once(make: Make, months: int) -> None:
    by = sponsor(make)
    receive(by, 100_000_000)
    with pytest.raises(RuleBroken, match="1, 3, 6"):
        allocate(by, poor(make), months=months, start=Month(2019, 11))


def test_the_same_bank_reference_is_booked_once(session: Session, make: Make) -> None:
    by = sponsor(make)
    receive(by, 1_000_000, "FT 19288-01")
    with pytest.raises(Conflict) as refused:
        receive(by, 1_000_000, "ft19288-01")
    assert refused.value.code == "reference"
    assert queries.balance_of(session, by).received == 1_000_000


def test_a_receipt_is_not_booked_on_the_promise_of_another_or_on_a_day_to_come(session: Session, make: Make) -> None:
    one, other = sponsor(make), sponsor(make, "Quỹ khác")
    promised = services.pledge(session, other, 1_000, due=None, by_id=None, at=clock.now(), on=TODAY)
    booked: dict[str, Any] = {"reference": "R1", "by_id": None, "at": clock.now()}
    with pytest.raises(RuleBroken):
        services.receive(session, one, 1_000, pledge=promised, on=TODAY, **booked)
    with pytest.raises(RuleBroken):
        services.receive(session, one, 1_000, pledge=None, on=date(2019, 10, 16), **booked)


@pytest.mark.parametrize("amount", [0, -1, 10**15])
def test_an_amount_that_is_none_is_refused(session: Session, make: Make, amount: int) -> None:
    by = sponsor(make)
    with pytest.raises(RuleBroken):
        receive(by, amount)
    with pytest.raises(RuleBroken):
        services.pledge(session, by, amount, due=None, by_id=None, at=clock.now(), on=TODAY)


def test_a_tax_code_is_registered_once(make: Make) -> None:
    sponsor(make, tax_code="0100109106")
    with pytest.raises(Conflict):
        sponsor(make, "Tên khác", tax_code="0100 109 106")


def test_money_set_aside_pays_the_premium_of_somebody_who_joins_with_it(session: Session, make: Make) -> None:
    by, person, agent = sponsor(make), poor(make), make.user(Role.AGENT)
    receive(by, 10 * A_MONTH)
    made = allocate(by, person, months=3)
    payment = services.pay_premium(
        session, made, paid_on=TODAY, basis=Basis.TAKEN, by=agent, at=clock.now(), receipt_number="BL01"
    )
    assert (payment.gross, payment.state_support, payment.other_support, payment.own) == (462_000, 138_600, 323_400, 0)
    assert queries.balance_of(session, by) == Balance(0, 10 * A_MONTH, 7 * A_MONTH, 0, 3 * A_MONTH)
    assert person.stage is Stage.JOINED
    with pytest.raises(Conflict):
        services.release(session, made, by_id=None, on=TODAY, at=clock.now())
    with pytest.raises(Conflict):
        services.pay_on(session, made, payment, by_id=None, on=TODAY, at=clock.now())
    following, later = allocate(by, person, months=3, start=Month(2020, 1)), date(2019, 12, 2)
    given: dict[str, Any] = {"basis": Basis.TAKEN, "by": agent, "receipt_number": "BL02"}
    with pytest.raises(RuleBroken) as refusal, session.begin_nested():
        services.pay_premium(session, following, paid_on=TODAY, at=clock.now(), **given)
    assert refusal.value.code == "paid_too_early"
    services.pay_premium(session, following, paid_on=later, at=clock.at(later, 9), **given)
    assert queries.balance_of(session, by).paid == 6 * A_MONTH
    assert entries_sum(session) == 0


def test_no_money_is_booked_as_paid_before_it_was_set_aside(session: Session, make: Make) -> None:
    by, person, agent = sponsor(make), poor(make), make.user(Role.AGENT)
    receive(by, 10 * A_MONTH)
    made = allocate(by, person, months=3)
    earlier = date(2019, 10, 3)
    payment = services.pay_premium(
        session, made, paid_on=earlier, basis=Basis.TAKEN, by=agent, at=clock.now(), receipt_number="BL01"
    )
    booked = select(Posting.movement, Posting.posted_on).order_by(Posting.recorded_at, Posting.id)
    assert payment.paid_on == earlier
    assert [tuple(row) for row in session.execute(booked)][1:] == [("reserved", TODAY), ("paid", TODAY)]


def test_money_of_a_payment_that_was_taken_back_is_free_again(session: Session, make: Make) -> None:
    by, person, agent = sponsor(make), poor(make), make.user(Role.AGENT)
    receive(by, 3 * A_MONTH)
    made = allocate(by, person, months=3)
    payment = services.pay_premium(
        session, made, paid_on=TODAY, basis=Basis.TAKEN, by=agent, at=clock.now(), receipt_number="BL01"
    )
    reverse_payment(session, payment, by=agent, at=clock.now())
    services.release(session, made, by_id=None, on=TODAY, at=clock.now())
    assert queries.balance_of(session, by) == Balance(0, 3 * A_MONTH, 3 * A_MONTH)
    assert len(page_of_payments(session, person).rows) == 2
    assert entries_sum(session) == 0


def test_what_a_payment_did_not_need_is_free_again(session: Session, make: Make) -> None:
    by, person, agent = sponsor(make), make.prospect("Trần Thị Mới Nghèo", stage=Stage.AGREED), make.user(Role.AGENT)
    receive(by, 1_000_000)
    made = allocate(by, person, months=3, reason="Chờ giấy chứng nhận")
    make.standing(person, Ground.POOR)
    services.pay_premium(
        session, made, paid_on=TODAY, basis=Basis.TAKEN, by=agent, at=clock.now(), receipt_number="BL01"
    )
    assert made.amount == 3 * 138_600
    assert queries.balance_of(session, by) == Balance(0, 1_000_000, 1_000_000 - 3 * A_MONTH, 0, 3 * A_MONTH)
    assert entries_sum(session) == 0


# ---- what the database itself refuses, whatever the program asks


@pytest.fixture
def booked(make: Make) -> Sponsor:
    by = sponsor(make)
    receive(by, 1_000)
    return by


def account(session: Session, by: Sponsor, kind: AccountKind) -> str:
    return str(accounts_of(session, by.town_id, by.id)[kind])


def write_entries(session: Session, by: Sponsor, *moves: tuple[AccountKind, int]) -> None:
    posting = session.execute(
        text(
            "insert into posting (town_id, id, movement, posted_on, recorded_at, entries) "
            "values (:town, gen_random_uuid(), 'reserved', '2019-10-15', now(), :entries) returning id"
        ),
        {"town": by.town_id, "entries": len(moves)},
    ).scalar_one()
    for kind, amount in moves:
        session.execute(
            text(
                "insert into ledger_entry (town_id, id, posting_id, ledger_account_id, amount) "
                "values (:town, gen_random_uuid(), :posting, :account, :amount)"
            ),
            {"town": by.town_id, "posting": posting, "account": account(session, by, kind), "amount": amount},
        )


def test_the_database_refuses_more_than_came_in(session: Session, booked: Sponsor) -> None:
    with pytest.raises(IntegrityError, match="ck_ledger_account_balance"):
        write_entries(session, booked, (AccountKind.AVAILABLE, -1_001), (AccountKind.RESERVED, 1_001))


def test_the_database_refuses_entries_that_do_not_sum_to_zero(session: Session, booked: Sponsor) -> None:
    write_entries(session, booked, (AccountKind.AVAILABLE, -10), (AccountKind.RESERVED, 11))
    with pytest.raises(IntegrityError, match="do not sum to zero"):
        session.execute(text("set constraints all immediate"))


@pytest.mark.parametrize(
    "statement",
    [
        "update ledger_entry set amount = amount + 1",
        "delete from ledger_entry",
        "truncate ledger_entry",
        "update posting set memo = 'x'",
        "delete from posting",
        "update ledger_account set balance = 1000000",
        "delete from ledger_account",
    ],
)
def test_the_programs_role_cannot_rewrite_the_book(session: Session, booked: Sponsor, statement: str) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        session.execute(text(statement))


def test_an_account_opens_with_nothing_whatever_is_asked(session: Session, make: Make, booked: Sponsor) -> None:
    session.execute(
        text(
            "insert into ledger_account (town_id, id, kind, sponsor_id, balance) "
            "values (:town, gen_random_uuid(), 'available', :sponsor, 5000000)"
        ),
        {"town": booked.town_id, "sponsor": sponsor(make, "Quỹ khác").id},
    )
    query = select(LedgerAccount.balance).where(LedgerAccount.sponsor_id != booked.id)
    assert session.scalars(query).all() == [0]


@pytest.mark.committed
def test_of_fifty_who_help_at_once_with_ten_months_of_money_ten_do(app: Flask, session: Session, make: Make) -> None:
    by = sponsor(make)
    receive(by, 10 * A_MONTH)
    ids = [poor(make, f"Lê Thị {number}").id for number in range(50)]
    town_id, sponsor_id = by.town_id, by.id
    session.commit()

    def one(prospect_id: object) -> str:
        with app.app_context():
            try:
                with transaction() as current:
                    giver = current.get_one(Sponsor, (town_id, sponsor_id))
                    allocate(giver, current.get_one(Prospect, (town_id, prospect_id)))
                return "done"
            except Conflict as refused:
                return refused.code
            finally:
                db.session.remove()

    with ThreadPoolExecutor(50) as pool:
        outcomes = list(pool.map(one, ids))
    assert Counter(outcomes) == {"done": 10, "not_enough_received": 40}
    assert session.scalar(select(func.count()).select_from(Allocation)) == 10
    assert queries.balance_of(session, session.get_one(Sponsor, (town_id, sponsor_id))).available == 0
    assert entries_sum(session) == 0


@pytest.mark.committed
def test_of_many_who_carry_the_same_months_at_once_one_does(app: Flask, session: Session, make: Make) -> None:
    by, person = sponsor(make), poor(make)
    receive(by, 100 * A_MONTH)
    town_id, sponsor_id, prospect_id = by.town_id, by.id, person.id
    session.commit()

    def one(_turn: int) -> str:
        with app.app_context():
            try:
                with transaction() as current:
                    giver = current.get_one(Sponsor, (town_id, sponsor_id))
                    allocate(giver, current.get_one(Prospect, (town_id, prospect_id)), months=3)
                return "done"
            except Conflict as refused:
                return refused.code
            finally:
                db.session.remove()

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(one, range(12)))
    assert Counter(outcomes) == {"done": 1, "months_carried": 11}
