"""Many at once, and some of them die: the books hold at every moment."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from bench.ledger import prepare, run
from crm.db import plain_engine
from crm.sponsors.ledger.recounting import DIFFERENCES, differences
from tests.factories import Make
from tests.sponsors.ledger.test_booking import on_promise, promise
from tests.sponsors.stories import A_MONTH, allocate, poor, sponsor


@pytest.mark.committed
def test_the_books_hold_while_processes_act_at_random_and_are_killed(app: Flask, session: Session) -> None:
    cast = prepare(session)
    session.commit()
    told = run(app.config["SQLALCHEMY_DATABASE_URI"], cast, acts=600, processes=3, deaths=3, seed=7)
    assert told.found == []
    assert told.killed == 3
    assert told.looks > 20
    for name in ("allocate", "pay", "receive_promised", "release_last", "correct", "identify", "refund", "close"):
        assert told.done[name], f"{name} was never done: {told.done} {told.refused}"
    assert not [name for name in told.refused if "database" in name and "40P01" not in name], told.refused


def test_what_was_written_around_the_database_is_found(app: Flask, session: Session, make: Make) -> None:
    by, person = sponsor(make), poor(make)
    on_promise(by, promise(by, 10 * A_MONTH), 5 * A_MONTH)
    allocate(by, person, months=3)
    assert differences(session) == []
    assert len(DIFFERENCES) > 8


@pytest.mark.committed
@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("update ledger_account set balance = balance + 1 where kind = 'available'", "accounts whose balance"),
        ("update pledge set amount = amount + 1", "promises"),
        ("update allocation set carried_months = 1", "allocations"),
        ("update allocation_month set amount = amount + 1", "of whom another sum is set aside"),
    ],
)
def test_a_row_that_was_bent_by_the_owner_is_found(
    app: Flask, session: Session, make: Make, statement: str, found: str
) -> None:
    by, person = sponsor(make), poor(make)
    on_promise(by, promise(by, 10 * A_MONTH), 5 * A_MONTH)
    allocate(by, person, months=3)
    session.commit()
    with plain_engine(app.config["MIGRATE_DATABASE_URL"]).begin() as owner:
        table = statement.split()[1]
        for command in (
            f"alter table {table} disable trigger user",
            statement,
            f"alter table {table} enable trigger user",
        ):
            owner.execute(text(command))
    assert any(found in one for one in differences(session))
