"""Months of income for each year paid: what survivors and whoever leaves with a lump sum are given."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction

from crm.money import Vnd, half_up
from crm.months import MONTHS_IN_YEAR
from crm.premiums.rules.benefits.earnings import Earned, average, months_of
from crm.premiums.rules.explaining import Assumption, Unknown
from crm.premiums.rules.keys import LawKey
from crm.premiums.rules.law import LawOnDay
from crm.premiums.rules.pensions import pension_years


@dataclass(frozen=True, slots=True)
class ForYears:
    """A sum for the years paid, in whole đồng; None where it cannot be known, with the reasons."""

    amount: Vnd | None
    months_of_income: Fraction | None
    assumptions: tuple[Assumption, ...] = ()
    unknown: tuple[Unknown, ...] = ()


def for_years(law: LawOnDay, key: LawKey, earned: Collection[Earned]) -> ForYears:
    """So many months of the average income for each year paid, by the year in which it was paid.

    Odd months of earlier years are carried on to the later ones and there count as for a pension, which is said.
    """
    if not months_of(earned):
        return ForYears(0, Fraction())
    if months_of(earned) < MONTHS_IN_YEAR:
        return ForYears(None, None, unknown=(Unknown.LESS_THAN_A_YEAR,))
    if any(each.year is None for each in earned):
        return ForYears(None, None, unknown=(Unknown.YEARS_OF_MONTHS,))
    if not all(law.says_of_year(key, each.year or 0) for each in earned):
        return ForYears(None, None, unknown=(Unknown.YEARS_OF_MONTHS,))
    assumed: list[Assumption] = []
    weights: dict[Fraction, int] = {}
    for each in sorted(earned, key=lambda each: each.year or 0):
        weight = Fraction(law.row_of_year(key, each.year or 0).value)
        weights[weight] = weights.get(weight, 0) + each.months
    total, carried, last = Fraction(), 0, [*weights][-1]
    for weight, months in weights.items():
        years, odd = divmod(months + carried, MONTHS_IN_YEAR)
        carried = 0
        if odd and weight == last:
            total += weight * pension_years(law, years * MONTHS_IN_YEAR + odd)
            assumed.append(Assumption.ODD_MONTHS_AS_FOR_A_PENSION)
        else:
            total, carried = total + weight * years, odd
            assumed += [Assumption.ODD_MONTHS_CARRIED_ON] if odd else []
    mean = average(law, earned)
    return ForYears(
        None if mean.income is None else half_up(total * mean.income),
        total,
        (*assumed, *mean.assumptions),
        mean.unknown,
    )
