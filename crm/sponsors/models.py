"""Sponsors, pledges, receipts, allocations and the ledger under them.

The database itself keeps the ledger honest (migrations 0002 and 0023, docs/decisions/ledger.md): a trigger keeps
`ledger_account.balance` and a check refuses one below zero; a posting is committed with all its entries, which sum to
zero, and takes no more afterwards; a month is carried once; what is set aside is the sum of the months it is for; a
closed month takes no posting; entries cannot be changed.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKeyConstraint, Index, UniqueConstraint, and_, text
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.schema import FetchedValue

from crm.db import Model, TownRow, refers
from crm.months import LONGEST_RUN, Month
from crm.sponsors.rules import AccountKind, Movement, PledgeState, SponsorKind


class Sponsor(TownRow, Model):
    """An agency, company, organisation or person who pays for others."""

    __tablename__ = "sponsor"
    __table_args__ = (
        refers("merged_into_id", "sponsor"),
        Index(None, "town_id", "name_fold"),
        Index(
            "uq_sponsor_town_id_tax_code",
            "town_id",
            "tax_code",
            unique=True,
            postgresql_where=text("merged_into_id is null"),
        ),
        Index(None, "town_id", "merged_into_id", postgresql_where=text("merged_into_id is not null")),
        CheckConstraint("(merged_into_id is null) = (merged_at is null) and merged_into_id <> id", name="merged"),
        CheckConstraint("language in ('vi', 'en')", name="language"),
    )

    name: Mapped[str]
    name_fold: Mapped[str]
    kind: Mapped[SponsorKind]
    contact_name: Mapped[str | None]
    phone: Mapped[str | None]
    email: Mapped[str | None]
    tax_code: Mapped[str | None]
    language: Mapped[str] = mapped_column(server_default="vi")
    """In which letters and messages are written to them: "vi" or "en"."""
    wish: Mapped[dict[str, Any]]
    """Places, standings, sex, ages, number of people and months they would like to help."""
    page_digest: Mapped[bytes | None] = mapped_column(unique=True)
    """Hash of the token of their private page."""
    created_at: Mapped[datetime]
    created_by_id: Mapped[UUID | None]
    merged_into_id: Mapped[UUID | None] = mapped_column(default=None)
    """The sponsor that this one turned out to be; kept by the database from SponsorMerge."""
    merged_at: Mapped[datetime | None] = mapped_column(default=None)


class SponsorMerge(TownRow, Model):
    """Two sponsors turned out to be one: `gone` is part of `kept` from then on, until that is undone. Rows stay.

    What was promised, received and carried stays where it was booked; whoever asks for `kept` is told of both
    (crm.sponsors.family). One that was joined has nobody joined to it (revision 0050).
    """

    __tablename__ = "sponsor_merge"
    __table_args__ = (
        refers("kept_id", "sponsor"),
        refers("gone_id", "sponsor"),
        refers("request_id", "money_request"),
        refers("by_id", "account"),
        refers("undone_by_id", "account"),
        Index("uq_sponsor_merge_once", "town_id", "gone_id", unique=True, postgresql_where=text("undone_at is null")),
        Index(None, "town_id", "kept_id"),
        CheckConstraint("kept_id <> gone_id", name="two"),
        CheckConstraint(
            "(undone_at is null) = (undone_by_id is null) and (undone_at is null) = (undone_why is null)",
            name="undone",
        ),
    )

    kept_id: Mapped[UUID]
    gone_id: Mapped[UUID]
    why: Mapped[str]
    request_id: Mapped[UUID | None] = mapped_column(default=None)
    """What a second person approved, when more than the limit passed to the other."""
    at: Mapped[datetime]
    by_id: Mapped[UUID]
    undone_at: Mapped[datetime | None] = mapped_column(default=None)
    undone_by_id: Mapped[UUID | None] = mapped_column(default=None)
    undone_why: Mapped[str | None] = mapped_column(default=None)


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
    """Money that came in and is known to be a sponsor's."""

    __tablename__ = "receipt"
    __table_args__ = (
        refers("sponsor_id", "sponsor"),
        refers("pledge_id", "pledge"),
        refers("posting_id", "posting"),
        ForeignKeyConstraint(
            ["town_id", "corrected_id", "posting_id"], ["posting.town_id", "posting.id", "posting.reverses_id"]
        ),
        Index(
            "uq_receipt_town_id_reference",
            "town_id",
            "reference",
            unique=True,
            postgresql_where=text("corrected_id is null"),
        ),
        Index(None, "town_id", "sponsor_id"),
        Index(None, "town_id", "posting_id"),
        Index(None, "town_id", "pledge_id"),
        CheckConstraint("amount > 0", name="amount"),
    )

    sponsor_id: Mapped[UUID]
    pledge_id: Mapped[UUID | None]
    posting_id: Mapped[UUID]
    amount: Mapped[int]
    received_on: Mapped[date]
    reference: Mapped[str]
    """The bank's reference, or the number of the paper receipt. A receipt that was put right frees it."""
    recorded_at: Mapped[datetime]
    recorded_by_id: Mapped[UUID | None]
    corrected_id: Mapped[UUID | None] = mapped_column(default=None)
    """The posting that took it back exactly: it was recorded by mistake and counts nowhere."""


class Allocation(TownRow, Model):
    """Part of a sponsor's money set aside for months of one person, each by its name in AllocationMonth.

    What stands here of their state is kept by the database from the months.
    """

    __tablename__ = "allocation"
    __table_args__ = (
        refers("sponsor_id", "sponsor"),
        refers("prospect_id", "prospect"),
        refers("posting_id", "posting"),
        refers("payment_id", "payment"),
        Index(None, "town_id", "sponsor_id"),
        Index(None, "town_id", "prospect_id", "start_month"),
        Index(None, "town_id", "posting_id"),
        UniqueConstraint("town_id", "id", "prospect_id"),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint(f"months between 1 and {LONGEST_RUN}", name="months"),
        CheckConstraint("extract(day from start_month) = 1", name="start_month"),
        CheckConstraint(
            "carried_months >= 0 and carried_amount >= 0 and (carried_months = 0) = (released_at is not null)",
            name="carried",
        ),
    )

    sponsor_id: Mapped[UUID]
    prospect_id: Mapped[UUID]
    posting_id: Mapped[UUID]
    start_month: Mapped[date]
    months: Mapped[int]
    amount: Mapped[int]
    """As it was set aside; neither ever changes."""
    carried_months: Mapped[int] = mapped_column(server_default=FetchedValue())
    """How many of them, the first first, are carried still: none when all were given back."""
    carried_amount: Mapped[int] = mapped_column(server_default=FetchedValue())
    """What is set aside, or was paid on, for those."""
    payment_id: Mapped[UUID | None]
    """Set once the premium was paid with it."""
    released_at: Mapped[datetime | None]
    """Set once all of its months were given back."""
    recorded_at: Mapped[datetime]
    recorded_by_id: Mapped[UUID | None]

    @property
    def last_month(self) -> Month:
        """The last month it carries, or carried until all was given back."""
        return Month.of(self.start_month) + ((self.carried_months or self.months) - 1)


class AllocationMonth(TownRow, Model):
    """One named month of one person that a sponsor's money carries; a person's month is carried once.

    It is paid by a payment and its posting, or given back by a posting, and stays. The months of an allocation sum to
    its amount, and whose months they are follows from it: a merge moves them with it. One that was paid for in vain, for
    the person left, is marked as the month of the payment is, and may be carried anew.
    """

    __tablename__ = "allocation_month"
    __table_args__ = (
        ForeignKeyConstraint(
            ["town_id", "allocation_id", "prospect_id"],
            ["allocation.town_id", "allocation.id", "allocation.prospect_id"],
            onupdate="CASCADE",
        ),
        refers("payment_id", "payment"),
        refers("paid_id", "posting"),
        refers("released_id", "posting"),
        refers("refund_id", "leaving_refund"),
        UniqueConstraint("town_id", "allocation_id", "month"),
        Index(
            "uq_allocation_month_carried_once",
            "town_id",
            "prospect_id",
            "month",
            unique=True,
            postgresql_where=text("released_at is null and refund_id is null"),
        ),
        Index(None, "town_id", "payment_id"),
        Index(None, "town_id", "paid_id"),
        Index(None, "town_id", "released_id"),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("extract(day from month) = 1", name="month"),
    )

    allocation_id: Mapped[UUID]
    prospect_id: Mapped[UUID]
    month: Mapped[date]
    amount: Mapped[int]
    payment_id: Mapped[UUID | None] = mapped_column(default=None)
    paid_id: Mapped[UUID | None] = mapped_column(default=None)
    """The posting with which it went to the insurance fund."""
    released_at: Mapped[datetime | None] = mapped_column(default=None)
    released_id: Mapped[UUID | None] = mapped_column(default=None)
    """The posting with which it was given back."""
    refund_id: Mapped[UUID | None] = mapped_column(default=None)
    """What comes back of its payment, of a month paid for in vain: written by the database alone (migration months_not_needed)."""

    @hybrid_property
    def carries(self) -> bool:
        """Whether nobody else's money may carry this month: it was neither given back nor paid for in vain."""
        return self.released_at is None and self.refund_id is None

    @carries.inplace.expression
    @classmethod
    def _carries(cls) -> ColumnElement[bool]:
        return and_(cls.released_at.is_(None), cls.refund_id.is_(None))


class LedgerAccount(TownRow, Model):
    """Where money is; `balance` is kept by the database from the entries."""

    __tablename__ = "ledger_account"
    __table_args__ = (
        refers("sponsor_id", "sponsor"),
        refers("pledge_id", "pledge"),
        refers("held_id", "posting"),
        UniqueConstraint("town_id", "kind", "sponsor_id", "pledge_id", "held_id", postgresql_nulls_not_distinct=True),
        Index(None, "town_id", "sponsor_id"),
        CheckConstraint("balance >= 0 or kind in ('outside', 'promise')", name="balance"),
        CheckConstraint(
            "(kind = 'expected') = (pledge_id is not null) and (kind = 'unidentified') = (held_id is not null) "
            "and (sponsor_id is not null or kind in ('outside', 'unidentified')) "
            "and (sponsor_id is null or kind <> 'unidentified')",
            name="whose",
        ),
    )

    kind: Mapped[AccountKind]
    sponsor_id: Mapped[UUID | None]
    pledge_id: Mapped[UUID | None] = mapped_column(default=None)
    """The promise of which something is expected."""
    held_id: Mapped[UUID | None] = mapped_column(default=None)
    """The posting that brought in what nobody knows yet whose it is."""
    balance: Mapped[int] = mapped_column(default=0)


class Posting(TownRow, Model):
    """One movement of money; its entries sum to zero. Append-only."""

    __tablename__ = "posting"
    __table_args__ = (
        refers("recorded_by_id", "account"),
        refers("reverses_id", "posting"),
        refers("request_id", "money_request"),
        UniqueConstraint("town_id", "reverses_id"),
        UniqueConstraint("town_id", "id", "reverses_id"),
        Index(
            "uq_posting_town_id_request_id",
            "town_id",
            "request_id",
            "reverses_id",
            unique=True,
            postgresql_where=text("request_id is not null"),
            postgresql_nulls_not_distinct=True,
        ),
        Index(None, "town_id", "posted_on"),
        Index(
            "ix_posting_alone", "town_id", "recorded_by_id", "recorded_at", postgresql_where=text("request_id is null")
        ),
        CheckConstraint("entries >= 2", name="entries"),
    )

    movement: Mapped[Movement]
    posted_on: Mapped[date]
    memo: Mapped[str | None]
    recorded_at: Mapped[datetime]
    recorded_by_id: Mapped[UUID | None]
    reverses_id: Mapped[UUID | None]
    request_id: Mapped[UUID | None] = mapped_column(default=None)
    """What a second person approved, for an act above the limit."""
    entries: Mapped[int]
    """How many entries it has, so that none can be added to it later."""


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
