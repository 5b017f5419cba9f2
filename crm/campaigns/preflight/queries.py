"""The people of a check, filtered by what is wrong; what waits for a second person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.campaigns.models import Campaign
from crm.campaigns.preflight.models import CampaignApproval, CampaignCheck, CheckPerson
from crm.campaigns.preflight.rules.sums import Gets, Warned
from crm.campaigns.rules.reasons import Reason
from crm.errors import NotFound
from crm.prospects.models import Prospect
from crm.web.pager import Page, page

Problem = Reason | Warned | Gets | None


class Looked(NamedTuple):
    """A person of a check with the name they have now."""

    row: CheckPerson
    name: str


def read_problem(text: str | None) -> Problem:
    """What an address asks for: those with one problem, or those who get the message; None for all."""
    for kind in (Reason, Warned, Gets):
        if text in set(kind):
            return kind(text)  # type: ignore[no-any-return]
    return None


def people(
    session: Session,
    check: CampaignCheck,
    visible: ColumnElement[bool],
    *,
    problem: Problem = None,
    cursor: str | None,
    size: int,
) -> Page[Looked]:
    """Those of a check whom one sees, in its order; of one problem, those who get the message, or all."""
    query: Any = (
        select(CheckPerson, Prospect.full_name)
        .join(Prospect, and_(Prospect.town_id == CheckPerson.town_id, Prospect.id == CheckPerson.person_id))
        .where(CheckPerson.town_id == check.town_id, CheckPerson.check_id == check.id, visible)
    )
    if isinstance(problem, Reason):
        query = query.where(CheckPerson.reason == problem)
    elif problem is Gets.MESSAGE:
        query = query.where(CheckPerson.reason.is_(None))
    elif problem is not None:
        query = query.where(CheckPerson.warnings.contains([problem.value]))
    order, kinds = (CheckPerson.position,), (int,)
    found = page(session, query, order, cursor=cursor, size=size, kinds=kinds, key=lambda row: (row[0].position,))
    return Page([Looked(*row) for row in found.rows], found.next)


class Asked(NamedTuple):
    """What a second person is asked, by whom."""

    row: CampaignApproval
    by: str


def asked(session: Session, campaign: Campaign) -> Asked | None:
    """What a second person is asked about a campaign now, if anything."""
    query = _asked(campaign.town_id).where(CampaignApproval.campaign_id == campaign.id)
    found = session.execute(query.where(CampaignApproval.answer.is_(None))).one_or_none()
    return Asked(*found) if found else None


def _asked(town_id: UUID) -> Select[CampaignApproval, str]:
    by = and_(User.town_id == CampaignApproval.town_id, User.id == CampaignApproval.asked_by_id)
    return select(CampaignApproval, User.full_name).join(User, by).where(CampaignApproval.town_id == town_id)


def approval(session: Session, campaign: Campaign, approval_id: UUID) -> CampaignApproval:
    """What was asked about this campaign. Raises NotFound."""
    found = session.get(CampaignApproval, (campaign.town_id, approval_id))
    if found is None or found.campaign_id != campaign.id:
        raise NotFound
    return found


def answers(session: Session, campaign: Campaign) -> Sequence[tuple[CampaignApproval, str | None]]:
    """What second persons said of a campaign, the last first."""
    by = and_(User.town_id == CampaignApproval.town_id, User.id == CampaignApproval.decided_by_id)
    query = (
        select(CampaignApproval, User.full_name)
        .outerjoin(User, by)
        .where(CampaignApproval.town_id == campaign.town_id, CampaignApproval.campaign_id == campaign.id)
        .where(CampaignApproval.answer.is_not(None))
        .order_by(CampaignApproval.decided_at.desc())
        .limit(5)
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def waiting(session: Session, town_id: UUID, by_id: UUID, most: int) -> int:
    """How many campaigns this person could say yes or no to, counted to `most`."""
    return session.scalar(waiting_for(town_id, by_id, most)) or 0


def waiting_for(town_id: UUID, by_id: UUID, most: int) -> Select[int]:
    """The same as a question."""
    mine = select(CampaignApproval.id).where(
        CampaignApproval.town_id == town_id, CampaignApproval.answer.is_(None), CampaignApproval.asked_by_id != by_id
    )
    return select(func.count()).select_from(mine.limit(most).subquery())


def waiting_among(session: Session, town_id: UUID, campaign_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Those of these campaigns that wait for a second person."""
    query = select(CampaignApproval.campaign_id).where(
        CampaignApproval.town_id == town_id,
        CampaignApproval.answer.is_(None),
        CampaignApproval.campaign_id.in_(campaign_ids),
    )
    return frozenset(session.scalars(query)) if campaign_ids else frozenset()
