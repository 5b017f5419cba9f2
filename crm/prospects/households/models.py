"""Who lived in a household from when to when, its certificates, and what the annual review said."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from crm.db import Model, TownRow, refers
from crm.prospects.rules import Ground


class HouseholdMember(TownRow, Model):
    """Somebody lived in a household from `since` until the day before `until`; one household at a time.

    `since` None: always, as far as is known. The open row is copied onto the person (`household_id`, `kinship`);
    somebody whose household came with a list has no row and counts as one who always lived there.
    """

    __tablename__ = "household_member"
    __table_args__ = (
        refers("household_id", "household"),
        refers("prospect_id", "prospect"),
        refers("by_id", "account"),
        Index(None, "town_id", "household_id"),
        CheckConstraint("until > since", name="dates"),
    )

    household_id: Mapped[UUID]
    prospect_id: Mapped[UUID]
    since: Mapped[date | None]
    until: Mapped[date | None]
    recorded_at: Mapped[datetime]
    by_id: Mapped[UUID | None]


class HouseholdCertificate(TownRow, Model):
    """The household is poor or near-poor from `valid_from` until the day before `valid_to`; never beyond its year.

    Two of them never hold on the same day: the database refuses it.
    """

    __tablename__ = "household_certificate"
    __table_args__ = (
        refers("household_id", "household"),
        refers("recorded_by_id", "account"),
        Index(None, "town_id", "valid_to"),
        CheckConstraint("ground in ('poor', 'near_poor')", name="poverty"),
        CheckConstraint("valid_to > valid_from", name="dates"),
        CheckConstraint("valid_from >= make_date(year::int, 1, 1)", name="first_day"),
        CheckConstraint("valid_to <= make_date(year::int + 1, 1, 1)", name="last_day"),
        CheckConstraint("char_length(number) between 1 and 100", name="number"),
    )

    household_id: Mapped[UUID]
    ground: Mapped[Ground]
    number: Mapped[str]
    year: Mapped[int]
    valid_from: Mapped[date]
    valid_to: Mapped[date]
    recorded_at: Mapped[datetime]
    recorded_by_id: Mapped[UUID | None]

    @property
    def last_day(self) -> date:
        """The last day on which it holds, as certificates say it."""
        return self.valid_to - timedelta(days=1)


class PovertyReview(TownRow, Model):
    """The annual review found a household, or somebody alone, no longer poor or near-poor in `year`."""

    __tablename__ = "poverty_review"
    __table_args__ = (
        refers("household_id", "household"),
        refers("prospect_id", "prospect"),
        refers("by_id", "account"),
        UniqueConstraint("town_id", "household_id", "year"),
        UniqueConstraint("town_id", "prospect_id", "year"),
        CheckConstraint("(household_id is null) <> (prospect_id is null)", name="one_subject"),
    )

    household_id: Mapped[UUID | None]
    prospect_id: Mapped[UUID | None]
    year: Mapped[int]
    at: Mapped[datetime]
    by_id: Mapped[UUID | None]
