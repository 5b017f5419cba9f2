"""Statements for tests, told briefly."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select

from crm import clock
from crm.db import session as current
from crm.sponsors import services
from crm.sponsors.models import Pledge, Sponsor
from crm.sponsors.statements.models import Statement, StatementLine
from crm.sponsors.statements.services import loading, taking_in
from tests.factories import Make

ACCOUNT = "3500201001234"
BEFORE = date(2019, 9, 1)
TODAY = date(2019, 10, 15)


def pledge(by: Sponsor, amount: int, due: date | None = None) -> Pledge:
    return services.pledge(current(), by, amount, due=due, by_id=None, at=clock.now(), on=BEFORE)


def csv_of(*rows: Sequence[Any], opening: int = 0) -> bytes:
    """Rows of (day of October, amount, narrative[, reference[, payer[, payer's account]]]) as a bank's csv."""
    lines = [f"Số tài khoản: {ACCOUNT}", "Ngày;Số tham chiếu;Số tiền;Số dư;Nội dung;Tên người chuyển;Tài khoản đối ứng"]
    balance = opening
    for number, row in enumerate(rows, 1):
        day, amount, narrative, *more = row
        balance += amount
        reference, payer, account = [*more, *("", "", "")[len(more) :]]
        lines.append(
            f"{day:02}/10/2019;{reference or f'FT{day:02}{number:03}'};{amount};{balance};{narrative};{payer};{account}"
        )
    return "\n".join(lines).encode()


def load(make: Make, content: bytes, name: str = "sao-ke.csv") -> Statement:
    """A statement handed in, its columns confirmed, its lines loaded."""
    session, at = current(), clock.now()
    account = taking_in.account_numbered(session, make.town.id, ACCOUNT, name="Quỹ", by_id=None, at=at)
    row = taking_in.take_in(session, account, name, content, by_id=None, at=at)
    taking_in.confirm(session, row, row.found["columns"], by_id=None, at=at)
    run(row)
    return row


def run(row: Statement) -> None:
    while loading.step(current(), row.town_id, row.id, at=clock.now()):
        pass


def lines(make: Make) -> list[StatementLine]:
    """All lines in the order of time."""
    query = select(StatementLine).where(StatementLine.town_id == make.town.id)
    return list(current().scalars(query.order_by(StatementLine.posted_on, StatementLine.place)))


def acts(by_id: UUID | None = None) -> dict[str, Any]:
    return {"by_id": by_id, "at": clock.now()}
