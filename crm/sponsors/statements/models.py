"""Bank accounts of the fund, their statements, the lines of these, and what each line was.

The database keeps it honest (migrations): a line stands once for its account, reference, day, amount and occurrence; the
parts of a settled line sum to its amount, and an open line has none.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, deferred, mapped_column

from crm.db import Model, TownRow, refers
from crm.sponsors.statements.rules.kinds import Likely, LineState, StatementState, Use


class BankAccount(TownRow, Model):
    """An account of the fund whose statements are loaded."""

    __tablename__ = "bank_account"
    __table_args__ = (UniqueConstraint("town_id", "number"),)

    number: Mapped[str]
    name: Mapped[str]
    not_sponsors: Mapped[int] = mapped_column(default=0)
    """What of the money that stood on it before the first statement is no sponsor's."""
    not_sponsors_why: Mapped[str | None]
    recorded_at: Mapped[datetime]
    recorded_by_id: Mapped[UUID | None]


class StatementLayout(TownRow, Model):
    """How the columns of one account's statements are to be understood: somebody looked at them once."""

    __tablename__ = "statement_layout"
    __table_args__ = (
        refers("bank_account_id", "bank_account"),
        UniqueConstraint("town_id", "bank_account_id", "headings_key"),
    )

    bank_account_id: Mapped[UUID]
    headings_key: Mapped[str]
    """The folded headings in their order."""
    columns: Mapped[dict[str, Any]]
    """Folded heading → field; an empty field leaves the column out."""
    recorded_at: Mapped[datetime]


class Statement(TownRow, Model):
    """A file of a bank: when it was loaded, what it says of its balances, and how far the work is."""

    __tablename__ = "statement"
    __table_args__ = (
        refers("bank_account_id", "bank_account"),
        refers("recorded_by_id", "account"),
        Index(None, "town_id", "bank_account_id", "id"),
        Index(None, "town_id", "state"),
    )

    bank_account_id: Mapped[UUID]
    filename: Mapped[str]
    digest: Mapped[bytes]
    content: Mapped[bytes | None] = deferred(mapped_column())
    """The file, until its lines are loaded."""
    found: Mapped[dict[str, Any]]
    """The table as it was found (reading.Table), with the columns as they were put right."""
    state: Mapped[StatementState]
    from_day: Mapped[date | None]
    to_day: Mapped[date | None]
    opening: Mapped[int | None]
    closing: Mapped[int | None]
    breaks: Mapped[dict[str, Any]]
    """`rows`: [row, expected, told] where the balance does not follow; `problems`: [row, what stands there]; `checked`."""
    lines: Mapped[int] = mapped_column(default=0)
    """Lines in the file."""
    new_lines: Mapped[int] = mapped_column(default=0)
    """Those of them that no earlier statement had."""
    done: Mapped[int] = mapped_column(default=0)
    touched_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    recorded_by_id: Mapped[UUID | None]


class StatementLine(TownRow, Model):
    """Money that came in or went out, as the bank says. Only its state and what it looked like change."""

    __tablename__ = "statement_line"
    __table_args__ = (
        refers("bank_account_id", "bank_account"),
        refers("statement_id", "statement"),
        UniqueConstraint(
            "town_id",
            "bank_account_id",
            "posted_on",
            "amount",
            "reference",
            "occurrence",
            name="uq_statement_line_identity",
        ),
        Index(None, "town_id", "state", "posted_on", "id"),
        Index(None, "town_id", "statement_id", "state", "place"),
        Index(None, "town_id", "bank_account_id", "posted_on"),
        Index(None, "town_id", "payer_account"),
        CheckConstraint("amount <> 0", name="amount"),
        CheckConstraint("occurrence > 0", name="occurrence"),
    )

    bank_account_id: Mapped[UUID]
    statement_id: Mapped[UUID]
    """The first statement it stood in."""
    place: Mapped[int]
    """Its place in time among the lines of that statement."""
    file_row: Mapped[int]
    """Its row in the file."""
    posted_on: Mapped[date]
    posted_at: Mapped[time | None]
    amount: Mapped[int]
    """Positive for money that came in."""
    balance: Mapped[int | None]
    reference: Mapped[str]
    """The bank's; where it gives none, a mark made from what stands in the line."""
    occurrence: Mapped[int]
    """1 unless the same file has lines that are equal in everything above."""
    narrative: Mapped[str]
    payer: Mapped[str]
    payer_fold: Mapped[str]
    payer_account: Mapped[str]
    state: Mapped[LineState]
    likely: Mapped[Likely] = mapped_column(default=Likely.UNKNOWN)


class LinePart(TownRow, Model):
    """What a line, or a part of it, was. Ends when it is undone, or when money that was held finds its owner."""

    __tablename__ = "statement_part"
    __table_args__ = (
        refers("line_id", "statement_line"),
        refers("sponsor_id", "sponsor"),
        refers("receipt_id", "receipt"),
        refers("posting_id", "posting"),
        refers("recorded_by_id", "account"),
        Index(None, "town_id", "line_id"),
        Index(None, "town_id", "use", "ended_on"),
        Index(
            "uq_statement_part_receipt",
            "town_id",
            "receipt_id",
            unique=True,
            postgresql_where=text("ended_at is null"),
        ),
        Index(
            "uq_statement_part_posting",
            "town_id",
            "posting_id",
            unique=True,
            postgresql_where=text("ended_at is null and use in ('refund', 'insurance', 'returned')"),
        ),
        CheckConstraint("amount <> 0", name="amount"),
        CheckConstraint("(use = 'gift') = (receipt_id is not null)", name="receipt"),
        CheckConstraint(
            "(use in ('gift', 'held', 'returned', 'refund', 'insurance')) = (posting_id is not null)", name="posting"
        ),
        CheckConstraint("use <> 'other' or why is not null", name="why"),
        CheckConstraint("(ended_at is null) = (ended_on is null)", name="ended"),
    )

    line_id: Mapped[UUID]
    use: Mapped[Use]
    amount: Mapped[int]
    """With the sign of the line."""
    sponsor_id: Mapped[UUID | None]
    receipt_id: Mapped[UUID | None]
    posting_id: Mapped[UUID | None]
    of_part_id: Mapped[UUID | None]
    """For money that was held first, and now has an owner or was sent back: the part it was held by."""
    why: Mapped[str | None]
    by_itself: Mapped[bool] = mapped_column(default=False)
    """Booked because of its code, by nobody's hand."""
    linked: Mapped[bool] = mapped_column(default=False)
    """The receipt was recorded by hand before the line came: undoing lets it stand."""
    booked_on: Mapped[date]
    """The day of its posting in the books."""
    recorded_at: Mapped[datetime]
    recorded_by_id: Mapped[UUID | None]
    ended_on: Mapped[date | None]
    ended_at: Mapped[datetime | None]
    ended_by_id: Mapped[UUID | None]
