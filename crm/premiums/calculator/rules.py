"""What the calculator works out: the quote asked for, other ways to pay, other incomes, and the pensions they lead to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from uuid import UUID

from crm.errors import RuleBroken
from crm.money import Vnd, half_up
from crm.months import MONTHS_IN_YEAR, Month
from crm.premiums.rules.benefits.earnings import Earned
from crm.premiums.rules.benefits.lump_sum import Leaving, LumpSum, lump_sum_on_leaving
from crm.premiums.rules.benefits.pension import PensionOutlook, Person, check_months, pension_outlook
from crm.premiums.rules.benefits.retirement import AGES, Birth
from crm.premiums.rules.benefits.survivors import Survivors, survivors
from crm.premiums.rules.keys import PERIODS, LawKey
from crm.premiums.rules.law import Law, LawOnDay, LocalTopUp, holding
from crm.premiums.rules.pensions import PensionAfter, pension_table
from crm.premiums.rules.quotes import Plan, Quote, quote
from crm.prospects.rules import Ground, Sex

COMPARED = 4
"""Incomes that stand side by side, the chosen one among them."""
EVERY_YEARS = 5
OLDEST = 150
"""An age nobody outlives: until there a life is counted."""
BESIDE_YEARS = 10
"""Years paid after which a family's or a leaver's sum is told as an example."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody answers. `supported` and `paid` are months so far; without sex and birth no age is told.

    Where nobody says how many months the State has helped with, all that were paid count as helped with. `place` is the
    code of the ward or commune one lives in, `local` the months its own budget has helped with.
    """

    income: Vnd
    grounds: tuple[Ground, ...]
    """None for whoever is of no group that is helped more."""
    plan: Plan
    supported: int | None = None
    sex: Sex | None = None
    born: Month | None = None
    paid: int = 0
    place: str = ""
    local: int = 0
    own: Vnd | None = None
    """What the months so far cost from one's own pocket, where it is on record."""

    @property
    def supported_before(self) -> int:
        """Months the State has helped with, or may have."""
        return self.paid if self.supported is None else self.supported


@dataclass(frozen=True, slots=True)
class Offer:
    """A way to pay; `told` is None while a number it needs is not announced."""

    plan: Plan
    told: Quote | None


@dataclass(frozen=True, slots=True)
class Beside:
    """What a family or whoever leaves is given after so many years on this income, as an example."""

    years: int
    survivors: Survivors
    lump_sum: LumpSum


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
    outlook: PensionOutlook | None
    """What paying on brings this person, or the example; None where the law names no age or no years."""
    example: bool
    """Sex and birth are not both known: the outlook is that of somebody who pays just the least years to the age."""
    beside: Beside


def tell(
    law: Law, asked: Asked, today: date, top_ups: Iterable[LocalTopUp] = (), places: Collection[UUID] = ()
) -> Told:
    """The answer for a start this month, paid today, for somebody who lives within these places. RuleBroken as `quote`
    refuses."""
    held, now = holding(top_ups, today, places), law.on(today)

    def told(one: Asked) -> Quote:
        return quote(
            law,
            one.income,
            one.grounds,
            Month.of(today),
            today,
            one.plan,
            supported_before=one.supported_before,
            local_top_ups=held,
            local_months_before=one.local,
        )

    answer = told(asked)
    offers = tuple(Offer(plan, known(told, replace(asked, plan=plan))) for plan in plans(now))
    incomes = tuple(told(replace(asked, income=income)) for income in ladder(now, asked.income))
    pensions = tuple(pension_table(law, Month.of(today), asked.income, EVERY_YEARS))
    tables = {one.income: pension_table(law, Month.of(today), one.income, EVERY_YEARS) for one in incomes}
    least = {income: table[0] for income, table in tables.items() if table}
    example = asked.sex is None or asked.born is None
    return Told(
        asked,
        answer,
        offers,
        incomes,
        pensions,
        least,
        _outlook(law, asked, today, held),
        example,
        _beside(law, answer, asked),
    )


def _outlook(law: Law, asked: Asked, today: date, top_ups: list[LocalTopUp]) -> PensionOutlook | None:
    """RuleBroken for whoever is too young and for months that cannot have been paid, at the field that says so."""
    start, sex = Month.of(today), asked.sex or Sex.FEMALE
    born = asked.born if asked.sex and asked.born else example_birth(law, sex, start)
    if born is None:
        return None
    earned = (Earned(asked.paid),) if asked.paid else ()
    grounds = frozenset(asked.grounds)
    person = Person(
        sex,
        Birth(born.first_day),
        earned,
        paid_so_far=asked.own,
        supported_so_far=asked.supported,
        local_months_so_far=asked.local,
        grounds=grounds,
    )
    try:
        found = pension_outlook(law, person, asked.income, start, until_age=OLDEST, local_top_ups=top_ups)
        check_months(law.on(today), Birth(asked.born.first_day) if asked.born else None, asked.paid, start)
    except RuleBroken as refusal:
        refusal.field = FIELDS.get(refusal.code or "", refusal.field)
        raise
    return found


FIELDS = {"too_young": "born_year", "months_impossible": "paid"}
"""Where the form asks what a refusal of the rules is about."""


def example_birth(law: Law, sex: Sex, start: Month) -> Month | None:
    """Who was born in this month and starts now reaches the age of retirement having paid just the least months."""
    now, ages = law.on(start.first_day), law.timeline(AGES[sex])
    if not ages or not now.says(LawKey.PENSION_LEAST_MONTHS) or not now.says(LawKey.LEAST_AGE):
        return None
    reached = start + (now.number(LawKey.PENSION_LEAST_MONTHS) - 1)
    begun = [row for row in ages if Month.of(row.since) <= reached] or ages[:1]
    return reached - int(begun[-1].value)


def _beside(law: Law, told: Quote, asked: Asked) -> Beside:
    """A death and leaving, for somebody who pays on this income from now on; the sums are those of the years ahead.

    The months so far decide whether one may leave at all: they began at the latest so many months ago.
    """
    years = range(told.start.year, told.start.year + BESIDE_YEARS)
    earned = [Earned(MONTHS_IN_YEAR, told.income, year) for year in years]
    first, help = told.start.first_day, Fraction(told.state_support, max(told.supported_months, 1))
    cap = law.on(first)
    most = cap.number(LawKey.SUPPORT_CAP_MONTHS) if cap.says(LawKey.SUPPORT_CAP_MONTHS) else 0
    support = half_up(help * min(BESIDE_YEARS * MONTHS_IN_YEAR, max(0, most - asked.supported_before)))
    insured = (told.start - asked.paid).first_day
    leaving = lump_sum_on_leaving(
        law,
        first,
        earned,
        Leaving.STOPPED,
        first_insured=insured,
        state_support=support,
        months_before=asked.paid,
    )
    return Beside(BESIDE_YEARS, survivors(law, first, earned), leaving)


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


def ladder(law: LawOnDay, chosen: Vnd) -> list[Vnd]:
    """The least income, its multiples and the chosen one, in order: what one would look at side by side."""
    times = range(1, COMPARED + 1)
    rungs = [min(law.floor + (time - 1) * law.floor // law.step * law.step, law.ceiling) for time in times]
    return sorted({*[rung for rung in rungs if rung != chosen][: COMPARED - 1], chosen})
