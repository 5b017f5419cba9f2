"""What somebody's insurance record says."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped

from crm.db import Model, TownRow, refers


class InsuranceRecord(TownRow, Model):
    """The months of a whole life up to one, as the insurance office's paper has them; the latest row holds. Append-only:
    whoever reads a newer paper, or misread one, adds a row."""

    __tablename__ = "insurance_record"
    __table_args__ = (
        refers("prospect_id", "prospect"),
        refers("by_id", "account"),
        Index(None, "town_id", "prospect_id", "at"),
        CheckConstraint("extract(day from through) = 1", name="through"),
        CheckConstraint("voluntary >= 0 and compulsory >= 0", name="months"),
        CheckConstraint("supported between 0 and voluntary", name="supported"),
        CheckConstraint("char_length(proof) between 1 and 300", name="proof"),
    )

    prospect_id: Mapped[UUID]
    through: Mapped[date]
    """First day of the last month the paper counts."""
    voluntary: Mapped[int]
    """Months of voluntary insurance, wherever they were paid: those on record here as well."""
    supported: Mapped[int | None]
    """Those of them the State helped with; None where the paper does not say."""
    compulsory: Mapped[int]
    proof: Mapped[str]
    """Which paper it was."""
    at: Mapped[datetime]
    by_id: Mapped[UUID | None]
