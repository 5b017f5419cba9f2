"""Answers kept so that a repeated request gets the same one."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from crm.db import Model, TownRow


class IdempotentAnswer(TownRow, Model):
    """The answer to a POST that carried an Idempotency-Key."""

    __tablename__ = "idempotent_answer"
    __table_args__ = (UniqueConstraint("town_id", "user_id", "key"), Index(None, "made_at"))

    user_id: Mapped[UUID]
    key: Mapped[str]
    request_digest: Mapped[bytes]
    status: Mapped[int]
    body: Mapped[dict[str, Any]]
    made_at: Mapped[datetime]
