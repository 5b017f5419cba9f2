"""Saved lists, tags, acts on many people, and the files people took away."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Model, TownRow, choice, refers
from crm.prospects.lists.rules import ActState, ExportState, Outcome, Sharing, Why


class Segment(TownRow, Model):
    """A list somebody saved: what it asks, not whom it found. Whoever opens it sees those of its people they may see."""

    __tablename__ = "segment"
    __table_args__ = (
        refers("owner_id", "account"),
        refers("organisation_id", "organisation"),
        refers("place_id", "place"),
        Index(None, "town_id", "name_fold", postgresql_where=text("deleted_at is null")),
        CheckConstraint("char_length(name) between 1 and 80", name="name"),
        CheckConstraint(
            "sharing <> 'unit' or organisation_id is not null or place_id is not null", name="shared_with_a_unit"
        ),
    )

    name: Mapped[str]
    name_fold: Mapped[str]
    owner_id: Mapped[UUID]
    sharing: Mapped[Sharing] = mapped_column(default=Sharing.OWN)
    organisation_id: Mapped[UUID | None]
    place_id: Mapped[UUID | None]
    """The unit it is shared with: that of its owner when it was shared."""
    asked: Mapped[dict[str, Any]]
    """crm.prospects.lists.narrowing.Narrowing.as_args()."""
    q: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]


class Tag(TownRow, Model):
    """A word the town sticks on people."""

    __tablename__ = "tag"
    __table_args__ = (UniqueConstraint("town_id", "name_fold"), refers("created_by_id", "account"))

    name: Mapped[str]
    name_fold: Mapped[str]
    """crm.names.fold(name): «Cần gọi lại» and «can goi lai» are one tag."""
    created_at: Mapped[datetime]
    created_by_id: Mapped[UUID | None]


class PersonTag(Model):
    """A tag on a person: since when, by whom, and through which act on many."""

    __tablename__ = "person_tag"
    __table_args__ = (
        refers("tag_id", "tag"),
        refers("prospect_id", "prospect"),
        refers("by_id", "account"),
        refers("act_id", "bulk_act"),
        Index(None, "town_id", "prospect_id"),
    )

    town_id: Mapped[UUID] = mapped_column(ForeignKey("town.id"), primary_key=True)
    tag_id: Mapped[UUID] = mapped_column(primary_key=True)
    prospect_id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    by_id: Mapped[UUID | None]
    act_id: Mapped[UUID | None]


class BulkAct(TownRow, Model):
    """One act on many people. Its people were fixed when it was asked for; a day long it can be undone."""

    __tablename__ = "bulk_act"
    __table_args__ = (
        refers("by_id", "account"),
        refers("undone_by_id", "account"),
        Index(None, "town_id", "by_id", "at"),
        Index("ix_bulk_act_at_work", "heartbeat_at", postgresql_where=text("state in ('waiting','working','undoing')")),
    )

    kind: Mapped[str]
    """The key of a crm.prospects.lists.bulk.Kind."""
    detail: Mapped[dict[str, Any]]
    """To whom, to which stage, which tag: in that kind's own words, with names as they were."""
    asked: Mapped[dict[str, Any] | None]
    """What the list was narrowed to, when all of it was meant."""
    q: Mapped[str] = mapped_column(default="")
    reason: Mapped[str | None]
    by_id: Mapped[UUID]
    at: Mapped[datetime]
    state: Mapped[ActState] = mapped_column(default=ActState.WAITING)
    people: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    """People looked at so far, by the act or by its undoing."""
    heartbeat_at: Mapped[datetime | None]
    problem: Mapped[str | None]
    undone_at: Mapped[datetime | None]
    undone_by_id: Mapped[UUID | None]


class BulkActPerson(Model):
    """A person of an act on many: what became of them, and when."""

    __tablename__ = "bulk_act_person"
    __table_args__ = (
        refers("act_id", "bulk_act"),
        refers("prospect_id", "prospect"),
        Index(None, "town_id", "act_id", "outcome", "prospect_id"),
    )

    town_id: Mapped[UUID] = mapped_column(ForeignKey("town.id"), primary_key=True)
    act_id: Mapped[UUID] = mapped_column(primary_key=True)
    prospect_id: Mapped[UUID] = mapped_column(primary_key=True)
    outcome: Mapped[Outcome] = mapped_column(choice(Outcome, "outcome"), default=Outcome.WAITING)
    why: Mapped[Why | None] = mapped_column(choice(Why, "why"))
    at: Mapped[datetime | None]
    before: Mapped[dict[str, Any] | None]
    """What undoing puts back, in the kind's own words."""


class PeopleExport(TownRow, Model):
    """A file of people: who asked for it, of which list, with which columns; kept for a day, the record for good."""

    __tablename__ = "people_export"
    __table_args__ = (
        refers("by_id", "account"),
        Index(None, "town_id", "at", "id"),
        Index("ix_people_export_at_work", "heartbeat_at", postgresql_where=text("state in ('waiting','working')")),
    )

    by_id: Mapped[UUID]
    at: Mapped[datetime]
    asked: Mapped[dict[str, Any]]
    q: Mapped[str] = mapped_column(default="")
    words: Mapped[str]
    """What was asked, in words, with the names of that day."""
    columns: Mapped[list[str]]
    full_numbers: Mapped[bool] = mapped_column(default=False)
    """Identity numbers whole; each is kept as a reading."""
    language: Mapped[str]
    state: Mapped[ExportState] = mapped_column(default=ExportState.WAITING)
    total: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    people: Mapped[int | None]
    """How many the finished file holds."""
    tries: Mapped[int] = mapped_column(default=0)
    heartbeat_at: Mapped[datetime | None]
    problem: Mapped[str | None]
    content: Mapped[bytes | None] = mapped_column(deferred=True)
    """The file, sealed; dropped when it expires."""
    expires_at: Mapped[datetime | None]
    fetched_at: Mapped[datetime | None]
