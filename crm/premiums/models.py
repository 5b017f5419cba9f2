"""The dated law and what places add of their own."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Date, Integer, Numeric, Text, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Model, TownRow
from crm.premiums.rules import Ground, LawKey, LawStatus, LawValue, LocalTopUp


def _one_of(column: str, values: type[Ground | LawKey | LawStatus]) -> str:
    """The condition that a text column holds one of an enumeration's values."""
    return f"{column} in ({', '.join(repr(str(value)) for value in values)})"


class LawValueRow(Model):
    """One number of national law, from a day on, with where it stands and how sure we are. Belongs to no town.

    A value ends where the next one of the same key and ground begins. Percentages are kept as percent, money in đồng.
    """

    __tablename__ = "law_value"
    __table_args__ = (
        UniqueConstraint("key", "ground", "effective_from", "status", postgresql_nulls_not_distinct=True),
        CheckConstraint("value >= 0", name="value_not_negative"),
        CheckConstraint(_one_of("key", LawKey), name="key_known"),
        CheckConstraint(_one_of("ground", Ground), name="ground_known"),
        CheckConstraint(_one_of("status", LawStatus), name="status_known"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    key: Mapped[str] = mapped_column(Text)
    ground: Mapped[str | None] = mapped_column(Text)
    value: Mapped[Decimal] = mapped_column(Numeric(18, 6))
    effective_from: Mapped[date] = mapped_column(Date)
    document: Mapped[str] = mapped_column(Text)
    article: Mapped[str] = mapped_column(Text, server_default="")
    source: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text, server_default="")

    def as_value(self) -> LawValue:
        """The row as the pure rules read it."""
        return LawValue(
            key=LawKey(self.key),
            ground=Ground(self.ground) if self.ground else None,
            value=self.value.normalize(),
            since=self.effective_from,
            document=self.document,
            article=self.article,
            source=self.source,
            status=LawStatus(self.status),
            note=self.note,
        )


class LocalTopUpRow(TownRow, Model):
    """What a place's own budget adds for one ground: a percent of the floor premium, or đồng a month."""

    __tablename__ = "local_top_up"
    __table_args__ = (
        UniqueConstraint("town_id", "ground", "effective_from"),
        CheckConstraint(_one_of("ground", Ground), name="ground_known"),
        CheckConstraint("num_nonnulls(percent, amount) = 1", name="percent_or_amount"),
        CheckConstraint("coalesce(percent, amount) >= 0", name="not_negative"),
        CheckConstraint("effective_to >= effective_from", name="ends_after_it_begins"),
        CheckConstraint("months_cap > 0", name="months_cap_positive"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    ground: Mapped[str] = mapped_column(Text)
    percent: Mapped[Decimal | None] = mapped_column(Numeric(9, 4))
    amount: Mapped[int | None] = mapped_column(BigInteger)
    effective_from: Mapped[date] = mapped_column(Date)
    effective_to: Mapped[date | None] = mapped_column(Date)
    months_cap: Mapped[int | None] = mapped_column(Integer)
    document: Mapped[str] = mapped_column(Text)

    def as_top_up(self) -> LocalTopUp:
        """The row as the pure rules read it."""
        return LocalTopUp(
            ground=Ground(self.ground),
            percent=self.percent,
            amount=self.amount,
            since=self.effective_from,
            until=self.effective_to,
            months_cap=self.months_cap,
            document=self.document,
        )
