"""Communication events, and the people met at them whose visits they are. An event is withdrawn, never deleted."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Model, TownRow, refers
from crm.reports.events.rules import EventKind


class PublicEvent(TownRow, Model):
    """Something that told many people at once. `id` is made by the page it was logged on: sent twice it is one row."""

    __tablename__ = "public_event"
    __table_args__ = (
        refers("place_id", "place"),
        refers("organisation_id", "organisation"),
        refers("logged_by_id", "account"),
        Index(None, "town_id", "held_on", "id"),
        CheckConstraint("times between 1 and 1000", name="times"),
        CheckConstraint("attended between 0 and 100000", name="attended"),
        CheckConstraint("leaflets between 0 and 1000000", name="leaflets"),
        CheckConstraint("char_length(title) between 1 and 200", name="title"),
    )

    place_id: Mapped[UUID]
    """The ward or commune in which it was held."""
    organisation_id: Mapped[UUID | None]
    """Who led it; None: the ward."""
    kind: Mapped[EventKind]
    held_on: Mapped[date]
    title: Mapped[str]
    venue: Mapped[str | None]
    times: Mapped[int]
    attended: Mapped[int | None]
    leaflets: Mapped[int | None]
    note: Mapped[str | None]
    logged_at: Mapped[datetime]
    logged_by_id: Mapped[UUID]
    withdrawn_at: Mapped[datetime | None] = mapped_column(default=None)


class EventPerson(TownRow, Model):
    """Somebody who showed interest at an event, and the visit that was recorded of it: once for each person."""

    __tablename__ = "public_event_person"
    __table_args__ = (
        refers("event_id", "public_event"),
        refers("visit_id", "visit"),
        UniqueConstraint("town_id", "event_id", "visit_id"),
    )

    event_id: Mapped[UUID]
    visit_id: Mapped[UUID]
    """Its id follows from the event and the person, so that a person is met once at an event."""
