"""A check of a campaign: its audience person by person, and a second person's answer to it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.campaigns.preflight.rules.states import Answer, CheckState
from crm.campaigns.rules.reasons import Reason
from crm.db import Model, TownRow, refers


class CampaignCheck(TownRow, Model):
    """The audience of a campaign as it was at one moment. A launch takes exactly this one."""

    __tablename__ = "campaign_check"
    __table_args__ = (
        refers("campaign_id", "campaign"),
        refers("asked_by_id", "account"),
        Index(None, "town_id", "campaign_id", "asked_at"),
        Index(
            "uq_campaign_check_at_work",
            "town_id",
            "campaign_id",
            unique=True,
            postgresql_where=text("state in ('waiting', 'working')"),
        ),
    )

    campaign_id: Mapped[UUID]
    content: Mapped[str]
    """The campaign's content when it was asked for: another content makes it worthless."""
    state: Mapped[CheckState] = mapped_column(default=CheckState.WAITING)
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    asked_at: Mapped[datetime]
    asked_by_id: Mapped[UUID]
    made_at: Mapped[datetime | None] = mapped_column(default=None)
    heartbeat_at: Mapped[datetime | None] = mapped_column(default=None)
    problem: Mapped[str | None] = mapped_column(default=None)
    messages: Mapped[int] = mapped_column(default=0)
    cost: Mapped[int] = mapped_column(default=0)
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """The sums (crm.campaigns.preflight.rules.sums)."""


class CheckPerson(Model):
    """One person of a check: the message as it would go out, or why there is none. Removed when it is launched: the
    messages are there then."""

    __tablename__ = "campaign_check_person"
    __table_args__ = (
        refers("check_id", "campaign_check"),
        Index("ix_campaign_check_person_reason", "town_id", "check_id", "reason", "position"),
    )

    town_id: Mapped[UUID] = mapped_column(ForeignKey("town.id"), primary_key=True)
    check_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[UUID]
    phone: Mapped[str | None]
    body: Mapped[str]
    encoding: Mapped[str | None]
    segments: Mapped[int]
    other_segments: Mapped[int]
    """What the same text costs the other way: with accents, or without."""
    reason: Mapped[Reason | None]
    """Why there is no message."""
    warnings: Mapped[list[str]]
    """What to look at before it goes out; of whom a word is missing, the places without one."""


class CampaignApproval(TownRow, Model):
    """A second person is asked for a yes to exactly this content and this audience."""

    __tablename__ = "campaign_approval"
    __table_args__ = (
        refers("campaign_id", "campaign"),
        refers("check_id", "campaign_check"),
        refers("asked_by_id", "account"),
        refers("decided_by_id", "account"),
        Index(
            "uq_campaign_approval_waits",
            "town_id",
            "campaign_id",
            unique=True,
            postgresql_where=text("answer is null"),
        ),
        Index(None, "town_id", "asked_at", "id"),
        CheckConstraint("(answer is null) = (decided_at is null)", name="decided"),
        CheckConstraint(
            "answer not in ('approved', 'refused') or (decided_by_id is not null and decided_by_id <> asked_by_id)",
            name="second",
        ),
    )

    campaign_id: Mapped[UUID]
    check_id: Mapped[UUID]
    content: Mapped[str]
    messages: Mapped[int]
    cost: Mapped[int]
    asked_by_id: Mapped[UUID]
    asked_at: Mapped[datetime]
    words: Mapped[str | None]
    answer: Mapped[Answer | None] = mapped_column(default=None)
    decided_by_id: Mapped[UUID | None] = mapped_column(default=None)
    decided_at: Mapped[datetime | None] = mapped_column(default=None)
    answer_words: Mapped[str | None] = mapped_column(default=None)
