"""Reorganisations, and whose place of work each changed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Model, TownRow, refers
from crm.reorganisations.rules import State


class Reorganisation(TownRow, Model):
    """A document by which wards and communes become others from a day on. What became what stands in
    `place_succession` under the same day and document."""

    __tablename__ = "reorganisation"
    __table_args__ = (
        UniqueConstraint("town_id", "on_day", "document"),
        refers("created_by_id", "account"),
        refers("decided_by_id", "account"),
        CheckConstraint("(state = 'draft') = (plan is not null)", name="plan"),
    )

    name: Mapped[str]
    document: Mapped[str]
    on_day: Mapped[date]
    state: Mapped[State] = mapped_column(default=State.DRAFT)
    plan: Mapped[dict[str, Any] | None]
    """What is described while it is a draft (crm.reorganisations.rules.Plan)."""
    decisions: Mapped[dict[str, Any] | None]
    """Who looks after what from the day on, decided beforehand: `{places: {account or organisation id: place id or null},
    note}`."""
    created_at: Mapped[datetime]
    created_by_id: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[UUID | None]


class Handover(TownRow, Model):
    """Somebody who signs in, or a branch of an organisation, looks after another place because of a reorganisation."""

    __tablename__ = "handover"
    __table_args__ = (
        refers("reorganisation_id", "reorganisation"),
        refers("account_id", "account"),
        refers("organisation_id", "organisation"),
        refers("from_place_id", "place"),
        refers("to_place_id", "place"),
        Index(None, "town_id", "reorganisation_id"),
        Index(
            "ix_handover_unread",
            "town_id",
            "account_id",
            postgresql_where=text("read_at is null and taken_back_at is null"),
        ),
        CheckConstraint("(account_id is null) <> (organisation_id is null)", name="whose"),
    )

    reorganisation_id: Mapped[UUID]
    account_id: Mapped[UUID | None]
    organisation_id: Mapped[UUID | None]
    from_place_id: Mapped[UUID]
    to_place_id: Mapped[UUID | None]
    """None: they look after the former area as before."""
    note: Mapped[str | None]
    at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    taken_back_at: Mapped[datetime | None]
