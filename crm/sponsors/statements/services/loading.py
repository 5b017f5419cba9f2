"""Loading the lines of a statement and looking each through: a chunk to a transaction, safe to run again and beside itself."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from crm.bulk import insert_rows
from crm.clock import local_day
from crm.errors import RuleBroken
from crm.ids import new_ids
from crm.names import fold
from crm.sponsors.ledger.booking import open_day
from crm.sponsors.models import Receipt
from crm.sponsors.rules import long_ago
from crm.sponsors.statements import queries
from crm.sponsors.statements.models import Statement, StatementLine
from crm.sponsors.statements.reading import Entry
from crm.sponsors.statements.rules.kinds import AT_WORK, Likely, LineState, Seen, Share, StatementState
from crm.sponsors.statements.rules.matching import Matcher, Verdict, not_a_gift
from crm.sponsors.statements.services import deciding, taking_in

CHUNK = 1_000
FEW = 16
"""So few lines, one of which was refused, are looked through one by one."""


def step(session: Session, town_id: UUID, statement_id: UUID, *, at: datetime) -> bool:
    """The next chunk of a statement; whether more may follow. Another worker's chunk is left to it."""
    statement = session.scalar(
        select(Statement)
        .where(Statement.town_id == town_id, Statement.id == statement_id, Statement.state.in_(AT_WORK))
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if statement is None:
        return False
    statement.touched_at = at
    if statement.state is StatementState.QUEUED:
        _load(session, statement)
        statement.state = StatementState.MATCHING
        session.flush()
        return True
    lines = _new_lines(session, statement)
    _look_through_all(session, statement, lines, at)
    statement.done += len(lines)
    if len(lines) < CHUNK:
        statement.state, statement.content = StatementState.LOADED, None
    session.flush()
    return len(lines) == CHUNK


def _load(session: Session, statement: Statement) -> None:
    """All lines that no earlier statement had; those it had change nothing."""
    read, chain = taking_in.looked_through(statement, taking_in.table_of(statement))
    entries = read.entries[::-1] if chain.newest_first else read.entries
    counted: Counter[tuple[object, ...]] = Counter()
    rows = []
    for place, (key, entry) in enumerate(zip(new_ids(len(entries)), entries, strict=True), 1):
        reference = entry.reference or _mark_of(entry)
        same = (entry.day, entry.amount, reference)
        counted[same] += 1
        rows.append(
            {
                "town_id": statement.town_id,
                "id": key,
                "bank_account_id": statement.bank_account_id,
                "statement_id": statement.id,
                "place": place,
                "file_row": entry.row,
                "posted_on": entry.day,
                "posted_at": entry.at,
                "amount": entry.amount,
                "balance": entry.balance,
                "reference": reference,
                "occurrence": counted[same],
                "narrative": entry.narrative,
                "payer": entry.payer,
                "payer_fold": fold(entry.payer),
                "payer_account": entry.payer_account,
                "state": LineState.NEW,
                "likely": Likely.UNKNOWN,
            }
        )
    if rows:
        adding = insert_rows(StatementLine, rows).on_conflict_do_nothing(constraint="uq_statement_line_identity")
        statement.new_lines += len(session.execute(adding.returning(StatementLine.id)).all())
    statement.done = statement.lines - statement.new_lines


def _mark_of(entry: Entry) -> str:
    """What a line without a bank's reference is known by again: its words, its time and the balance after it."""
    said = (entry.narrative, entry.payer, entry.payer_account, str(entry.at or ""), str(entry.balance))
    return "#" + hashlib.sha256("\x1f".join(said).encode()).hexdigest()[:20]


def _new_lines(session: Session, statement: Statement) -> Sequence[StatementLine]:
    query = (
        select(StatementLine)
        .where(
            StatementLine.town_id == statement.town_id,
            StatementLine.statement_id == statement.id,
            StatementLine.state == LineState.NEW,
        )
        .order_by(StatementLine.place)
        .limit(CHUNK)
    )
    return session.scalars(query).all()


def _look_through_all(session: Session, statement: Statement, lines: Sequence[StatementLine], at: datetime) -> None:
    """Look all lines through together. When one of them is refused nothing was done, and each half is looked through by
    itself, so that a few lines around the refused one are slow and not all of them."""
    ids = [line.id for line in lines]
    if not ids or _look_through_together(session, statement, lines, at):
        return
    if len(ids) <= FEW:
        _look_through_each(session, statement, _still_new(session, statement, ids), at)
        return
    for half in (ids[: len(ids) // 2], ids[len(ids) // 2 :]):
        _look_through_all(session, statement, _still_new(session, statement, half), at)


def _still_new(session: Session, statement: Statement, line_ids: Collection[UUID]) -> Sequence[StatementLine]:
    """Those of these lines on which nobody has decided meanwhile, read again."""
    query = (
        select(StatementLine)
        .where(
            StatementLine.town_id == statement.town_id,
            StatementLine.id.in_(line_ids),
            StatementLine.state == LineState.NEW,
        )
        .order_by(StatementLine.place)
        .execution_options(populate_existing=True)
    )
    return session.scalars(query).all()


def _look_through_together(
    session: Session, statement: Statement, lines: Sequence[StatementLine], at: datetime
) -> bool:
    """What `_look_through_each` does, the receipts of all lines written at once; False when one of them was refused,
    and then nothing was done."""
    matcher, by_hand = queries.matcher_of(session, statement.town_id), _recorded_by_hand(session, lines)
    booked: list[tuple[StatementLine, tuple[Share, ...]]] = []
    left: dict[Likely, list[UUID]] = defaultdict(list)
    opens, today = open_day(session, statement.town_id, date.min), local_day(at)
    try:
        with session.begin_nested():
            for line in lines:
                shown = by_hand.get(line.reference)
                if shown is not None and shown.amount == line.amount:
                    if _linked(session, statement, line, shown, at):
                        continue
                    shown = None
                told = queries.seen(line)
                verdict = matcher.match(told)
                old = long_ago(max(line.posted_on, opens), today)
                if verdict.certain and shown is None and not old:
                    booked.append((line, verdict.certain.shares))
                    matcher.received(verdict.certain.shares)
                else:
                    left[_likely(told, verdict)].append(line.id)
            deciding.book_many(session, statement.town_id, booked, by_id=statement.recorded_by_id, at=at)
            for likely, ids in left.items():
                _leave_open(session, statement.town_id, ids, likely)
    except RuleBroken:
        return False
    finally:
        for line in lines:
            session.expire(line)
    return True


def _look_through_each(session: Session, statement: Statement, lines: Sequence[StatementLine], at: datetime) -> None:
    """Book every line whose code leaves no doubt, or that somebody recorded by hand under its reference; leave any
    other open."""
    matcher, by_hand = queries.matcher_of(session, statement.town_id), _recorded_by_hand(session, lines)
    for line in lines:
        _look_through(session, statement, line, matcher, by_hand.get(line.reference), at)


def _look_through(
    session: Session, statement: Statement, line: StatementLine, matcher: Matcher, by_hand: Receipt | None, at: datetime
) -> None:
    if by_hand is not None and by_hand.amount == line.amount:
        if _linked(session, statement, line, by_hand, at):
            return
        by_hand = None
    told = queries.seen(line)
    verdict = matcher.match(told)
    if verdict.certain and by_hand is None:
        shares = verdict.certain.shares
        try:
            with session.begin_nested():
                deciding.book(session, line, shares, by_id=statement.recorded_by_id, at=at, by_itself=True)
        except RuleBroken:
            session.refresh(line)
        else:
            matcher.received(shares)
            return
    line.state, line.likely = LineState.OPEN, _likely(told, verdict)


def _likely(told: Seen, verdict: Verdict) -> Likely:
    if verdict.suggestions:
        return Likely.GIFT
    return Likely.NOT_GIFT if not_a_gift(told) else Likely.UNKNOWN


def _leave_open(session: Session, town_id: UUID, line_ids: Sequence[UUID], likely: Likely) -> None:
    session.execute(
        update(StatementLine)
        .where(StatementLine.town_id == town_id, StatementLine.id.in_(line_ids), StatementLine.state == LineState.NEW)
        .values(state=LineState.OPEN, likely=likely)
        .execution_options(synchronize_session=False)
    )


def _recorded_by_hand(session: Session, lines: Sequence[StatementLine]) -> dict[str, Receipt]:
    """Receipts under the bank's references of these lines that no line has shown yet. A reference is booked once."""
    told = {line.reference for line in lines if line.amount > 0 and not line.reference.startswith("#")}
    found = queries.receipts_unseen(session, lines[0].town_id, Receipt.reference.in_(told)) if told else ()
    return {one.reference: one for one in found}


def _linked(session: Session, statement: Statement, line: StatementLine, by_hand: Receipt, at: datetime) -> bool:
    """Whether the line shows this receipt now; a line before it, or somebody else, may have shown it meanwhile."""
    try:
        with session.begin_nested():
            deciding.link(session, line, by_hand, by_id=statement.recorded_by_id, at=at, by_itself=True)
    except RuleBroken:
        session.refresh(line)
        return False
    return True
