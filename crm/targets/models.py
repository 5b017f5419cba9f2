"""Targets by year, indicator, place and organisation."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, Numeric, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Model, TownRow, refers
from crm.targets.rules import Indicator


class Target(TownRow, Model):
    """Number, rate and denominator as an authority set them for the end of a year: three facts that may contradict
    each other, none derived from another. Append-only: a change is a further revision, with its reason."""

    __tablename__ = "target"
    __table_args__ = (
        refers("place_id", "place"),
        refers("organisation_id", "organisation"),
        UniqueConstraint(
            "town_id",
            "year",
            "indicator",
            "place_id",
            "organisation_id",
            "volunteer_id",
            "revision",
            name="uq_target_revision",
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint("num_nonnulls(place_id, organisation_id, volunteer_id) <= 1", name="one_unit"),
        CheckConstraint("revision = 1 or reason is not null", name="changed_for_a_reason"),
        CheckConstraint("people >= 0", name="people"),
        CheckConstraint("rate between 0 and 100", name="rate"),
    )

    year: Mapped[int]
    indicator: Mapped[Indicator]
    place_id: Mapped[UUID | None]
    organisation_id: Mapped[UUID | None]
    volunteer_id: Mapped[UUID | None] = mapped_column(default=None)
    """Without a key, like who recorded it: accounts are never deleted, and targets are there before the first account."""
    revision: Mapped[int] = mapped_column(default=1)
    people: Mapped[int]
    baseline: Mapped[int | None]
    """People taking part at the end of the year before."""
    rate: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    """Percent, as written in the plan."""
    denominator: Mapped[int | None]
    """People the indicator is about, as the plan says or implies."""
    population: Mapped[int | None]
    """About how many people lived there: not in the plan, a check on its denominator."""
    authority: Mapped[str]
    document: Mapped[str | None]
    reason: Mapped[str | None] = mapped_column(default=None)
    """Why it was changed; of the first revision none is needed."""
    recorded_at: Mapped[datetime]
    recorded_by_id: Mapped[UUID | None]
