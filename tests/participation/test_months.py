"""What the database itself keeps true of months: they are there while their payment stands, and sum to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from crm.accounts.rules import Role
from crm.months import Month
from crm.participation import services
from crm.participation.models import MonthPayer, ParticipantMonth, Payment
from crm.participation.shares import UNNAMED, MonthShare, Payer, PayerKind, Share, by_month
from tests.factories import Make
from tests.participation.stories import join, noon

OCTOBER = date(2019, 10, 15)
BANK = Payer(PayerKind.SPONSOR, UUID(int=7))


def settle(session: Session) -> None:
    """What the database checks at the end of a transaction is checked now."""
    session.flush()
    session.execute(text("set constraints all immediate"))
    session.execute(text("set constraints all deferred"))


def paid(session: Session) -> Payment:
    return session.scalars(select(Payment).where(Payment.reverses_id.is_(None))).one()


def test_each_month_says_who_bore_what_and_which_sponsor(session: Session, make: Make) -> None:
    person = make.prospect()
    join(person, OCTOBER, others=(Share(BANK, 300_000), Share(UNNAMED, 200_000)))
    settle(session)
    months = session.scalars(select(ParticipantMonth).order_by(ParticipantMonth.month)).all()
    assert [(row.own, row.state_support, row.local_support, row.other_support) for row in months] == [
        (0, 15_400, 0, 138_600)
    ] * 3
    givers = session.execute(
        select(MonthPayer.kind, MonthPayer.payer_id, func.sum(MonthPayer.amount), func.count())
        .group_by(MonthPayer.kind, MonthPayer.payer_id)
        .order_by(MonthPayer.kind)
    ).all()
    assert [tuple(row) for row in givers] == [
        (PayerKind.SPONSOR, BANK.id, 300_000, 3),
        (PayerKind.UNNAMED, None, 115_800, 3),
    ]


def test_a_month_cannot_be_changed_nor_removed_while_its_payment_stands(session: Session, make: Make) -> None:
    join(make.prospect(), OCTOBER, others=(Share(BANK, 138_600),))
    settle(session)
    for act in (
        update(ParticipantMonth).values(own=0),
        update(MonthPayer).values(amount=1),
        delete(ParticipantMonth),
        delete(MonthPayer),
    ):
        with pytest.raises(DBAPIError), session.begin_nested():
            session.execute(act.execution_options(synchronize_session=False))


def test_a_payment_takes_no_month_more_than_it_paid_for(session: Session, make: Make) -> None:
    person = make.prospect()
    join(person, OCTOBER)
    settle(session)
    more = ParticipantMonth(
        town_id=person.town_id,
        prospect_id=person.id,
        month=date(2020, 1, 1),
        payment_id=paid(session).id,
        supported=False,
        own=0,
        state_support=0,
        local_support=0,
        other_support=0,
    )
    with pytest.raises(IntegrityError, match="no more months"), session.begin_nested():
        session.add(more)
        session.flush()


def wrongly(monkeypatch: pytest.MonkeyPatch, tamper: Callable[[list[MonthShare]], list[MonthShare]]) -> None:
    """Let the months of payments be spread otherwise than their layers say."""
    monkeypatch.setattr(services, "by_month", lambda paid: tamper(by_month(paid)))


def test_the_state_helps_with_no_month_that_is_not_supported(
    session: Session, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrongly(monkeypatch, lambda months: [replace(month, supported=False) for month in months])
    with pytest.raises(IntegrityError, match="ck_participant_month_supported"), session.begin_nested():
        join(make.prospect(), OCTOBER)


@pytest.mark.parametrize(
    "tamper",
    [
        lambda months: months[:1] + [replace(month, own=month.own + 1) for month in months[1:]],
        lambda months: [replace(month, state=0, own=month.own + month.state) for month in months],
        lambda months: [replace(month, supported=False, state=0, own=month.gross) for month in months],
    ],
    ids=["a layer", "another layer", "supported months"],
)
def test_months_that_do_not_sum_to_their_payment_are_not_committed(
    session: Session, make: Make, monkeypatch: pytest.MonkeyPatch, tamper: Any
) -> None:
    wrongly(monkeypatch, tamper)
    join(make.prospect(), OCTOBER)
    with pytest.raises(IntegrityError, match="do not add up"), session.begin_nested():
        settle(session)


def test_payers_that_do_not_sum_to_what_others_bore_are_not_committed(
    session: Session, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "_payers", lambda payment, shares: ())
    join(make.prospect(), OCTOBER, others=(Share(BANK, 138_600),))
    with pytest.raises(IntegrityError, match="payers"), session.begin_nested():
        settle(session)


def test_nobody_gives_more_for_a_month_than_others_bore(session: Session, make: Make) -> None:
    person = make.prospect()
    join(person, OCTOBER, others=(Share(BANK, 138_600),))
    settle(session)
    more = MonthPayer(
        town_id=person.town_id,
        payment_id=paid(session).id,
        month=OCTOBER.replace(day=1),
        kind=PayerKind.UNNAMED,
        payer_id=None,
        amount=1,
    )
    with pytest.raises(IntegrityError, match="bore less"), session.begin_nested():
        session.add(more)
        session.flush()


def test_the_months_of_a_reversed_payment_are_gone_with_their_payers(session: Session, make: Make) -> None:
    person, manager = make.prospect(), make.user(Role.MANAGER)
    join(person, OCTOBER, others=(Share(BANK, 138_600),))
    settle(session)
    services.reverse_payment(session, paid(session), by=manager, at=noon(OCTOBER))
    settle(session)
    assert session.scalar(select(func.count()).select_from(ParticipantMonth)) == 0
    assert session.scalar(select(func.count()).select_from(MonthPayer)) == 0
    join(person, OCTOBER, start=Month(2019, 10))
    settle(session)
    assert session.scalar(select(func.count()).select_from(ParticipantMonth)) == 3
