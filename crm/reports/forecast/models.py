"""Every forecast as it was made."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from crm.db import Model, TownRow


class Forecast(TownRow, Model):
    """What was said about the town from one day on. Append-only, so that it can be held against what came; from the same
    figures the same is said, and kept once."""

    __tablename__ = "forecast"
    __table_args__ = (UniqueConstraint("town_id", "as_of", "digest"),)

    as_of: Mapped[date]
    """The last day it knew of."""
    made_at: Mapped[datetime]
    digest: Mapped[str]
    """Of the figures it was made of."""
    said: Mapped[dict[str, Any]]
    """An `Outlook` as JSON (outlook.py)."""
