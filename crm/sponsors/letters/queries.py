"""What became of a sponsor's money, told without names; the papers there are; and what the fund did in all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Text, and_, case, cast, exists, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from crm.accounts.models import User
from crm.errors import NotFound
from crm.money import Vnd, split
from crm.months import Month
from crm.participation.leaving.models import LeavingPart, LeavingRefund
from crm.participation.leaving.rules import Payee
from crm.participation.models import Payment
from crm.places.models import Place
from crm.prospects.merging.models import MergedRow
from crm.prospects.models import Prospect, Standing
from crm.prospects.queries.standing import valid_on
from crm.prospects.rules import Ground
from crm.sponsors.family import are_one, is_of, kept_id, kept_of
from crm.sponsors.letters.models import NamingConsent, SponsorAccount, SponsorPaper, SponsorPublicity
from crm.sponsors.letters.rules import (
    CarriedMonth,
    Cells,
    Group,
    Line,
    MonthState,
    PaperKind,
    Told,
    Validity,
    YearOfMoney,
    runs_of,
    told_as,
)
from crm.sponsors.models import Allocation, AllocationMonth, LedgerAccount, LedgerEntry, Posting, Receipt, Sponsor
from crm.sponsors.rules import MOVEMENTS, NEEDS, AccountKind, Movement

MOST_MOVES = 200
REAL_MONEY = (AccountKind.AVAILABLE, AccountKind.RESERVED, AccountKind.INSURANCE_FUND)
"""Accounts of a sponsor that hold money, not promises."""


# ---- every đồng to somebody


class Helped(NamedTuple):
    """One of the people a sponsor helps or helped, as the register knows them. Not for anybody outside."""

    prospect_id: UUID
    number: int
    name: str
    place_id: UUID
    place: str
    need: Ground


def _held_then(ground: Ground) -> ColumnElement[bool]:
    """Whether the person held this ground on the day the money was set aside."""
    return exists().where(
        Standing.town_id == Allocation.town_id,
        Standing.prospect_id == Allocation.prospect_id,
        Standing.ground == ground,
        Standing.valid_from <= Posting.posted_on,
        or_(Standing.valid_to.is_(None), Standing.valid_to > Posting.posted_on),
    )


NEED_THEN = case(
    *((_held_then(ground), literal(ground.value, Text)) for ground in NEEDS),
    else_=literal(Ground.OTHER.value, Text),
)


def helped_by(session: Session, of: Sponsor) -> dict[UUID, Helped]:
    """Everybody this sponsor ever set money aside for, numbered in the order they were first helped.

    The number stays: two records that became one keep the smaller of theirs, and nobody else's moves up. Whom a sponsor
    helped that was joined to this one comes in on the day of that.
    """
    first_of = func.coalesce(MergedRow.origin_id, Allocation.prospect_id)
    came_as = and_(
        MergedRow.town_id == Allocation.town_id,
        MergedRow.table_name == Allocation.__tablename__,
        MergedRow.column_name == "prospect_id",
        MergedRow.row_key == cast(func.jsonb_build_object("id", Allocation.id), Text),
    )
    part = aliased(Sponsor)
    joined = func.greatest(Allocation.recorded_at, part.merged_at)
    query = (
        select(first_of, Prospect.id, Prospect.full_name, Place.id, Place.name, NEED_THEN)
        .select_from(Allocation)
        .join(Posting, and_(Posting.town_id == Allocation.town_id, Posting.id == Allocation.posting_id))
        .join(Prospect, and_(Prospect.town_id == Allocation.town_id, Prospect.id == Allocation.prospect_id))
        .join(Place, and_(Place.town_id == Prospect.town_id, Place.id == Prospect.place_id))
        .join(part, and_(part.town_id == Allocation.town_id, part.id == Allocation.sponsor_id))
        .outerjoin(MergedRow, came_as)
        .where(Allocation.town_id == of.town_id, is_of(Allocation.sponsor_id, of))
        .order_by(joined, Allocation.id)
    )
    numbers: dict[UUID, int] = {}
    found: dict[UUID, Helped] = {}
    for origin, prospect_id, name, place_id, place, need in session.execute(query):
        number = numbers.setdefault(origin, len(numbers) + 1)
        known = found.get(prospect_id)
        number = min(number, known.number) if known else number
        found[prospect_id] = Helped(prospect_id, number, name, place_id, place, Ground(need))
    return found


CAME_BACK = (
    select(func.sum(LeavingPart.paid_back))
    .join(LeavingRefund, and_(LeavingRefund.town_id == LeavingPart.town_id, LeavingRefund.id == LeavingPart.refund_id))
    .where(
        LeavingRefund.town_id == AllocationMonth.town_id,
        LeavingRefund.payment_id == AllocationMonth.payment_id,
        LeavingRefund.not_needed_from <= AllocationMonth.month,
        LeavingPart.payee == Payee.SPONSOR,
        LeavingPart.payee_id == Allocation.sponsor_id,
        LeavingPart.settled_on.is_not(None),
    )
    .correlate(AllocationMonth, Allocation)
    .scalar_subquery()
)
"""What came back of a payment to the sponsor, for a month that was paid in vain; None for any other month."""


def carried_months(session: Session, of: Sponsor, people: dict[UUID, Helped]) -> list[CarriedMonth]:
    """Every named month this sponsor's money was set aside for, with what became of it.

    A payment may have needed less than was set aside: its months share what it took. Of a payment for somebody who left,
    the months not needed share what came back.
    """
    query = (
        select(AllocationMonth, Payment.other_support, CAME_BACK)
        .join(
            Allocation,
            and_(Allocation.town_id == AllocationMonth.town_id, Allocation.id == AllocationMonth.allocation_id),
        )
        .outerjoin(Payment, and_(Payment.town_id == AllocationMonth.town_id, Payment.id == AllocationMonth.payment_id))
        .where(Allocation.town_id == of.town_id, is_of(Allocation.sponsor_id, of))
        .order_by(AllocationMonth.allocation_id, AllocationMonth.month)
    )
    rows = session.execute(query).tuples().all()
    paid = [(one, int(used)) for one, used, _back in rows if one.payment_id and not one.released_at]
    taken = _shared([(one, used, one.amount) for one, used in paid])
    came_back = _shared([(one, int(back), taken[one.id]) for one, _used, back in rows if back and one.id in taken])
    found = []
    for one, _used, _back in rows:
        amount, number = taken.get(one.id, one.amount), people[one.prospect_id].number
        back = came_back.get(one.id)
        told = (amount, _state_of(one)) if back is None else (back, MonthState.CAME_BACK, amount - back)
        found.append(CarriedMonth(number, one.prospect_id, Month.of(one.month), *told))
    return found


def _state_of(one: AllocationMonth) -> MonthState:
    return MonthState.GIVEN_BACK if one.released_at else MonthState.PAID if one.payment_id else MonthState.SET_ASIDE


def _shared(months: Sequence[tuple[AllocationMonth, Vnd, Vnd]]) -> dict[UUID, Vnd]:
    """An amount of each payment shared among its months by their weights: (month, amount of the payment, weight)."""
    together: dict[UUID | None, list[tuple[UUID, Vnd, Vnd]]] = {}
    for one, amount, weight in months:
        together.setdefault(one.payment_id, []).append((one.id, amount, weight))
    return {
        month_id: amount
        for rows in together.values()
        for (month_id, _amount, _weight), amount in zip(
            rows, split(rows[0][1], [weight for _id, _amount, weight in rows]), strict=True
        )
    }


def agreed_to_be_named(session: Session, of: Sponsor) -> set[UUID]:
    """Whom this sponsor may know by name: those whose last word to that was yes."""
    last = (
        select(NamingConsent.prospect_id, NamingConsent.given)
        .distinct(NamingConsent.prospect_id)
        .where(NamingConsent.town_id == of.town_id, is_of(NamingConsent.sponsor_id, of))
        .order_by(NamingConsent.prospect_id, NamingConsent.recorded_at.desc(), NamingConsent.id.desc())
        .subquery()
    )
    return set(session.scalars(select(last.c.prospect_id).where(last.c.given)))


def people_in_need(session: Session, town_id: UUID, day: date) -> dict[tuple[UUID, Ground], int]:
    """How many people of the register live in each place with each need on a day."""
    poor = case((func.bool_or(Standing.ground == Ground.POOR), Ground.POOR.value), else_=Ground.NEAR_POOR.value)
    held = (
        select(Prospect.place_id.label("place_id"), poor.label("need"))
        .join(Standing, and_(Standing.town_id == Prospect.town_id, Standing.prospect_id == Prospect.id))
        .where(
            Prospect.town_id == town_id,
            Prospect.merged_into_id.is_(None),
            Standing.ground.in_(list(NEEDS)),
            *valid_on(day),
        )
        .group_by(Prospect.id, Prospect.place_id)
        .subquery()
    )
    query = select(held.c.place_id, held.c.need, func.count()).group_by(held.c.place_id, held.c.need)
    return {(row[0], Ground(row[1])): int(row[2]) for row in session.execute(query)}


class Telling(NamedTuple):
    """A sponsor's people as their sponsor may know them."""

    lines: Sequence[Line]
    told: dict[int, tuple[str | None, Ground | None]]
    """Place and need of each number, as told without a name."""

    def groups(self, lines: Iterable[Line], of_year: int | None = None) -> list[Group]:
        """The months of these people, in all or of one year, put together where they are told alike; the largest first."""
        found: dict[tuple[str | None, Ground | None], list[tuple[list[Month], list[Month]]]] = {}
        for line in lines:
            paid, waiting = (
                [month for month in months if of_year is None or month.year == of_year]
                for months in (line.paid_months, line.waiting_months)
            )
            if paid or waiting:
                found.setdefault(self.told[line.number], []).append((paid, waiting))
        groups = [
            Group(
                place,
                need,
                len(rows),
                sum(len(paid) for paid, _waiting in rows),
                sum(len(waiting) for _paid, waiting in rows),
                max(month for both in rows for months in both for month in months),
            )
            for (place, need), rows in found.items()
        ]
        return sorted(groups, key=lambda one: (one.place is None, -one.people, one.place or "", str(one.need)))


def telling(session: Session, of: Sponsor, today: date) -> Telling:
    """Every đồng that left what is free, to a line of somebody who has a number and no name unless they agreed."""
    people = helped_by(session, of)
    months = carried_months(session, of, people)
    named = agreed_to_be_named(session, of)
    cells: Cells = people_in_need(session, of.town_id, today)
    here: Cells = {(one.place_id, one.need): 0 for one in people.values() if one.need in NEEDS}
    hides = told_as({**here, **cells})
    by_person: dict[UUID, list[CarriedMonth]] = {}
    for month in months:
        by_person.setdefault(month.prospect_id, []).append(month)
    lines, told = [], {}
    for one in people.values():
        how = hides.get((one.place_id, one.need), Told(one.place_id, one.need))
        place = one.place if how.place_id else None
        told[one.number] = (place, how.need)
        runs = runs_of(by_person.get(one.prospect_id, []))
        if one.prospect_id in named:
            lines.append(Line(one.number, one.place, one.need, one.name, runs))
        else:
            lines.append(Line(one.number, place, how.need, None, runs))
    return Telling(sorted(lines, key=lambda line: line.number), told)


# ---- the money in time


class Moved(NamedTuple):
    """What happened to a sponsor's money in one month: so many acts of one kind."""

    month: Month
    movement: Movement
    words: Any
    amount: Vnd
    times: int
    put: Vnd
    """What of it came to what is free; negative: went from it."""
    left: Vnd
    """What is free at the end of the month."""


def _of(kind: AccountKind) -> ColumnElement[int]:
    return func.coalesce(func.sum(LedgerEntry.amount).filter(LedgerAccount.kind == kind), 0)


def moves_of(session: Session, of: Sponsor, most: int = MOST_MOVES, skip: int = 0) -> list[Moved]:
    """The months in which a sponsor's money moved, the latest first."""
    free, kept, gone = (_of(kind) for kind in REAL_MONEY)
    lines = (
        select(
            *(Posting.posted_on, Posting.movement, Posting.recorded_at),
            *(free.label("free"), kept.label("kept"), gone.label("gone")),
        )
        .join(LedgerEntry, and_(LedgerEntry.town_id == Posting.town_id, LedgerEntry.posting_id == Posting.id))
        .join(
            LedgerAccount,
            and_(LedgerAccount.town_id == Posting.town_id, LedgerAccount.id == LedgerEntry.ledger_account_id),
        )
        .where(
            LedgerAccount.town_id == of.town_id, is_of(LedgerAccount.sponsor_id, of), LedgerAccount.kind.in_(REAL_MONEY)
        )
        .group_by(Posting.town_id, Posting.id)
        .having(or_(free != 0, kept != 0, gone != 0))
        .subquery()
    )
    moved = func.abs(case((lines.c.gone != 0, lines.c.gone), (lines.c.kept != 0, lines.c.kept), else_=lines.c.free))
    month = cast(func.date_trunc("month", lines.c.posted_on), Date)
    months = (
        select(
            month.label("month"),
            lines.c.movement,
            func.sum(moved).label("moved"),
            func.count().label("times"),
            func.sum(lines.c.free).label("free"),
            func.min(lines.c.recorded_at).label("at"),
        )
        .group_by(month, lines.c.movement)
        .subquery()
    )
    order = (months.c.month, months.c.at, months.c.movement)
    left = func.sum(months.c.free).over(order_by=months.c.month)
    query = (
        select(months.c.month, months.c.movement, months.c.moved, months.c.times, months.c.free, left)
        .order_by(*(column.desc() for column in order))
        .limit(most)
        .offset(skip)
    )
    return [
        Moved(Month.of(row[0]), Movement(row[1]), MOVEMENTS[Movement(row[1])], *(int(number) for number in row[2:]))
        for row in session.execute(query)
    ]


def years_of_money(
    session: Session, town_id: UUID, first: date, last: date, sponsor_ids: Collection[UUID] | None = None
) -> dict[UUID, YearOfMoney]:
    """The money of sponsors from the first to the last of some days, from the entries of the ledger alone.

    What comes to or leaves a sponsor's accounts of money altogether was received or refunded; what moved among them was
    set aside, given back or paid. A correction counts as what it corrects.
    """
    undone = aliased(Posting)
    movement = func.coalesce(undone.movement, Posting.movement)
    refunds, came_back = movement == Movement.REFUNDED, movement == Movement.CAME_BACK
    entry, before, within = LedgerEntry.amount, Posting.posted_on < first, Posting.posted_on >= first
    free, kept, gone = (LedgerAccount.kind == kind for kind in REAL_MONEY)

    def total(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
        return func.coalesce(func.sum(entry).filter(*conditions), 0)

    part = (
        select(Sponsor.id, func.coalesce(Sponsor.merged_into_id, Sponsor.id).label("kept_id"))
        .where(Sponsor.town_id == town_id)
        .subquery()
    )
    query = (
        select(
            part.c.kept_id,
            total(free, before),
            total(within, ~refunds),
            -total(within, refunds),
            total(within, or_(kept, gone)),
            total(within, gone),
            total(free),
            total(kept),
            -total(within, gone, came_back),
        )
        .select_from(LedgerEntry)
        .join(
            LedgerAccount,
            and_(LedgerAccount.town_id == LedgerEntry.town_id, LedgerAccount.id == LedgerEntry.ledger_account_id),
        )
        .join(part, part.c.id == LedgerAccount.sponsor_id)
        .join(Posting, and_(Posting.town_id == LedgerEntry.town_id, Posting.id == LedgerEntry.posting_id))
        .outerjoin(undone, and_(undone.town_id == Posting.town_id, undone.id == Posting.reverses_id))
        .where(LedgerAccount.town_id == town_id, LedgerAccount.kind.in_(REAL_MONEY))
        .where(Posting.posted_on <= last)
        .group_by(part.c.kept_id)
    )
    if sponsor_ids is not None:
        query = query.where(part.c.kept_id.in_(sponsor_ids))
    rows: Sequence[Any] = session.execute(query).all()
    return {row[0]: YearOfMoney(*(int(amount) for amount in row[1:])) for row in rows}


# ---- papers


class Received(NamedTuple):
    """Money that came in, the paper for it, and whether it was booked back since."""

    receipt: Receipt
    paper: SponsorPaper | None
    booked_on: date
    corrected_on: date | None


def receipts_of(session: Session, of: Sponsor, most: int = 200) -> list[Received]:
    """Money that came in from a sponsor, the latest first."""
    booked, undone = aliased(Posting), aliased(Posting)
    query = (
        select(Receipt, SponsorPaper, booked.posted_on, undone.posted_on)
        .join(booked, and_(booked.town_id == Receipt.town_id, booked.id == Receipt.posting_id))
        .outerjoin(SponsorPaper, and_(SponsorPaper.town_id == Receipt.town_id, SponsorPaper.receipt_id == Receipt.id))
        .outerjoin(undone, and_(undone.town_id == Receipt.town_id, undone.id == Receipt.corrected_id))
        .where(Receipt.town_id == of.town_id, is_of(Receipt.sponsor_id, of))
        .order_by(Receipt.received_on.desc(), Receipt.id.desc())
        .limit(most)
    )
    return [Received(*row) for row in session.execute(query)]


def first_received(session: Session, of: Sponsor) -> date | None:
    """The day on which the first money of a sponsor came in."""
    query = select(func.min(Receipt.received_on)).where(Receipt.town_id == of.town_id, is_of(Receipt.sponsor_id, of))
    return session.scalar(query)


def receipt_of(session: Session, of: Sponsor, receipt_id: UUID) -> Receipt:
    """A receipt of this sponsor. Raises NotFound, also for another's."""
    found = session.get(Receipt, (of.town_id, receipt_id))
    if found is None or not are_one(session, of, found.sponsor_id):
        raise NotFound
    return found


def corrected_on(session: Session, receipt: Receipt) -> date | None:
    """The day on which a receipt was booked back, if it was."""
    if receipt.corrected_id is None:
        return None
    return session.get_one(Posting, (receipt.town_id, receipt.corrected_id)).posted_on


def papers_of(session: Session, of: Sponsor, most: int = 100) -> Sequence[SponsorPaper]:
    """The papers a sponsor was given, the latest first."""
    query = select(SponsorPaper).where(SponsorPaper.town_id == of.town_id, is_of(SponsorPaper.sponsor_id, of))
    return session.scalars(query.order_by(SponsorPaper.issued_at.desc(), SponsorPaper.id.desc()).limit(most)).all()


def paper_of(session: Session, of: Sponsor, paper_id: UUID) -> SponsorPaper:
    """A paper of this sponsor. Raises NotFound, also for another's."""
    found = session.get(SponsorPaper, (of.town_id, paper_id))
    if found is None or not are_one(session, of, found.sponsor_id):
        raise NotFound
    return found


def paper_numbered(session: Session, number: str) -> SponsorPaper | None:
    """The paper with this number."""
    return session.scalar(select(SponsorPaper).where(SponsorPaper.number == number))


def name_now(session: Session, paper: SponsorPaper) -> str:
    """How the sponsor of a paper is called today, also as part of another."""
    return kept_of(session, session.get_one(Sponsor, (paper.town_id, paper.sponsor_id))).name


def last_of_its_kind(session: Session, of: Sponsor, kind: PaperKind, of_year: int | None) -> SponsorPaper | None:
    """The latest certificate or statement about the same time."""
    query = select(SponsorPaper).where(
        SponsorPaper.town_id == of.town_id,
        SponsorPaper.sponsor_id == of.id,
        SponsorPaper.kind == kind,
        SponsorPaper.of_year == of_year if of_year is not None else SponsorPaper.of_year.is_(None),
    )
    return session.scalar(query.order_by(SponsorPaper.issued_at.desc(), SponsorPaper.serial.desc()).limit(1))


class Verified(NamedTuple):
    """A paper, and whether it still holds: since when not, and which paper came in its place."""

    paper: SponsorPaper
    validity: Validity
    since: date | None = None
    replaced_by: str | None = None


# ---- what everybody may see


def publicity_of(session: Session, of: Sponsor) -> SponsorPublicity | None:
    """What a sponsor lets everybody see, if they ever said."""
    return session.scalar(
        select(SponsorPublicity).where(SponsorPublicity.town_id == of.town_id, SponsorPublicity.sponsor_id == of.id)
    )


def thanked(session: Session, public_id: str) -> Sponsor:
    """The sponsor whom a public page thanks. Raises NotFound unless they want it."""
    query = (
        select(Sponsor)
        .join(
            SponsorPublicity,
            and_(SponsorPublicity.town_id == Sponsor.town_id, SponsorPublicity.sponsor_id == Sponsor.id),
        )
        .where(SponsorPublicity.public_id == public_id, SponsorPublicity.thanked, Sponsor.merged_into_id.is_(None))
    )
    found = session.scalar(query)
    if found is None:
        raise NotFound
    return found


class InAll(NamedTuple):
    """People whose months were paid with a sponsor's money, and those months, in all or of one year, from the first to
    the last."""

    people: int
    months: int
    first: Month
    last: Month
    waiting: int = 0
    """Months that are set aside and not yet paid; they stand in none of the other figures."""


def carried_in_all(months: Iterable[CarriedMonth], of_year: int | None = None) -> InAll | None:
    """Whom and how many months money has paid to the insurance fund. None when nobody."""
    asked = [one for one in months if of_year is None or one.month.year == of_year]
    paid = [one for one in asked if one.state is MonthState.PAID]
    if not paid:
        return None
    named = [one.month for one in paid]
    waiting = sum(one.state is MonthState.SET_ASIDE for one in asked)
    return InAll(len({one.prospect_id for one in paid}), len(paid), min(named), max(named), waiting)


class FundSums(NamedTuple):
    """The fund in all, whole đồng."""

    received: Vnd
    returned: Vnd
    """What of it went back to sponsors."""
    used: Vnd
    paid: Vnd
    left: Vnd
    sponsors: int
    people: int
    """Whose months were paid."""
    newcomers: int
    """For whom nothing is paid yet and months are set aside."""
    months: int
    waiting: int
    """Months that are only set aside, of anybody."""


class FundGroup(NamedTuple):
    """People whom the fund carries or carried, or set money aside for, told alike."""

    place: str | None
    need: Ground | None
    people: int
    months: int
    """Paid to the insurance fund."""
    waiting: int
    """Only set aside."""


PAID_MONTHS = func.count().filter(AllocationMonth.payment_id.is_not(None), CAME_BACK.is_(None))
WAITING_MONTHS = func.count().filter(AllocationMonth.payment_id.is_(None))
"""Of months that were not given back: those that carry somebody, and those that money is only set aside for."""


def fund_groups(session: Session, town_id: UUID) -> list[FundGroup]:
    """Whom the fund carried by ward and need, told so that no group has too few people (rules.told_as)."""
    query = (
        select(Allocation.prospect_id, Place.id, Place.name, NEED_THEN, PAID_MONTHS, WAITING_MONTHS)
        .select_from(Allocation)
        .join(AllocationMonth, _of_allocation())
        .join(Posting, and_(Posting.town_id == Allocation.town_id, Posting.id == Allocation.posting_id))
        .join(Prospect, and_(Prospect.town_id == Allocation.town_id, Prospect.id == Allocation.prospect_id))
        .join(Place, and_(Place.town_id == Prospect.town_id, Place.id == Prospect.place_id))
        .where(Allocation.town_id == town_id, AllocationMonth.released_at.is_(None))
        .group_by(Allocation.prospect_id, Place.id, Place.name, NEED_THEN)
    )
    rows = [row for row in session.execute(query).tuples() if row[4] or row[5]]
    names: dict[UUID | None, str] = {row[1]: row[2] for row in rows}
    people: dict[tuple[UUID, Ground], set[UUID]] = {}
    paid: Counter[tuple[UUID, Ground]] = Counter()
    waiting: Counter[tuple[UUID, Ground]] = Counter()
    for prospect_id, place_id, _name, need, carried, aside in rows:
        cell = (place_id, Ground(need))
        people.setdefault(cell, set()).add(prospect_id)
        paid[cell] += carried
        waiting[cell] += aside
    told: dict[Told, list[tuple[UUID, Ground]]] = {}
    for cell, how in told_as({cell: len(who) for cell, who in people.items()}).items():
        told.setdefault(how, []).append(cell)
    groups = [
        FundGroup(
            names.get(how.place_id),
            how.need,
            len(set().union(*(people[cell] for cell in cells))),
            sum(paid[cell] for cell in cells),
            sum(waiting[cell] for cell in cells),
        )
        for how, cells in told.items()
    ]
    return sorted(groups, key=lambda one: (one.place is None, -one.people, one.place or "", str(one.need)))


def fund_sums(session: Session, town_id: UUID, today: date) -> FundSums:
    """What the fund received and did in all."""
    money = years_of_money(session, town_id, date.min, today).values()
    carries = and_(AllocationMonth.payment_id.is_not(None), CAME_BACK.is_(None))
    query = (
        select(
            func.count(Allocation.prospect_id.distinct()).filter(carries),
            func.count(Allocation.prospect_id.distinct()).filter(or_(carries, AllocationMonth.payment_id.is_(None))),
            PAID_MONTHS,
            WAITING_MONTHS,
        )
        .select_from(Allocation)
        .join(AllocationMonth, _of_allocation())
        .where(Allocation.town_id == town_id, AllocationMonth.released_at.is_(None))
    )
    people, told, months, waiting = session.execute(query).one()
    return FundSums(
        received=sum(one.received for one in money),
        returned=sum(one.refunded for one in money),
        used=sum(one.used for one in money),
        paid=sum(one.paid for one in money),
        left=sum(one.closing for one in money),
        sponsors=sum(1 for one in money if one.received),
        people=people,
        newcomers=told - people,
        months=months,
        waiting=waiting,
    )


def _of_allocation() -> ColumnElement[bool]:
    return and_(AllocationMonth.town_id == Allocation.town_id, AllocationMonth.allocation_id == Allocation.id)


def who_wants_to_be_named(session: Session, town_id: UUID, most: int = 500) -> Sequence[str]:
    """Sponsors who want to stand on the fund's page, by name."""
    query = (
        select(Sponsor.name)
        .join(
            SponsorPublicity,
            and_(SponsorPublicity.town_id == Sponsor.town_id, SponsorPublicity.sponsor_id == Sponsor.id),
        )
        .where(Sponsor.town_id == town_id, Sponsor.merged_into_id.is_(None), SponsorPublicity.named)
        .where(exists().where(Receipt.town_id == Sponsor.town_id, kept_id(town_id, Receipt.sponsor_id) == Sponsor.id))
        .order_by(Sponsor.name_fold, Sponsor.id)
        .limit(most)
    )
    return session.scalars(query).all()


# ---- who signs in for a sponsor, and who agreed to be named


def sponsor_of_account(session: Session, user: User) -> Sponsor:
    """The sponsor whose page this account opens. Raises NotFound when it belongs to none."""
    query = (
        select(Sponsor)
        .join(SponsorAccount, and_(SponsorAccount.town_id == Sponsor.town_id, SponsorAccount.sponsor_id == Sponsor.id))
        .where(SponsorAccount.town_id == user.town_id, SponsorAccount.user_id == user.id)
    )
    found = session.scalar(query)
    if found is None:
        raise NotFound
    return kept_of(session, found)


def accounts_of(session: Session, of: Sponsor) -> Sequence[User]:
    """Who signs in for a sponsor, by name."""
    query = (
        select(User)
        .join(SponsorAccount, and_(SponsorAccount.town_id == User.town_id, SponsorAccount.user_id == User.id))
        .where(SponsorAccount.town_id == of.town_id, is_of(SponsorAccount.sponsor_id, of))
        .order_by(User.full_name, User.id)
    )
    return session.scalars(query).all()


def account_of(session: Session, of: Sponsor, user_id: UUID) -> User:
    """Somebody who signs in for this sponsor. Raises NotFound, also for anybody else."""
    found = next((one for one in accounts_of(session, of) if one.id == user_id), None)
    if found is None:
        raise NotFound
    return found


def consents_of(session: Session, person: Prospect, of: Sponsor) -> Sequence[tuple[NamingConsent, str]]:
    """All somebody ever said about being named to a sponsor, the last word first, with who wrote it down."""
    query = (
        select(NamingConsent, User.full_name)
        .join(User, and_(User.town_id == NamingConsent.town_id, User.id == NamingConsent.recorded_by_id))
        .where(
            NamingConsent.town_id == person.town_id,
            NamingConsent.prospect_id == person.id,
            is_of(NamingConsent.sponsor_id, of),
        )
        .order_by(NamingConsent.recorded_at.desc(), NamingConsent.id.desc())
        .limit(100)
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def helped_person_of(session: Session, person: Prospect, of: Sponsor) -> bool:
    """Whether this sponsor ever set money aside for somebody."""
    query = select(Allocation.id).where(
        Allocation.town_id == of.town_id, is_of(Allocation.sponsor_id, of), Allocation.prospect_id == person.id
    )
    return session.scalar(query.limit(1)) is not None
