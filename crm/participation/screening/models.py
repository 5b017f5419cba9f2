"""What somebody answered when they were asked whether they may join."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped

from crm.db import Model, TownRow, refers
from crm.participation.screening.rules import Allowance, Business, Elsewhere, Work


class Screening(TownRow, Model):
    """Answers of one day; the latest row holds. Append-only. What follows from them is the law's and is not kept.

    What an earlier answer made needless to ask is empty.
    """

    __tablename__ = "screening"
    __table_args__ = (
        refers("prospect_id", "prospect"),
        refers("by_id", "account"),
        Index(None, "town_id", "prospect_id", "at"),
    )

    prospect_id: Mapped[UUID]
    citizen: Mapped[bool | None]
    work: Mapped[Work | None]
    business: Mapped[Business | None]
    allowance: Mapped[Allowance | None]
    elsewhere: Mapped[Elsewhere | None]
    at: Mapped[datetime]
    by_id: Mapped[UUID | None]
