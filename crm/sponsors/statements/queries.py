"""What statements say: the queue, what lines were, whom they may be from, and how the bank stands to the books."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from crm.accounts.queries import Scope
from crm.errors import NotFound
from crm.money import Vnd
from crm.months import Month
from crm.names import fold
from crm.sponsors.giving.queries import accounts_of
from crm.sponsors.models import LedgerAccount, LedgerEntry, Pledge, Posting, Receipt, Sponsor
from crm.sponsors.rules import HELD, AccountKind, Movement, PledgeState
from crm.sponsors.statements.models import BankAccount, LinePart, Statement, StatementLine
from crm.sponsors.statements.rules.kinds import (
    AT_WORK,
    IN_THE_BOOKS,
    NOT_GIFTS,
    Likely,
    LineState,
    Seen,
    StatementState,
    Use,
)
from crm.sponsors.statements.rules.matching import Giver, Matcher, Moved, Payers, Promise
from crm.web.pager import Page, page, read_cursor, write_cursor

Row = TypeVar("Row")
PAGE = 20
STILL = timedelta(minutes=1)
CHOICES = 40
"""So many sponsors a page offers at once."""
NEAR = timedelta(days=7)
"""So near in time the bank and the books show the same movement."""


# ---- one of them


def bank_account(session: Session, scope: Scope, account_id: UUID) -> BankAccount:
    """An account of this town's fund. Raises NotFound."""
    return _one(session, BankAccount, scope, account_id)


def statement(session: Session, scope: Scope, statement_id: UUID) -> Statement:
    """A statement of this town. Raises NotFound."""
    return _one(session, Statement, scope, statement_id)


def line(session: Session, scope: Scope, line_id: UUID) -> StatementLine:
    """A line of a statement of this town. Raises NotFound."""
    return _one(session, StatementLine, scope, line_id)


def _one(session: Session, kind: type[Row], scope: Scope, key: UUID) -> Row:
    found = session.get(kind, (scope.town_id, key))
    if found is None:
        raise NotFound
    return found


# ---- lists


def bank_accounts(session: Session, town_id: UUID) -> Sequence[BankAccount]:
    """The accounts whose statements are loaded, in the order they were first seen."""
    return session.scalars(
        select(BankAccount).where(BankAccount.town_id == town_id).order_by(BankAccount.id).limit(50)
    ).all()


def statements_page(session: Session, scope: Scope, *, cursor: str | None, size: int = PAGE) -> Page[Statement]:
    """Statements, the latest first."""
    query = select(Statement).where(Statement.town_id == scope.town_id, Statement.state != StatementState.GIVEN_UP)
    if cursor:
        query = query.where(Statement.id < read_cursor(cursor, (UUID,))[0])
    rows = session.scalars(query.order_by(Statement.id.desc()).limit(size + 1)).all()
    return Page(rows[:size], write_cursor([rows[size - 1].id]) if len(rows) > size else None)


def loaded_before(session: Session, account: BankAccount, digest: bytes) -> Statement | None:
    """The first statement that was this very file."""
    return session.scalars(
        select(Statement)
        .where(
            Statement.town_id == account.town_id,
            Statement.bank_account_id == account.id,
            Statement.digest == digest,
            Statement.state != StatementState.GIVEN_UP,
        )
        .order_by(Statement.id)
        .limit(1)
    ).first()


def standing_still(session: Session, at: Any) -> Sequence[tuple[UUID, UUID]]:
    """Statements on which nobody has worked for a minute although they are not done."""
    query = select(Statement.town_id, Statement.id).where(
        Statement.state.in_(AT_WORK), or_(Statement.touched_at < at - STILL, Statement.touched_at > at + STILL)
    )
    return [(row[0], row[1]) for row in session.execute(query)]


class Narrowed(NamedTuple):
    """What of the lines is looked at. `tab`: open, held, settled; `likely` narrows those that are open."""

    tab: str = "open"
    likely: Likely | None = None
    account_id: UUID | None = None
    statement_id: UUID | None = None
    month: Month | None = None


TABS = ("open", "held", "settled")


def _lines(scope: Scope, wanted: Narrowed) -> Select[StatementLine]:
    query = select(StatementLine).where(StatementLine.town_id == scope.town_id)
    if wanted.account_id:
        query = query.where(StatementLine.bank_account_id == wanted.account_id)
    if wanted.statement_id:
        query = query.where(StatementLine.statement_id == wanted.statement_id)
    if wanted.month:
        query = query.where(StatementLine.posted_on.between(wanted.month.first_day, wanted.month.last_day))
    if wanted.tab == "held":
        return query.where(_held())
    query = query.where(StatementLine.state == (LineState.SETTLED if wanted.tab == "settled" else LineState.OPEN))
    if wanted.likely and wanted.tab == "open":
        query = query.where(StatementLine.likely == wanted.likely)
    return query


def _of_line() -> ColumnElement[bool]:
    return and_(
        LinePart.town_id == StatementLine.town_id, LinePart.line_id == StatementLine.id, LinePart.ended_at.is_(None)
    )


def _held() -> ColumnElement[bool]:
    """Money of the line is held, and was not sent back."""
    return exists().where(_of_line(), LinePart.use == Use.HELD, ~_is_back(LinePart))


def _is_back(held: type[LinePart]) -> ColumnElement[bool]:
    back = aliased(LinePart)
    return exists().where(
        back.town_id == held.town_id,
        back.of_part_id == held.id,
        back.use == Use.RETURNED,
        back.ended_at.is_(None),
    )


def lines_page(
    session: Session, scope: Scope, wanted: Narrowed, *, cursor: str | None, size: int = PAGE
) -> Page[StatementLine]:
    """Lines in the order of time."""
    return page(
        session,
        _lines(scope, wanted),
        (StatementLine.posted_on, StatementLine.id),
        cursor=cursor,
        size=size,
        kinds=(date.fromisoformat, UUID),
        key=lambda row: (row.posted_on, row.id),
    )


def counts(session: Session, scope: Scope, wanted: Narrowed) -> dict[str, tuple[int, Vnd]]:
    """How many lines each tab has, and the sum of their amounts (in less out)."""
    found = {}
    for tab in TABS:
        query: Any = _lines(scope, wanted._replace(tab=tab, likely=None)).with_only_columns(
            func.count(), func.coalesce(func.sum(StatementLine.amount), 0)
        )
        many, total = session.execute(query).one()
        found[tab] = (int(many), int(total))
    return found


def open_lines(session: Session, scope: Scope) -> int:
    """How many lines wait for somebody to say what they are."""
    query = select(func.count()).where(StatementLine.town_id == scope.town_id, StatementLine.state == LineState.OPEN)
    return session.scalar(query) or 0


class Part(NamedTuple):
    """What a part of a line was, with the names of whom it is for."""

    part: LinePart
    sponsor: str | None
    code: str | None


def parts_of(session: Session, town_id: UUID, line_ids: Collection[UUID]) -> dict[UUID, list[Part]]:
    """What these lines were, as it stands now."""
    query = (
        select(LinePart, Sponsor.name, Pledge.code)
        .outerjoin(Sponsor, and_(Sponsor.town_id == LinePart.town_id, Sponsor.id == LinePart.sponsor_id))
        .outerjoin(Receipt, and_(Receipt.town_id == LinePart.town_id, Receipt.id == LinePart.receipt_id))
        .outerjoin(Pledge, and_(Pledge.town_id == Receipt.town_id, Pledge.id == Receipt.pledge_id))
        .where(LinePart.town_id == town_id, LinePart.line_id.in_(line_ids), LinePart.ended_at.is_(None))
        .order_by(LinePart.id)
    )
    found: dict[UUID, list[Part]] = defaultdict(list)
    for row in session.execute(query):
        found[row[0].line_id].append(Part(*row))
    return found


def loose_lines(session: Session, town_id: UUID, most: int = 20) -> Sequence[StatementLine]:
    """Lines that are decided, and whose receipt was taken back elsewhere since: they have to be decided again."""
    query = (
        select(StatementLine)
        .join(LinePart, _of_line())
        .join(Receipt, and_(Receipt.town_id == LinePart.town_id, Receipt.id == LinePart.receipt_id))
        .where(StatementLine.town_id == town_id, Receipt.corrected_id.is_not(None))
        .order_by(StatementLine.posted_on, StatementLine.id)
        .limit(most)
    )
    return session.scalars(query).unique().all()


def history_of(session: Session, of: StatementLine) -> Sequence[LinePart]:
    """Everything that was ever said of a line, the earliest first."""
    query = select(LinePart).where(LinePart.town_id == of.town_id, LinePart.line_id == of.id)
    return session.scalars(query.order_by(LinePart.recorded_at, LinePart.id)).all()


def held_open(
    session: Session, scope: Scope, amounts: Collection[Vnd], most: int = 40
) -> Sequence[tuple[LinePart, StatementLine]]:
    """Held money of just these amounts that was neither given to a sponsor nor sent back, the latest first."""
    query = (
        select(LinePart, StatementLine)
        .join(StatementLine, _of_line())
        .where(LinePart.town_id == scope.town_id, LinePart.use == Use.HELD, LinePart.amount.in_(amounts))
        .where(~_is_back(LinePart))
        .order_by(StatementLine.posted_on.desc(), LinePart.id)
        .limit(most)
    )
    return [(row[0], row[1]) for row in session.execute(query)]


# ---- matching


def seen(of: StatementLine) -> Seen:
    """A line as matching looks at it."""
    return Seen(of.posted_on, of.amount, of.narrative, of.payer, of.payer_account, of.reference)


def matcher_of(session: Session, town_id: UUID) -> Matcher:
    """Everything a line of this town can be matched with, as of now."""
    return Matcher(_promises(session, town_id), _givers(session, town_id), _payers(session, town_id))


def _promises(session: Session, town_id: UUID) -> list[Promise]:
    """All promises with what they still expect, laid on their instalments."""
    same = and_(
        LedgerAccount.town_id == Pledge.town_id,
        LedgerAccount.pledge_id == Pledge.id,
        LedgerAccount.kind == AccountKind.EXPECTED,
    )
    query = (
        select(Pledge, LedgerAccount.balance)
        .outerjoin(LedgerAccount, same)
        .where(Pledge.town_id == town_id)
        .order_by(Pledge.pledged_on, Pledge.id)
    )
    rows = [(row[0], int(row[1] or 0)) for row in session.execute(query)]
    laid = accounts_of(session, [pledge for pledge, left in rows if left], date.min)
    found = []
    for pledge, left in rows:
        due = tuple((row.due.on, row.left) for row in laid[pledge.id].rows if row.left) if left else ()
        is_open = pledge.state is PledgeState.OPEN
        found.append(Promise(pledge.id, pledge.sponsor_id, pledge.code, left, is_open, due))
    return found


def _givers(session: Session, town_id: UUID) -> list[Giver]:
    query = select(Sponsor.id, Sponsor.name, Sponsor.contact_name, Sponsor.phone, Sponsor.tax_code).where(
        Sponsor.town_id == town_id
    )
    return [Giver(row[0], row[1], *(part or "" for part in row[2:])) for row in session.execute(query)]


def _payers(session: Session, town_id: UUID) -> Payers:
    query = (
        select(StatementLine.payer_account, StatementLine.payer_fold, LinePart.sponsor_id)
        .join(LinePart, _of_line())
        .where(StatementLine.town_id == town_id, LinePart.use == Use.GIFT, LinePart.sponsor_id.is_not(None))
        .distinct()
    )
    by_account: dict[str, set[UUID]] = defaultdict(set)
    by_name: dict[str, set[UUID]] = defaultdict(set)
    for account, name, sponsor_id in session.execute(query):
        assert sponsor_id is not None
        if account:
            by_account[account].add(sponsor_id)
        if name:
            by_name[name].add(sponsor_id)
    return Payers(by_account, by_name)


def names_of(session: Session, town_id: UUID, sponsor_ids: Collection[UUID]) -> dict[UUID, str]:
    """How these sponsors are called."""
    query = select(Sponsor.id, Sponsor.name).where(Sponsor.town_id == town_id, Sponsor.id.in_(sponsor_ids))
    return {row[0]: row[1] for row in session.execute(query)}


class Choice(NamedTuple):
    """A promise, or a sponsor without one, that a treasurer can give money to."""

    sponsor_id: UUID
    sponsor: str
    pledge_id: UUID | None
    code: str | None


def choices(session: Session, scope: Scope, q: str, most: int = CHOICES) -> tuple[list[Choice], bool]:
    """The first sponsors by name whose name or code has `q` in it, each with its open promises first and without one last;
    and whether there are more of them."""
    query = select(Sponsor.id, Sponsor.name).where(Sponsor.town_id == scope.town_id)
    if q.strip():
        with_code = exists().where(
            Pledge.town_id == Sponsor.town_id,
            Pledge.sponsor_id == Sponsor.id,
            Pledge.code.contains(q.strip().upper(), autoescape=True),
        )
        query = query.where(or_(Sponsor.name_fold.contains(fold(q), autoescape=True), with_code))
    sponsors = session.execute(query.order_by(Sponsor.name_fold, Sponsor.id).limit(most + 1)).tuples().all()
    more, sponsors = len(sponsors) > most, sponsors[:most]
    pledges: dict[UUID, list[tuple[UUID, str]]] = defaultdict(list)
    open_ones = select(Pledge.sponsor_id, Pledge.id, Pledge.code).where(
        Pledge.town_id == scope.town_id,
        Pledge.sponsor_id.in_([key for key, _name in sponsors]),
        Pledge.state == PledgeState.OPEN,
    )
    for sponsor_id, pledge_id, code in session.execute(open_ones.order_by(Pledge.pledged_on, Pledge.id)):
        pledges[sponsor_id].append((pledge_id, code))
    found = []
    for key, name in sponsors:
        found += [Choice(key, name, pledge_id, code) for pledge_id, code in pledges[key]]
        found.append(Choice(key, name, None, None))
    return found, more


_SHOWN_AS = {
    (Use.INSURANCE, False): (Movement.PAID, AccountKind.INSURANCE_FUND),
    (Use.REFUND, False): (Movement.REFUNDED, AccountKind.OUTSIDE),
    (Use.INSURANCE, True): (Movement.CAME_BACK, AccountKind.AVAILABLE),
}
"""By the use of a line and whether it came in: the movement of the books that it shows, and the account that tells it."""


def moves_unseen(
    session: Session, town_id: UUID, use: Use, until: date, most: int = 2_000, *, came_in: bool = False
) -> list[Moved]:
    """Money that the books say went out, or came back, and no line of the bank has shown yet."""
    movement, kind = _SHOWN_AS[use, came_in]
    taken = exists().where(
        LinePart.town_id == Posting.town_id, LinePart.posting_id == Posting.id, LinePart.ended_at.is_(None)
    )
    back = aliased(Posting)
    reversed_ = exists().where(back.town_id == Posting.town_id, back.reverses_id == Posting.id)
    query = (
        select(Posting.id, Posting.posted_on, func.sum(LedgerEntry.amount))
        .join(LedgerEntry, _posting_of_entry())
        .join(LedgerAccount, _entry_of_account())
        .where(
            Posting.town_id == town_id,
            Posting.movement == movement,
            Posting.posted_on.between(_first_day(town_id) - NEAR.days, until),
            LedgerAccount.kind == kind,
            ~taken,
            ~reversed_,
        )
        .group_by(Posting.id, Posting.posted_on)
        .order_by(Posting.posted_on.desc(), Posting.id.desc())
        .limit(most)
    )
    return [Moved(row[0], row[1], int(row[2])) for row in session.execute(query)]


def _first_day(town_id: UUID) -> ColumnElement[date]:
    """The day of the first line of all; what went out long before it no statement will show."""
    first = select(func.min(StatementLine.posted_on)).where(StatementLine.town_id == town_id).scalar_subquery()
    return func.coalesce(first, date.min)


def receipts_unseen(session: Session, town_id: UUID, *where: ColumnElement[bool]) -> Sequence[Receipt]:
    """Receipts recorded by hand that no line of the bank has shown yet."""
    taken = exists().where(
        LinePart.town_id == Receipt.town_id, LinePart.receipt_id == Receipt.id, LinePart.ended_at.is_(None)
    )
    query = select(Receipt).where(Receipt.town_id == town_id, Receipt.corrected_id.is_(None), ~taken, *where)
    return session.scalars(query.order_by(Receipt.received_on, Receipt.id).limit(200)).all()


# ---- the bank beside the books


class Counted(NamedTuple):
    """So many lines, and their sum."""

    many: int
    total: Vnd


class Bank(NamedTuple):
    """An account in a month, by the bank: opening + came_in + went_out = closing. `told` is the balance the bank
    itself printed last; None where it prints none."""

    account: BankAccount
    month: Month
    opening: Vnd
    came_in: Vnd
    went_out: Vnd
    closing: Vnd
    told: Vnd | None
    uses: dict[Use, Counted]
    undecided: Counted


class Bridge(NamedTuple):
    """From the bank's money to the books' on a day. `difference` is nothing when everything is explained and decided."""

    bank: Vnd
    not_sponsors: Vnd
    """Of the bank's money: fees, interest and other things that are no sponsor's, and what stood there before."""
    unidentified: Vnd
    available: Vnd
    reserved: Vnd
    undecided: Counted
    """Lines that nobody has said anything of yet, or whose posting is of a later day."""
    earlier: Vnd
    """By so much the bank stood above the books before the first line of any statement."""
    came_without_line: Counted
    """Money that the books say came in and no line of the bank shows."""
    went_without_line: Counted
    """Money that the books say went out and no line of the bank shows; negative."""

    @property
    def books(self) -> Vnd:
        return self.unidentified + self.available + self.reserved

    @property
    def difference(self) -> Vnd:
        return self.bank - self.not_sponsors - self.books

    @property
    def unexplained(self) -> Vnd:
        """What of the difference no row explains: nothing, or something is wrong with the program."""
        rows = self.undecided.total + self.earlier - self.came_without_line.total - self.went_without_line.total
        return self.difference - rows


def bank_in(session: Session, account: BankAccount, month: Month) -> Bank:
    """What the bank says of an account in a month."""
    of = (StatementLine.town_id == account.town_id, StatementLine.bank_account_id == account.id)
    start = _before_all(session, account)
    before = session.scalar(
        select(func.coalesce(func.sum(StatementLine.amount), 0)).where(*of, StatementLine.posted_on < month.first_day)
    )
    inside = (*of, StatementLine.posted_on.between(month.first_day, month.last_day))
    came, went = session.execute(
        select(
            func.coalesce(func.sum(StatementLine.amount).filter(StatementLine.amount > 0), 0),
            func.coalesce(func.sum(StatementLine.amount).filter(StatementLine.amount < 0), 0),
        ).where(*inside)
    ).one()
    told = session.scalar(
        select(StatementLine.balance)
        .join(Statement, and_(Statement.town_id == StatementLine.town_id, Statement.id == StatementLine.statement_id))
        .where(*of, StatementLine.posted_on <= month.last_day)
        .order_by(StatementLine.posted_on.desc(), Statement.to_day.desc(), StatementLine.place.desc())
        .limit(1)
    )
    uses = (
        select(LinePart.use, func.count(LinePart.line_id.distinct()), func.sum(LinePart.amount))
        .join(StatementLine, _of_line())
        .where(*inside)
        .group_by(LinePart.use)
    )
    left = select(func.count(), func.coalesce(func.sum(StatementLine.amount), 0)).where(
        *inside, StatementLine.state != LineState.SETTLED
    )
    opening = start + int(before or 0)
    return Bank(
        account,
        month,
        opening,
        int(came),
        int(went),
        opening + int(came) + int(went),
        told,
        {row[0]: Counted(row[1], int(row[2])) for row in session.execute(uses)},
        Counted(*(int(value) for value in session.execute(left).one())),
    )


def _before_all(session: Session, account: BankAccount) -> Vnd:
    """What stood on the account before its first line: the opening balance of the earliest statement that tells one."""
    row = session.execute(
        select(Statement.opening, Statement.from_day)
        .where(
            Statement.town_id == account.town_id,
            Statement.bank_account_id == account.id,
            Statement.opening.is_not(None),
            Statement.state.in_((StatementState.MATCHING, StatementState.LOADED)),
        )
        .order_by(Statement.from_day, Statement.id)
        .limit(1)
    ).first()
    if row is None:
        return 0
    before = session.scalar(
        select(func.coalesce(func.sum(StatementLine.amount), 0)).where(
            StatementLine.town_id == account.town_id,
            StatementLine.bank_account_id == account.id,
            StatementLine.posted_on < row[1],
        )
    )
    return int(row[0] or 0) - int(before or 0)


def bridge_on(session: Session, town_id: UUID, day: date) -> Bridge:
    """How all bank accounts of the fund together stand to the books at the end of a day."""
    accounts = bank_accounts(session, town_id)
    until = (StatementLine.town_id == town_id, StatementLine.posted_on <= day)
    lines, first, left = session.execute(
        select(
            func.coalesce(func.sum(StatementLine.amount), 0),
            func.min(StatementLine.posted_on),
            func.count().filter(StatementLine.state != LineState.SETTLED),
        ).where(*until)
    ).one()
    first = first or day + timedelta(days=1)
    parts, parts_before = _parts_on(session, town_id, day, first)
    start = sum(_before_all(session, one) - one.not_sponsors for one in accounts)
    held = money_held(session, town_id, day)
    before = sum(money_held(session, town_id, first - timedelta(days=1)).values()) - parts_before
    decided = sum(parts.values())
    came, went = _without_line(session, town_id, first, day)
    own = sum(one.not_sponsors for one in accounts) + sum(parts.get(use, 0) for use in NOT_GIFTS)
    return Bridge(
        bank=start + sum(one.not_sponsors for one in accounts) + int(lines),
        not_sponsors=own,
        unidentified=held[AccountKind.UNIDENTIFIED],
        available=held[AccountKind.AVAILABLE],
        reserved=held[AccountKind.RESERVED],
        undecided=Counted(int(left), int(lines) - decided),
        earlier=start - before,
        came_without_line=came,
        went_without_line=went,
    )


def _at_day(day: date) -> ColumnElement[bool]:
    """What a line was said to be at the end of a day."""
    return and_(LinePart.booked_on <= day, or_(LinePart.ended_on.is_(None), LinePart.ended_on > day))


def _parts_on(session: Session, town_id: UUID, day: date, first: date) -> tuple[dict[Use, Vnd], Vnd]:
    """What the lines up to a day were, by use; and what of it was in the books before the first line."""
    of_line = and_(LinePart.town_id == StatementLine.town_id, LinePart.line_id == StatementLine.id)
    early = and_(LinePart.booked_on < first, LinePart.use.in_(IN_THE_BOOKS))
    query = (
        select(LinePart.use, func.sum(LinePart.amount), func.coalesce(func.sum(LinePart.amount).filter(early), 0))
        .join(StatementLine, of_line)
        .where(LinePart.town_id == town_id, StatementLine.posted_on <= day, _at_day(day))
        .group_by(LinePart.use)
    )
    rows = session.execute(query).tuples().all()
    return {row[0]: int(row[1]) for row in rows}, sum(int(row[2]) for row in rows)


def money_held(session: Session, town_id: UUID, day: date) -> dict[AccountKind, Vnd]:
    """What the books say stands on the bank accounts at the end of a day, by whose it is."""
    query = (
        select(LedgerAccount.kind, func.sum(LedgerEntry.amount))
        .join(LedgerEntry, _entry_of_account())
        .join(Posting, _posting_of_entry())
        .where(LedgerAccount.town_id == town_id, LedgerAccount.kind.in_(HELD), Posting.posted_on <= day)
        .group_by(LedgerAccount.kind)
    )
    found = {row[0]: int(row[1]) for row in session.execute(query)}
    return {kind: found.get(kind, 0) for kind in HELD}


def _without_line(session: Session, town_id: UUID, first: date, day: date) -> tuple[Counted, Counted]:
    """How many movements no line showed at the end of a day, and their sums: in, and out."""
    loose = _loose_moves(town_id, first, day).subquery()
    row = session.execute(
        select(
            func.count().filter(loose.c.amount > 0),
            func.coalesce(func.sum(loose.c.amount).filter(loose.c.amount > 0), 0),
            func.count().filter(loose.c.amount < 0),
            func.coalesce(func.sum(loose.c.amount).filter(loose.c.amount < 0), 0),
        ).select_from(loose)
    ).one()
    came_many, came, went_many, went = (int(value) for value in row)
    return Counted(came_many, came), Counted(went_many, went)


def _loose_moves(town_id: UUID, first: date, day: date) -> Select[UUID, Vnd]:
    """Movements of the held money from a first day on that no line showed at the end of a day, and by how much it rose. A
    posting and the one that took it back are none."""
    shown = exists().where(LinePart.town_id == Posting.town_id, LinePart.posting_id == Posting.id, _at_day(day))
    moved = (
        select(Posting.id, Posting.reverses_id, func.sum(LedgerEntry.amount).label("amount"))
        .join(LedgerEntry, _posting_of_entry())
        .join(LedgerAccount, _entry_of_account())
        .where(
            Posting.town_id == town_id,
            Posting.posted_on.between(first, day),
            LedgerAccount.kind.in_(HELD),
            ~shown,
        )
        .group_by(Posting.id, Posting.reverses_id)
        .having(func.sum(LedgerEntry.amount) != 0)
        .cte("moved")
    )
    other = moved.alias("other")
    undone = exists().where(
        or_(other.c.reverses_id == moved.c.id, other.c.id == moved.c.reverses_id), other.c.amount == -moved.c.amount
    )
    return select(moved.c.id, moved.c.amount).where(~undone)


class Loose(NamedTuple):
    """A movement of the books that no line of the bank shows; `amount` is negative when it went out."""

    posting: Posting
    amount: Vnd


def loose_moves(session: Session, town_id: UUID, day: date, most: int = 30) -> list[Loose]:
    """The first movements that no line showed at the end of a day, the oldest first: what `bridge_on` counts."""
    first = session.scalar(
        select(func.min(StatementLine.posted_on)).where(
            StatementLine.town_id == town_id, StatementLine.posted_on <= day
        )
    )
    if first is None:
        return []
    loose = _loose_moves(town_id, first, day).subquery()
    query = (
        select(Posting, loose.c.amount)
        .join(loose, loose.c.id == Posting.id)
        .where(Posting.town_id == town_id)
        .order_by(Posting.posted_on, Posting.id)
        .limit(most)
    )
    return [Loose(row[0], int(row[1])) for row in session.execute(query)]


def _entry_of_account() -> ColumnElement[bool]:
    return and_(LedgerEntry.town_id == LedgerAccount.town_id, LedgerEntry.ledger_account_id == LedgerAccount.id)


def _posting_of_entry() -> ColumnElement[bool]:
    return and_(Posting.town_id == LedgerEntry.town_id, Posting.id == LedgerEntry.posting_id)
