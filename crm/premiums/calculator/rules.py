"""What the calculator works out: the quote asked for, other ways to pay, other incomes, and the pensions they lead to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from crm.errors import RuleBroken
from crm.money import Vnd
from crm.months import MONTHS_IN_YEAR, Month
from crm.premiums.rules.keys import PERIODS, LawKey
from crm.premiums.rules.law import Law, LawOnDay, LocalTopUp, holding
from crm.premiums.rules.pensions import PensionAfter, pension_table
from crm.premiums.rules.quotes import Plan, Quote, quote
from crm.prospects.rules import Ground, Sex

COMPARED = 4
"""Incomes that stand side by side, the chosen one among them."""
EVERY_YEARS = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody answers. `supported` and `paid` are months so far; without sex and birth no age is told."""

    income: Vnd
    ground: Ground
    plan: Plan
    supported: int = 0
    sex: Sex | None = None
    born: Month | None = None
    paid: int = 0


@dataclass(frozen=True, slots=True)
class Offer:
    """A way to pay; `told` is None while a number it needs is not announced."""

    plan: Plan
    told: Quote | None


@dataclass(frozen=True, slots=True)
class Told:
    """The answer, and what stands beside it."""

    asked: Asked
    quote: Quote
    methods: tuple[Offer, ...]
    incomes: tuple[Quote, ...]
    pensions: tuple[PensionAfter, ...]
    least: Mapping[Vnd, PensionAfter]
    """For each of the incomes the pension after the least years."""


def tell(law: Law, asked: Asked, today: date, top_ups: Iterable[LocalTopUp] = ()) -> Told:
    """The answer for a start this month, paid today. RuleBroken as `quote` refuses."""
    held, now = holding(top_ups, today), law.on(today)

    def told(one: Asked) -> Quote:
        start = Month.of(today)
        before = one.supported
        return quote(law, one.income, [one.ground], start, today, one.plan, supported_before=before, local_top_ups=held)

    answer = told(asked)
    offers = tuple(Offer(plan, known(told, replace(asked, plan=plan))) for plan in plans(now))
    incomes = tuple(told(replace(asked, income=income)) for income in ladder(now, asked.income))
    pensions = tuple(pension_table(now, asked.income, EVERY_YEARS))
    least = {one.income: table[0] for one in incomes if (table := pension_table(now, one.income, EVERY_YEARS))}
    return Told(asked, answer, offers, incomes, pensions, least)


def known(told: Callable[[Asked], Quote], asked: Asked) -> Quote | None:
    """What is told, or None where the law leaves a number open."""
    try:
        return told(asked)
    except RuleBroken:
        return None


def plans(law: LawOnDay) -> Iterator[Plan]:
    """Every way to pay for months to come."""
    yield from (Plan(method, months) for method, months in PERIODS.items())
    yield from (Plan.years_ahead(years) for years in range(2, law.number(LawKey.YEARS_AHEAD_MOST) + 1))


def plan_of(months: int) -> Plan:
    """The plan that pays for so many months to come: a period, or years ahead."""
    return Plan.periodic(months) if months in PERIODS.values() else Plan.years_ahead(months // MONTHS_IN_YEAR)


def ladder(law: LawOnDay, chosen: Vnd) -> list[Vnd]:
    """The least income, its multiples and the chosen one, in order: what one would look at side by side."""
    times = range(1, COMPARED + 1)
    rungs = [min(law.floor + (time - 1) * law.floor // law.step * law.step, law.ceiling) for time in times]
    return sorted({*[rung for rung in rungs if rung != chosen][: COMPARED - 1], chosen})
