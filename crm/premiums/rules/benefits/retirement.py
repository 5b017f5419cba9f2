"""When someone reaches the age of retirement: by sex and by the month of birth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Self

from crm.months import MONTHS_IN_YEAR, Month
from crm.premiums.rules.explaining import Assumption, Line
from crm.premiums.rules.keys import LawKey
from crm.premiums.rules.law import Law, LawValue
from crm.prospects.rules import Sex

AGES: Mapping[Sex, LawKey] = {
    Sex.FEMALE: LawKey.RETIREMENT_MONTHS_WOMEN,
    Sex.MALE: LawKey.RETIREMENT_MONTHS_MEN,
}


@dataclass(frozen=True, slots=True)
class Birth:
    """A day of birth; of whom only the year is known, it counts as 1 January (circular 11/2025/TT-BNV)."""

    day: date
    year_only: bool = False

    @classmethod
    def in_year(cls, year: int) -> Self:
        return cls(date(year, 1, 1), year_only=True)

    @classmethod
    def known(cls, day: date | None, year: int | None) -> Self | None:
        """From what the register knows of a person: the day, or the year, or nothing."""
        if day is not None:
            return cls(day)
        return None if year is None else cls.in_year(year)

    @property
    def month(self) -> Month:
        return Month.of(self.day)

    def age_in(self, month: Month) -> int:
        """Whole years reached by the end of a month."""
        return month.since(self.month) // MONTHS_IN_YEAR


@dataclass(frozen=True, slots=True)
class Retirement:
    """The age of retirement in months, the month in which it is reached, and the first a pension may be paid for."""

    sex: Sex
    birth: Birth
    age_months: int
    reached: Month
    lines: tuple[Line, ...]
    assumptions: tuple[Assumption, ...] = ()

    @property
    def pension_from(self) -> Month:
        """The month after: a pension begins on the first day of the month after its conditions are met."""
        return self.reached + 1

    def months_to_go(self, start: Month) -> int:
        """Months one can still pay for, from `start` up to the month in which the age is reached; never negative."""
        return max(0, self.pension_from.since(start))


def retirement(law: Law, sex: Sex, birth: Birth) -> Retirement:
    """When someone reaches the age of retirement.

    The age goes up by calendar years; the one that counts is that of the month in which it is reached. Labour Code
    2019, article 169; circular 11/2025/TT-BNV. RuleBroken where the law on record names no age at all.
    """
    rows = law.timeline(AGES[sex])
    row, reached = rows[0], birth.month + int(rows[0].value)
    if reached < Month.of(row.since):
        return _told(sex, birth, row, reached, Assumption.BEFORE_THE_RECORD)
    for row, following in zip(rows, [*rows[1:], None], strict=True):
        reached = max(birth.month + int(row.value), Month.of(row.since))
        if following is None or reached < Month.of(following.since):
            break
    return _told(sex, birth, row, reached)


def earlier_retirement(law: Law, sex: Sex, birth: Birth, voluntary_since: date) -> tuple[int, Retirement] | None:
    """For whoever joined voluntarily long ago: the months needed for the age of that time, and when it is reached.

    None for whoever joined later. Law 41/2024 (circular 11/2025/TT-BNV): joined before 2021 and paid 20 years.
    """
    then = law.on(voluntary_since).watched()
    if not then.says(LawKey.EARLIER_RETIREMENT_MONTHS):
        return None
    row = then.row(LawKey.EARLIER_RETIREMENT_MONTHS)
    if not row.value:
        return None
    age = law.timeline(AGES[sex])[0]
    found = _told(sex, birth, age, birth.month + int(age.value))
    return int(row.value), replace(found, lines=(Line.of(row), *found.lines))


def _told(sex: Sex, birth: Birth, row: LawValue, reached: Month, *more: Assumption) -> Retirement:
    assumed = (Assumption.BORN_ON_1_JANUARY, *more) if birth.year_only else more
    return Retirement(sex, birth, int(row.value), reached, (Line.of(row),), assumed)
