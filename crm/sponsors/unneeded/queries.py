"""Money set aside that waits for months it cannot be paid for: of whom, from which month on, and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session

from crm.accounts.queries import Scope
from crm.errors import NotFound
from crm.money import Vnd
from crm.months import Month
from crm.participation.models import ParticipantMonth, Participation
from crm.participation.rules import first_months, method_of
from crm.premiums.queries import law
from crm.premiums.rules.keys import PERIODS
from crm.premiums.rules.quotes import Plan
from crm.prospects.models import Prospect
from crm.prospects.queries.seeing import visible_to
from crm.prospects.rules import Stage
from crm.sponsors.family import stands_for
from crm.sponsors.models import Allocation, AllocationMonth, Posting, Sponsor
from crm.sponsors.unneeded.rules import FOR_GOOD, Why
from crm.web.pager import Page, page


class Unneeded(NamedTuple):
    """Money of one person's months, from `since` on, that can be given back. What lies before is needed still."""

    allocation: Allocation
    person: Prospect
    sponsor: Sponsor
    since: Month
    months: int
    amount: Vnd
    why: Why


def unneeded_page(session: Session, scope: Scope, today: date, *, cursor: str | None, size: int = 50) -> Page[Unneeded]:
    """In the order in which it was set aside, among the people one may see."""
    found: Page[Any] = page(
        session,
        _query(session, scope, today),
        (Allocation.id,),
        cursor=cursor,
        size=size,
        kinds=(UUID,),
        key=lambda row: (row[0].id,),
    )
    return Page(_told(session, found.rows), found.next)


def unneeded(session: Session, scope: Scope, today: date, allocation_id: UUID) -> Unneeded:
    """One of them. Raises NotFound when it is needed, settled already, or out of sight."""
    rows = session.execute(_query(session, scope, today).where(Allocation.id == allocation_id)).all()
    if not rows:
        raise NotFound
    return _told(session, rows)[0]


def how_many(session: Session, scope: Scope, today: date) -> int:
    """How many stand in the list."""
    counted = _query(session, scope, today).with_only_columns(func.count())
    return int(session.scalar(counted) or 0)


def _query(session: Session, scope: Scope, today: date) -> Any:
    """(allocation, person, sponsor, the first month paid with other money, left for good, may not take part)."""
    month, of = AllocationMonth, law(session).on(today)
    paid_from = (
        select(func.min(month.month))
        .join(
            ParticipantMonth,
            and_(
                ParticipantMonth.town_id == month.town_id,
                ParticipantMonth.prospect_id == month.prospect_id,
                ParticipantMonth.month == month.month,
                ParticipantMonth.counts,
            ),
        )
        .where(month.town_id == Allocation.town_id, month.allocation_id == Allocation.id, month.released_at.is_(None))
        .correlate(Allocation)
        .scalar_subquery()
    )
    earliest = {
        months: first_months(today, of, Plan(method_of(months), months))[0].first_day for months in PERIODS.values()
    }
    too_late = Allocation.start_month < case(earliest, value=Allocation.carried_months, else_=earliest[1])
    left, barred = _left_for_good(), Prospect.stage == Stage.NOT_ELIGIBLE
    return (
        select(Allocation, Prospect, Sponsor, paid_from, left, barred)
        .select_from(Allocation)
        .join(Prospect, and_(Prospect.town_id == Allocation.town_id, Prospect.id == Allocation.prospect_id))
        .join(Sponsor, stands_for(Allocation))
        .where(
            visible_to(scope),
            Allocation.town_id == scope.town_id,
            Allocation.carried_months > 0,
            Allocation.payment_id.is_(None),
            or_(paid_from.is_not(None), left, barred, too_late),
        )
    )


def _left_for_good() -> ColumnElement[bool]:
    """Somebody left after the money was set aside, and takes part in nothing now."""
    spell = (Participation.town_id == Allocation.town_id, Participation.prospect_id == Allocation.prospect_id)
    ended = exists().where(
        *spell,
        Participation.withdrawn_at.is_(None),
        Participation.ended_as.in_(FOR_GOOD),
        Participation.ended_on
        >= select(Posting.posted_on)
        .where(Posting.town_id == Allocation.town_id, Posting.id == Allocation.posting_id)
        .correlate(Allocation)
        .scalar_subquery(),
    )
    open_now = exists().where(*spell, Participation.goes_on)
    return and_(ended, ~open_now)


def _told(session: Session, rows: Sequence[Any]) -> list[Unneeded]:
    ids = [row[0].id for row in rows]
    waiting = select(AllocationMonth).where(
        AllocationMonth.allocation_id.in_(ids),
        AllocationMonth.released_at.is_(None),
    )
    months: dict[UUID, list[AllocationMonth]] = {key: [] for key in ids}
    for one in session.scalars(waiting.order_by(AllocationMonth.month)) if ids else ():
        months[one.allocation_id].append(one)
    found = []
    for allocation, person, sponsor, paid_from, left, barred in rows:
        why = Why.LEFT if left else Why.NOT_ELIGIBLE if barred else Why.PAID if paid_from else Why.TOO_LATE
        since = paid_from if why is Why.PAID else allocation.start_month
        free = [one for one in months[allocation.id] if one.month >= since]
        amount = sum(one.amount for one in free)
        found.append(Unneeded(allocation, person, sponsor, Month.of(since), len(free), amount, why))
    return found
