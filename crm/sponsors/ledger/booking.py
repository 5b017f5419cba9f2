"""Writing in the account book: accounts, postings whose entries sum to zero, and exact reversals of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm.errors import Conflict, RuleBroken
from crm.money import Vnd
from crm.months import Month
from crm.sponsors.ledger.models import LedgerPeriod
from crm.sponsors.models import LedgerAccount, LedgerEntry, Pledge, Posting
from crm.sponsors.rules import OF_A_SPONSOR, AccountKind, Movement, in_month

NOT_ENOUGH = _l("This is more than what has been received and is not yet spent.")
NOTHING_TAKEN_BACK = _l(
    "Less than this is free of it: part is set aside, paid on, or went back to the sponsor. Give back what is set aside "
    "first; what was paid on or returned stays, and so does this posting."
)


@dataclass(frozen=True, slots=True)
class Booked:
    """Who books, for which day, when; and the approval of a second person for what is above the limit."""

    by_id: UUID | None
    on: date
    at: datetime
    request_id: UUID | None = None


def accounts_of(session: Session, town_id: UUID, sponsor_id: UUID) -> dict[AccountKind, UUID]:
    """The accounts of a sponsor, opened on first use."""
    query = select(LedgerAccount.kind, LedgerAccount.id).where(
        LedgerAccount.town_id == town_id,
        LedgerAccount.sponsor_id == sponsor_id,
        LedgerAccount.kind.in_(OF_A_SPONSOR),
    )
    found = {row[0]: row[1] for row in session.execute(query)}
    if len(found) < len(OF_A_SPONSOR):
        _open(session, *({"town_id": town_id, "sponsor_id": sponsor_id, "kind": kind} for kind in OF_A_SPONSOR))
        found = {row[0]: row[1] for row in session.execute(query)}
    return found


def account_of_pledge(session: Session, pledge: Pledge) -> LedgerAccount:
    """What a promise still has to bring, opened on first use. Hold the pledge's row before moving it."""
    which = {"town_id": pledge.town_id, "sponsor_id": pledge.sponsor_id, "pledge_id": pledge.id}
    return _one(session, AccountKind.EXPECTED, which)


def account_of_held(session: Session, held: Posting) -> LedgerAccount:
    """What is left of money of which nobody knew whose it is, by the posting that brought it in. Opened on first use."""
    return _one(session, AccountKind.UNIDENTIFIED, {"town_id": held.town_id, "sponsor_id": None, "held_id": held.id})


def outside_of_nobody(session: Session, town_id: UUID) -> LedgerAccount:
    """The world outside for money that is no sponsor's yet."""
    return _one(session, AccountKind.OUTSIDE, {"town_id": town_id, "sponsor_id": None})


def _one(session: Session, kind: AccountKind, which: dict[str, Any]) -> LedgerAccount:
    query = (
        select(LedgerAccount)
        .where(LedgerAccount.kind == kind, *(getattr(LedgerAccount, name) == key for name, key in which.items()))
        .execution_options(populate_existing=True)
    )
    found = session.scalar(query)
    if found is None:
        _open(session, which | {"kind": kind})
        found = session.scalars(query).one()
    return found


def _open(session: Session, *accounts: dict[str, Any]) -> None:
    session.execute(insert(LedgerAccount).values(list(accounts)).on_conflict_do_nothing())


def post(
    session: Session,
    town_id: UUID,
    movement: Movement,
    entries: Iterable[tuple[UUID, Vnd]],
    booked: Booked,
    *,
    memo: str | None,
    reverses_id: UUID | None = None,
    short: Any = NOT_ENOUGH,
    or_later: bool = False,
) -> Posting:
    """One posting with its entries, those of nothing left out. What the database refuses is told in words: Conflict
    `not_enough_received` (saying `short`), RuleBroken `month_closed`. With `or_later` what belongs to a closed month is
    booked on the first day that is open."""
    moved = sorted((account, amount) for account, amount in entries if amount)
    if or_later:
        try:
            return post(session, town_id, movement, moved, booked, memo=memo, reverses_id=reverses_id, short=short)
        except RuleBroken as refused:
            if refused.code != "month_closed":
                raise
            booked = replace(booked, on=open_day(session, town_id, booked.on))
    with in_words(session, booked.on, short):
        posting = begin(session, town_id, movement, booked, len(moved), memo=memo, reverses_id=reverses_id)
        write_entries(session, posting, moved)
    return posting


def begin(
    session: Session,
    town_id: UUID,
    movement: Movement,
    booked: Booked,
    entries: int,
    *,
    memo: str | None,
    reverses_id: UUID | None = None,
) -> Posting:
    """A posting that says how many entries it will have; they follow before the commit."""
    posting = Posting(
        town_id=town_id,
        movement=movement,
        posted_on=booked.on,
        memo=memo,
        recorded_at=booked.at,
        recorded_by_id=booked.by_id,
        request_id=booked.request_id,
        reverses_id=reverses_id,
        entries=entries,
    )
    session.add(posting)
    session.flush()
    return posting


def write_entries(session: Session, posting: Posting, moved: list[tuple[UUID, Vnd]]) -> None:
    """The entries of a posting, accounts in the order of their ids: whoever books holds them in the same order."""
    session.add_all(
        LedgerEntry(town_id=posting.town_id, posting_id=posting.id, ledger_account_id=account, amount=amount)
        for account, amount in moved
    )
    session.flush()


def moved_by(session: Session, posting: Posting) -> Vnd:
    """How much a posting moved: its largest entry, which is what the limit for one person looks at."""
    largest = select(func.max(func.abs(LedgerEntry.amount))).where(
        LedgerEntry.town_id == posting.town_id, LedgerEntry.posting_id == posting.id
    )
    return session.scalar(largest) or 0


def reverse(session: Session, posting: Posting, booked: Booked, *, memo: str) -> Posting:
    """The exact opposite of a posting. A second time, and of a reversal, is a Conflict `corrected_already`."""
    if posting.reverses_id is not None:
        raise Conflict(_l("This posting puts another right already. Book it anew instead."), code="corrected_already")
    entries = session.execute(
        select(LedgerEntry.ledger_account_id, -LedgerEntry.amount).where(
            LedgerEntry.town_id == posting.town_id, LedgerEntry.posting_id == posting.id
        )
    )
    opposite = [(row[0], int(row[1])) for row in entries]
    try:
        return post(
            session,
            posting.town_id,
            Movement.CORRECTED,
            opposite,
            booked,
            memo=memo,
            reverses_id=posting.id,
            short=NOTHING_TAKEN_BACK,
            or_later=True,
        )
    except IntegrityError as refused:
        if "uq_posting_town_id_reverses_id" not in str(refused.orig):
            raise
        raise Conflict(_l("This was put right already. Open the page again."), code="corrected_already") from None


@contextmanager
def in_words(session: Session, on: date, short: Any = NOT_ENOUGH) -> Iterator[None]:
    """What the database refuses of a booking, in words; what was booked inside is undone."""
    try:
        with session.begin_nested():
            yield
    except IntegrityError as refused:
        told = str(refused.orig)
        if "ck_ledger_account_balance" in told:
            raise Conflict(short, code="not_enough_received") from None
        if "the books of" in told:
            raise month_closed(on) from None
        raise


def month_closed(on: date, field: str | None = None) -> RuleBroken:
    """The refusal of a day whose month is closed."""
    message = _l(
        "The books of %(month)s are closed. Give a day of a month that is still open.", month=in_month(Month.of(on))
    )
    return RuleBroken(message, field=field, code="month_closed")


def open_day(session: Session, town_id: UUID, on: date) -> date:
    """The day on which something is booked that happened on a day: the first open one when its month is closed."""
    last = session.scalar(
        select(LedgerPeriod.month).where(LedgerPeriod.town_id == town_id).order_by(LedgerPeriod.month.desc()).limit(1)
    )
    return on if last is None else max(on, (Month.of(last) + 1).first_day)
