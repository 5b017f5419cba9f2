"""Who gets which months from whom: the plan that follows from needs, offers and terms.

People are taken in the order of `needs.order`. Each gets the longest run that can be paid without anybody before them
getting less: first from the sponsor who carries them now, who then keeps them; otherwise from any sponsor whose wish
fits, the one with the fewest people to choose from first. Where nobody has enough left, people taken before move to
another sponsor who fits them too, each with all their months, along a chain of such moves; so money that could help
many is not spent on somebody whom a narrower wish could carry. Why this is optimal: docs/decisions/whom-to-fund.md.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple
from uuid import UUID

from crm.money import Vnd
from crm.months import Month
from crm.sponsors.matching.rules.needs import RUNS, Need, Offer, Rest, Terms, Why, is_of_age, lives_where, order

FEW = 14
"""So few runs are shared out anew in every way there is before somebody is passed over."""
MOST_TRIES = 20_000

Mask = int
"""A set of sponsors: one bit each, the narrowest wish lowest."""


class Line(NamedTuple):
    """Months of one person that a sponsor is proposed to carry; `wished` is how many that sponsor would like to."""

    need: Need
    sponsor_id: UUID
    start: Month
    months: int
    amount: Vnd
    wished: int


class Passed(NamedTuple):
    """Somebody who gets nothing, and why."""

    need: Need
    why: Why


class Left(NamedTuple):
    """What a sponsor had and what is left of it; `cheapest` is the least that somebody who fits would still need."""

    sponsor_id: UUID
    before: Vnd
    after: Vnd
    why: Rest
    cheapest: Vnd | None


@dataclass(frozen=True)
class Plan:
    """The lines in the order of priority, who was passed over, and what is left of each sponsor."""

    lines: Sequence[Line]
    passed: Sequence[Passed]
    left: Sequence[Left]


def propose(needs: Iterable[Need], offers: Iterable[Offer], terms: Terms = Terms()) -> Plan:
    """The plan. `needs` are of people with something to pay; the same needs and offers always give the same plan."""
    queue = sorted(needs, key=order)
    table = _Table(queue, sorted(offers, key=lambda one: one.sponsor_id), terms)
    for number in range(len(queue)):
        table.serve(number)
    return table.plan()


class _Kind(NamedTuple):
    """What people who can stand in for each other have in common: who may carry them, and what their run costs."""

    fitting: Mask
    cost: Vnd


@dataclass(slots=True)
class _Purse:
    """A sponsor's money while it is shared out. `held` are those who could also be carried by somebody else."""

    offer: Offer
    run: int
    money: Vnd
    room: int | None
    held: defaultdict[_Kind, list[int]] = field(default_factory=lambda: defaultdict(list))

    def takes(self, cost: Vnd) -> bool:
        """Whether one more person at this cost can be carried."""
        return self.money >= cost and self.room != 0

    def add(self, kind: _Kind, number: int) -> None:
        self.held[kind].append(number)
        self._moved(-kind.cost, -1)

    def drop(self, kind: _Kind) -> int:
        number = self.held[kind].pop()
        if not self.held[kind]:
            del self.held[kind]
        self._moved(kind.cost, 1)
        return number

    def _moved(self, money: Vnd, people: int) -> None:
        self.money += money
        if self.room is not None:
            self.room += people


class _Step(NamedTuple):
    """A purse that is asked to take a run of some cost, because the one before gave it up."""

    purse: int
    cost: Vnd
    kind: _Kind | None
    before: _Step | None
    passed: Mask


class _Table:
    def __init__(self, queue: Sequence[Need], offers: Sequence[Offer], terms: Terms) -> None:
        self.queue = queue
        choices: Counter[int] = Counter()
        for mask, many in Counter(_fitting(queue, offers)).items():
            for place in _bits(mask):
                choices[place] += many
        narrow = sorted(range(len(offers)), key=lambda place: (choices[place], place))
        self.purses = [
            _Purse(offers[place], offers[place].run(terms.months), offers[place].available, offers[place].room)
            for place in narrow
        ]
        self.wishes = _fitting(queue, [purse.offer for purse in self.purses])
        self.place_of = {purse.offer.sponsor_id: place for place, purse in enumerate(self.purses)}
        self.long_enough = {run: _mask(p for p, purse in enumerate(self.purses) if purse.run >= run) for run in RUNS}
        self.kind_of: dict[int, _Kind] = {}
        self.runs: dict[int, tuple[int, Vnd]] = {}
        self.staying: dict[int, int] = {}
        self.able: dict[Vnd, Mask] = {}
        self.hopeless: defaultdict[Vnd, Mask] = defaultdict(int)
        """With whom nothing makes room for a cost, by the cost: nor, then, for a higher one."""
        self.spent: dict[int, Vnd] = {}
        """The same of a sponsor for whom they carry already, who take no more room."""
        self.least = min((need.cheapest for need in queue), default=0)

    # ---- one after the other

    def serve(self, number: int) -> None:
        """Give one person the longest run there is room for, if there is any."""
        need = self.queue[number]
        fitting = self.wishes[number] & ~_mask(map(self.place_of.__getitem__, need.refused_by & self.place_of.keys()))
        fitting &= self.long_enough[min(need.prices)]
        self.wishes[number] = fitting
        own = self.place_of.get(need.carried_by) if need.carried_by else None
        if own is not None and fitting >> own & 1:
            for run in self._runs(need):
                if run <= self.purses[own].run and self._stays(number, own, need.prices[run]):
                    self.runs[number] = run, need.prices[run]
                    return
            fitting &= ~(1 << own)
        for run in self._runs(need):
            kind = _Kind(fitting & self.long_enough[run], need.prices[run])
            if kind.fitting and self._take(number, kind):
                self.runs[number] = run, kind.cost
                return

    @staticmethod
    def _runs(need: Need) -> list[int]:
        return [run for run in RUNS if run in need.prices]

    def _stays(self, number: int, own: int, cost: Vnd) -> bool:
        """Whether the sponsor who carries somebody keeps them: they take no more room than now."""
        purse, kind = self.purses[own], _Kind(1 << own, cost)
        if cost >= self.spent.get(own, cost + 1):
            return False
        if purse.money < cost and not self._make_room(kind, taking_room=False):
            self.spent[own] = cost
            return False
        purse.money -= cost
        self.staying[number] = own
        self.able.clear()
        return True

    def _take(self, number: int, kind: _Kind) -> bool:
        if not self._able(kind) and not self._make_room(kind):
            return False
        self._add(_lowest(self._able(kind)), kind, number)
        return True

    def _able(self, kind: _Kind) -> Mask:
        """Which of the fitting sponsors can pay this now."""
        if kind.cost not in self.able:
            self.able[kind.cost] = _mask(p for p, purse in enumerate(self.purses) if purse.takes(kind.cost))
        return self.able[kind.cost] & kind.fitting

    def _add(self, place: int, kind: _Kind, number: int) -> None:
        self.purses[place].add(kind, number)
        self.kind_of[number] = kind
        self._changed(place)

    def _drop(self, place: int, kind: _Kind) -> int:
        number = self.purses[place].drop(kind)
        self._changed(place)
        return number

    def _changed(self, place: int) -> None:
        bit, purse = 1 << place, self.purses[place]
        for cost, mask in self.able.items():
            self.able[cost] = mask | bit if purse.takes(cost) else mask & ~bit

    # ---- making room

    def _make_room(self, wanted: _Kind, *, taking_room: bool = True) -> bool:
        """Let people move until a fitting sponsor can pay this; False, and nothing has moved, when no moves help."""
        hope = wanted.fitting & ~_up_to(self.hopeless, wanted.cost) if taking_room else wanted.fitting
        if not hope:
            return False
        seen = self.hopeless.copy()
        if chain := self._chain(_Kind(hope, wanted.cost), seen):
            self._move(chain)
            return True
        made = self._share_out_anew(wanted, taking_room=taking_room)
        if made is None and taking_room:
            self.hopeless = seen
        elif not made and taking_room:
            self.hopeless[wanted.cost] |= wanted.fitting
        return bool(made)

    def _chain(self, wanted: _Kind, seen: defaultdict[Vnd, Mask]) -> _Step | None:
        """The shortest chain of moves that ends with somebody who has room. Into `seen` goes who was asked to take what.

        Whoever was asked to take less, and could not lead on, is not asked again to take more.
        """
        seen[wanted.cost] |= wanted.fitting
        if not self._able(_Kind(-1, self.least)):
            return None
        asked = deque(_Step(place, wanted.cost, None, None, 1 << place) for place in _bits(wanted.fitting))
        while asked:
            step = asked.popleft()
            purse = self.purses[step.purse]
            for kind in purse.held:
                if purse.money + kind.cost < step.cost:
                    continue
                if able := self._able(kind) & ~step.passed:
                    return _Step(_lowest(able), kind.cost, kind, step, 0)
                if new := kind.fitting & ~step.passed & ~_up_to(seen, kind.cost):
                    seen[kind.cost] |= new
                    asked.extend(_Step(place, kind.cost, kind, step, step.passed | 1 << place) for place in _bits(new))
        return None

    def _move(self, last: _Step) -> None:
        """Do the moves of a chain, the last first, so that nobody ever holds more than there is."""
        step = last
        while step.before is not None and step.kind is not None:
            self._add(step.purse, step.kind, self._drop(step.before.purse, step.kind))
            step = step.before

    def _share_out_anew(self, wanted: _Kind, *, taking_room: bool) -> bool | None:
        """Where few are concerned: every way of sharing their runs out among the sponsors, until one has the room.
        None where they are too many to try."""
        near, held = wanted.fitting, list[tuple[int, int]]()
        looked: Mask = 0
        while new := near & ~looked:
            place = _lowest(new)
            looked |= 1 << place
            for kind, numbers in self.purses[place].held.items():
                near |= kind.fitting
                held += [(place, number) for number in numbers]
            if len(held) > FEW:
                return None
        if sum(self.purses[place].money for place in _bits(near)) < wanted.cost:
            return False
        money = {place: self.purses[place].money for place in _bits(near)}
        room = {place: self.purses[place].room for place in _bits(near)}
        for place, number in held:
            money[place] += self.kind_of[number].cost
            now = room[place]
            room[place] = None if now is None else now + 1
        found = _shared(wanted, [(number, self.kind_of[number]) for _place, number in held], money, room, taking_room)
        if found is None:
            return False
        for place, number in held:
            self.purses[place].held[self.kind_of[number]].remove(number)
        for place in _bits(near):
            purse = self.purses[place]
            purse.money, purse.room = money[place], room[place]
            purse.held = defaultdict(list, {kind: numbers for kind, numbers in purse.held.items() if numbers})
        for number, place in found.items():
            self.purses[place].add(self.kind_of[number], number)
        self.able.clear()
        return True

    # ---- what came of it

    def plan(self) -> Plan:
        """The lines, the passed over, and what is left."""
        sponsor_of = dict(self.staying)
        for place, purse in enumerate(self.purses):
            sponsor_of |= {number: place for numbers in purse.held.values() for number in numbers}
        lines, passed = [], []
        for number, need in enumerate(self.queue):
            if number in self.runs:
                run, amount = self.runs[number]
                purse = self.purses[sponsor_of[number]]
                lines.append(Line(need, purse.offer.sponsor_id, need.start, run, amount, purse.run))
            else:
                passed.append(Passed(need, self._why(number)))
        return Plan(lines, passed, self._left())

    def _why(self, number: int) -> Why:
        need, fitting = self.queue[number], self.wishes[number]
        if not fitting:
            return Why.REFUSED_BEFORE if need.refused_by & self.place_of.keys() else Why.NO_WISH
        enough = (self.purses[place].money >= need.cheapest for place in _bits(fitting))
        return Why.ENOUGH_PEOPLE if any(enough) else Why.NO_MONEY

    def _left(self) -> list[Left]:
        fits: Mask = 0
        short: Mask = 0
        cheapest: dict[int, Vnd] = {}
        waiting: dict[Mask, Vnd] = {}
        for number, mask in enumerate(self.wishes):
            fits |= mask
            if number in self.runs:
                longer = [run for run in self.queue[number].prices if run > self.runs[number][0]]
                short |= mask & self.long_enough[min(longer)] if longer else 0
            else:
                cost = self.queue[number].cheapest
                waiting[mask] = min(waiting.get(mask, cost), cost)
        for mask, cost in waiting.items():
            for place in _bits(mask):
                cheapest[place] = min(cheapest.get(place, cost), cost)
        return [
            Left(
                purse.offer.sponsor_id,
                purse.offer.available,
                purse.money,
                _rest(purse, cheapest.get(place), fits=bool(fits >> place & 1), short=bool(short >> place & 1)),
                cheapest.get(place),
            )
            for place, purse in enumerate(self.purses)
        ]


def _rest(purse: _Purse, cheapest: Vnd | None, *, fits: bool, short: bool) -> Rest:
    """Why so much is left; `short` when somebody who fits got fewer months than the sponsor would pay."""
    if not purse.money:
        return Rest.NOTHING
    if not fits:
        return Rest.NOBODY_FITS
    if cheapest is None:
        return Rest.LESS_THAN_A_MONTH if short else Rest.EVERYBODY_CARRIED
    return Rest.LESS_THAN_A_MONTH if purse.money < cheapest else Rest.ENOUGH_PEOPLE


# ---- every way there is


def _shared(
    wanted: _Kind,
    held: Sequence[tuple[int, _Kind]],
    money: Mapping[int, Vnd],
    room: Mapping[int, int | None],
    taking_room: bool,
) -> dict[int, int] | None:
    """A sponsor for each of these runs such that `wanted` can be paid as well; None when there is none, or none was
    found in MOST_TRIES."""
    runs = sorted(held, key=lambda one: (-one[1].cost, one[1].fitting.bit_count(), one[0]))
    places = sorted(money)
    hopeless: set[tuple[int, tuple[Vnd, ...], tuple[int | None, ...]]] = set()

    def rest(at: int, left: dict[int, Vnd], free: dict[int, int | None]) -> dict[int, int] | None:
        if at == len(runs):
            return {}
        state = at, tuple(left[place] for place in places), tuple(free[place] for place in places)
        if state in hopeless or len(hopeless) > MOST_TRIES:
            return None
        number, kind = runs[at]
        for place in _bits(kind.fitting):
            if left[place] >= kind.cost and free[place] != 0:
                found = rest(at + 1, *_less(left, free, place, kind.cost))
                if found is not None:
                    return {**found, number: place}
        hopeless.add(state)
        return None

    for place in _bits(wanted.fitting):
        if money[place] >= wanted.cost and not (taking_room and room[place] == 0):
            left, free = dict(money), dict(room)
            if taking_room:
                left, free = _less(left, free, place, wanted.cost)
            else:
                left[place] -= wanted.cost
            found = rest(0, left, free)
            if found is not None:
                return found
    return None


def _less(
    money: Mapping[int, Vnd], room: Mapping[int, int | None], place: int, cost: Vnd
) -> tuple[dict[int, Vnd], dict[int, int | None]]:
    now = room[place]
    return {**money, place: money[place] - cost}, {**room, place: None if now is None else now - 1}


# ---- sets of sponsors


def _fitting(queue: Sequence[Need], offers: Sequence[Offer]) -> list[Mask]:
    """Whose wish fits each person. What wishes ask for is answered once for each answer there is."""

    @cache
    def home(place_id: UUID, neighbourhood_id: UUID | None) -> Mask:
        return _mask(p for p, offer in enumerate(offers) if lives_where(offer, place_id, neighbourhood_id))

    @cache
    def aged(age: int | None) -> Mask:
        return _mask(p for p, offer in enumerate(offers) if is_of_age(offer.wish, age))

    @cache
    def like(ground: str, female: bool) -> Mask:
        return _mask(
            p
            for p, offer in enumerate(offers)
            if (not offer.wish.grounds or ground in offer.wish.grounds) and (female or not offer.wish.women)
        )

    return [
        home(need.place_id, need.neighbourhood_id) & aged(need.age) & like(need.ground, need.female) for need in queue
    ]


def _mask(places: Iterable[int]) -> Mask:
    mask = 0
    for place in places:
        mask |= 1 << place
    return mask


def _up_to(masks: Mapping[Vnd, Mask], most: Vnd) -> Mask:
    """Everybody who stands at a cost of at most so much."""
    found: Mask = 0
    for cost, places in masks.items():
        if cost <= most:
            found |= places
    return found


def _bits(mask: Mask) -> Iterator[int]:
    while mask:
        place = _lowest(mask)
        yield place
        mask &= mask - 1


def _lowest(mask: Mask) -> int:
    return (mask & -mask).bit_length() - 1
