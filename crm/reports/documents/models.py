"""Frozen figures, the reports made from them with every wording, the files that were signed, and offices' templates.

Figures, wordings, files, templates and letterheads are append-only; of a signed report nothing changes but that it was
sent or withdrawn (migrations, crm/privileges.py).
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Model, TownRow, refers
from crm.reports.documents.rules import OFFICIAL, Form, Head, State

ONE_OF = f"kind in ({', '.join(repr(kind.value) for kind in OFFICIAL)})"


class ReportSnapshot(TownRow, Model):
    """The figures of a period as they were counted. Append-only; a report is made again from here."""

    __tablename__ = "report_snapshot"
    __table_args__ = (
        refers("place_id", "place"),
        refers("taken_by_id", "account"),
        UniqueConstraint("town_id", "year", "serial"),
        ForeignKeyConstraint(
            ["town_id", "year", "follows"],
            ["report_snapshot.town_id", "report_snapshot.year", "report_snapshot.serial"],
            name="fk_report_snapshot_follows",
        ),
        Index(None, "town_id", "kind", "period", "place_id"),
        CheckConstraint("serial > 0", name="serial"),
        CheckConstraint("follows is not distinct from nullif(serial - 1, 0)", name="unbroken"),
        CheckConstraint("since <= as_of", name="dates"),
        CheckConstraint(ONE_OF, name="kind"),
        CheckConstraint("digest ~ '^[0-9a-f]{64}$'", name="digest"),
    )

    year: Mapped[int]
    """Of `taken_at`: snapshots are numbered within it, without a gap."""
    serial: Mapped[int]
    follows: Mapped[int | None]
    kind: Mapped[str]
    """A crm.reports.periods.ReportKind that is official."""
    period: Mapped[str]
    """2019-09, 2019-H1 or 2019."""
    place_id: Mapped[UUID | None]
    """None: the whole town."""
    since: Mapped[date]
    as_of: Mapped[date]
    drawn_on: Mapped[date]
    """The day whose wards and communes the rows are."""
    facts: Mapped[dict[str, Any]]
    """Every table and figure, in plain values (crm/reports/documents/figures.py)."""
    digest: Mapped[str]
    """SHA-256 of the figures (rules.digest_of)."""
    taken_at: Mapped[datetime]
    taken_by_id: Mapped[UUID | None]
    """None: the `crm report` command."""

    @property
    def label(self) -> str:
        """As it is printed: 12/2019."""
        return f"{self.serial}/{self.year}"


class Report(TownRow, Model):
    """An official report of a period: one that is not withdrawn for each period and place."""

    __tablename__ = "report"
    __table_args__ = (
        refers("place_id", "place"),
        refers("snapshot_id", "report_snapshot"),
        refers("template_id", "report_template"),
        refers("opened_by_id", "account"),
        refers("counted_for_id", "account"),
        refers("signed_by_id", "account"),
        refers("sent_by_id", "account"),
        refers("withdrawn_by_id", "account"),
        Index(
            "uq_report_standing",
            "town_id",
            "kind",
            "period",
            "place_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("state <> 'withdrawn'"),
        ),
        UniqueConstraint("town_id", "year", "symbol", "number"),
        Index(None, "town_id", "opened_at", "id"),
        Index("ix_report_counting", "heartbeat_at", postgresql_where=text("state = 'counting'")),
        CheckConstraint(ONE_OF, name="kind"),
        CheckConstraint("state in ('counting', 'withdrawn') or snapshot_id is not null", name="counted"),
        CheckConstraint("state not in ('signed', 'sent') or signed_at is not null", name="signed"),
        CheckConstraint(
            "(signed_at is null) = (number is null) and (signed_at is null) = (signed_on is null)"
            " and (signed_at is null) = (signed_by_id is null) and (signed_at is null) = (year is null)"
            " and (signed_at is null) = (symbol is null)",
            name="signed_whole",
        ),
        CheckConstraint("extract(year from signed_on) = year", name="year"),
        CheckConstraint("number > 0", name="number"),
        CheckConstraint("state <> 'sent' or (sent_on is not null and sent_at is not null)", name="sent"),
        CheckConstraint("(state = 'withdrawn') = (withdrawn_at is not null)", name="withdrawn"),
        CheckConstraint("withdrawn_at is null or char_length(withdrawn_why) between 1 and 500", name="withdrawn_why"),
    )

    kind: Mapped[str]
    """A crm.reports.periods.ReportKind that is official."""
    period: Mapped[str]
    place_id: Mapped[UUID | None]
    drawn_on: Mapped[date | None]
    """Boundaries somebody chose; None: those of the last day."""
    state: Mapped[State] = mapped_column(default=State.COUNTING)
    snapshot_id: Mapped[UUID | None]
    wording: Mapped[int] = mapped_column(default=0)
    """The version of its text that holds."""
    head: Mapped[dict[str, Any]]
    """rules.Head: taken over from the letterhead of the day while it is a draft."""
    template_id: Mapped[UUID | None]
    """The office's template it was signed with; None: the one shipped."""
    opened_at: Mapped[datetime]
    opened_by_id: Mapped[UUID]
    counted_for_id: Mapped[UUID]
    """Who had it counted last."""
    parts: Mapped[int] = mapped_column(default=0)
    """How many parts of the figures are counted."""
    heartbeat_at: Mapped[datetime]
    year: Mapped[int | None]
    symbol: Mapped[str | None]
    number: Mapped[int | None]
    signed_on: Mapped[date | None]
    """The date on the paper."""
    signed_at: Mapped[datetime | None]
    signed_by_id: Mapped[UUID | None]
    sent_on: Mapped[date | None]
    sent_way: Mapped[str | None]
    sent_at: Mapped[datetime | None]
    sent_by_id: Mapped[UUID | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by_id: Mapped[UUID | None]
    withdrawn_why: Mapped[str | None]

    @property
    def issued_by(self) -> Head:
        return Head.from_json(self.head)


class ReportText(TownRow, Model):
    """One wording of a report: the sections as somebody left them. Append-only."""

    __tablename__ = "report_text"
    __table_args__ = (
        refers("report_id", "report"),
        refers("written_by_id", "account"),
        UniqueConstraint("town_id", "report_id", "version"),
        CheckConstraint("version > 0", name="version"),
    )

    report_id: Mapped[UUID]
    version: Mapped[int]
    sections: Mapped[dict[str, Any]]
    """By rules.Section, its paragraphs, one a line."""
    written_at: Mapped[datetime]
    written_by_id: Mapped[UUID | None]
    """None: the program, from the figures."""


class ReportFile(TownRow, Model):
    """A file of a report as it was signed. Append-only."""

    __tablename__ = "report_file"
    __table_args__ = (refers("report_id", "report"), UniqueConstraint("town_id", "report_id", "form"))

    report_id: Mapped[UUID]
    form: Mapped[Form]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[str]


class ReportTemplate(TownRow, Model):
    """A Word template of the town's or a ward's office; the last row holds. Append-only."""

    __tablename__ = "report_template"
    __table_args__ = (
        refers("place_id", "place"),
        refers("added_by_id", "account"),
        UniqueConstraint("town_id", "place_id", "version", postgresql_nulls_not_distinct=True),
        CheckConstraint("version > 0", name="version"),
        CheckConstraint("(content is null) = (name is null)", name="named"),
    )

    place_id: Mapped[UUID | None]
    """None: of the town's office."""
    version: Mapped[int]
    name: Mapped[str | None]
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    """None: back to the one shipped."""
    added_at: Mapped[datetime]
    added_by_id: Mapped[UUID]


class ReportLetterhead(TownRow, Model):
    """What stands on papers of an office from a day on; the last one recorded of the latest day holds. Append-only."""

    __tablename__ = "report_letterhead"
    __table_args__ = (
        refers("place_id", "place"),
        refers("recorded_by_id", "account"),
        Index(None, "town_id", "place_id", "valid_from"),
    )

    place_id: Mapped[UUID | None]
    valid_from: Mapped[date]
    head: Mapped[dict[str, Any]]
    recorded_at: Mapped[datetime]
    recorded_by_id: Mapped[UUID]
