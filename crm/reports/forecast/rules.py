"""How a forecast is worked out: pure and seeded, the same figures always give the same forecast (docs/decisions/forecast.md).

Everyone on the way stands at a stage and leaves it at the town's rate of that stage. A ward joins at the town's rates times a
factor of its own, a participant drops out at the town's rate times another; both factors are drawn to 1 the more, the smaller
the ward (empirical Bayes). Months differ by more than chance: how much is read off the past months. What may come is drawn
many times, each time with other rates that the past leaves possible.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise
from math import ceil, exp, inf
from random import Random
from typing import NamedTuple, TypeVar

from crm.months import Month
from crm.prospects.rules import Stage

Value = TypeVar("Value", int, float)

MONTHS_NEEDED = 3
"""Full months of history below which nothing is forecast: how months differ cannot be seen in fewer."""
JOINERS_NEEDED = 30
"""Joiners in them below which nothing is forecast."""
MOST_MONTHS = 12
"""Older months are not looked at: the work has changed since."""
HORIZON = 24
"""So many months ahead."""
RUNS = 1000
LOW, MIDDLE, HIGH = 0.1, 0.5, 0.9
"""Eight of ten drawn futures lie between the first and the last."""
DAYS_OF_MONTH = 365.25 / 12
WEEK = 7

USUAL_SPREAD, SPREAD_WORTH = 0.04, 3
"""Before anything is seen months are believed to differ by about a fifth (variance 0.04), as firmly as three months say."""
LOOSEST, TIGHTEST = 2.0, 200.0
"""How firmly a ward's factor may be believed to be the town's, in expected people."""
BY_CHANCE_UP_TO = 30.0
"""Up to this mean people are counted one by one; above, the bell curve is near enough."""

PATH = (
    Stage.NEW,
    Stage.UNREACHED,
    Stage.CONSIDERING,
    Stage.INTERESTED,
    Stage.AGREED,
    Stage.REFUSED,
    Stage.LAPSED,
)
"""The stages from which somebody may come to take part."""


class Lacking(StrEnum):
    """Why nothing is forecast."""

    MONTHS = "months"
    JOINERS = "joiners"


@dataclass(frozen=True)
class Ward:
    """What is known of a place: its stock and pool now, and what happened in the full months of history."""

    key: str
    stock: int
    pool: Mapping[Stage, int]
    joined: Sequence[int]
    """People who joined or came back, month by month."""
    left: Sequence[int]
    stocks: Sequence[int]
    """At each month's start."""
    waited: Sequence[Mapping[Stage, float]]
    """Months that people spent at each stage, together, month by month."""


@dataclass(frozen=True)
class Past:
    """Everything a forecast is made of. Every ward has the same months."""

    as_of: date
    wards: Sequence[Ward]
    steps: Mapping[tuple[Stage, Stage], int]
    """How many went from one stage to another in those months, in the whole town."""

    @property
    def months(self) -> int:
        return len(self.wards[0].joined) if self.wards else 0

    @property
    def joiners(self) -> int:
        return sum(sum(ward.joined) for ward in self.wards)

    @property
    def stock(self) -> int:
        return sum(ward.stock for ward in self.wards)


def lacking(past: Past) -> Lacking | None:
    """What the data does not carry; None: a forecast may be made."""
    if past.months < MONTHS_NEEDED:
        return Lacking.MONTHS
    return Lacking.JOINERS if past.joiners < JOINERS_NEEDED else None


class Range(NamedTuple):
    """Eight of ten futures lie from low to high, as many below the middle as above."""

    low: int
    middle: int
    high: int


class Dates(NamedTuple):
    """When a number is reached; None: not within the months looked at."""

    low: date | None
    middle: date | None
    high: date | None


@dataclass(frozen=True)
class Futures:
    """The drawn futures: of each run the stock of each ward at the end of each coming month."""

    as_of: date
    ends: Sequence[date]
    runs: Sequence[Sequence[Sequence[int]]]
    start: int
    weights: Mapping[str, float]
    """How much a ward's own past counts in its rate of joining, 0 to 1; the rest is the town's."""
    keys: Sequence[str]

    def totals(self, at: int) -> list[int]:
        """The town's stock at the end of a coming month, run by run."""
        return [sum(run[at]) for run in self.runs]

    def town(self) -> list[Range]:
        return [spread(self.totals(at)) for at in range(len(self.ends))]

    def ward(self, place: int, at: int) -> Range:
        return spread([run[at][place] for run in self.runs])

    def reached(self, people: int) -> Dates:
        """When the town's stock comes to `people` for the first time."""
        if self.start >= people:
            return Dates(self.as_of, self.as_of, self.as_of)
        days = sorted(self._first_day(run, people) for run in self.runs)
        return Dates(*(self._day(_at(days, share)) for share in (LOW, MIDDLE, HIGH)))

    def _first_day(self, run: Sequence[Sequence[int]], people: int) -> float:
        before, gone = self.start, 0
        for stocks, end in zip(run, self.ends, strict=True):
            now, days = sum(stocks), (end - self.as_of).days
            if now >= people:
                return gone + (days - gone) * (people - before) / (now - before)
            before, gone = now, days
        return inf

    def _day(self, days: float) -> date | None:
        return None if days == inf else self.as_of + timedelta(days=ceil(days))


def spread(values: Sequence[int]) -> Range:
    """The range that holds eight of ten of the values, and their middle."""
    inorder = sorted(values)
    return Range(*(_at(inorder, share) for share in (LOW, MIDDLE, HIGH)))


def _at(inorder: Sequence[Value], share: float) -> Value:
    """The value below which that share of the values lies."""
    return inorder[min(int(share * len(inorder)), len(inorder) - 1)]


def chance(totals: Sequence[int], people: int, more: float = 0) -> float:
    """The share of futures in which there are so many, with `more` people added to each."""
    return sum(total + more >= people for total in totals) / len(totals)


def futures(past: Past, months: int = HORIZON, runs: int = RUNS, seed: int = 0) -> Futures:
    """What may come, drawn `runs` times. The data has to carry it (`lacking`)."""
    ends, parts = _ends(past.as_of, months)
    rates = stage_rates(past)
    expected = [_joining(ward.pool, rates, parts) for ward in past.wards]
    joins = Factors.of(
        [sum(ward.joined) for ward in past.wards], [sum(_had_to_join(ward, rates)) for ward in past.wards]
    )
    lapses = Factors.of([sum(ward.left) for ward in past.wards], [float(sum(ward.stocks)) for ward in past.wards])
    joined = Spread.of(
        [sum(one) for one in zip(*(ward.joined for ward in past.wards), strict=True)],
        [sum(one) for one in zip(*(_had_to_join(ward, rates) for ward in past.wards), strict=True)],
    )
    left = Spread.of(
        [sum(one) for one in zip(*(ward.left for ward in past.wards), strict=True)],
        [float(sum(one)) for one in zip(*(ward.stocks for ward in past.wards), strict=True)],
    )
    random = Random(seed)  # noqa: S311  (chance, not a secret)
    drawn = [
        _one_future(
            past, parts, expected, joins.drawn(random, joined), lapses.drawn(random, left), joined, left, random
        )
        for _run in range(runs)
    ]
    weights = {ward.key: weight for ward, weight in zip(past.wards, joins.weights, strict=True)}
    return Futures(past.as_of, ends, drawn, past.stock, weights, [ward.key for ward in past.wards])


def _ends(as_of: date, months: int) -> tuple[list[date], list[float]]:
    """The ends of the coming months and which part of each is still to come."""
    first = Month.of(as_of + timedelta(days=1))
    ends = [(first + step).last_day for step in range(months)]
    parts = [(ends[0] - as_of).days / DAYS_OF_MONTH]
    return ends, parts + [(after - before).days / DAYS_OF_MONTH for before, after in pairwise(ends)]


def _one_future(
    past: Past,
    parts: Sequence[float],
    expected: Sequence[Sequence[float]],
    joining: Sequence[float],
    leaving: Sequence[float],
    joined: Spread,
    left: Spread,
    random: Random,
) -> list[list[int]]:
    stocks, found = [ward.stock for ward in past.wards], []
    more, fewer = joined.believed(random), left.believed(random)
    for month, part in enumerate(parts):
        good, bad = shock(random, more), shock(random, fewer)
        for place, stock in enumerate(stocks):
            came = by_chance(random, expected[place][month] * joining[place] * good)
            went = by_chance(random, stock * leaving[place] * part * bad)
            stocks[place] = max(stock + came - went, 0)
        found.append(list(stocks))
    return found


# ---- rates


def stage_rates(past: Past) -> dict[tuple[Stage, Stage], float]:
    """How often a month people go from one stage to another, in the whole town."""
    waited = {stage: sum(month.get(stage, 0.0) for ward in past.wards for month in ward.waited) for stage in PATH}
    return {
        (one, other): number / waited[one]
        for (one, other), number in past.steps.items()
        if one in waited and waited[one] > 0 and number
    }


def _had_to_join(ward: Ward, rates: Mapping[tuple[Stage, Stage], float]) -> list[float]:
    """How many would have joined at the town's rates, month by month."""
    joining = {stage: rates.get((stage, Stage.JOINED), 0.0) for stage in PATH}
    return [sum(months * joining[stage] for stage, months in month.items()) for month in ward.waited]


_STEPS_A_MONTH = 4


def _joining(
    pool: Mapping[Stage, int], rates: Mapping[tuple[Stage, Stage], float], parts: Sequence[float]
) -> list[float]:
    """How many of a pool join in each coming part of time, at the town's rates."""
    ways = {stage: [(other, rate) for (one, other), rate in rates.items() if one is stage] for stage in PATH}
    at = dict.fromkeys(PATH, 0.0) | {stage: float(number) for stage, number in pool.items() if stage in PATH}
    at[Stage.JOINED], found = 0.0, []
    for part in parts:
        before = at[Stage.JOINED]
        for _step in range(_STEPS_A_MONTH):
            at = _moved_on(at, ways, part / _STEPS_A_MONTH)
        found.append(at[Stage.JOINED] - before)
    return found


def _moved_on(
    at: Mapping[Stage, float], ways: Mapping[Stage, Sequence[tuple[Stage, float]]], part: float
) -> dict[Stage, float]:
    """Where they stand after a part of a month; those at a stage leave it by each way as its rate says."""
    after = dict(at)
    for stage, out in ways.items():
        rate_of_all = sum(rate for _other, rate in out)
        moving = at[stage] * (1 - exp(-rate_of_all * part))
        after[stage] -= moving
        for other, rate in out if moving else ():
            after[other] = after.get(other, 0.0) + moving * rate / rate_of_all
    return after


class Factors(NamedTuple):
    """By how much wards differ from the town, drawn to the town's own the more, the less is known of the ward: what was
    seen of something that was expected so often is Poisson, and the wards' factors are spread as a gamma (empirical
    Bayes; its width by moments)."""

    level: float
    """The town's own factor: all that was seen against all that was expected."""
    seen: Sequence[int]
    expected: Sequence[float]
    """At the town's level."""
    firmness: float
    """How many expected people the belief in the town's rate weighs."""

    @classmethod
    def of(cls, seen: Sequence[int], expected: Sequence[float]) -> Factors:
        """Seen and expected, ward by ward."""
        level = sum(seen) / sum(expected) if sum(expected) else 0.0
        scaled = [one * level for one in expected]
        squares = sum(one * one for one in scaled)
        apart = sum((one - other) ** 2 - other for one, other in zip(seen, scaled, strict=True))
        between = apart / squares if squares else 0.0
        return cls(level, seen, scaled, min(max(1 / between if between > 0 else TIGHTEST, LOOSEST), TIGHTEST))

    @property
    def weights(self) -> list[float]:
        """How much each ward's own past counts."""
        return [one / (one + self.firmness) for one in self.expected]

    @property
    def likely(self) -> list[float]:
        """Each ward's factor as it is believed, without chance."""
        return [
            self.level * (self.firmness + seen) / (self.firmness + expected)
            for seen, expected in zip(self.seen, self.expected, strict=True)
        ]

    def drawn(self, random: Random, months: Spread) -> list[float]:
        """One possible set of factors: the town's level is not known better than its months and people tell."""
        total, firm = sum(self.seen), self.firmness
        own = sum(
            one * one * (firm + seen) / (firm + one) ** 2 for seen, one in zip(self.seen, self.expected, strict=True)
        )
        counted = max(1 / max(total, 1) - own / max(total, 1) ** 2, 0.0)
        level = self.level * shock(random, counted + months.variance / max(months.months, 1))
        return [
            level * random.gammavariate(firm + seen, 1 / (firm + expected))
            for seen, expected in zip(self.seen, self.expected, strict=True)
        ]


class Spread(NamedTuple):
    """How much months differ beyond chance: the variance of a month's factor, and from how many months it was read."""

    variance: float
    months: int

    @classmethod
    def of(cls, seen: Sequence[int], expected: Sequence[float]) -> Spread:
        """From what was seen in each month and what was to be expected of it, up to a common factor."""
        months, total = len(seen), sum(expected)
        scaled = [one * sum(seen) / total for one in expected] if total else []
        squares, free = sum(one * one for one in scaled), max(months - 1, 0)
        if not squares or not free:
            return cls(USUAL_SPREAD, months)
        apart = sum((one - other) ** 2 for one, other in zip(seen, scaled, strict=True)) * months / free
        beyond = max(apart - sum(scaled), 0.0) / squares
        return cls((beyond * free + USUAL_SPREAD * SPREAD_WORTH) / (free + SPREAD_WORTH), months)

    def believed(self, random: Random) -> float:
        """One possible value of it: few months say little about how months differ."""
        free = max(self.months - 1, 0) + SPREAD_WORTH
        return min(self.variance * (free - 2) / (2 * random.gammavariate(free / 2, 1)), 1.0)


def shock(random: Random, variance: float) -> float:
    """A factor around 1."""
    return random.gammavariate(1 / variance, variance) if variance > 0 else 1.0


def by_chance(random: Random, mean: float) -> int:
    """How often something happens that is expected so often (Poisson)."""
    if mean > BY_CHANCE_UP_TO:
        return max(round(random.gauss(mean, mean**0.5)), 0)
    limit, product, found = exp(-mean), random.random(), 0
    while product > limit:
        product *= random.random()
        found += 1
    return found


# ---- what would move it


class Move(StrEnum):
    VISITS = "visits"
    KEEP = "keep"
    AGREED = "agreed"


class Lever(NamedTuple):
    """Something one could do, and how many more would take part at the year's end."""

    move: Move
    key: str
    """A place's, or a ground."""
    number: int
    """Visits a week, people who fall due, people who agreed."""
    people: float
    chance: float = 0.0
    """Of reaching the target by then, with it."""


VISITS_MORE = 10
"""So many more visits a week a lever is about."""
LEVERS = 8


def by_visits(
    keys: Sequence[str], visits: Sequence[int], joined: Sequence[int], days_left: int, dwell: float
) -> list[Lever]:
    """Ten more visits a week, place by place, at what a visit there has brought so far (drawn to the town's). Those met in the
    last days join only after the year: the usual time from a first visit to joining is taken off."""
    if not sum(visits) or not sum(joined):
        return []
    factors = Factors.of(joined, [float(one) for one in visits]).likely
    weeks = max(days_left - dwell, 0) / WEEK
    return [
        Lever(Move.VISITS, key, VISITS_MORE, VISITS_MORE * weeks * one) for key, one in zip(keys, factors, strict=True)
    ]


def by_keeping(due: Mapping[str, int], fell_due: Mapping[str, int], lapsed: Mapping[str, int]) -> list[Lever]:
    """Keeping all of a ground who fall due until the year's end: as many as would lapse at the share of those before."""
    keys = [key for key, number in due.items() if number]
    if not sum(fell_due.values()) or not keys:
        return []
    known = sorted({*fell_due, *keys})
    factors = Factors.of([lapsed.get(key, 0) for key in known], [float(fell_due.get(key, 0)) for key in known]).likely
    share = dict(zip(known, factors, strict=True))
    return [Lever(Move.KEEP, key, due[key], due[key] * min(share[key], 1.0)) for key in keys]


def by_agreed(past: Past, months: float) -> list[Lever]:
    """Having everyone pay who has agreed: without more, only a part of them come to it by then."""
    rates = stage_rates(past)
    alone = 1 - exp(-rates.get((Stage.AGREED, Stage.JOINED), 0.0) * months)
    agreed = ((ward.key, ward.pool.get(Stage.AGREED, 0)) for ward in past.wards)
    return [Lever(Move.AGREED, key, number, number * (1 - alone)) for key, number in agreed if number]


def strongest(levers: Sequence[Lever], totals: Sequence[int], target: int | None) -> list[Lever]:
    """Those that bring most, with the chance of reaching the target with each."""
    best = sorted((one for one in levers if one.people >= 1), key=lambda one: (-one.people, one.move, one.key))[:LEVERS]
    return [one._replace(chance=chance(totals, target, one.people) if target else 0.0) for one in best]


def needed(stock: int, target: int, leaving: float, weeks: float) -> int:
    """How many must join a week to reach a target in so many weeks, those who will drop out made up for."""
    return ceil(max(target - stock + leaving, 0) / max(weeks, 1))


# ---- how earlier ones did


class Scored(NamedTuple):
    """What a forecast said about a day, and what came."""

    made_for: date
    afterwards: bool
    """Whether it was worked out later, from what was known of that day."""
    day: date
    said: Range
    came: int
    without: int
    """What «so many as today» would have said."""

    @property
    def held(self) -> bool:
        return self.said.low <= self.came <= self.said.high

    @property
    def interval_score(self) -> float:
        """How wide the range was, and ten for each by which it missed (a range of 80 %): the smaller, the better."""
        below, above = max(self.said.low - self.came, 0), max(self.came - self.said.high, 0)
        return self.said.high - self.said.low + 2 / (1 - (HIGH - LOW)) * (below + above)


class Record(NamedTuple):
    """How all of them did together."""

    ranges: int
    held: int
    width: float
    off: float
    """How far the middle was from what came, in people."""
    off_without: float


def record(scored: Sequence[Scored]) -> Record | None:
    """None: none has come yet."""
    if not scored:
        return None
    number = len(scored)
    return Record(
        number,
        sum(one.held for one in scored),
        sum(one.said.high - one.said.low for one in scored) / number,
        sum(abs(one.said.middle - one.came) for one in scored) / number,
        sum(abs(one.without - one.came) for one in scored) / number,
    )
