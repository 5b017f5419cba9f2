"""A calendar month as a value: the unit in which premiums are paid and counted. Stored as its first day."""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Self

MONTHS_IN_YEAR = 12
LONGEST_RUN = 600
"""No life has more months of work, so no payment has: what the database keeps under any law. How many may be paid at once
the law of the day says."""


@dataclass(frozen=True, order=True, slots=True)
class Month:
    """A month of a year, ordered in time. `str(month)` is "YYYY-MM"."""

    year: int
    number: int

    def __post_init__(self) -> None:
        if not (1 <= self.number <= MONTHS_IN_YEAR and date.min.year <= self.year <= date.max.year):
            raise ValueError(f"There is no month {self.number} of the year {self.year}.")

    @classmethod
    def parse(cls, text: str) -> Self:
        """ "2026-07" → July 2026; anything else is a ValueError with a sentence."""
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}", text.strip()):
            raise ValueError(f"{text!r} is not a month: write year and month as 2026-07.")
        year, number = text.strip().split("-")
        return cls(int(year), int(number))

    @classmethod
    def of(cls, day: date) -> Self:
        """The month in which a day lies."""
        return cls(day.year, day.month)

    @property
    def first_day(self) -> date:
        return date(self.year, self.number, 1)

    @property
    def last_day(self) -> date:
        return date(self.year, self.number, calendar.monthrange(self.year, self.number)[1])

    def __add__(self, months: int) -> "Month":
        year, before = divmod(self._count + months, MONTHS_IN_YEAR)
        return Month(year, before + 1)

    def __sub__(self, months: int) -> "Month":
        return self + -months

    def since(self, earlier: "Month") -> int:
        """How many months this one lies after another; negative when it lies before."""
        return self._count - earlier._count

    def until(self, end: "Month") -> Iterator["Month"]:
        """The months from this one up to, and without, `end`."""
        return (self + i for i in range(end.since(self)))

    def run(self, months: int) -> Iterator["Month"]:
        """So many months in a row, this one first."""
        return (self + i for i in range(months))

    def __contains__(self, day: date) -> bool:
        return (day.year, day.month) == (self.year, self.number)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"

    @property
    def _count(self) -> int:
        """Months since the imagined January of the year 0."""
        return self.year * MONTHS_IN_YEAR + self.number - 1
