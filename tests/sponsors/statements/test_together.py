"""A whole statement is booked in a few statements of the database: with the same result as line by line, also beside
another loader."""

from __future__ import annotations

import threading
from datetime import date
from random import Random
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm import clock
from crm.db import session as current
from crm.db import transaction
from crm.demo.banking import Bank, workbook
from crm.errors import RuleBroken
from crm.sponsors import services
from crm.sponsors.giving.services.scheduling import end
from crm.sponsors.ledger.recounting import differences
from crm.sponsors.models import LedgerAccount, LedgerEntry, Pledge, Posting, Receipt, Sponsor
from crm.sponsors.statements.models import LinePart, Statement, StatementLine
from crm.sponsors.statements.rules.kinds import LineState
from crm.sponsors.statements.rules.matching import Giver, Promise
from crm.sponsors.statements.services import loading, taking_in
from tests.factories import Make
from tests.sponsors.statements.stories import ACCOUNT, BEFORE, TODAY, csv_of, lines, load, pledge, run
from tests.sponsors.stories import sponsor

LAST = date(2019, 10, 14)


def town_of_givers(make: Make, many: int = 12) -> tuple[list[Giver], list[Promise]]:
    givers, promises = [], []
    for number in range(many):
        by = sponsor(make, f"Công ty Đá Xanh {number}", phone=f"09123450{number:02}")
        givers.append(Giver(by.id, by.name, by.name, by.phone or ""))
        for amount in ((330_000, 660_000), (990_000,), (1_650_000,))[number % 3]:
            one = pledge(by, amount, LAST)
            promises.append(Promise(one.id, by.id, one.code, amount, due=((LAST, amount),)))
    return givers, promises


def outcome() -> dict[str, Any]:
    """Everything that loading decided, without the keys it gave."""
    now = current()
    now.flush()
    now.expire_all()
    posted = (
        select(Posting.movement, Posting.posted_on, Posting.memo, Posting.entries, LedgerAccount.kind)
        .add_columns(LedgerAccount.sponsor_id, LedgerAccount.pledge_id, LedgerEntry.amount)
        .join(LedgerEntry, LedgerEntry.posting_id == Posting.id)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.ledger_account_id)
    )
    told = (
        select(StatementLine.place, StatementLine.state, StatementLine.likely, LinePart.use, LinePart.amount)
        .add_columns(LinePart.sponsor_id, LinePart.by_itself, LinePart.linked, LinePart.booked_on)
        .add_columns(LinePart.recorded_by_id, Receipt.reference, Receipt.pledge_id, Receipt.amount, Receipt.received_on)
        .outerjoin(LinePart, LinePart.line_id == StatementLine.id)
        .outerjoin(Receipt, Receipt.id == LinePart.receipt_id)
    )
    stands = select(LedgerAccount.kind, LedgerAccount.sponsor_id, LedgerAccount.pledge_id, LedgerAccount.balance)
    questions: dict[str, Any] = {"posted": posted, "told": told, "stands": stands}
    return {name: sorted(map(repr, now.execute(query))) for name, query in questions.items()}


def loaded(make: Make, content: bytes, name: str) -> dict[str, Any]:
    """What loading this file brings, which is then undone."""
    with current().begin_nested() as once:
        row = load(make, content, name)
        assert row.done == row.lines
        found = outcome()
        assert differences(current()) == []
        once.rollback()
    return found


def test_together_brings_what_line_by_line_brings(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    givers, promises = town_of_givers(make)
    written = Bank(Random(11), givers, promises).statement(90, date(2019, 10, 1), LAST)
    file = workbook(written, ACCOUNT, 5_000_000)
    together = loaded(make, file, "a.xlsx")
    monkeypatch.setattr(loading, "_look_through_together", lambda *_all: False)
    monkeypatch.setattr(
        loading, "FEW", len(written)
    )  # all one by one; each half would learn who paid in the half before
    assert loaded(make, file, "a.xlsx") == together
    assert sum("received" in one for one in together["posted"]) > 60


def odd_lines(make: Make) -> bytes:
    """Lines on which the two ways might differ."""
    by, other = sponsor(make), sponsor(make, "Bà Tâm")
    first, second, ended = pledge(by, 500_000), pledge(by, 300_000), pledge(other, 200_000)
    end(current(), ended, reason="Thôi", by_id=None, on=TODAY, at=clock.now())
    receipt = {"by_id": None, "on": date(2019, 10, 1), "at": clock.now()}
    services.receive(current(), by, 70_000, reference="TAY1", pledge=first, **receipt)
    services.receive(current(), by, 70_000, reference="TAY2", pledge=first, **receipt)
    services.receive(current(), other, 1_000, reference="FT9/2", pledge=None, **receipt)
    return csv_of(
        (1, 70_000, first.code, "TAY1"),  # recorded by hand: shown, not booked
        (1, 70_000, first.code, "TAY1"),  # the bank says it twice
        (1, 71_000, first.code, "TAY2"),  # by hand under another amount: somebody has to look
        (2, 400_000, first.code, "FT9"),
        (2, 400_000, first.code, "FT9"),  # more than is expected, and the second name of the reference is taken
        (3, 150_000, second.code, "FT10"),
        (3, 150_000, f"{first.code} {second.code}", "FT11"),
        (4, 200_000, ended.code, "FT12"),
        (5, 300_000, second.code, "FT13"),
        (6, -11_000, "phi sms", "FT14"),
    )


def test_odd_lines_come_to_the_same(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    file = odd_lines(make)
    together = loaded(make, file, "b.csv")
    monkeypatch.setattr(loading, "_look_through_together", lambda *_all: False)
    assert loaded(make, file, "b.csv") == together
    monkeypatch.undo()
    load(make, file, "b.csv")
    references = set(current().scalars(select(Receipt.reference).where(Receipt.amount == 400_000)))
    assert references == {"FT9", "FT9/3"}


def test_around_a_refused_line_few_are_looked_through_one_by_one(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    promise = pledge(sponsor(make), 9_900_000)
    file = csv_of(*((1, 10_000 + number, promise.code) for number in range(80)))
    book_many, each, slow = loading.deciding.book_many, loading._look_through_each, list[int]()

    def refusing(session: Session, town_id: UUID, booked: Any, **how: Any) -> None:
        if any(line.amount == 10_050 for line, _shares in booked):
            raise RuleBroken("Not this one.")
        book_many(session, town_id, booked, **how)

    def counted(session: Session, statement: Statement, some: Any, at: Any) -> None:
        slow.extend(line.amount for line in some)
        each(session, statement, some, at)

    monkeypatch.setattr(loading.deciding, "book_many", refusing)
    monkeypatch.setattr(loading, "_look_through_each", counted)
    load(make, file)
    assert 10_050 in slow
    assert len(slow) <= loading.FEW
    assert {one.state for one in lines(make)} == {LineState.SETTLED}
    assert current().scalar(select(func.sum(Receipt.amount))) == sum(range(10_000, 10_080))
    assert differences(current()) == []


def test_a_line_of_long_ago_waits_and_the_others_are_still_booked_together(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "_look_through_each", None)
    promise = pledge(sponsor(make), 990_000)
    file = csv_of((1, 330_000, promise.code), (2, 330_000, promise.code)).replace(b"01/10/2019", b"01/10/2016", 1)
    load(make, file)
    assert [one.state for one in lines(make)] == [LineState.OPEN, LineState.SETTLED]
    assert current().scalar(select(func.sum(Receipt.amount))) == 330_000


@pytest.mark.committed
def test_two_loaders_and_somebody_at_the_desk_do_not_wait_in_a_circle(app: Flask, make: Make, session: Session) -> None:
    """Two accounts' statements name the same promises in opposite order, and one sponsor's promise is changed meanwhile."""
    _givers, promises = town_of_givers(make, 6)
    rows = [(day, 100_000, one.code) for day in (1, 2) for one in promises]
    town_id, files = make.town.id, (csv_of(*rows), csv_of(*((3, *row[1:]) for row in reversed(rows))))
    keys: list[UUID] = []
    for number, content in enumerate(files):
        account = taking_in.account_numbered(session, town_id, f"35002{number}", name="", by_id=None, at=clock.now())
        row = taking_in.take_in(session, account, "a.csv", content, by_id=None, at=clock.now())
        taking_in.confirm(session, row, row.found["columns"], by_id=None, at=clock.now())
        assert loading.step(session, town_id, row.id, at=clock.now())  # its lines stand there, none is looked through
        keys.append(row.id)
    session.commit()
    ready, failed = threading.Barrier(3), list[BaseException]()

    def beside(act: Any) -> None:
        with app.app_context():
            try:
                ready.wait()
                act()
            except BaseException as refused:
                failed.append(refused)

    def loads(key: UUID) -> None:
        with transaction() as own:
            run(own.get_one(Statement, (town_id, key)))

    def receives() -> None:
        for number, one in enumerate(promises):
            with transaction() as own:
                by, to = own.get_one(Sponsor, (town_id, one.sponsor_id)), own.get_one(Pledge, (town_id, one.pledge_id))
                services.receive(
                    own, by, 5_000, reference=f"TAY{number}", pledge=to, by_id=None, on=BEFORE, at=clock.now()
                )

    acts = [lambda: loads(keys[0]), lambda: loads(keys[1]), receives]
    threads = [threading.Thread(target=beside, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert session.scalar(select(func.sum(Receipt.amount))) == len(promises) * (4 * 100_000 + 5_000)
    left = select(func.count()).where(StatementLine.state != LineState.SETTLED)
    assert session.scalar(left) == 0
    assert differences(session) == []
