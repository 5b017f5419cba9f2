"""The outbox: one row for every e-mail. The row is the truth; a task only moves it on."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Model, SealedText, TownRow
from crm.mail.rules import MailState


class Email(TownRow, Model):
    """One e-mail to one address. The same `occasion` has one e-mail at most, whoever queues it and how often."""

    __tablename__ = "email"
    __table_args__ = (
        UniqueConstraint("town_id", "occasion"),
        Index("ix_email_due", "not_before", "id", postgresql_where=text("state = 'waiting'")),
        Index("ix_email_claimed", "claimed_at", postgresql_where=text("state = 'sending'")),
        Index(None, "town_id", "made_at", "id"),
        CheckConstraint("(claimed_at is null) = (attempts = 0)", name="claimed"),
    )

    occasion: Mapped[str]
    """Why it is sent, in a form of which there is one, e.g. `confirm:<id>:1`."""
    recipient: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str | None] = mapped_column(SealedText)
    """Its text, sealed, as it may hold a link that opens something; gone once a carrier has taken it."""
    state: Mapped[MailState] = mapped_column(default=MailState.WAITING)
    trouble: Mapped[str | None]
    """What the carrier said when it did not take it."""
    made_at: Mapped[datetime]
    not_before: Mapped[datetime]
    expires_at: Mapped[datetime]
    claimed_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    settled_at: Mapped[datetime | None]
