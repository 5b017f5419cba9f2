"""What it brings in old age, by the law of the day on which it begins and before incomes are adjusted to prices."""

from dataclasses import dataclass
from fractions import Fraction

from crm.money import Vnd, half_up
from crm.months import MONTHS_IN_YEAR, Month
from crm.premiums.rules.keys import LawKey
from crm.premiums.rules.law import Law, LawOnDay
from crm.prospects.rules import Sex

NEEDED = (
    LawKey.PENSION_LEAST_MONTHS,
    LawKey.PENSION_PERCENT,
    LawKey.PENSION_YEARS_WOMEN,
    LawKey.PENSION_YEARS_MEN,
)


@dataclass(frozen=True, slots=True)
class PensionAfter:
    """A month's pension of a woman and of a man after so many years; None where the years are too few."""

    years: int
    women: Vnd | None
    men: Vnd | None


def pension_table(law: Law, start: Month, income: Vnd, every: int) -> list[PensionAfter]:
    """Pensions on one income from the least years up to where nothing is added, every so many years from `start` on.

    Each by the law on record of the month after the last of its years. Empty where the law on pensions of the start is
    not recorded.
    """
    now = law.on(start.first_day)
    if not all(now.says(key) for key in NEEDED):
        return []
    table: list[PensionAfter] = []
    years = now.number(LawKey.PENSION_LEAST_MONTHS) // MONTHS_IN_YEAR
    while True:
        then = law.on((start + years * MONTHS_IN_YEAR).first_day)
        women, men = (pension(then, sex, years * MONTHS_IN_YEAR, income) for sex in (Sex.FEMALE, Sex.MALE))
        if table and (table[-1].women, table[-1].men) == (women, men):
            return table
        table.append(PensionAfter(years, women, men))
        years += every


def pension_rate(law: LawOnDay, sex: Sex, months: int) -> Fraction | None:
    """The share of the average income one is paid as pension after so many months, or None below the least.

    Law 41/2024, article 99: a base at so many years, a step for each year more, up to a most; men with fewer years
    start lower with a smaller step. Odd months count as half a year or a year.
    """
    least = law.number(LawKey.PENSION_LEAST_MONTHS)
    if months < least:
        return None
    years = pension_years(law, months)
    full = law.number(LawKey.PENSION_YEARS_WOMEN if sex == Sex.FEMALE else LawKey.PENSION_YEARS_MEN)
    if years < full:
        beyond = years - Fraction(least, MONTHS_IN_YEAR)
        return law.share(LawKey.PENSION_SHORT_PERCENT) + beyond * law.share(LawKey.PENSION_SHORT_STEP_PERCENT)
    rate = law.share(LawKey.PENSION_PERCENT) + (years - full) * law.share(LawKey.PENSION_STEP_PERCENT)
    return min(rate, law.share(LawKey.PENSION_MOST_PERCENT))


def pension_years(law: LawOnDay, months: int) -> Fraction:
    """Months as the years a pension counts: a few odd months are half a year, more are a whole one."""
    years, odd = divmod(months, MONTHS_IN_YEAR)
    if not odd:
        return Fraction(years)
    half = odd <= law.number(LawKey.PENSION_HALF_YEAR_MONTHS)
    return years + Fraction(1, 2 if half else 1)


def pension(law: LawOnDay, sex: Sex, months: int, average_income: Vnd) -> Vnd | None:
    """A month's pension by this day's law, before incomes are adjusted to prices; None below the least months."""
    rate = pension_rate(law, sex, months)
    return None if rate is None else half_up(rate * average_income)
