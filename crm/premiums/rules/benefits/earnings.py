"""What someone has paid on so far, as far as we know it, and its average by the law of a day."""

from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction

from crm.money import Vnd
from crm.premiums.rules.explaining import Assumption, Unknown
from crm.premiums.rules.keys import LawKey
from crm.premiums.rules.law import LawOnDay


@dataclass(frozen=True, slots=True)
class Earned:
    """Months paid on one income; the income or the year may be unknown (`None`)."""

    months: int
    income: Vnd | None = None
    year: int | None = None


@dataclass(frozen=True, slots=True)
class Average:
    """The average income of months paid, in đồng a month; `income` is None where it cannot be known."""

    months: int
    income: Fraction | None
    assumptions: tuple[Assumption, ...] = ()
    unknown: tuple[Unknown, ...] = ()


def months_of(earned: Collection[Earned]) -> int:
    """How many months in all."""
    return sum(each.months for each in earned)


def average(law: LawOnDay, earned: Collection[Earned]) -> Average:
    """The average of the incomes, each raised with prices by its year's coefficient where that is announced.

    Law 41/2024, article 104: a coefficient is never below 1. Where the day's table is not on record, or the year of
    some months is not known, those incomes count as they were chosen, which is said.
    """
    months, total = months_of(earned), Fraction()
    assumptions: dict[Assumption, None] = {}
    unknown: dict[Unknown, None] = {}
    for each in earned:
        if each.income is None:
            return Average(months, None, unknown=(Unknown.AVERAGE_SO_FAR,))
        coefficient = _coefficient(law, each.year)
        if coefficient is None:
            assumptions[Assumption.NOT_RAISED_WITH_PRICES] = None
            unknown |= {Unknown.PRICE_COEFFICIENTS: None} if each.year is not None else {}
        total += each.months * each.income * (coefficient or 1)
    return Average(months, total / months if months else None, tuple(assumptions), tuple(unknown))


def _coefficient(law: LawOnDay, year: int | None) -> Fraction | None:
    """What incomes of a year are raised by; those of this year and of later ones are money of today already."""
    if year is not None and year >= law.day.year:
        return Fraction(1)
    if year is None or not law.says_of_year(LawKey.PRICE_COEFFICIENT, year):
        return None
    return max(Fraction(1), Fraction(law.row_of_year(LawKey.PRICE_COEFFICIENT, year).value))
