"""Which events of devices have arrived."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Model, TownRow, choice, refers
from crm.outreach.syncing.rules import EventKind


class SyncedEvent(TownRow, Model):
    """An event that was accepted; `id` is the client's, so that it is done once. Rejected ones may come again mended."""

    __tablename__ = "synced_event"
    __table_args__ = (refers("user_id", "account"),)

    user_id: Mapped[UUID]
    device_id: Mapped[str]
    kind: Mapped[EventKind] = mapped_column(choice(EventKind, "eventkind"))
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    prospect_id: Mapped[UUID]
    """Whom it was about then; not a foreign key, for they may become part of another."""
