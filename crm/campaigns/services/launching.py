"""From a checked campaign to one row for each number, and stopping it again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from crm.campaigns.models import Campaign, Message, SmsSettings
from crm.campaigns.preflight import checking
from crm.campaigns.preflight.counting import count
from crm.campaigns.preflight.models import CampaignApproval, CampaignCheck
from crm.campaigns.preflight.rules.states import APPROVED_FOR, AT_WORK, Answer
from crm.campaigns.preflight.rules.sums import STOPPING, TROUBLES, Sums
from crm.campaigns.rules.delivery import WAITING
from crm.campaigns.rules.hours import VIETNAM
from crm.campaigns.rules.reasons import Reason
from crm.campaigns.rules.stages import KEEPS_TRYING, LATE_BY, Stage, Step
from crm.campaigns.rules.stages import move as possible
from crm.campaigns.services.drafting import lock
from crm.campaigns.services.sending import call_off, settings_of
from crm.campaigns.services.steps import note
from crm.errors import Conflict, RuleBroken
from crm.web.filters import in_money


def preflight(
    session: Session,
    campaign: Campaign,
    *,
    public_url: str,
    at: datetime,
    by_id: UUID | None = None,
    visible: ColumnElement[bool] | None = None,
) -> Sums:
    """What a launch would do now, among the people whom the reader sees. Nothing is written; addresses to refuse have
    their true length."""
    price = settings_of(session, campaign.town_id).price
    asked: Any = {"by_id": by_id or campaign.created_by_id, "visible": visible}
    return count(session, campaign, public_url=public_url, price=price, at=at, **asked).sums


# ---- launching


def needs_second(settings: SmsSettings, *, messages: int, cost: int) -> bool:
    """Whether so many messages, or so many đồng, take two people."""
    over = settings.approve_messages is not None and messages > settings.approve_messages
    return over or (settings.approve_cost is not None and cost > settings.approve_cost)


def launch(session: Session, campaign: Campaign, *, public_url: str, by_id: UUID, at: datetime) -> int:
    """Freeze the audience, one row for each person, and let it run, or wait for its time; how many messages will go.

    What was looked at within the hour is taken as it was; else everybody is looked at now. Of a large audience that
    takes a worker: the campaign is being prepared then, and the answer is 0. Raises RuleBroken when nobody would get a
    message or it would cost too much, Conflict when it was launched before or takes a second person."""
    lock(session, campaign)
    possible(campaign.stage, Stage.PREPARING)
    check = checking.latest(session, campaign)
    if not checking.holds(check, campaign, at):
        if not checking.is_small(session, campaign, by_id=by_id, at=at):
            return _prepare(session, campaign, by_id=by_id, at=at)
        check = checking.ask(session, campaign, by_id=by_id, at=at)
        checking.make_now(session, campaign, check, public_url=public_url, at=at)
    assert check, "it was looked at above"
    return take(session, campaign, check, by_id=by_id, at=at)


def _prepare(session: Session, campaign: Campaign, *, by_id: UUID, at: datetime) -> int:
    checking.ask(session, campaign, by_id=by_id, at=at)
    campaign.move_to(Stage.PREPARING)
    campaign.launched_by_id = by_id
    session.flush()
    return 0


def prepared(session: Session, town_id: UUID, campaign_id: UUID, *, at: datetime) -> bool:
    """A campaign that was being prepared is launched now that everybody was looked at; a refusal is written down, and it
    is a draft again. Whether anything was done."""
    campaign = session.get_one(Campaign, (town_id, campaign_id))
    lock(session, campaign)
    by_id = campaign.launched_by_id
    if campaign.stage is not Stage.PREPARING or by_id is None:
        return False
    check = checking.latest(session, campaign)
    if check is not None and check.state in AT_WORK:
        return False
    try:
        with session.begin_nested():
            if check is None or check.problem:
                raise RuleBroken(
                    check.problem if check else _l("The campaign could not be looked at. Launch it again.")
                )
            take(session, campaign, check, by_id=by_id, at=at)
    except RuleBroken as refused:
        campaign.move_to(Stage.DRAFT)
        campaign.launched_by_id = None
        note(session, campaign, Step.NOT_LAUNCHED, by_id=by_id, at=at, words=str(refused))
    return True


def being_prepared(session: Session) -> Sequence[Campaign]:
    """Campaigns of which a worker has to look at everybody first."""
    return session.scalars(select(Campaign).where(Campaign.stage == Stage.PREPARING)).all()


def take(
    session: Session,
    campaign: Campaign,
    check: CampaignCheck,
    *,
    by_id: UUID,
    at: datetime,
    approval: CampaignApproval | None = None,
) -> int:
    """Launch with just this check. The campaign is locked."""
    if check.content != campaign.content or check.problem:
        raise RuleBroken(check.problem or _l("Something was changed since everybody was looked at. Look at it again."))
    settings, sums = settings_of(session, campaign.town_id), Sums.from_json(check.facts)
    _refuse_trouble(session, campaign, sums, settings, at)
    if approval is None and needs_second(settings, messages=check.messages, cost=check.cost):
        approval = _approved(session, campaign, check, by_id, at)
    if not checking.people_of(session, check):
        raise RuleBroken(_l("Everybody has to be looked at again before this is launched."), code="check_again")
    waits = campaign.scheduled_for is not None and campaign.scheduled_for > at
    begins = campaign.scheduled_for if waits and campaign.scheduled_for else at
    campaign.expires_at = ends_at(campaign, settings, begins)
    campaign.launched_by_id, campaign.launched_at, campaign.price = by_id, at, sums.price
    campaign.check_id, campaign.approval_id = check.id, approval.id if approval else None
    sent = checking.freeze(session, campaign, check, begins=begins, ends=campaign.expires_at, at=at)
    campaign.move_to(Stage.SCHEDULED if waits else Stage.RUNNING)
    session.flush()
    note(session, campaign, Step.SCHEDULED if waits else Step.LAUNCHED, by_id=by_id, at=at)
    return sent


def _refuse_trouble(session: Session, campaign: Campaign, sums: Sums, settings: SmsSettings, at: datetime) -> None:
    if not campaign.text:
        raise RuleBroken(_l("The campaign has no text yet. Write what it says."), field="text", code="no_text")
    if settings.month_budget is not None:  # two launches at once: the second sees what the first will cost
        session.execute(select(SmsSettings.id).where(SmsSettings.id == settings.id).with_for_update())
    found = next((one for one in checking.troubles(session, campaign, sums, at, settings) if one in STOPPING), None)
    if found is not None:
        raise RuleBroken(TROUBLES[found], code=found.value)


def _approved(
    session: Session, campaign: Campaign, check: CampaignCheck, by_id: UUID, at: datetime
) -> CampaignApproval:
    """The yes of a second person to just this. Raises Conflict `needs_second`."""
    query = select(CampaignApproval).where(
        CampaignApproval.town_id == campaign.town_id,
        CampaignApproval.check_id == check.id,
        CampaignApproval.content == campaign.content,
        CampaignApproval.answer == Answer.APPROVED,
        CampaignApproval.decided_by_id != by_id,
        CampaignApproval.decided_at > at - APPROVED_FOR,
    )
    found = session.scalar(query)
    if found is None:
        told = _l(
            "%(messages)s messages for %(cost)s take two people. Ask a second person to approve it.",
            messages=check.messages,
            cost=in_money(check.cost),
        )
        raise Conflict(told, code="needs_second", messages=check.messages, cost=check.cost)
    return found


def ends_at(campaign: Campaign, settings: SmsSettings, begins: datetime) -> datetime:
    """The closing hour of its last day; without one it keeps trying for a few days."""
    if campaign.last_day is None:
        return begins + KEEPS_TRYING
    return datetime.combine(campaign.last_day, settings.hours.closes, VIETNAM)


# ---- stopping, going on, moving


def pause(session: Session, campaign: Campaign, *, by_id: UUID | None, at: datetime) -> None:
    """Nothing more leaves until it is resumed."""
    lock(session, campaign)
    campaign.move_to(Stage.PAUSED)
    session.flush()
    note(session, campaign, Step.PAUSED, by_id=by_id, at=at)


def resume(session: Session, campaign: Campaign, *, by_id: UUID | None, at: datetime) -> None:
    """It goes on where it stopped: each message has its own state. One that was paused before its time waits for it; one
    that missed its time, or is still scheduled, begins now. However long it stood still, without a last day it has its days again from now on."""
    lock(session, campaign)
    if campaign.stage in (Stage.DRAFT, Stage.PREPARING):
        raise RuleBroken(_l("This campaign has not been launched yet."))
    waits = campaign.stage is Stage.PAUSED and campaign.scheduled_for is not None and campaign.scheduled_for > at
    if campaign.stage is Stage.SCHEDULED:
        campaign.scheduled_for = at  # its results count from now on, and a later pause waits for no other time
    if campaign.stage in (Stage.MISSED, Stage.SCHEDULED):
        _begin_at(session, campaign, at)
    elif campaign.stage is Stage.PAUSED and not waits:
        _end_after(session, campaign, at)
    campaign.move_to(Stage.SCHEDULED if waits else Stage.RUNNING)
    campaign.stood_still_since = None
    session.flush()
    note(session, campaign, Step.RESUMED, by_id=by_id, at=at)


def move(
    session: Session,
    campaign: Campaign,
    to: datetime,
    *,
    by_id: UUID | None,
    at: datetime,
    field: str = "scheduled_for",
) -> None:
    """It begins at another time. Raises RuleBroken for a time that is past or outside the hours."""
    lock(session, campaign)
    check_time(session, campaign.town_id, to, at, field)
    if campaign.last_day is not None and to.astimezone(VIETNAM).date() > campaign.last_day:
        raise RuleBroken(_l("That is after the last day of this campaign."), field=field)
    if campaign.stage is not Stage.SCHEDULED:
        campaign.move_to(Stage.SCHEDULED)
    campaign.scheduled_for = to
    campaign.version += 1
    _begin_at(session, campaign, to)
    note(session, campaign, Step.MOVED, by_id=by_id, at=at, to=to.isoformat())


def check_time(session: Session, town_id: UUID, moment: datetime, at: datetime, field: str = "scheduled_for") -> None:
    """Raises RuleBroken unless messages may begin to leave at this moment."""
    hours = settings_of(session, town_id).hours
    if moment <= at:
        raise RuleBroken(_l("That time is past. Choose a later one."), field=field)
    if not hours.allow(moment):
        told = _l(
            "Messages may leave between %(opens)s and %(closes)s only.",
            opens=f"{hours.opens:%H:%M}",
            closes=f"{hours.closes:%H:%M}",
        )
        raise RuleBroken(told, field=field, code="out_of_hours")


def _begin_at(session: Session, campaign: Campaign, begins: datetime) -> None:
    _end_after(session, campaign, begins, not_before=begins)


def _end_after(session: Session, campaign: Campaign, begins: datetime, **values: Any) -> None:
    """What waits is sent until the end that follows from this beginning; `values` are written with it."""
    campaign.expires_at = ends_at(campaign, settings_of(session, campaign.town_id), begins)
    session.flush()
    session.execute(
        update(Message)
        .where(Message.town_id == campaign.town_id, Message.campaign_id == campaign.id, Message.state.in_(WAITING))
        .values(expires_at=campaign.expires_at, **values)
        .execution_options(synchronize_session=False)
    )
    session.expire_all()


def cancel(session: Session, campaign: Campaign, at: datetime, *, by_id: UUID | None = None) -> int:
    """What has not left is called off, trials as well; how many messages of the campaign itself that were."""
    lock(session, campaign)
    campaign.move_to(Stage.CANCELLED)
    note(session, campaign, Step.CANCELLED, by_id=by_id, at=at)
    checking.forget_people(session, campaign.town_id, campaign.id)
    call_off(session, campaign.town_id, Message.trial_of_id == campaign.id, Reason.CALLED_OFF, at)
    return call_off(session, campaign.town_id, Message.campaign_id == campaign.id, Reason.CALLED_OFF, at)


def begin_due(session: Session, at: datetime) -> int:
    """Campaigns whose time has come begin; those whose time is long past wait for a person. How many began."""
    due = select(Campaign).where(Campaign.stage == Stage.SCHEDULED, Campaign.scheduled_for <= at)
    began = 0
    for campaign in session.scalars(due.with_for_update(skip_locked=True)).all():
        in_time = campaign.scheduled_for is not None and at - campaign.scheduled_for <= LATE_BY
        campaign.move_to(Stage.RUNNING if in_time else Stage.MISSED)
        session.flush()
        note(session, campaign, Step.BEGUN if in_time else Step.MISSED, by_id=None, at=at)
        began += in_time
    return began
