"""The account book of the fund as it is read: every posting of a month in its order, and what stood on the bank accounts
after it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, select
from sqlalchemy.orm import Session, aliased

from crm.accounts.models import User
from crm.accounts.queries import Scope
from crm.money import Vnd
from crm.months import Month
from crm.sponsors.family import stands_for
from crm.sponsors.ledger.models import LedgerPeriod, MoneyRequest
from crm.sponsors.models import LedgerAccount, LedgerEntry, Posting, Sponsor
from crm.sponsors.rules import HELD, MOVEMENTS, AccountKind, Movement
from crm.web.pager import Page, page

PAGE = 50


class Line(NamedTuple):
    """A posting: what it moved, what of that came onto the bank accounts (negative: left them) and what stood there
    afterwards, whole đồng; who recorded it, who approved it; the day of the posting it takes back, or that took it back."""

    posting: Posting
    amount: Vnd
    held: Vnd
    left: Vnd
    by: str | None
    approved_by: str | None
    takes_back: date | None
    taken_back: date | None

    @property
    def words(self) -> Any:
        """What happened."""
        return MOVEMENTS[Movement(self.posting.movement)]


class Turnover(NamedTuple):
    """The bank accounts in a month by the books, whole đồng: opening + came_in − went_out = closing."""

    opening: Vnd
    came_in: Vnd
    went_out: Vnd
    postings: int

    @property
    def closing(self) -> Vnd:
        return self.opening + self.came_in - self.went_out


def turnover(session: Session, town_id: UUID, month: Month) -> Turnover:
    """What stood on the bank accounts by the books before a month, and what moved in it."""
    moved = _moved(town_id, month.first_day, month.last_day).subquery()
    row = session.execute(
        select(
            func.coalesce(func.sum(moved.c.held).filter(moved.c.held > 0), 0),
            func.coalesce(func.sum(moved.c.held).filter(moved.c.held < 0), 0),
            func.count(),
        ).select_from(moved)
    ).one()
    return Turnover(_before(session, town_id, month), int(row[0]), -int(row[1]), int(row[2]))


def _before(session: Session, town_id: UUID, month: Month) -> Vnd:
    """What stood on the bank accounts before a month: what the last closed month tells, and what moved since."""
    closed = session.scalar(
        select(LedgerPeriod)
        .where(LedgerPeriod.town_id == town_id, LedgerPeriod.month < month.first_day)
        .order_by(LedgerPeriod.month.desc())
        .limit(1)
    )
    told = sum(int(closed.balances.get(kind, 0)) for kind in HELD) if closed else 0
    since = (Month.of(closed.month) + 1).first_day if closed else date.min
    moved = _moved(town_id, since, (month - 1).last_day).subquery()
    return told + int(session.scalar(select(func.coalesce(func.sum(moved.c.held), 0))) or 0)


def _moved(town_id: UUID, first: date, last: date) -> Select[Any]:
    """Postings of some days with what each moved, and what of it is on the bank accounts."""
    promised = LedgerAccount.kind.in_((AccountKind.EXPECTED, AccountKind.PROMISE))
    rise = func.sum(case((LedgerEntry.amount > 0, LedgerEntry.amount), else_=0))
    money = func.sum(case((and_(LedgerEntry.amount > 0, ~promised), LedgerEntry.amount), else_=0))
    return (
        select(
            Posting.id,
            case(
                (Posting.movement == Movement.MERGED, func.max(LedgerEntry.amount)),
                else_=func.coalesce(func.nullif(money, 0), rise),
            ).label("amount"),
            func.sum(case((LedgerAccount.kind.in_(HELD), LedgerEntry.amount), else_=0)).label("held"),
        )
        .join(LedgerEntry, and_(LedgerEntry.town_id == Posting.town_id, LedgerEntry.posting_id == Posting.id))
        .join(
            LedgerAccount,
            and_(LedgerAccount.town_id == LedgerEntry.town_id, LedgerAccount.id == LedgerEntry.ledger_account_id),
        )
        .where(Posting.town_id == town_id, Posting.posted_on.between(first, last))
        .group_by(Posting.id, Posting.movement)
    )


_ORDER = (Posting.posted_on, Posting.recorded_at, Posting.id)


def _lines(town_id: UUID, month: Month, opening: Vnd, *which: ColumnElement[bool]) -> Select[Any]:
    """The postings of a month; the balance afterwards counts those that `which` leaves out as well."""
    moved = _moved(town_id, month.first_day, month.last_day).subquery()
    running = (
        select(
            Posting.id,
            moved.c.amount,
            moved.c.held,
            (opening + func.sum(moved.c.held).over(order_by=_ORDER)).label("left"),
        )
        .join(moved, moved.c.id == Posting.id)
        .where(Posting.town_id == town_id)
        .subquery()
    )
    by, approver, first, back = aliased(User), aliased(User), aliased(Posting), aliased(Posting)
    return (
        select(
            Posting,
            running.c.amount,
            running.c.held,
            running.c.left,
            by.full_name,
            approver.full_name,
            first.posted_on,
            back.posted_on,
        )
        .join(running, running.c.id == Posting.id)
        .outerjoin(by, and_(by.town_id == Posting.town_id, by.id == Posting.recorded_by_id))
        .outerjoin(MoneyRequest, and_(MoneyRequest.town_id == Posting.town_id, MoneyRequest.id == Posting.request_id))
        .outerjoin(approver, and_(approver.town_id == MoneyRequest.town_id, approver.id == MoneyRequest.decided_by_id))
        .outerjoin(first, and_(first.town_id == Posting.town_id, first.id == Posting.reverses_id))
        .outerjoin(back, and_(back.town_id == Posting.town_id, back.reverses_id == Posting.id))
        .where(Posting.town_id == town_id, *which)
    )


def _line(row: Any) -> Line:
    return Line(row[0], int(row[1]), int(row[2]), int(row[3]), *row[4:])


def lines_page(
    session: Session, scope: Scope, month: Month, opening: Vnd, movement: Movement | None, *, cursor: str | None
) -> Page[Line]:
    """The postings of a month in the order of their days, of one movement or of all; `opening` as `turnover` tells it."""
    which = [Posting.movement == movement] if movement else []
    found = page(
        session,
        _lines(scope.town_id, month, opening, *which),
        _ORDER,
        cursor=cursor,
        size=PAGE,
        kinds=(date.fromisoformat, datetime.fromisoformat, UUID),
        key=lambda row: (row[0].posted_on, row[0].recorded_at, row[0].id),
    )
    return Page([_line(row) for row in found.rows], found.next)


def all_lines(session: Session, scope: Scope, month: Month, opening: Vnd) -> Iterator[Line]:
    """Every posting of a month, for a file."""
    query = _lines(scope.town_id, month, opening).order_by(*_ORDER).execution_options(yield_per=1_000)
    return (_line(row) for row in session.execute(query))


def whose(session: Session, town_id: UUID, posting_ids: Collection[UUID]) -> Mapping[UUID, Sequence[tuple[UUID, str]]]:
    """Of each posting, the sponsors whose money it moved as they stand now, with their names; none of money of which
    nobody knows yet whose it is."""
    query = (
        select(LedgerEntry.posting_id, Sponsor.id, Sponsor.name)
        .join(
            LedgerAccount,
            and_(LedgerAccount.town_id == LedgerEntry.town_id, LedgerAccount.id == LedgerEntry.ledger_account_id),
        )
        .join(Sponsor, stands_for(LedgerAccount))
        .where(LedgerEntry.town_id == town_id, LedgerEntry.posting_id.in_(posting_ids))
        .distinct()
        .order_by(Sponsor.name, Sponsor.id)
    )
    found: defaultdict[UUID, list[tuple[UUID, str]]] = defaultdict(list)
    for posting_id, sponsor_id, name in session.execute(query):
        found[posting_id].append((sponsor_id, name))
    return found
