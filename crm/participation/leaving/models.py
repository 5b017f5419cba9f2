"""What comes back of a payment of somebody who left, and to whom."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Model, TownRow, choice, refers
from crm.participation.leaving.rules import Payee
from crm.premiums.rules.refunds import Reason


class LeavingRefund(TownRow, Model):
    """What comes back of one payment, as it was worked out on the day of leaving: whole đồng of the months left, by
    layers; null where the rule was not known. Append-only.

    It hangs on the payment, not on the person: a merge moves the payment and leaves this as it is.
    """

    __tablename__ = "leaving_refund"
    __table_args__ = (
        refers("participation_id", "participation"),
        refers("payment_id", "payment"),
        refers("recorded_by_id", "account"),
        UniqueConstraint("town_id", "payment_id"),
        Index(None, "town_id", "participation_id"),
        CheckConstraint("months_left > 0", name="months_left"),
        CheckConstraint(
            "num_nulls(gross, state_support, local_support, other_support, amount) in (0, 5)", name="known"
        ),
        CheckConstraint(
            "amount >= 0 and amount <= gross - state_support - local_support - other_support", name="own_part"
        ),
    )

    participation_id: Mapped[UUID]
    payment_id: Mapped[UUID]
    reason: Mapped[Reason] = mapped_column(choice(Reason, "refund_reason"))
    left_on: Mapped[date]
    not_needed_from: Mapped[date]
    """First day of the first month that was paid for in vain."""
    months_left: Mapped[int]
    gross: Mapped[int | None]
    state_support: Mapped[int | None]
    local_support: Mapped[int | None]
    other_support: Mapped[int | None]
    amount: Mapped[int | None]
    """The person's own part."""
    law: Mapped[dict[str, Any]]
    """The rules it rests on, as with a payment."""
    assumptions: Mapped[list[str]]
    unknown: Mapped[list[str]]
    recorded_at: Mapped[datetime]
    recorded_by_id: Mapped[UUID | None]


class LeavingPart(TownRow, Model):
    """What of it is one payee's, đồng, and when it came back."""

    __tablename__ = "leaving_part"
    __table_args__ = (
        refers("refund_id", "leaving_refund"),
        refers("settled_by_id", "account"),
        UniqueConstraint("town_id", "refund_id", "payee", "payee_id", postgresql_nulls_not_distinct=True),
        Index("ix_leaving_part_open", "town_id", "id", postgresql_where=text("settled_on is null")),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("(payee = 'person') = (given is null) and given > 0", name="given"),
        CheckConstraint("paid_back > 0 and paid_back <= greatest(amount, given)", name="paid_back"),
        CheckConstraint("(paid_back is null) = (settled_on is null or payee = 'person')", name="booked"),
        CheckConstraint("(payee = 'sponsor') = (payee_id is not null)", name="named"),
        CheckConstraint(
            "(settled_on is null) = (settled_at is null) and (settled_on is null) = (settled_note is null)",
            name="settled",
        ),
    )

    refund_id: Mapped[UUID]
    payee: Mapped[Payee]
    payee_id: Mapped[UUID | None]
    """Of a sponsor: which."""
    amount: Mapped[int | None]
    """As it was worked out on the day of leaving; null where the rule was not known."""
    given: Mapped[int | None]
    """What others than the person gave for the months left; more cannot come back to them."""
    paid_back: Mapped[int | None]
    """What the insurance office really paid back to them, as whoever noted it says; that is what is booked."""
    settled_on: Mapped[date | None]
    settled_note: Mapped[str | None]
    """The insurance office's letter or the bank's reference with which it came back."""
    settled_at: Mapped[datetime | None]
    settled_by_id: Mapped[UUID | None]
