"""Every đồng from promise to a named month, and what the database refuses of it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.errors import Conflict, RuleBroken
from crm.months import Month
from crm.participation.rules import Basis
from crm.participation.services import reverse_payment
from crm.prospects.merging.services.joining import merge
from crm.sponsors import queries, services
from crm.sponsors.giving.rules import Due, Frequency
from crm.sponsors.giving.services import scheduling
from crm.sponsors.ledger.booking import account_of_held, account_of_pledge, accounts_of
from crm.sponsors.models import AllocationMonth, LedgerAccount, Pledge, Posting, Sponsor
from crm.sponsors.rules import AccountKind, Balance, Movement, PledgeState
from tests.factories import Make
from tests.sponsors.stories import A_MONTH, TODAY, allocate, poor, receive, sponsor

MILLION = 1_000_000


def act(**more: Any) -> dict[str, Any]:
    return {"by_id": None, "on": TODAY, "at": clock.now()} | more


def promise(by: Sponsor, amount: int) -> Pledge:
    return services.pledge(by_session(by), by, amount, due=None, **act())


def by_session(row: Any) -> Session:
    found = Session.object_session(row)
    assert found
    return found


def on_promise(by: Sponsor, pledge: Pledge, amount: int, reference: str = "FT9") -> Any:
    return services.receive(by_session(by), by, amount, reference=reference, pledge=pledge, **act())


def expected(session: Session, pledge: Pledge) -> int:
    return account_of_pledge(session, pledge).balance


def commit_would_hold(session: Session) -> None:
    """What the database looks at when a transaction ends."""
    session.flush()
    session.execute(text("set constraints all immediate"))
    session.execute(text("set constraints all deferred"))


def sums(session: Session) -> dict[AccountKind, int]:
    rows = session.execute(select(LedgerAccount.kind, func.sum(LedgerAccount.balance)).group_by(LedgerAccount.kind))
    return {row[0]: int(row[1]) for row in rows}


# ---- promises


def test_what_comes_in_on_a_promise_is_no_longer_expected(session: Session, make: Make) -> None:
    by = sponsor(make)
    pledge = promise(by, 10 * MILLION)
    assert expected(session, pledge) == 10 * MILLION
    on_promise(by, pledge, 4 * MILLION)
    assert expected(session, pledge) == 6 * MILLION
    on_promise(by, pledge, 9 * MILLION, "FT10")
    assert expected(session, pledge) == 0
    assert queries.balance_of(session, by) == Balance(10 * MILLION, 13 * MILLION, 13 * MILLION)
    commit_would_hold(session)


def test_a_promise_changes_and_ends_without_touching_what_came_in(session: Session, make: Make) -> None:
    by = sponsor(make)
    pledge = promise(by, 10 * MILLION)
    on_promise(by, pledge, 4 * MILLION)
    later = date(2020, 3, 1)
    scheduling.change(session, pledge, [Due(later, 2 * MILLION)], Frequency.ONCE, reason="ít đi", **act())
    assert (pledge.amount, expected(session, pledge)) == (6 * MILLION, 2 * MILLION)
    scheduling.end(session, pledge, reason="thôi", **act())
    with pytest.raises(Conflict):
        scheduling.end(session, pledge, reason="thôi", **act())
    assert (pledge.state, expected(session, pledge)) == (PledgeState.ENDED, 0)
    assert queries.balance_of(session, by).available == 4 * MILLION
    with pytest.raises(Conflict):
        scheduling.change(session, pledge, [Due(later, 20 * MILLION)], Frequency.ONCE, reason="thêm", **act())
    commit_would_hold(session)


# ---- money whose owner is found later


def test_money_of_nobody_is_held_and_found_to_be_of_two_sponsors(session: Session, make: Make) -> None:
    one, other = sponsor(make), sponsor(make, "Quỹ khác")
    held = services.hold_unidentified(session, make.town.id, 5 * MILLION, reference="FT 1", **act())
    assert queries.unidentified(session, make.town.id) == 5 * MILLION
    assert queries.balance_of_all(session, make.town.id) == Balance()
    pledge = promise(one, 3 * MILLION)
    found: dict[str, Any] = {"from_posting": held} | act()
    receipt = services.identify(session, one, 3 * MILLION, pledge=pledge, reference="FT1/1", **found)
    services.identify(session, other, MILLION, pledge=None, reference="FT1/2", **found)
    assert queries.balance_of(session, one) == Balance(3 * MILLION, 3 * MILLION, 3 * MILLION)
    assert expected(session, pledge) == 0
    with pytest.raises(Conflict) as refused:
        services.identify(session, other, 2 * MILLION, pledge=None, reference="FT1/3", **found)
    assert refused.value.code == "not_enough_received"
    services.return_unidentified(session, held, MILLION, reason="Chuyển nhầm", **act())
    assert account_of_held(session, held).balance == 0
    services.correct_receipt(session, receipt, reason="Nhầm người", **act())
    assert account_of_held(session, held).balance == 3 * MILLION
    assert expected(session, pledge) == 3 * MILLION
    assert sum(sums(session).values()) == 0
    commit_would_hold(session)


def test_one_held_sum_does_not_pay_for_another(session: Session, make: Make) -> None:
    by = sponsor(make)
    small = services.hold_unidentified(session, make.town.id, 100, reference="FT1", **act())
    services.hold_unidentified(session, make.town.id, 10_000, reference="FT2", **act())
    with pytest.raises(Conflict):
        services.identify(session, by, 101, pledge=None, reference="FT1", from_posting=small, **act())


# ---- going back


def test_a_refund_takes_what_is_free_and_no_more(session: Session, make: Make) -> None:
    by = sponsor(make)
    receive(by, 10 * A_MONTH)
    allocate(by, poor(make), months=6)
    with pytest.raises(Conflict) as refused:
        services.refund(session, by, 4 * A_MONTH + 1, reason="Công ty xin lại", **act())
    assert refused.value.code == "not_enough_received"
    services.refund(session, by, 4 * A_MONTH, reason="Công ty xin lại", reference="ft 77", **act())
    assert queries.balance_of(session, by) == Balance(0, 10 * A_MONTH, 0, 6 * A_MONTH, returned=4 * A_MONTH)
    assert "FT77 · Công ty xin lại" in [line.posting.memo for line in queries.account_book(session, by)]
    commit_would_hold(session)


def test_a_receipt_recorded_by_mistake_is_taken_back_exactly_and_its_reference_is_free(
    session: Session, make: Make
) -> None:
    by, right = sponsor(make), sponsor(make, "Quỹ đúng")
    pledge = promise(by, 10 * A_MONTH)
    wrong = on_promise(by, pledge, 10 * A_MONTH, "FT5")
    aside = allocate(by, poor(make), months=1)
    with pytest.raises(Conflict) as refused:
        services.correct_receipt(session, wrong, reason="Nhầm nhà hỗ trợ", **act())
    assert refused.value.code == "not_enough_received"
    services.release(session, aside, **act())
    services.correct_receipt(session, wrong, reason="Nhầm nhà hỗ trợ", **act())
    assert queries.balance_of(session, by) == Balance(promised=10 * A_MONTH, expected=10 * A_MONTH)
    with pytest.raises(Conflict) as again:
        services.correct_receipt(session, wrong, reason="Lần nữa", **act())
    assert again.value.code == "corrected_already"
    assert receive(right, 10 * A_MONTH, "FT5").corrected_id is None
    commit_would_hold(session)


def test_taking_back_one_of_two_receipts_expects_what_is_still_missing(session: Session, make: Make) -> None:
    by = sponsor(make)
    pledge = promise(by, 100)
    first = on_promise(by, pledge, 80, "A")
    on_promise(by, pledge, 50, "B")
    services.correct_receipt(session, first, reason="x", **act())
    assert expected(session, pledge) == 50
    commit_would_hold(session)


# ---- months


def months_of(session: Session, *, free: bool = False) -> list[str]:
    query = select(AllocationMonth.month).order_by(AllocationMonth.month)
    state = AllocationMonth.released_at.is_not(None) if free else AllocationMonth.released_at.is_(None)
    return [str(Month.of(month)) for month in session.scalars(query.where(state))]


def test_money_is_set_aside_for_named_months_that_sum_to_it(session: Session, make: Make) -> None:
    by = sponsor(make)
    receive(by, 100 * A_MONTH)
    made = allocate(by, poor(make), months=3, start=Month(2019, 11))
    assert months_of(session) == ["2019-11", "2019-12", "2020-01"]
    assert (made.carried_months, made.carried_amount) == (3, 3 * A_MONTH)
    commit_would_hold(session)


def test_the_last_months_are_given_back_and_carried_by_another(session: Session, make: Make) -> None:
    by, other, person = sponsor(make), sponsor(make, "Quỹ khác"), poor(make)
    receive(by, 100 * A_MONTH)
    receive(other, 100 * A_MONTH, "FT2")
    made = allocate(by, person, months=6, start=Month(2019, 11))
    services.release(session, made, since=Month(2020, 2), **act())
    assert (made.carried_months, made.carried_amount, made.released_at) == (3, 3 * A_MONTH, None)
    assert str(made.last_month) == "2020-01"
    assert queries.balance_of(session, by).reserved == 3 * A_MONTH
    allocate(other, person, months=3, start=Month(2020, 2))
    with pytest.raises(RuleBroken):
        services.release(session, made, since=Month(2020, 2), **act())
    services.release(session, made, **act())
    assert (made.carried_months, made.carried_amount) == (0, 0)
    assert made.released_at is not None
    assert queries.balance_of(session, by).available == 100 * A_MONTH
    commit_would_hold(session)


def test_what_is_left_after_giving_the_last_months_back_pays_the_premium(session: Session, make: Make) -> None:
    by, person, agent = sponsor(make), poor(make), make.user(Role.AGENT)
    receive(by, 6 * A_MONTH)
    made = allocate(by, person, months=6)
    services.release(session, made, since=Month(2020, 1), **act())
    payment = services.pay_premium(
        session, made, paid_on=TODAY, basis=Basis.TAKEN, by=agent, at=clock.now(), receipt_number="BL01"
    )
    assert (payment.months, payment.other_support, made.payment_id) == (3, 3 * A_MONTH, payment.id)
    assert queries.balance_of(session, by) == Balance(0, 6 * A_MONTH, 3 * A_MONTH, 0, 3 * A_MONTH)
    commit_would_hold(session)
    with pytest.raises(Conflict):
        services.release(session, made, **act())
    reverse_payment(session, payment, by=agent, at=clock.now())
    with pytest.raises(RuleBroken):
        services.release(session, made, since=Month(2019, 12), **act())
    services.release(session, made, **act())
    assert queries.balance_of(session, by) == Balance(0, 6 * A_MONTH, 6 * A_MONTH)
    commit_would_hold(session)


def test_a_book_names_the_months_of_each_movement(session: Session, make: Make) -> None:
    by, person = sponsor(make), poor(make)
    receive(by, 6 * A_MONTH)
    made = allocate(by, person, months=6)
    given_back = services.release(session, made, since=Month(2020, 1), **act())
    scope = scope_of(session, make.user(Role.TREASURER))
    book = queries.account_book(session, by)
    named = queries.months_of_postings(session, scope, by.town_id, [line.posting.id for line in book])
    assert [(str(one.first), str(one.last), one.number) for one in (named[made.posting_id], named[given_back.id])] == [
        ("2019-10", "2020-03", 6),
        ("2020-01", "2020-03", 3),
    ]
    assert {line.amount for line in book} == {6 * A_MONTH, 3 * A_MONTH}


# ---- two records of one person


def test_whoever_is_carried_under_both_records_for_the_same_month_is_not_merged(session: Session, make: Make) -> None:
    by, office, kept, gone = sponsor(make), make.user(Role.MANAGER), poor(make), poor(make, "Lê Thị Nghèo")
    receive(by, 100 * A_MONTH)
    allocate(by, kept, months=3, start=Month(2019, 11))
    doubled = allocate(by, gone, months=3, start=Month(2020, 1))
    with pytest.raises(RuleBroken) as refused:
        merge(session, kept, gone, None, by=office, at=clock.now())
    assert "1/2020" in str(refused.value)
    services.release(session, doubled, since=Month(2020, 2), **act())
    services.release(session, doubled, **act())
    later = allocate(by, gone, months=1, start=Month(2020, 2))
    merge(session, kept, gone, None, by=office, at=clock.now())
    session.expire_all()
    assert later.prospect_id == kept.id
    assert set(session.scalars(select(AllocationMonth.prospect_id))) == {kept.id}
    commit_would_hold(session)


# ---- what the database refuses, whatever the program asks


@pytest.fixture
def carried(session: Session, make: Make) -> Sponsor:
    by = sponsor(make)
    receive(by, 10 * A_MONTH)
    allocate(by, poor(make), months=3)
    commit_would_hold(session)
    return by


def refused(session: Session, statement: str, **values: Any) -> str:
    with pytest.raises(DBAPIError) as refusal, session.begin_nested():
        session.execute(text(statement), values)
        session.execute(text("set constraints all immediate"))
    return str(refusal.value.orig)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("update allocation set carried_amount = 1", "permission denied"),
        ("update allocation set payment_id = null", "permission denied"),
        ("update allocation_month set amount = 1", "permission denied"),
        ("update allocation_month set month = '2020-01-01'", "permission denied"),
        ("delete from allocation_month", "permission denied"),
        ("update allocation_month set released_at = now()", "settled by a posting"),
        (
            "update allocation_month set released_at = now(), released_id = (select posting_id from allocation limit 1)",
            "moves other money",
        ),
        ("update receipt set corrected_id = posting_id", "fk_receipt"),
        ("delete from ledger_period", "permission denied"),
        ("update posting set entries = 9", "permission denied"),
    ],
)
def test_the_programs_role_cannot_bend_months_or_receipts(
    session: Session, carried: Sponsor, statement: str, said: str
) -> None:
    assert said in refused(session, statement)


def test_months_cannot_be_added_to_an_allocation(session: Session, carried: Sponsor) -> None:
    told = refused(
        session,
        "insert into allocation_month (town_id, id, allocation_id, prospect_id, month, amount) "
        "select town_id, gen_random_uuid(), id, prospect_id, '2021-01-01', 5 from allocation",
    )
    assert "no more months" in told


def test_an_allocation_without_its_months_is_not_committed(session: Session, carried: Sponsor) -> None:
    told = refused(
        session,
        "insert into allocation (town_id, id, sponsor_id, prospect_id, posting_id, start_month, months, amount, "
        "recorded_at) select town_id, gen_random_uuid(), sponsor_id, prospect_id, posting_id, start_month, months, "
        "amount, now() from allocation",
    )
    assert "do not add up" in told


def test_entries_cannot_be_added_to_a_posting(session: Session, carried: Sponsor) -> None:
    told = refused(
        session,
        "insert into ledger_entry (town_id, id, posting_id, ledger_account_id, amount) "
        "select town_id, gen_random_uuid(), posting_id, ledger_account_id, sign(amount) from ledger_entry "
        "order by ledger_entry.amount desc",
    )
    assert "no more entries" in told


def test_a_reversal_that_is_not_exact_is_not_committed(session: Session, carried: Sponsor) -> None:
    reversed_id = session.scalars(select(Posting.id).where(Posting.movement == Movement.RECEIVED)).one()
    accounts = accounts_of(session, carried.town_id, carried.id)
    session.execute(
        text(
            "insert into posting (town_id, id, movement, posted_on, recorded_at, entries, reverses_id) values "
            "(:town, '00000000-0000-4000-8000-000000000001', 'corrected', '2019-10-15', now(), 2, :reversed)"
        ),
        {"town": carried.town_id, "reversed": reversed_id},
    )
    for kind, amount in ((AccountKind.AVAILABLE, -1), (AccountKind.OUTSIDE, 1)):
        session.execute(
            text(
                "insert into ledger_entry (town_id, id, posting_id, ledger_account_id, amount) values "
                "(:town, gen_random_uuid(), '00000000-0000-4000-8000-000000000001', :account, :amount)"
            ),
            {"town": carried.town_id, "account": accounts[kind], "amount": amount},
        )
    with pytest.raises(IntegrityError, match="exact opposite"):
        session.execute(text("set constraints all immediate"))


def test_a_month_is_carried_once_whatever_is_asked(session: Session, make: Make, carried: Sponsor) -> None:
    twice = "uq_allocation_month_carried_once"
    told = refused(
        session,
        "with made as (insert into allocation (town_id, id, sponsor_id, prospect_id, posting_id, start_month, months, "
        "amount, recorded_at) select town_id, gen_random_uuid(), sponsor_id, prospect_id, posting_id, '2019-12-01', 1, "
        "5, now() from allocation returning *) "
        "insert into allocation_month (town_id, id, allocation_id, prospect_id, month, amount) "
        "select town_id, gen_random_uuid(), id, prospect_id, start_month, amount from made",
    )
    assert twice in told


def test_money_received_later_than_today_is_refused_and_nothing_is_booked(session: Session, make: Make) -> None:
    by = sponsor(make)
    held = services.hold_unidentified(session, make.town.id, 100, reference="FT1", **act())
    with pytest.raises(RuleBroken):
        services.identify(
            session, by, 100, pledge=None, reference="FT1", from_posting=held, **act(on=date(2019, 10, 16))
        )
    assert account_of_held(session, held).balance == 100
