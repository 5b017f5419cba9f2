"""The months of one person: what became of each, who bore it, what can still be paid. Pure; `today` is an argument.

    months_of(stays, borne, today, in_vain={}, ahead=6, gaps_back=None) -> Calendar

A month is paid once or not at all, so a calendar is read off two things: the months that are paid, and the spells that
say until when somebody may pay on, and whether they take part at all. Months paid for in vain, for somebody left within
what was paid, stand beside: they count for nothing, and whoever came back may have paid them anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import chain, groupby
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from flask_babel import lazy_gettext as _l

from crm.money import Vnd
from crm.months import Month
from crm.participation.rules import Ending
from crm.participation.shares import Payer, Share

TO_WIN_BACK = (Ending.LAPSED, Ending.STOPPED)
"""Who left like this may come back: months they do not pay are a gap. Every other ending takes a person out."""


class State(StrEnum):
    """What became of a month."""

    BEFORE = "before"
    OWN = "own"
    PARTLY = "partly"
    SPONSORED = "sponsored"
    LISTED = "listed"
    MISSING = "missing"
    NOT_NEEDED = "not_needed"
    DUE = "due"
    LATE = "late"
    GAP = "gap"
    UPCOMING = "upcoming"
    AWAY = "away"


STATES: Mapping[State, Any] = {
    State.BEFORE: _l("Before joining"),
    State.OWN: _l("Paid by the person"),
    State.PARTLY: _l("Paid by the person and a sponsor"),
    State.SPONSORED: _l("Paid by a sponsor"),
    State.LISTED: _l("Paid, known from a list of the insurance office"),
    State.MISSING: _l("Paid at once, for years missing for a pension"),
    State.NOT_NEEDED: _l("Paid ahead, then not needed"),
    State.DUE: _l("To be paid now"),
    State.LATE: _l("Past the last day to pay"),
    State.GAP: _l("Not paid"),
    State.UPCOMING: _l("Not due yet"),
    State.AWAY: _l("Does not take part"),
}
PAID = (State.OWN, State.PARTLY, State.SPONSORED, State.LISTED, State.MISSING)


class Stay(NamedTuple):
    """A spell as the calendar needs it. `first` is the first month it vouches for, `paid_through` the last that counts."""

    first: Month
    paid_through: Month | None
    deadline_on: date | None
    ended_as: Ending | None
    at_once: int
    """Months paid at once: how many fall due together."""


class Borne(NamedTuple):
    """A paid month: who bore what, đồng, and by which payment."""

    payment_id: UUID
    supported: bool
    own: Vnd
    state: Vnd
    local: Vnd
    others: tuple[Share, ...] = ()
    missing: bool = False
    """Of a payment at once for missing months."""


@dataclass(frozen=True, slots=True)
class OneMonth:
    """What became of a month of somebody."""

    month: Month
    state: State
    borne: Borne | None = None
    supported_so_far: int = 0
    """Months the State has helped with, this one included."""
    ahead: bool = False
    """Paid before it has come."""
    grace: bool = False
    """Over, unpaid, and within the window of its way to pay."""
    payable: bool = False
    """A gap that the insurance office still lets be paid."""
    anew: bool = False
    """A gap that whoever registers anew today may begin with: the window of some way to pay is still open."""
    in_vain: tuple[Borne, ...] = ()
    """What was paid for it ahead and then not needed, the earliest first."""

    @property
    def lines(self) -> list[tuple[State, Borne | None]]:
        """Each payment made for it, what was paid in vain first; one line where there is none."""
        now = [] if self.state is State.NOT_NEEDED else [(self.state, self.borne)]
        return [*((State.NOT_NEEDED, one) for one in self.in_vain), *now]

    @property
    def is_paid(self) -> bool:
        return self.state in PAID

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing to tell of it but that it has not come due, or that the person does not take part."""
        return self.state in (State.UPCOMING, State.AWAY) and not self.in_vain

    @property
    def supported(self) -> bool:
        """Whether the State helped with it."""
        return self.borne is not None and self.borne.supported


@dataclass(frozen=True, slots=True)
class Cost:
    """What was paid so far, đồng, by who bore it."""

    own: Vnd = 0
    state: Vnd = 0
    local: Vnd = 0
    others: Mapping[Payer, Vnd] | None = None

    @property
    def gross(self) -> Vnd:
        """All of it."""
        return self.own + self.state + self.local + sum((self.others or {}).values())


@dataclass(frozen=True, slots=True)
class Calendar:
    """The months of somebody from their first spell on, and what is read off them."""

    months: tuple[OneMonth, ...]
    paid_through: Month | None
    """The last month paid without a break before it, of the spell they are in or were in last."""
    deadline_on: date | None
    """The last day to pay for what follows, of whoever takes part."""
    cost: Cost

    @property
    def paid(self) -> int:
        """How many months are paid."""
        return sum(month.is_paid for month in self.months)

    @property
    def supported(self) -> int:
        """How many of them the State helped with."""
        return sum(month.supported for month in self.months)

    def unsure_since(self, helped: Month, told_through: Month | None = None) -> int:
        """How many months from `helped` on only a list tells of, which does not say whether the State helped; those up to
        `told_through` are known from elsewhere."""
        asked = (one.month for one in self.months if one.state is State.LISTED and one.month >= helped)
        return sum(told_through is None or month > told_through for month in asked)

    @property
    def gaps(self) -> tuple[OneMonth, ...]:
        """Months that were not paid and whose time is over."""
        return tuple(month for month in self.months if month.state in (State.GAP, State.LATE))

    @property
    def payable_gaps(self) -> tuple[OneMonth, ...]:
        """Those of them that may still be paid."""
        return tuple(month for month in self.gaps if month.payable)

    @property
    def anew_gaps(self) -> tuple[OneMonth, ...]:
        """Those of them with which one may register anew."""
        return tuple(month for month in self.gaps if month.anew)

    @property
    def lost_gaps(self) -> tuple[OneMonth, ...]:
        """Those of them of which nobody here knows a way to pay them."""
        return tuple(month for month in self.gaps if not month.anew and not month.payable)

    @staticmethod
    def folded(months: Iterable[OneMonth]) -> list[tuple[OneMonth, ...]]:
        """These months as they are told one below the other: each by itself, but those that follow each other with nothing
        to tell of any, not due yet or out of it, together."""
        found: list[list[OneMonth]] = []
        for one in months:
            last = found[-1][-1] if found else None
            together = one.is_blank and last and last.is_blank and last.state is one.state
            if together and last and one.month == last.month + 1:
                found[-1].append(one)
            else:
                found.append([one])
        return [tuple(run) for run in found]

    def by_year(self) -> list[tuple[int, tuple[OneMonth | None, ...]]]:
        """Each year with its twelve months; None where the calendar does not reach."""
        found = []
        for year, months in groupby(self.months, key=lambda one: one.month.year):
            at = {one.month.number: one for one in months}
            found.append((year, tuple(at.get(number) for number in range(1, 13))))
        return found


NOTHING = Calendar((), None, None, Cost())


def months_of(
    stays: Sequence[Stay],
    borne: Mapping[Month, Borne],
    today: date,
    *,
    in_vain: Mapping[Month, tuple[Borne, ...]] = MappingProxyType({}),
    ahead: int = 6,
    gaps_back: int | None = None,
    anew_from: Month | None = None,
    supported_before: int = 0,
) -> Calendar:
    """What became of every month from the first one known until `ahead` months after this one or the last paid.

    `stays` in the order of time; `borne` the months that count, `in_vain` what was paid and then not needed; `gaps_back` is how many months back the insurance office lets a gap be paid later
    («đóng bù»), None where nobody has said so: the law's own words were not seen, so nothing is promised.
    `anew_from` is the earliest month with which whoever registers anew today may begin.
    `supported_before` are months the State helped with that are not on record here.
    """
    if not stays and not borne and not in_vain:
        return NOTHING
    this = Month.of(today)
    listed = {month for stay in stays for month in vouched(stay)}
    known = sorted({*borne, *in_vain, *listed})
    first = min([*known[:1], *(stay.first for stay in stays)])
    last = max([this, *known[-1:]]) + ahead
    found, supported = [], supported_before
    now = stays[-1] if stays else None
    free = _may_register(now, today) and anew_from is not None
    for month in first.until(last + 1):
        paid = borne.get(month)
        supported += paid is not None and paid.supported
        state = _paid_as(paid) if paid else State.LISTED if month in listed else _unpaid(stays, month, known, today)
        if state is State.AWAY and month in in_vain:
            state = State.NOT_NEEDED
        gap = state in (State.GAP, State.LATE)
        found.append(
            OneMonth(
                month,
                state,
                paid,
                supported,
                ahead=state in PAID and state is not State.MISSING and month > this,
                grace=state is State.DUE and month < this,
                anew=gap
                and free
                and anew_from is not None
                and anew_from <= month
                and month > max(known, default=first - 1),
                payable=gap and gaps_back is not None and this.since(month) <= gaps_back,
                in_vain=in_vain.get(month, ()),
            )
        )
    return Calendar(
        tuple(found),
        paid_through=now.paid_through if now else max(borne, default=None),
        deadline_on=now.deadline_on if now and now.ended_as is None else None,
        cost=_cost(chain(borne.values(), *in_vain.values())),
    )


def _may_register(now: Stay | None, today: date) -> bool:
    """Whether somebody takes part no longer and may come back."""
    if now is None or now.ended_as is not None:
        return now is None or now.ended_as in TO_WIN_BACK
    return now.deadline_on is not None and today > now.deadline_on


def vouched(stay: Stay) -> Iterable[Month]:
    """The months a spell says are paid."""
    return stay.first.until(stay.paid_through + 1) if stay.paid_through else ()


def _paid_as(paid: Borne) -> State:
    if paid.missing:
        return State.MISSING
    if not paid.others:
        return State.OWN
    return State.PARTLY if paid.own else State.SPONSORED


def _unpaid(stays: Sequence[Stay], month: Month, known: Sequence[Month], today: date) -> State:
    """What a month is that nobody has paid. This month is never lost: whoever registers anew may begin with it."""
    begun = [stay for stay in stays if stay.first <= month]
    if not begun:
        return State.BEFORE if not known or month < known[0] else State.GAP
    stay, this = begun[-1], Month.of(today)
    returned = stay is not stays[-1]
    if stay.ended_as is not None or returned:
        if stay.ended_as not in TO_WIN_BACK:
            return State.AWAY
        return State.GAP if returned or month < this else State.AWAY
    return _open(stay, month, today)


def _open(stay: Stay, month: Month, today: date) -> State:
    """What an unpaid month of a spell that goes on is."""
    this = Month.of(today)
    following = stay.paid_through + 1 if stay.paid_through else stay.first
    if stay.deadline_on and today > stay.deadline_on:
        return State.LATE if month < this else State.UPCOMING
    due = following <= this and month < following + max(stay.at_once, 1)
    return State.DUE if due else State.UPCOMING


def _cost(borne: Iterable[Borne]) -> Cost:
    others: Counter[Payer] = Counter()
    own = state = local = 0
    for paid in borne:
        own, state, local = own + paid.own, state + paid.state, local + paid.local
        for share in paid.others:
            others[share.payer] += share.amount
    return Cost(own, state, local, dict(others))
