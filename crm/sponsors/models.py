"""Sponsors, pledges, receipts, allocations and the ledger under them.

The database itself keeps the ledger honest (migrations): a trigger keeps `ledger_account.balance`, a check refuses a
balance below zero, a deferred trigger refuses a posting whose entries do not sum to zero, and entries cannot be changed.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Model, TownRow, refers
from crm.sponsors.rules import AccountKind, Movement, PledgeState, SponsorKind


class Sponsor(TownRow, Model):
    """An agency, company, organisation or person who pays for others."""

    __tablename__ = "sponsor"
    __table_args__ = (Index(None, "town_id", "name_fold"), UniqueConstraint("town_id", "tax_code"))

    name: Mapped[str]
    name_fold: Mapped[str]
    kind: Mapped[SponsorKind]
    contact_name: Mapped[str | None]
    phone: Mapped[str | None]
    email: Mapped[str | None]
    tax_code: Mapped[str | None]
    wish: Mapped[dict[str, Any]]
    """Places, standings, sex, ages, number of people and months they would like to help."""
    page_digest: Mapped[bytes | None] = mapped_column(unique=True)
    """Hash of the token of their private page."""
    created_at: Mapped[datetime]
    created_by_id: Mapped[UUID | None]


class Pledge(TownRow, Model):
    """A promise. Not money."""

    __tablename__ = "pledge"
    __table_args__ = (
        refers("sponsor_id", "sponsor"),
        UniqueConstraint("town_id", "code"),
        Index(None, "town_id", "sponsor_id"),
        CheckConstraint("amount > 0", name="amount"),
    )

    sponsor_id: Mapped[UUID]
    amount: Mapped[int]
    code: Mapped[str]
    """What the payer writes on the transfer; ends in a check character."""
    pledged_on: Mapped[date]
    due_on: Mapped[date | None]
    state: Mapped[PledgeState] = mapped_column(default=PledgeState.OPEN)
    note: Mapped[str | None]
    recorded_at: Mapped[datetime]
    recorded_by_id: Mapped[UUID | None]


class Receipt(TownRow, Model):
    """Money that came in."""

    __tablename__ = "receipt"
    __table_args__ = (
        refers("sponsor_id", "sponsor"),
        refers("pledge_id", "pledge"),
        refers("posting_id", "posting"),
        UniqueConstraint("town_id", "reference"),
        Index(None, "town_id", "sponsor_id"),
        CheckConstraint("amount > 0", name="amount"),
    )

    sponsor_id: Mapped[UUID]
    pledge_id: Mapped[UUID | None]
    posting_id: Mapped[UUID]
    amount: Mapped[int]
    received_on: Mapped[date]
    reference: Mapped[str]
    """The bank's reference, or the number of the paper receipt."""
    recorded_at: Mapped[datetime]
    recorded_by_id: Mapped[UUID | None]


class Allocation(TownRow, Model):
    """Part of a sponsor's money set aside for months of one person."""

    __tablename__ = "allocation"
    __table_args__ = (
        refers("sponsor_id", "sponsor"),
        refers("prospect_id", "prospect"),
        refers("posting_id", "posting"),
        refers("payment_id", "payment"),
        Index(None, "town_id", "sponsor_id"),
        Index(None, "town_id", "prospect_id", "start_month"),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("months between 1 and 60", name="months"),
        CheckConstraint("extract(day from start_month) = 1", name="start_month"),
    )

    sponsor_id: Mapped[UUID]
    prospect_id: Mapped[UUID]
    posting_id: Mapped[UUID]
    start_month: Mapped[date]
    months: Mapped[int]
    amount: Mapped[int]
    payment_id: Mapped[UUID | None]
    """Set once the premium was paid with it."""
    released_at: Mapped[datetime | None]
    recorded_at: Mapped[datetime]
    recorded_by_id: Mapped[UUID | None]


class LedgerAccount(TownRow, Model):
    """Where money is; `balance` is kept by the database from the entries."""

    __tablename__ = "ledger_account"
    __table_args__ = (
        refers("sponsor_id", "sponsor"),
        UniqueConstraint("town_id", "kind", "sponsor_id", postgresql_nulls_not_distinct=True),
        CheckConstraint("balance >= 0 or kind = 'outside'", name="balance"),
    )

    kind: Mapped[AccountKind]
    sponsor_id: Mapped[UUID | None]
    balance: Mapped[int] = mapped_column(default=0)


class Posting(TownRow, Model):
    """One movement of money; its entries sum to zero. Append-only."""

    __tablename__ = "posting"
    __table_args__ = (
        refers("recorded_by_id", "account"),
        refers("reverses_id", "posting"),
        UniqueConstraint("town_id", "reverses_id"),
        Index(None, "town_id", "posted_on"),
    )

    movement: Mapped[Movement]
    posted_on: Mapped[date]
    memo: Mapped[str | None]
    recorded_at: Mapped[datetime]
    recorded_by_id: Mapped[UUID | None]
    reverses_id: Mapped[UUID | None]


class LedgerEntry(TownRow, Model):
    """Đồng into (positive) or out of (negative) one account. Append-only."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        refers("posting_id", "posting"),
        refers("ledger_account_id", "ledger_account"),
        Index(None, "town_id", "posting_id"),
        Index(None, "town_id", "ledger_account_id"),
        CheckConstraint("amount <> 0", name="amount"),
    )

    posting_id: Mapped[UUID]
    ledger_account_id: Mapped[UUID]
    amount: Mapped[int]
