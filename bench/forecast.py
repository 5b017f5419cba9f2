"""How often the ranges of a forecast hold what comes, in towns that are made up week by week.

A made-up town is not drawn from the forecast's own model: wards differ by a log-normal factor, people move week by week and
one by one (binomial), every month has a shock of its own whose width differs from town to town. What is forecast after nine
months is then compared with what the same town did next.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from crm.months import Month
from crm.prospects.rules import Stage
from crm.reports.forecast.rules import PATH, Past, Ward, by_chance, futures, lacking

WEEKS = 4
STEPS = {
    (Stage.NEW, Stage.UNREACHED): 0.08,
    (Stage.NEW, Stage.CONSIDERING): 0.08,
    (Stage.NEW, Stage.REFUSED): 0.03,
    (Stage.UNREACHED, Stage.CONSIDERING): 0.15,
    (Stage.CONSIDERING, Stage.INTERESTED): 0.12,
    (Stage.CONSIDERING, Stage.REFUSED): 0.08,
    (Stage.INTERESTED, Stage.AGREED): 0.2,
    (Stage.INTERESTED, Stage.JOINED): 0.05,
    (Stage.AGREED, Stage.JOINED): 0.5,
    (Stage.REFUSED, Stage.CONSIDERING): 0.02,
    (Stage.LAPSED, Stage.JOINED): 0.03,
}
"""A month, in a usual town."""
LEAVING = 0.018
AHEAD = 3
HISTORY = 9
FIRST = Month(2019, 1)


class Told(NamedTuple):
    """How many ranges held what came, of one month, two and three months ahead."""

    towns: int
    held: list[int]
    seconds: float

    @property
    def share(self) -> float:
        return sum(self.held) / (self.towns * len(self.held))


@dataclass
class _Living:
    """A ward as it goes on."""

    stock: int
    pool: dict[Stage, int]
    joining: float
    leaving: float


def town(random: Random) -> tuple[Past, list[int]]:
    """Nine months of a made-up town, and its stock at the end of each of the three that follow."""
    wards = [_ward(random, size) for size in _sizes(random)]
    rough, activity = random.uniform(0.01, 0.12), random.uniform(0.7, 1.4)
    rows = [Ward(str(place), 0, {}, [], [], [], []) for place in range(len(wards))]
    steps: dict[tuple[Stage, Stage], int] = {}
    for _month in range(HISTORY):
        came, went = _month_of(random, wards, activity, rough, steps, rows)
        rows = [
            Ward(row.key, 0, {}, [*row.joined, came[at]], [*row.left, went[at]], row.stocks, row.waited)
            for at, row in enumerate(rows)
        ]
    rows = [
        Ward(row.key, one.stock, dict(one.pool), row.joined, row.left, row.stocks, row.waited)
        for row, one in zip(rows, wards, strict=True)
    ]
    past = Past((FIRST + (HISTORY - 1)).last_day, rows, dict(steps))
    after = []
    for _month in range(AHEAD):
        _month_of(random, wards, activity, rough, {}, None)
        after.append(sum(one.stock for one in wards))
    return past, after


def _sizes(random: Random) -> Sequence[int]:
    return [random.choice((120, 300, 600, 1200)) for _ward in range(random.randint(4, 10))]


def _ward(random: Random, size: int) -> _Living:
    pool = dict.fromkeys(PATH, 0)
    for stage, share in ((Stage.NEW, 0.6), (Stage.UNREACHED, 0.2), (Stage.CONSIDERING, 0.15), (Stage.LAPSED, 0.05)):
        pool[stage] = round(size * share)
    joining, leaving = random.lognormvariate(0, 0.4), random.lognormvariate(0, 0.3)
    return _Living(round(size * random.uniform(0.05, 0.2)), pool, joining, leaving)


def _month_of(
    random: Random,
    wards: Sequence[_Living],
    activity: float,
    rough: float,
    steps: dict[tuple[Stage, Stage], int],
    rows: Sequence[Ward] | None,
) -> tuple[list[int], list[int]]:
    good = random.gammavariate(1 / rough, rough) * activity
    bad = random.gammavariate(1 / rough, rough)
    came, went = [0] * len(wards), [0] * len(wards)
    for at, ward in enumerate(wards):
        here = dict.fromkeys(PATH, 0.0)
        if rows:
            rows[at].stocks.append(ward.stock)  # type: ignore[attr-defined]
            rows[at].waited.append(here)  # type: ignore[attr-defined]
        for _week in range(WEEKS):
            for stage in PATH:
                here[stage] += ward.pool[stage] / WEEKS
            before = dict(ward.pool)
            for (one, other), rate in STEPS.items():
                factor = ward.joining * good if other is Stage.JOINED else activity
                number = _of(random, min(before[one], ward.pool[one]), rate * factor / WEEKS)
                steps[one, other] = steps.get((one, other), 0) + number
                ward.pool[one] -= number
                if other is Stage.JOINED:
                    ward.stock += number
                    came[at] += number
                else:
                    ward.pool[other] += number
            lost = _of(random, ward.stock, LEAVING * ward.leaving * bad / WEEKS)
            ward.stock -= lost
            ward.pool[Stage.LAPSED] += lost
            went[at] += lost
    return came, went


def _of(random: Random, number: int, share: float) -> int:
    """Of so many, those to whom something that happens to a small share happens."""
    return min(by_chance(random, number * min(share, 1.0)), number)


def coverage(towns: int, seed: int, runs: int = 200) -> Told:
    """Forecast so many towns, and count which ranges held."""
    random, held, counted, began = Random(seed), [0] * AHEAD, 0, time.perf_counter()
    while counted < towns:
        past, after = town(random)
        if lacking(past):
            continue
        counted += 1
        said = futures(past, AHEAD, runs, counted).town()
        for at, (one, came) in enumerate(zip(said, after, strict=True)):
            held[at] += one.low <= came <= one.high
    return Told(counted, held, time.perf_counter() - began)


def measure(towns: int = 1000) -> str:
    """Of so many towns, which share of the ranges held, in Markdown."""
    told = coverage(towns, 1385)
    rows = [f"| {at + 1} | {number / told.towns:.1%} |" for at, number in enumerate(told.held)]
    head = (
        f"Of {told.towns} made-up towns, ranges of 80 % that held what came: {told.share:.1%} ({told.seconds:.0f} s)."
    )
    return "\n".join([head, "", "| months ahead | held |", "| ---: | ---: |", *rows])
