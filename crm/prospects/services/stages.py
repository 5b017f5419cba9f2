"""Steps from one stage to another."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.prospects.models import Prospect, StageChange
from crm.prospects.rules import (
    Stage,
)


def move_stage(
    session: Session, prospect: Prospect, to: Stage, *, at: datetime, by: User | None, because: UUID | None = None
) -> StageChange | None:
    """Somebody is at another stage from now on, because of a visit, a participation or an import; None when they were."""
    if prospect.stage is to:
        return None
    step = StageChange(
        town_id=prospect.town_id,
        prospect_id=prospect.id,
        from_stage=prospect.stage,
        to_stage=to,
        at=at,
        by_id=by.id if by else None,
        because_id=because,
    )
    prospect.stage, prospect.updated_at = to, at
    session.add(step)
    session.flush()
    return step
