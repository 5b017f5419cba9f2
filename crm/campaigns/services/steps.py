"""What happened to a campaign is written down, with what was waiting and what had left at that moment."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm.campaigns import queries
from crm.campaigns.models import Campaign, CampaignStep, Message
from crm.campaigns.rules.stages import Step
from crm.ids import new_id


def note(
    session: Session, campaign: Campaign, kind: Step, *, by_id: UUID | None, at: datetime, **facts: Any
) -> CampaignStep:
    """Keep a step; `facts` are plain values, such as the words of whoever did it."""
    counted = (
        select(
            func.count().filter(queries.WAITS),
            func.count().filter(queries.HAS_LEFT),
        )
        .where(Message.town_id == campaign.town_id, Message.campaign_id == campaign.id)
        .execution_options(autoflush=True)
    )
    waiting, left = session.execute(counted).one()
    step = CampaignStep(
        town_id=campaign.town_id,
        id=new_id(),
        campaign_id=campaign.id,
        kind=kind,
        at=at,
        by_id=by_id,
        facts={"waiting": waiting, "left": left, **facts},
    )
    session.add(step)
    session.flush()
    return step
