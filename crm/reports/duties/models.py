"""Duties of the plan and every step noted of them. Steps are append-only."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Model, TownRow, refers
from crm.reports.duties.rules import DayBy, State, Step


class Duty(TownRow, Model):
    """What one actor, organisation or ward is to do in a year: one row for each of them, kept so by the database."""

    __tablename__ = "duty"
    __table_args__ = (
        refers("place_id", "place"),
        refers("organisation_id", "organisation"),
        UniqueConstraint(
            *("town_id", "year", "actor_no", "position", "place_id", "organisation_id"),
            name="uq_duty_of_whom",
            postgresql_nulls_not_distinct=True,
        ),
        Index("ix_duty_due", "town_id", "due_on", postgresql_where=text("state <> 'done'")),
        CheckConstraint("num_nonnulls(place_id, organisation_id) <= 1", name="one_unit"),
        CheckConstraint("actor_no between 1 and 11", name="actor_no"),
        CheckConstraint("(due_on is null) = (day_by is null)", name="whose_day"),
        CheckConstraint("position > 0", name="position"),
        CheckConstraint("char_length(words) between 1 and 300", name="words"),
    )

    year: Mapped[int]
    actor_no: Mapped[int]
    """The number of the actor in section IV of the plan."""
    actor: Mapped[str]
    position: Mapped[int]
    place_id: Mapped[UUID | None]
    organisation_id: Mapped[UUID | None]
    words: Mapped[str]
    source: Mapped[str]
    due_on: Mapped[date | None]
    """None: all year."""
    day_by: Mapped[DayBy | None]
    """Whose day it is; of none nobody's."""
    state: Mapped[State] = mapped_column(default=State.OPEN)
    steps: Mapped[int] = mapped_column(default=0)
    """How many were noted, so that of two who note at once both are kept in order."""


class DutyStep(TownRow, Model):
    """Something that was done for a duty, with its evidence. Append-only."""

    __tablename__ = "duty_step"
    __table_args__ = (
        refers("duty_id", "duty"),
        refers("noted_by_id", "account"),
        UniqueConstraint("town_id", "duty_id", "number"),
        CheckConstraint("number > 0", name="number"),
        CheckConstraint("char_length(words) between 1 and 1000", name="words"),
    )

    duty_id: Mapped[UUID]
    number: Mapped[int]
    step: Mapped[Step]
    words: Mapped[str]
    document: Mapped[str | None]
    """The number of a paper that shows it."""
    link: Mapped[str | None]
    """Where it can be seen: a page of the program or of the web."""
    on_day: Mapped[date]
    noted_at: Mapped[datetime]
    noted_by_id: Mapped[UUID]
