"""Instalments, what came in laid on them, when to remind, and how long a link of confirmation lives. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _l

from crm.errors import RuleBroken
from crm.money import Vnd, split_evenly
from crm.months import Month
from crm.sponsors.rules import LONGEST_PROMISE, SponsorKind, Wish, positive
from crm.web.filters import in_money

LINK_LIVES = timedelta(days=7)
BETWEEN_LINKS = timedelta(minutes=1)
MOST_LINKS = 5
LEAST_TRANSFER = 10_000
"""Whole đồng: less is not registered on the public page, where a slip of the finger is likelier than a gift."""
DAYS_TO_PAY = 10
"""So many days after the promise the first instalment is expected."""


class Way(StrEnum):
    """What somebody begins with: whom they would like to carry, or what they would like to give."""

    NEIGHBOUR = "neighbour"
    AMOUNT = "amount"


class Frequency(StrEnum):
    ONCE = "once"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    OWN = "own"


class Step(StrEnum):
    """What was done to a promise."""

    MADE = "made"
    CHANGED = "changed"
    PAUSED = "paused"
    """Put off by the sponsor: it rests until the first day on which something is to come again."""
    ENDED = "ended"


class Standing(StrEnum):
    """How an instalment stands on a day."""

    PAID = "paid"
    PART = "part"
    LATE = "late"
    OPEN = "open"


class Reminder(StrEnum):
    """A letter about an instalment; each is written once."""

    BEFORE = "before"
    AFTER_3 = "after_3"
    AFTER_10 = "after_10"


class Confirming(StrEnum):
    """How it became certain that a registration is of whoever it names."""

    LINK = "link"
    TELEPHONE = "telephone"


FREQUENCIES: Mapping[Frequency, Any] = {
    Frequency.ONCE: _l("All at once"),
    Frequency.MONTHLY: _l("Every month"),
    Frequency.QUARTERLY: _l("Every three months"),
    Frequency.OWN: _l("On days of their own"),
}
STEPS: Mapping[Step, Any] = {
    Step.MADE: _l("Promised"),
    Step.CHANGED: _l("Changed"),
    Step.PAUSED: _l("Paused"),
    Step.ENDED: _l("Ended: nothing more is expected"),
}
STANDINGS: Mapping[Standing, Any] = {
    Standing.PAID: _l("Received"),
    Standing.PART: _l("Part received"),
    Standing.LATE: _l("Late"),
    Standing.OPEN: _l("Expected"),
}
EVERY: Mapping[Frequency, int] = {Frequency.MONTHLY: 1, Frequency.QUARTERLY: 3}
"""Months from one instalment to the next."""

LETTER = "instalment:%s:%s:%s"
"""The occasion (crm.mail) of a letter about an instalment: its promise, its day and which letter it is, as Python and
PostgreSQL write them."""

AWAY_FROM_DUE: Mapping[Reminder, int] = {Reminder.BEFORE: -7, Reminder.AFTER_3: 3, Reminder.AFTER_10: 10}
"""On which day each letter is written, counted from the day the money is expected."""

STILL = timedelta(days=5)
"""A letter that could not be written on its day is written up to so many days later, not after."""


class Due(NamedTuple):
    """An instalment: so much on a day, whole đồng."""

    on: date
    amount: Vnd


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks for on the public page. `amount` is the whole promise, whole đồng."""

    name: str
    kind: SponsorKind
    wish: Wish
    amount: Vnd
    frequency: Frequency = Frequency.ONCE
    times: int = 1
    contact_name: str | None = None
    phone: str | None = None
    email: str | None = None
    tax_code: str | None = None


@dataclass(frozen=True, slots=True)
class Buys:
    """What a contribution comes to. `a_month` is what is asked of a sponsor for one month of one person, whole đồng."""

    total: Vnd
    times: int
    a_month: Vnd
    people: int | None = None
    months: int | None = None
    """So many neighbours for so many months each, when they were named; with an amount they are None."""

    @property
    def each(self) -> Vnd:
        """The first instalment; the others are the same but for one đồng."""
        return split_evenly(self.total, self.times)[0]

    @property
    def person_months(self) -> int:
        """Whole months of one person that it carries; 0 when a month costs a sponsor nothing."""
        return self.total // self.a_month if self.a_month else 0

    @property
    def left(self) -> Vnd:
        """What is less than a month and goes together with what others give."""
        return self.total % self.a_month if self.a_month else self.total

    @property
    def for_a_year(self) -> int:
        """How many people it carries for a whole year."""
        return self.person_months // MONTHS_OF_A_YEAR


MONTHS_OF_A_YEAR = 12


def by_neighbours(people: int | None, months: int | None, frequency: Frequency, a_month: Vnd) -> Buys:
    """So many neighbours for so many months. Raises RuleBroken."""
    if people is None:
        raise RuleBroken(_l("Say how many neighbours."), field="people")
    if months is None:
        raise RuleBroken(_l("Say for how many months."), field="months")
    times = months if frequency is Frequency.MONTHLY else 1
    return Buys(positive(people * months * a_month), times, a_month, people, months)


def by_amount(amount: Vnd | None, months: int | None, frequency: Frequency, a_month: Vnd) -> Buys:
    """An amount, once or in each of so many months. Raises RuleBroken."""
    if amount is None:
        raise RuleBroken(_l("Choose an amount or write your own."), field="amount")
    if positive(amount) < LEAST_TRANSFER:
        least = in_money(LEAST_TRANSFER)
        raise RuleBroken(_l("Write at least %(least)s. Did you leave out some zeros?", least=least), field="amount")
    if frequency is not Frequency.MONTHLY:
        return Buys(positive(amount), 1, a_month)
    if months is None:
        raise RuleBroken(_l("Say for how many months."), field="months")
    return Buys(positive(positive(amount) * months), months, a_month)


def months_on(day: date, months: int) -> date:
    """The same day so many months later, or the last day of that month when it has no such day."""
    month = Month.of(day) + months
    return min(month.first_day + timedelta(days=day.day - 1), month.last_day)


def schedule(total: Vnd, frequency: Frequency, times: int, first: date) -> tuple[Due, ...]:
    """`total` in instalments that sum to it exactly and differ by one đồng at most. Raises RuleBroken."""
    positive(total)
    times = 1 if frequency is Frequency.ONCE else times
    if not 1 <= times <= LONGEST_PROMISE:
        raise RuleBroken(_l("From 1 to %(most)s instalments are possible.", most=LONGEST_PROMISE), field="times")
    if total < times:
        raise RuleBroken(_l("The amount is too small for so many instalments."), field="times")
    every = EVERY.get(frequency, 1)
    parts = split_evenly(total, times)
    return tuple(Due(months_on(first, place * every), part) for place, part in enumerate(parts))


def own_schedule(dues: Iterable[Due]) -> tuple[Due, ...]:
    """Instalments on days of the sponsor's own, in order; of one day they are one. Raises RuleBroken."""
    found = _by_day(Due(due.on, positive(due.amount)) for due in dues)
    if not found:
        raise RuleBroken(_l("Write at least one day with its amount."), field="own")
    if len(found) > LONGEST_PROMISE:
        raise RuleBroken(_l("From 1 to %(most)s instalments are possible.", most=LONGEST_PROMISE), field="own")
    positive(sum(due.amount for due in found))
    return found


@dataclass(frozen=True, slots=True)
class Laid:
    """An instalment with what came in on it."""

    due: Due
    came: Vnd
    standing: Standing

    @property
    def left(self) -> Vnd:
        """What is still to come, whole đồng."""
        return self.due.amount - self.came

    def late_by(self, today: date) -> int:
        """Days since it was expected; 0 when it is not late."""
        return max((today - self.due.on).days, 0) if self.left else 0


class Account(NamedTuple):
    """What came in on a promise, laid on its instalments; `over` is what came beyond them."""

    rows: tuple[Laid, ...]
    over: Vnd

    @property
    def next(self) -> Laid | None:
        """The first instalment that still expects something."""
        return next((row for row in self.rows if row.left), None)

    @property
    def left(self) -> Vnd:
        """What is still to come in all."""
        return sum(row.left for row in self.rows)

    @property
    def late(self) -> Vnd:
        """What should have come and did not."""
        return sum(row.left for row in self.rows if row.standing is Standing.LATE)


def laid(dues: Sequence[Due], received: Vnd, today: date) -> Account:
    """What came in is laid on the instalments, the oldest first: paid, part, late or still open; the rest is over."""
    left, rows = received, []
    for due in sorted(dues):
        came = min(left, due.amount)
        left -= came
        rows.append(Laid(due, came, _standing(due, came, today)))
    return Account(tuple(rows), left)


def _standing(due: Due, came: Vnd, today: date) -> Standing:
    if came == due.amount:
        return Standing.PAID
    if due.on < today:
        return Standing.LATE
    return Standing.PART if came else Standing.OPEN


def kept_and_open(dues: Sequence[Due], received: Vnd) -> tuple[tuple[Due, ...], tuple[Due, ...]]:
    """What is done and what is still open: of an instalment that came in part, the part that came is done; what came
    beyond the promise counts with the last that is done."""
    account = laid(dues, received, date.min)
    done = [Due(row.due.on, row.came) for row in account.rows if row.came]
    if done and account.over:
        done[-1] = Due(done[-1].on, done[-1].amount + account.over)
    return tuple(done), tuple(Due(row.due.on, row.left) for row in account.rows if row.left)


def changed(dues: Sequence[Due], received: Vnd, rest: Sequence[Due]) -> tuple[Due, ...]:
    """The instalments after a change: what came in stays as it is, `rest` takes the place of what was open.

    Together they are what came in and the rest. Raises RuleBroken when nothing would be left.
    """
    done, _still = kept_and_open(dues, received)
    if not done and not rest:
        raise RuleBroken(_l("Nothing would be left of this promise. End it instead."), field="amount")
    return _by_day((*done, *rest))


def _by_day(dues: Iterable[Due]) -> tuple[Due, ...]:
    """In order; those of one day are one."""
    together: dict[date, Vnd] = {}
    for due in dues:
        together[due.on] = together.get(due.on, 0) + due.amount
    return tuple(Due(day, together[day]) for day in sorted(together))


def refuse_too_little(total: Vnd, before: Vnd, received: Vnd, a_month: Vnd) -> None:
    """Refuses a promise that is lowered below what came in on it, of which part may be set aside or paid on, or below one
    month of one person. `before` is the promise as it was: one that was smaller than a month may stay as it is."""
    least = max(received, min(a_month, before), 1)
    if total >= least:
        return
    if received == least:
        message = _l(
            "%(least)s came in already, so that is the least possible. To give no more, end the promise.",
            least=in_money(least),
        )
    else:
        message = _l(
            "The least possible is %(least)s, one month of one person. To give no more, end the promise.",
            least=in_money(least),
        )
    raise RuleBroken(message, field="amount", code="too_little")


def rest_of(total: Vnd, before: Vnd, received: Vnd, a_month: Vnd) -> Vnd:
    """What is still to come when the whole promise becomes `total`. Raises RuleBroken (`refuse_too_little`)."""
    refuse_too_little(total, before, received, a_month)
    return positive(total) - received


PAUSES = (1, 2, 3, 6, 12)
"""For so many months a sponsor may pause."""
FARTHEST = timedelta(days=366)
"""So far ahead the next transfer may lie that a sponsor puts off themselves."""


def transfers_in(frequency: Frequency, months: int | None) -> int:
    """How many transfers a promise over so many months has. Raises RuleBroken."""
    if frequency not in EVERY:
        return 1
    if months is None:
        raise RuleBroken(_l("Say for how many months."), field="months")
    return -(-months // EVERY[frequency])


def paused(still: Sequence[Due], until: date) -> tuple[Due, ...]:
    """What is still to come, put off by whole months until its first day is not before a day; nothing is dropped."""
    put_off, months = tuple(still), 0
    while put_off and put_off[0].on < until:
        months += 1
        put_off = tuple(Due(months_on(due.on, months), due.amount) for due in still)
    return put_off


def reminder_due(due_on: date, today: date) -> Reminder | None:
    """Which letter belongs to an unpaid instalment today; None when none does."""
    found = None
    for reminder, days in AWAY_FROM_DUE.items():
        on = due_on + timedelta(days=days)
        if on <= today <= on + STILL:
            found = reminder
    return found
