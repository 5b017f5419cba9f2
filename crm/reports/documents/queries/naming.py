"""What a town is called on paper."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from crm.places.models import Town
from crm.places.queries import town_in_full
from crm.reports.documents.rules import called


def town_called(session: Session, town_id: UUID, day: date) -> str:
    """The town as a paper of a day names it (rules.called)."""
    return called(session.get_one(Town, town_id).name, town_in_full(session, town_id), day)
