"""Spells of taking part, payments, and the months they cover."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    FetchedValue,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    and_,
    text,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Model, TownRow, refers
from crm.months import LONGEST_RUN
from crm.participation.guard.rules import StopReason
from crm.participation.rules import Basis, Beginning, Ending
from crm.participation.shares import PayerKind
from crm.prospects.rules import Ground


class Participation(TownRow, Model):
    """A spell of taking part, from `started_on` until the day before `ended_on`. One at a time for a person
    (an exclusion constraint). The stock on a day is the number of spells that hold it and are not withdrawn."""

    __tablename__ = "participation"
    __table_args__ = (
        refers("prospect_id", "prospect"),
        refers("place_id", "place"),
        refers("organisation_id", "organisation"),
        refers("recruited_by_id", "account"),
        Index(None, "town_id", "prospect_id", "started_on"),
        Index(None, "town_id", "started_on"),
        Index(None, "town_id", "ended_on"),
        Index("ix_participation_deadline", "town_id", "deadline_on", postgresql_where=text("ended_on is null")),
        CheckConstraint("ended_on > started_on", name="dates"),
        CheckConstraint("(ended_on is null) = (ended_as is null)", name="ends_as_something"),
        CheckConstraint("stop_reason is null or ended_as in ('lapsed', 'stopped')", name="stopped_for_a_reason"),
        CheckConstraint("(asked_on is null) = (stop_reason is null)", name="asked_for_a_reason"),
        CheckConstraint("not stays_away or asked_on is not null", name="stays_away_as_said"),
    )

    prospect_id: Mapped[UUID]
    started_on: Mapped[date]
    started_as: Mapped[Beginning]
    ended_on: Mapped[date | None]
    ended_as: Mapped[Ending | None]
    place_id: Mapped[UUID]
    """The ward or commune at the start."""
    organisation_id: Mapped[UUID | None]
    """Who brought the person in."""
    recruited_by_id: Mapped[UUID | None]
    income: Mapped[int]
    """Chosen monthly income, đồng."""
    method: Mapped[int]
    """Months paid at once: 1, 3, 6, 12; 0 for a lump sum (years ahead, missing months)."""
    paid_through: Mapped[date | None]
    """First day of the last month paid for: never before the last of its paid months (migration 0035)."""
    deadline_on: Mapped[date | None]
    """Last day to pay for what follows; the day after, the spell has lapsed."""
    withdrawn_at: Mapped[datetime | None] = mapped_column(default=None)
    """Set when its first payment was reversed: it was recorded by mistake and counts nowhere."""
    stop_reason: Mapped[StopReason | None] = mapped_column(default=None)
    """Why somebody let it lapse or stopped, as they said when asked."""
    asked_on: Mapped[date | None] = mapped_column(default=None)
    """The day on which they were asked why last: until the next day for asking that answers the question."""
    stays_away: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """They said that they will not come back: nobody is sent to win them back."""
    ground: Mapped[Ground] = mapped_column(server_default=FetchedValue())
    """The strongest ground for support on the day it began, which the database reads and keeps (migration tally_of_spells)."""

    def take_back_ending(self) -> None:
        """It did not end: nor did anybody say why."""
        self.ended_on = self.ended_as = self.stop_reason = self.asked_on = None
        self.stays_away = False

    @hybrid_property
    def goes_on(self) -> bool:
        """Whether the person takes part by it now: not ended, and not recorded by mistake."""
        return self.ended_on is None and self.withdrawn_at is None

    @goes_on.inplace.expression
    @classmethod
    def _goes_on(cls) -> ColumnElement[bool]:
        return and_(cls.ended_on.is_(None), cls.withdrawn_at.is_(None))


class Payment(TownRow, Model):
    """Money for a run of months, by its four layers, under the rules of the day it was paid. Append-only:
    a mistake is a second row that reverses the first."""

    __tablename__ = "payment"
    __table_args__ = (
        refers("participation_id", "participation"),
        refers("prospect_id", "prospect"),
        refers("recorded_by_id", "account"),
        refers("reverses_id", "payment"),
        UniqueConstraint("town_id", "reverses_id"),
        UniqueConstraint("town_id", "receipt_number"),
        Index(None, "town_id", "prospect_id", "start_month"),
        Index(None, "town_id", "paid_on"),
        CheckConstraint("gross = own + state_support + local_support + other_support", name="layers"),
        CheckConstraint(
            "reverses_id is not null or "
            "(own >= 0 and state_support >= 0 and local_support >= 0 and other_support >= 0 and gross > 0)",
            name="signs",
        ),
        CheckConstraint(f"months between 1 and {LONGEST_RUN}", name="months"),
        CheckConstraint("supported_months between 0 and months", name="supported_months"),
        CheckConstraint("extract(day from start_month) = 1", name="start_month"),
        CheckConstraint("basis <> 'taken' or receipt_number is not null or reverses_id is not null", name="receipt"),
    )

    participation_id: Mapped[UUID]
    prospect_id: Mapped[UUID]
    paid_on: Mapped[date]
    start_month: Mapped[date]
    months: Mapped[int]
    method: Mapped[int]
    missing: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """For months missing for a pension, paid at once: its months follow the last one paid, and none is for nothing."""
    income: Mapped[int]
    ground: Mapped[str]
    gross: Mapped[int]
    state_support: Mapped[int]
    local_support: Mapped[int]
    other_support: Mapped[int]
    """From sponsors."""
    own: Mapped[int]
    supported_months: Mapped[int]
    law: Mapped[dict[str, Any]]
    """The rules it was made under: name, value, since, source. Never recomputed."""
    basis: Mapped[Basis] = mapped_column(default=Basis.CONFIRMED, server_default=Basis.CONFIRMED.value)
    """Taken by an agent against a receipt, or recorded on the insurance office's word."""
    receipt_number: Mapped[str | None]
    """The agent's receipt; one of each number."""
    confirmation: Mapped[str | None] = mapped_column(default=None)
    """The list or letter with which the insurance office confirmed the payment."""
    recorded_at: Mapped[datetime]
    recorded_by_id: Mapped[UUID | None]
    reverses_id: Mapped[UUID | None]


class ParticipantMonth(Model):
    """One month of one person and who bore it, paid once: a unique constraint forbids a second payment for it.

    There while its payment stands: the database refuses to change a row, to remove one of a payment that was not
    reversed, and to end a transaction in which the months of a payment do not sum to its layers (migration 0017).

    Whoever leaves within what is paid has months paid for in vain: what comes back of the payment marks them by the act
    that keeps it (migration months_not_needed). They stay, count for nothing, and may be paid anew by whoever comes back.
    """

    __tablename__ = "participant_month"
    __table_args__ = (
        refers("prospect_id", "prospect"),
        refers("payment_id", "payment"),
        refers("refund_id", "leaving_refund"),
        Index(None, "town_id", "month"),
        UniqueConstraint("town_id", "prospect_id", "month", "refund_id", postgresql_nulls_not_distinct=True),
        CheckConstraint("extract(day from month) = 1", name="month"),
        CheckConstraint("own >= 0 and state_support >= 0 and local_support >= 0 and other_support >= 0", name="signs"),
        CheckConstraint("supported or state_support = 0", name="supported"),
    )

    town_id: Mapped[UUID] = mapped_column(primary_key=True)
    payment_id: Mapped[UUID] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    prospect_id: Mapped[UUID]
    supported: Mapped[bool]
    """Whether the State supported it: these count toward the cap of supported months."""
    own: Mapped[int]
    state_support: Mapped[int]
    local_support: Mapped[int]
    other_support: Mapped[int]
    """The month's part of each layer of its payment, đồng (crm.participation.shares)."""
    refund_id: Mapped[UUID | None] = mapped_column(default=None)
    """What comes back of its payment, of a month paid for in vain: written by the database alone."""

    @hybrid_property
    def counts(self) -> bool:
        """Whether it is a month of taking part, and of the State's help: no ending made it one paid for in vain."""
        return self.refund_id is None

    @counts.inplace.expression
    @classmethod
    def _counts(cls) -> ColumnElement[bool]:
        return cls.refund_id.is_(None)


class MonthPayer(TownRow, Model):
    """What one of the others, a sponsor for one, gave for a month: together they are the month's `other_support`.

    It hangs on the payment, not on the person: a merge moves the payment and leaves this as it is.
    """

    __tablename__ = "month_payer"
    __table_args__ = (
        ForeignKeyConstraint(
            ["town_id", "payment_id", "month"],
            ["participant_month.town_id", "participant_month.payment_id", "participant_month.month"],
            ondelete="CASCADE",
        ),
        UniqueConstraint("town_id", "payment_id", "month", "kind", "payer_id", postgresql_nulls_not_distinct=True),
        Index(None, "town_id", "payer_id", "month"),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("(kind = 'unnamed') = (payer_id is null)", name="named"),
    )

    payment_id: Mapped[UUID]
    month: Mapped[date]
    kind: Mapped[PayerKind]
    payer_id: Mapped[UUID | None]
    """Of a sponsor: which. Whoever knows payers of a kind names them (crm.participation.payers)."""
    amount: Mapped[int]
