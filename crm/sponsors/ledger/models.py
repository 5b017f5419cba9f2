"""Months of the book that are closed, and acts with money that wait for a second person."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.schema import FetchedValue

from crm.db import Model, TownRow, refers
from crm.sponsors.ledger.rules import Decision, MoneyAct


class MoneyRequest(TownRow, Model):
    """An act above the limit: whoever asked cannot approve it (a check constraint), and it is decided once.

    The posting made with it names it; the database refuses one above the limit that names none.
    """

    __tablename__ = "money_request"
    __table_args__ = (
        refers("sponsor_id", "sponsor"),
        refers("asked_by_id", "account"),
        refers("decided_by_id", "account"),
        Index("ix_money_request_waiting", "town_id", "id", postgresql_where=text("decision is null")),
        Index(
            "uq_money_request_waits_once",
            "town_id",
            "act",
            "subject",
            unique=True,
            postgresql_where=text("decision is null"),
        ),
        CheckConstraint("decided_by_id <> asked_by_id", name="two_people"),
        CheckConstraint(
            "(decision is null) = (decided_by_id is null) and (decision is null) = (decided_at is null)",
            name="decided",
        ),
        CheckConstraint("amount >= 0", name="amount"),
    )

    act: Mapped[MoneyAct]
    arguments: Mapped[dict[str, Any]]
    """What the act is told, as plain values (crm.sponsors.ledger.deciding)."""
    subject: Mapped[str]
    """What it is about: an act on the same waits once."""
    amount: Mapped[int]
    reason: Mapped[str | None]
    sponsor_id: Mapped[UUID | None]
    asked_by_id: Mapped[UUID]
    asked_at: Mapped[datetime]
    decided_by_id: Mapped[UUID | None] = mapped_column(default=None)
    decided_at: Mapped[datetime | None] = mapped_column(default=None)
    decision: Mapped[Decision | None] = mapped_column(default=None)
    words: Mapped[str | None] = mapped_column(default=None)
    """What the one who decided wrote."""


class LedgerPeriod(Model):
    """A closed month: nothing is booked into it any more, and it is not opened again. Append-only.

    The database works out the sums and the digest, which takes in that of the month before.
    """

    __tablename__ = "ledger_period"
    __table_args__ = (
        refers("closed_by_id", "account"),
        refers("request_id", "money_request"),
        CheckConstraint("extract(day from month) = 1", name="month"),
    )

    town_id: Mapped[UUID] = mapped_column(ForeignKey("town.id"), primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    closed_at: Mapped[datetime]
    closed_by_id: Mapped[UUID]
    request_id: Mapped[UUID | None] = mapped_column(default=None)
    postings: Mapped[int] = mapped_column(server_default=FetchedValue())
    balances: Mapped[dict[str, Any]] = mapped_column(server_default=FetchedValue())
    """Đồng by kind of account at the end of the month."""
    moved: Mapped[dict[str, Any]] = mapped_column(server_default=FetchedValue())
    """Đồng that came into (positive) or went out of a kind of account by a movement: "received available": 5000000."""
    digest: Mapped[str] = mapped_column(server_default=FetchedValue())
