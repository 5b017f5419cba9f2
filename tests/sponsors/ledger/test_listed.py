"""A payment that a list of the insurance office tells of is made with the money that waits for its months."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.rules import Role
from crm.ids import new_id
from crm.months import Month
from crm.participation.listed.models import ListedPayment
from crm.participation.listed.rules import Verdict
from crm.participation.listed.services import record, record_or_ask
from crm.prospects.models import ImportRow, ListImport, Prospect
from crm.prospects.rules import ImportState, RowOutcome
from crm.sponsors import queries
from crm.sponsors.ledger.deciding import decide
from crm.sponsors.ledger.limits import set_limit
from crm.sponsors.ledger.models import MoneyRequest
from crm.sponsors.ledger.recounting import differences
from crm.sponsors.ledger.rules import Decision
from crm.sponsors.rules import Balance
from tests.factories import Make
from tests.sponsors.ledger.test_booking import commit_would_hold
from tests.sponsors.stories import A_MONTH, TODAY, allocate, poor, receive, sponsor


def listed(make: Make, person: Prospect, months: int = 3, **said: int) -> ListedPayment:
    by = make.user(Role.MANAGER)
    of = make.add(
        ListImport(
            town_id=person.town_id,
            filename="C12.xlsx",
            digest=new_id().bytes,
            options={},
            state=ImportState.COMMITTED,
            rows=1,
            valid=1,
            created_at=clock.now(),
            created_by_id=by.id,
        )
    )
    row = make.add(
        ImportRow(
            town_id=person.town_id,
            import_id=of.id,
            sheet="A",
            row_number=2,
            raw=json.dumps([person.full_name]),
            understood="{}",
            outcome=RowOutcome.UNCHANGED,
            reasons=[],
            prospect_id=person.id,
        )
    )
    told: dict[str, Any] = {"said": said, "ours": {}, "why": [], "verdict": Verdict.NEW, "source": "C12 10/2019"}
    return make.add(  # type: ignore[no-any-return]
        ListedPayment(
            town_id=person.town_id,
            import_id=of.id,
            row_id=row.id,
            prospect_id=person.id,
            start_month=Month(2019, 10).first_day,
            months=months,
            paid_on=TODAY,
            **told,
        )
    )


@pytest.mark.parametrize("said", [{}, {"other": 3 * A_MONTH}, {"other": 2 * A_MONTH}])
def test_the_money_that_waits_is_paid_on(session: Session, make: Make, said: dict[str, int]) -> None:
    by, person = sponsor(make), poor(make)
    receive(by, 10 * A_MONTH)
    aside = allocate(by, person, months=3)
    payment = record(
        session, listed(make, person, **said), as_listed=bool(said), by=make.user(Role.MANAGER), at=clock.now()
    )
    used = said.get("other", 3 * A_MONTH)
    assert (aside.payment_id, payment.other_support) == (payment.id, used)
    assert queries.balance_of(session, by) == Balance(0, 10 * A_MONTH, 10 * A_MONTH - used, 0, used)
    assert differences(session) == []
    commit_would_hold(session)


@pytest.mark.parametrize(("months", "said"), [(1, {}), (3, {"other": 0}), (3, {"other": 3 * A_MONTH + 1})])
def test_money_for_other_months_or_of_others_stays_where_it_is(
    session: Session, make: Make, months: int, said: dict[str, int]
) -> None:
    by, person = sponsor(make), poor(make)
    receive(by, 10 * A_MONTH)
    aside = allocate(by, person, months=3)
    record(session, listed(make, person, months, **said), as_listed=False, by=make.user(Role.MANAGER), at=clock.now())
    assert aside.payment_id is None
    assert queries.balance_of(session, by).reserved == 3 * A_MONTH


def test_above_the_limit_it_is_paid_on_when_a_second_person_approves(session: Session, make: Make) -> None:
    by, person = sponsor(make), poor(make)
    receive(by, 10 * A_MONTH)
    aside = allocate(by, person, months=3)
    commit_would_hold(session)
    set_limit(session, A_MONTH)
    told, asker = listed(make, person), make.user(Role.MANAGER)
    assert record_or_ask(session, told, as_listed=False, by=asker, at=clock.now()) is None
    assert (told.verdict, aside.payment_id) == (Verdict.NEW, None)
    asked = session.scalars(select(MoneyRequest)).one()
    assert (asked.amount, asked.sponsor_id) == (3 * A_MONTH, by.id)
    decide(session, asked, Decision.APPROVED, by=make.user(Role.TREASURER), on=TODAY, at=clock.now())
    assert (told.verdict, aside.payment_id) == (Verdict.RECORDED, told.payment_id)
    commit_would_hold(session)
