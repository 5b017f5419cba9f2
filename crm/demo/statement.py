"""The statement of the fund's account for the days of the month so far: most of it understood, some of it waiting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, time, timedelta
from random import Random
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.clock import at
from crm.demo.banking import Bank, Sort, Written, workbook
from crm.money import Vnd
from crm.names import fold
from crm.sponsors.models import Pledge, Receipt, Sponsor
from crm.sponsors.rules import FundAccount
from crm.sponsors.statements import queries
from crm.sponsors.statements.models import StatementLine
from crm.sponsors.statements.rules.kinds import LineState, Use
from crm.sponsors.statements.rules.matching import Giver, Promise
from crm.sponsors.statements.services import deciding, loading, taking_in

SORTS = (
    Sort.CODE,
    Sort.CODE,
    Sort.CODE_BROKEN_UP,
    Sort.TYPO,
    Sort.ALIKE,
    Sort.NAME,
    Sort.CONTACT,
    Sort.CODE,
    Sort.UNKNOWN,
    Sort.NO_SUCH_CODE,
    Sort.FEE,
    Sort.INTEREST,
    Sort.UNKNOWN,
    Sort.CUT,
)
"""Lines of the bank besides those that the books know."""


class _Line(NamedTuple):
    day: date
    amount: Vnd
    reference: str
    narrative: str
    payer: str
    account: str


def load_statement(
    session: Session, town_id: UUID, fund: FundAccount, as_of: date, random: Random, by_id: UUID
) -> None:
    """Load it, and decide some of its lines as a treasurer would."""
    first = as_of.replace(day=1)
    opening = sum(queries.money_held(session, town_id, first - timedelta(days=1)).values())
    known = [*_receipts(session, town_id, first, as_of), *_payments(session, town_id, first, as_of)]
    lines = sorted([*known, *_new(session, town_id, first, as_of, random)], key=lambda line: (line.day, line.reference))
    if not lines:
        return
    moment = at(as_of, 8)
    account = taking_in.account_numbered(
        session, town_id, fund.account, name="Quỹ Vì người nghèo", by_id=by_id, at=moment
    )
    content = workbook(_written(lines, opening), fund.account, opening)
    row = taking_in.take_in(session, account, f"sao-ke-{first:%m-%Y}.xlsx", content, by_id=by_id, at=moment)
    taking_in.confirm(session, row, row.found["columns"], by_id=by_id, at=moment)
    while loading.step(session, town_id, row.id, at=moment):
        pass
    _decide_some(session, town_id, by_id, as_of)


def _receipts(session: Session, town_id: UUID, first: date, last: date) -> Iterator[_Line]:
    """What was recorded by hand already."""
    query = (
        select(Receipt, Sponsor.name, Pledge.code)
        .join(Sponsor, Sponsor.id == Receipt.sponsor_id)
        .outerjoin(Pledge, Pledge.id == Receipt.pledge_id)
        .where(Receipt.town_id == town_id, Receipt.received_on.between(first, last))
    )
    for receipt, name, code in session.execute(query):
        text = f"{fold(name).upper()} ung ho {code or ''}"
        yield _Line(receipt.received_on, receipt.amount, receipt.reference, text, fold(name).upper(), "")


def _payments(session: Session, town_id: UUID, first: date, last: date) -> Iterator[_Line]:
    """What was paid to the insurance fund, a day's payments in one transfer; the last days are not out yet."""
    days: Counter[date] = Counter()
    for move in queries.moves_unseen(session, town_id, Use.INSURANCE, last - timedelta(days=2)):
        if move.day >= first:
            days[move.day] += move.amount
    for day, amount in sorted(days.items()):
        text = f"Nop BHXH tu nguyen danh sach D05-TS ngay {day:%d/%m/%Y}"
        yield _Line(day, -amount, f"FT{day:%y%m%d}BHXH", text, "BHXH THI XA BIM SON", "3511000099999")


def _new(session: Session, town_id: UUID, first: date, last: date, random: Random) -> Iterator[_Line]:
    """What nobody has recorded yet."""
    sponsors = session.scalars(select(Sponsor).where(Sponsor.town_id == town_id).order_by(Sponsor.name_fold)).all()
    givers = [Giver(one.id, one.name, one.contact_name or one.name, one.phone or "") for one in sponsors]
    matcher = queries.matcher_of(session, town_id)
    promises: list[Promise] = [one for one in matcher.promises.values() if one.is_open and one.expected]
    if not promises:
        return
    bank = Bank(random, givers, promises, amounts=(640_000, 1_100_000, 2_400_000))
    for place, sort in enumerate(SORTS, 1):
        day = first + timedelta(days=(place - 1) * (last - first).days // len(SORTS))
        made = bank.line(sort, day, 90_000 + place)
        yield _Line(day, made.amount, made.reference, made.narrative, made.payer, made.payer_account)


def _written(lines: list[_Line], opening: Vnd) -> list[Written]:
    written, balance = [], opening
    for place, line in enumerate(lines):
        balance += line.amount
        moment = time(8 + place % 9, 7 * place % 60, 13)
        words = (line.reference, line.narrative, line.payer, line.account)
        written.append(Written(line.day, moment, line.amount, balance, *words, Sort.CODE, ()))
    return written


def _decide_some(session: Session, town_id: UUID, by_id: UUID, as_of: date) -> None:
    """The fee is put aside, the first transfer to the insurance fund is shown, one unknown gift is held."""
    lines = session.scalars(
        select(StatementLine)
        .where(StatementLine.town_id == town_id, StatementLine.state == LineState.OPEN)
        .order_by(StatementLine.posted_on, StatementLine.id)
    ).all()
    moment, act = at(as_of, 8), {"by_id": by_id, "at": at(as_of, 8)}
    deciding.clear_small(session, town_id, by_id=by_id, at=moment)
    out = [line for line in lines if line.amount < 0 and line.state is LineState.OPEN and "BHXH" in line.reference]
    for line in out[: len(out) // 2]:
        moves = [
            one.posting_id
            for one in queries.moves_unseen(session, town_id, Use.INSURANCE, line.posted_on)
            if one.day == line.posted_on
        ]
        deciding.show_moves(session, line, Use.INSURANCE, moves, **act)  # type: ignore[arg-type]
    held = next(
        (line for line in lines if line.amount > 0 and line.state is LineState.OPEN and line.likely.value != "gift"),
        None,
    )
    if held is not None:
        deciding.hold(session, held, by_id=by_id, at=moment)
