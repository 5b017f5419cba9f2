"""One message and all that was told of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from crm.campaigns.models import Campaign, Inbound, Message, MessageStatus
from crm.campaigns.queries import staff_name
from crm.errors import NotFound
from crm.prospects.models import Prospect


class Traced(NamedTuple):
    """A message, whom it is for, and what it belongs to."""

    message: Message
    person: Prospect | None
    """None: it is for nobody of the register."""
    staff: str | None
    """Who works here and has the number."""
    campaign: Campaign | None
    receipts: Sequence[MessageStatus]
    answers: Sequence[Inbound]


def traced(
    session: Session, town_id: UUID, visible: ColumnElement[bool], others: ColumnElement[bool], message_id: UUID
) -> Traced:
    """A message as `messages_seen` lists it, with its receipts and what was answered. Raises NotFound."""
    theirs = or_(Campaign.id == Message.campaign_id, Campaign.id == Message.trial_of_id)
    query: Any = (
        select(Message, Prospect, staff_name(), Campaign)
        .outerjoin(Prospect, and_(Prospect.town_id == Message.town_id, Prospect.id == Message.prospect_id))
        .outerjoin(Campaign, and_(Campaign.town_id == Message.town_id, theirs))
        .where(Message.town_id == town_id, Message.id == message_id)
        .where(or_(and_(Prospect.id.is_not(None), visible), others))
    )
    found = session.execute(query).one_or_none()
    if found is None:
        raise NotFound
    receipts = (
        select(MessageStatus)
        .where(MessageStatus.town_id == town_id, MessageStatus.message_id == message_id)
        .order_by(MessageStatus.received_at, MessageStatus.id)
        .limit(50)
    )
    answers = (
        select(Inbound)
        .where(Inbound.town_id == town_id, Inbound.message_id == message_id)
        .order_by(Inbound.received_at, Inbound.id)
        .limit(50)
    )
    message, person, staff, campaign = found
    return Traced(message, person, staff, campaign, session.scalars(receipts).all(), session.scalars(answers).all())


def campaigns_to_choose(session: Session, town_id: UUID) -> list[tuple[UUID, str]]:
    """The latest campaigns by which messages may be looked for."""
    query = select(Campaign.id, Campaign.name).where(Campaign.town_id == town_id)
    found = session.execute(query.order_by(Campaign.created_at.desc(), Campaign.id.desc()).limit(100))
    return [(key, name) for key, name in found]
