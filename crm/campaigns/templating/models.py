"""Templates, their versions (never changed: a message that went out keeps its text), and what the carrier said of each."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.campaigns.templating.rules import Registered
from crm.db import Model, TownRow, refers
from crm.prospects.rules import Purpose


class MessageTemplate(TownRow, Model):
    """A text that is used again, under a name for the office."""

    __tablename__ = "message_template"
    __table_args__ = (
        refers("made_by_id", "account"),
        refers("archived_by_id", "account"),
        Index(
            "uq_message_template_name",
            "town_id",
            "name_fold",
            unique=True,
            postgresql_where=text("archived_at is null"),
        ),
        CheckConstraint("(archived_at is null) = (archived_by_id is null)", name="archived"),
    )

    name: Mapped[str]
    name_fold: Mapped[str]
    purpose: Mapped[Purpose]
    number: Mapped[int] = mapped_column(default=1)
    """That of its latest version."""
    made_at: Mapped[datetime]
    made_by_id: Mapped[UUID | None]
    archived_at: Mapped[datetime | None] = mapped_column(default=None)
    archived_by_id: Mapped[UUID | None] = mapped_column(default=None)


class TemplateVersion(TownRow, Model):
    """A template's text from one change to the next; append-only."""

    __tablename__ = "template_version"
    __table_args__ = (
        refers("template_id", "message_template"),
        refers("made_by_id", "account"),
        UniqueConstraint("town_id", "template_id", "number"),
        CheckConstraint("text <> ''", name="text"),
    )

    template_id: Mapped[UUID]
    number: Mapped[int]
    text: Mapped[str]
    made_at: Mapped[datetime]
    made_by_id: Mapped[UUID | None]


class TemplateRegistration(TownRow, Model):
    """What became of registering a version with the carrier for one sender name; append-only, the latest counts."""

    __tablename__ = "template_registration"
    __table_args__ = (
        refers("version_id", "template_version"),
        refers("by_id", "account"),
        Index(None, "town_id", "version_id", "sender", "at", "id"),
        CheckConstraint("state <> 'draft'", name="told"),
    )

    version_id: Mapped[UUID]
    sender: Mapped[str]
    state: Mapped[Registered]
    number: Mapped[str | None]
    """The carrier's number of the registration."""
    words: Mapped[str | None]
    on: Mapped[date]
    at: Mapped[datetime]
    by_id: Mapped[UUID | None]
