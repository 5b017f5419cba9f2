"""Packages of work, and who is in them."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Model, TownRow, refers
from crm.outreach.packages.rules import Ending, Settled


class WorkPackage(TownRow, Model):
    """People given to a volunteer until and including a day. Whoever was not met by then comes back."""

    __tablename__ = "work_package"
    __table_args__ = (
        refers("volunteer_id", "account"),
        refers("place_id", "place"),
        refers("given_by_id", "account"),
        refers("ended_by_id", "account"),
        Index(None, "town_id", "given_at", "id"),
        Index(None, "town_id", "volunteer_id", "given_at"),
        Index("ix_work_package_running", "town_id", "until", postgresql_where=text("ended_at is null")),
        CheckConstraint("(ended_at is null) = (ending is null)", name="end"),
        CheckConstraint("char_length(name) between 1 and 120", name="name"),
        CheckConstraint("char_length(note) <= 500 and char_length(ended_note) <= 500", name="notes"),
    )

    name: Mapped[str]
    volunteer_id: Mapped[UUID]
    place_id: Mapped[UUID | None]
    until: Mapped[date]
    note: Mapped[str | None]
    given_at: Mapped[datetime]
    given_by_id: Mapped[UUID | None]
    counts_from: Mapped[datetime]
    """The beginning of the day on which it was given: visits from then on count as its own."""
    ended_at: Mapped[datetime | None]
    ended_by_id: Mapped[UUID | None]
    """None: the calendar ended it."""
    ending: Mapped[Ending | None]
    ended_note: Mapped[str | None]


class PackageItem(TownRow, Model):
    """One person of a package. Open until it is known what became of them; nobody is open in two."""

    __tablename__ = "work_package_item"
    __table_args__ = (
        refers("package_id", "work_package"),
        refers("prospect_id", "prospect"),
        refers("organisation_was_id", "organisation"),
        UniqueConstraint("town_id", "package_id", "prospect_id"),
        Index(
            "uq_work_package_item_open",
            "town_id",
            "prospect_id",
            unique=True,
            postgresql_where=text("settled_at is null"),
        ),
        Index(None, "town_id", "prospect_id"),
        CheckConstraint("(settled_at is null) = (settled is null)", name="settlement"),
    )

    package_id: Mapped[UUID]
    prospect_id: Mapped[UUID]
    position: Mapped[int]
    """The place in the walk."""
    organisation_was_id: Mapped[UUID | None]
    """Whose the person was before, so that coming back gives it back."""
    settled_at: Mapped[datetime | None]
    settled: Mapped[Settled | None] = mapped_column(default=None)
