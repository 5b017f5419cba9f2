"""What every act on a household begins and ends with: it is held, and noted down."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.services import note_change
from crm.prospects.models import Household, Prospect


def hold(session: Session, household: Household) -> None:
    """Nobody else changes this household until the act is done."""
    session.flush()
    session.refresh(household, with_for_update=True)


def note(
    session: Session, row: Household | Prospect, act: str, by: User, at: datetime, after: Mapping[str, object]
) -> None:
    """Keep it, to be written with the other rows of the act: many households are renewed in one."""
    note_change(
        session,
        town_id=row.town_id,
        user_id=by.id,
        act=act,
        subject=row.__tablename__,
        subject_id=row.id,
        at=at,
        after=after,
    )
