"""A sharing out and its parts."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Model, TownRow, refers
from crm.targets.sharing.rules import Answer, Level, Method, State


class TargetSharing(TownRow, Model):
    """How many people of voluntary insurance a year's target is, shared out among units. Becomes targets when settled."""

    __tablename__ = "target_sharing"
    __table_args__ = (
        refers("of_place_id", "place"),
        refers("of_organisation_id", "organisation"),
        refers("made_by_id", "account"),
        refers("settled_by_id", "account"),
        Index(
            "uq_target_sharing_open",
            "town_id",
            "year",
            "level",
            "of_place_id",
            "of_organisation_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("state in ('draft', 'sent')"),
        ),
        CheckConstraint("total >= 0", name="total"),
        CheckConstraint("apart between 0 and total", name="apart"),
        CheckConstraint("least >= 0", name="least"),
        CheckConstraint("(state = 'settled') = (settled_at is not null)", name="settled"),
    )

    year: Mapped[int]
    level: Mapped[Level]
    of_place_id: Mapped[UUID | None]
    of_organisation_id: Mapped[UUID | None]
    """Whose target is shared out; None of both: the town's."""
    total: Mapped[int]
    apart: Mapped[int] = mapped_column(server_default="0")
    """Of the whole, people who take part already and whom none of the units looks after: nobody is asked for them."""
    method: Mapped[Method]
    least: Mapped[int]
    """The fewest more that each is asked for."""
    from_this_year: Mapped[dict[str, Any] | None]
    """Of a draft for the year after: the figures of the rule it was proposed by."""
    authority: Mapped[str]
    document: Mapped[str | None]
    note: Mapped[str | None]
    state: Mapped[State]
    version: Mapped[int] = mapped_column(default=1)
    """Counts up with every change of its numbers, so that of two who change at once the second is told."""
    made_at: Mapped[datetime]
    made_by_id: Mapped[UUID | None]
    sent_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    settled_by_id: Mapped[UUID | None]

    @property
    def to_share(self) -> int:
        """What the parts sum to."""
        return self.total - self.apart


class TargetShare(TownRow, Model):
    """What one unit is to reach: as proposed, as it stands, and what the unit said."""

    __tablename__ = "target_share"
    __table_args__ = (
        refers("sharing_id", "target_sharing"),
        refers("place_id", "place"),
        refers("organisation_id", "organisation"),
        refers("volunteer_id", "account"),
        refers("answered_by_id", "account"),
        UniqueConstraint(
            "town_id",
            "sharing_id",
            "place_id",
            "organisation_id",
            "volunteer_id",
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint("num_nonnulls(place_id, organisation_id, volunteer_id) = 1", name="one_unit"),
        CheckConstraint("people >= 0", name="people"),
        CheckConstraint("asked >= 0", name="asked"),
        CheckConstraint("(answer = 'other') = (asked is not null)", name="asked_other"),
        CheckConstraint("asked is null or reason is not null", name="with_reason"),
    )

    sharing_id: Mapped[UUID]
    place_id: Mapped[UUID | None]
    organisation_id: Mapped[UUID | None]
    volunteer_id: Mapped[UUID | None]
    stock: Mapped[int]
    could_join: Mapped[int]
    gained: Mapped[int]
    """What was known of the unit when it was proposed (crm.targets.sharing.rules: Unit)."""
    baseline: Mapped[int | None]
    """Its stock at the end of the year before; None while that lies ahead."""
    weight: Mapped[float]
    """Its share of what was divided, 0 to 1."""
    capped: Mapped[bool]
    proposed: Mapped[int]
    people: Mapped[int]
    """What it is asked for now; other than proposed where somebody wrote another number."""
    answer: Mapped[Answer | None]
    asked: Mapped[int | None]
    """The other number it wants."""
    reason: Mapped[str | None]
    answered_at: Mapped[datetime | None]
    answered_by_id: Mapped[UUID | None]

    @property
    def unit_id(self) -> UUID:
        """The ward, organisation or volunteer."""
        found = self.place_id or self.organisation_id or self.volunteer_id
        assert found is not None
        return found
