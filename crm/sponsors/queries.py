"""What sponsors promised, gave and carry; who waits for help, and what a month of theirs costs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    DateTime,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    cast,
    exists,
    func,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from crm import stored
from crm.accounts.models import ChangeRecord, User
from crm.accounts.queries import Scope, token_digest
from crm.clock import LOCAL, local_day
from crm.errors import NotFound
from crm.money import Vnd
from crm.months import Month
from crm.names import fold
from crm.participation.guard.rules import SPONSOR_NOTICE
from crm.participation.leaving.models import LeavingRefund
from crm.participation.models import Participation, Payment
from crm.participation.queries import Helped, helped_before, months_paid
from crm.participation.rules import DUE_SOON, first_months, method_of
from crm.places.models import Place
from crm.places.queries import ids_within, units
from crm.premiums.queries import law, local_top_ups, top_ups_for
from crm.premiums.rules.keys import Method
from crm.premiums.rules.law import Law, LawOnDay, LocalTopUp
from crm.premiums.rules.quotes import Plan, Quote, quote
from crm.prospects.models import Prospect, StageChange, Standing
from crm.prospects.queries.searching import matches
from crm.prospects.queries.seeing import listed_to, lives_in, visible_to
from crm.prospects.rules import Ground, Stage
from crm.sponsors.family import has_part, is_of, kept_id, kept_of, stands_for
from crm.sponsors.models import (
    Allocation,
    AllocationMonth,
    LedgerAccount,
    LedgerEntry,
    Pledge,
    Posting,
    Receipt,
    Sponsor,
)
from crm.sponsors.rules import (
    AHEAD,
    MOVEMENTS,
    NEEDS,
    WAITING_STAGES,
    AccountKind,
    Balance,
    FundAccount,
    Movement,
    PledgeState,
    Wish,
    codes_in,
)
from crm.web.pager import Page, page

Row = TypeVar("Row")
PART = aliased(Sponsor, name="part")
"""A sponsor as part of the one it stands as."""
FUND_ACCOUNT = "fund_account"
WAITING_AT_ONCE = 30
ENDS = Allocation.start_month + func.make_interval(0, cast(Allocation.carried_months, Integer))
"""The first day that money set aside no longer carries."""


# ---- one of them


def sponsor(session: Session, scope: Scope, sponsor_id: UUID) -> Sponsor:
    """A sponsor of this town; of one who turned out to be another, that other. Raises NotFound."""
    return kept_of(session, _one(session, Sponsor, scope, sponsor_id))


def pledge(session: Session, scope: Scope, pledge_id: UUID) -> Pledge:
    """A promise made in this town. Raises NotFound."""
    return _one(session, Pledge, scope, pledge_id)


def receipt(session: Session, scope: Scope, receipt_id: UUID) -> Receipt:
    """Money that came in here. Raises NotFound."""
    return _one(session, Receipt, scope, receipt_id)


def allocation(session: Session, scope: Scope, allocation_id: UUID) -> Allocation:
    """Money set aside for someone. Raises NotFound, also when the person is out of sight."""
    found = session.scalar(
        select(Allocation)
        .join(Prospect, and_(Prospect.town_id == Allocation.town_id, Prospect.id == Allocation.prospect_id))
        .where(Allocation.town_id == scope.town_id, Allocation.id == allocation_id, visible_to(scope))
    )
    if found is None:
        raise NotFound
    return found


def sponsor_with(session: Session, token: str) -> Sponsor:
    """The sponsor whose private page a token opens. Raises NotFound."""
    return kept_of(session, with_page(session, token))


def with_page(session: Session, token: str) -> Sponsor:
    """The row that has the token, also when it turned out to be another sponsor. Raises NotFound."""
    found = session.scalar(select(Sponsor).where(Sponsor.page_digest == token_digest(token)))
    if found is None:
        raise NotFound
    return found


def _one(session: Session, kind: type[Row], scope: Scope, key: UUID) -> Row:
    found = session.get(kind, (scope.town_id, key))
    if found is None:
        raise NotFound
    return found


def fund_account(session: Session) -> FundAccount | None:
    """Where sponsors transfer to, once an administrator has said so."""
    kept = stored.read(session, FUND_ACCOUNT)
    return FundAccount(**kept) if kept else None


# ---- balances


def _stands() -> ColumnElement[Any]:
    """What a promise comes to: all of it, or what came in on it once it has ended."""
    came = select(func.coalesce(func.sum(Receipt.amount), 0)).where(
        Receipt.town_id == Pledge.town_id, Receipt.pledge_id == Pledge.id, Receipt.corrected_id.is_(None)
    )
    kept = func.least(Pledge.amount, came.correlate(Pledge).scalar_subquery())
    return func.coalesce(func.sum(case((Pledge.state == PledgeState.OPEN, Pledge.amount), else_=kept)), 0)


def _promised() -> ColumnElement[Any]:
    total = select(_stands()).where(
        Pledge.town_id == Sponsor.town_id,
        Pledge.sponsor_id.in_(select(PART.id).where(has_part(PART)).correlate(Sponsor)),
    )
    return total.correlate(Sponsor).scalar_subquery()


def _sums() -> tuple[ColumnElement[Any], ...]:
    def of(kind: AccountKind, sign: int = 1) -> ColumnElement[Any]:
        return func.coalesce(func.sum(sign * LedgerAccount.balance).filter(LedgerAccount.kind == kind), 0)

    return (
        of(AccountKind.OUTSIDE, -1),  # less what was returned
        of(AccountKind.AVAILABLE),
        of(AccountKind.RESERVED),
        of(AccountKind.INSURANCE_FUND),
        of(AccountKind.EXPECTED),
    )


def _returned(town_id: UUID) -> Any:
    """What went back to sponsors, by account; a refund that was put right counts no more."""
    undone = aliased(Posting)
    return (
        select(LedgerEntry.ledger_account_id, func.sum(LedgerEntry.amount).label("amount"))
        .join(Posting, and_(Posting.town_id == LedgerEntry.town_id, Posting.id == LedgerEntry.posting_id))
        .outerjoin(undone, and_(undone.town_id == Posting.town_id, undone.id == Posting.reverses_id))
        .where(
            LedgerEntry.town_id == town_id,
            Posting.movement.in_((Movement.REFUNDED, Movement.CORRECTED)),
            or_(Posting.movement == Movement.REFUNDED, undone.movement == Movement.REFUNDED),
        )
        .group_by(LedgerEntry.ledger_account_id)
    )


def _of_outside(returned: Any) -> ColumnElement[Any]:
    return func.coalesce(func.sum(returned.c.amount).filter(LedgerAccount.kind == AccountKind.OUTSIDE), 0)


def _balance(promised: int | None, sums: Sequence[Any]) -> Balance:
    """What a sponsor's accounts come to: what was received is what is kept and what went back."""
    kept, available, reserved, paid, expected, back = sums
    return Balance(int(promised or 0), *(int(one) for one in (kept + back, available, reserved, paid, expected, back)))


def balances_of(session: Session, town_id: UUID, sponsor_ids: Collection[UUID]) -> dict[UUID, Balance]:
    """Where the money of each of these sponsors stands."""
    returned = _returned(town_id).subquery()
    query = (
        select(Sponsor.id, _promised(), *_sums(), _of_outside(returned))
        .join(PART, has_part(PART))
        .outerjoin(LedgerAccount, and_(LedgerAccount.town_id == PART.town_id, LedgerAccount.sponsor_id == PART.id))
        .outerjoin(returned, returned.c.ledger_account_id == LedgerAccount.id)
        .where(Sponsor.town_id == town_id, Sponsor.id.in_(sponsor_ids))
        .group_by(Sponsor.town_id, Sponsor.id)
    )
    return {row[0]: _balance(row[1], row[2:]) for row in session.execute(query)}


def balance_of(session: Session, of: Sponsor) -> Balance:
    """Where the money of one sponsor stands."""
    return balances_of(session, of.town_id, [of.id])[of.id]


def balance_of_all(session: Session, town_id: UUID) -> Balance:
    """The money of all sponsors together."""
    promised = session.scalar(select(_stands()).where(Pledge.town_id == town_id))
    returned = _returned(town_id).subquery()
    sums = (
        select(*_sums(), _of_outside(returned))
        .select_from(LedgerAccount)
        .outerjoin(returned, returned.c.ledger_account_id == LedgerAccount.id)
        .where(LedgerAccount.town_id == town_id, LedgerAccount.sponsor_id.is_not(None))
    )
    return _balance(promised, session.execute(sums).one())


def unidentified(session: Session, town_id: UUID) -> Vnd:
    """What stands on the fund's bank account without anybody knowing whose it is."""
    query = select(func.coalesce(func.sum(LedgerAccount.balance), 0)).where(
        LedgerAccount.town_id == town_id, LedgerAccount.kind == AccountKind.UNIDENTIFIED
    )
    return int(session.scalar(query) or 0)


def came_in_on(session: Session, of: Pledge) -> Vnd:
    """What came in on a promise, without receipts that were put right."""
    query = select(func.coalesce(func.sum(Receipt.amount), 0)).where(
        Receipt.town_id == of.town_id, Receipt.pledge_id == of.id, Receipt.corrected_id.is_(None)
    )
    return int(session.scalar(query) or 0)


def carried_months(session: Session, of: Allocation) -> Sequence[AllocationMonth]:
    """The named months that an allocation carries still, in their order."""
    query = select(AllocationMonth).where(
        AllocationMonth.town_id == of.town_id,
        AllocationMonth.allocation_id == of.id,
        AllocationMonth.released_at.is_(None),
    )
    return session.scalars(query.order_by(AllocationMonth.month).execution_options(populate_existing=True)).all()


def months_carried(session: Session, prospect: Prospect, start: Month, months: int) -> list[Month]:
    """Those of a run of months of one person that some sponsor's money is set aside for, or has paid."""
    query = select(AllocationMonth.month).where(
        AllocationMonth.town_id == prospect.town_id,
        AllocationMonth.prospect_id == prospect.id,
        AllocationMonth.carries,
        AllocationMonth.month.between(start.first_day, (start + (months - 1)).first_day),
    )
    return [Month.of(day) for day in session.scalars(query.order_by(AllocationMonth.month))]


def months_to_begin_with(session: Session, prospect: Prospect, months: int, on: date, law: LawOnDay) -> list[Month]:
    """The months with which money set aside on a day for so many months of one person may begin: the run can be paid then,
    and nobody has paid or carries any month of it."""
    earliest, _later = first_months(on, law, Plan(method_of(months), months))
    many = (Month.of(on) + AHEAD).since(earliest) + 1
    runs = (prospect, earliest, many + months - 1)
    taken = {*months_paid(session, *runs), *months_carried(session, *runs)}
    return [month for month in earliest.run(many) if taken.isdisjoint(month.run(months))]


# ---- lists

BY_NAME: tuple[InstrumentedAttribute[Any], ...] = (Sponsor.name_fold, Sponsor.id)


def sponsors_page(
    session: Session, scope: Scope, q: str, *, holding: AccountKind | None = None, cursor: str | None, size: int = 50
) -> Page[Sponsor]:
    """Sponsors by name. `q`: part of a name, a transfer code, or a bank's narrative with one in it; `holding`: only those
    of whom something stands on an account of this kind."""
    query: Any = select(Sponsor).where(Sponsor.town_id == scope.town_id, Sponsor.merged_into_id.is_(None))
    parts = select(PART.id).where(has_part(PART)).correlate(Sponsor)
    if holding is not None:
        of_sponsor = and_(LedgerAccount.town_id == Sponsor.town_id, LedgerAccount.sponsor_id.in_(parts))
        query = query.where(exists().where(of_sponsor, LedgerAccount.kind == holding, LedgerAccount.balance != 0))
    if codes := codes_in(q):
        query = query.where(
            exists().where(Pledge.town_id == Sponsor.town_id, Pledge.sponsor_id.in_(parts), Pledge.code.in_(codes))
        )
    elif q.strip():
        query = query.where(exists().where(has_part(PART), PART.name_fold.contains(fold(q), autoescape=True)))
    return page(
        session, query, BY_NAME, cursor=cursor, size=size, kinds=(str, UUID), key=lambda row: (row.name_fold, row.id)
    )


MOST_CHANGES = 20


def changes_of(session: Session, of: Sponsor) -> list[tuple[ChangeRecord, str | None]]:
    """What was changed of a sponsor, the latest first, with who did it."""
    query = (
        select(ChangeRecord, User.full_name)
        .outerjoin(User, and_(User.town_id == ChangeRecord.town_id, User.id == ChangeRecord.user_id))
        .where(
            ChangeRecord.town_id == of.town_id,
            ChangeRecord.subject_id == of.id,
            ChangeRecord.act == "sponsor_changed",
        )
        .order_by(ChangeRecord.at.desc(), ChangeRecord.id.desc())
        .limit(MOST_CHANGES)
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def rows_page(
    session: Session, scope: Scope, kind: type[Any], sponsor_id: UUID | None, *, cursor: str | None, size: int
) -> Page[Any]:
    """Pledges, receipts or allocations (of people this person may see) in the order they were recorded."""
    query: Any = select(kind).where(kind.town_id == scope.town_id)
    if sponsor_id is not None:
        query = query.where(kept_id(kind.town_id, kind.sponsor_id) == sponsor_id)
    if kind is Allocation:
        query = query.where(exists().where(visible_to(scope), Prospect.id == Allocation.prospect_id))
    return page(session, query, (kind.id,), cursor=cursor, size=size, kinds=(UUID,), key=lambda row: (row.id,))


def pledges_of(session: Session, of: Sponsor, most: int = 100, skip: int = 0) -> Sequence[tuple[Pledge, Vnd]]:
    """A sponsor's promises, the newest first, each with what came in on it."""
    came = (
        select(func.coalesce(func.sum(Receipt.amount), 0))
        .where(Receipt.town_id == Pledge.town_id, Receipt.pledge_id == Pledge.id, Receipt.corrected_id.is_(None))
        .correlate(Pledge)
        .scalar_subquery()
    )
    query = select(Pledge, came).where(Pledge.town_id == of.town_id, is_of(Pledge.sponsor_id, of))
    rows = session.execute(query.order_by(Pledge.pledged_on.desc(), Pledge.id.desc()).limit(most).offset(skip))
    return [(row[0], int(row[1])) for row in rows]


def receipts_of(session: Session, of: Sponsor, most: int = 100, skip: int = 0) -> Sequence[Receipt]:
    """What came in from a sponsor, the latest first; receipts that were taken back as well."""
    query = select(Receipt).where(Receipt.town_id == of.town_id, is_of(Receipt.sponsor_id, of))
    latest = query.order_by(Receipt.received_on.desc(), Receipt.id.desc())
    return session.scalars(latest.limit(most).offset(skip)).all()


def helped_by(session: Session, of: Allocation) -> Prospect:
    """Whom an allocation is for."""
    return session.get_one(Prospect, (of.town_id, of.prospect_id))


class Carried(NamedTuple):
    """Money set aside, and for whom."""

    allocation: Allocation
    person: Prospect
    taken_back: bool
    """Its payment was taken back: the money can be given back too."""


def carried_by(session: Session, scope: Scope, of: Sponsor, most: int = 200, skip: int = 0) -> Sequence[Carried]:
    """Whom a sponsor's money was set aside for, the latest first, as far as this person may see."""
    reversal = exists().where(Payment.town_id == Allocation.town_id, Payment.reverses_id == Allocation.payment_id)
    query = (
        select(Allocation, Prospect, reversal)
        .join(Prospect, and_(Prospect.town_id == Allocation.town_id, Prospect.id == Allocation.prospect_id))
        .where(visible_to(scope), Allocation.town_id == of.town_id, is_of(Allocation.sponsor_id, of))
        .order_by(Allocation.recorded_at.desc(), Allocation.id.desc())
        .limit(most)
        .offset(skip)
    )
    return [Carried(*row) for row in session.execute(query)]


class Moved(NamedTuple):
    """A line of a sponsor's account book: what happened, what that put with what may still be used (negative: took from it)
    and what was left to use afterwards."""

    posting: Posting
    words: Any
    amount: Vnd
    put: Vnd
    left: Vnd
    by: str | None


def account_book(session: Session, of: Sponsor, most: int = 100, skip: int = 0) -> Sequence[Moved]:
    """Every movement of a sponsor's money, the latest first. `amount` is what moved, `put` what of it came to
    what may still be used (negative: went from it), `left` what may be used afterwards."""
    free = case((LedgerAccount.kind == AccountKind.AVAILABLE, LedgerEntry.amount), else_=0)
    moved = func.sum(case((LedgerEntry.amount > 0, LedgerEntry.amount), else_=0))
    largest = func.max(LedgerEntry.amount)
    lines = (
        select(
            LedgerEntry.posting_id.label("id"),
            moved.label("moved"),
            largest.label("largest"),
            func.sum(free).label("free"),
        )
        .join(
            LedgerAccount,
            and_(
                LedgerAccount.town_id == LedgerEntry.town_id,
                LedgerAccount.id == LedgerEntry.ledger_account_id,
                LedgerAccount.kind.not_in((AccountKind.EXPECTED, AccountKind.PROMISE)),
            ),
        )
        .where(LedgerAccount.town_id == of.town_id, is_of(LedgerAccount.sponsor_id, of))
        .group_by(LedgerEntry.posting_id)
        .subquery()
    )
    in_time = (Posting.recorded_at, Posting.id)
    left = func.sum(lines.c.free).over(order_by=in_time)
    query = (
        select(
            Posting,
            case((Posting.movement == Movement.MERGED, lines.c.largest), else_=lines.c.moved),
            lines.c.free,
            left,
            User.full_name,
        )
        .join(lines, lines.c.id == Posting.id)
        .outerjoin(User, and_(User.town_id == Posting.town_id, User.id == Posting.recorded_by_id))
        .where(Posting.town_id == of.town_id)
        .order_by(*(column.desc() for column in in_time))
        .limit(most)
        .offset(skip)
    )
    return [
        Moved(row[0], MOVEMENTS[Movement(row[0].movement)], int(row[1]), int(row[2]), int(row[3]), row[4])
        for row in session.execute(query)
    ]


class Named(NamedTuple):
    """The months of one person that a posting set aside, paid or gave back."""

    person: Prospect
    first: Month
    last: Month
    number: int


def months_of_postings(
    session: Session, scope: Scope, town_id: UUID, posting_ids: Collection[UUID]
) -> dict[UUID, Named]:
    """Whose months each of these postings is about, as far as this person may see them."""
    of = AllocationMonth
    settled: Any = union_all(
        select(Allocation.posting_id.label("posting_id"), of.prospect_id, of.month)
        .join(of, and_(of.town_id == Allocation.town_id, of.allocation_id == Allocation.id))
        .where(Allocation.town_id == town_id, Allocation.posting_id.in_(posting_ids)),
        *(
            select(column, of.prospect_id, of.month).where(of.town_id == town_id, column.in_(posting_ids))
            for column in (of.paid_id, of.released_id)
        ),
    ).subquery()
    months = (
        select(
            settled.c.posting_id,
            settled.c.prospect_id,
            func.min(settled.c.month).label("first"),
            func.max(settled.c.month).label("last"),
            func.count().label("number"),
        )
        .group_by(settled.c.posting_id, settled.c.prospect_id)
        .subquery()
    )
    query = (
        select(months.c.posting_id, Prospect, months.c.first, months.c.last, months.c.number)
        .join(Prospect, and_(Prospect.town_id == town_id, Prospect.id == months.c.prospect_id))
        .where(visible_to(scope))
    )
    return {row[0]: Named(row[1], Month.of(row[2]), Month.of(row[3]), int(row[4])) for row in session.execute(query)}


def reasons_of(session: Session, town_id: UUID, posting_ids: Collection[UUID]) -> dict[UUID, str]:
    """Why money was set aside for people without a certificate of need."""
    query = select(Posting.id, Posting.memo).where(
        Posting.town_id == town_id, Posting.id.in_(posting_ids), Posting.memo.is_not(None)
    )
    return {row[0]: row[1] or "" for row in session.execute(query)}


def helped(session: Session, person: Prospect) -> Sequence[tuple[Allocation, Sponsor]]:
    """Which sponsors carry months of somebody, the latest months first; what was given back is left out."""
    return [(row[0], row[1]) for row in session.execute(_HELPED, {"town": person.town_id, "person": person.id})]


_HELPED = (
    select(Allocation, Sponsor)
    .join(Sponsor, stands_for(Allocation))
    .where(
        Allocation.town_id == bindparam("town"),
        Allocation.prospect_id == bindparam("person"),
        Allocation.released_at.is_(None),
    )
    .order_by(Allocation.start_month.desc(), Allocation.id.desc())
)
"""Made once, as it is asked for every page of a person."""


def is_reversed(session: Session, of: Allocation) -> bool:
    """Whether the payment that was made with this money was taken back."""
    query = select(Payment.id).where(Payment.town_id == of.town_id, Payment.reverses_id == of.payment_id)
    return of.payment_id is not None and session.scalar(query) is not None


# ---- whose help ends


SHORT = 2 * SPONSOR_NOTICE
"""Help that carries for fewer months in all, its first and its last counted, is not asked about three months ahead."""


def carried_until(town_id: UUID, day: date, within: int = SPONSOR_NOTICE) -> Select[UUID, date]:
    """Whom sponsors carry whose money ends soon, or has just ended (`near_end`): with the first day of the last month
    carried."""
    near = near_end(town_id, day, within).subquery()
    return select(near.c.prospect_id, near.c.until)


def near_end(
    town_id: UUID, day: date, within: int = SPONSOR_NOTICE, *, asked_by: date | None = None
) -> Select[UUID, date, date]:
    """Whom sponsors carry whose money ends within so many months: the first day of the last month carried, and since when
    one asks who carries them on.

    What another sponsor set aside, or the person paid themselves for later months, carries on: the cliff is where
    nobody's money follows. Whose last month is over stays as long as the next can still be paid: somebody may catch them.

    One asks three months ahead, so that there is time for an answer, a transfer and a payment. Of help that is shorter
    than twice that, three months ahead would be the very day it is given, or nearly: whoever just gave one month would be
    asked for the next with the thanks. So of short help one asks once half of the time from the day it was set aside to
    its end has run; always before it ends, so that nobody drops out unseen. How long help is its whole run of months
    says, from the first day that something of it was set aside: a month added to a long run does not make it short.
    `asked_by` adds whom one begins to ask after the day, until that one.
    """
    run = _last_run(town_id)
    last = cast(func.max(run.ends) - func.make_interval(0, 1), Date)
    this = Month.of(day)
    carried = (
        select(
            run.prospect_id,
            last.label("until"),
            cast(last - func.make_interval(0, within - 1), Date).label("ahead"),
            cast(last - func.make_interval(0, SHORT - 1), Date).label("long_ago"),
            cast(func.max(run.ends) - func.make_interval(0, 0, 0, 1), Date).label("last_day"),
            func.min(run.given).label("given"),
        )
        .where(run.gaps_after == 0)
        .group_by(run.prospect_id)
        .having(last <= (this + (within - 1)).first_day)
        .subquery()
    ).c
    half = carried.given + cast(carried.last_day - carried.given, Integer) // 2
    is_long = func.date_trunc("month", carried.given) <= carried.long_ago
    since: Any = case((is_long, carried.ahead), else_=func.greatest(carried.ahead, func.least(half, carried.last_day)))
    spell = and_(
        Participation.town_id == town_id, Participation.prospect_id == carried.prospect_id, Participation.goes_on
    )
    paid_on = exists().where(spell, Participation.paid_through > carried.until)
    may_pay = exists().where(spell, Participation.deadline_on >= day)
    return select(carried.prospect_id, carried.until, since.label("since")).where(
        or_(carried.until >= this.first_day, may_pay), ~paid_on, since <= (asked_by or day)
    )


def _last_run(town_id: UUID) -> Any:
    """What sponsors set aside, with how many months' gaps lie between it and the last month of the same person: 0 is the
    run of months that ends with that one."""
    latest_first: dict[str, Any] = {"partition_by": Allocation.prospect_id, "order_by": Allocation.start_month.desc()}
    rows = (
        select(
            Allocation.prospect_id,
            Allocation.start_month,
            ENDS.label("ends"),
            cast(func.timezone(LOCAL.key, Allocation.recorded_at), Date).label("given"),
            func.lag(Allocation.start_month).over(**latest_first).label("next"),
        )
        .where(Allocation.town_id == town_id, Allocation.released_at.is_(None), ~_left_within())
        .subquery()
    ).c
    gaps = func.sum(case((rows.ends < rows.next, 1), else_=0)).over(
        partition_by=rows.prospect_id, order_by=rows.start_month.desc()
    )
    return select(rows.prospect_id, rows.ends, rows.given, gaps.label("gaps_after")).subquery().c


def payable_until(town_id: UUID, day: date, prospect_id: Any, until: Any) -> ColumnElement[date | None]:
    """Of somebody whose last carried month is over: the last day on which the next may be paid; else nothing."""
    deadline = select(func.max(Participation.deadline_on)).where(
        Participation.town_id == town_id, Participation.prospect_id == prospect_id, Participation.goes_on
    )
    return case((until < day.replace(day=1), deadline.scalar_subquery()), else_=None)


def _left_within() -> ColumnElement[bool]:
    """Its payment comes back in part, for the person left within it: it carries nobody any more."""
    return exists().where(
        LeavingRefund.town_id == Allocation.town_id, LeavingRefund.payment_id == Allocation.payment_id
    )


def spells_money_waits_for(town_id: UUID, prospect_ids: Collection[UUID]) -> Select[UUID]:
    """Which of these people take part and have a sponsor's money waiting for the month that follows those paid."""
    return select(Participation.prospect_id).where(
        Participation.town_id == town_id,
        Participation.prospect_id.in_(prospect_ids),
        Participation.goes_on,
        money_waits(),
    )


def money_waits(spell: type[Participation] = Participation) -> ColumnElement[bool]:
    """A sponsor's money is set aside for a month that follows those paid in a spell, and is not paid over yet.

    That is the month after them, or a later one until that of the last day to pay: whoever pays several months at once
    has a longer time to pay than a single month that a sponsor gives, which so may begin within it."""
    of = AllocationMonth
    following = cast(spell.paid_through + func.make_interval(0, 1), Date)
    last = cast(func.greatest(following, func.date_trunc("month", spell.deadline_on)), Date)
    return exists().where(
        of.town_id == spell.town_id,
        of.prospect_id == spell.prospect_id,
        of.released_at.is_(None),
        of.payment_id.is_(None),
        of.month.between(following, last),
    )


class HelpEnds(NamedTuple):
    """The last month somebody is carried; once it is over, the last day on which the next may be paid."""

    until: Month
    payable_until: date | None


def help_ends(session: Session, person: Prospect, day: date) -> HelpEnds | None:
    """When somebody's help ends, when that is near or just past, and nobody's money follows."""
    ending = carried_until(person.town_id, day).subquery()
    still = payable_until(person.town_id, day, person.id, ending.c.until)
    row = session.execute(select(ending.c.until, still).where(ending.c.prospect_id == person.id)).first()
    return HelpEnds(Month.of(row[0]), row[1]) if row else None


# ---- who waits, and what it costs


def month_of(session: Session, town_id: UUID, ground: Ground, today: date) -> Quote:
    """Who bears one month of somebody with this ground on the least income, by the law of the day."""
    all_law = law(session)
    return quote(
        all_law,
        all_law.on(today).floor,
        [ground],
        Month.of(today),
        today,
        Plan.periodic(1),
        local_top_ups=local_top_ups(session, town_id, today),
    )


def a_month(session: Session, town_id: UUID, ground: Ground, today: date) -> Vnd:
    """What somebody with this ground still owes for one month, after the State and the place, on the least income."""
    return month_of(session, town_id, ground, today).payable


def price(
    session: Session, person: Prospect, grounds: Collection[Ground], start: Month, months: int, on: date, of: Law
) -> Quote:
    """What somebody with these grounds still owes for whole months on the least income by the law of a day: `payable`.

    What the State and the place helped with before counts toward their caps.
    """
    return priced(of, grounds, start, months, on, helped_before(session, person), top_ups_for(session, person, on))


def priced(
    of: Law,
    grounds: Collection[Ground],
    start: Month,
    months: int,
    on: date,
    helped: Helped,
    top_ups: Iterable[LocalTopUp],
) -> Quote:
    """The same of somebody of whom it is known what they were helped with and what their place adds."""
    return quote(
        of,
        of.on(on).floor,
        grounds,
        start,
        on,
        Plan(Method.MONTHLY, months),
        supported_before=helped.by_the_state,
        local_top_ups=top_ups,
        local_months_before=helped.by_the_place,
    )


class Waiting(NamedTuple):
    """Somebody in need who could be helped next, and why they stand where they stand."""

    person: Prospect
    ground: Ground
    since: date
    """The day from which they have waited: of their latest step, or of the last day to pay when that is near."""
    deadline: date | None
    place: str


def waiting(
    session: Session, scope: Scope, today: date, wish: Wish = Wish(), q: str = "", most: int = WAITING_AT_ONCE
) -> list[Waiting]:
    """People in need whom nobody carries: poor before near-poor, then whoever has waited longest.

    In need is who holds a certificate of a poor or near-poor household on the day; waiting, who agreed, showed
    interest or lapsed, or takes part and has to pay soon. `q` narrows to a name; a wish to
    places, standings, women and ages (by the year of birth).
    """
    poor, spell = _holds(Ground.POOR, today), aliased(Participation)
    last_step = (
        select(func.max(StageChange.at))
        .where(StageChange.town_id == Prospect.town_id, StageChange.prospect_id == Prospect.id)
        .correlate(Prospect)
        .scalar_subquery()
    )
    since = func.coalesce(last_step, Prospect.created_at)
    query: Any = (
        select(Prospect, poor, since, spell.deadline_on, Place.name)
        .join(Place, and_(Place.town_id == Prospect.town_id, Place.id == Prospect.place_id))
        .outerjoin(spell, _running(spell))
        .where(listed_to(scope), *_waits(scope.town_id, today, spell))
    )
    for condition in _wished(session, scope.town_id, wish, today):
        query = query.where(condition)
    if q.strip():
        query = query.where(matches(q))
    rows = session.execute(query.order_by(poor.desc(), since, Prospect.id).limit(most))
    return [
        Waiting(row[0], Ground.POOR if row[1] else Ground.NEAR_POOR, local_day(row[2]), row[3], row[4]) for row in rows
    ]


def how_many_wait(session: Session, town_id: UUID, today: date) -> int:
    """How many people in need wait in the whole town and are carried by nobody (`waiting`)."""
    spell = aliased(Participation)
    query = select(func.count()).select_from(Prospect).outerjoin(spell, _running(spell))
    waits = query.where(Prospect.town_id == town_id, Prospect.merged_into_id.is_(None), *_waits(town_id, today, spell))
    return int(session.scalar(waits) or 0)


def _running(spell: type[Participation]) -> ColumnElement[bool]:
    return and_(
        spell.town_id == Prospect.town_id,
        spell.prospect_id == Prospect.id,
        spell.goes_on,
    )


def _waits(town_id: UUID, today: date, spell: type[Participation]) -> tuple[ColumnElement[bool], ...]:
    """In need, carried by nobody, and willing or soon to pay; `spell` is what somebody takes part in now."""
    due = and_(Prospect.stage == Stage.JOINED, spell.deadline_on <= today + DUE_SOON)
    return (
        Prospect.id.in_(_needy(town_id, today)),
        ~_carried(today),
        or_(Prospect.stage.in_(WAITING_STAGES), due),
    )


def is_wished(session: Session, of: Sponsor, person: Prospect, today: date) -> bool:
    """Whether nothing known of somebody speaks against a sponsor's wish: where they live, their standing, their sex and
    the year of their birth. Of whom sex or year is not written down, a treasurer knows better."""
    conditions = _wished(session, of.town_id, Wish.from_json(of.wish), today, unknown=True)
    query = select(Prospect.id).where(Prospect.town_id == of.town_id, Prospect.id == person.id, *conditions)
    return not conditions or session.scalar(query) is not None


def _wished(
    session: Session, town_id: UUID, wish: Wish, today: date, *, unknown: bool = False
) -> list[ColumnElement[bool]]:
    """What a wish asks of a person; with `unknown` whoever's sex or year of birth nobody knows fits too."""
    found: list[ColumnElement[bool]] = []

    def of(column: Any, condition: ColumnElement[bool]) -> None:
        found.append(or_(condition, column.is_(None)) if unknown else condition)

    if wish.places:
        within = {part for place in wish.places for part in ids_within(session, town_id, place)}
        found.append(lives_in(tuple(within)))
    if wish.grounds:
        found.append(or_(*(_holds(ground, today) for ground in wish.grounds)))
    if wish.sex:
        of(Prospect.sex, Prospect.sex == wish.sex)
    age = _age(today)
    if wish.age_from:
        of(age, age >= wish.age_from)
    if wish.age_to:
        of(age, age <= wish.age_to)
    return found


def _age(today: date) -> ColumnElement[int]:
    """Whole years, as a proposal counts them (`matching.rules.needs.age_on`); of whom only the year is known, those they
    complete in it."""
    lived = func.age(cast(today, DateTime), cast(Prospect.birth_date, DateTime))
    return func.coalesce(cast(func.date_part("year", lived), Integer), today.year - Prospect.birth_year)


def places_to_wish(session: Session, town_id: UUID, wish: Wish, today: date) -> list[Place]:
    """The wards and communes of today, then those of a wish that are no more: whoever keeps the wish keeps them."""
    found = list(session.scalars(units(town_id, today)))
    gone = set(wish.places) - {place.id for place in found}
    if gone:
        found += session.scalars(select(Place).where(Place.town_id == town_id, Place.id.in_(gone)).order_by(Place.code))
    return found


def _holds(ground: Ground, day: date) -> ColumnElement[bool]:
    return exists().where(
        Standing.town_id == Prospect.town_id,
        Standing.prospect_id == Prospect.id,
        Standing.ground == ground,
        Standing.valid_from <= day,
        or_(Standing.valid_to.is_(None), Standing.valid_to > day),
    )


def _needy(town_id: UUID, day: date) -> Any:
    return select(Standing.prospect_id).where(
        Standing.town_id == town_id,
        Standing.ground.in_(list(NEEDS)),
        Standing.valid_from <= day,
        or_(Standing.valid_to.is_(None), Standing.valid_to > day),
    )


def _carried(today: date) -> ColumnElement[bool]:
    """Whether some sponsor carries somebody in this month or later, or is about to."""
    return exists().where(
        Allocation.town_id == Prospect.town_id,
        Allocation.prospect_id == Prospect.id,
        Allocation.released_at.is_(None),
        or_(and_(today.replace(day=1) < ENDS, ~_left_within()), Allocation.payment_id.is_(None)),
    )
