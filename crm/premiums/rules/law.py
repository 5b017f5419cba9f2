"""The law as dated values, and the law of one day."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from uuid import UUID

from flask_babel import lazy_gettext as _l

from crm.errors import RuleBroken
from crm.money import Vnd
from crm.premiums.rules.keys import WINDOWS, LawKey, LawStatus, Method
from crm.premiums.rules.wording import LABELS
from crm.prospects.rules import Ground
from crm.web.filters import in_day

PER_CENT = 100


ANNOUNCED_EACH_YEAR = frozenset({LawKey.INVESTMENT_PERCENT, LawKey.PRICE_COEFFICIENT})
"""Values that hold only in the calendar year they begin in: another follows, unknown until announced."""

SURENESS = (LawStatus.PRACTICE, LawStatus.IN_FORCE)
"""The statuses that count in a calculation; of two rows of one day the later named is believed."""


Of = tuple[LawKey, Ground | None, int | None]
"""What a number is of: a key, for one ground, for months paid in one year and the years after it."""


@dataclass(frozen=True, slots=True)
class LawValue:
    """One number of the law, from a day on, with the document that says so and where we read it.

    `of_year` is for numbers that depend on when the months were paid, such as the price coefficient of 2019: they
    count for months of that year and of later years, up to the next year that has a number of its own.
    """

    key: LawKey
    ground: Ground | None
    value: Decimal
    since: date
    document: str
    article: str = ""
    source: str = ""
    status: LawStatus = LawStatus.IN_FORCE
    note: str = ""
    of_year: int | None = None

    @property
    def of(self) -> Of:
        return self.key, self.ground, self.of_year

    @property
    def counts(self) -> bool:
        """Whether it counts in a calculation."""
        return self.status in SURENESS

    @property
    def reference(self) -> str:
        """Document and article: "Nghị định 159/2025/NĐ-CP, Điều 5"."""
        return f"{self.document}, {self.article}" if self.article else self.document


@dataclass(frozen=True, slots=True)
class LocalTopUp:
    """What a place adds for one ground: a percent of the floor premium or đồng a month, for so many months.

    Without a place it holds in the whole town.
    """

    ground: Ground
    percent: Decimal | None
    amount: Vnd | None
    since: date
    until: date | None
    months_cap: int | None
    document: str
    place: UUID | None = None
    status: LawStatus = LawStatus.IN_FORCE

    def holds_on(self, day: date) -> bool:
        return self.status in SURENESS and self.since <= day and (self.until is None or day <= self.until)

    def a_month(self, floor_premium: Fraction) -> Fraction:
        """Đồng a month, given the premium on the least income."""
        if self.percent is not None:
            return share_of_percent(self.percent) * floor_premium
        return Fraction(self.amount or 0)


def holding(known: Iterable[LocalTopUp], day: date, places: Collection[UUID] = ()) -> list[LocalTopUp]:
    """What counts on a day for somebody within these places: of each place and ground the last that has begun."""
    last: dict[tuple[UUID | None, Ground], LocalTopUp] = {}
    for one in sorted((one for one in known if one.status in SURENESS), key=lambda one: (one.since, one.status)):
        if one.since <= day and (one.place is None or one.place in places):
            last[one.place, one.ground] = one
    return [one for one in last.values() if one.holds_on(day)]


@dataclass(frozen=True)
class LawOnDay:
    """The law as it stands on one day. Asking for what no row says is refused with a sentence that names it."""

    day: date
    rows: Mapping[Of, LawValue]
    read: dict[Of, LawValue] | None = field(default=None, repr=False, compare=False)
    """The rows a calculation has asked for, when it is watched."""

    def watched(self) -> LawOnDay:
        """The same law, which remembers in `read` every row it is asked for: what explains a result."""
        return replace(self, read={})

    def says(self, key: LawKey, ground: Ground | None = None) -> bool:
        """Whether a number is known for this day."""
        return (key, ground, None) in self.rows

    def row(self, key: LawKey, ground: Ground | None = None) -> LawValue:
        """The row that holds on this day, or RuleBroken naming what is missing."""
        if found := self.rows.get((key, ground, None)):
            return self._noted(found)
        raise self._unknown(key)

    def row_of_year(self, key: LawKey, year: int) -> LawValue:
        """The row for months paid in a year, or RuleBroken naming what is missing."""
        rows = self._by_year.get(key, [])
        upto = bisect_right(rows, year, key=lambda row: row.of_year or 0)
        if not upto:
            raise self._unknown(key)
        return self._noted(rows[upto - 1])

    def says_of_year(self, key: LawKey, year: int) -> bool:
        """Whether a number is known for months paid in a year."""
        rows = self._by_year.get(key, [])
        return bool(rows) and (rows[0].of_year or 0) <= year

    @cached_property
    def _by_year(self) -> dict[LawKey, list[LawValue]]:
        by_year: dict[LawKey, list[LawValue]] = {}
        for row in sorted((row for row in self.rows.values() if row.of_year), key=lambda row: row.of_year or 0):
            by_year.setdefault(row.key, []).append(row)
        return by_year

    def _noted(self, row: LawValue) -> LawValue:
        if self.read is not None:
            self.read[row.of] = row
        return row

    def _unknown(self, key: LawKey) -> RuleBroken:
        return RuleBroken(
            _l(
                "The law for %(day)s is not recorded: %(name)s. Choose another day, or ask an administrator.",
                day=in_day(self.day),
                name=LABELS[key],
            ),
            code="law_unknown",
        )

    def number(self, key: LawKey) -> int:
        """A whole number: đồng, months, years or times."""
        return int(self.row(key).value)

    def share(self, key: LawKey) -> Fraction:
        """A percentage as an exact share: 22 % → 11/50."""
        return share_of_percent(self.row(key).value)

    @property
    def rate(self) -> Fraction:
        """The share of the chosen income that is paid."""
        return self.share(LawKey.CONTRIBUTION_PERCENT)

    @property
    def floor(self) -> Vnd:
        """The least income one may choose, also the base of the State's support: the rural poverty line."""
        return self.number(LawKey.POVERTY_LINE)

    @property
    def ceiling(self) -> Vnd:
        """The highest income one may choose: a multiple of the base salary or reference level."""
        return self.number(LawKey.CEILING_MULTIPLE) * self.number(LawKey.BASE_LEVEL)

    @property
    def step(self) -> Vnd:
        """Incomes go up from the floor in steps of so many đồng."""
        return self.number(LawKey.INCOME_STEP)

    @property
    def floor_premium(self) -> Fraction:
        """A month's premium on the least income."""
        return self.rate * self.floor

    @cached_property
    def support(self) -> dict[Ground, Fraction]:
        """The State's share of the floor premium for every ground; one without a row of its own has everyone's."""
        return {ground: self.support_for(ground) for ground in Ground}

    def support_for(self, ground: Ground) -> Fraction:
        """The State's share of the floor premium for one ground."""
        row = self.support_row(ground)
        return share_of_percent(row.value) if row else Fraction()

    def support_row(self, ground: Ground) -> LawValue | None:
        """The row a ground's support comes from, or none before the State helped anyone."""
        everyones = self.rows.get((LawKey.SUPPORT_PERCENT, Ground.OTHER, None))
        row = self.rows.get((LawKey.SUPPORT_PERCENT, ground, None), everyones)
        return row and self._noted(row)

    def deciding_ground(self, grounds: Collection[Ground]) -> Ground:
        """Of several grounds the one with the highest share: they do not add up. Without any: `other`."""
        return max((ground for ground in Ground if ground in grounds), key=self.support_for, default=Ground.OTHER)

    def window(self, method: Method) -> int:
        """Within how many months, the first included, a period must be paid."""
        return self.number(WINDOWS[method])

    @property
    def investment_rate(self) -> Fraction:
        """The fund's monthly investment rate announced for the year of payment (discount and interest)."""
        return self.share(LawKey.INVESTMENT_PERCENT)


@dataclass(frozen=True)
class Law:
    """All dated values. `law.on(day)` is the law of one day."""

    values: tuple[LawValue, ...]
    _timelines: dict[Of, list[LawValue]] = field(init=False, repr=False, compare=False)
    _days: dict[date, LawOnDay] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        timelines: dict[Of, list[LawValue]] = {}
        counting = (value for value in self.values if value.counts)
        for value in sorted(counting, key=lambda each: (each.since, SURENESS.index(each.status))):
            timelines.setdefault(value.of, []).append(value)
        object.__setattr__(self, "_timelines", timelines)

    def on(self, day: date) -> LawOnDay:
        """The law as it stands on a day: of each value the latest that has begun."""
        if day not in self._days:
            held = ((of, _latest(timeline, day)) for of, timeline in self._timelines.items())
            self._days[day] = LawOnDay(day, {of: value for of, value in held if value})
        return self._days[day]

    def timeline(self, key: LawKey) -> list[LawValue]:
        """The values the law gives a number over the years, in their order; RuleBroken where it gives none."""
        return self._timelines.get((key, None, None)) or [self.on(date.min).row(key)]

    def last(self, key: LawKey) -> LawValue | None:
        """The furthest value on record that the law gives a number over the years, such as the retirement age."""
        timeline = self._timelines.get((key, None, None))
        return timeline[-1] if timeline else None


def _latest(timeline: Sequence[LawValue], day: date) -> LawValue | None:
    """Of rows in the order of time the last that has begun, unless it is for its own year only and that is over."""
    begun = bisect_right(timeline, day, key=lambda value: value.since)
    if not begun:
        return None
    value = timeline[begun - 1]
    return None if value.key in ANNOUNCED_EACH_YEAR and value.since.year != day.year else value


def share_of_percent(percent: Decimal) -> Fraction:
    """A percentage as an exact share."""
    return Fraction(percent) / PER_CENT
