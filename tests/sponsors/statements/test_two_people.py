"""What is said of a bank's line waits for a second person when taking it back moves more than one person may."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.rules import Role
from crm.errors import Conflict
from crm.sponsors import queries, services
from crm.sponsors.ledger.deciding import decide
from crm.sponsors.ledger.limits import set_limit
from crm.sponsors.ledger.models import MoneyRequest
from crm.sponsors.ledger.rules import Decision, MoneyAct
from crm.sponsors.models import LedgerAccount
from crm.sponsors.rules import AccountKind
from crm.sponsors.statements.models import LinePart
from crm.sponsors.statements.rules.kinds import LineState, Share, Use
from crm.sponsors.statements.services import asking, deciding
from tests.factories import Make
from tests.sponsors.ledger.test_booking import commit_would_hold
from tests.sponsors.statements.stories import TODAY, acts, csv_of, lines, load
from tests.sponsors.stories import sponsor

LIMIT = 1_000_000


@pytest.fixture
def two(session: Session, make: Make) -> tuple[User, User]:
    set_limit(session, LIMIT)
    return make.user(Role.TREASURER), make.user(Role.TREASURER)


def approve(session: Session, asked: MoneyRequest | None, who: User) -> None:
    assert asked is not None
    decide(session, asked, Decision.APPROVED, by=who, on=TODAY, at=clock.now())
    commit_would_hold(session)


def held(session: Session) -> int:
    unidentified = select(LedgerAccount.balance).where(LedgerAccount.kind == AccountKind.UNIDENTIFIED)
    return sum(session.scalars(unidentified.execution_options(populate_existing=True)))


def test_held_money_is_taken_back_or_sent_back_by_two(session: Session, make: Make, two: tuple[User, User]) -> None:
    one, other = two
    load(make, csv_of((1, 7_000_000, "ung ho"), (2, 2_000_000, "chuyen nham"), (3, -2_000_000, "tra lai")))
    first, second, third = lines(make)
    deciding.hold(session, first, **acts(one.id))
    deciding.hold(session, second, **acts(one.id))
    undone = asking.undo_or_ask(session, first, "nhầm", by=one, on=TODAY, at=clock.now())
    assert (first.state, held(session)) == (LineState.SETTLED, 9_000_000)
    approve(session, undone, other)
    session.refresh(first)
    assert (first.state, held(session)) == (LineState.OPEN, 2_000_000)
    part = session.scalars(select(LinePart).where(LinePart.line_id == second.id, LinePart.use == Use.HELD)).one()
    sent = asking.send_back_or_ask(session, third, part, by=one, at=clock.now())
    assert held(session) == 2_000_000
    approve(session, sent, other)
    assert held(session) == 0
    back = asking.undo_or_ask(session, third, "chưa trả", by=one, on=TODAY, at=clock.now())
    approve(session, back, other)
    assert held(session) == 2_000_000


def test_a_line_of_many_receipts_is_undone_by_one_approval(
    session: Session, make: Make, two: tuple[User, User]
) -> None:
    one, other = two
    load(make, csv_of((1, 5_000_000, "ung ho"), (2, 900_000, "ung ho")))
    first, small = lines(make)
    some, more = sponsor(make), sponsor(make, "Hội Chữ thập đỏ")
    deciding.hold(session, first, **acts(one.id))
    shares = [Share(some.id, None, 2_000_000), Share(more.id, None, 3_000_000)]
    deciding.identify(session, first, shares, on=TODAY, **acts(one.id))
    deciding.book(session, small, [Share(some.id, None, 900_000)], **acts(one.id))
    assert asking.undo_or_ask(session, small, "nhầm", by=one, on=TODAY, at=clock.now()) is None
    asked = asking.undo_or_ask(session, first, "nhầm", by=one, on=TODAY, at=clock.now())
    assert asked
    assert (asked.act, asked.amount, asked.sponsor_id) == (MoneyAct.UNDO_LINE, 5_000_000, None)
    approve(session, asked, other)
    assert queries.balance_of(session, some).available == queries.balance_of(session, more).available == 0


def test_nobody_is_asked_to_undo_a_line_whose_money_is_spent(
    session: Session, make: Make, two: tuple[User, User]
) -> None:
    load(make, csv_of((1, 3_000_000, "ung ho")))
    (line,), by = lines(make), sponsor(make)
    deciding.book(session, line, [Share(by.id, None, 3_000_000)], **acts())
    services.refund(session, by, 500_000, reason="xin lại", by_id=two[0].id, on=TODAY, at=clock.now())
    with pytest.raises(Conflict) as spent:
        asking.undo_or_ask(session, line, "nhầm", by=two[0], on=TODAY, at=clock.now())
    assert spent.value.code == "not_enough_received"


def test_two_treasurers_undo_a_line_on_pages(
    session: Session, make: Make, two: tuple[User, User], signed_in: Callable[..., FlaskClient]
) -> None:
    one, other = signed_in(two[0]), signed_in(two[1])
    load(make, csv_of((1, 7_000_000, "ung ho giau ten")))
    (line,) = lines(make)
    assert one.post(f"/statements/lines/{line.id}/hold").status_code == 303
    answer = one.post(f"/statements/lines/{line.id}/undo", data={"reason": "nhầm"})
    assert "người thứ hai duyệt" in one.get(answer.location).text
    asked = session.scalars(select(MoneyRequest)).one()
    assert "ung ho giau ten" in other.get(f"/sponsors/decisions/{asked.id}").text
    assert other.post(f"/sponsors/decisions/{asked.id}", data={"decision": "approved"}).status_code == 303
    session.refresh(line)
    assert line.state is LineState.OPEN


def test_an_undo_that_waits_stands_on_the_page_of_the_line_and_says_after_a_refund_what_is_in_its_way(
    session: Session, make: Make, two: tuple[User, User], signed_in: Callable[..., FlaskClient]
) -> None:
    load(make, csv_of((1, 7_000_000, "ung ho")))
    (line,), by = lines(make), sponsor(make)
    deciding.book(session, line, [Share(by.id, None, 7_000_000)], **acts(two[0].id))
    address = f"/statements/lines/{line.id}"
    one = signed_in(two[0])
    assert f"{address}/undo" in one.get(address).text
    one.post(f"{address}/undo", data={"reason": "nhầm"})
    asked = session.scalars(select(MoneyRequest)).one()
    page = one.get(address).text
    assert "đang chờ người thứ hai duyệt" in page
    assert f"/sponsors/decisions/{asked.id}" in page
    assert f"{address}/undo" not in page, "asked twice is refused"
    services.refund(session, by, 900_000, reason="xin lại", by_id=two[0].id, on=TODAY, at=clock.now())
    refused = signed_in(two[1]).post(f"/sponsors/decisions/{asked.id}", data={"decision": "approved"})
    assert "hoàn lại cho nhà hỗ trợ" in refused.text
    assert "rồi mới hủy bút toán" not in refused.text
