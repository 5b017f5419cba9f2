"""What sponsors said of money that is left: which people it goes on with, and what of it waits to be set aside."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Integer, Select, cast, exists, func, select
from sqlalchemy.orm import Session

from crm.money import Vnd
from crm.months import Month
from crm.participation.models import ParticipantMonth
from crm.sponsors.cliff.models import LeftRenewal
from crm.sponsors.family import is_of, kept_id, stands_for
from crm.sponsors.models import AllocationMonth, Sponsor


class Meant(NamedTuple):
    """Whose money that is left goes on with somebody, and for which months."""

    sponsor_id: UUID
    start: Month
    months: int

    def left_from(self, month: Month) -> int:
        """How many of the months are still to come when this is the first free one; none when it is not among them."""
        return sum(1 for later in range(self.months) if self.start <= month <= self.start + later)


def said_on(session: Session, of: Sponsor, people: Iterable[tuple[UUID, Month, int]]) -> date | None:
    """The day on which a sponsor last agreed to exactly these: people, their first months, and as many or more of them.
    None when anything of it is new."""
    asked = list(people)
    query = select(LeftRenewal).where(
        LeftRenewal.town_id == of.town_id,
        is_of(LeftRenewal.sponsor_id, of),
        LeftRenewal.prospect_id.in_([prospect_id for prospect_id, _start, _months in asked]),
    )
    known = {(row.prospect_id, Month.of(row.start_month)): row for row in session.scalars(query)}
    found = [known.get((prospect_id, start)) for prospect_id, start, _months in asked]
    days = [row.agreed_on for row, one in zip(found, asked, strict=True) if row and row.months >= one[2]]
    return max(days) if days and len(days) == len(asked) else None


def meant_by_person(session: Session, town_id: UUID) -> Mapping[UUID, Sequence[Meant]]:
    """Whom money that is left is meant for, the latest word first."""
    row = LeftRenewal
    query = (
        select(row.prospect_id, kept_id(town_id, row.sponsor_id), row.start_month, row.months)
        .where(row.town_id == town_id)
        .order_by(row.agreed_at.desc(), row.id)
    )
    found: defaultdict[UUID, list[Meant]] = defaultdict(list)
    for prospect_id, sponsor_id, start, months in session.execute(query):
        found[prospect_id].append(Meant(sponsor_id, Month.of(start), int(months)))
    return found


class Waiting(NamedTuple):
    """What a sponsor agreed to that is not set aside yet: the day they last said so, people, months, and đồng."""

    sponsor: Sponsor
    said_on: date
    people: int
    months: int
    amount: Vnd


def waiting(session: Session, town_id: UUID, today: date, most: int = 50) -> list[Waiting]:
    """Sponsors who said that what is left goes on with people for whom it is not set aside yet, the oldest word first."""
    row, said = LeftRenewal, func.max(LeftRenewal.agreed_on)
    sums = (said, func.count(), func.sum(row.months), func.sum(row.amount))
    query = (
        _open(town_id, today, Sponsor, *sums)
        .join(Sponsor, stands_for(row))
        .group_by(Sponsor.town_id, Sponsor.id)
        .order_by(said, Sponsor.id)
        .limit(most)
    )
    return [Waiting(one[0], one[1], int(one[2]), int(one[3]), int(one[4])) for one in session.execute(query)]


def waiting_people(
    session: Session, town_id: UUID, today: date, sponsor_ids: Collection[UUID]
) -> Mapping[UUID, Sequence[UUID]]:
    """By sponsor, for whom what they agreed to is not set aside yet."""
    row = LeftRenewal
    query = (
        _open(town_id, today, Sponsor.id, row.prospect_id)
        .join(Sponsor, stands_for(row))
        .where(Sponsor.id.in_(sponsor_ids))
        .group_by(Sponsor.id, row.prospect_id)
        .order_by(Sponsor.id, func.min(row.start_month), row.prospect_id)
    )
    found: defaultdict[UUID, list[UUID]] = defaultdict(list)
    for sponsor_id, prospect_id in session.execute(query):
        found[sponsor_id].append(prospect_id)
    return found


def how_many_wait(session: Session, town_id: UUID, today: date) -> int:
    """For so many people a sponsor said so, and nothing is set aside yet."""
    people = func.count(LeftRenewal.prospect_id.distinct())
    return int(session.scalar(_open(town_id, today, people)) or 0)


def _open(town_id: UUID, today: date, *columns: Any) -> Select[Any]:
    """Agreements whose months are not over, and of which nobody's money and nobody's payment has the first."""
    row, this = LeftRenewal, Month.of(today).first_day
    carried, paid = (
        exists().where(
            of.town_id == row.town_id, of.prospect_id == row.prospect_id, of.month == row.start_month, standing
        )
        for of, standing in (
            (AllocationMonth, AllocationMonth.carries),
            (ParticipantMonth, ParticipantMonth.counts),
        )
    )
    ends = row.start_month + func.make_interval(0, cast(row.months, Integer))
    return select(*columns).select_from(row).where(row.town_id == town_id, ends > this, ~carried, ~paid)
