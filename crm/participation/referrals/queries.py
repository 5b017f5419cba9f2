"""Who is to be referred to the insurance office, what was sent, and what it answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from crm.accounts.models import User
from crm.accounts.queries import Scope
from crm.errors import NotFound
from crm.participation.referrals.models import Referral, ReferralList
from crm.participation.referrals.rules import State
from crm.places.boundaries import units_on
from crm.places.models import Place
from crm.prospects.models import Prospect
from crm.prospects.queries.seeing import visible_to
from crm.web.pager import Page, page


class Line(NamedTuple):
    """One referral with its person, the ward, who referred, and the list it went in."""

    row: Referral
    person: Prospect
    place: Place
    by: str | None
    sent: ReferralList | None


def _lines(scope: Scope) -> Select[Referral, Prospect, Place, str, ReferralList]:
    by = aliased(User)
    return (
        select(Referral, Prospect, Place, by.full_name, ReferralList)
        .join(Prospect, (Prospect.town_id == Referral.town_id) & (Prospect.id == Referral.prospect_id))
        .join(Place, (Place.town_id == Prospect.town_id) & (Place.id == Prospect.place_id))
        .outerjoin(by, (by.town_id == Referral.town_id) & (by.id == Referral.referred_by_id))
        .outerjoin(ReferralList, (ReferralList.town_id == Referral.town_id) & (ReferralList.id == Referral.list_id))
        .where(visible_to(scope))
    )


def page_of(session: Session, scope: Scope, state: State, *, cursor: str | None, size: int = 50) -> Page[Line]:
    """Referrals in a state, the oldest first."""
    query: Any = _lines(scope).where(Referral.state == state)
    found = page(
        session,
        query,
        (Referral.referred_at, Referral.id),
        cursor=cursor,
        size=size,
        kinds=(datetime.fromisoformat, UUID),
        key=lambda row: (row[0].referred_at.isoformat(), row[0].id),
    )
    return Page([Line(*row) for row in found.rows], found.next)


def counts(session: Session, scope: Scope) -> dict[State, int]:
    """How many stand in each state."""
    query = (
        select(Referral.state, func.count())
        .join(Prospect, (Prospect.town_id == Referral.town_id) & (Prospect.id == Referral.prospect_id))
        .where(visible_to(scope))
        .group_by(Referral.state)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def list_seen(session: Session, scope: Scope, list_id: UUID) -> tuple[ReferralList, Sequence[Line]]:
    """A list that was sent, with those of its people whom one may see, each in the ward of that day. Raises NotFound."""
    row = session.get(ReferralList, (scope.town_id, list_id))
    query = _lines(scope).where(Referral.list_id == list_id).order_by(Prospect.name_key, Prospect.id)
    lines = [Line(*one) for one in session.execute(query)]
    if row is None or not lines:
        raise NotFound
    wards = units_on(session, {one.row.id: (one.place, one.person.neighbourhood_id) for one in lines}, row.sent_on)
    return row, [one._replace(place=wards[one.row.id]) for one in lines]


def lists_of(session: Session, scope: Scope, most: int = 30) -> Sequence[tuple[ReferralList, int]]:
    """The lists sent last, and how many of their people one may see."""
    query = (
        select(ReferralList, func.count())
        .join(Referral, (Referral.town_id == ReferralList.town_id) & (Referral.list_id == ReferralList.id))
        .join(Prospect, (Prospect.town_id == Referral.town_id) & (Prospect.id == Referral.prospect_id))
        .where(visible_to(scope))
        .group_by(ReferralList.town_id, ReferralList.id)
        .order_by(ReferralList.at.desc())
        .limit(most)
    )
    return [(row[0], row[1]) for row in session.execute(query)]
