"""Questions about messages and those who get them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    DateTime,
    Select,
    Time,
    and_,
    bindparam,
    case,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    tuple_,
    type_coerce,
)
from sqlalchemy.orm import Session, aliased

from crm.accounts.models import User
from crm.accounts.queries import Scope
from crm.accounts.rules import May, Reach, Role
from crm.campaigns.files.models import SmsWays
from crm.campaigns.models import OF_STAFF, Campaign, Message, OptOutLink, SmsSettings
from crm.campaigns.rules.delivery import LEFT_US, WAITING, Delivery
from crm.campaigns.rules.handover import Followed, Outgoing
from crm.campaigns.rules.hours import DAY, LEGAL_HOURS, MOST_A_DAY, VIETNAM
from crm.campaigns.rules.reasons import Reason
from crm.campaigns.rules.stages import WAITING_STAGES, Stage
from crm.campaigns.rules.ways import Way, way_of
from crm.prospects.models import Consent, Prospect, Standing
from crm.prospects.rules import Ground, Purpose
from crm.web.pager import Page, latest_first

NEVER_ASKED, SAID_NO, SAID_YES = None, False, True


def latest_consent(town_id: Any, phone: Any, purpose: Any) -> ColumnElement[bool | None]:
    """What the number said last about a purpose: yes, no, or nothing."""
    return (
        select(Consent.given)
        .where(Consent.town_id == town_id, Consent.phone == phone, Consent.purpose == purpose)
        .order_by(Consent.at.desc(), Consent.recorded_at.desc(), Consent.id.desc())
        .limit(1)
        .correlate(Message, Prospect)
        .scalar_subquery()
    )


def agreed() -> ColumnElement[bool]:
    """The message's number agrees, at this moment, to its purpose. Who asked for a message to their own number agrees to
    this one by that, unless the number said no."""
    return func.coalesce(latest_consent(Message.town_id, Message.phone, Message.purpose), Message.asked_for)


def within_hours(local: ColumnElement[time]) -> ColumnElement[bool]:
    """The town of the joined settings, or the law where it has none, lets messages leave at this time of day in Vietnam."""
    opens = func.coalesce(SmsSettings.opens, literal(LEGAL_HOURS.opens, Time()))
    closes = func.coalesce(SmsSettings.closes, literal(LEGAL_HOURS.closes, Time()))
    return and_(opens <= local, local < closes)


def time_of_day(at: datetime) -> ColumnElement[time]:
    """The time of day in Vietnam, for a statement."""
    return literal(at.astimezone(VIETNAM).time(), Time())


def counts_towards_the_limit(of: type[Message], at: datetime) -> ColumnElement[bool]:
    """A message that its number has had, or may have had, in the 24 hours before."""
    return and_(of.claimed_at > at - DAY, of.state.in_(LEFT_US))


def below_the_limit(at: datetime) -> ColumnElement[bool]:
    """The message's number has had fewer than three messages in the 24 hours before."""
    other = aliased(Message)
    had = (
        select(func.count())
        .select_from(other)
        .where(other.town_id == Message.town_id, other.phone == Message.phone, counts_towards_the_limit(other, at))
        .correlate(Message)
        .scalar_subquery()
    )
    return had < MOST_A_DAY


CLAIMED = and_(Message.state == Delivery.SENDING, Message.called_at.is_(None))
"""Taken by a worker, and the carrier was not called yet: it has certainly not left, and waits again when it may not."""
HAS_LEFT = and_(Message.state.in_(LEFT_US), ~CLAIMED)
"""Whoever it is for has been texted, or may have been."""
WAITS = or_(Message.state.in_(WAITING), CLAIMED)


def way_for(session: Session, town_id: UUID, purpose: Purpose) -> Way:
    """Which way messages of this purpose go in a town."""
    chosen = session.scalar(select(SmsWays.service_way).where(SmsWays.town_id == town_id))
    return way_of(purpose, chosen or Way.TWILIO)


def may_leave(at: datetime, way: Way = Way.TWILIO) -> Select[UUID, UUID, str | None]:
    """Messages that may be sent this way at this moment, the longest waiting first: hours, consent, the day's limit, the
    campaign's stage and a town's hold are all asked here."""
    return (
        select(Message.town_id, Message.id, Message.phone)
        .outerjoin(Campaign, and_(Campaign.town_id == Message.town_id, Campaign.id == Message.campaign_id))
        .outerjoin(SmsSettings, SmsSettings.town_id == Message.town_id)
        .where(Message.way == way, Message.state == Delivery.QUEUED, Message.not_before <= at, Message.expires_at > at)
        .where(or_(Message.campaign_id.is_(None), Campaign.stage == Stage.RUNNING))
        .where(SmsSettings.held_since.is_(None), within_hours(time_of_day(at)), below_the_limit(at), agreed())
        .order_by(Message.not_before, Message.id)
    )


def may_still_go() -> tuple[ColumnElement[bool], ...]:
    """What must hold of a claimed message right before the call, at the moment that is given with the statement
    (`moment_given`). The day's limit is not asked again: a claim counts."""
    stage = select(Campaign.stage == Stage.RUNNING).where(
        Campaign.town_id == Message.town_id, Campaign.id == Message.campaign_id
    )
    town_lets = select(
        and_(SmsSettings.held_since.is_(None), within_hours(bindparam("time_of_day", type_=Time())))
    ).where(SmsSettings.town_id == Message.town_id)
    return (
        Message.expires_at > bindparam("at", type_=DateTime(timezone=True)),
        or_(Message.campaign_id.is_(None), stage.correlate(Message).scalar_subquery()),
        func.coalesce(town_lets.correlate(Message).scalar_subquery(), bindparam("law_lets", type_=Boolean())),
        agreed(),
    )


def moment_given(at: datetime) -> dict[str, Any]:
    """What a statement with `may_still_go` is given for this moment."""
    return {"at": at, "time_of_day": at.astimezone(VIETNAM).time(), "law_lets": LEGAL_HOURS.allow(at)}


def why_not(session: Session, messages: Iterable[Outgoing], at: datetime) -> dict[UUID, Reason]:
    """Why each of these claimed messages must not be handed over after all; that it is not waiting for the call under this
    claim, when nothing else speaks against it."""
    claims = {one.id: one for one in messages}
    query = (
        select(
            Message.id,
            Message.claim_id,
            and_(Message.state == Delivery.SENDING),
            Message.expires_at > at,
            Campaign.stage,
            SmsSettings.held_since,
            within_hours(time_of_day(at)),
            func.coalesce(
                latest_consent(Message.town_id, Message.phone, Message.purpose),
                case((Message.asked_for, True)),
            ),
        )
        .outerjoin(Campaign, and_(Campaign.town_id == Message.town_id, Campaign.id == Message.campaign_id))
        .outerjoin(SmsSettings, SmsSettings.town_id == Message.town_id)
        .where(tuple_(Message.town_id, Message.id).in_([(one.town_id, one.id) for one in claims.values()]))
    )
    found = dict.fromkeys(claims, Reason.ALREADY_HANDLED)
    for id_, claim_id, sending, in_time, stage, held, open_now, consent in session.execute(query):
        claimed = sending and claim_id == claims[id_].claim_id
        found[id_] = _why(claimed, in_time, stage, held, open_now, consent)
    return found


def _why(
    claimed: bool, in_time: bool, stage: Stage | None, held: datetime | None, open_now: bool, consent: bool | None
) -> Reason:
    checks = (
        (not claimed, Reason.ALREADY_HANDLED),
        (not in_time, Reason.EXPIRED),
        (stage is Stage.CANCELLED, Reason.CALLED_OFF),
        (stage is Stage.PAUSED, Reason.PAUSED),
        (held is not None, Reason.RESTORED),
        (not open_now, Reason.OUT_OF_HOURS),
        (consent is SAID_NO, Reason.OPTED_OUT),
        (consent is NEVER_ASKED, Reason.NO_CONSENT),
    )
    return next((reason for stopped, reason in checks if stopped), Reason.ALREADY_HANDLED)


class Candidate(NamedTuple):
    """Someone a campaign might text."""

    prospect_id: UUID
    full_name: str
    female: bool | None
    birth_year: int | None
    phone: str | None
    other_phone: str | None
    consent: bool | None


def candidates(
    town_id: UUID,
    segment: Mapping[str, Any],
    purpose: Purpose,
    place_ids: Iterable[UUID] | None,
    on: date,
    *,
    visible: ColumnElement[bool] | None = None,
) -> Select[Any]:
    """The people a filter describes (rows are Candidates), in a fixed order, with what their numbers said last; for
    somebody who only looks, those among them that this person sees."""
    query: Select[Any] = select(
        Prospect.id,
        Prospect.full_name,
        case((Prospect.sex.is_(None), None), else_=Prospect.sex == "female"),
        Prospect.birth_year,
        Prospect.phone,
        Prospect.other_phone,
        latest_consent(Prospect.town_id, Prospect.phone, purpose),
    ).where(Prospect.town_id == town_id, Prospect.merged_into_id.is_(None))
    if visible is not None:
        query = query.where(visible)
    for name, column in (
        ("stage", Prospect.stage),
        ("organisation", Prospect.organisation_id),
        ("volunteer", Prospect.volunteer_id),
    ):
        if segment.get(name):
            query = query.where(column == segment[name])
    if place_ids is not None:
        query = query.where(Prospect.place_id.in_(list(place_ids)))
    if segment.get("standing"):
        query = query.where(_has_standing(Ground(segment["standing"]), on))
    return query.order_by(Prospect.name_key, Prospect.id)


def _has_standing(ground: Ground, on: date) -> ColumnElement[bool]:
    standing = exists().where(
        Standing.town_id == Prospect.town_id,
        Standing.prospect_id == Prospect.id,
        Standing.valid_from <= on,
        or_(Standing.valid_to.is_(None), Standing.valid_to > on),
    )
    return ~standing if ground is Ground.OTHER else standing.where(Standing.ground == ground)


def spent_in_month(session: Session, town_id: UUID, at: datetime, price: int) -> int:
    """Đồng that the messages made in this month cost, or will when they leave; each campaign at its own price."""
    local = at.astimezone(VIETNAM)
    begins = datetime(local.year, local.month, 1, tzinfo=VIETNAM)
    charged = Message.segments * func.coalesce(Campaign.price, price)
    query = (
        select(func.sum(charged))
        .outerjoin(Campaign, and_(Campaign.town_id == Message.town_id, Campaign.id == Message.campaign_id))
        .where(Message.town_id == town_id, Message.made_at >= begins, Message.state.not_in(FREE))
    )
    return int(session.scalar(query) or 0)


FREE = (Delivery.EXCLUDED, Delivery.CANCELLED, Delivery.EXPIRED, Delivery.FAILED)
"""States of messages that cost nothing: they never left."""


def page_of_campaigns(
    session: Session, town_id: UUID, *, stage: Stage | None = None, cursor: str | None, size: int
) -> Page[Campaign]:
    """One page of a town's campaigns, the newest first; of one stage, or all."""
    query = select(Campaign).where(Campaign.town_id == town_id)
    if stage is not None:
        query = query.where(Campaign.stage == stage)
    order = (Campaign.created_at, Campaign.id)
    return latest_first(session, query, order, cursor=cursor, size=size, key=lambda one: (one.created_at, one.id))


def counts_of(
    town_id: UUID, campaign_id: UUID, visible: ColumnElement[bool]
) -> Select[Delivery, Reason | None, int, int]:
    """What became of a campaign (rows are state, reason, messages and segments): its messages to the people one sees, by state and reason. What was claimed
    and not called counts as waiting."""
    state = type_coerce(case((CLAIMED, Delivery.QUEUED.value), else_=Message.state), Message.state.type)
    return (
        select(state, Message.reason, func.count(), func.coalesce(func.sum(Message.segments), 0))
        .join(Prospect, and_(Prospect.town_id == Message.town_id, Prospect.id == Message.prospect_id))
        .where(Message.town_id == town_id, Message.campaign_id == campaign_id, visible)
        .group_by(state, Message.reason)
        .order_by(state, Message.reason)
    )


class Shown(NamedTuple):
    """A message in a list; `name` is the person's, or of who works here; None for others."""

    message: Message
    name: str | None
    campaign: str | None


def staff_name() -> ColumnElement[str | None]:
    """The name of who works here and has the message's number."""
    named = select(User.full_name).where(
        User.town_id == Message.town_id, User.phone == Message.phone, User.active, User.role != Role.SPONSOR
    )
    return named.order_by(User.id).limit(1).correlate(Message).scalar_subquery()


def without_a_person(scope: Scope, user: User) -> ColumnElement[bool]:
    """Messages to nobody of the register that somebody may see: to their own telephone; to who works here and to who wrote
    without being on record, for whoever sees the whole town; to sponsors, for whoever sees sponsors as well."""
    nobody = Message.prospect_id.is_(None)
    own = Message.phone == user.phone if user.phone else false()
    if scope.reach is not Reach.ALL:
        return and_(nobody, own)
    if user.may(May.SEE_SPONSORS):
        return nobody
    return and_(nobody, or_(own, Message.reminder.is_(None), Message.reminder == OF_STAFF))


def messages_seen(
    town_id: UUID,
    visible: ColumnElement[bool],
    others: ColumnElement[bool],
    *,
    state: Delivery | None = None,
    reason: Reason | None = None,
    campaign_id: UUID | None = None,
    prospect_id: UUID | None = None,
    phone: str | None = None,
) -> Select[Any, Any, Any]:
    """A town's messages (rows are Shown) to people of whom `visible` is true, and those to nobody of the register of which
    `others` is, each with a name and the campaign's, whose trial it may be."""
    theirs = or_(Campaign.id == Message.campaign_id, Campaign.id == Message.trial_of_id)
    query: Select[Any, Any, Any] = (
        select(Message, func.coalesce(Prospect.full_name, staff_name()), Campaign.name)
        .outerjoin(Prospect, and_(Prospect.town_id == Message.town_id, Prospect.id == Message.prospect_id))
        .outerjoin(Campaign, and_(Campaign.town_id == Message.town_id, theirs))
        .where(Message.town_id == town_id, or_(and_(Prospect.id.is_not(None), visible), others))
    )
    for column, value in (
        (Message.state, state),
        (Message.campaign_id, campaign_id),
        (Message.prospect_id, prospect_id),
        (Message.reason, reason),
        (Message.phone, phone),
    ):
        if value is not None:
            query = query.where(column == value)
    return query


def page_of_messages(session: Session, query: Select[Any, Any, Any], *, cursor: str | None, size: int) -> Page[Shown]:
    """One page of `messages_seen`, the newest first."""
    order = (Message.made_at, Message.id)
    found = latest_first(session, query, order, cursor=cursor, size=size, key=lambda row: (row[0].made_at, row[0].id))
    return Page([Shown(*row) for row in found.rows], found.next)


ASKED_AGAIN_AFTER = timedelta(minutes=5)


def unknown_messages(session: Session, limit: int, at: datetime) -> list[Outgoing]:
    """Messages of which nobody knows whether the carrier took them and that were not asked about just now: first those
    never asked about, then the longest ago."""
    query = (
        select(Message.town_id, Message.id, Message.phone, Message.body, Message.claim_id, Message.attempts)
        .where(Message.state == Delivery.UNKNOWN)
        .where(or_(Message.asked_at.is_(None), Message.asked_at <= at - ASKED_AGAIN_AFTER))
        .order_by(Message.asked_at.asc().nulls_first(), Message.claimed_at, Message.id)
        .limit(limit)
    )
    return [
        Outgoing(town_id, id_, phone or "", body, claim_id, attempts)
        for town_id, id_, phone, body, claim_id, attempts in session.execute(query)
    ]


FOLLOWED_AFTER = timedelta(minutes=15)
"""A receipt that has not come by then may be lost: the carrier is asked."""
FOLLOWED_FOR = timedelta(days=3)
"""Later than that nobody learns any more what became of a message."""


def without_a_receipt(session: Session, limit: int, at: datetime) -> list[Followed]:
    """Messages that the carrier took and of which no last word has come, the longest waiting first: to be asked about after a
    quarter of an hour, half an hour, an hour, and so on, for three days."""
    waits, asked = at - Message.claimed_at, Message.asked_at - Message.claimed_at
    query = (
        select(Message.town_id, Message.id, Message.sid)
        .where(Message.state.in_([Delivery.ACCEPTED, Delivery.SENT]), Message.sid.is_not(None))
        .where(Message.claimed_at.between(at - FOLLOWED_FOR, at - FOLLOWED_AFTER))
        .where(or_(Message.asked_at.is_(None), waits >= asked * 2))
        .order_by(Message.claimed_at, Message.id)
        .limit(limit)
    )
    return [Followed(town_id, id_, sid or "") for town_id, id_, sid in session.execute(query)]


def link_with(session: Session, token: str) -> OptOutLink | None:
    """The address on which a number says no."""
    return session.scalar(select(OptOutLink).where(OptOutLink.token == token))


def has_no_last_day() -> ColumnElement[bool]:
    """The message is one of a campaign that names no last day."""
    theirs = select(Campaign.id).where(Campaign.last_day.is_(None))
    return and_(Message.campaign_id.is_not(None), Message.campaign_id.in_(theirs))


def waits_for_a_word() -> ColumnElement[bool]:
    """The message waits for a person: its campaign is not running, its town is held, or it was set aside after a restore.
    Where its campaign names no last day, however long that takes does not make it late."""
    held = select(SmsSettings.town_id).where(SmsSettings.held_since.is_not(None))
    stopped = select(Campaign.id).where(Campaign.stage.in_(WAITING_STAGES))
    return and_(
        has_no_last_day(),
        or_(Message.state == Delivery.HELD, Message.town_id.in_(held), Message.campaign_id.in_(stopped)),
    )


def unfinished() -> ColumnElement[bool]:
    """The campaign still has messages that wait or are under way."""
    return exists().where(
        Message.town_id == Campaign.town_id,
        Message.campaign_id == Campaign.id,
        Message.state.in_(WAITING | {Delivery.SENDING}),
    )
