"""Whose help ends soon or has just ended, by whose money, who knows of it, and what going on with them would cost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, cast, exists, func, not_, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.types import Date

from crm.accounts.queries import Scope
from crm.clock import LOCAL
from crm.mail.models import Email
from crm.mail.rules import LOST
from crm.money import Vnd
from crm.months import Month
from crm.participation.queries import helped_of_all
from crm.places.boundaries import boundaries
from crm.places.models import Place
from crm.premiums.queries import all_top_ups, law
from crm.premiums.rules.law import holding
from crm.prospects.models import Prospect
from crm.prospects.queries.seeing import listed_to
from crm.prospects.queries.standing import standings_of
from crm.prospects.rules import Ground
from crm.sponsors.cliff.agreed import said_on
from crm.sponsors.cliff.models import CliffNotice, PledgeRenewal
from crm.sponsors.family import is_of, kept_id, stands_for
from crm.sponsors.models import Allocation, AllocationMonth, Pledge, Receipt, Sponsor
from crm.sponsors.queries import balance_of, carried_until, near_end, payable_until, priced
from crm.sponsors.rules import AHEAD, PledgeState
from crm.web.pager import Page, page

EACH = 5
"""So many people of a sponsor are named where sponsors stand under each other."""


class Ahead(NamedTuple):
    """How many people stand before a cliff, the last month of the first of them, and of how many nobody knows."""

    people: int
    first: Month | None
    alone: int


class Ending(NamedTuple):
    """Somebody whose help ends, whose money it is, and who knows."""

    person: Prospect
    place: str
    until: Month
    sponsor: Sponsor
    spoken: bool
    """Somebody spoke with the person since it is time to ask."""
    looked_after: bool
    """A volunteer has them, and so in the list of what is due."""
    written: bool
    """The sponsor was written to or called, or has promised to go on."""
    payable_until: date | None
    """Of whom the last carried month is over: the last day on which the next may be paid."""

    @property
    def alone(self) -> bool:
        return not (self.spoken or self.looked_after or self.written)


def _ends(town_id: UUID, today: date) -> tuple[Any, dict[str, ColumnElement[bool]]]:
    """The people before a cliff as a table, and who of the others knows of each."""
    ending = near_end(town_id, today).subquery()
    last = cast(func.timezone(LOCAL.key, Prospect.last_contact_at), Date)
    written = exists().where(
        CliffNotice.town_id == Prospect.town_id,
        CliffNotice.prospect_id == Prospect.id,
        CliffNotice.until == ending.c.until,
        or_(_a_letter_reaches(), CliffNotice.told_at.is_not(None)),
    )
    knows = {
        "spoken": func.coalesce(last >= ending.c.since, False),
        "looked_after": Prospect.volunteer_id.is_not(None),
        "written": or_(written, _renewed_after(ending.c.until)),
    }
    return ending, knows


def _a_letter_reaches() -> ColumnElement[bool]:
    """A letter about the end was written and neither was refused nor grew too old before it could be sent."""
    return exists().where(
        Email.town_id == CliffNotice.town_id, Email.id == CliffNotice.email_id, Email.state.not_in(LOST)
    )


def _renewed_after(until: Any) -> ColumnElement[bool]:
    """A promise that is open is meant for the person's months after this one."""
    return exists().where(
        PledgeRenewal.town_id == Prospect.town_id,
        PledgeRenewal.prospect_id == Prospect.id,
        PledgeRenewal.start_month > until,
        Pledge.town_id == PledgeRenewal.town_id,
        Pledge.id == PledgeRenewal.pledge_id,
        Pledge.state == PledgeState.OPEN,
    )


def ahead(session: Session, scope: Scope, today: date) -> Ahead:
    """Whose help ends soon or has just ended, among the people somebody may see."""
    ending, knows = _ends(scope.town_id, today)
    query = (
        select(func.count(), func.min(ending.c.until), func.count().filter(not_(or_(*knows.values()))))
        .select_from(ending)
        .join(Prospect, Prospect.id == ending.c.prospect_id)
        .where(listed_to(scope))
    )
    people, first, alone = session.execute(query).one()
    return Ahead(int(people), Month.of(first) if first else None, int(alone))


def endings(scope: Scope, today: date, sponsor_id: UUID | None = None) -> tuple[Select[Any], Any]:
    """Everybody before a cliff with the sponsor of their last month and who knows; and the column of that month."""
    ending, knows = _ends(scope.town_id, today)
    known = [knows[name].label(name) for name in knows]
    still = payable_until(scope.town_id, today, Prospect.id, ending.c.until).label("payable_until")
    columns = (Prospect, Place.name, ending.c.until, Sponsor, *known, still)
    query = _with_sponsors(scope, ending, columns).join(
        Place, and_(Place.town_id == Prospect.town_id, Place.id == Prospect.place_id)
    )
    return query if sponsor_id is None else query.where(Sponsor.id == sponsor_id), ending.c.until


def _with_sponsors(scope: Scope, ending: Any, columns: Any) -> Select[Any]:
    query: Select[Any] = (
        select(*columns)
        .select_from(Prospect)
        .join(ending, Prospect.id == ending.c.prospect_id)
        .join(AllocationMonth, _last_month(ending.c.until))
        .join(Allocation, and_(Allocation.town_id == Prospect.town_id, Allocation.id == AllocationMonth.allocation_id))
        .join(Sponsor, stands_for(Allocation))
        .where(listed_to(scope))
    )
    return query


class OfSponsor(NamedTuple):
    """How many people a sponsor carries whose help ends, until when the first of them, of how many nobody knows it, and
    whether the sponsor does of all."""

    sponsor: Sponsor
    people: int
    first: Month
    alone: int
    written: bool


def endings_by_sponsor(
    session: Session, scope: Scope, today: date, *, cursor: str | None, size: int
) -> tuple[Page[OfSponsor], dict[UUID, list[Ending]]]:
    """The sponsors whose help ends for somebody, the soonest first, and of each the first `EACH` people."""
    ending, knows = _ends(scope.town_id, today)
    sums = (
        Sponsor.id.label("sponsor_id"),
        func.count().label("people"),
        func.min(ending.c.until).label("first"),
        func.count().filter(not_(or_(*knows.values()))).label("alone"),
        func.bool_and(knows["written"]).label("written"),
    )
    of = _with_sponsors(scope, ending, sums).group_by(Sponsor.id).subquery()
    query: Any = select(Sponsor, of.c.people, of.c.first, of.c.alone, of.c.written).join(
        of, Sponsor.id == of.c.sponsor_id
    )
    found = page(
        session,
        query.where(Sponsor.town_id == scope.town_id),
        (of.c.first, Sponsor.id),
        cursor=cursor,
        size=size,
        kinds=(date.fromisoformat, UUID),
        key=lambda row: (row[2], row[0].id),
    )
    rows = [OfSponsor(row[0], int(row[1]), Month.of(row[2]), int(row[3]), bool(row[4])) for row in found.rows]
    return Page(rows, found.next), _first_people(session, scope, today, [one.sponsor.id for one in rows])


def _first_people(session: Session, scope: Scope, today: date, sponsor_ids: Sequence[UUID]) -> dict[UUID, list[Ending]]:
    query, until = endings(scope, today)
    place = func.row_number().over(partition_by=Sponsor.id, order_by=(until, Prospect.id)).label("place")
    numbered = query.with_only_columns(Prospect.id.label("prospect_id"), place).where(Sponsor.id.in_(sponsor_ids))
    first = numbered.subquery()
    shown = query.join(first, first.c.prospect_id == Prospect.id).where(first.c.place <= EACH)
    found: dict[UUID, list[Ending]] = {one: [] for one in sponsor_ids}
    for row in session.execute(shown.order_by(until, Prospect.id)):
        found[row[3].id].append(as_ending(row))
    return found


def _last_month(until: Any) -> ColumnElement[bool]:
    return and_(
        AllocationMonth.town_id == Prospect.town_id,
        AllocationMonth.prospect_id == Prospect.id,
        AllocationMonth.month == until,
        AllocationMonth.carries,
    )


def as_ending(row: Any) -> Ending:
    """A row of `endings`."""
    person, place, until, by, spoken, looked_after, written, payable = row
    return Ending(person, place, Month.of(until), by, bool(spoken), bool(looked_after), bool(written), payable)


def left_alone(session: Session, town_id: UUID, today: date) -> Sequence[UUID]:
    """Whose help ends soon or has just ended and nobody but the treasurer's list knows it: no volunteer has them, nobody
    spoke with them since it was time to ask, and their sponsor was not told."""
    ending, knows = _ends(town_id, today)
    query = select(Prospect.id).join(ending, Prospect.id == ending.c.prospect_id).where(Prospect.town_id == town_id)
    return session.scalars(query.where(not_(or_(*knows.values()))).order_by(ending.c.until, Prospect.id)).all()


class ToTell(NamedTuple):
    """A sponsor without an e-mail, or whose letter came back, who does not know yet that their help ends: of how many people, and the first month."""

    sponsor: Sponsor
    people: int
    first: Month


def to_tell(session: Session, town_id: UUID, today: date, most: int = 50) -> list[ToTell]:
    """Whom somebody has to call, or text, because no letter reaches them; the soonest first."""
    ending = carried_until(town_id, today).subquery()
    first = func.min(ending.c.until)
    query = (
        select(Sponsor, func.count(), first)
        .select_from(CliffNotice)
        .join(ending, and_(ending.c.prospect_id == CliffNotice.prospect_id, ending.c.until == CliffNotice.until))
        .join(Prospect, and_(Prospect.town_id == CliffNotice.town_id, Prospect.id == CliffNotice.prospect_id))
        .join(Sponsor, stands_for(CliffNotice))
        .where(
            CliffNotice.town_id == town_id,
            CliffNotice.told_at.is_(None),
            or_(CliffNotice.email_id.is_not(None), Sponsor.email.is_(None)),
            not_(_a_letter_reaches()),
            ~_renewed_after(ending.c.until),
        )
        .group_by(Sponsor.town_id, Sponsor.id)
        .order_by(first, Sponsor.id)
        .limit(most)
    )
    return [ToTell(row[0], int(row[1]), Month.of(row[2])) for row in session.execute(query)]


def unseen(town_id: UUID, today: date) -> Select[UUID, date, UUID]:
    """Whose help ends soon or has just ended and was not seen yet by the nightly task: until when, and whose money it is."""
    # Worked out once: in a town whose tables were filled just now the planner would do it again for every month carried.
    ending = carried_until(town_id, today).cte("ending").prefix_with("MATERIALIZED")
    whose = kept_id(town_id, Allocation.sponsor_id)
    seen = exists().where(
        CliffNotice.town_id == town_id,
        CliffNotice.prospect_id == ending.c.prospect_id,
        CliffNotice.until == ending.c.until,
    )
    return (
        select(ending.c.prospect_id, ending.c.until, whose)
        .select_from(ending)
        .join(
            AllocationMonth,
            and_(
                AllocationMonth.town_id == town_id,
                AllocationMonth.prospect_id == ending.c.prospect_id,
                AllocationMonth.month == ending.c.until,
                AllocationMonth.carries,
            ),
        )
        .join(Allocation, and_(Allocation.town_id == town_id, Allocation.id == AllocationMonth.allocation_id))
        .where(~seen)
        .order_by(whose, ending.c.until, ending.c.prospect_id)
    )


# ---- going on with the same people


class Again(NamedTuple):
    """Somebody a sponsor may go on with: the first month after those carried, as many months as before, their cost."""

    prospect_id: UUID
    start: Month
    months: int
    amount: Vnd


def ends_soon(session: Session, of: Sponsor, today: date) -> bool:
    """Whether it is time to ask this sponsor about somebody: their help ends, whoever may have promised to go on."""
    ending = carried_until(of.town_id, today).subquery()
    query = (
        select(AllocationMonth.id)
        .join(Prospect, and_(Prospect.town_id == AllocationMonth.town_id, Prospect.id == AllocationMonth.prospect_id))
        .join(ending, Prospect.id == ending.c.prospect_id)
        .join(Allocation, and_(Allocation.town_id == Prospect.town_id, Allocation.id == AllocationMonth.allocation_id))
        .where(_last_month(ending.c.until), Prospect.town_id == of.town_id, is_of(Allocation.sponsor_id, of))
    )
    return session.scalar(query.limit(1)) is not None


class Offer(NamedTuple):
    """What going on with everybody whose help by a sponsor ends would be."""

    people: Sequence[Again]
    until: Month
    """The last month of the first of them."""

    @property
    def months(self) -> int:
        return sum(one.months for one in self.people)

    @property
    def amount(self) -> Vnd:
        return sum(one.amount for one in self.people)

    def first_with(self, left: Vnd) -> Offer | None:
        """What of it money that is left carries first: the people in their order, whole months of each. None when it is less
        than a month of the first."""
        found = []
        for one in self.people:
            a_month = -(-one.amount // one.months)
            months = one.months if left >= one.amount else left // a_month
            if not months:
                break
            amount = one.amount if months == one.months else months * a_month
            found.append(one._replace(months=months, amount=amount))
            left -= amount
            if months < one.months:
                break
        return Offer(found, self.until) if found else None

    def after(self, first: Offer | None) -> Offer | None:
        """What is to be promised besides what is left; None when that is enough for all."""
        done = {one.prospect_id: one for one in first.people} if first else {}
        rest = []
        for one in self.people:
            by_left = done.get(one.prospect_id)
            if by_left is None:
                rest.append(one)
            elif by_left.months < one.months:
                months, amount = one.months - by_left.months, one.amount - by_left.amount
                rest.append(one._replace(start=one.start + by_left.months, months=months, amount=amount))
        return Offer(rest, self.until) if rest else None


class Renewal(NamedTuple):
    """An offer to go on with what is left of the sponsor's money, and what they said of it."""

    offer: Offer
    left: Vnd
    """Received and not set aside, whole đồng."""
    first: Offer | None
    """What of the offer that carries; None when it carries no month."""
    rest: Offer | None
    """What is to be promised besides."""
    said_on: date | None
    """The day on which they said that what is left goes on with these people, for these months; None when any is new."""


def renewal_of(session: Session, of: Sponsor, today: date, left: Vnd | None = None) -> Renewal | None:
    """The offer to a sponsor with what is left of their money first; None when nobody's help ends."""
    offer = offer_to(session, of, today)
    if offer is None:
        return None
    free = balance_of(session, of).available if left is None else left
    first = offer.first_with(free)
    said = said_on(session, of, ((one.prospect_id, one.start, one.months) for one in first.people)) if first else None
    return Renewal(offer, free, first, offer.after(first), said)


def offer_to(session: Session, of: Sponsor, today: date) -> Offer | None:
    """The people whose last months this sponsor carries, without those an open promise of theirs is meant for already.

    Months cost what the person owes for them on the least income by the law of the day, after what their own place adds
    and within what the State and the place may still help with. None when there is nobody.
    """
    ending = carried_until(of.town_id, today).subquery()
    query = (
        select(Prospect, ending.c.until, Allocation.months)
        .join(ending, Prospect.id == ending.c.prospect_id)
        .join(AllocationMonth, _last_month(ending.c.until))
        .join(Allocation, and_(Allocation.town_id == Prospect.town_id, Allocation.id == AllocationMonth.allocation_id))
        .where(
            Prospect.town_id == of.town_id,
            Prospect.merged_into_id.is_(None),
            is_of(Allocation.sponsor_id, of),
            ~_renewed_after(ending.c.until),
        )
        .order_by(ending.c.until, Prospect.id)
    )
    rows = session.execute(query).all()
    if not rows:
        return None
    wanted = [(row[0], Month.of(row[1]) + 1, min(int(row[2]), AHEAD)) for row in rows]
    costs = _costs(session, of.town_id, [(person, months) for person, _start, months in wanted], today)
    people = [Again(person.id, start, months, costs[person.id]) for person, start, months in wanted if costs[person.id]]
    return Offer(people, min(one.start for one in people) - 1) if people else None


def _costs(session: Session, town_id: UUID, wanted: Sequence[tuple[Prospect, int]], today: date) -> dict[UUID, Vnd]:
    """What so many months of each of these people would cost their sponsor today."""
    ids, of = [person.id for person, _months in wanted], law(session)
    standings, helped = standings_of(session, town_id, ids), helped_of_all(session, town_id, ids)
    added, within = all_top_ups(session, town_id), boundaries(session, town_id, today)
    special = set(session.scalars(select(Place.id).where(Place.town_id == town_id, Place.special)))
    found = {}
    for person, months in wanted:
        held = {one.ground for one in standings[person.id] if one.valid_from <= today < (one.valid_to or date.max)}
        grounds = held | ({Ground.ISLAND} if person.place_id in special else set())
        here = holding(added, today, within.around(person.place_id, person.neighbourhood_id))
        found[person.id] = priced(of, grounds, Month.of(today), months, today, helped[person.id], here).payable
    return found


def open_renewal(session: Session, of: Sponsor) -> Pledge | None:
    """The latest open promise of a sponsor that is meant for certain people."""
    query = (
        select(Pledge)
        .where(
            Pledge.town_id == of.town_id,
            is_of(Pledge.sponsor_id, of),
            Pledge.state == PledgeState.OPEN,
            exists().where(PledgeRenewal.town_id == Pledge.town_id, PledgeRenewal.pledge_id == Pledge.id),
        )
        .order_by(Pledge.recorded_at.desc(), Pledge.id.desc())
        .limit(1)
    )
    return session.scalars(query).first()


def renewed_by(session: Session, town_id: UUID) -> dict[UUID, UUID]:
    """Whose money that came in is meant for whom: by person, the sponsor of the latest such promise."""
    paid = exists().where(
        Receipt.town_id == Pledge.town_id, Receipt.pledge_id == Pledge.id, Receipt.corrected_id.is_(None)
    )
    query = (
        select(PledgeRenewal.prospect_id, kept_id(town_id, Pledge.sponsor_id))
        .select_from(PledgeRenewal)
        .join(Pledge, and_(Pledge.town_id == PledgeRenewal.town_id, Pledge.id == PledgeRenewal.pledge_id))
        .where(PledgeRenewal.town_id == town_id, paid)
        .order_by(Pledge.recorded_at, Pledge.id)
    )
    return {row[0]: row[1] for row in session.execute(query)}
