"""What the carrier says it sent since the backup, and which of our messages that settled."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.campaigns.restored.rules import CheckState
from crm.campaigns.rules.delivery import Delivery
from crm.db import Model, TownRow, refers


class RestoreCheck(TownRow, Model):
    """One reading of the carrier's list from the moment of the backup on."""

    __tablename__ = "restore_check"
    __table_args__ = (
        refers("started_by_id", "account"),
        Index(None, "town_id", "started_at", "id"),
        Index(
            "uq_restore_check_at_work",
            "town_id",
            unique=True,
            postgresql_where=text("state in ('queued', 'asking', 'comparing')"),
        ),
    )

    since: Mapped[datetime]
    """The backup's own moment, with a margin."""
    state: Mapped[CheckState]
    next_page: Mapped[str | None]
    told: Mapped[int] = mapped_column(default=0)
    """Messages on the carrier's list so far."""
    settled: Mapped[int] = mapped_column(default=0)
    """Messages of ours that it turned out to have sent."""
    asked: Mapped[bool] = mapped_column(default=True)
    """False when there is no carrier to ask."""
    touched_at: Mapped[datetime]
    started_at: Mapped[datetime]
    started_by_id: Mapped[UUID | None]
    finished_at: Mapped[datetime | None]


class ProviderMessage(TownRow, Model):
    """A message as the carrier remembers it."""

    __tablename__ = "provider_message"
    __table_args__ = (
        refers("check_id", "restore_check"),
        UniqueConstraint("town_id", "check_id", "sid"),
        Index(
            "ix_provider_message_open",
            "town_id",
            "phone",
            postgresql_where=text("message_id is null"),
        ),
    )

    check_id: Mapped[UUID]
    sid: Mapped[str]
    phone: Mapped[str]
    body: Mapped[str]
    status: Mapped[Delivery]
    code: Mapped[int | None]
    sent_at: Mapped[datetime]
    message_id: Mapped[UUID | None]
    """The message of ours that it is."""
