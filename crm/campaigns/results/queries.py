"""What became of a campaign's messages, and what followed, among the people one sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, literal, select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.campaigns import queries
from crm.campaigns.models import Campaign, CampaignStep, Inbound, Message
from crm.campaigns.queries import FREE
from crm.campaigns.results.rules import STOPPED, Count, Tally, Which
from crm.campaigns.rules.delivery import LOST, Delivery
from crm.campaigns.rules.effects import Effect, Group, effect
from crm.campaigns.rules.reasons import Reason
from crm.campaigns.rules.ways import Way
from crm.clock import local_day
from crm.outreach.models import Visit
from crm.outreach.rules import REACHED
from crm.participation.models import Participation
from crm.prospects.models import Consent, Prospect
from crm.prospects.rules import ConsentChannel
from crm.web.pager import Page, page

GOT = queries.HAS_LEFT
HELD = Message.reason == Reason.HELD_BACK


def tally(session: Session, campaign: Campaign, visible: ColumnElement[bool], price: int) -> Tally:
    """What became of a campaign, among the people one sees."""
    rows = session.execute(queries.counts_of(campaign.town_id, campaign.id, visible))
    return Tally([Count(*row) for row in rows], campaign.price or price)


FOR_A_FILE = and_(Message.state == Delivery.QUEUED, Message.way == Way.BRANDNAME)


def for_files(session: Session, campaign: Campaign, visible: ColumnElement[bool]) -> int:
    """How many of its messages wait until somebody makes a file of them for the gateway."""
    query = (
        select(func.count())
        .select_from(Message)
        .join(Prospect, and_(Prospect.town_id == Message.town_id, Prospect.id == Message.prospect_id))
        .where(Message.town_id == campaign.town_id, Message.campaign_id == campaign.id, visible)
        .where(FOR_A_FILE)
    )
    return session.scalar(query) or 0


class Sum(NamedTuple):
    """A campaign in a list: messages that were to go out, those that have left, what they cost, and those that wait until
    somebody makes a file of them."""

    everybody: int
    left: int
    cost: int
    for_files: int


def sums_of(
    session: Session, town_id: UUID, campaigns: Sequence[Campaign], visible: ColumnElement[bool], price: int
) -> dict[UUID, Sum]:
    """The same in short for several campaigns."""
    query = (
        select(
            Message.campaign_id,
            func.count().filter(Message.state != Delivery.EXCLUDED),
            func.count().filter(GOT),
            func.coalesce(func.sum(Message.segments).filter(GOT), 0),
            func.count().filter(FOR_A_FILE),
        )
        .join(Prospect, and_(Prospect.town_id == Message.town_id, Prospect.id == Message.prospect_id))
        .where(Message.town_id == town_id, Message.campaign_id.in_([one.id for one in campaigns]), visible)
        .group_by(Message.campaign_id)
    )
    prices = {one.id: one.price or price for one in campaigns}
    found = session.execute(query) if campaigns else ()
    return {row[0]: Sum(row[1], row[2], int(row[3]) * prices[row[0]], row[4]) for row in found if row[0]}


# ---- what followed


def begun_at(campaign: Campaign) -> datetime | None:
    """From when on something counts as having followed."""
    if campaign.launched_at is None:
        return None
    return max(campaign.scheduled_for or campaign.launched_at, campaign.launched_at)


def counted_until(campaign: Campaign) -> datetime | None:
    """Until when it counts; None before it begins."""
    since = begun_at(campaign)
    return since + timedelta(days=campaign.follow_days) if since else None


def _followed(campaign: Campaign, since: datetime) -> Mapping[Which, ColumnElement[bool]]:
    until = since + timedelta(days=campaign.follow_days)
    of_person = {
        model: and_(model.town_id == Message.town_id, model.prospect_id == Message.prospect_id)
        for model in (Visit, Participation)
    }
    number = {
        model: and_(model.town_id == Message.town_id, model.phone == Message.phone) for model in (Consent, Inbound)
    }
    return {
        Which.VISITED: exists().where(
            of_person[Visit],
            Visit.occurred_at >= since,
            Visit.occurred_at < until,
            Visit.withdrawn_at.is_(None),
            Visit.outcome.in_(REACHED),
        ),
        Which.JOINED: exists().where(
            of_person[Participation],
            Participation.started_on >= local_day(since),
            Participation.started_on <= local_day(until),
            Participation.withdrawn_at.is_(None),
        ),
        Which.OPTED_OUT: exists().where(
            number[Consent],
            Consent.purpose == campaign.purpose,
            Consent.given.is_(False),
            Consent.channel != ConsentChannel.DO_NOT_CALL,  # a list says nothing of this message
            Consent.at >= since,
            Consent.at < until,
        ),
        Which.REPLIED: exists().where(number[Inbound], Inbound.received_at >= since, Inbound.received_at < until),
    }


class Followed(NamedTuple):
    """How many numbers something followed for, and against those that were held back."""

    opted_out: int
    replied: int
    visits: Effect
    joinings: Effect


def followed(session: Session, campaign: Campaign, visible: ColumnElement[bool]) -> Followed | None:
    """What followed, among the people one sees; None before it begins."""
    since = begun_at(campaign)
    if since is None:
        return None
    what = _followed(campaign, since)
    each = (
        select(GOT.label("got"), *(condition.label(which.value) for which, condition in what.items()))
        .join(Prospect, and_(Prospect.town_id == Message.town_id, Prospect.id == Message.prospect_id))
        .where(Message.town_id == campaign.town_id, Message.campaign_id == campaign.id, visible)
        .where(GOT | HELD)
        .subquery()
    )
    columns = [func.count()] + [func.count().filter(each.c[which.value]) for which in what]
    names = ("size", *what)
    rows = session.execute(select(each.c.got, *columns).group_by(each.c.got))
    found: dict[bool, dict[str, int]] = {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}
    none = dict.fromkeys(names, 0)
    sent, held = found.get(True, none), found.get(False, none)

    def against(which: Which) -> Effect:
        return effect(Group(sent["size"], sent[which]), Group(held["size"], held[which]))

    return Followed(sent[Which.OPTED_OUT], sent[Which.REPLIED], against(Which.VISITED), against(Which.JOINED))


# ---- the people of a figure


class Shown(NamedTuple):
    """A message of a campaign and whose it is."""

    message: Message
    name: str


def _of(campaign: Campaign, which: Which) -> ColumnElement[bool]:
    plain: dict[Which, ColumnElement[bool]] = {
        Which.WAITING: queries.WAITS,
        Which.LEFT: GOT,
        Which.DELIVERED: Message.state == Delivery.DELIVERED,
        Which.FAILED: Message.state.in_(LOST),
        Which.NOT_SENT: Message.state.in_(STOPPED),
        Which.EXCLUDED: and_(Message.state == Delivery.EXCLUDED, Message.reason != Reason.HELD_BACK),
        Which.HELD_BACK: HELD,
    }
    if which in plain:
        return plain[which]
    since = begun_at(campaign)
    return and_(GOT, _followed(campaign, since)[which]) if since else literal(False)


def people(
    session: Session,
    campaign: Campaign,
    which: Which,
    visible: ColumnElement[bool],
    *,
    reason: Reason | None = None,
    cursor: str | None,
    size: int,
) -> Page[Shown]:
    """The people of one figure of a campaign, by name."""
    query: Any = (
        select(Message, Prospect.full_name, Prospect.name_key)
        .join(Prospect, and_(Prospect.town_id == Message.town_id, Prospect.id == Message.prospect_id))
        .where(Message.town_id == campaign.town_id, Message.campaign_id == campaign.id, visible, _of(campaign, which))
    )
    if reason is not None:
        query = query.where(Message.reason == reason)
    order = (Prospect.name_key, Message.id)
    found = page(session, query, order, cursor=cursor, size=size, key=lambda row: (row[2], row[0].id))
    return Page([Shown(row[0], row[1]) for row in found.rows], found.next)


# ---- its story


def steps(session: Session, campaign: Campaign) -> Sequence[tuple[CampaignStep, str | None]]:
    """What happened to a campaign, the last first."""
    query = (
        select(CampaignStep, User.full_name)
        .outerjoin(User, and_(User.town_id == CampaignStep.town_id, User.id == CampaignStep.by_id))
        .where(CampaignStep.town_id == campaign.town_id, CampaignStep.campaign_id == campaign.id)
        .order_by(CampaignStep.at.desc(), CampaignStep.id.desc())
        .limit(50)
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def trials(session: Session, campaign: Campaign) -> Sequence[Message]:
    """What was sent to people who work here, the last first."""
    query = select(Message).where(Message.town_id == campaign.town_id, Message.trial_of_id == campaign.id)
    query = query.where(Message.state.not_in(FREE))
    return session.scalars(query.order_by(Message.made_at.desc()).limit(20)).all()
