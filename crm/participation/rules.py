"""How taking part begins, is kept up and ends: the arithmetic of spells, without a database."""

from __future__ import annotations

from calendar import isleap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _l

from crm.accounts.rules import May
from crm.errors import RuleBroken
from crm.months import Month
from crm.premiums.rules.keys import PERIODS, LawKey, Method
from crm.premiums.rules.law import Law, LawOnDay
from crm.premiums.rules.quotes import Plan
from crm.premiums.rules.quotes import deadline as deadline_to_pay

EARLIEST = date(2008, 1, 1)
"""Voluntary insurance began on this day (Law 71/2006): nobody took part before, and no list looks further back."""

USUAL = Method.QUARTERLY
"""The way to pay that a first answer to «how much?» takes; forms offer the others."""

LONGEST_OPEN = Plan.periodic(PERIODS[Method.YEARLY])
"""The way to pay whose window stays open longest: what may be paid at all may be paid so."""

DUE_SOON = timedelta(days=30)
"""How early a deadline shows among what is due."""


class Beginning(StrEnum):
    BASELINE = "baseline"
    JOINED = "joined"
    RETURNED = "returned"
    MOVED_IN = "moved_in"
    LISTED = "listed"


class Ending(StrEnum):
    LAPSED = "lapsed"
    STOPPED = "stopped"
    COMPULSORY = "compulsory"
    PENSION = "pension"
    DIED = "died"
    LUMP_SUM = "lump_sum"
    MOVED_OUT = "moved_out"


class Basis(StrEnum):
    """What we know of a payment from: the agent who took the money, or the insurance office's word."""

    TAKEN = "taken"
    CONFIRMED = "confirmed"


class Kind(StrEnum):
    """The lists of people that the figures of the plan open."""

    STOCK = "stock"
    BASELINE = "baseline"
    JOINED = "joined"
    RETURNED = "returned"
    LEFT = "left"
    LAPSED = "lapsed"
    STOPPED = "stopped"
    DUE = "due"
    OVERDUE = "overdue"


@dataclass(frozen=True)
class Span:
    """A period by its first and its last day; counts are as of the end of the last."""

    since: date
    as_of: date

    def __post_init__(self) -> None:
        object.__setattr__(self, "as_of", max(self.as_of, EARLIEST))
        object.__setattr__(self, "since", min(max(self.since, EARLIEST), self.as_of))

    @classmethod
    def year_to(cls, day: date) -> Span:
        """From New Year to a day: what a year's target is measured by."""
        return cls(day.replace(month=1, day=1), day)

    @property
    def before(self) -> date:
        """The last day before the period: whoever takes part then is the stock at its start."""
        return self.since - timedelta(days=1)


class Movement(NamedTuple):
    """How a stock changed over a period: now = start + joined + returned - left."""

    start: int
    joined: int
    returned: int
    left: int
    lapsed: int
    """Those of `left` who did not pay in time."""
    now: int

    @property
    def change(self) -> int:
        return self.now - self.start

    def plus(self, other: Movement) -> Movement:
        """Both together."""
        return Movement._make(mine + theirs for mine, theirs in zip(self, other, strict=True))


NOBODY = Movement(0, 0, 0, 0, 0, 0)


KINDS: Mapping[Kind, Any] = {
    Kind.STOCK: _l("Taking part"),
    Kind.BASELINE: _l("Taking part at the start"),
    Kind.JOINED: _l("Joined"),
    Kind.RETURNED: _l("Came back"),
    Kind.LEFT: _l("Dropped out"),
    Kind.LAPSED: _l("Lapsed: did not pay in time"),
    Kind.STOPPED: _l("Stopped for another reason"),
    Kind.DUE: _l("Due soon"),
    Kind.OVERDUE: _l("Past the last day to pay"),
}
BEGINNINGS: Mapping[Beginning, Any] = {
    Beginning.BASELINE: _l("Was taking part before this register began"),
    Beginning.JOINED: _l("Joined for the first time"),
    Beginning.RETURNED: _l("Came back"),
    Beginning.MOVED_IN: _l("Moved here while taking part"),
    Beginning.LISTED: _l("Known from the insurance office's list"),
}
ENDINGS: Mapping[Ending, Any] = {
    Ending.LAPSED: _l("Did not pay in time"),
    Ending.STOPPED: _l("Stopped of their own will"),
    Ending.COMPULSORY: _l("Went over to compulsory insurance"),
    Ending.PENSION: _l("Draws a pension"),
    Ending.DIED: _l("Died"),
    Ending.LUMP_SUM: _l("Took a lump sum"),
    Ending.MOVED_OUT: _l("Moved away"),
}
MAY_END = (Ending.COMPULSORY, Ending.MOVED_OUT)
"""Why somebody left who comes back once it is over: a contract ends, a family moves home."""
CHOSEN_ENDINGS = tuple(ending for ending in Ending if ending is not Ending.LAPSED)
"""Endings a person records; lapsing follows from the calendar alone."""


def basis_for(may: Callable[[May], bool]) -> Basis | None:
    """On what basis someone may record a payment; None: they hand the person over to a collection agent.

    Only an agent takes money. Whoever answers for the town's books records what the insurance office has confirmed.
    """
    if may(May.TAKE_PREMIUMS):
        return Basis.TAKEN
    return Basis.CONFIRMED if may(May.ENROL) and may(May.RECORD_MONEY) else None


def old_enough(birth_date: date | None, birth_year: int | None, on: date, least_age: int) -> bool:
    """Whether someone may join on a day; someone of whom only the year is known, from the year they reach the age."""
    if birth_date is None:
        return birth_year is None or on.year - birth_year >= least_age
    had_birthday = (on.month, on.day) >= (birth_date.month, birth_date.day)
    return on.year - birth_date.year - (not had_birthday) >= least_age


def joins_from(birth_date: date | None, birth_year: int | None, least_age: int) -> date | None:
    """The first day on which `old_enough` holds; None while no birth is known."""
    if birth_date is None:
        return date(birth_year + least_age, 1, 1) if birth_year else None
    year, leap_day = birth_date.year + least_age, (birth_date.month, birth_date.day) == (2, 29)
    return date(year, 3, 1) if leap_day and not isleap(year) else birth_date.replace(year=year)


def beginning(*, took_part_before: bool, moved_in: bool) -> Beginning:
    """How a spell that starts now is counted."""
    if took_part_before:
        return Beginning.RETURNED
    return Beginning.MOVED_IN if moved_in else Beginning.JOINED


def months_at_once(plan: Plan) -> int:
    """The number kept as a spell's method: 1, 3, 6 or 12 months; 0 for a sum paid once."""
    return PERIODS.get(plan.method, 0)


def method_of(months: int) -> Method:
    """The way to pay behind the number kept with a spell; after a sum paid once one pays month by month."""
    return next((method for method, length in PERIODS.items() if length == months), Method.MONTHLY)


def deadline_after(law: LawOnDay, months: int, paid_through: Month) -> date:
    """The last day to pay for what follows `paid_through`, for someone who pays so many `months` at once.

    The window runs from the first unpaid month. Decree 134/2015, article 12; Law 41/2024, article 36.3. After a sum
    paid once the law names no window: the monthly one holds, for from then on one must register anew.
    """
    due = deadline_to_pay(law, method_of(months), paid_through + 1)
    assert due is not None, "every periodic method has a window"
    return due


def lapse_day(deadline: date, started_on: date) -> date:
    """The first day on which one no longer takes part: the day after the deadline, and after the spell's own start."""
    return max(deadline, started_on) + timedelta(days=1)


def holds(started_on: date, ended_on: date | None, day: date) -> bool:
    """Whether a spell counts in the stock of a day: from its start until the day before its end."""
    return started_on <= day and (ended_on is None or day < ended_on)


def late_months_from(law: LawOnDay) -> Month | None:
    """The earliest month that the insurance office lets be made up late («đóng bù») on the day of `law`; None where
    nobody has put such a rule on record: it was not seen in a text."""
    return Month.of(law.day) - law.number(LawKey.GAP_MONTHS_PAYABLE) if law.says(LawKey.GAP_MONTHS_PAYABLE) else None


def out_of_turn(following: Month) -> RuleBroken:
    """What is said when a payment leaves a month out, or pays one twice: `following` is the next to pay."""
    message = _l("The next month to pay is %(month)s.", month=f"{following.number}/{following.year}")
    return RuleBroken(message, field="start", code="gap_or_overlap")


def first_months(paid_on: date, law: LawOnDay, plan: Plan) -> tuple[Month, Month]:
    """The earliest and the latest month with which someone who pays on a day may begin.

    The earliest is the one whose window is still open on that day; the latest the one that may be paid so early.
    """
    this = Month.of(paid_on)
    back = 0
    while (due := deadline_to_pay(law, plan.method, this - back - 1)) is not None and due >= paid_on:
        back += 1
    return this - back, this + law.number(LawKey.PERIOD_AHEAD_MONTHS)


def opens_in(law: LawOnDay, start: Month) -> Month:
    """The first month in which one may pay for what begins with `start`, by the law of a day: it is paid within its own
    months (Law 41/2024, article 36.3; decree 134/2015, article 12), or so much before as agents take it."""
    return start - law.number(LawKey.PERIOD_AHEAD_MONTHS)


def early_enough(law: LawOnDay, start: Month) -> bool:
    """Whether one may pay on the day of `law` for what begins with `start`."""
    return Month.of(law.day) >= opens_in(law, start)


def first_day_to_pay(law: Law, start: Month, today: date) -> date:
    """The first day, never before today, on which one may pay for what begins with `start`, by the law recorded for that
    day: what the next payment costs is told by the law of this day. Where the law comes to say otherwise how early one
    may pay, each wording counts on its own days. RuleBroken `law_unknown` where the law says nothing of it."""
    changes = sorted({row.since for row in law.timeline(LawKey.PERIOD_AHEAD_MONTHS) if row.since > today})
    for since, until in zip([today, *changes], [*changes, date.max], strict=True):
        if (day := max(since, opens_in(law.on(since), start).first_day)) < until:
            break
    return day


def refuse_early(law: LawOnDay, start: Month) -> None:
    """Refuses a payment on the day of `law` for months that begin later than one may pay ahead: nobody pays a second
    period, or years ahead once more, while the first has long to run."""
    if not early_enough(law, start):
        message = _l(
            "Everything up to %(before)s is paid for. The months from %(start)s on may be paid from %(opens)s on.",
            before=_in_figures(start - 1),
            start=_in_figures(start),
            opens=_in_figures(opens_in(law, start)),
        )
        raise RuleBroken(message, field="paid_on", code="paid_too_early")


def _in_figures(month: Month) -> str:
    return f"{month.number}/{month.year}"
