"""What targets are about, and where their facts contradict each other."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from flask_babel import lazy_gettext as _l

from crm.web.filters import VIETNAMESE, number, percent

FIRST_YEAR, LAST_YEAR = 2008, 2100
"""The years for which a target may be written; voluntary insurance began in the first."""

MOST_PEOPLE = 100_000_000
"""More people than the country has: nobody means it."""
MONTHS = 12
DAYS = 365
PER_CENT = 100


class Indicator(StrEnum):
    COMPULSORY = "compulsory"
    VOLUNTARY = "voluntary"
    UNEMPLOYMENT = "unemployment"


INDICATORS: Mapping[Indicator, Any] = {
    Indicator.VOLUNTARY: _l("Voluntary social insurance"),
    Indicator.COMPULSORY: _l("Compulsory social insurance"),
    Indicator.UNEMPLOYMENT: _l("Unemployment insurance"),
}


class Whose(NamedTuple):
    """Which target: of a year and an indicator; of the town where no unit is named."""

    year: int
    indicator: Indicator = Indicator.VOLUNTARY
    place_id: UUID | None = None
    organisation_id: UUID | None = None
    volunteer_id: UUID | None = None


class Facts(NamedTuple):
    """What an authority wrote: people at the end of the year; the rate (percent) and the people it is a rate of; who took
    part at the end of the year before; about how many people live there. None is worked out from the others."""

    people: int
    rate: Decimal | None = None
    denominator: int | None = None
    baseline: int | None = None
    population: int | None = None


def implied_denominator(people: int, rate: Decimal) -> int:
    """How many people the rate would be of, if number and rate are about the same: 1,385 at 1.3 % → 106,538."""
    return round(people * PER_CENT / rate)


def agrees(people: int, rate: Decimal, denominator: int) -> bool:
    """Whether number over denominator gives the rate, as far as the rate is written out (1.3 % is 1.25 to 1.35)."""
    half_of_last_digit = Decimal(5).scaleb(-digits(rate) - 1)
    return abs(Decimal(people) * PER_CENT / denominator - rate) <= half_of_last_digit


def contradiction(
    people: int, rate: Decimal | None, denominator: int | None, population: int | None, *, locale: str = VIETNAMESE
) -> Any | None:
    """A sentence that says which facts of a target cannot all be true, or None, its figures as `locale` writes them.

    Nothing is corrected.
    """
    if denominator and population and denominator > population:
        return _l(
            "These facts do not fit together: %(people)s people would be %(rate)s of %(denominator)s, but only about "
            "%(population)s people live here, children included. The work is measured by the number of people; the rate "
            "stands as the plan has it.",
            people=number(people, 0, locale),
            rate=_rate(rate, locale) if rate is not None else "?",
            denominator=number(denominator, 0, locale),
            population=number(population, 0, locale),
        )
    if denominator and rate is not None and not agrees(people, rate, denominator):
        return _l(
            "These facts do not fit together: %(people)s of %(denominator)s people is not %(rate)s. Ask who set the target "
            "which of them holds; nothing was changed here.",
            people=number(people, 0, locale),
            denominator=number(denominator, 0, locale),
            rate=_rate(rate, locale),
        )
    return None


LAST_MONTH = 31
"""With no more days than these left in the year, what is missing is told by the days: a month's worth would be more than all."""


class Pace(NamedTuple):
    """People more a month: what it was so far in the year, and what it has to be from now on (None: no month left)."""

    so_far: float
    needed: float | None
    days: int
    """Left until the end of the year."""


def pace(start: int, now: int, target: int, as_of: date) -> Pace:
    """The pace of a year up to a day, and the one that would reach the target by the end of the year."""
    year_begins = as_of.replace(month=1, day=1)
    gone = ((as_of - year_begins).days + 1) / DAYS * MONTHS
    days = (as_of.replace(month=12, day=31) - as_of).days
    needed = max(0, target - now) / (MONTHS - gone) if days > LAST_MONTH else None
    return Pace((now - start) / gone, needed, days)


def digits(rate: Decimal) -> int:
    """How many decimals a rate is written with: 84.95 → 2, 1.30 → 1, 93.00 → 0."""
    exponent = rate.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _rate(rate: Decimal, locale: str) -> str:
    """1.30 → "1,3%", English "1.3%"."""
    return percent(rate / PER_CENT, digits(rate), locale)
