"""Who wishes to hear of their day each morning."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from crm.db import Model, TownRow, refers
from crm.followups.mornings.rules import MorningBy, MorningOn


class MorningWish(TownRow, Model):
    """How and when somebody who signs in hears of their day; no row, or `nothing`: not at all."""

    __tablename__ = "morning_wish"
    __table_args__ = (
        refers("user_id", "account"),
        UniqueConstraint("town_id", "user_id"),
        Index(None, "looked_on"),
    )

    user_id: Mapped[UUID]
    by: Mapped[MorningBy]
    days: Mapped[MorningOn]
    looked_on: Mapped[date | None]
    """The last day on which their list was looked at, whether or not anybody was due."""
    chosen_at: Mapped[datetime]
