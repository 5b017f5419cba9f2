"""The dated law and what places add of their own."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Numeric, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Model, TownRow, refers
from crm.ids import new_id
from crm.premiums.rules.keys import LawKey, LawStatus
from crm.premiums.rules.law import LawValue, LocalTopUp
from crm.prospects.rules import Ground

DAY_OF = "(%s at time zone 'Asia/Ho_Chi_Minh')::date"
STANDING: dict[str, Any] = {
    "unique": True,
    "postgresql_nulls_not_distinct": True,
    "postgresql_where": text("withdrawn_at is null"),
}


def _kept_by_the_database() -> tuple[CheckConstraint, ...]:
    """What has begun is not withdrawn. Triggers refuse the rest, such as a value by whose forerunner somebody has paid."""
    begins_later = f"{DAY_OF % 'withdrawn_at'} < effective_from"
    return (
        CheckConstraint(f"withdrawn_at is null or status = 'announced' or {begins_later}", name="withdrawn_in_time"),
        CheckConstraint("(withdrawn_at is null) = (withdrawn_why is null)", name="withdrawn_says_why"),
    )


class LawValueRow(Model):
    """One number of national law, from a day on, with where it stands and how sure we are. Belongs to no town.

    A value ends where the next one of the same key, ground and year begins. Percentages are kept as percent, money in đồng.
    A row is never changed; one that has not begun may be withdrawn.
    """

    __tablename__ = "law_value"
    __table_args__ = (
        Index("uq_law_value_standing", "key", "ground", "of_year", "effective_from", "status", **STANDING),
        CheckConstraint("value >= 0", name="value_not_negative"),
        *_kept_by_the_database(),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    key: Mapped[LawKey]
    ground: Mapped[Ground | None]
    of_year: Mapped[int | None]
    """For months paid in this year and later ones, up to the next year that has a value of its own."""
    value: Mapped[Decimal] = mapped_column(Numeric(18, 6))
    effective_from: Mapped[date]
    document: Mapped[str]
    article: Mapped[str] = mapped_column(server_default="")
    source: Mapped[str] = mapped_column(server_default="")
    status: Mapped[LawStatus]
    note: Mapped[str] = mapped_column(server_default="")
    recorded_at: Mapped[datetime | None]
    """When an administrator put it on record; None: it came with the program."""
    withdrawn_at: Mapped[datetime | None]
    withdrawn_why: Mapped[str | None]

    def as_value(self) -> LawValue:
        """The row as the pure rules read it."""
        return LawValue(
            key=self.key,
            ground=self.ground,
            value=plain(self.value),
            since=self.effective_from,
            document=self.document,
            article=self.article,
            source=self.source,
            status=self.status,
            note=self.note,
            of_year=self.of_year,
        )


class LocalTopUpRow(TownRow, Model):
    """What a place's own budget adds for one ground: a percent of the floor premium, or đồng a month. Without a place
    it holds in the whole town. It ends on its last day, or where the next of the same place and ground begins."""

    __tablename__ = "local_top_up"
    __table_args__ = (
        refers("place_id", "place"),
        Index("uq_local_top_up_standing", "town_id", "place_id", "ground", "effective_from", "status", **STANDING),
        *_kept_by_the_database(),
        CheckConstraint("num_nonnulls(percent, amount) = 1", name="percent_or_amount"),
        CheckConstraint("coalesce(percent, amount) >= 0", name="not_negative"),
        CheckConstraint("effective_to >= effective_from", name="dates"),
        CheckConstraint("months_cap > 0", name="months_cap_positive"),
    )

    place_id: Mapped[UUID | None]
    ground: Mapped[Ground]
    percent: Mapped[Decimal | None] = mapped_column(Numeric(9, 4))
    amount: Mapped[int | None]
    effective_from: Mapped[date]
    effective_to: Mapped[date | None]
    months_cap: Mapped[int | None]
    document: Mapped[str]
    article: Mapped[str] = mapped_column(default="", server_default="")
    source: Mapped[str] = mapped_column(default="", server_default="")
    note: Mapped[str] = mapped_column(default="", server_default="")
    status: Mapped[LawStatus] = mapped_column(default=LawStatus.IN_FORCE, server_default=LawStatus.IN_FORCE.value)
    recorded_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_why: Mapped[str | None]

    def as_top_up(self) -> LocalTopUp:
        """The row as the pure rules read it."""
        return LocalTopUp(
            place=self.place_id,
            status=self.status,
            ground=self.ground,
            percent=None if self.percent is None else plain(self.percent),
            amount=self.amount,
            since=self.effective_from,
            until=self.effective_to,
            months_cap=self.months_cap,
            document=f"{self.document}, {self.article}" if self.article else self.document,
        )


def plain(number: Decimal) -> Decimal:
    """A stored number without the zeros that fill its column: 22.000000 → 22, and never 7E+5."""
    return number.to_integral_value() if number == number.to_integral_value() else number.normalize()
