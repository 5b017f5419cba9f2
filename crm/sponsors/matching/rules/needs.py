"""Who needs which months and who offers to pay for them: the order of people, whom a wish fits, which runs can be paid."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, NamedTuple, Self
from uuid import UUID

from crm.money import Vnd
from crm.months import Month
from crm.participation.guard.rules import SPONSOR_NOTICE
from crm.premiums.rules.keys import PERIODS
from crm.prospects.rules import Ground
from crm.sponsors.rules import AHEAD, NEEDS, Wish

RUNS = tuple(sorted(PERIODS.values(), reverse=True))
"""So many months are paid at once, the longest first: the law knows no other periods."""
USUAL = 6
"""Months for each person when neither the sponsor nor the treasurer says otherwise."""
LOOK_AHEAD = SPONSOR_NOTICE
"""Money is set aside for months that begin at most so many months from now."""

NEED_ORDER = {ground: place for place, ground in enumerate(NEEDS)}


class Why(StrEnum):
    """Why somebody in need gets nothing in a proposal."""

    NO_MONEY = "no_money"
    NO_WISH = "no_wish"
    ENOUGH_PEOPLE = "enough_people"
    REFUSED_BEFORE = "refused_before"
    NOTHING_TO_PAY = "nothing_to_pay"
    CARRIED = "carried"
    PAID_AHEAD = "paid_ahead"
    CERTIFICATE_ENDS = "certificate_ends"
    NOT_REACHED = "not_reached"
    NOT_WILLING = "not_willing"
    MAY_NOT_JOIN = "may_not_join"


class Rest(StrEnum):
    """Why what is left of a sponsor's money could not be used."""

    NOTHING = "nothing"
    LESS_THAN_A_MONTH = "less_than_a_month"
    ENOUGH_PEOPLE = "enough_people"
    NOBODY_FITS = "nobody_fits"
    EVERYBODY_CARRIED = "everybody_carried"


@dataclass(frozen=True, slots=True)
class Terms:
    """How a proposal is asked for. Without sponsors all of them that have money take part."""

    sponsors: tuple[UUID, ...] = ()
    months: int = USUAL
    """For each person, when the sponsor names no number."""
    past_certificate: bool = False
    """Whether a run may go on after the certificate of need has ended; else it stops with it."""
    only: tuple[UUID, ...] = ()
    """Only for these; without them for everybody in need."""

    def as_json(self) -> dict[str, Any]:
        """Plain values to keep."""
        return {
            "sponsors": [str(one) for one in self.sponsors],
            "months": self.months,
            "past_certificate": self.past_certificate,
            "only": [str(one) for one in self.only],
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """The terms again."""
        sponsors, only = (tuple(UUID(one) for one in kept.get(name, ())) for name in ("sponsors", "only"))
        return cls(sponsors, kept["months"], kept["past_certificate"], only)


@dataclass(frozen=True, slots=True)
class Need:
    """Somebody in need, and what the months from the first unpaid one on cost after the State and the place.

    `prices`: đồng of every run that may be paid, by its months. `carried_by` bore the month before the first. With `meant`
    they said that what is left of their money goes on with this person.
    """

    person_id: UUID
    place_id: UUID
    neighbourhood_id: UUID | None
    ground: Ground
    female: bool
    age: int | None
    start: Month
    prices: Mapping[int, Vnd]
    since: date
    deadline: date | None = None
    carried_by: UUID | None = None
    meant: bool = False
    refused_by: frozenset[UUID] = frozenset()
    facts: Mapping[str, Any] | None = None

    @property
    def cheapest(self) -> Vnd:
        """What the least help costs."""
        return min(self.prices.values())


class Offer(NamedTuple):
    """A sponsor's money that came in and is not used, and whom they would like to help."""

    sponsor_id: UUID
    available: Vnd
    wish: Wish = Wish()
    within: frozenset[UUID] | None = None
    """The places wished for with all that belongs to them; None is anywhere."""
    carrying: frozenset[UUID] = frozenset()
    """Whom they carry now: these count toward the number of people."""

    @property
    def room(self) -> int | None:
        """For how many people more; None is for any number."""
        return None if self.wish.people is None else max(0, self.wish.people - len(self.carrying))

    def run(self, usual: int) -> int:
        """At most so many months for each person: who gives month by month carries month by month."""
        return 1 if self.wish.monthly else self.wish.months or usual


def order(need: Need) -> tuple[Any, ...]:
    """The place in the queue: first whom a sponsor said that what is left is for, then whom one carries already, then the
    nearest last day to pay, then poor before near-poor, then whoever has waited longest; ties by id."""
    return (
        not need.meant,
        need.carried_by is None,
        need.deadline or date.max,
        NEED_ORDER[need.ground],
        need.since,
        need.person_id,
    )


def lives_where(offer: Offer, place_id: UUID, neighbourhood_id: UUID | None) -> bool:
    """Whether a sponsor would help people who live there."""
    return offer.within is None or place_id in offer.within or neighbourhood_id in offer.within


def is_of_age(wish: Wish, age: int | None) -> bool:
    """Whether a sponsor would help somebody of that age; of whom it is not known, only without a wish for one."""
    if wish.age_from is None and wish.age_to is None:
        return True
    return age is not None and (wish.age_from or 0) <= age <= (wish.age_to or age)


def age_on(birth_date: date | None, birth_year: int | None, day: date) -> int | None:
    """Whole years on a day; of whom only the year is known, those they complete in it."""
    if birth_date is None:
        return day.year - birth_year if birth_year else None
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


# ---- which months


class Free(NamedTuple):
    """The first month nobody has paid or set money aside for, how many follow that are free too, and who bore the last."""

    start: Month
    months: int
    carried_by: UUID | None


def free_months(first: Month, carried: Mapping[Month, UUID]) -> Free:
    """From `first`, the first unpaid month, past those that a sponsor has set money aside for."""
    start = first
    while start in carried:
        start += 1
    later = min((month for month in carried if month > start), default=None)
    room = later.since(start) if later else max(RUNS)
    return Free(start, room, carried.get(start - 1))


def months_within(start: Month, last_day: date | None) -> int | None:
    """How many months from `start` on begin while a certificate holds, which ends with `last_day`; None is no end."""
    return None if last_day is None else max(0, Month.of(last_day).since(start) + 1)


def runs_from(start: Month, this: Month, earliest: Mapping[int, Month], most: int) -> tuple[int, ...]:
    """The runs that may begin with `start`: within the window of their way to pay, not too far ahead, no longer than
    `most`. `earliest` names the first month that may still be paid, by the length of the run."""
    if start > this + AHEAD:
        return ()
    return tuple(run for run in RUNS if run <= most and earliest[run] <= start)


def last_day_of(spans: Collection[tuple[date, date | None]], day: date) -> date | None:
    """The last day of need without a break from `day` on, of several certificates; None is no end.

    `spans` begin on a day and end the day before another. Whoever has none today ended yesterday.
    """
    end: date = day
    for since, until in sorted(spans, key=lambda span: span[0]):
        if since > end:
            break
        if until is None:
            return None
        end = max(end, until)
    return end - timedelta(days=1)
