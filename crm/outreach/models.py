"""Assignments and visits."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Model, TownRow, refers
from crm.outreach.rules import Channel, Outcome


class Assignment(TownRow, Model):
    """Someone looks after a person, from one moment to another. The open one is copied onto the prospect."""

    __tablename__ = "assignment"
    __table_args__ = (
        refers("prospect_id", "prospect"),
        refers("volunteer_id", "account"),
        refers("organisation_id", "organisation"),
        refers("by_id", "account"),
        refers("volunteer_was_id", "account"),
        refers("organisation_was_id", "organisation"),
        Index("uq_assignment_open", "town_id", "prospect_id", unique=True, postgresql_where=text("until is null")),
        Index(None, "town_id", "prospect_id", "since"),
        Index(None, "town_id", "volunteer_id", "since"),
        Index(None, "town_id", "by_id", "since"),
        CheckConstraint("until >= since", name="dates"),
    )

    prospect_id: Mapped[UUID]
    volunteer_id: Mapped[UUID | None]
    """None: the person was taken back, and nobody looks after them."""
    organisation_id: Mapped[UUID | None]
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    by_id: Mapped[UUID | None]
    note: Mapped[str | None]
    volunteer_was_id: Mapped[UUID | None]
    organisation_was_id: Mapped[UUID | None]
    """Who the person belonged to before, so that undoing gives it back."""


class Visit(TownRow, Model):
    """One conversation, or a closed door. `id` is the client's: recording it twice finds the same row."""

    __tablename__ = "visit"
    __table_args__ = (
        refers("prospect_id", "prospect"),
        refers("user_id", "account"),
        refers("organisation_id", "organisation"),
        refers("place_id", "place"),
        refers("keyed_by_id", "account"),
        Index(None, "town_id", "prospect_id", "occurred_at"),
        Index(None, "town_id", "user_id", "occurred_at"),
        Index(None, "town_id", "occurred_at"),
        CheckConstraint("char_length(note) <= 2000", name="note"),
    )

    prospect_id: Mapped[UUID]
    user_id: Mapped[UUID]
    organisation_id: Mapped[UUID | None]
    place_id: Mapped[UUID]
    """The ward or commune of the person at that time."""
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    channel: Mapped[Channel]
    outcome: Mapped[Outcome]
    reasons: Mapped[list[str]]
    note: Mapped[str | None]
    next_contact_on: Mapped[date | None]
    withdrawn_at: Mapped[datetime | None] = mapped_column(default=None)
    """Set by «undo»; a withdrawn visit is shown struck out and counts nowhere."""
    keyed_by_id: Mapped[UUID | None] = mapped_column(default=None)
    """Who typed it in from a paper list; None for a visit that `user_id` recorded at once."""
    handed_on: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """It came in after the person had left the hands of `user_id`: whoever has them now reads it."""
