"""Referrals, and the lists in which they went to the insurance office."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Model, TownRow, choice, refers
from crm.participation.referrals.rules import Answer, State
from crm.prospects.rules import Stage


class ReferralList(TownRow, Model):
    """A numbered list that was sent to the insurance office on a day."""

    __tablename__ = "referral_list"
    __table_args__ = (
        refers("by_id", "account"),
        UniqueConstraint("town_id", "year", "number"),
        CheckConstraint("number > 0", name="number"),
    )

    year: Mapped[int]
    number: Mapped[int]
    sent_on: Mapped[date]
    at: Mapped[datetime]
    by_id: Mapped[UUID | None]


class Referral(TownRow, Model):
    """Somebody who belongs in compulsory insurance, from being noticed to the office's answer. One open for a person."""

    __tablename__ = "referral"
    __table_args__ = (
        refers("prospect_id", "prospect"),
        refers("list_id", "referral_list"),
        refers("referred_by_id", "account"),
        refers("answered_by_id", "account"),
        Index(
            "uq_referral_open",
            "town_id",
            "prospect_id",
            unique=True,
            postgresql_where=text("state in ('to_send', 'sent')"),
        ),
        Index(None, "town_id", "state", "referred_at", "id"),
        Index(None, "town_id", "prospect_id"),
        CheckConstraint("(state = 'answered') = (answer is not null)", name="answered"),
        CheckConstraint("state <> 'sent' or list_id is not null", name="sent_in_a_list"),
        CheckConstraint("char_length(note) <= 500", name="note"),
    )

    prospect_id: Mapped[UUID]
    why: Mapped[list[str]]
    """Codes of crm.participation.screening.rules.SENTENCES."""
    since: Mapped[date | None]
    """Since when the law says so."""
    state: Mapped[State] = mapped_column(choice(State, "referral_state"), default=State.TO_SEND)
    stage_was: Mapped[Stage] = mapped_column(choice(Stage, "stage_was"))
    """Where the person stood, so that an answer can lead back."""
    referred_at: Mapped[datetime]
    referred_by_id: Mapped[UUID | None]
    list_id: Mapped[UUID | None] = mapped_column(default=None)
    answer: Mapped[Answer | None] = mapped_column(choice(Answer, "referral_answer"), default=None)
    answered_at: Mapped[datetime | None] = mapped_column(default=None)
    answered_by_id: Mapped[UUID | None] = mapped_column(default=None)
    note: Mapped[str | None] = mapped_column(default=None)
