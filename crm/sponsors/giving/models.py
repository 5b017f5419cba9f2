"""What somebody registered and has not yet confirmed, the instalments of promises, and every step that changed them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Model, TownRow, refers
from crm.sponsors.giving.rules import Confirming, Frequency, Reminder, Step
from crm.sponsors.rules import LONGEST_PROMISE, SponsorKind


class Registration(TownRow, Model):
    """What somebody typed on the public page. Nobody's promise until it is confirmed: then it has its sponsor."""

    __tablename__ = "sponsor_registration"
    __table_args__ = (
        refers("sponsor_id", "sponsor"),
        refers("pledge_id", "pledge"),
        refers("confirmed_by_id", "account"),
        refers("refused_by_id", "account"),
        UniqueConstraint("link_digest"),
        UniqueConstraint("page_digest"),
        Index(
            "ix_sponsor_registration_waiting",
            "town_id",
            "made_at",
            postgresql_where=text("confirmed_at is null and refused_at is null"),
        ),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint(f"times between 1 and {LONGEST_PROMISE}", name="times"),
        CheckConstraint("email is not null or phone is not null", name="reachable"),
        CheckConstraint("links between 0 and 5", name="links"),
        CheckConstraint(
            "(confirmed_at is null) = (confirming is null) and (confirmed_at is null) = (sponsor_id is null) "
            "and (confirmed_at is null) = (pledge_id is null)",
            name="confirmed",
        ),
        CheckConstraint("confirming is distinct from 'telephone' or confirmed_by_id is not null", name="by_telephone"),
        CheckConstraint("confirmed_at is null or refused_at is null", name="one_end"),
        CheckConstraint("language in ('vi', 'en')", name="language"),
    )

    name: Mapped[str]
    kind: Mapped[SponsorKind]
    contact_name: Mapped[str | None]
    phone: Mapped[str | None]
    email: Mapped[str | None]
    tax_code: Mapped[str | None]
    language: Mapped[str] = mapped_column(server_default="vi")
    """In which they read the page, and in which they are written to: "vi" or "en"."""
    wish: Mapped[dict[str, Any]]
    amount: Mapped[int]
    """The whole promise, whole đồng."""
    frequency: Mapped[Frequency]
    times: Mapped[int]
    made_at: Mapped[datetime]
    page_digest: Mapped[bytes]
    """Hash of the token of the page that says where the link went and sends it again."""
    link_digest: Mapped[bytes | None]
    """Hash of the token that confirms; none until it went to an e-mail, or as a text."""
    links: Mapped[int] = mapped_column(default=0)
    link_sent_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    confirming: Mapped[Confirming | None]
    confirmed_by_id: Mapped[UUID | None]
    sponsor_id: Mapped[UUID | None]
    pledge_id: Mapped[UUID | None]
    refused_at: Mapped[datetime | None]
    refused_by_id: Mapped[UUID | None]
    refused_why: Mapped[str | None]


class PledgeStep(TownRow, Model):
    """A promise was made, changed, paused or ended: by whom, why, and what it was afterwards. Append-only."""

    __tablename__ = "pledge_step"
    __table_args__ = (
        refers("pledge_id", "pledge"),
        refers("by_id", "account"),
        Index(None, "town_id", "pledge_id", "at"),
        CheckConstraint("step <> 'ended' or reason is not null", name="reason"),
        CheckConstraint("amount > 0", name="amount"),
    )

    pledge_id: Mapped[UUID]
    step: Mapped[Step]
    amount: Mapped[int]
    """What the whole promise is after this step."""
    frequency: Mapped[Frequency]
    reason: Mapped[str | None]
    at: Mapped[datetime]
    by_id: Mapped[UUID | None]


class PledgeInstalment(TownRow, Model):
    """A part of a promise on its day. Its amount never changes: a change of the promise drops it for others."""

    __tablename__ = "pledge_instalment"
    __table_args__ = (
        refers("pledge_id", "pledge"),
        refers("step_id", "pledge_step"),
        refers("dropped_step_id", "pledge_step"),
        Index(
            "uq_pledge_instalment_day",
            "town_id",
            "pledge_id",
            "due_on",
            unique=True,
            postgresql_where=text("dropped_step_id is null"),
        ),
        Index(
            "ix_pledge_instalment_due",
            "town_id",
            "due_on",
            postgresql_where=text("dropped_step_id is null"),
        ),
        CheckConstraint("amount > 0", name="amount"),
    )

    pledge_id: Mapped[UUID]
    due_on: Mapped[date]
    amount: Mapped[int]
    step_id: Mapped[UUID]
    """The step that set it."""
    dropped_step_id: Mapped[UUID | None]
    """The step that took it away."""


class InstalmentReminder(TownRow, Model):
    """A letter about an instalment is due: made once for its day and kind, whoever asks how often. Append-only.

    Whoever writes it (by e-mail here; other ways elsewhere) asks for these rows.
    """

    __tablename__ = "instalment_reminder"
    __table_args__ = (
        refers("pledge_id", "pledge"),
        UniqueConstraint("town_id", "pledge_id", "due_on", "reminder"),
        Index(None, "town_id", "made_on"),
        CheckConstraint("amount > 0", name="amount"),
    )

    pledge_id: Mapped[UUID]
    due_on: Mapped[date]
    """Of the instalment; a change that leaves its day does not remind anew."""
    reminder: Mapped[Reminder]
    amount: Mapped[int]
    """What was still to come of it when the letter was due."""
    made_on: Mapped[date]
    made_at: Mapped[datetime]
