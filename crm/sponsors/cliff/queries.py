"""Whose help ends within three months, by whose money, and since when nobody follows."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session

from crm.accounts.queries import Scope
from crm.months import Month
from crm.participation.guard.rules import SPONSOR_NOTICE
from crm.places.models import Place
from crm.prospects.models import Prospect
from crm.prospects.queries.seeing import listed_to
from crm.sponsors.models import Allocation, AllocationMonth, Sponsor
from crm.sponsors.queries import carried_until
from crm.web.pager import Page, page


class Ahead(NamedTuple):
    """How many people stand before a cliff, and the last month of the first of them."""

    people: int
    first: Month | None


def ahead(session: Session, scope: Scope, today: date) -> Ahead:
    """Whose help ends within three months, among the people somebody may see."""
    ending = carried_until(scope.town_id, today).subquery()
    people = select(func.count(), func.min(ending.c.until)).join(Prospect, _is(ending)).where(listed_to(scope))
    number, first = session.execute(people.select_from(ending)).one()
    return Ahead(int(number), Month.of(first) if first else None)


class Ending(NamedTuple):
    """Somebody whose help ends, and whose money it is."""

    person: Prospect
    place: str
    until: Month
    sponsor: Sponsor


def _is(ending: Any) -> Any:
    return and_(Prospect.id == ending.c.prospect_id)


def _endings(scope: Scope, today: date, within: int = SPONSOR_NOTICE) -> tuple[Select[Any], Any]:
    """Everybody with the sponsor of their last month, and the column of that month."""
    ending = carried_until(scope.town_id, today, within).subquery()
    query = (
        select(Prospect, Place.name, ending.c.until, Sponsor)
        .join(ending, _is(ending))
        .join(Place, and_(Place.town_id == Prospect.town_id, Place.id == Prospect.place_id))
        .join(
            AllocationMonth,
            and_(
                AllocationMonth.town_id == Prospect.town_id,
                AllocationMonth.prospect_id == Prospect.id,
                AllocationMonth.month == ending.c.until,
                AllocationMonth.released_at.is_(None),
            ),
        )
        .join(
            Allocation,
            and_(Allocation.town_id == Prospect.town_id, Allocation.id == AllocationMonth.allocation_id),
        )
        .join(Sponsor, and_(Sponsor.town_id == Prospect.town_id, Sponsor.id == Allocation.sponsor_id))
        .where(listed_to(scope))
    )
    return query, ending.c.until


def endings_page(session: Session, scope: Scope, today: date, *, cursor: str | None, size: int) -> Page[Ending]:
    """Whose help ends, the soonest first."""
    query, until = _endings(scope, today)
    found: Page[Any] = page(
        session,
        query,
        (until, Prospect.id),
        cursor=cursor,
        size=size,
        kinds=(date.fromisoformat, UUID),
        key=lambda row: (row[2], row[0].id),
    )
    return Page([Ending(row[0], row[1], Month.of(row[2]), row[3]) for row in found.rows], found.next)
