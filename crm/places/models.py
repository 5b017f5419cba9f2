"""Towns and their places."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Model, TownRow, refers
from crm.ids import new_id
from crm.places.rules import PlaceKind


class Town(Model):
    """The steering office that runs this register; everything else belongs to exactly one."""

    __tablename__ = "town"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]


class Place(TownRow, Model):
    """An administrative unit or a neighbourhood, from `valid_from` until the day before `valid_to`."""

    __tablename__ = "place"
    __table_args__ = (
        refers("parent_id", "place"),
        UniqueConstraint("town_id", "code", "valid_from"),
        Index(None, "town_id", "parent_id"),
        Index(
            "uq_place_neighbourhood",
            "town_id",
            "parent_id",
            "name_fold",
            unique=True,
            postgresql_where=text("kind = 'neighbourhood'"),
        ),
        CheckConstraint("valid_to > valid_from", name="dates"),
    )

    code: Mapped[str | None]
    name: Mapped[str]
    name_fold: Mapped[str]
    kind: Mapped[PlaceKind]
    parent_id: Mapped[UUID | None]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    special: Mapped[bool] = mapped_column(default=False)
    """An island commune or special zone, whose residents get the higher State support."""

    def valid_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


class PlaceSuccession(TownRow, Model):
    """On that day the predecessor, or part of it, became the successor."""

    __tablename__ = "place_succession"
    __table_args__ = (
        refers("predecessor_id", "place"),
        refers("successor_id", "place"),
        UniqueConstraint("town_id", "predecessor_id", "successor_id"),
    )

    predecessor_id: Mapped[UUID]
    successor_id: Mapped[UUID]
    on_day: Mapped[date]
    document: Mapped[str | None]
    position: Mapped[int] = mapped_column(default=0, server_default="0")
    """Of several successors the first takes whoever's neighbourhood is not known."""
