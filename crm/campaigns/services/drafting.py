"""A campaign before it is launched: made in steps, left and taken up again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from crm.campaigns.models import Campaign
from crm.campaigns.preflight.models import CampaignApproval
from crm.campaigns.preflight.rules.states import Answer
from crm.campaigns.rules.places import PLACES, check_places
from crm.campaigns.rules.stages import Content, Stage
from crm.campaigns.rules.texts import LONGEST, size
from crm.errors import Conflict, RuleBroken

CHANGEABLE = frozenset(
    {
        *("name", "purpose", "segment", "text", "accented", "template_version_id", "scheduled_for", "last_day"),
        *("budget", "control_percent", "follow_days"),
    }
)


def draft_campaign(session: Session, town_id: UUID, content: Content, *, by_id: UUID, at: datetime) -> Campaign:
    """A new campaign, not yet launched. Raises RuleBroken when the text names a place that no person can fill."""
    check_text(content.text)
    campaign = Campaign(
        town_id=town_id,
        name=content.name,
        text=content.text,
        purpose=content.purpose,
        segment=content.segment,
        accented=content.accented,
        stage=Stage.DRAFT,
        created_by_id=by_id,
        created_at=at,
    )
    session.add(campaign)
    session.flush()
    session.refresh(campaign)
    return campaign


def check_text(text: str, known: Iterable[str] = PLACES) -> None:
    """Raises RuleBroken for a text that names an unknown place or is longer than a carrier takes."""
    check_places(text, known)
    if size(text).characters > LONGEST:
        raise RuleBroken(_l("The text is too long."), field="text")


def change(
    session: Session, campaign: Campaign, values: Mapping[str, Any], *, version: int | None, at: datetime
) -> None:
    """Change a draft; what somebody said yes to is void then.

    `version` is what the person looked at (None: whatever there is). Raises Conflict when somebody else changed it
    meanwhile or it was launched, RuleBroken for a text that cannot be."""
    lock_draft(session, campaign)
    if version is not None and version != campaign.version:
        raise Conflict(
            _l("Somebody else changed this campaign meanwhile. Look at it as it is now, then change it."), code="stale"
        )
    if unknown := set(values) - CHANGEABLE:
        raise ValueError(f"a campaign's {', '.join(sorted(unknown))} are not changed by hand")
    if "text" in values:
        check_text(values["text"])
    changed = {name: value for name, value in values.items() if getattr(campaign, name) != value}
    if not changed:
        return
    for name, value in changed.items():
        setattr(campaign, name, value)
    campaign.version += 1
    session.flush()
    session.refresh(campaign)
    void_approvals(session, campaign, at)


def void_approvals(session: Session, campaign: Campaign, at: datetime) -> None:
    """What was asked of a second person, or said, does not hold for what the campaign is now."""
    holding = (CampaignApproval.answer.is_(None)) | (CampaignApproval.answer == Answer.APPROVED)
    session.execute(
        update(CampaignApproval)
        .where(CampaignApproval.town_id == campaign.town_id, CampaignApproval.campaign_id == campaign.id, holding)
        .values(answer=Answer.VOID, decided_at=at)
    )


def lock_draft(session: Session, campaign: Campaign) -> None:
    """Raises Conflict unless it is a draft still."""
    lock(session, campaign)
    if campaign.stage is not Stage.DRAFT:
        raise Conflict(_l("This campaign was launched. It cannot be changed any more."), code="launched")


def lock(session: Session, campaign: Campaign) -> None:
    """Two people pressing a button at once: the second sees what the first did."""
    query = select(Campaign).where(Campaign.town_id == campaign.town_id, Campaign.id == campaign.id)
    session.scalar(query.with_for_update().execution_options(populate_existing=True))
