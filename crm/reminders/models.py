"""The rules a town edited or made, and who heard of which event by which message."""

from __future__ import annotations

from datetime import date, datetime, time
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm.campaigns.rules.hours import Hours
from crm.db import Model, TownRow, refers
from crm.reminders.rules import Event, Reminder, Stop


class ReminderRule(TownRow, Model):
    """A rule as the town wants it. A shipped rule has a row from its first change on; who changed what stands in the
    record of changes."""

    __tablename__ = "reminder_rule"
    __table_args__ = (
        refers("changed_by_id", "account"),
        refers("template_version_id", "template_version"),
        UniqueConstraint("town_id", "code"),
        CheckConstraint("latest between -100 and earliest and earliest <= 100", name="days"),
        CheckConstraint("opens >= '07:00' and closes <= '22:00' and opens < closes", name="within_legal_hours"),
        CheckConstraint("text !~ '^\\[(QC|AD)\\]'", name="no_promotion"),
    )

    code: Mapped[str]
    event: Mapped[Event]
    name: Mapped[str | None]
    """None: the shipped name, in the reader's language."""
    text: Mapped[str]
    template_version_id: Mapped[UUID | None] = mapped_column(default=None)
    """The template whose words these are; None: words of its own, which no carrier has approved."""
    earliest: Mapped[int]
    latest: Mapped[int]
    opens: Mapped[time]
    closes: Mapped[time]
    stop: Mapped[Stop]
    active: Mapped[bool]
    version: Mapped[int]
    changed_at: Mapped[datetime]
    changed_by_id: Mapped[UUID | None]

    def as_reminder(self, shipped: Reminder | None) -> Reminder:
        """The rule as it is computed with."""
        return Reminder(
            code=self.code,
            text=self.text,
            earliest=self.earliest,
            latest=self.latest,
            event=self.event,
            name=self.name or (shipped.name if shipped else self.code),
            hours=Hours(self.opens, self.closes),
            stop=self.stop,
            active=self.active,
            version=self.version,
            template_version_id=self.template_version_id,
        )


class ReminderTold(TownRow, Model):
    """Somebody (or, of an instalment, a promise) was told of an event by a message, alone or together with others of the
    same number; once."""

    __tablename__ = "reminder_told"
    __table_args__ = (
        refers("message_id", "message"),
        UniqueConstraint("town_id", "reminder", "subject_id", "event_on"),
        Index(None, "town_id", "message_id"),
    )

    reminder: Mapped[str]
    subject_id: Mapped[UUID]
    """The person or the promise; not a foreign key, for a merge must not lose it."""
    event_on: Mapped[date]
    message_id: Mapped[UUID]
