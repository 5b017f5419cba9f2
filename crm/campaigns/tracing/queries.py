"""One message and all that was told of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from crm.campaigns.models import Campaign, Inbound, Message, MessageStatus
from crm.errors import NotFound
from crm.prospects.models import Prospect


class Traced(NamedTuple):
    """A message, whom it is for, and what it belongs to."""

    message: Message
    person: Prospect
    campaign: Campaign | None
    receipts: Sequence[MessageStatus]
    answers: Sequence[Inbound]


def traced(session: Session, town_id: UUID, visible: ColumnElement[bool], message_id: UUID) -> Traced:
    """A message to somebody of whom `visible` is true, with its receipts and what was answered. Raises NotFound."""
    query: Any = (
        select(Message, Prospect, Campaign)
        .join(Prospect, and_(Prospect.town_id == Message.town_id, Prospect.id == Message.prospect_id))
        .outerjoin(Campaign, and_(Campaign.town_id == Message.town_id, Campaign.id == Message.campaign_id))
        .where(Message.town_id == town_id, Message.id == message_id, visible)
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
    message, person, campaign = found
    return Traced(message, person, campaign, session.scalars(receipts).all(), session.scalars(answers).all())


def campaigns_to_choose(session: Session, town_id: UUID) -> list[tuple[UUID, str]]:
    """The latest campaigns by which messages may be looked for."""
    query = select(Campaign.id, Campaign.name).where(Campaign.town_id == town_id)
    found = session.execute(query.order_by(Campaign.created_at.desc(), Campaign.id.desc()).limit(100))
    return [(key, name) for key, name in found]
