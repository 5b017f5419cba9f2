"""Taking a file in: its table found, its columns looked at by somebody, its balances checked."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crm.clock import local_day
from crm.errors import Conflict, RuleBroken
from crm.money import Vnd
from crm.names import fold
from crm.prospects.reading.columns import index_of
from crm.sponsors.queries import fund_account
from crm.sponsors.statements import queries, reading
from crm.sponsors.statements.models import BankAccount, Statement, StatementLayout
from crm.sponsors.statements.reading import Field, Read, Table
from crm.sponsors.statements.reading import Why as Found
from crm.sponsors.statements.rules.chain import Chain, Step, chain_of
from crm.sponsors.statements.rules.kinds import StatementState

MOST_TOLD = 50
"""Breaks and rows that were not understood, as a statement keeps them."""


def account_numbered(
    session: Session, town_id: UUID, number: str, *, name: str, by_id: UUID | None, at: datetime
) -> BankAccount:
    """The account of the fund with this number, new when it is seen for the first time. Raises RuleBroken."""
    number = "".join(letter for letter in number.upper() if letter.isalnum() and letter.isascii())
    if not 4 <= len(number) <= 24:
        raise RuleBroken(_l("An account number has 4 to 24 figures or letters."), field="number")
    values = {"town_id": town_id, "number": number, "name": name or number, "recorded_at": at, "recorded_by_id": by_id}
    session.execute(insert(BankAccount).values(**values).on_conflict_do_nothing())
    return session.scalars(
        select(BankAccount).where(BankAccount.town_id == town_id, BankAccount.number == number)
    ).one()


def account_of_file(
    session: Session,
    town_id: UUID,
    content: bytes,
    filename: str,
    told: str | None,
    *,
    by_id: UUID | None,
    at: datetime,
) -> BankAccount:
    """The account a file is of: the one `told`, else the one the file names. Raises RuleBroken when neither says it."""
    number = told or account_told(content, filename)
    if not number:
        raise RuleBroken(
            _l("The file does not say of which account it is. Choose one, or write its number."), field="number"
        )
    fund = fund_account(session)
    name = fund.name if fund and fund.account == number else ""
    return account_numbered(session, town_id, number, name=name, by_id=by_id, at=at)


def hand_in(
    session: Session, account: BankAccount, filename: str, content: bytes, *, by_id: UUID | None, at: datetime
) -> tuple[Statement, bool]:
    """Keep a file, and whether this very file was handed in before: then the first one is answered."""
    taken = take_in(session, account, filename, content, by_id=by_id, at=at)
    before = queries.loaded_before(session, account, taken.digest)
    if before is None or before.id == taken.id:
        return taken, False
    give_up(session, taken)
    return before, True


def take_in(
    session: Session, account: BankAccount, filename: str, content: bytes, *, by_id: UUID | None, at: datetime
) -> Statement:
    """Keep a file with the table that was found in it. Raises RuleBroken for what is no statement."""
    source = reading.open_statement(content, filename)
    table = reading.find_table(source)
    if kept := _remembered(session, account, table):
        table = reading.find_table(source, kept)
    statement = Statement(
        town_id=account.town_id,
        bank_account_id=account.id,
        filename=filename[:200],
        digest=hashlib.sha256(content).digest(),
        content=content,
        found=table.as_json(),
        state=StatementState.COLUMNS,
        breaks={},
        touched_at=at,
        recorded_at=at,
        recorded_by_id=by_id,
    )
    session.add(statement)
    session.flush()
    return statement


def account_told(content: bytes, filename: str) -> str:
    """The account number that a file names, or nothing. Raises RuleBroken for what is no statement."""
    return reading.find_table(reading.open_statement(content, filename)).account


def table_of(statement: Statement, columns: Mapping[str, str] | None = None) -> Table:
    """The table of a statement as it is kept; `columns` (letter → field, empty for none) are put in its place."""
    kept = statement.found
    chosen = kept["columns"] if columns is None else {letter: held for letter, held in columns.items() if held}
    if len(set(chosen.values())) < len(chosen):
        raise RuleBroken(_l("Two columns cannot hold the same. Choose one of them."), code="columns")
    if not set(chosen.values()) <= set(Field):
        raise RuleBroken(_l("Say which column holds the day and which the money in and out."), code="columns")
    return Table(
        sheet=kept["sheet"],
        header_row=kept["header_row"],
        headings=tuple(kept["headings"]),
        columns={index_of(letter): Field(held) for letter, held in chosen.items()},
        whys={
            index_of(letter): Found(kept["whys"].get(letter, Found.CHOSEN))
            if kept["columns"].get(letter) == held
            else Found.CHOSEN
            for letter, held in chosen.items()
        },
        samples=tuple(tuple(each) for each in kept["samples"]),
        account=kept["account"],
        opening=kept["opening"],
        closing=kept["closing"],
    )


def looked_through(statement: Statement, table: Table) -> tuple[Read, Chain]:
    """The lines of a statement under these columns, and whether its balances follow. Raises RuleBroken."""
    source = reading.open_statement(statement.content or b"", statement.filename)
    read = reading.read_lines(source, table)
    steps = [Step(entry.row, entry.amount, entry.balance) for entry in read.entries]
    return read, chain_of(steps, read.opening, read.closing)


def confirm(
    session: Session, statement: Statement, columns: Mapping[str, str], *, by_id: UUID | None, at: datetime
) -> None:
    """The columns are right: remember them for this account and let the lines be loaded. Raises RuleBroken."""
    session.refresh(statement, with_for_update=True)
    if statement.state is not StatementState.COLUMNS:
        raise Conflict(_l("This statement is being loaded already."), code="loaded")
    table = table_of(statement, columns)
    read, chain = looked_through(statement, table)
    days = [entry.day for entry in read.entries]
    if max(days) > local_day(at):
        raise RuleBroken(_l("Some lines are dated ahead of today. Look at the column of days again."), code="columns")
    statement.found = table.as_json()
    statement.from_day, statement.to_day = min(days), max(days)
    statement.opening, statement.closing = chain.opening, chain.closing
    statement.breaks = _told(read, chain)
    statement.lines, statement.state = len(read.entries), StatementState.QUEUED
    statement.touched_at, statement.recorded_by_id = at, by_id
    _remember(session, statement, table, at)
    session.flush()


def _told(read: Read, chain: Chain) -> dict[str, Any]:
    rows: list[list[Vnd]] = [list(one) for one in chain.breaks[:MOST_TOLD]]
    problems = [[row, said] for row, said in read.problems[:MOST_TOLD]]
    return {"rows": rows, "problems": problems, "checked": chain.checked, "newest_first": chain.newest_first}


def give_up(session: Session, statement: Statement) -> None:
    """Forget a file that was not loaded. Raises Conflict once it is being loaded."""
    session.refresh(statement, with_for_update=True)
    if statement.state is not StatementState.COLUMNS:
        raise Conflict(_l("This statement is being loaded already."), code="loaded")
    statement.state, statement.content = StatementState.GIVEN_UP, None
    session.flush()


def say_what_stood_before(account: BankAccount, amount: Vnd, why: str | None) -> None:
    """So much of what stood on the account before its first statement is no sponsor's money. Raises RuleBroken."""
    if amount and not why:
        raise RuleBroken(_l("Say whose money it is."), field="why")
    account.not_sponsors, account.not_sponsors_why = amount, why if amount else None


def _key(table: Table) -> str:
    return " | ".join(fold(heading) for heading in table.headings)


def _remembered(session: Session, account: BankAccount, table: Table) -> dict[str, str] | None:
    return session.scalar(
        select(StatementLayout.columns).where(
            StatementLayout.town_id == account.town_id,
            StatementLayout.bank_account_id == account.id,
            StatementLayout.headings_key == _key(table),
        )
    )


def _remember(session: Session, statement: Statement, table: Table, at: datetime) -> None:
    columns = {
        fold(heading): table.columns[index].value if index in table.columns else ""
        for index, heading in enumerate(table.headings)
        if heading
    }
    if not columns:
        return
    values = {
        "town_id": statement.town_id,
        "bank_account_id": statement.bank_account_id,
        "headings_key": _key(table),
        "columns": columns,
        "recorded_at": at,
    }
    statement_ = insert(StatementLayout).values(**values)
    session.execute(
        statement_.on_conflict_do_update(
            index_elements=["town_id", "bank_account_id", "headings_key"],
            set_={"columns": columns, "recorded_at": at},
        )
    )
