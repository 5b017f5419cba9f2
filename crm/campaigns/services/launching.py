"""From a text and a filter to one row for each number, and stopping it again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, insert, select, update
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import scope_of
from crm.campaigns import queries
from crm.campaigns.models import Campaign, Message
from crm.campaigns.queries import Candidate
from crm.campaigns.rules.delivery import WAITING, Delivery
from crm.campaigns.rules.hours import VIETNAM
from crm.campaigns.rules.reasons import Reason
from crm.campaigns.rules.stages import PERSON_PLACES, Content, Stage, person_values
from crm.campaigns.rules.texts import LONGEST, compose, fill, places, size
from crm.campaigns.rules.ways import Way
from crm.campaigns.services.opting_out import links_for
from crm.campaigns.services.sending import settings_of
from crm.errors import NotFound, RuleBroken
from crm.ids import new_id
from crm.places.queries import ids_within
from crm.prospects.lists.queries import people_of, segment_seen
from crm.prospects.models import Prospect

KEEPS_TRYING = timedelta(days=3)
"""A campaign's messages that could not leave within this time come too late."""


@dataclass
class Preflight:
    """What a launch would do: people, messages, segments and đồng both ways, and who is left out and why."""

    people: int = 0
    messages: int = 0
    segments: int = 0
    plain_segments: int = 0
    accented_segments: int = 0
    cost: int = 0
    price: int = 0
    excluded: Counter[Reason] = field(default_factory=Counter)
    sample: str = ""


@dataclass(frozen=True)
class Drafted:
    """One person's message, or why there is none."""

    candidate: Candidate
    body: str
    reason: Reason | None
    accented_segments: int = 0
    plain_segments: int = 0


def draft_campaign(session: Session, town_id: UUID, content: Content, *, by_id: UUID, at: datetime) -> Campaign:
    """A new campaign, not yet launched. Raises RuleBroken when the text names a place that no person can fill."""
    unknown = [place for place in places(content.text) if place not in PERSON_PLACES]
    if unknown:
        known = ", ".join(f"{{{place}}}" for place in PERSON_PLACES)
        raise RuleBroken(
            _l("{%(place)s} is not known; a text may name %(known)s.", place=unknown[0], known=known), field="text"
        )
    if size(content.text).characters > LONGEST:
        raise RuleBroken(_l("The text is too long."), field="text")
    campaign = Campaign(
        town_id=town_id,
        name=content.name,
        text=content.text,
        purpose=content.purpose,
        segment=content.segment,
        accented=content.accented,
        stage=Stage.DRAFT,
        created_by_id=by_id,
        created_at=at,
    )
    session.add(campaign)
    session.flush()
    return campaign


def audience(
    session: Session, campaign: Campaign, at: datetime, *, by_id: UUID, visible: ColumnElement[bool] | None = None
) -> Iterator[Candidate]:
    """The people of the campaign's filter, as they are now; `visible` leaves out those whom a reader may not see.

    A saved list finds those of its people whom `by_id` sees, who launches or looks, never its author's. RuleBroken when
    it is not there any more."""
    place = campaign.segment.get("place")
    within = ids_within(session, campaign.town_id, UUID(place)) if place else None
    query = queries.candidates(
        campaign.town_id, campaign.segment, campaign.purpose, within, at.astimezone(VIETNAM).date(), visible=visible
    )
    if saved := campaign.segment.get("list"):
        query = query.where(Prospect.id.in_(_of_list(session, campaign, saved, by_id, at)))
    for row in session.execute(query):
        yield Candidate(*row)


def _of_list(session: Session, campaign: Campaign, saved: str, by_id: UUID, at: datetime) -> Select[UUID]:
    user = session.get_one(User, (campaign.town_id, by_id))
    scope, today = scope_of(session, user), at.astimezone(VIETNAM).date()
    try:
        found = people_of(segment_seen(session, scope, user, saved), scope, today, session=session)
    except NotFound:
        raise RuleBroken(_l("The saved list of this campaign is not there any more. Make a new campaign.")) from None
    return found.with_only_columns(Prospect.id)


def draft_all(
    campaign: Campaign, people: Sequence[Candidate], opt_out: Callable[[str], str], year: int
) -> Iterator[Drafted]:
    """Everybody's message in order: the first of a household's shared number gets it, the others are left out."""
    taken: set[str] = set()
    for one in people:
        reason = _reason_to_leave_out(one, taken)
        if reason is not None or one.phone is None:
            yield Drafted(one, "", reason or Reason.NO_PHONE)
            continue
        text = fill(campaign.text, person_values(one.full_name, one.female, one.birth_year, year))
        bodies = [compose(text, campaign.purpose, opt_out(one.phone), accented=way) for way in (False, True)]
        body = bodies[campaign.accented]
        if size(body).characters > LONGEST:
            yield Drafted(one, body, Reason.TOO_LONG)
            continue
        taken.add(one.phone)
        plain, accented = (size(way).segments for way in bodies)
        yield Drafted(one, body, None, accented, plain)


def _reason_to_leave_out(one: Candidate, taken: set[str]) -> Reason | None:
    checks = (
        (one.phone is None and one.other_phone is not None, Reason.NOT_MOBILE),
        (one.phone is None, Reason.NO_PHONE),
        (one.consent is False, Reason.OPTED_OUT),
        (one.consent is None, Reason.NO_CONSENT),
        (one.phone in taken, Reason.SAME_PHONE),
    )
    return next((reason for left_out, reason in checks if left_out), None)


def preflight(
    session: Session,
    campaign: Campaign,
    *,
    public_url: str,
    at: datetime,
    by_id: UUID | None = None,
    visible: ColumnElement[bool] | None = None,
) -> Preflight:
    """What a launch would do now, among the people whom the reader sees. Nothing is written; addresses to refuse have
    their true length."""
    result = Preflight(price=settings_of(session, campaign.town_id).price)
    example = f"{public_url}/o/{'x' * 11}"
    people = list(audience(session, campaign, at, by_id=by_id or campaign.created_by_id, visible=visible))
    for drafted in draft_all(campaign, people, lambda _phone: example, at.year):
        result.people += 1
        if drafted.reason is not None:
            result.excluded[drafted.reason] += 1
            continue
        result.messages += 1
        result.plain_segments += drafted.plain_segments
        result.accented_segments += drafted.accented_segments
        result.sample = result.sample or drafted.body
    result.segments = result.accented_segments if campaign.accented else result.plain_segments
    result.cost = result.segments * result.price
    return result


def launch(session: Session, campaign: Campaign, *, public_url: str, by_id: UUID, at: datetime) -> int:
    """Freeze the audience, one row for each person, and let it run; how many messages will go.

    Raises RuleBroken when nobody would get one, or the campaign was launched before."""
    _lock(session, campaign)
    campaign.move_to(Stage.RUNNING)
    people = list(audience(session, campaign, at, by_id=by_id))
    phones = [one.phone for one in people if one.phone and one.consent]
    tokens = links_for(session, campaign.town_id, phones, at) if phones else {}
    way = queries.way_for(session, campaign.town_id, campaign.purpose)
    rows = [
        _row(campaign, drafted, way, at)
        for drafted in draft_all(campaign, people, lambda phone: f"{public_url}/o/{tokens[phone]}", at.year)
    ]
    sent = sum(1 for row in rows if row["state"] is Delivery.QUEUED)
    if not sent:
        raise RuleBroken(_l("Nobody would get this message; look at who is left out and why."), code="nobody")
    campaign.launched_by_id, campaign.launched_at, campaign.expires_at = by_id, at, at + KEEPS_TRYING
    session.flush()
    for start in range(0, len(rows), 5000):
        session.execute(insert(Message), rows[start : start + 5000])
    return sent


def _row(campaign: Campaign, drafted: Drafted, way: Way, at: datetime) -> dict[str, Any]:
    counted = size(drafted.body)
    return {
        "town_id": campaign.town_id,
        "id": new_id(),
        "campaign_id": campaign.id,
        "purpose": campaign.purpose,
        "way": way,
        "phone": drafted.candidate.phone,
        "prospect_id": drafted.candidate.prospect_id,
        "body": drafted.body,
        "encoding": counted.encoding,
        "segments": counted.segments,
        "state": Delivery.EXCLUDED if drafted.reason else Delivery.QUEUED,
        "reason": drafted.reason,
        "not_before": at,
        "expires_at": at + KEEPS_TRYING,
        "made_at": at,
        "settled_at": at if drafted.reason else None,
        "attempts": 0,
    }


def pause(session: Session, campaign: Campaign) -> None:
    """Nothing more leaves until it is resumed."""
    _lock(session, campaign)
    campaign.move_to(Stage.PAUSED)
    session.flush()


def resume(session: Session, campaign: Campaign) -> None:
    """It goes on where it stopped: each message has its own state."""
    _lock(session, campaign)
    if campaign.stage is Stage.DRAFT:
        raise RuleBroken(_l("This campaign has not been launched yet."))
    campaign.move_to(Stage.RUNNING)
    campaign.stood_still_since = None
    session.flush()


def cancel(session: Session, campaign: Campaign, at: datetime) -> int:
    """What has not left is called off; how many messages that were."""
    _lock(session, campaign)
    campaign.move_to(Stage.CANCELLED)
    done = session.execute(
        update(Message)
        .where(Message.town_id == campaign.town_id, Message.campaign_id == campaign.id, Message.state.in_(WAITING))
        .values(state=Delivery.CANCELLED, reason=Reason.CALLED_OFF, settled_at=at)
        .returning(Message.id)
        .execution_options(synchronize_session=False)
    )
    moved = len(done.all())
    session.expire_all()
    return moved


def _lock(session: Session, campaign: Campaign) -> None:
    """Two people pressing a button at once: the second sees what the first did."""
    query = select(Campaign).where(Campaign.town_id == campaign.town_id, Campaign.id == campaign.id)
    session.scalar(query.with_for_update().execution_options(populate_existing=True))
