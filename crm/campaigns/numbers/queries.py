"""Questions about a telephone number: what it said, whose it is, what would reach it now, and which lists hold it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import Scope
from crm.accounts.rules import Reach
from crm.campaigns.models import Message, SmsSettings
from crm.campaigns.numbers.models import DoNotCallList, DoNotCallNumber
from crm.campaigns.numbers.rules import AT_WORK
from crm.campaigns.queries import counts_towards_the_limit
from crm.campaigns.rules.hours import MOST_A_DAY, Hours
from crm.campaigns.rules.reasons import Reason
from crm.errors import NotFound
from crm.prospects.models import Consent, Prospect
from crm.prospects.queries.facts import consents_of
from crm.prospects.queries.seeing import ORDER, visible_to
from crm.prospects.rules import Purpose
from crm.web.pager import Page, latest_first

STILL = timedelta(minutes=1)
PAGE = 30


class Holders(NamedTuple):
    """Whose number it is: those whom this person sees, and how many others there are."""

    seen: Sequence[Prospect]
    others: int


def holders(session: Session, scope: Scope, phone: str) -> Holders:
    """The people with this number, as their mobile or another of their numbers."""
    has = or_(Prospect.phone == phone, Prospect.other_phone == phone)
    here = (Prospect.town_id == scope.town_id, Prospect.merged_into_id.is_(None), has)
    seen = session.scalars(select(Prospect).where(*here, visible_to(scope)).order_by(*ORDER).limit(PAGE)).all()
    everybody = session.scalar(select(func.count()).select_from(Prospect).where(*here)) or 0
    return Holders(seen, everybody - len(seen))


def look_up(session: Session, scope: Scope, phone: str) -> Holders:
    """The people with a number that this person may look at: one of somebody they see, or any for who sees the whole town.
    Raises NotFound."""
    found = holders(session, scope, phone)
    if not found.seen and scope.reach is not Reach.ALL:
        raise NotFound
    return found


class Answer(NamedTuple):
    """An answer of a number, and who wrote it down."""

    consent: Consent
    by: str | None


def history_of(session: Session, town_id: UUID, phone: str) -> Sequence[Answer]:
    """All that a number ever said, the latest first."""
    query = (
        select(Consent, User.full_name)
        .outerjoin(User, (User.town_id == Consent.town_id) & (User.id == Consent.recorded_by_id))
        .where(Consent.town_id == town_id, Consent.phone == phone)
        .order_by(Consent.at.desc(), Consent.recorded_at.desc(), Consent.id.desc())
        .limit(200)
    )
    return [Answer(*row) for row in session.execute(query)]


class Reachable(NamedTuple):
    """Whether a message of one purpose would leave for a number now, and why not. `no` is None when it would."""

    purpose: Purpose
    said: Consent | None
    no: Reason | None


def reachable(session: Session, town_id: UUID, phone: str, at: datetime) -> list[Reachable]:
    """What would reach a number at this moment: the same questions that the claim asks."""
    said = consents_of(session, town_id, phone)
    settings = session.scalar(select(SmsSettings).where(SmsSettings.town_id == town_id))
    had = select(func.count()).select_from(Message).where(Message.town_id == town_id, Message.phone == phone)
    full = (session.scalar(had.where(counts_towards_the_limit(Message, at))) or 0) >= MOST_A_DAY
    hours = settings.hours if settings else Hours()
    checks = (
        (settings is not None and settings.held_since is not None, Reason.RESTORED),
        (full, Reason.TOO_MANY),
        (not hours.allow(at), Reason.OUT_OF_HOURS),
    )
    now = next((reason for stopped, reason in checks if stopped), None)
    return [Reachable(one, said.get(one), _silence(said.get(one)) or now) for one in Purpose]


def _silence(said: Consent | None) -> Reason | None:
    if said is None:
        return Reason.NO_CONSENT
    return None if said.given else Reason.OPTED_OUT


# ---- do-not-call lists


def list_of(session: Session, town_id: UUID, list_id: UUID) -> DoNotCallList:
    """A list of this town. Raises NotFound."""
    found = session.get(DoNotCallList, (town_id, list_id))
    if found is None:
        raise NotFound
    return found


def lists_page(session: Session, town_id: UUID, *, cursor: str | None) -> Page[DoNotCallList]:
    """Lists that were handed in, the latest first."""
    query, order = select(DoNotCallList).where(DoNotCallList.town_id == town_id), (DoNotCallList.id,)
    return latest_first(session, query, order, cursor=cursor, size=PAGE, kinds=(UUID,), key=lambda one: (one.id,))


def standing_still(session: Session, at: datetime) -> Sequence[tuple[UUID, UUID]]:
    """Lists on which nobody has worked for a minute although they are not done."""
    query = select(DoNotCallList.town_id, DoNotCallList.id).where(
        DoNotCallList.state.in_(AT_WORK),
        or_(DoNotCallList.touched_at < at - STILL, DoNotCallList.touched_at > at + STILL),
    )
    return [(row[0], row[1]) for row in session.execute(query)]


class Meant(NamedTuple):
    """What a list would do: how many of its numbers agree now, and whose they are."""

    agreeing: int
    people: int


def meant(session: Session, row: DoNotCallList) -> Meant:
    """How many numbers of a list would be refused that agree now, and how many people have a number of it."""
    numbers = select(DoNotCallNumber.phone).where(
        DoNotCallNumber.town_id == row.town_id, DoNotCallNumber.list_id == row.id
    )
    latest = (
        select(Consent.phone, Consent.given)
        .distinct(Consent.phone, Consent.purpose)
        .where(Consent.town_id == row.town_id, Consent.purpose.in_([Purpose(one) for one in row.purposes]))
        .where(Consent.phone.in_(numbers))
        .order_by(Consent.phone, Consent.purpose, Consent.at.desc(), Consent.recorded_at.desc(), Consent.id.desc())
        .subquery()
    )
    agreeing = select(func.count(latest.c.phone.distinct())).where(latest.c.given)
    people = (
        select(func.count())
        .select_from(Prospect)
        .where(Prospect.town_id == row.town_id, Prospect.merged_into_id.is_(None), Prospect.phone.in_(numbers))
    )
    return Meant(session.scalar(agreeing) or 0, session.scalar(people) or 0)


def lists_with(session: Session, town_id: UUID, phone: str) -> Sequence[DoNotCallList]:
    """The lists in force on which a number stands, the latest first."""
    query = (
        select(DoNotCallList)
        .join(
            DoNotCallNumber,
            (DoNotCallNumber.town_id == DoNotCallList.town_id) & (DoNotCallNumber.list_id == DoNotCallList.id),
        )
        .where(
            DoNotCallNumber.town_id == town_id, DoNotCallNumber.phone == phone, DoNotCallList.confirmed_at.is_not(None)
        )
        .order_by(DoNotCallList.confirmed_at.desc(), DoNotCallList.id)
        .limit(PAGE)
    )
    return session.scalars(query).all()
