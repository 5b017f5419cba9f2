"""What waits after a restore, beside what the carrier says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session

from crm.campaigns.models import Campaign, Inbound, Message
from crm.campaigns.restored.models import ProviderMessage, RestoreCheck
from crm.campaigns.restored.rules import AT_WORK, STILL, CheckState, Group
from crm.campaigns.rules.delivery import WAITING, Delivery
from crm.campaigns.rules.reasons import Reason
from crm.campaigns.rules.ways import Way

MOST_SHOWN = 30


def latest_check(session: Session, town_id: UUID) -> RestoreCheck | None:
    """The comparison that was begun last."""
    query = select(RestoreCheck).where(RestoreCheck.town_id == town_id)
    return session.scalar(query.order_by(RestoreCheck.started_at.desc(), RestoreCheck.id.desc()).limit(1))


def standing_still(session: Session, at: datetime) -> Sequence[tuple[UUID, UUID]]:
    """Comparisons on which nobody has worked for a minute although they are not done."""
    query = select(RestoreCheck.town_id, RestoreCheck.id).where(
        RestoreCheck.state.in_(AT_WORK),
        or_(
            RestoreCheck.state == CheckState.QUEUED,
            RestoreCheck.touched_at < at - STILL,
            RestoreCheck.touched_at > at + STILL,
        ),
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def waits(town_id: UUID, *, held: bool) -> ColumnElement[bool]:
    """The messages that wait for the operator: everything while the town is held, afterwards what was set aside."""
    if held:
        return and_(Message.town_id == town_id, Message.state.in_(WAITING))
    return and_(Message.town_id == town_id, Message.state == Delivery.HELD, Message.reason == Reason.RESTORED)


def of_group(group: Group) -> ColumnElement[bool]:
    """The messages of a group."""
    if group.kind == "campaign":
        return Message.campaign_id == UUID(group.key)
    if group.kind == "trial":
        return Message.trial_of_id == UUID(group.key)
    return Message.reminder == group.key if group.kind == "reminder" else Message.reply_to_id.is_not(None)


class Waiting(NamedTuple):
    """A group that waits: how many, since when, one of the texts, and how many of it the carrier had sent already."""

    group: Group
    name: str | None
    messages: int
    oldest: datetime | None
    example: str
    settled: int


_KIND = case(
    (Message.campaign_id.is_not(None), "campaign"),
    (Message.trial_of_id.is_not(None), "trial"),
    (Message.reminder.is_not(None), "reminder"),
    else_="reply",
)


def groups(session: Session, town_id: UUID, check: RestoreCheck | None, *, held: bool) -> list[Waiting]:
    """All that waits, by what it is for, the largest first; groups of which all was sent already stand there as well."""
    found: dict[Group, Waiting] = {}
    columns = (_KIND, Message.campaign_id, Message.trial_of_id, Message.reminder)
    counted = select(*columns, func.count(), func.min(Message.made_at), func.min(Message.body))
    for row in session.execute(counted.where(waits(town_id, held=held)).group_by(*columns)):
        group = _group(row)
        found[group] = Waiting(group, None, row[4], row[5], row[6], 0)
    if check is not None:
        sent = (
            select(*columns, func.count(), func.min(Message.body))
            .join(
                ProviderMessage,
                and_(ProviderMessage.town_id == Message.town_id, ProviderMessage.message_id == Message.id),
            )
            .where(ProviderMessage.town_id == town_id, ProviderMessage.check_id == check.id)
        )
        for row in session.execute(sent.group_by(*columns)):
            group = _group(row)
            known = found.get(group, Waiting(group, None, 0, None, row[5], 0))
            found[group] = known._replace(settled=row[4])
    names = _names(session, town_id, found)
    ordered = sorted(found.values(), key=lambda one: (-one.messages, str(one.group)))
    return [one._replace(name=names.get(one.group.key)) for one in ordered]


def _group(row: Any) -> Group:
    kind, campaign_id, trial_of_id, reminder = row[:4]
    return Group(kind, str(campaign_id or trial_of_id or reminder or "") if kind != "reply" else "")


def _names(session: Session, town_id: UUID, found: dict[Group, Waiting]) -> dict[str, str]:
    ids = [UUID(one.key) for one in found if one.kind in ("campaign", "trial")]
    query = select(Campaign.id, Campaign.name).where(Campaign.town_id == town_id, Campaign.id.in_(ids))
    return {str(key): name for key, name in session.execute(query)}


class Strange(NamedTuple):
    """Messages that the carrier sent and this copy knows nothing of."""

    messages: int
    shown: Sequence[ProviderMessage]


def strange(session: Session, check: RestoreCheck) -> Strange:
    """What went out after the backup: whoever sends the same again texts these people twice."""
    here = (
        ProviderMessage.town_id == check.town_id,
        ProviderMessage.check_id == check.id,
        ProviderMessage.message_id.is_(None),
    )
    shown = select(ProviderMessage).where(*here).order_by(ProviderMessage.sent_at.desc(), ProviderMessage.id)
    count = session.scalar(select(func.count()).select_from(ProviderMessage).where(*here))
    return Strange(count or 0, session.scalars(shown.limit(MOST_SHOWN)).all())


def refused_since(session: Session, check: RestoreCheck) -> int:
    """How many numbers refused by a message of their own since the backup, whichever way this copy learnt of it."""
    said_no = select(func.count(Inbound.phone.distinct())).where(
        Inbound.town_id == check.town_id, Inbound.withdrew, Inbound.received_at >= check.since
    )
    return session.scalar(said_no) or 0


def by_file(session: Session, town_id: UUID, *, held: bool) -> int:
    """How many of what waits goes by files for a gateway, which nobody can be asked about."""
    here = (waits(town_id, held=held), Message.way == Way.BRANDNAME)
    return session.scalar(select(func.count()).select_from(Message).where(*here)) or 0


def how_many_wait(session: Session, town_id: UUID, *, held: bool) -> int:
    """How many messages wait for the operator."""
    return session.scalar(select(func.count()).select_from(Message).where(waits(town_id, held=held))) or 0
