"""The dated rule of credit, and lists of commendation."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Model, TownRow, refers
from crm.emulation.rules import Credit, Form


class CreditRule(TownRow, Model):
    """From a day on, to whom those who join are credited. Append-only: the latest recorded row of a day holds."""

    __tablename__ = "credit_rule"
    __table_args__ = (refers("recorded_by_id", "account"), CheckConstraint("days between 1 and 366", name="days"))

    since: Mapped[date]
    credit: Mapped[Credit]
    days: Mapped[int]
    """How long before joining a visit still counts."""
    recorded_at: Mapped[datetime]
    recorded_by_id: Mapped[UUID | None]


class Commendation(TownRow, Model):
    """A line of the list of Biểu 06 of a year, in its order; editable until the list has gone."""

    __tablename__ = "commendation"
    __table_args__ = (
        refers("organisation_id", "organisation"),
        refers("user_id", "account"),
        refers("changed_by_id", "account"),
        UniqueConstraint("town_id", "year", "organisation_id", "user_id", postgresql_nulls_not_distinct=True),
        CheckConstraint("num_nonnulls(organisation_id, user_id) = 1", name="whose"),
        CheckConstraint("years_in_row between 1 and 60", name="years_in_row"),
    )

    year: Mapped[int]
    position: Mapped[int]
    organisation_id: Mapped[UUID | None]
    user_id: Mapped[UUID | None]
    name: Mapped[str]
    post: Mapped[str | None]
    result: Mapped[str]
    form: Mapped[Form]
    years_in_row: Mapped[int]
    sent_at: Mapped[datetime | None]
    """Set when the list went: from then on it stays as it is."""
    changed_at: Mapped[datetime]
    changed_by_id: Mapped[UUID | None]
    removed_at: Mapped[datetime | None] = mapped_column(default=None)
