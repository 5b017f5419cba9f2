"""Merges, where every row of a merged person came from, and pairs that may be one person."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Model, SealedText, TownRow, refers
from crm.prospects.merging.rules import Answer, Source


class Merge(TownRow, Model):
    """`gone` became part of `kept`: its rows moved there, and some of its particulars. Taken back: `undone_at`."""

    __tablename__ = "merge"
    __table_args__ = (
        refers("kept_id", "prospect"),
        refers("gone_id", "prospect"),
        refers("by_id", "account"),
        refers("undone_by_id", "account"),
        UniqueConstraint("number"),
        Index("uq_merge_in_force", "town_id", "gone_id", unique=True, postgresql_where=text("undone_at is null")),
        Index(None, "town_id", "kept_id"),
        CheckConstraint("kept_id <> gone_id", name="two_records"),
        CheckConstraint("(undone_at is null) or (undone_by_id is not null)", name="undone_by_somebody"),
    )

    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    """The order of merges, whatever the clock says; rows that were there before it have a smaller one."""
    kept_id: Mapped[UUID]
    gone_id: Mapped[UUID]
    at: Mapped[datetime]
    by_id: Mapped[UUID]
    taken: Mapped[list[str]]
    """The particulars that the kept record took from the other (rules.GROUPS)."""
    before: Mapped[str] = mapped_column(SealedText)
    """JSON of the kept record's columns without this merge; rewritten when an earlier merge is taken back."""
    after: Mapped[str] = mapped_column(SealedText)
    undone_at: Mapped[datetime | None]
    undone_by_id: Mapped[UUID | None]


class MergedRow(Model):
    """Whose a row of a merged person was. Written by the database's own functions only (migration 0005).

    No foreign keys: `table_name` says where the row is, and a row that was deleted since is simply not found.
    """

    __tablename__ = "merged_row"
    __table_args__ = (Index(None, "town_id", "origin_id"),)

    town_id: Mapped[UUID] = mapped_column(ForeignKey("town.id"), primary_key=True)
    table_name: Mapped[str] = mapped_column(primary_key=True)
    column_name: Mapped[str] = mapped_column(primary_key=True)
    row_key: Mapped[str] = mapped_column(primary_key=True)
    """JSON object of what names the row beside its town and its person; mostly its id."""
    origin_id: Mapped[UUID]
    since: Mapped[int] = mapped_column(BigInteger)
    """The number of the merge that met the row, or a later number for a row that came in under a merged id."""


class Suspect(TownRow, Model):
    """Two records that may be one person, and what somebody said about it.

    No foreign keys to the people: being suspected is nothing that belongs to somebody, and nothing follows from it.
    """

    __tablename__ = "suspect"
    __table_args__ = (
        refers("answered_by_id", "account"),
        UniqueConstraint("town_id", "one_id", "other_id"),
        Index(None, "town_id", "answer", "score"),
        Index(None, "town_id", "other_id"),
        CheckConstraint("one_id < other_id", name="order"),
        CheckConstraint("score between 0 and 100", name="score"),
    )

    one_id: Mapped[UUID]
    other_id: Mapped[UUID]
    score: Mapped[int]
    evidence: Mapped[list[str]]
    """Codes, the strongest first; sentences are made for the reader's language."""
    source: Mapped[Source]
    numbers: Mapped[bytes]
    """A digest of the numbers of both: who was found different is asked about again once a number changes."""
    found_at: Mapped[datetime]
    answer: Mapped[Answer] = mapped_column(default=Answer.OPEN)
    answered_at: Mapped[datetime | None]
    answered_by_id: Mapped[UUID | None]


Raw = dict[str, Any]
"""The columns of a record as the database writes them in JSON: lossless, sealed ones still sealed."""
