"""Which ways out a town has, the files it handed over, and the results that came back.

The database keeps it honest (migrations): what a file held never changes once it is out, and its number, like its
content, is there once.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, deferred, mapped_column

from crm.campaigns.files.rules import USUAL_COLUMNS, FileState, NumberForm, ResultState
from crm.campaigns.rules.ways import Way
from crm.db import Model, TownRow, refers
from crm.prospects.rules import Purpose


class SmsWays(TownRow, Model):
    """Which ways out a town has, which of them service messages go, and how its gateway wants a file."""

    __tablename__ = "sms_ways"
    __table_args__ = (
        UniqueConstraint("town_id"),
        CheckConstraint(
            "(twilio or service_way <> 'twilio') and (brandname or service_way <> 'brandname')", name="a_way_it_has"
        ),
    )

    twilio: Mapped[bool] = mapped_column(default=True)
    brandname: Mapped[bool] = mapped_column(default=True)
    service_way: Mapped[Way] = mapped_column(default=Way.TWILIO)
    number_form: Mapped[NumberForm] = mapped_column(default=NumberForm.EIGHTY_FOUR)
    columns: Mapped[dict[str, Any]] = mapped_column(default=lambda: dict(USUAL_COLUMNS))
    """What a column holds → its heading; the order of the columns is that of Holds."""
    service_sender: Mapped[str | None]
    promotion_sender: Mapped[str | None]
    by_night: Mapped[bool] = mapped_column(default=False)
    """Each working morning, as soon as messages may leave, files are made of what waits."""


class SmsFile(TownRow, Model):
    """Messages that were handed over together: what the file held, and whether it was uploaded."""

    __tablename__ = "sms_file"
    __table_args__ = (
        refers("asked_by_id", "account"),
        refers("taken_back_by_id", "account"),
        UniqueConstraint("town_id", "number"),
        UniqueConstraint("town_id", "digest"),
        Index("uq_sms_file_making", "town_id", "purpose", unique=True, postgresql_where=text("state = 'making'")),
        CheckConstraint("(state in ('making', 'empty')) = (number is null)", name="number"),
        CheckConstraint("(number is null) = (digest is null) and (number is null) = (content is null)", name="content"),
        CheckConstraint(
            "(state = 'not_uploaded') = (taken_back_at is not null) and (taken_back_at is null) = (taken_back_why is null)",
            name="taken_back",
        ),
    )

    purpose: Mapped[Purpose]
    state: Mapped[FileState] = mapped_column(default=FileState.MAKING)
    asked_at: Mapped[datetime]
    asked_by_id: Mapped[UUID | None]
    """None: made by itself in the morning."""
    number: Mapped[int | None]
    made_at: Mapped[datetime | None]
    messages: Mapped[int] = mapped_column(default=0)
    segments: Mapped[int] = mapped_column(default=0)
    digest: Mapped[bytes | None]
    content: Mapped[bytes | None] = deferred(mapped_column())
    downloaded_at: Mapped[datetime | None]
    taken_back_at: Mapped[datetime | None]
    taken_back_by_id: Mapped[UUID | None]
    taken_back_why: Mapped[str | None]


class SmsResults(TownRow, Model):
    """A file of results as the gateway gave it, and how far it is loaded."""

    __tablename__ = "sms_results"
    __table_args__ = (
        refers("file_id", "sms_file"),
        refers("recorded_by_id", "account"),
        Index(None, "town_id", "state"),
        Index("uq_sms_results_digest", "town_id", "digest", unique=True, postgresql_where=text("state <> 'given_up'")),
    )

    file_id: Mapped[UUID | None]
    """The file it tells of, where somebody said so; then a number is enough to know a line by."""
    filename: Mapped[str]
    digest: Mapped[bytes]
    content: Mapped[bytes | None] = deferred(mapped_column())
    found: Mapped[dict[str, Any]]
    """The table: `sheet`, `header_row`, `headings`, `samples`; `columns` (letter → field), `words` (word → meaning)."""
    state: Mapped[ResultState]
    rows: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    settled: Mapped[int] = mapped_column(default=0)
    """Rows that told something new."""
    same: Mapped[int] = mapped_column(default=0)
    unknown: Mapped[int] = mapped_column(default=0)
    """Rows about no message of ours."""
    problems: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """`rows`: [row, what stood there] of those about nothing of ours, the first of them."""
    touched_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    recorded_by_id: Mapped[UUID | None]


class SmsResultsLayout(TownRow, Model):
    """How the columns and words of a gateway's results are to be understood: somebody looked at them once."""

    __tablename__ = "sms_results_layout"
    __table_args__ = (UniqueConstraint("town_id", "headings_key"),)

    headings_key: Mapped[str]
    columns: Mapped[dict[str, Any]]
    words: Mapped[dict[str, Any]]
    recorded_at: Mapped[datetime]
