"""A second person looks at a campaign above the limit. Their yes launches it, for whoever asked, exactly as it was shown."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm.campaigns.models import Campaign
from crm.campaigns.preflight import checking
from crm.campaigns.preflight.models import CampaignApproval, CampaignCheck
from crm.campaigns.preflight.rules.states import Answer
from crm.campaigns.preflight.rules.sums import STOPPING, TROUBLES, Sums
from crm.campaigns.rules.stages import Stage, Step
from crm.campaigns.services import launching
from crm.campaigns.services.drafting import lock
from crm.campaigns.services.steps import note
from crm.errors import Conflict, RuleBroken
from crm.ids import new_id


def ask(session: Session, campaign: Campaign, *, words: str | None, by_id: UUID, at: datetime) -> CampaignApproval:
    """Ask a second person. Raises RuleBroken when it could not be launched anyway, Conflict when it waits already."""
    lock(session, campaign)
    if campaign.stage is not Stage.DRAFT:
        raise Conflict(_l("This campaign was launched already."), code="launched")
    check = checking.latest(session, campaign)
    if check is None or not checking.holds(check, campaign, at):
        raise RuleBroken(_l("Everybody has to be looked at again before this is launched."), code="check_again")
    found = checking.troubles(session, campaign, Sums.from_json(check.facts), at)
    if stopped := next((one for one in found if one in STOPPING), None):
        raise RuleBroken(TROUBLES[stopped], code=stopped.value)
    row = CampaignApproval(
        town_id=campaign.town_id,
        id=new_id(),
        campaign_id=campaign.id,
        check_id=check.id,
        content=str(campaign.content),
        messages=check.messages,
        cost=check.cost,
        asked_by_id=by_id,
        asked_at=at,
        words=words,
    )
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError:
        raise Conflict(_l("A second person was asked already."), code="asked_already") from None
    note(session, campaign, Step.ASKED, by_id=by_id, at=at, words=words)
    return row


def approve(session: Session, approval: CampaignApproval, *, by_id: UUID, at: datetime) -> int:
    """Yes: it is launched for whoever asked; how many messages go out."""
    campaign = _open(session, approval, by_id)
    check = session.get_one(CampaignCheck, (approval.town_id, approval.check_id))
    approval.answer, approval.decided_by_id, approval.decided_at = Answer.APPROVED, by_id, at
    session.flush()
    note(session, campaign, Step.APPROVED, by_id=by_id, at=at)
    asked_by = approval.asked_by_id
    return launching.take(session, campaign, check, by_id=asked_by, at=at, approval=approval)


def refuse(session: Session, approval: CampaignApproval, *, words: str, by_id: UUID, at: datetime) -> None:
    """No, and why: it stays a draft."""
    campaign = _open(session, approval, by_id)
    approval.answer, approval.decided_by_id, approval.decided_at = Answer.REFUSED, by_id, at
    approval.answer_words = words
    session.flush()
    note(session, campaign, Step.REFUSED, by_id=by_id, at=at, words=words)


def _open(session: Session, approval: CampaignApproval, by_id: UUID) -> Campaign:
    campaign = session.get_one(Campaign, (approval.town_id, approval.campaign_id))
    lock(session, campaign)
    session.refresh(approval)
    if approval.answer is not None or approval.content != campaign.content:
        raise Conflict(_l("This was decided, or changed, meanwhile. Look at it again."), code="decided")
    if by_id == approval.asked_by_id:
        raise RuleBroken(_l("You asked for it: somebody else has to approve it."), code="same_person")
    return campaign


def waiting_for(session: Session, campaign: Campaign) -> CampaignApproval | None:
    """What a second person is asked about this campaign, if anything."""
    return session.scalar(
        select(CampaignApproval).where(
            CampaignApproval.town_id == campaign.town_id,
            CampaignApproval.campaign_id == campaign.id,
            CampaignApproval.answer.is_(None),
        )
    )
