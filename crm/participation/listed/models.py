"""A payment that a list of the insurance office tells of, and what became of it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Model, TownRow, refers
from crm.months import LONGEST_RUN
from crm.participation.listed.rules import Verdict


class ListedPayment(TownRow, Model):
    """One row of a loaded list. What agrees with a payment of ours confirms it: a fact beside it, for payments do not
    change. What does not waits for somebody to decide. Gone when its list is taken back."""

    __tablename__ = "listed_payment"
    __table_args__ = (
        refers("import_id", "list_import"),
        refers("prospect_id", "prospect"),
        refers("payment_id", "payment"),
        refers("decided_by_id", "account"),
        UniqueConstraint("town_id", "row_id"),
        Index(None, "town_id", "verdict", "id"),
        Index(None, "town_id", "prospect_id", "start_month"),
        Index(None, "town_id", "import_id"),
        CheckConstraint(f"months between 1 and {LONGEST_RUN}", name="months"),
        CheckConstraint("extract(day from start_month) = 1", name="start_month"),
        CheckConstraint("verdict not in ('agrees', 'recorded') or payment_id is not null", name="of_a_payment"),
        CheckConstraint("(decided_at is null) = (verdict in ('agrees', 'new', 'differs'))", name="decided"),
    )

    import_id: Mapped[UUID]
    row_id: Mapped[UUID]
    prospect_id: Mapped[UUID]
    start_month: Mapped[date]
    months: Mapped[int]
    said: Mapped[dict[str, Any]]
    """The amounts of the list, đồng, by the names of rules.AMOUNTS; absent is what it does not say."""
    ours: Mapped[dict[str, Any]]
    """The amounts on our side when it was compared: of the payment on record, or asked by the law of its day."""
    income: Mapped[int | None]
    paid_on: Mapped[date | None]
    receipt_number: Mapped[str | None]
    source: Mapped[str]
    """The number of the list, or else the name of the file."""
    verdict: Mapped[Verdict]
    why: Mapped[list[str]]
    refused: Mapped[str | None]
    """Why it could not be recorded, as it was told to whoever tried."""
    payment_id: Mapped[UUID | None]
    """The payment it agrees with, differs from, or was recorded as."""
    decided_at: Mapped[datetime | None] = mapped_column(default=None)
    decided_by_id: Mapped[UUID | None] = mapped_column(default=None)
