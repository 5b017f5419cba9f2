"""Points of the collection network, the wards they serve, their staff, and what those were trained in."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Float, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm.collecting.rules import PointKind, Spot
from crm.db import Model, TownRow, refers


class CollectionPoint(TownRow, Model):
    """Where premiums are taken, from `since` to `until`. `id` is made by the page it was written on."""

    __tablename__ = "collection_point"
    __table_args__ = (
        refers("place_id", "place"),
        refers("changed_by_id", "account"),
        Index(None, "town_id", "place_id"),
        CheckConstraint("until >= since", name="days"),
        CheckConstraint("num_nonnulls(latitude, longitude) in (0, 2)", name="spot"),
        CheckConstraint("latitude between 8 and 24 and longitude between 102 and 115", name="in_vietnam"),
        CheckConstraint("char_length(name) between 1 and 120", name="name"),
        CheckConstraint("char_length(address) between 1 and 200", name="address"),
        CheckConstraint("char_length(hours) between 1 and 200", name="hours"),
    )

    kind: Mapped[PointKind]
    name: Mapped[str]
    place_id: Mapped[UUID]
    """The ward or commune it stands in."""
    address: Mapped[str]
    hours: Mapped[str]
    phone: Mapped[str | None]
    """E.164."""
    latitude: Mapped[float | None] = mapped_column(Float)
    longitude: Mapped[float | None] = mapped_column(Float)
    since: Mapped[date]
    until: Mapped[date | None]
    note: Mapped[str | None]
    changed_at: Mapped[datetime]
    changed_by_id: Mapped[UUID]

    @property
    def spot(self) -> Spot | None:
        if self.latitude is None or self.longitude is None:
            return None
        return Spot(self.latitude, self.longitude)


class ServedWard(TownRow, Model):
    """A ward or commune whose people a point serves besides its own."""

    __tablename__ = "collection_point_ward"
    __table_args__ = (
        refers("point_id", "collection_point"),
        refers("place_id", "place"),
        UniqueConstraint("town_id", "point_id", "place_id"),
    )

    point_id: Mapped[UUID]
    place_id: Mapped[UUID]


class CollectionStaff(TownRow, Model):
    """Somebody who takes premiums at a point."""

    __tablename__ = "collection_staff"
    __table_args__ = (
        refers("point_id", "collection_point"),
        Index(None, "town_id", "point_id"),
        CheckConstraint("until >= since", name="days"),
        CheckConstraint("char_length(full_name) between 1 and 120", name="full_name"),
    )

    point_id: Mapped[UUID]
    full_name: Mapped[str]
    phone: Mapped[str | None]
    since: Mapped[date]
    until: Mapped[date | None]


class CollectionTraining(TownRow, Model):
    """What somebody was trained in; a row noted by mistake is withdrawn."""

    __tablename__ = "collection_training"
    __table_args__ = (
        refers("staff_id", "collection_staff"),
        refers("noted_by_id", "account"),
        Index(None, "town_id", "staff_id"),
        CheckConstraint("valid_until >= held_on", name="days"),
        CheckConstraint("char_length(what) between 1 and 200", name="what"),
    )

    staff_id: Mapped[UUID]
    what: Mapped[str]
    held_on: Mapped[date]
    valid_until: Mapped[date | None]
    """The last day; None: without end."""
    document: Mapped[str | None]
    """The number of the certificate."""
    noted_at: Mapped[datetime]
    noted_by_id: Mapped[UUID]
    withdrawn_at: Mapped[datetime | None] = mapped_column(default=None)
