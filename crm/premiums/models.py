"""The dated law and what places add of their own."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, Numeric, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Model, TownRow
from crm.ids import new_id
from crm.premiums.rules.keys import LawKey, LawStatus
from crm.premiums.rules.law import LawValue, LocalTopUp
from crm.prospects.rules import Ground


class LawValueRow(Model):
    """One number of national law, from a day on, with where it stands and how sure we are. Belongs to no town.

    A value ends where the next one of the same key, ground and year begins. Percentages are kept as percent, money in đồng.
    """

    __tablename__ = "law_value"
    __table_args__ = (
        UniqueConstraint(
            "key",
            "ground",
            "of_year",
            "effective_from",
            "status",
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint("value >= 0", name="value_not_negative"),
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
    """What a place's own budget adds for one ground: a percent of the floor premium, or đồng a month."""

    __tablename__ = "local_top_up"
    __table_args__ = (
        UniqueConstraint("town_id", "ground", "effective_from"),
        CheckConstraint("num_nonnulls(percent, amount) = 1", name="percent_or_amount"),
        CheckConstraint("coalesce(percent, amount) >= 0", name="not_negative"),
        CheckConstraint("effective_to >= effective_from", name="dates"),
        CheckConstraint("months_cap > 0", name="months_cap_positive"),
    )

    ground: Mapped[Ground]
    percent: Mapped[Decimal | None] = mapped_column(Numeric(9, 4))
    amount: Mapped[int | None]
    effective_from: Mapped[date]
    effective_to: Mapped[date | None]
    months_cap: Mapped[int | None]
    document: Mapped[str]

    def as_top_up(self) -> LocalTopUp:
        """The row as the pure rules read it."""
        return LocalTopUp(
            ground=self.ground,
            percent=None if self.percent is None else plain(self.percent),
            amount=self.amount,
            since=self.effective_from,
            until=self.effective_to,
            months_cap=self.months_cap,
            document=self.document,
        )


def plain(number: Decimal) -> Decimal:
    """A stored number without the zeros that fill its column: 22.000000 → 22, and never 7E+5."""
    return number.to_integral_value() if number == number.to_integral_value() else number.normalize()
