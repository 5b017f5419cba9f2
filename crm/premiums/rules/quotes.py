"""What a payment costs and who bears it, under the law of the day of payment."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Any, NamedTuple, Self

from flask_babel import lazy_gettext as _l

from crm.errors import RuleBroken
from crm.money import Vnd, half_up
from crm.months import MONTHS_IN_YEAR, Month
from crm.premiums.rules.explaining import Line, lines_of
from crm.premiums.rules.keys import PERIODS, WINDOWS, LawKey, Method
from crm.premiums.rules.law import PER_CENT, Law, LawOnDay, LocalTopUp
from crm.prospects.rules import Ground
from crm.web.filters import in_day, in_money

START_PATTERN = r"20[0-9]{2}-(0[1-9]|1[0-2])"
"""Months one may ask about, for whoever checks before asking."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A method and for how many months it pays."""

    method: Method
    months: int

    @classmethod
    def periodic(cls, months: int) -> Self:
        """Pay every 1, 3, 6 or 12 months; any other number is refused."""
        for method, length in PERIODS.items():
            if length == months:
                return cls(method, months)
        raise RuleBroken(
            _l("One pays for 1, 3, 6 or 12 months at a time. Choose one of these."),
            field="months",
        )

    @classmethod
    def years_ahead(cls, years: int) -> Self:
        """Pay once for several years to come."""
        return cls(Method.YEARS_AHEAD, years * MONTHS_IN_YEAR)

    @classmethod
    def ahead(cls, months: int) -> Self:
        """The plan that pays for so many months to come: a period, or whole years ahead; any other number is refused."""
        if months not in PERIODS.values() and months > 0 and months % MONTHS_IN_YEAR == 0:
            return cls.years_ahead(months // MONTHS_IN_YEAR)
        return cls.periodic(months)

    @classmethod
    def of(cls, *, months: int | None, years_ahead: int | None, missing_months: int | None) -> Self:
        """The plan someone asks for by naming exactly one of the three; RuleBroken otherwise."""
        named = [given for given in (months, years_ahead, missing_months) if given is not None]
        if len(named) != 1:
            raise RuleBroken(_l("Say one of these three: months, years ahead or missing months."), field="months")
        if months is not None:
            return cls.periodic(months)
        return cls.missing(missing_months) if missing_months is not None else cls.years_ahead(named[0])

    @classmethod
    def missing(cls, months: int) -> Self:
        """Pay once for the months that are missing for a pension."""
        return cls(Method.MISSING_MONTHS, months)


class Remark(StrEnum):
    """What a quote takes as it was asked, though it may not be so; each has its sentence in REMARKS, which `said` fills."""

    ONLY_AT_THE_AGE = "only_at_the_age"
    BEFORE_ITS_MONTH = "before_its_month"
    HELP_ENDS = "help_ends"
    NO_HELP_LEFT = "no_help_left"


REMARKS: Mapping[Remark, Any] = {
    Remark.ONLY_AT_THE_AGE: _l(
        "Only whoever has reached the age of retirement and is short of no more months than these may pay like this. "
        "Whether that is so was not asked here."
    ),
    Remark.BEFORE_ITS_MONTH: _l(
        "The day of payment lies before the first month: this is the law of that day, and it may change until then. Ask "
        "the insurance office whether it takes the money so early."
    ),
    Remark.HELP_ENDS: _l(
        "%(month)s is the last month that the State helps with: its %(cap)s months are used up. One pays for the months "
        "after it without help."
    ),
    Remark.NO_HELP_LEFT: _l("The State has helped for as long as it may: nothing of this payment is supported."),
}


class Said(NamedTuple):
    """A remark, and its sentence in the reader's language."""

    remark: Remark
    text: str


@dataclass(frozen=True, slots=True)
class Weighed:
    """What one of several grounds would bring, and whether it is what counts: of the State's shares only the highest,
    and beside it the one addition of a place that gives most."""

    ground: Ground
    percent: Fraction
    """The State's share of the premium on the least income."""
    by_the_state: bool
    local: Vnd
    """What places would add for it to this payment."""
    by_the_place: bool


@dataclass(frozen=True, slots=True)
class Quote:
    """A premium in layers, whole đồng: gross = state_support + local_support + other_support + payable."""

    income: Vnd
    ground: Ground
    plan: Plan
    start: Month
    paid_on: date
    gross: Vnd
    nominal: Vnd
    """`gross` without what years ahead are discounted by, and without the interest of missing months."""
    state_support: Vnd
    local_support: Vnd
    other_support: Vnd
    payable: Vnd
    supported_months: int
    deadline: date | None
    next_start: Month | None
    lines: tuple[Line, ...]
    top_up: LocalTopUp | None = None
    """The one addition of a place that `local_support` comes from."""
    weighed: tuple[Weighed, ...] = ()
    """Of somebody with several grounds: each, the one the State's share comes from first."""

    @property
    def a_month(self) -> Vnd:
        """What one pays oneself, for one month of those paid."""
        return half_up(Fraction(self.payable, self.plan.months))

    @property
    def interest(self) -> Vnd:
        """What missing months bear on top of their premium."""
        return max(0, self.gross - self.nominal)

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """What a quote alone cannot know, and whoever pays should."""
        found = [Remark.ONLY_AT_THE_AGE] if self.plan.method is Method.MISSING_MONTHS else []
        found += [Remark.BEFORE_ITS_MONTH] if self.paid_on < self.start.first_day else []
        return (*found, *([self._help_left] if self._help_left else []))

    @property
    def _help_left(self) -> Remark | None:
        shares = [line.value for line in self.lines if line.name == LawKey.SUPPORT_PERCENT]
        if self.plan.method is Method.MISSING_MONTHS or not any(shares) or self.supported_months == self.plan.months:
            return None
        return Remark.HELP_ENDS if self.supported_months else Remark.NO_HELP_LEFT

    @property
    def last_helped(self) -> Month | None:
        """The last month the State helps with, where it lies before the last one of this payment."""
        return self.start + (self.supported_months - 1) if self._help_left is Remark.HELP_ENDS else None

    @property
    def said(self) -> tuple[Said, ...]:
        """The remarks as sentences."""
        return tuple(Said(remark, self._in_words(remark)) for remark in self.remarks)

    def _in_words(self, remark: Remark) -> str:
        last = self.last_helped
        if remark is not Remark.HELP_ENDS or last is None:
            return str(REMARKS[remark])
        cap = next(int(line.value) for line in self.lines if line.name == LawKey.SUPPORT_CAP_MONTHS)
        return str(REMARKS[remark]) % {"month": f"{last.number}/{last.year}", "cap": cap}

    @property
    def late(self) -> bool:
        """Paid after the window: the law then deems the person to have suspended."""
        return self.deadline is not None and self.paid_on > self.deadline


def quote(
    law: Law,
    income: Vnd,
    grounds: Collection[Ground],
    start: Month,
    paid_on: date | None,
    plan: Plan,
    *,
    supported_before: int = 0,
    local_top_ups: Iterable[LocalTopUp] = (),
    local_months_before: int = 0,
    other_support: Vnd = 0,
) -> Quote:
    """What a payment costs and who bears it, by the law of the day of payment (by default the first day of `start`).

    `supported_before` counts months the State, `local_months_before` months the place has already helped with;
    `other_support` is what a sponsor offers for the whole payment, of which only what is needed is taken.
    RuleBroken for an income or length the law does not allow and for a day whose law is not recorded.
    Decree 134/2015, articles 10 to 14; decree 159/2025, articles 5 to 7.
    """
    today, local_top_ups = law.on(paid_on or start.first_day).watched(), tuple(local_top_ups)
    check_income(today, income)
    check_plan(today, plan)
    if min(supported_before, local_months_before) < 0:
        raise RuleBroken(
            _l("Months already supported cannot be fewer than none."),
            field="supported_before",
        )
    ground = today.deciding_ground(grounds)
    supported = supported_months(today, ground, plan, supported_before)
    gross = gross_premium(today, income, plan)
    state = min(gross, half_up(today.support_for(ground) * today.floor_premium * supported))
    top_up, local_offer = best_top_up(today, local_top_ups, grounds, plan.months, local_months_before)
    local = min(gross - state, local_offer)
    other = min(gross - state - local, max(other_support, 0))
    last_day = deadline(today, plan.method, start)
    weighed = _weighed(today, grounds, ground, top_up, local_top_ups, plan.months, local_months_before)
    return Quote(
        income=income,
        ground=ground,
        plan=plan,
        start=start,
        paid_on=today.day,
        gross=gross,
        nominal=half_up(today.rate * income * plan.months),
        state_support=state,
        local_support=local,
        other_support=other,
        payable=gross - state - local - other,
        supported_months=supported,
        deadline=last_day,
        next_start=None if plan.method is Method.MISSING_MONTHS else start + plan.months,
        lines=(*lines_of(today), *([Line.of_top_up(top_up)] if top_up else [])),
        top_up=top_up,
        weighed=weighed,
    )


def _weighed(
    today: LawOnDay,
    grounds: Collection[Ground],
    deciding: Ground,
    top_up: LocalTopUp | None,
    top_ups: Iterable[LocalTopUp],
    months: int,
    months_before: int,
) -> tuple[Weighed, ...]:
    """Each of several grounds side by side; nothing to weigh where there is one."""
    if len(set(grounds)) < 2:
        return ()
    found: list[Weighed] = []
    for ground in sorted(set(grounds), key=lambda one: (one is not deciding, list(Ground).index(one))):
        theirs, offer = best_top_up(today, top_ups, [ground], months, months_before)
        found.append(
            Weighed(
                ground,
                today.support_for(ground) * PER_CENT,
                ground is deciding,
                offer,
                theirs is not None and theirs is top_up and not any(one.by_the_place for one in found),
            )
        )
    return tuple(found)


def read_start(text: str) -> Month:
    """ "2026-07" → July 2026. RuleBroken for what is no month, or none that anyone could pay for."""
    if not re.fullmatch(START_PATTERN, text):
        raise RuleBroken(_l("Write the first month as year and month, such as 2026-07."), field="start")
    return Month.parse(text)


def check_income(law: LawOnDay, income: Vnd) -> None:
    """Refuses an income the law does not allow, naming the nearest that it does. Law 41/2024, article 31."""
    if income < law.floor:
        message = _l(
            "The least income one may choose on %(day)s is %(floor)s. Choose that or more.",
            day=in_day(law.day),
            floor=in_money(law.floor),
        )
        raise RuleBroken(message, field="income", code="income_below_floor")
    if income > law.ceiling:
        message = _l(
            "The highest income one may choose on %(day)s is %(ceiling)s. Choose that or less.",
            day=in_day(law.day),
            ceiling=in_money(law.ceiling),
        )
        raise RuleBroken(message, field="income", code="income_above_ceiling")
    over = (income - law.floor) % law.step
    if over and income != law.ceiling:
        message = _l(
            "Incomes go in steps of %(step)s. Choose %(lower)s or %(higher)s.",
            step=in_money(law.step),
            lower=in_money(income - over),
            higher=in_money(min(income - over + law.step, law.ceiling)),
        )
        raise RuleBroken(message, field="income", code="income_off_step")


def nearest_income(law: LawOnDay, income: Vnd) -> Vnd:
    """What stands for an income that was chosen under another law: itself where the law of the day allows it, the least
    or the highest where it lies outside, and between two steps the upper one.

    Upwards, because the law knows only a least and a highest income (law 41/2024, article 31.2); the steps count upwards
    from the least. A pension follows what was chosen: nobody's is made smaller without their asking. And nobody is told
    a sum at the door that turns out too small.
    """
    steps = -((law.floor - income) // law.step) if income > law.floor else 0
    return min(law.floor + steps * law.step, law.ceiling)


def check_plan(law: LawOnDay, plan: Plan) -> None:
    """Refuses more years ahead or missing months than the law allows at once, and a single year as «several»."""
    if plan.method is Method.YEARS_AHEAD:
        most = law.number(LawKey.YEARS_AHEAD_MOST)
        if not MONTHS_IN_YEAR < plan.months <= most * MONTHS_IN_YEAR:
            message = _l("One may pay for 2 to %(most)s years ahead at once; for one year choose 12 months.", most=most)
            raise RuleBroken(message, field="years_ahead", code="years_ahead_out_of_range")
    if plan.method is Method.MISSING_MONTHS:
        most = law.number(LawKey.MISSING_MONTHS_MOST)
        if not 1 <= plan.months <= most:
            message = _l("One may pay for 1 to %(most)s missing months at once.", most=most)
            raise RuleBroken(message, field="missing_months", code="missing_months_out_of_range")


def supported_months(law: LawOnDay, ground: Ground, plan: Plan, before: int) -> int:
    """How many of a payment's months the State helps with: never more than the cap over a whole life."""
    if not law.support_for(ground):
        return 0
    if plan.method is Method.MISSING_MONTHS and not law.number(LawKey.MISSING_MONTHS_SUPPORTED):
        return 0
    return min(plan.months, max(0, law.number(LawKey.SUPPORT_CAP_MONTHS) - before))


def gross_premium(law: LawOnDay, income: Vnd, plan: Plan) -> Vnd:
    """The premium before anyone helps; the sum is rounded once, half-up.

    Years ahead are discounted month by month from the second, missing months bear interest from the first.
    """
    return half_up(law.rate * income * months_weighed(plan, law.investment_rate if is_weighed(plan) else Fraction()))


def income_behind(law: LawOnDay, gross: Vnd, plan: Plan) -> Vnd:
    """The chosen income that a premium stands for: what `gross_premium` undoes, to the nearest đồng. RuleBroken
    `law_unknown` where the rate that years ahead or missing months are weighed by was not announced."""
    months = months_weighed(plan, law.investment_rate if is_weighed(plan) else Fraction())
    return half_up(gross / (law.rate * months))


def is_weighed(plan: Plan) -> bool:
    """Whether the fund's investment rate makes the premium less or more than the sum of its months."""
    return plan.method in (Method.YEARS_AHEAD, Method.MISSING_MONTHS)


def months_weighed(plan: Plan, interest: Fraction) -> Fraction:
    """For how many whole monthly premiums a payment stands, once discounted or with its interest a month."""
    if plan.method is Method.YEARS_AHEAD:
        return sum(((1 + interest) ** -i for i in range(plan.months)), Fraction())
    if plan.method is Method.MISSING_MONTHS:
        return sum(((1 + interest) ** (i + 1) for i in range(plan.months)), Fraction())
    return Fraction(plan.months)


def best_top_up(
    law: LawOnDay,
    top_ups: Iterable[LocalTopUp],
    grounds: Collection[Ground],
    months: int,
    months_before: int = 0,
) -> tuple[LocalTopUp | None, Vnd]:
    """The one local addition that gives this person most, and its đồng for so many months.

    Several do not add up, as the State's shares do not (decree 159/2025, article 5): every addition that has been seen
    (Hà Nội from 2025, Long Biên 2022) tops up the State's share for one ground of one place, and none says that it comes
    on top of another's. What somebody gives beside the budget, such as a fund, is a sponsor and does add up. A ground
    without an addition of its own has everyone's (`other`), as with the State's support.
    """
    held = [top_up for top_up in top_ups if top_up.holds_on(law.day)]
    own = {top_up.ground for top_up in held}
    theirs = {ground if ground in own else Ground.OTHER for ground in grounds or (Ground.OTHER,)}

    def offer(top_up: LocalTopUp) -> Vnd:
        most = months if top_up.months_cap is None else max(0, top_up.months_cap - months_before)
        return half_up(top_up.a_month(law.floor_premium) * min(months, most))

    best = max((top_up for top_up in held if top_up.ground in theirs), key=offer, default=None)
    return best, offer(best) if best else 0


def deadline(law: LawOnDay, method: Method, start: Month) -> date | None:
    """The last day on which a period may be paid; none for payments made once, at registration.

    Law 41/2024, article 36.3; decree 134/2015, article 12.
    """
    return (start + (law.window(method) - 1)).last_day if method in WINDOWS else None
