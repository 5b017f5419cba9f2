"""The rule of deadlines, the rounds made from it, what each unit owes, and every version of what came.

Rules, submissions, returns and corrections are append-only; in a closed round nothing changes any more, and only there a
figure is corrected (migrations).
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Model, TownRow, choice, refers
from crm.reports.rounds.rules import KINDS, Deadline, Figure, Own, State, from_json

ONE_OF = f"kind in ({', '.join(repr(kind.value) for kind in KINDS)})"


class ReportingRule(TownRow, Model):
    """Until when and by whom reports of a kind are owed, for periods that end on `valid_from` or later. Append-only: the
    last one recorded of the latest day holds."""

    __tablename__ = "reporting_rule"
    __table_args__ = (
        Index(None, "town_id", "kind", "valid_from"),
        CheckConstraint(ONE_OF, name="kind"),
        CheckConstraint("months_after between 0 and 3", name="months_after"),
        CheckConstraint("day between 1 and 31", name="day"),
        CheckConstraint("opens_before between 1 and 92", name="opens_before"),
    )

    kind: Mapped[str]
    valid_from: Mapped[date]
    months_after: Mapped[int]
    day: Mapped[int]
    opens_before: Mapped[int]
    """Days before the last one on which the round begins."""
    owed_by: Mapped[list[str]]
    """rules.Who; of nobody no round begins by itself."""
    source: Mapped[str]
    """What says so, in words."""
    recorded_at: Mapped[datetime]
    recorded_by_id: Mapped[UUID | None]
    """Without a key: the first rules are there before the first account, and accounts are never deleted."""

    @property
    def deadline(self) -> Deadline:
        return Deadline(self.months_after, self.day, self.opens_before)


class ReportingRound(TownRow, Model):
    """The reports of one period. Once it is closed it stays as it is."""

    __tablename__ = "reporting_round"
    __table_args__ = (
        refers("opened_by_id", "account"),
        refers("closed_by_id", "account"),
        UniqueConstraint("town_id", "kind", "period"),
        Index(None, "town_id", "due_on", "id"),
        CheckConstraint(ONE_OF, name="kind"),
        CheckConstraint("(closed_at is null) = (closed_by_id is null)", name="closed"),
    )

    kind: Mapped[str]
    period: Mapped[str]
    """2019-09, 2019-H1 or 2019."""
    due_on: Mapped[date]
    opened_at: Mapped[datetime]
    opened_by_id: Mapped[UUID | None]
    """None: the program, on the day of the rule."""
    closed_at: Mapped[datetime | None]
    closed_by_id: Mapped[UUID | None]


class ReportOwed(TownRow, Model):
    """What one unit owes in a round: one row for each, kept so by the database."""

    __tablename__ = "report_owed"
    __table_args__ = (
        refers("round_id", "reporting_round"),
        refers("place_id", "place"),
        refers("organisation_id", "organisation"),
        UniqueConstraint("town_id", "round_id", "place_id", "organisation_id", postgresql_nulls_not_distinct=True),
        Index(
            "ix_report_owed_open",
            "town_id",
            "place_id",
            "organisation_id",
            postgresql_where=text("state in ('waiting', 'returned')"),
        ),
        CheckConstraint("num_nonnulls(place_id, organisation_id) = 1", name="one_unit"),
        CheckConstraint("version >= 0", name="version"),
        CheckConstraint("(version = 0) = (came_at is null)", name="came"),
        CheckConstraint("state not in ('submitted', 'returned') or version > 0", name="sent"),
        CheckConstraint(
            "(state = 'excused') = (excused_why is not null) and char_length(excused_why) <= 500", name="excused"
        ),
    )

    round_id: Mapped[UUID]
    place_id: Mapped[UUID | None]
    organisation_id: Mapped[UUID | None]
    state: Mapped[State] = mapped_column(default=State.WAITING)
    version: Mapped[int] = mapped_column(default=0)
    """Of the submission that holds; 0: none has come."""
    came_at: Mapped[datetime | None]
    """When the first version came: what counts as in time or late."""
    excused_why: Mapped[str | None]


class ReportSubmission(TownRow, Model):
    """One version of a unit's report, with the program's figures as they were at that moment. Append-only."""

    __tablename__ = "report_submission"
    __table_args__ = (
        refers("owed_id", "report_owed"),
        refers("submitted_by_id", "account"),
        UniqueConstraint("town_id", "owed_id", "version"),
        ForeignKeyConstraint(
            ["town_id", "owed_id", "follows"],
            ["report_submission.town_id", "report_submission.owed_id", "report_submission.version"],
            name="fk_report_submission_follows",
        ),
        CheckConstraint("version > 0", name="version"),
        CheckConstraint("follows is not distinct from nullif(version - 1, 0)", name="unbroken"),
        CheckConstraint("digest ~ '^[0-9a-f]{64}$'", name="digest"),
        CheckConstraint("char_length(note) <= 2000", name="note"),
    )

    owed_id: Mapped[UUID]
    version: Mapped[int]
    follows: Mapped[int | None]
    known: Mapped[dict[str, Any]]
    """The program's figures (crm/reports/rounds/knowing.py) with the days they are of."""
    own: Mapped[dict[str, Any]]
    """By rules.Own: {number, source}."""
    note: Mapped[str | None]
    digest: Mapped[str]
    """SHA-256 of known, own and note together."""
    submitted_at: Mapped[datetime]
    submitted_by_id: Mapped[UUID]

    @property
    def figures(self) -> dict[Own, Figure]:
        return from_json(self.own)


class ReportReturn(TownRow, Model):
    """The office sent a version back, and why. Append-only, once for a version."""

    __tablename__ = "report_return"
    __table_args__ = (
        refers("returned_by_id", "account"),
        ForeignKeyConstraint(
            ["town_id", "owed_id", "version"],
            ["report_submission.town_id", "report_submission.owed_id", "report_submission.version"],
            name="fk_report_return_version",
        ),
        UniqueConstraint("town_id", "owed_id", "version"),
        CheckConstraint("char_length(why) between 1 and 500", name="why"),
    )

    owed_id: Mapped[UUID]
    version: Mapped[int]
    why: Mapped[str]
    returned_at: Mapped[datetime]
    returned_by_id: Mapped[UUID]


class ReportCorrection(TownRow, Model):
    """A unit's figure that was wrong in a closed round: what held until then, what it is, and why. Append-only, one after the
    other for each figure, and only once the round is closed."""

    __tablename__ = "report_correction"
    __table_args__ = (
        refers("owed_id", "report_owed"),
        refers("corrected_by_id", "account"),
        UniqueConstraint("town_id", "owed_id", "figure", "position"),
        ForeignKeyConstraint(
            ["town_id", "owed_id", "figure", "follows"],
            [f"report_correction.{column}" for column in ("town_id", "owed_id", "figure", "position")],
            name="fk_report_correction_follows",
        ),
        Index(None, "town_id", "corrected_at"),
        CheckConstraint("position > 0", name="position"),
        CheckConstraint("follows is not distinct from nullif(position - 1, 0)", name="unbroken"),
        CheckConstraint("number between 0 and 100000000", name="number"),
        CheckConstraint("number is distinct from was", name="another"),
        CheckConstraint("char_length(source) <= 200", name="source"),
        CheckConstraint("char_length(why) between 1 and 500", name="why"),
    )

    owed_id: Mapped[UUID]
    figure: Mapped[Own] = mapped_column(choice(Own, "figure"))
    position: Mapped[int]
    follows: Mapped[int | None]
    was: Mapped[int | None]
    """None: it had not been told."""
    number: Mapped[int]
    source: Mapped[str]
    why: Mapped[str]
    corrected_at: Mapped[datetime]
    corrected_by_id: Mapped[UUID]
