"""What waits for a second person, and which months of the book are closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session, aliased

from crm.accounts.models import User
from crm.accounts.queries import Scope
from crm.errors import NotFound
from crm.money import Vnd
from crm.months import Month
from crm.participation.listed.models import ListedPayment
from crm.prospects.models import Prospect
from crm.prospects.queries.seeing import visible_to
from crm.sponsors.ledger.models import LedgerPeriod, MoneyRequest
from crm.sponsors.ledger.rules import next_to_close
from crm.sponsors.models import Allocation, LedgerAccount, Posting, Receipt, Sponsor
from crm.sponsors.rules import AccountKind
from crm.sponsors.statements.models import StatementLine
from crm.web.pager import Page, page


class Asked(NamedTuple):
    """A request with the names that belong to it."""

    request: MoneyRequest
    sponsor: str | None
    asked_by: str
    decided_by: str | None


def how_many_wait(session: Session, town_id: UUID, user_id: UUID | None = None) -> int:
    """Requests that nobody has decided, without those of `user_id`, who cannot decide them."""
    query = select(func.count()).where(MoneyRequest.town_id == town_id, MoneyRequest.decision.is_(None))
    if user_id:
        query = query.where(MoneyRequest.asked_by_id != user_id)
    return session.scalar(query) or 0


def request(session: Session, scope: Scope, request_id: UUID) -> Asked:
    """One request of this town. Raises NotFound."""
    row = session.execute(_asked(scope.town_id).where(MoneyRequest.id == request_id)).one_or_none()
    if row is None:
        raise NotFound
    return Asked(*row)


def waiting(session: Session, scope: Scope, *, cursor: str | None, size: int = 50) -> Page[MoneyRequest]:
    """Requests that wait, the oldest first."""
    query = select(MoneyRequest).where(MoneyRequest.town_id == scope.town_id, MoneyRequest.decision.is_(None))
    return page(session, query, (MoneyRequest.id,), cursor=cursor, size=size, kinds=(UUID,), key=lambda row: (row.id,))


def all_requests(session: Session, scope: Scope, *, cursor: str | None, size: int = 50) -> Page[MoneyRequest]:
    """Every request, in the order they were made."""
    query = select(MoneyRequest).where(MoneyRequest.town_id == scope.town_id)
    return page(session, query, (MoneyRequest.id,), cursor=cursor, size=size, kinds=(UUID,), key=lambda row: (row.id,))


def named(session: Session, scope: Scope, requests: Sequence[MoneyRequest]) -> list[Asked]:
    """These requests with the names that belong to them, in the same order."""
    rows = session.execute(_asked(scope.town_id).where(MoneyRequest.id.in_([one.id for one in requests])))
    found = {row[0].id: Asked(*row) for row in rows}
    return [found[one.id] for one in requests]


def decided_lately(session: Session, scope: Scope, most: int = 20) -> list[Asked]:
    """What was decided last, and by whom."""
    query = _asked(scope.town_id).where(MoneyRequest.decision.is_not(None))
    return [Asked(*row) for row in session.execute(query.order_by(MoneyRequest.decided_at.desc()).limit(most))]


def _asked(town_id: UUID):  # type: ignore[no-untyped-def]
    asker, decider = aliased(User), aliased(User)
    return (
        select(MoneyRequest, Sponsor.name, asker.full_name, decider.full_name)
        .join(asker, and_(asker.town_id == MoneyRequest.town_id, asker.id == MoneyRequest.asked_by_id))
        .outerjoin(decider, and_(decider.town_id == MoneyRequest.town_id, decider.id == MoneyRequest.decided_by_id))
        .outerjoin(Sponsor, and_(Sponsor.town_id == MoneyRequest.town_id, Sponsor.id == MoneyRequest.sponsor_id))
        .where(MoneyRequest.town_id == town_id)
    )


class About(NamedTuple):
    """What a request would do: whom and which months it is for, which receipt it takes back, which line of the bank it is
    about."""

    person: Prospect | None
    first: Month | None
    months: int | None
    receipt: Receipt | None
    line: StatementLine | None


def about(session: Session, scope: Scope, asked: MoneyRequest) -> About:
    """What a request is about; the person only for whoever may see them."""
    told = asked.arguments
    person_id, first, months = told.get("prospect_id"), told.get("start"), told.get("months")
    allocation = (
        session.get(Allocation, (asked.town_id, UUID(told["allocation_id"]))) if "allocation_id" in told else None
    )
    listed = session.get(ListedPayment, (asked.town_id, UUID(told["listed_id"]))) if "listed_id" in told else None
    receipt = session.get(Receipt, (asked.town_id, UUID(told["receipt_id"]))) if "receipt_id" in told else None
    if allocation:
        person_id, first = allocation.prospect_id, str(Month.of(allocation.start_month))
        months = allocation.carried_months
    if listed:
        person_id, first, months = listed.prospect_id, str(Month.of(listed.start_month)), listed.months
    seen = select(Prospect).where(visible_to(scope), Prospect.id == person_id)
    return About(
        person=session.scalar(seen) if person_id else None,
        first=Month.parse(first or told["month"]) if first or "month" in told else None,
        months=months,
        receipt=receipt,
        line=session.get(StatementLine, (asked.town_id, UUID(told["line_id"]))) if "line_id" in told else None,
    )


def balances_by_kind(session: Session, town_id: UUID) -> dict[AccountKind, Vnd]:
    """The money of the whole town by where it is."""
    query = select(LedgerAccount.kind, func.sum(LedgerAccount.balance)).where(LedgerAccount.town_id == town_id)
    found = {row[0]: int(row[1]) for row in session.execute(query.group_by(LedgerAccount.kind))}
    return {kind: found.get(kind, 0) for kind in AccountKind}


def month_to_close(session: Session, town_id: UUID, today: date) -> Month | None:
    """The month that is closed next; None while it is not over, or nothing is booked."""
    last = session.scalar(select(func.max(LedgerPeriod.month)).where(LedgerPeriod.town_id == town_id))
    first = None if last else session.scalar(select(func.min(Posting.posted_on)).where(Posting.town_id == town_id))
    return next_to_close(Month.of(last) if last else None, Month.of(first) if first else None, Month.of(today))


class Closed(NamedTuple):
    """A closed month and who closed it."""

    period: LedgerPeriod
    by: str


def closed_months(session: Session, town_id: UUID, most: int = 36) -> list[Closed]:
    """Closed months, the latest first."""
    query = (
        select(LedgerPeriod, User.full_name)
        .join(User, and_(User.town_id == LedgerPeriod.town_id, User.id == LedgerPeriod.closed_by_id))
        .where(LedgerPeriod.town_id == town_id)
        .order_by(LedgerPeriod.month.desc())
        .limit(most)
    )
    return [Closed(*row) for row in session.execute(query)]
