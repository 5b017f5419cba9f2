"""What waits for a second person, and which months of the book are closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session, aliased

from crm.accounts.models import ChangeRecord, User
from crm.accounts.queries import Scope
from crm.errors import NotFound
from crm.money import Vnd
from crm.months import Month
from crm.participation.listed.models import ListedPayment
from crm.prospects.models import Prospect
from crm.prospects.queries.seeing import visible_to
from crm.sponsors.ledger.models import LedgerPeriod, MoneyRequest
from crm.sponsors.ledger.rules import LIMIT_CHANGED, MoneyAct, next_to_close
from crm.sponsors.models import Allocation, LedgerAccount, Posting, Receipt, Sponsor
from crm.sponsors.rules import AccountKind
from crm.sponsors.statements.models import StatementLine
from crm.web.pager import Page, latest_first, page

Row = TypeVar("Row", Allocation, ListedPayment, Receipt, StatementLine)


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


def waiting_about(session: Session, scope: Scope, subject: UUID, acts: Sequence[MoneyAct]) -> list[Asked]:
    """What waits for a second person about one thing, the oldest first."""
    query = _asked(scope.town_id).where(
        MoneyRequest.decision.is_(None), MoneyRequest.subject == str(subject), MoneyRequest.act.in_(acts)
    )
    return [Asked(*row) for row in session.execute(query.order_by(MoneyRequest.id))]


def named(session: Session, scope: Scope, requests: Sequence[MoneyRequest]) -> list[Asked]:
    """These requests with the names that belong to them, in the same order."""
    rows = session.execute(_asked(scope.town_id).where(MoneyRequest.id.in_([one.id for one in requests])))
    found = {row[0].id: Asked(*row) for row in rows}
    return [found[one.id] for one in requests]


def decided(session: Session, scope: Scope, *, cursor: str | None, size: int = 20) -> Page[MoneyRequest]:
    """Requests that are decided, the latest decision first."""
    query = select(MoneyRequest).where(MoneyRequest.town_id == scope.town_id, MoneyRequest.decision.is_not(None))
    order = (MoneyRequest.decided_at, MoneyRequest.id)
    return latest_first(session, query, order, cursor=cursor, size=size, key=lambda row: (row.decided_at, row.id))


def _asked(town_id: UUID):  # type: ignore[no-untyped-def]
    asker, decider = aliased(User), aliased(User)
    return (
        select(MoneyRequest, Sponsor.name, asker.full_name, decider.full_name)
        .join(asker, and_(asker.town_id == MoneyRequest.town_id, asker.id == MoneyRequest.asked_by_id))
        .outerjoin(decider, and_(decider.town_id == MoneyRequest.town_id, decider.id == MoneyRequest.decided_by_id))
        .outerjoin(Sponsor, and_(Sponsor.town_id == MoneyRequest.town_id, Sponsor.id == MoneyRequest.sponsor_id))
        .where(MoneyRequest.town_id == town_id)
    )


def limit_changes(session: Session, town_id: UUID, most: int = 20) -> list[tuple[ChangeRecord, str | None]]:
    """When the limit for one person was changed, from what to what, and by whom; the latest first."""
    query = (
        select(ChangeRecord, User.full_name)
        .outerjoin(User, and_(User.town_id == ChangeRecord.town_id, User.id == ChangeRecord.user_id))
        .where(ChangeRecord.town_id == town_id, ChangeRecord.subject_id == town_id, ChangeRecord.act == LIMIT_CHANGED)
        .order_by(ChangeRecord.at.desc(), ChangeRecord.id.desc())
        .limit(most)
    )
    return [(row[0], row[1]) for row in session.execute(query)]


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
    return about_all(session, scope, [asked])[asked.id]


def about_all(session: Session, scope: Scope, requests: Sequence[MoneyRequest]) -> dict[UUID, About]:
    """The same of many: so many questions to the database as there are kinds of things they are about."""
    allocations = _told(session, scope, requests, "allocation_id", Allocation)
    listed = _told(session, scope, requests, "listed_id", ListedPayment)
    receipts = _told(session, scope, requests, "receipt_id", Receipt)
    lines = _told(session, scope, requests, "line_id", StatementLine)
    runs: dict[UUID, tuple[UUID | None, str | None, int | None]] = {}
    for one in requests:
        told, run = one.arguments, allocations.get(one.id) or listed.get(one.id)
        if isinstance(run, Allocation):
            runs[one.id] = run.prospect_id, str(Month.of(run.start_month)), run.carried_months
        elif isinstance(run, ListedPayment):
            runs[one.id] = run.prospect_id, str(Month.of(run.start_month)), run.months
        else:
            person = UUID(told["prospect_id"]) if told.get("prospect_id") else None
            runs[one.id] = person, told.get("start") or told.get("month"), told.get("months")
    ids = {person for person, _first, _months in runs.values() if person}
    seen = session.scalars(select(Prospect).where(visible_to(scope), Prospect.id.in_(ids))) if ids else ()
    people = {one.id: one for one in seen}
    return {
        one.id: About(
            person=people.get(person) if person else None,
            first=Month.parse(first) if first else None,
            months=months,
            receipt=receipts.get(one.id),
            line=lines.get(one.id),
        )
        for one in requests
        for person, first, months in [runs[one.id]]
    }


def _told(
    session: Session, scope: Scope, requests: Sequence[MoneyRequest], name: str, kind: type[Row]
) -> dict[UUID, Row]:
    """By request, the row of this kind that its arguments name."""
    keys = {one.id: UUID(one.arguments[name]) for one in requests if one.arguments.get(name)}
    if not keys:
        return {}
    rows = session.scalars(select(kind).where(kind.town_id == scope.town_id, kind.id.in_(keys.values())))
    found = {row.id: row for row in rows}
    return {asked_id: found[key] for asked_id, key in keys.items() if key in found}


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


def is_closed(session: Session, town_id: UUID, month: Month) -> bool:
    """Whether nothing is booked into a month any more."""
    last = session.scalar(select(func.max(LedgerPeriod.month)).where(LedgerPeriod.town_id == town_id))
    return last is not None and month <= Month.of(last)


def closing_asked(session: Session, town_id: UUID) -> bool:
    """Whether the closing of a month waits for a second person."""
    waits = select(MoneyRequest.id).where(
        MoneyRequest.town_id == town_id, MoneyRequest.act == MoneyAct.CLOSE, MoneyRequest.decision.is_(None)
    )
    return session.scalar(waits.limit(1)) is not None


class Closed(NamedTuple):
    """A closed month, who asked to close it and who approved that; None where one person was enough."""

    period: LedgerPeriod
    by: str
    approved_by: str | None


def closed_months(session: Session, town_id: UUID, most: int = 36) -> list[Closed]:
    """Closed months, the latest first."""
    asker, decider = aliased(User), aliased(User)
    query = (
        select(LedgerPeriod, asker.full_name, decider.full_name)
        .join(asker, and_(asker.town_id == LedgerPeriod.town_id, asker.id == LedgerPeriod.closed_by_id))
        .outerjoin(
            MoneyRequest,
            and_(MoneyRequest.town_id == LedgerPeriod.town_id, MoneyRequest.id == LedgerPeriod.request_id),
        )
        .outerjoin(decider, and_(decider.town_id == MoneyRequest.town_id, decider.id == MoneyRequest.decided_by_id))
        .where(LedgerPeriod.town_id == town_id)
        .order_by(LedgerPeriod.month.desc())
        .limit(most)
    )
    return [Closed(*row) for row in session.execute(query)]
