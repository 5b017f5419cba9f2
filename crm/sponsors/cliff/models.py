"""That somebody's help ends was seen and told, and which people a renewed promise, or what is left, is meant for."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Model, TownRow, refers
from crm.months import LONGEST_RUN


class CliffNotice(TownRow, Model):
    """The help of somebody ends after a month, and nobody's money followed on that day. Once for each month it ends in.

    From then on it is in the volunteer's list and on the treasurer's page; with `email_id` the sponsor was written to, and
    with `told_at` they were called, by `told_by_id`, or got a text.
    """

    __tablename__ = "cliff_notice"
    __table_args__ = (
        refers("prospect_id", "prospect"),
        refers("sponsor_id", "sponsor"),
        refers("email_id", "email"),
        refers("told_by_id", "account"),
        UniqueConstraint("town_id", "prospect_id", "until"),
        Index(None, "town_id", "sponsor_id"),
        CheckConstraint("extract(day from until) = 1", name="until"),
        CheckConstraint("told_by_id is null or told_at is not null", name="told"),
    )

    prospect_id: Mapped[UUID]
    until: Mapped[date]
    """The first day of the last month carried."""
    sponsor_id: Mapped[UUID]
    """Whose money carries that month."""
    made_on: Mapped[date]
    made_at: Mapped[datetime]
    email_id: Mapped[UUID | None] = mapped_column(default=None)
    told_at: Mapped[datetime | None] = mapped_column(default=None)
    told_by_id: Mapped[UUID | None] = mapped_column(default=None)


class PledgeRenewal(TownRow, Model):
    """Somebody whom a promise is meant for: matching goes on with them first once money came in on it."""

    __tablename__ = "pledge_renewal"
    __table_args__ = (
        refers("pledge_id", "pledge"),
        refers("prospect_id", "prospect"),
        UniqueConstraint("town_id", "pledge_id", "prospect_id"),
        Index(None, "town_id", "prospect_id"),
        CheckConstraint("extract(day from start_month) = 1", name="start_month"),
        CheckConstraint(f"months between 1 and {LONGEST_RUN}", name="months"),
        CheckConstraint("amount > 0", name="amount"),
    )

    pledge_id: Mapped[UUID]
    prospect_id: Mapped[UUID]
    start_month: Mapped[date]
    months: Mapped[int]
    amount: Mapped[int]
    """What these months were reckoned to cost on the day of the promise, đồng."""


class LeftRenewal(TownRow, Model):
    """Somebody whom what is left of a sponsor's money goes on with, as the sponsor said: matching serves them first.

    Once for each first month; said again of more months it is the same row with the later day.
    """

    __tablename__ = "left_renewal"
    __table_args__ = (
        refers("sponsor_id", "sponsor"),
        refers("prospect_id", "prospect"),
        refers("agreed_by_id", "account"),
        UniqueConstraint("town_id", "sponsor_id", "prospect_id", "start_month"),
        Index(None, "town_id", "prospect_id"),
        CheckConstraint("extract(day from start_month) = 1", name="start_month"),
        CheckConstraint(f"months between 1 and {LONGEST_RUN}", name="months"),
        CheckConstraint("amount > 0", name="amount"),
    )

    sponsor_id: Mapped[UUID]
    prospect_id: Mapped[UUID]
    start_month: Mapped[date]
    months: Mapped[int]
    amount: Mapped[int]
    """What these months were reckoned to cost on the day, đồng."""
    agreed_on: Mapped[date]
    agreed_at: Mapped[datetime]
    agreed_by_id: Mapped[UUID | None] = mapped_column(default=None)
    """Who wrote it down for the sponsor; None when they pressed it themselves."""
