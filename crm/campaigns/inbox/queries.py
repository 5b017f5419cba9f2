"""Questions about what people wrote back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, or_, select
from sqlalchemy.orm import Session, aliased

from crm.accounts.models import Organisation, User
from crm.accounts.queries import Scope, volunteers_for
from crm.accounts.rules import Reach
from crm.campaigns.inbox.models import AutoAnswer, Conversation, ConversationStep
from crm.campaigns.inbox.rules import IN_REPLIES, Talk
from crm.campaigns.models import Campaign, Inbound, Message
from crm.campaigns.rules.delivery import Delivery
from crm.campaigns.rules.texts import places
from crm.campaigns.templating.models import MessageTemplate, TemplateVersion
from crm.errors import NotFound
from crm.places.models import Place
from crm.places.queries import only_town
from crm.prospects.models import Prospect
from crm.prospects.queries.seeing import visible_to
from crm.prospects.rules import Purpose
from crm.web.pager import Page, latest_first

PAGE = 30
MOST_TURNS = 200


def within_sight(scope: Scope) -> ColumnElement[bool]:
    """The conversations that somebody may read: with the numbers of people they see, and those given to them."""
    mine = Conversation.assigned_to_id == scope.user_id
    if scope.reach is Reach.ALL:
        sees: ColumnElement[bool] = Conversation.town_id == scope.town_id
    elif scope.reach is Reach.NOTHING:
        sees = false()
    else:
        sees = exists().where(
            visible_to(scope),
            Prospect.merged_into_id.is_(None),
            or_(Prospect.phone == Conversation.phone, Prospect.other_phone == Conversation.phone),
        )
    return and_(Conversation.town_id == scope.town_id, or_(sees, mine))


class Line(NamedTuple):
    """A conversation in the list."""

    talk: Conversation
    latest: Inbound
    campaign: str | None
    campaign_id: UUID | None
    reminder: str | None
    with_whom: str | None
    person: str | None
    people: int


def talks(scope: Scope, state: Talk, *, mine: bool = False, campaign_id: UUID | None = None) -> Select[Any]:
    """Conversations (rows are Lines): the latest words, what they answer, who looks after them, whose number it is."""
    whose = and_(visible_to(scope), Prospect.phone == Conversation.phone, Prospect.merged_into_id.is_(None))
    name = select(func.min(Prospect.full_name)).where(whose).correlate(Conversation).scalar_subquery()
    many = select(func.count()).select_from(Prospect).where(whose).correlate(Conversation).scalar_subquery()
    query: Select[Any] = (
        select(Conversation, Inbound, Campaign.name, Campaign.id, Message.reminder, User.full_name, name, many)
        .join(Inbound, and_(Inbound.town_id == Conversation.town_id, Inbound.id == Conversation.latest_id))
        .outerjoin(Message, and_(Message.town_id == Inbound.town_id, Message.id == Inbound.message_id))
        .outerjoin(Campaign, and_(Campaign.town_id == Message.town_id, Campaign.id == Message.campaign_id))
        .outerjoin(User, and_(User.town_id == Conversation.town_id, User.id == Conversation.assigned_to_id))
        .where(within_sight(scope), Conversation.state == state)
    )
    if mine:
        query = query.where(Conversation.assigned_to_id == scope.user_id)
    if campaign_id is not None:
        query = query.where(Message.campaign_id == campaign_id)
    return query


def talks_page(session: Session, query: Select[Any], *, cursor: str | None, size: int = PAGE) -> Page[Line]:
    """One page of `talks`, the latest first."""
    order = (Conversation.latest_at, Conversation.id)
    found = latest_first(session, query, order, cursor=cursor, size=size, key=lambda row: (row[0].latest_at, row[0].id))
    return Page([Line(*row) for row in found.rows], found.next)


def open_for(scope: Scope, most: int) -> Select[int]:
    """How many conversations wait for this person, counted to `most`: those given to them, and those given to nobody."""
    nobodys = or_(Conversation.assigned_to_id.is_(None), Conversation.assigned_to_id == scope.user_id)
    waits = select(Conversation.id).where(within_sight(scope), Conversation.state == Talk.OPEN, nobodys).limit(most)
    return select(func.count()).select_from(waits.subquery())


def talk_seen(session: Session, scope: Scope, talk_id: UUID, *, hold: bool = False) -> Conversation:
    """A conversation this person may read. Raises NotFound."""
    query = select(Conversation).where(within_sight(scope), Conversation.id == talk_id)
    if hold:
        query = query.with_for_update(of=Conversation).execution_options(populate_existing=True)
    found = session.scalar(query)
    if found is None:
        raise NotFound
    return found


class Said(NamedTuple):
    """One turn of a conversation: theirs, ours, or the program's own."""

    at: datetime
    theirs: Inbound | None
    ours: Message | None
    by_itself: AutoAnswer | None
    campaign: str | None


def said_in(session: Session, talk: Conversation) -> list[Said]:
    """All that went to and fro with a number, the earliest first; of very long ones the latest part."""
    here = {"town_id": talk.town_id, "phone": talk.phone}
    theirs = session.scalars(
        select(Inbound).filter_by(**here).order_by(Inbound.received_at.desc(), Inbound.id.desc()).limit(MOST_TURNS)
    ).all()
    ours = session.execute(
        select(Message, Campaign.name)
        .outerjoin(Campaign, and_(Campaign.town_id == Message.town_id, Campaign.id == Message.campaign_id))
        .where(Message.town_id == talk.town_id, Message.phone == talk.phone, Message.state != Delivery.EXCLUDED)
        .where(or_(Message.claimed_at.is_not(None), Message.reply_to_id.is_not(None)))
        .order_by(Message.made_at.desc(), Message.id.desc())
        .limit(MOST_TURNS)
    ).all()
    own = session.scalars(select(AutoAnswer).filter_by(**here).order_by(AutoAnswer.at.desc()).limit(MOST_TURNS)).all()
    turns = [
        *(Said(one.received_at, one, None, None, None) for one in theirs),
        *(Said(row[0].claimed_at or row[0].made_at, None, row[0], None, row[1]) for row in ours),
        *(Said(one.at, None, None, one, None) for one in own),
    ]
    return sorted(turns, key=lambda one: (one.at, one.theirs is None))


def steps_of(session: Session, talk: Conversation) -> Sequence[tuple[ConversationStep, str | None, str | None]]:
    """What was done with a conversation, by whom and for whom, the latest first."""
    by, to = aliased(User), aliased(User)
    query = (
        select(ConversationStep, by.full_name, to.full_name)
        .outerjoin(by, and_(by.town_id == ConversationStep.town_id, by.id == ConversationStep.by_id))
        .outerjoin(to, and_(to.town_id == ConversationStep.town_id, to.id == ConversationStep.to_id))
        .where(ConversationStep.town_id == talk.town_id, ConversationStep.conversation_id == talk.id)
        .order_by(ConversationStep.at.desc(), ConversationStep.id.desc())
        .limit(50)
    )
    return [(row[0], row[1], row[2]) for row in session.execute(query)]


def who_knows(session: Session, town_id: UUID, phone: str) -> UUID | None:
    """The volunteer who looks after the people of a number, when that is one volunteer."""
    query = (
        select(Prospect.volunteer_id)
        .distinct()
        .where(Prospect.town_id == town_id, Prospect.phone == phone, Prospect.merged_into_id.is_(None))
        .where(Prospect.volunteer_id.is_not(None))
        .limit(2)
    )
    found = session.scalars(query).all()
    return found[0] if len(found) == 1 else None


def town_of(session: Session, phone: str) -> UUID | None:
    """The town that a number writes to: the one that texted it last, else the one where somebody has it, else the only
    one there is."""
    texted = select(Message.town_id).where(Message.phone == phone, Message.claimed_at.is_not(None))
    found = session.scalar(texted.order_by(Message.claimed_at.desc()).limit(1))
    found = found or session.scalar(select(Prospect.town_id).where(Prospect.phone == phone).limit(1))
    return found or only_town(session)


def last_sent(session: Session, town_id: UUID, phone: str) -> Message | None:
    """The message that this number got last."""
    query = select(Message).where(Message.town_id == town_id, Message.phone == phone, Message.claimed_at.is_not(None))
    return session.scalar(query.order_by(Message.claimed_at.desc(), Message.id.desc()).limit(1))


def who_may_take(session: Session, scope: Scope) -> list[tuple[UUID, str]]:
    """To whom somebody may hand a conversation, themselves first: two of one name are told apart by their place or unit."""
    unit = func.coalesce(Place.name, Organisation.name)
    query = volunteers_for(scope).where(User.id != scope.user_id).with_only_columns(User.id, User.full_name, unit)
    query = query.outerjoin(Place, and_(Place.town_id == User.town_id, Place.id == User.place_id)).outerjoin(
        Organisation, and_(Organisation.town_id == User.town_id, Organisation.id == User.organisation_id)
    )
    me = session.get_one(User, (scope.town_id, scope.user_id))
    others = [(key, f"{name} · {where}" if where else name) for key, name, where in session.execute(query)]
    return [(me.id, me.full_name), *others]


def templates_for_replies(session: Session, town_id: UUID) -> Sequence[tuple[MessageTemplate, str]]:
    """Templates of service messages in use of which an answer can fill every place, each with its latest text."""
    query = (
        select(MessageTemplate, TemplateVersion.text)
        .join(
            TemplateVersion,
            and_(
                TemplateVersion.town_id == MessageTemplate.town_id,
                TemplateVersion.template_id == MessageTemplate.id,
                TemplateVersion.number == MessageTemplate.number,
            ),
        )
        .where(MessageTemplate.town_id == town_id, MessageTemplate.archived_at.is_(None))
        .where(MessageTemplate.purpose == Purpose.SERVICE)
        .order_by(MessageTemplate.name_fold, MessageTemplate.id)
        .limit(100)
    )
    return [(row[0], row[1]) for row in session.execute(query) if set(places(row[1])) <= IN_REPLIES]
