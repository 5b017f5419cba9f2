"""Asking for a check, making it, and what its sums mean for a launch.

A check is one transaction: either all its people are there or none. How far it is, is told beside it, so that a page can
follow; a worker that went away leaves a silent heartbeat, and the next one begins anew.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, case, delete, func, insert, literal, or_, select, update
from sqlalchemy.orm import Session

from crm.campaigns import queries
from crm.campaigns.models import Campaign, Message, OptOutLink, SmsSettings
from crm.campaigns.preflight.counting import STUB, Counting, Row, count
from crm.campaigns.preflight.models import CampaignCheck, CheckPerson
from crm.campaigns.preflight.rules.states import AT_WORK, FRESH, CheckState
from crm.campaigns.preflight.rules.sums import Sums, Trouble
from crm.campaigns.rules.delivery import Delivery
from crm.campaigns.rules.hours import VIETNAM
from crm.campaigns.rules.places import once
from crm.campaigns.rules.refused import refused_in
from crm.campaigns.rules.texts import is_lawful
from crm.campaigns.services.audience import audience_size
from crm.campaigns.services.drafting import lock_draft, void_approvals
from crm.campaigns.services.opting_out import make_links
from crm.campaigns.services.sending import settings_of
from crm.campaigns.templating.queries import is_approved
from crm.db import aside
from crm.errors import RuleBroken
from crm.ids import new_id
from crm.prospects.importing.services.copying import copy_in
from crm.prospects.rules import Purpose

AT_ONCE = 1_000
"""So many people are looked at while one waits for the page."""
SILENT = timedelta(minutes=1)
COLUMNS = {
    "town_id": "uuid",
    "check_id": "uuid",
    "position": "int8",
    "person_id": "uuid",
    "phone": "text",
    "body": "text",
    "encoding": "text",
    "segments": "int8",
    "other_segments": "int8",
    "reason": "text",
    "warnings": "text[]",
}


def ask(session: Session, campaign: Campaign, *, by_id: UUID, at: datetime) -> CampaignCheck:
    """A check to be made; the one that is being made, when it is of the same content. What was asked for an older
    content is given up."""
    content = str(campaign.content)
    waiting = session.scalar(_at_work(campaign))
    if waiting is not None and waiting.content == content:
        return waiting
    if waiting is not None:
        waiting.state = CheckState.FAILED
        session.flush()
    void_approvals(session, campaign, at)
    check = CampaignCheck(
        town_id=campaign.town_id,
        id=new_id(),
        campaign_id=campaign.id,
        content=content,
        state=CheckState.WAITING,
        asked_at=at,
        asked_by_id=by_id,
    )
    session.add(check)
    session.flush()
    return check


def _at_work(campaign: Campaign) -> Select[CampaignCheck]:
    return (
        select(CampaignCheck)
        .where(CampaignCheck.town_id == campaign.town_id, CampaignCheck.campaign_id == campaign.id)
        .where(CampaignCheck.state.in_(AT_WORK))
        .with_for_update()
    )


def look(
    session: Session, campaign: Campaign, *, public_url: str, by_id: UUID, at: datetime
) -> tuple[CampaignCheck, bool]:
    """Look at everybody again: few people at once, many by a worker; the check, and whether a worker has to make it."""
    lock_draft(session, campaign)
    asked = ask(session, campaign, by_id=by_id, at=at)
    small = is_small(session, campaign, by_id=by_id, at=at)
    if small:
        make_now(session, campaign, asked, public_url=public_url, at=at)
    return asked, not small


def is_small(session: Session, campaign: Campaign, *, by_id: UUID, at: datetime) -> bool:
    """Whether its audience is looked at while one waits."""
    return audience_size(session, campaign, at, by_id=by_id, most=AT_ONCE + 1) <= AT_ONCE


def make(session: Session, town_id: UUID, check_id: UUID, *, public_url: str, at: datetime) -> bool:
    """Write down everybody's message, by a worker; False when that is done, or another worker is at it."""
    if not session.scalar(select(func.pg_try_advisory_xact_lock(check_id.int % 2**62))):
        return False
    check = session.get(CampaignCheck, (town_id, check_id), populate_existing=True)
    if check is None or check.state not in AT_WORK:
        return False
    campaign = session.get_one(Campaign, (town_id, check.campaign_id), populate_existing=True)
    _tell(check, 0, at, total=audience_size(session, campaign, at, by_id=check.asked_by_id))
    make_now(session, campaign, check, public_url=public_url, at=at, tell=lambda done: _tell(check, done, at))
    return True


def make_now(
    session: Session,
    campaign: Campaign,
    check: CampaignCheck,
    *,
    public_url: str,
    at: datetime,
    tell: Callable[[int], None] | None = None,
) -> None:
    """Write down everybody's message, or why that cannot be."""
    price = settings_of(session, campaign.town_id).price
    try:
        found = count(session, campaign, public_url=public_url, price=price, at=at, by_id=check.asked_by_id, tell=tell)
    except RuleBroken as refused:
        _finish(session, check, {"state": CheckState.FAILED, "problem": str(refused)})
        return
    _write(session, check, found)
    told = {"state": CheckState.READY, "messages": found.sums.messages, "cost": found.sums.cost}
    done = {"done": found.sums.people, "total": found.sums.people}
    _finish(session, check, {**told, **done, "facts": found.sums.as_json(), "made_at": at})


def _finish(session: Session, check: CampaignCheck, values: dict[str, Any]) -> None:
    """The end of it, unless somebody gave it up meanwhile."""
    session.execute(
        update(CampaignCheck)
        .where(CampaignCheck.town_id == check.town_id, CampaignCheck.id == check.id, CampaignCheck.state.in_(AT_WORK))
        .values(values)
        .execution_options(synchronize_session=False)
    )
    session.refresh(check)


def _tell(check: CampaignCheck, done: int, at: datetime, *, total: int | None = None) -> None:
    """How far it is, beside the long transaction, which writes to its row only at the end."""
    told = {"done": done, "heartbeat_at": at, "state": CheckState.WORKING} | ({} if total is None else {"total": total})
    with aside() as beside:
        beside.execute(
            update(CampaignCheck)
            .where(CampaignCheck.town_id == check.town_id, CampaignCheck.id == check.id)
            .where(CampaignCheck.state.in_(AT_WORK))
            .values(told)
            .execution_options(synchronize_session=False)
        )


def _write(session: Session, check: CampaignCheck, found: Counting) -> None:
    forget_people(session, check.town_id, check.campaign_id)
    copy_in(session, CheckPerson.__tablename__, COLUMNS, (_columns(check, row) for row in found.rows))
    named = [row.who.phone for row in found.rows if row.reason is None and STUB in row.body and row.who.phone]
    make_links(session, check.town_id, named, check.asked_at)


def _columns(check: CampaignCheck, row: Row) -> tuple[Any, ...]:
    who, reason = row.who, row.reason
    keys = (check.town_id, check.id, row.position, who.prospect_id, who.phone, row.body, row.encoding)
    return (*keys, row.segments, row.other_segments, None if reason is None else reason.value, row.warnings)


def forget_people(session: Session, town_id: UUID, campaign_id: UUID) -> None:
    """The people of a campaign's checks are not needed any more: a newer check is there, or it was launched. Those that
    somebody said yes to stay until then."""
    checks = select(CampaignCheck.id).where(CampaignCheck.town_id == town_id, CampaignCheck.campaign_id == campaign_id)
    session.execute(
        delete(CheckPerson)
        .where(CheckPerson.town_id == town_id, CheckPerson.check_id.in_(checks))
        .execution_options(synchronize_session=False)
    )


def latest(session: Session, campaign: Campaign) -> CampaignCheck | None:
    """The last check that was asked for."""
    query = select(CampaignCheck).where(
        CampaignCheck.town_id == campaign.town_id, CampaignCheck.campaign_id == campaign.id
    )
    return session.scalar(query.order_by(CampaignCheck.asked_at.desc(), CampaignCheck.id.desc()).limit(1))


def holds(check: CampaignCheck | None, campaign: Campaign, at: datetime) -> bool:
    """Whether a launch may take this check: of this content, ready, and not too long ago."""
    if check is None or check.state is not CheckState.READY or check.made_at is None:
        return False
    return check.content == campaign.content and at - FRESH <= check.made_at


def standing_still(before: datetime) -> Select[CampaignCheck]:
    """Checks that nobody makes."""
    silent = or_(CampaignCheck.heartbeat_at.is_(None), CampaignCheck.heartbeat_at < before - SILENT)
    return select(CampaignCheck).where(
        CampaignCheck.state.in_(AT_WORK), silent, CampaignCheck.asked_at < before - timedelta(seconds=20)
    )


# ---- what the sums mean


def troubles(
    session: Session, campaign: Campaign, sums: Sums, at: datetime, settings: SmsSettings | None = None
) -> list[Trouble]:
    """What is wrong with the campaign as a whole, what stops it first."""
    settings = settings or settings_of(session, campaign.town_id)
    most = settings.month_budget
    spent = queries.spent_in_month(session, campaign.town_id, at, settings.price) if most is not None else 0
    begins = campaign.scheduled_for or at
    past = campaign.scheduled_for is not None and campaign.scheduled_for <= at
    leaves = settings.hours.next_allowed(begins).astimezone(VIETNAM).date()
    promotion = campaign.purpose is Purpose.PROMOTION
    version_id, sender = campaign.template_version_id, settings.sender
    approved = is_approved(session, campaign.town_id, version_id, sender)
    needed = settings.takes_only_approved(begins.astimezone(VIETNAM).date())
    checks = (
        (not sums.messages, Trouble.NOBODY),
        (past, Trouble.TIME_IS_PAST),
        (campaign.last_day is not None and campaign.last_day < leaves, Trouble.LAST_DAY_IS_OVER),
        (campaign.budget is not None and sums.cost > campaign.budget, Trouble.OVER_BUDGET),
        (most is not None and sums.cost + spent > most, Trouble.OVER_MONTH_BUDGET),
        (bool(refused_in(campaign.text)), Trouble.WORDING),
        (once(campaign.text) != campaign.text, Trouble.SAID_TWICE),
        (campaign.scheduled_for is not None and not settings.hours.allow(begins), Trouble.OUT_OF_HOURS),
        (promotion and not is_lawful(campaign.text), Trouble.NO_LABEL),
        (needed and not approved, Trouble.NOT_APPROVED),
        (not needed and version_id is None, Trouble.NO_TEMPLATE),
        (not needed and version_id is not None and not approved, Trouble.UNREGISTERED),
    )
    return [trouble for found, trouble in checks if found]


# ---- from a check to messages


def freeze(
    session: Session, campaign: Campaign, check: CampaignCheck, *, begins: datetime, ends: datetime, at: datetime
) -> int:
    """One message for each person of the check, those left out with their reason, in one statement; how many go out."""
    left_out = CheckPerson.reason.is_not(None)
    token = func.coalesce(OptOutLink.token, STUB)
    people = (
        select(
            CheckPerson.town_id,
            func.gen_random_uuid(),
            literal(campaign.id),
            literal(campaign.purpose.value),
            literal(queries.way_for(session, campaign.town_id, campaign.purpose).value),
            CheckPerson.phone,
            CheckPerson.person_id,
            func.replace(CheckPerson.body, f"/o/{STUB}", func.concat("/o/", token)),
            CheckPerson.encoding,
            CheckPerson.segments,
            case((left_out, Delivery.EXCLUDED.value), else_=Delivery.QUEUED.value),
            CheckPerson.reason,
            literal(begins),
            literal(ends),
            literal(at),
            case((left_out, literal(at))),
            literal(0),
        )
        .outerjoin(OptOutLink, and_(OptOutLink.town_id == CheckPerson.town_id, OptOutLink.phone == CheckPerson.phone))
        .where(CheckPerson.town_id == campaign.town_id, CheckPerson.check_id == check.id)
        .order_by(CheckPerson.position)
    )
    session.execute(insert(Message).from_select(FROZEN, people, include_defaults=False))
    forget_people(session, campaign.town_id, campaign.id)
    return check.messages


FROZEN = (
    *(
        "town_id",
        "id",
        "campaign_id",
        "purpose",
        "way",
        "phone",
        "prospect_id",
        "body",
        "encoding",
        "segments",
        "state",
    ),
    *("reason", "not_before", "expires_at", "made_at", "settled_at", "attempts"),
)


def people_of(session: Session, check: CampaignCheck) -> int:
    """How many people of a check are still written down."""
    query = select(func.count()).where(CheckPerson.town_id == check.town_id, CheckPerson.check_id == check.id)
    return session.scalar(query) or 0
