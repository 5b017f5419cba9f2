"""Do-not-call lists as they were handed in, with each of their numbers. What they refuse stands in `consent`."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, deferred, mapped_column

from crm.campaigns.numbers.rules import Found, ListState
from crm.db import Model, TownRow, refers


class DoNotCallList(TownRow, Model):
    """A file of numbers that want no messages. A number that stands on no later list has not agreed by that."""

    __tablename__ = "do_not_call_list"
    __table_args__ = (
        refers("recorded_by_id", "account"),
        refers("confirmed_by_id", "account"),
        UniqueConstraint("town_id", "digest"),
        Index(None, "town_id", "state"),
        Index(None, "town_id", "recorded_at", "id"),
    )

    name: Mapped[str]
    """Where it comes from, in the office's words."""
    filename: Mapped[str]
    digest: Mapped[bytes]
    content: Mapped[bytes | None] = deferred(mapped_column())
    """The file, until its numbers are read."""
    purposes: Mapped[list[str]]
    state: Mapped[ListState]
    trouble: Mapped[str | None]
    numbers: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    """Numbers that this list was the first to refuse for one of its purposes."""
    done: Mapped[int] = mapped_column(default=0)
    bad_rows: Mapped[int] = mapped_column(default=0)
    bad: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """`rows`: [row, what stands there, why] of the first rows that hold no mobile number."""
    touched_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    recorded_by_id: Mapped[UUID | None]
    confirmed_at: Mapped[datetime | None]
    confirmed_by_id: Mapped[UUID | None]


class DoNotCallNumber(TownRow, Model):
    """A number of a list, and what became of it."""

    __tablename__ = "do_not_call_number"
    __table_args__ = (
        refers("list_id", "do_not_call_list"),
        UniqueConstraint("town_id", "list_id", "phone"),
        Index(None, "town_id", "phone"),
        Index("ix_do_not_call_number_waiting", "town_id", "list_id", "id", postgresql_where=text("found is null")),
    )

    list_id: Mapped[UUID]
    phone: Mapped[str]
    row: Mapped[int]
    found: Mapped[Found | None]
