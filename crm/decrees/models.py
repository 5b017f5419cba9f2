"""Decrees, what they put on record, and whom they concern."""

from __future__ import annotations

from datetime import date, datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Model, TownRow, refers
from crm.decrees.rules.states import ImpactState, State
from crm.money import half_up
from crm.premiums.rules.keys import LawStatus


class Decree(TownRow, Model):
    """A document that changes the law, or what a place adds, from a day on. A draft until it is saved, then for good."""

    __tablename__ = "decree"
    __table_args__ = (
        refers("created_by_id", "account"),
        refers("saved_by_id", "account"),
        CheckConstraint("(state = 'saved') = (saved_at is not null)", name="saved"),
    )

    document: Mapped[str]
    article: Mapped[str] = mapped_column(default="", server_default="")
    source: Mapped[str]
    note: Mapped[str] = mapped_column(default="", server_default="")
    effective_from: Mapped[date]
    status: Mapped[LawStatus]
    items: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    """What it says, as crm.decrees.rules.saying.Item keeps it."""
    version: Mapped[int] = mapped_column(default=1)
    """Goes up with each change of the draft: what was looked at is what is saved."""
    state: Mapped[State] = mapped_column(default=State.DRAFT)
    created_at: Mapped[datetime]
    created_by_id: Mapped[UUID]
    saved_at: Mapped[datetime | None]
    saved_by_id: Mapped[UUID | None]


class DecreeRow(TownRow, Model):
    """A row of the law, or of a place's addition, that a decree put on record."""

    __tablename__ = "decree_row"
    __table_args__ = (
        refers("decree_id", "decree"),
        refers("local_top_up_id", "local_top_up"),
        Index(None, "town_id", "decree_id"),
        CheckConstraint("num_nonnulls(law_value_id, local_top_up_id) = 1", name="one_rule"),
    )

    decree_id: Mapped[UUID]
    law_value_id: Mapped[UUID | None] = mapped_column(ForeignKey("law_value.id"))
    local_top_up_id: Mapped[UUID | None]


class DecreeImpact(Model):
    """How far the comparison of a draft is: for which version of it, and as of which day."""

    __tablename__ = "decree_impact"
    __table_args__ = (
        refers("decree_id", "decree"),
        Index("ix_decree_impact_at_work", "heartbeat_at", postgresql_where=text("state in ('waiting','working')")),
    )

    town_id: Mapped[UUID] = mapped_column(ForeignKey("town.id"), primary_key=True)
    decree_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    today: Mapped[date]
    state: Mapped[ImpactState]
    total: Mapped[int]
    done: Mapped[int]
    last_id: Mapped[UUID | None]
    """The last person compared; people are taken in the order of their ids."""
    begun_at: Mapped[datetime]
    heartbeat_at: Mapped[datetime]


class DecreePerson(Model):
    """Somebody's first payment after a decree's day of effect, without it and with it: whole đồng for all its months."""

    __tablename__ = "decree_person"
    __table_args__ = (
        refers("decree_id", "decree"),
        refers("prospect_id", "prospect"),
        refers("place_id", "place"),
        Index(None, "town_id", "prospect_id"),
        CheckConstraint("months > 0", name="months"),
    )

    town_id: Mapped[UUID] = mapped_column(ForeignKey("town.id"), primary_key=True)
    decree_id: Mapped[UUID] = mapped_column(primary_key=True)
    prospect_id: Mapped[UUID] = mapped_column(primary_key=True)
    takes_part: Mapped[bool]
    """Otherwise agreed or being talked to: what joining would cost."""
    place_id: Mapped[UUID]
    """The ward that counts them today."""
    ground: Mapped[str]
    start_month: Mapped[date]
    months: Mapped[int]
    pay_by: Mapped[date]
    before_possible: Mapped[bool]
    """The period may still be paid before the day of effect, by the law of before."""
    below_floor: Mapped[bool]
    """The chosen income lies below the new least one."""
    income_before: Mapped[int]
    income_after: Mapped[int]
    gross_before: Mapped[int]
    state_before: Mapped[int]
    place_before: Mapped[int]
    sponsors_before: Mapped[int]
    own_before: Mapped[int]
    gross_after: Mapped[int]
    state_after: Mapped[int]
    place_after: Mapped[int]
    sponsors_after: Mapped[int]
    own_after: Mapped[int]

    @property
    def own_before_a_month(self) -> int:
        """What the person pays for one month without the decree."""
        return half_up(Fraction(self.own_before, self.months))

    @property
    def own_after_a_month(self) -> int:
        """What the person pays for one month with it."""
        return half_up(Fraction(self.own_after, self.months))
