"""Free money of a sponsor that turned out to be another passes to that other, and back when it has to.

Each time it is a movement of its own: the accounts of both still sum to zero by themselves. Whoever calls holds the rows
of the sponsors (crm.sponsors.family.joined_among).
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm.money import Vnd
from crm.sponsors.family import joined_among
from crm.sponsors.ledger.booking import NOTHING_TAKEN_BACK, Booked, accounts_of, post
from crm.sponsors.models import LedgerAccount, LedgerEntry, Posting, Sponsor
from crm.sponsors.rules import AccountKind, Movement


def free(session: Session, town_id: UUID, sponsor_id: UUID) -> Vnd:
    """What of a sponsor's own accounts is free, whole đồng."""
    query = select(LedgerAccount.balance).where(
        LedgerAccount.town_id == town_id,
        LedgerAccount.sponsor_id == sponsor_id,
        LedgerAccount.kind == AccountKind.AVAILABLE,
    )
    return session.scalar(query) or 0


def pass_over(
    session: Session, town_id: UUID, from_id: UUID, to_id: UUID, amount: Vnd, booked: Booked, memo: str | None = None
) -> Posting:
    """So much passes from one sponsor to another. Raises Conflict `not_enough_received`."""
    source, target = accounts_of(session, town_id, from_id), accounts_of(session, town_id, to_id)
    moved = (
        (source[AccountKind.AVAILABLE], -amount),
        (source[AccountKind.OUTSIDE], amount),
        (target[AccountKind.AVAILABLE], amount),
        (target[AccountKind.OUTSIDE], -amount),
    )
    return post(session, town_id, Movement.MERGED, moved, booked, memo=memo, short=NOTHING_TAKEN_BACK, or_later=True)


def pass_on(session: Session, town_id: UUID, joined: Mapping[UUID, UUID], booked: Booked) -> None:
    """What is free of these sponsors is from now on free of those they turned out to be."""
    for gone_id, kept_id in sorted(joined.items()):
        amount = free(session, town_id, gone_id)
        if amount:
            pass_over(session, town_id, gone_id, kept_id, amount, booked)


def fetch_back(session: Session, town_id: UUID, sponsor_id: UUID, amount: Vnd, booked: Booked) -> None:
    """Of a sponsor that turned out to be another, so much is back where it was booked, to be taken back there. Raises
    Conflict `not_enough_received`."""
    joined = joined_among(session, town_id, [sponsor_id])
    short = amount - free(session, town_id, sponsor_id)
    if sponsor_id in joined and short > 0:
        plain = Booked(booked.by_id, booked.on, booked.at)
        pass_over(session, town_id, joined[sponsor_id], sponsor_id, short, plain)


def passed(session: Session, of: Sponsor, kept_id: UUID) -> Vnd:
    """What in all has passed from a sponsor to another, less what came back."""
    to = select(LedgerEntry.posting_id).join(
        LedgerAccount,
        (LedgerAccount.town_id == LedgerEntry.town_id) & (LedgerAccount.id == LedgerEntry.ledger_account_id),
    )
    with_other = to.where(LedgerAccount.town_id == of.town_id, LedgerAccount.sponsor_id == kept_id)
    query = (
        select(-func.coalesce(func.sum(LedgerEntry.amount), 0))
        .join(Posting, (Posting.town_id == LedgerEntry.town_id) & (Posting.id == LedgerEntry.posting_id))
        .join(
            LedgerAccount,
            (LedgerAccount.town_id == LedgerEntry.town_id) & (LedgerAccount.id == LedgerEntry.ledger_account_id),
        )
        .where(
            LedgerAccount.town_id == of.town_id,
            LedgerAccount.sponsor_id == of.id,
            LedgerAccount.kind == AccountKind.AVAILABLE,
            Posting.movement == Movement.MERGED,
            Posting.id.in_(with_other),
        )
    )
    return int(session.scalar(query) or 0)
