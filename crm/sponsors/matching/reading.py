"""Everybody in need and every sponsor with money, read for a proposal: a few questions, however many people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session

from crm.clock import local_day
from crm.money import Vnd
from crm.months import Month
from crm.participation.models import ParticipantMonth, Participation
from crm.participation.queries import Helped, helped_of_all, spells_of_all
from crm.participation.rules import DUE_SOON, deadline_after, first_months, method_of
from crm.participation.screening.queries import barred_among
from crm.places.boundaries import Boundaries, boundaries
from crm.places.models import Place
from crm.places.queries import ids_within
from crm.premiums.queries import all_top_ups, law
from crm.premiums.rules.keys import LawKey
from crm.premiums.rules.law import Law, LocalTopUp, holding
from crm.premiums.rules.quotes import Plan
from crm.prospects.models import Prospect, StageChange, Standing
from crm.prospects.queries.standing import standings_of
from crm.prospects.rules import Ground, Sex, Stage, grounds_held
from crm.sponsors.cliff.agreed import Meant, meant_by_person
from crm.sponsors.cliff.queries import renewed_by
from crm.sponsors.family import kept_id
from crm.sponsors.matching.models import FundingRefusal
from crm.sponsors.matching.rules.needs import (
    LOOK_AHEAD,
    RUNS,
    Need,
    Offer,
    Terms,
    Why,
    age_on,
    free_months,
    last_day_of,
    months_within,
    runs_from,
)
from crm.sponsors.models import Allocation, AllocationMonth, LedgerAccount, Sponsor
from crm.sponsors.queries import priced
from crm.sponsors.rules import NEEDS, WAITING_STAGES, AccountKind, Wish, needy

WILLING = (*WAITING_STAGES, Stage.JOINED)
_BY_STAGE = {
    Stage.NEW: Why.NOT_REACHED,
    Stage.UNREACHED: Why.NOT_REACHED,
    Stage.CONSIDERING: Why.NOT_WILLING,
    Stage.REFUSED: Why.NOT_WILLING,
}


class LeftOut(NamedTuple):
    """Somebody in need for whom there is nothing to pay now, and why."""

    person_id: UUID
    why: Why
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Read:
    """What a proposal is made of."""

    needs: Sequence[Need]
    left_out: Sequence[LeftOut]
    offers: Sequence[Offer]


def read(session: Session, town_id: UUID, on: date, terms: Terms) -> Read:
    """Everybody in need or carried by a sponsor, or those of them that are asked for, and the sponsors that are asked."""
    asked = _people(town_id, on)
    people = session.execute(asked.where(Prospect.id.in_(terms.only)) if terms.only else asked).all()
    carried = _carried(session, town_id)
    known = _Known.of(session, town_id, [row.id for row in people], carried, on)
    needs: list[Need] = []
    left_out: list[LeftOut] = []
    for row in people:
        found = _need(row, known, terms)
        if isinstance(found, Need):
            needs.append(found)
        else:
            left_out.append(found)
    return Read(needs, left_out, offers(session, town_id, on, terms, carried))


# ---- sponsors

Carried = Mapping[UUID, Mapping[Month, UUID]]
"""Of each person, the months that money is set aside for, and whose it is."""


def with_money(session: Session, town_id: UUID) -> list[tuple[UUID, str]]:
    """Sponsors, by name, with money that came in and is not used."""
    query = _sponsors(town_id, Sponsor.id, Sponsor.name).where(LedgerAccount.balance > 0)
    return [(row[0], row[1]) for row in session.execute(query.order_by(Sponsor.name_fold, Sponsor.id))]


def _sponsors(town_id: UUID, *columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .join(LedgerAccount, and_(LedgerAccount.town_id == Sponsor.town_id, LedgerAccount.sponsor_id == Sponsor.id))
        .where(Sponsor.town_id == town_id, Sponsor.merged_into_id.is_(None))
        .where(LedgerAccount.kind == AccountKind.AVAILABLE)
    )


def offers(session: Session, town_id: UUID, on: date, terms: Terms, carried: Carried) -> list[Offer]:
    """Sponsors with money that came in and is not used, among those that are asked."""
    query = _sponsors(town_id, Sponsor.id, Sponsor.wish, LedgerAccount.balance)
    query = query.where(Sponsor.id.in_(terms.sponsors)) if terms.sponsors else query.where(LedgerAccount.balance > 0)
    rows = [(row[0], Wish.from_json(row[1]), int(row[2])) for row in session.execute(query.order_by(Sponsor.id))]
    wished = {place for _id, wish, _money in rows for place in wish.places}
    inside = {place: frozenset(ids_within(session, town_id, place)) for place in wished}
    carrying: defaultdict[UUID, set[UUID]] = defaultdict(set)
    for person_id, months in carried.items():
        for month, sponsor_id in months.items():
            if month >= Month.of(on):
                carrying[sponsor_id].add(person_id)
    return [
        Offer(
            sponsor_id,
            money,
            wish,
            frozenset().union(*(inside[place] for place in wish.places)) if wish.places else None,
            frozenset(carrying[sponsor_id]),
        )
        for sponsor_id, wish, money in rows
    ]


def _carried(session: Session, town_id: UUID) -> Carried:
    month = AllocationMonth
    rows = session.execute(
        select(month.prospect_id, kept_id(town_id, Allocation.sponsor_id), month.month)
        .select_from(month)
        .join(Allocation, and_(Allocation.town_id == month.town_id, Allocation.id == month.allocation_id))
        .where(month.town_id == town_id, month.carries)
    )
    found: defaultdict[UUID, dict[Month, UUID]] = defaultdict(dict)
    for person_id, sponsor_id, day in rows:
        found[person_id][Month.of(day)] = sponsor_id
    return found


# ---- people


def _people(town_id: UUID, on: date) -> Any:
    """Who is in need on the day, and whoever a sponsor carries now, with or without a certificate."""
    in_need = select(Standing.prospect_id).where(
        Standing.town_id == town_id,
        Standing.ground.in_(list(NEEDS)),
        Standing.valid_from <= on,
        or_(Standing.valid_to.is_(None), Standing.valid_to > on),
    )
    carried_now = select(AllocationMonth.prospect_id).where(
        AllocationMonth.town_id == town_id,
        AllocationMonth.carries,
        AllocationMonth.month >= (Month.of(on) - 1).first_day,
    )
    last_step = (
        select(func.max(StageChange.at))
        .where(StageChange.town_id == Prospect.town_id, StageChange.prospect_id == Prospect.id)
        .correlate(Prospect)
        .scalar_subquery()
    )
    return (
        select(
            Prospect.id,
            Prospect.place_id,
            Prospect.neighbourhood_id,
            Prospect.sex,
            Prospect.birth_date,
            Prospect.birth_year,
            Prospect.stage,
            func.coalesce(last_step, Prospect.created_at).label("since"),
        )
        .where(Prospect.town_id == town_id, Prospect.merged_into_id.is_(None))
        .where(or_(Prospect.id.in_(in_need), Prospect.id.in_(carried_now)))
        .order_by(Prospect.id)
    )


@dataclass
class _Known:
    """What is known of many people, by their ids, and the law they are priced by."""

    on: date
    law: Law
    top_ups: Sequence[LocalTopUp]
    within: Boundaries
    special: Collection[UUID]
    standings: Mapping[UUID, Sequence[Standing]]
    spells: Mapping[UUID, Participation]
    paid: Mapping[UUID, Month]
    helped: Mapping[UUID, Helped]
    carried: Carried
    refused: Mapping[UUID, frozenset[UUID]]
    barred: Collection[UUID]
    earliest: Mapping[int, Month]
    renewed: Mapping[UUID, UUID]
    """Who promised to go on with somebody, and paid on that promise."""
    meant: Mapping[UUID, Sequence[Meant]]
    prices: dict[Any, Vnd] = field(default_factory=dict)
    additions: dict[Any, tuple[LocalTopUp, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, session: Session, town_id: UUID, ids: Sequence[UUID], carried: Carried, on: date) -> _Known:
        of = law(session)
        refused: defaultdict[UUID, set[UUID]] = defaultdict(set)
        holds = FundingRefusal.lifted_at.is_(None)
        for person_id, sponsor_id in session.execute(
            select(FundingRefusal.prospect_id, FundingRefusal.sponsor_id).where(
                FundingRefusal.town_id == town_id, holds
            )
        ):
            refused[person_id].add(sponsor_id)
        last_paid = (
            select(ParticipantMonth.prospect_id, func.max(ParticipantMonth.month))
            .where(ParticipantMonth.town_id == town_id, ParticipantMonth.prospect_id.in_(ids))
            .where(ParticipantMonth.month >= on.replace(day=1), ParticipantMonth.counts)
            .group_by(ParticipantMonth.prospect_id)
        )
        return cls(
            on=on,
            law=of,
            top_ups=all_top_ups(session, town_id),
            within=boundaries(session, town_id, on),
            special=set(session.scalars(select(Place.id).where(Place.town_id == town_id, Place.special))),
            standings=standings_of(session, town_id, ids),
            spells=spells_of_all(session, town_id, ids),
            paid={row[0]: Month.of(row[1]) for row in session.execute(last_paid)},
            helped=helped_of_all(session, town_id, ids),
            carried=carried,
            refused={person_id: frozenset(found) for person_id, found in refused.items()},
            barred=barred_among(session, town_id, ids, on, of),
            renewed=renewed_by(session, town_id),
            meant=meant_by_person(session, town_id),
            earliest={run: first_months(on, of.on(on), Plan(method_of(run), run))[0] for run in RUNS},
        )

    def grounds(self, row: Any) -> tuple[Ground, ...]:
        """Every ground for support somebody has today."""
        papers = (one.ground for one in self.standings[row.id] if one.holds_on(self.on))
        return grounds_held(papers, special=row.place_id in self.special)

    def price(self, row: Any, grounds: tuple[Ground, ...], run: int) -> Vnd:
        """What is left to pay of a run; asked once for everybody who is alike."""
        helped, added = self.helped[row.id], self._added(row.place_id, row.neighbourhood_id)
        key = grounds, helped, added, run
        if key not in self.prices:
            start = Month.of(self.on)
            self.prices[key] = priced(self.law, grounds, start, run, self.on, helped, added).payable
        return self.prices[key]

    def _added(self, place_id: UUID, neighbourhood_id: UUID | None) -> tuple[LocalTopUp, ...]:
        key = place_id, neighbourhood_id
        if key not in self.additions:
            around = self.within.around(*key) if any(one.place for one in self.top_ups) else ()
            self.additions[key] = tuple(holding(self.top_ups, self.on, around))
        return self.additions[key]

    def support_left(self, person_id: UUID) -> int | None:
        """For how many months the State may still help."""
        today = self.law.on(self.on)
        if not today.says(LawKey.SUPPORT_CAP_MONTHS):
            return None
        return max(0, today.number(LawKey.SUPPORT_CAP_MONTHS) - self.helped[person_id].by_the_state)


def _need(row: Any, known: _Known, terms: Terms) -> Need | LeftOut:
    """What somebody needs; or why there is nothing to pay for them now."""
    on, this, spell = known.on, Month.of(known.on), known.spells.get(row.id)
    grounds = known.grounds(row)
    ground = needy(grounds)
    paid_through = Month.of(spell.paid_through) if spell and spell.paid_through else None
    first = paid_through + 1 if paid_through else this
    if row.id in known.paid:
        first = max(first, known.paid[row.id] + 1)
    if first < this and not runs_from(first, this, known.earliest, max(RUNS)):
        first = this
    free = free_months(first, known.carried.get(row.id, {}))
    spans = [(one.valid_from, one.valid_to) for one in known.standings[row.id] if one.ground in NEEDS]
    ends = last_day_of(spans, on)
    deadline = _deadline(known, spell, free.start, paid_through, carried=free.carried_by is not None)
    facts: dict[str, Any] = {
        "ground": ground.value if ground else None,
        "since": str(local_day(row.since)),
        "takes_part": spell is not None,
        "deadline": str(deadline) if deadline else None,
        "certificate_ends": str(ends) if ends else None,
        "carried_by": str(free.carried_by) if free.carried_by else None,
        "paid_until": str(free.start - 1) if free.carried_by or paid_through else None,
        "support_left": known.support_left(row.id),
    }

    def out(why: Why) -> LeftOut:
        return LeftOut(row.id, why, facts)

    if row.id in known.barred or row.stage is Stage.NOT_ELIGIBLE:
        return out(Why.MAY_NOT_JOIN)
    if free.carried_by is None and row.stage not in WILLING:
        return out(_BY_STAGE[row.stage])
    if free.start > this + LOOK_AHEAD:
        return out(Why.CARRIED if free.carried_by else Why.PAID_AHEAD)
    if free.carried_by is None and deadline and deadline > on + DUE_SOON:
        return out(Why.PAID_AHEAD)
    within = months_within(free.start, ends)
    if ground is None or (within == 0 and not terms.past_certificate):
        return out(Why.CERTIFICATE_ENDS)
    most = free.months if within is None or terms.past_certificate else min(free.months, within)
    prices = {
        run: cost
        for run in runs_from(free.start, this, known.earliest, most)
        if (cost := known.price(row, grounds, run)) > 0
    }
    if not prices:
        return out(Why.NOTHING_TO_PAY)
    meant = _meant(known, row.id, free.start, terms)
    if meant:
        # No longer than the sponsor said, or the first would take what is meant for the next.
        agreed = meant.left_from(free.start)
        prices = {run: cost for run, cost in prices.items() if run <= agreed} or prices
    return Need(
        person_id=row.id,
        place_id=row.place_id,
        neighbourhood_id=row.neighbourhood_id,
        ground=ground,
        female=row.sex is Sex.FEMALE,
        age=age_on(row.birth_date, row.birth_year, on),
        start=free.start,
        prices=prices,
        since=local_day(row.since),
        deadline=deadline,
        carried_by=meant.sponsor_id if meant else known.renewed.get(row.id, free.carried_by),
        meant=meant is not None,
        refused_by=known.refused.get(row.id, frozenset()),
        facts={**facts, "within": within, "free": free.months, "meant_by": str(meant.sponsor_id) if meant else None},
    )


def _meant(known: _Known, person_id: UUID, start: Month, terms: Terms) -> Meant | None:
    """Who of the sponsors that are asked said that what is left goes on with somebody from their first free month."""
    for one in known.meant.get(person_id, ()):
        if one.left_from(start) and (not terms.sponsors or one.sponsor_id in terms.sponsors):
            return one
    return None


def _deadline(
    known: _Known, spell: Participation | None, start: Month, paid_through: Month | None, *, carried: bool
) -> date | None:
    """The last day to pay for the first free month without a gap; None for somebody who has nothing to lose yet."""
    if spell is None:
        return deadline_after(known.law.on(known.on), 1, start - 1) if carried else None
    if paid_through is not None and start == paid_through + 1:
        return spell.deadline_on
    return deadline_after(known.law.on(known.on), spell.method, start - 1)
