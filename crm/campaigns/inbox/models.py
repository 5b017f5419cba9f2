"""One conversation for each number that wrote; what was done with it, and what the program answered by itself."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm.campaigns.inbox.rules import Talk, Turn
from crm.db import Model, TownRow, refers


class Conversation(TownRow, Model):
    """What one number wrote, and who looks after it. A household that shares the number shares it."""

    __tablename__ = "conversation"
    __table_args__ = (
        UniqueConstraint("town_id", "phone"),
        refers("latest_id", "message_inbound"),
        refers("assigned_to_id", "account"),
        Index(None, "town_id", "state", "latest_at", "id"),
        Index(None, "town_id", "assigned_to_id", "state"),
    )

    phone: Mapped[str]
    state: Mapped[Talk]
    latest_id: Mapped[UUID]
    latest_at: Mapped[datetime]
    assigned_to_id: Mapped[UUID | None]


class ConversationStep(TownRow, Model):
    """Who gave a conversation to whom, or said that it is done. Never changed."""

    __tablename__ = "conversation_step"
    __table_args__ = (
        refers("conversation_id", "conversation"),
        refers("to_id", "account"),
        refers("by_id", "account"),
        Index(None, "town_id", "conversation_id", "at"),
    )

    conversation_id: Mapped[UUID]
    turn: Mapped[Turn]
    to_id: Mapped[UUID | None]
    at: Mapped[datetime]
    by_id: Mapped[UUID | None]


class AutoAnswer(TownRow, Model):
    """What the program answered by itself: one a number and day at most, so that two machines never talk on. Never
    changed."""

    __tablename__ = "auto_answer"
    __table_args__ = (UniqueConstraint("town_id", "phone", "local_day"), refers("inbound_id", "message_inbound"))

    phone: Mapped[str]
    local_day: Mapped[date]
    inbound_id: Mapped[UUID]
    body: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]
