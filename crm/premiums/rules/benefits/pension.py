"""What paying on brings in old age: when, how much a month in today's money, and what it will have cost."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from itertools import accumulate

from flask_babel import lazy_gettext as _l

from crm.errors import RuleBroken
from crm.money import Vnd, half_up
from crm.months import MONTHS_IN_YEAR, Month
from crm.premiums.rules.benefits.earnings import Earned, average, months_of
from crm.premiums.rules.benefits.retirement import Birth, Retirement, earlier_retirement, retirement
from crm.premiums.rules.explaining import Assumption, Line, Unknown, lines_of, merged
from crm.premiums.rules.keys import LawKey
from crm.premiums.rules.law import Law, LawOnDay, LocalTopUp
from crm.premiums.rules.pensions import NEEDED, pension_rate
from crm.premiums.rules.quotes import Plan, Quote, check_income, quote, supported_months
from crm.prospects.rules import Ground, Sex

BEGUN = Month(1962, 1)
"""Social insurance in Vietnam begins (decree 218-CP of 1961): nobody has paid for a month before."""


@dataclass(frozen=True, slots=True)
class Person:
    """What a pension depends on, as far as it is known.

    `paid_so_far` is what this person paid from their own pocket, `supported_so_far` the months the State helped with:
    where it is not known, all months so far count as helped with, so that less help is promised ahead, never more.
    `voluntary_since` is the first day of voluntary insurance.
    """

    sex: Sex
    birth: Birth
    earned: tuple[Earned, ...] = ()
    paid_so_far: Vnd | None = None
    supported_so_far: int | None = None
    local_months_so_far: int = 0
    grounds: frozenset[Ground] = frozenset()
    voluntary_since: date | None = None

    @property
    def months_so_far(self) -> int:
        return months_of(self.earned)

    @property
    def supported(self) -> int:
        """Months the State has helped with, or may have."""
        return self.months_so_far if self.supported_so_far is None else self.supported_so_far


@dataclass(frozen=True, slots=True)
class LifeYear:
    """Where someone stands in the month of a birthday: đồng paid by themselves and received, both since the start."""

    age: int
    paid: Vnd
    received: Vnd


@dataclass(frozen=True, slots=True)
class Way:
    """One way to a pension: paying on month by month, or also paying at once for the months that are missing.

    Money in whole đồng of today. None where it is not known, with the reason among the outlook's `unknown`.
    """

    months_ahead: int
    """Paid month by month from the start on."""
    months_at_once: int
    """Paid once, at the age of retirement."""
    months: int
    """All months at the end, those of before included."""
    entitled_from: Month
    """The first month of the pension."""
    rate: Fraction
    """The pension as a share of the average income."""
    average_income: Vnd
    pension: Vnd
    """A month."""
    paid_in_months: Vnd
    """From one's own pocket, for `months_ahead`."""
    paid_at_once: Vnd | None
    """From one's own pocket, for `months_at_once`, with interest."""
    at_once_without_interest: Vnd
    """The least `paid_at_once` can be, whatever the interest."""
    paid_by_oneself: Vnd | None
    """In all, the past included."""
    months_until_paid_back: int | None
    """After so many months of pension one has received what one paid."""
    life: tuple[LifeYear, ...]
    """From the last birthday before the start up to the age asked for; empty where the payment is not known."""


@dataclass(frozen=True, slots=True)
class PensionOutlook:
    """What someone may look forward to who pays on one income from a month on, every month without a break.

    `paying_on` is None only where the law on pensions of the day is not on record; `missing_months` is there for
    whoever will be short of no more months, at the age of retirement, than one may pay for at once.
    """

    start: Month
    income: Vnd
    retirement: Retirement
    months_so_far: int
    months_needed: int
    short_at_retirement: int
    """Months that will be missing at the age of retirement."""
    paying_on: Way | None
    missing_months: Way | None
    lines: tuple[Line, ...]
    assumptions: tuple[Assumption, ...]
    unknown: tuple[Unknown, ...]

    @property
    def months_still_needed(self) -> int:
        """Months to pay until the least for a pension is reached."""
        return max(0, self.months_needed - self.months_so_far)


def pension_outlook(
    law: Law,
    person: Person,
    income: Vnd,
    start: Month,
    *,
    until_age: int,
    local_top_ups: Collection[LocalTopUp] = (),
) -> PensionOutlook:
    """What paying on from `start` on one income brings, by the law of the first day of `start`.

    A pension's rate is that of the month in which it begins, as far as the law on record looks ahead: a change that is
    already written counts for whoever draws a pension after it.
    RuleBroken for an income the law does not allow, for whoever is too young to join, and where the law of the day
    names no least months at all. Law 41/2024, articles 98, 99 and 104; decree 159/2025, article 7.
    """
    today = law.on(start.first_day).watched()
    check_income(today, income)
    check_age(today, person.birth, start)
    needed = today.number(LawKey.PENSION_LEAST_MONTHS)
    when = _retirement(law, person, start)
    to_age = when.months_to_go(start)
    short = max(0, needed - person.months_so_far - to_age)
    base = PensionOutlook(
        start=start,
        income=income,
        retirement=when,
        months_so_far=person.months_so_far,
        months_needed=needed,
        short_at_retirement=short,
        paying_on=None,
        missing_months=None,
        lines=(),
        assumptions=(Assumption.LAW_OF_TODAY, *when.assumptions),
        unknown=(),
    )
    if not all(today.says(key) for key in NEEDED):
        return replace(base, unknown=(Unknown.PENSION_LAW,), lines=merged(when.lines, lines_of(today)))
    past = _past(today, person, income)
    road = _Road(person, past, income, start, until_age)
    paid, lines = _paid_monthly(law, person, income, start, to_age + short, local_top_ups)
    entitled = start + len(paid) if short else max(when.pension_from, start)
    then = law.on(entitled.first_day).watched()
    missing, at_once, unknown, sooner = None, NOTHING_AT_ONCE, past.unknown, then
    if 0 < short <= today.number(LawKey.MISSING_MONTHS_MOST):
        month = max(start, when.reached)
        at_once = _at_once(law, today, person, income, month, short, to_age)
        sooner = law.on((month + 1).first_day).watched()
        missing = road.way(sooner, paid[:to_age], month + 1, at_once)
        unknown = unknown if at_once.paid is not None else (*unknown, Unknown.INVESTMENT_RATE)
    assumed = [Assumption.PAID_WITHOUT_A_BREAK] if paid else []
    assumed += [Assumption.ROUNDED_ONCE] if at_once.paid else []
    assumed += [Assumption.ALL_SUPPORTED_SO_FAR] if person.months_so_far and person.supported_so_far is None else []
    return replace(
        base,
        paying_on=road.way(then, paid, entitled),
        missing_months=missing,
        lines=merged(when.lines, lines, at_once.lines, lines_of(today, sooner, then)),
        assumptions=(*base.assumptions, *assumed, *past.assumptions),
        unknown=unknown,
    )


def check_age(law: LawOnDay, birth: Birth, start: Month) -> None:
    """Refuses whoever is not yet old enough to join in a month."""
    least = law.number(LawKey.LEAST_AGE)
    if birth.age_in(start) < least:
        raise RuleBroken(_l("One may join from the age of %(age)s on.", age=least), field="birth", code="too_young")


def check_months(law: LawOnDay, birth: Birth | None, months: int, start: Month) -> None:
    """Refuses more months paid than there can have been: since one was old enough, and some years ahead."""
    first = BEGUN if birth is None else max(BEGUN, birth.month + law.number(LawKey.LEAST_AGE) * MONTHS_IN_YEAR)
    most = start.since(first) + law.number(LawKey.YEARS_AHEAD_MOST) * MONTHS_IN_YEAR
    if months > most:
        raise RuleBroken(
            _l("By now one can have paid %(most)s months at most. Check the months and the birth.", most=most),
            field="months",
            code="months_impossible",
        )


@dataclass(frozen=True, slots=True)
class _Past:
    """Months paid before the start: their average income, and what they cost from one's own pocket at most."""

    income: Fraction
    paid: Vnd
    assumptions: tuple[Assumption, ...]
    unknown: tuple[Unknown, ...]


def _past(law: LawOnDay, person: Person, income: Vnd) -> _Past:
    so_far = average(law, person.earned)
    if not so_far.months:
        return _Past(Fraction(income), person.paid_so_far or 0, (), ())
    assumed, unknown, known = so_far.assumptions, so_far.unknown, so_far.income
    if known is None:
        assumed, unknown, known = (*assumed, Assumption.AVERAGE_LIKE_AHEAD), (), Fraction(income)
    if person.paid_so_far is not None:
        return _Past(known, person.paid_so_far, assumed, unknown)
    in_full = half_up(law.rate * known * so_far.months)
    if not person.supported_so_far:
        return _Past(known, in_full, (*assumed, Assumption.PAST_PAID_IN_FULL), unknown)
    share = law.support_for(law.deciding_ground(person.grounds))
    help = half_up(share * law.floor_premium * min(person.supported_so_far, so_far.months))
    return _Past(known, max(0, in_full - help), (*assumed, Assumption.PAST_HELPED_LIKE_NOW), unknown)


def _retirement(law: Law, person: Person, start: Month) -> Retirement:
    """The age that counts for this person: an earlier one for whoever joined long ago and will have paid enough."""
    found = retirement(law, person.sex, person.birth)
    old = person.voluntary_since and earlier_retirement(law, person.sex, person.birth, person.voluntary_since)
    if not old:
        return found
    needed, earlier = old
    enough = person.months_so_far + earlier.months_to_go(start) >= needed
    return earlier if enough and earlier.reached < found.reached else found


def _paid_monthly(
    law: Law, person: Person, income: Vnd, start: Month, months: int, top_ups: Collection[LocalTopUp]
) -> tuple[list[Vnd], tuple[Line, ...]]:
    """What one pays oneself each month ahead, with help until it is used up; and what that rests on."""
    today, told, paid = law.on(start.first_day), dict[tuple[bool, ...], Quote](), list[Vnd]()
    cap = today.number(LawKey.SUPPORT_CAP_MONTHS) if today.says(LawKey.SUPPORT_CAP_MONTHS) else 0
    for month in range(months):
        state, local = person.supported + month, person.local_months_so_far + month
        helped = (state < cap, *(each.months_cap is None or local < each.months_cap for each in top_ups))
        if helped not in told:
            told[helped] = quote(
                law,
                income,
                person.grounds,
                start,
                None,
                Plan.periodic(1),
                supported_before=state,
                local_top_ups=top_ups,
                local_months_before=local,
            )
        paid.append(told[helped].payable)
    return paid, merged(*(each.lines for each in told.values()))


@dataclass(frozen=True, slots=True)
class _AtOnce:
    """Missing months paid in one month: what one pays oneself, or None where that year's interest is not announced."""

    months: int = 0
    month: Month | None = None
    paid: Vnd | None = 0
    without_interest: Vnd = 0
    lines: tuple[Line, ...] = ()


NOTHING_AT_ONCE = _AtOnce()


def _at_once(law: Law, today: LawOnDay, person: Person, income: Vnd, month: Month, missing: int, ahead: int) -> _AtOnce:
    """Decree 159/2025, article 7; the State's help as agents subtract it."""
    plan, before = Plan.missing(missing), person.supported + ahead
    ground = today.deciding_ground(person.grounds)
    helped = supported_months(today, ground, plan, before)
    nominal, help = today.rate * income * missing, today.support_for(ground) * today.floor_premium * helped
    least = max(0, half_up(nominal) - half_up(help))
    if not law.on(month.first_day).says(LawKey.INVESTMENT_PERCENT):
        return _AtOnce(missing, month, None, least)
    told = quote(law, income, person.grounds, month, None, plan, supported_before=before)
    return _AtOnce(missing, month, told.payable, least, told.lines)


@dataclass(frozen=True, slots=True)
class _Road:
    """What both ways share."""

    person: Person
    past: _Past
    income: Vnd
    start: Month
    until_age: int

    def way(self, then: LawOnDay, paid: list[Vnd], entitled: Month, at_once: _AtOnce = NOTHING_AT_ONCE) -> Way:
        """`then` is the law of the day on which the pension begins."""
        before, ahead = self.person.months_so_far, len(paid) + at_once.months
        months = before + ahead
        rate = pension_rate(then, self.person.sex, months) or Fraction()
        mean = (self.past.income * before + self.income * ahead) / months
        pension = half_up(rate * mean)
        own = None if at_once.paid is None else self.past.paid + sum(paid) + at_once.paid
        return Way(
            months_ahead=len(paid),
            months_at_once=at_once.months,
            months=months,
            entitled_from=entitled,
            rate=rate,
            average_income=half_up(mean),
            pension=pension,
            paid_in_months=sum(paid),
            paid_at_once=at_once.paid,
            at_once_without_interest=at_once.without_interest,
            paid_by_oneself=own,
            months_until_paid_back=-(-own // pension) if own is not None and pension else None,
            life=self._life(paid, entitled, pension, at_once),
        )

    def _life(self, paid: list[Vnd], entitled: Month, pension: Vnd, at_once: _AtOnce) -> tuple[LifeYear, ...]:
        if at_once.paid is None:
            return ()
        birth, so_far = self.person.birth, [*accumulate(paid, initial=self.past.paid)]
        years: list[LifeYear] = []
        for age in range(birth.age_in(self.start), self.until_age + 1):
            month = birth.month + age * MONTHS_IN_YEAR
            spent = so_far[min(max(month.since(self.start), 0), len(paid))]
            spent += at_once.paid if at_once.month and month > at_once.month else 0
            years.append(LifeYear(age, spent, pension * max(0, month.since(entitled))))
        return tuple(years)
