"""The rows of the reports of money, each read from the ledger, the named months or the payments themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from crm.accounts.queries import Scope
from crm.money import Vnd
from crm.participation.models import Participation, Payment
from crm.participation.queries import asked_neighbourhood
from crm.participation.rules import Span
from crm.places.boundaries import Boundaries
from crm.prospects.models import Prospect, Standing
from crm.prospects.queries.seeing import visible_to
from crm.prospects.rules import Ground
from crm.sponsors.family import has_part
from crm.sponsors.models import Allocation, AllocationMonth, LedgerAccount, LedgerEntry, Posting, Sponsor
from crm.sponsors.rules import AccountKind, Movement, SponsorKind

PROMISES = (Movement.PLEDGED, Movement.PLEDGE_CHANGED, Movement.PLEDGE_ENDED)
IN = (Movement.RECEIVED, Movement.IDENTIFIED)
OUT = (Movement.REFUNDED,)


# ---- Biểu 03


class People(NamedTuple):
    """Whom months were set aside for in a period: people by their need on that day, and months less those given back."""

    poor: int = 0
    near_poor: int = 0
    others: int = 0
    months: int = 0
    amount: Vnd = 0


class Supported(NamedTuple):
    """A sponsor in a period: carried_over + received − set_aside − returned = left, whole đồng.

    `promised` is what was promised anew, less what was taken back of promises. `set_aside` is less what was given back.
    """

    sponsor_id: UUID
    name: str
    name_fold: str
    kind: SponsorKind
    promised: Vnd
    carried_over: Vnd
    received: Vnd
    set_aside: Vnd
    returned: Vnd
    left: Vnd
    paid: Vnd
    """Of all that was set aside, now or before: paid to the insurance fund in the period."""
    people: People


def supported(session: Session, scope: Scope, span: Span) -> list[Supported]:
    """Every sponsor with money or a promise in the period, or something left from before, by name."""
    undone = aliased(Posting)
    # What puts a posting right counts as the opposite of what that was.
    movement = func.coalesce(undone.movement, Posting.movement, type_=Posting.movement.type)
    inside, amount = Posting.posted_on >= span.since, LedgerEntry.amount
    free, expected = LedgerAccount.kind == AccountKind.AVAILABLE, LedgerAccount.kind == AccountKind.EXPECTED

    def sums(*conditions: ColumnElement[bool]) -> ColumnElement[Any]:
        return func.coalesce(func.sum(amount).filter(*conditions), 0)

    part = aliased(Sponsor)
    query = (
        select(
            Sponsor,
            sums(expected, inside, movement.in_(PROMISES)),
            sums(free, ~inside),
            sums(free, inside, movement.in_(IN)),
            sums(free, inside, movement.not_in((*IN, *OUT))),
            sums(free, inside, movement.in_(OUT)),
            sums(free),
            sums(LedgerAccount.kind == AccountKind.INSURANCE_FUND, inside),
            func.count().filter(inside),
        )
        .join(part, has_part(part))
        .join(LedgerAccount, and_(LedgerAccount.town_id == part.town_id, LedgerAccount.sponsor_id == part.id))
        .join(LedgerEntry, _of_account())
        .join(Posting, _of_posting())
        .outerjoin(undone, and_(undone.town_id == Posting.town_id, undone.id == Posting.reverses_id))
        .where(Sponsor.town_id == scope.town_id, Sponsor.merged_into_id.is_(None), Posting.posted_on <= span.as_of)
        .group_by(Sponsor.town_id, Sponsor.id)
        .order_by(Sponsor.name_fold, Sponsor.id)
    )
    people = helped(session, scope, span)
    found = []
    for by, promised, over, came, used, back, left, paid, moved in session.execute(query):
        if moved or over or left:
            money = (int(promised), int(over), int(came), -int(used), -int(back), int(left), int(paid))
            found.append(Supported(by.id, by.name, by.name_fold, by.kind, *money, people.get(by.id, People())))
    return found


def helped(session: Session, scope: Scope, span: Span) -> Mapping[UUID, People]:
    """By sponsor, the people and months for whom money was set aside in the period, among those somebody may see."""
    each = _each(scope, span)
    query = select(
        each.c.sponsor_id,
        *(func.count().filter(each.c.kept > 0, each.c.need == need) for need in (1, 2, 3)),
        func.sum(each.c.months),
        func.sum(each.c.amount),
    ).group_by(each.c.sponsor_id)
    return {row[0]: People(*(int(number) for number in row[1:])) for row in session.execute(query)}


def helped_in_all(session: Session, scope: Scope, span: Span) -> People:
    """The same of all sponsors together: whom two of them help is one person."""
    each = _each(scope, span)
    people = (
        select(
            func.min(each.c.need).filter(each.c.kept > 0).label("need"),
            func.sum(each.c.months).label("months"),
            func.sum(each.c.amount).label("amount"),
        )
        .group_by(each.c.prospect_id)
        .subquery()
    )
    query = select(
        *(func.count().filter(people.c.need == need) for need in (1, 2, 3)),
        func.coalesce(func.sum(people.c.months), 0),
        func.coalesce(func.sum(people.c.amount), 0),
    )
    return People(*(int(number) for number in session.execute(query).one()))


def _each(scope: Scope, span: Span) -> Any:
    """Each person of each sponsor: their need (1 poor, 2 near-poor, 3 another), the months set aside in the period that
    are carried still at its end, and months and đồng set aside less given back in it."""
    given_back, month, part = aliased(Posting), AllocationMonth, aliased(Sponsor)
    whose = func.coalesce(part.merged_into_id, part.id)
    anew = Posting.posted_on.between(span.since, span.as_of)
    stays = or_(given_back.id.is_(None), given_back.posted_on > span.as_of)
    returned = given_back.posted_on.between(span.since, span.as_of)
    need = case((_held(Ground.POOR), 1), (_held(Ground.NEAR_POOR), 2), else_=3)

    def amount(condition: ColumnElement[bool]) -> ColumnElement[Any]:
        return func.coalesce(func.sum(month.amount).filter(condition), 0)

    return (
        select(
            whose.label("sponsor_id"),
            month.prospect_id,
            func.min(need).label("need"),
            func.count().filter(anew, stays).label("kept"),
            (func.count().filter(anew) - func.count().filter(returned)).label("months"),
            (amount(anew) - amount(returned)).label("amount"),
        )
        .select_from(Allocation)
        .join(part, and_(part.town_id == Allocation.town_id, part.id == Allocation.sponsor_id))
        .join(month, and_(month.town_id == Allocation.town_id, month.allocation_id == Allocation.id))
        .join(Posting, and_(Posting.town_id == Allocation.town_id, Posting.id == Allocation.posting_id))
        .outerjoin(given_back, and_(given_back.town_id == month.town_id, given_back.id == month.released_id))
        .join(Prospect, and_(Prospect.town_id == month.town_id, Prospect.id == month.prospect_id))
        .where(visible_to(scope), or_(anew, returned))
        .group_by(whose, month.prospect_id)
        .subquery()
    )


def _held(ground: Ground) -> ColumnElement[bool]:
    """The need of the person on the day on which the money was set aside."""
    return exists().where(
        Standing.town_id == AllocationMonth.town_id,
        Standing.prospect_id == AllocationMonth.prospect_id,
        Standing.ground == ground,
        Standing.valid_from <= Posting.posted_on,
        or_(Standing.valid_to.is_(None), Standing.valid_to > Posting.posted_on),
    )


# ---- Biểu 05


class Paid(NamedTuple):
    """What was paid in a period and who bore it: own + state + local + other = total, whole đồng."""

    payments: int = 0
    people: int = 0
    months: int = 0
    own: Vnd = 0
    state: Vnd = 0
    local: Vnd = 0
    other: Vnd = 0
    total: Vnd = 0


def paid_by_place(session: Session, scope: Scope, span: Span, within: Boundaries) -> dict[UUID, Paid]:
    """Payments by the day they were made, in the unit where the person lived when they joined.

    A payment that is taken back counts against the day on which it was: a period that is over never changes.
    """
    sign = case((Payment.reverses_id.is_(None), 1), else_=-1)
    unit = (Participation.place_id, asked_neighbourhood(Participation.place_id, within))
    each = (
        select(
            unit[0].label("place_id"),
            unit[1].label("neighbourhood_id"),
            Payment.prospect_id,
            func.sum(sign).label("payments"),
            func.sum(sign * Payment.months).label("months"),
            *(
                func.sum(column).label(name)
                for name, column in (
                    ("own", Payment.own),
                    ("state", Payment.state_support),
                    ("local", Payment.local_support),
                    ("other", Payment.other_support),
                    ("total", Payment.gross),
                )
            ),
        )
        .join(
            Participation,
            and_(Participation.town_id == Payment.town_id, Participation.id == Payment.participation_id),
        )
        .join(Prospect, and_(Prospect.town_id == Payment.town_id, Prospect.id == Payment.prospect_id))
        .where(visible_to(scope), Payment.paid_on.between(span.since, span.as_of))
        .group_by(*unit, Payment.prospect_id)
        .subquery()
    )
    names = ("months", "own", "state", "local", "other", "total")
    query = select(
        each.c.place_id,
        each.c.neighbourhood_id,
        func.sum(each.c.payments),
        func.count().filter(each.c.payments > 0),
        *(func.sum(each.c[name]) for name in names),
    ).group_by(each.c.place_id, each.c.neighbourhood_id)
    found: dict[UUID, Paid] = {}
    for place_id, neighbourhood_id, *numbers in session.execute(query):
        key = within.unit_of(place_id, neighbourhood_id)
        found[key] = plus(found.get(key, Paid()), Paid(*(int(number) for number in numbers)))
    return found


def plus(one: Paid, other: Paid) -> Paid:
    """Both together."""
    return Paid(*(a + b for a, b in zip(one, other, strict=True)))


# ---- the books of a period


def balances(session: Session, town_id: UUID, span: Span) -> dict[AccountKind, dict[Movement | None, Vnd]]:
    """What moved on the accounts of each kind in a period, by movement; under None what stood there before."""
    before = Posting.posted_on < span.since
    movement = case((before, None), else_=Posting.movement)
    query = (
        select(LedgerAccount.kind, movement.label("moved"), func.sum(LedgerEntry.amount))
        .select_from(LedgerAccount)
        .join(LedgerEntry, _of_account())
        .join(Posting, _of_posting())
        .where(LedgerAccount.town_id == town_id, Posting.posted_on <= span.as_of)
        .group_by(LedgerAccount.kind, "moved")
    )
    found: dict[AccountKind, dict[Movement | None, Vnd]] = {kind: {} for kind in AccountKind}
    for kind, moved, amount in session.execute(query):
        found[kind][Movement(moved) if moved else None] = int(amount)
    return found


def _of_account() -> ColumnElement[bool]:
    return and_(LedgerEntry.town_id == LedgerAccount.town_id, LedgerEntry.ledger_account_id == LedgerAccount.id)


def _of_posting() -> ColumnElement[bool]:
    return and_(Posting.town_id == LedgerEntry.town_id, Posting.id == LedgerEntry.posting_id)
