"""Proposals to amend policy with every wording and answer, and the documents in which they were sent upward.

Wordings and answers are append-only; of a document that was sent nothing changes any more (the migration, crm/privileges.py).
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Model, TownRow, refers
from crm.reports.amendments.rules import State, Subject


class Amendment(TownRow, Model):
    """One proposal. `id` is made by the page it was written on: sent twice it is one row."""

    __tablename__ = "amendment"
    __table_args__ = (
        refers("place_id", "place"),
        refers("organisation_id", "organisation"),
        refers("written_by_id", "account"),
        refers("joined_to_id", "amendment"),
        refers("letter_id", "amendment_letter"),
        Index(None, "town_id", "written_at", "id"),
        Index(None, "town_id", "joined_to_id"),
        Index(None, "town_id", "letter_id"),
        CheckConstraint("(state = 'joined') = (joined_to_id is not null)", name="joined"),
        CheckConstraint("joined_to_id <> id", name="not_itself"),
        CheckConstraint("state <> 'sent' or letter_id is not null", name="sent"),
        CheckConstraint("(state = 'answered') = (answers > 0)", name="answered"),
        CheckConstraint("state not in ('joined', 'withdrawn') or letter_id is null", name="apart"),
        CheckConstraint("wordings > 0", name="wordings"),
    )

    subject: Mapped[Subject]
    place_id: Mapped[UUID]
    """The ward or commune it comes from."""
    organisation_id: Mapped[UUID | None]
    written_at: Mapped[datetime]
    written_by_id: Mapped[UUID]
    state: Mapped[State] = mapped_column(default=State.RECEIVED)
    wordings: Mapped[int] = mapped_column(default=1)
    """The number of the wording that stands."""
    fold: Mapped[str]
    """That wording in plain letters, by which similar ones are found."""
    answers: Mapped[int] = mapped_column(default=0)
    joined_to_id: Mapped[UUID | None] = mapped_column(default=None)
    letter_id: Mapped[UUID | None] = mapped_column(default=None)
    """The document it stands in, or, while that is a draft, will stand in."""


class AmendmentWording(TownRow, Model):
    """A wording: the first is the writer's own, later ones the office's. Append-only."""

    __tablename__ = "amendment_wording"
    __table_args__ = (
        refers("amendment_id", "amendment"),
        refers("by_id", "account"),
        UniqueConstraint("town_id", "amendment_id", "number"),
        CheckConstraint("number > 0", name="number"),
        CheckConstraint("char_length(law) <= 1500", name="law"),
        CheckConstraint("char_length(happens) between 1 and 1500", name="happens"),
        CheckConstraint("char_length(change) between 1 and 1500", name="change"),
    )

    amendment_id: Mapped[UUID]
    number: Mapped[int]
    law: Mapped[str]
    happens: Mapped[str]
    change: Mapped[str]
    at: Mapped[datetime]
    by_id: Mapped[UUID]


class AmendmentAnswer(TownRow, Model):
    """What was answered, by whom and when. Append-only."""

    __tablename__ = "amendment_answer"
    __table_args__ = (
        refers("amendment_id", "amendment"),
        refers("noted_by_id", "account"),
        UniqueConstraint("town_id", "amendment_id", "number"),
        CheckConstraint("number > 0", name="number"),
        CheckConstraint("char_length(words) between 1 and 3000", name="words"),
        CheckConstraint("char_length(answered_by) between 1 and 200", name="answered_by"),
    )

    amendment_id: Mapped[UUID]
    number: Mapped[int]
    answered_by: Mapped[str]
    words: Mapped[str]
    document: Mapped[str | None]
    on_day: Mapped[date]
    noted_at: Mapped[datetime]
    noted_by_id: Mapped[UUID]


class AmendmentLetter(TownRow, Model):
    """A document with chosen proposals: a draft, then sent for good."""

    __tablename__ = "amendment_letter"
    __table_args__ = (
        refers("opened_by_id", "account"),
        refers("sent_by_id", "account"),
        Index(None, "town_id", "opened_at", "id"),
        Index(
            "uq_amendment_letter_number",
            *("town_id", "year", "symbol", "number"),
            unique=True,
        ),
        CheckConstraint(
            "num_nonnulls(sent_on, sent_by_id, sent_at, content, digest, number, year, facts) in (0, 8)", name="sent"
        ),
        CheckConstraint("number between 1 and 9999", name="number"),
        CheckConstraint("digest ~ '^[0-9a-f]{64}$'", name="digest"),
        CheckConstraint("char_length(to_whom) between 1 and 200", name="to_whom"),
    )

    to_whom: Mapped[str]
    symbol: Mapped[str]
    head: Mapped[dict[str, Any]]
    """A crm.reports.documents.rules.Head."""
    opened_at: Mapped[datetime]
    opened_by_id: Mapped[UUID]
    number: Mapped[int | None] = mapped_column(default=None)
    year: Mapped[int | None] = mapped_column(default=None)
    """Of `sent_on`: papers are numbered within it."""
    sent_on: Mapped[date | None] = mapped_column(default=None)
    sent_at: Mapped[datetime | None] = mapped_column(default=None)
    sent_by_id: Mapped[UUID | None] = mapped_column(default=None)
    facts: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    """What stood in it when it was sent (crm/reports/amendments/paper.py told_of)."""
    content: Mapped[bytes | None] = mapped_column(LargeBinary, default=None, deferred=True)
    """The Word file as it was sent."""
    digest: Mapped[str | None] = mapped_column(default=None)
    """SHA-256 of what it says."""

    @property
    def label(self) -> str:
        """«12/MTTQ-BTT», or nothing while it is a draft."""
        return f"{self.number:02}/{self.symbol}" if self.number else ""
