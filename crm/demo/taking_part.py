"""Spells of taking part and what was paid for them, month by month, under the law of each day."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import NamedTuple
from uuid import UUID

from crm.demo.giving import Gifts
from crm.demo.numbering import Numbering
from crm.demo.people import Person
from crm.money import Vnd
from crm.months import Month
from crm.participation.rules import Beginning, Ending, deadline_after, lapse_day
from crm.premiums.rules.law import Law
from crm.premiums.rules.quotes import Plan, Quote, quote
from crm.prospects.rules import Ground

METHODS = (1, 3, 6, 12)
OFTEN = (26, 28, 22, 24)
SHORT = (60, 40)
"""How often people pay in each way; those who give up mostly paid in short steps."""

STEPS_ABOVE = (0, 0, 0, 0, 0, 1, 2, 3, 4, 6, 8, 16, 26)
"""By how many steps the chosen income lies above the floor: mostly by none."""

CARRIED = 0.7
"""The share of poor and near-poor people whose own part sponsors pay."""

MOVED_ON = (Ending.COMPULSORY, Ending.COMPULSORY, Ending.MOVED_OUT, Ending.DIED, Ending.STOPPED)


class Paid(NamedTuple):
    """A payment in its layers."""

    id: UUID
    paid_on: date
    due_on: date
    start: Month
    months: int
    told: Quote
    other_support: Vnd
    sponsor_id: UUID | None
    """Who bears that."""
    law: str
    """Its rules as JSON."""


@dataclass(slots=True)
class Spell:
    """Someone takes part, from a day until another or still."""

    id: UUID
    started_on: date
    started_as: Beginning
    income: Vnd
    method: int
    paid_through: Month
    deadline_on: date
    payments: list[Paid] = field(default_factory=list)
    ended_on: date | None = None
    ended_as: Ending | None = None

    def end(self, on: date, ending: Ending) -> None:
        """The first day on which it no longer counts."""
        self.ended_on, self.ended_as = on, ending


@dataclass
class Books:
    """Writes what people would have paid. The register knows payments from `known_from` on."""

    law: Law
    gifts: Gifts
    random: Random
    number: Numbering
    as_of: date
    _quotes: dict[tuple[Vnd, Ground, int, Month], tuple[Quote, str]] = field(default_factory=dict)

    @property
    def year_begins(self) -> date:
        return self.as_of.replace(month=1, day=1)

    @property
    def known_from(self) -> date:
        return date(self.as_of.year - 1, 1, 1)

    # ---- spells

    def from_before(self, person: Person) -> Spell:
        """Takes part at the year's beginning and still does."""
        return self._long_running(person, self.random.choices(METHODS, OFTEN)[0])

    def left(self, person: Person) -> Spell:
        """Takes part at the year's beginning, and left since: mostly by not paying in time."""
        if self.random.random() < 0.2:
            return self._moved_on(person)
        while True:
            spell = self._long_running(person, self.random.choices(METHODS[:2], SHORT)[0])
            if self._lapses(spell):
                return spell
            self.gifts.give_back({payment.id for payment in spell.payments})

    def lapsed_before(self) -> Spell:
        """Took part once, and gave up before the year began."""
        paid_through = Month.of(self.known_from) + self.random.randint(0, 7)
        started = self.known_from - timedelta(days=self.random.randint(60, 700))
        spell = self._open(started, Beginning.BASELINE, 1, paid_through)
        spell.end(lapse_day(spell.deadline_on, started), Ending.LAPSED)
        return spell

    def joins(self, person: Person, on: date, beginning: Beginning = Beginning.JOINED) -> Spell:
        """Joins or comes back on a day, and pays on since."""
        method = self.random.choices(METHODS, OFTEN)[0]
        spell = self._open(on, beginning, method, Month.of(on) - 1)
        self._pay(spell, person, on)
        self._pay_on(spell, person)
        return spell

    def _long_running(self, person: Person, method: int) -> Spell:
        random, known = self.random, self.known_from
        if random.random() < 0.55:
            started = known - timedelta(days=random.randint(1, 650))
            first = Month.of(known) + random.randrange(method)
            spell = self._open(started, Beginning.BASELINE, method, first - 1)
        else:
            started = known + timedelta(days=random.randint(8, 350))
            spell = self._open(started, Beginning.BASELINE, method, Month.of(started) - 1)
            self._pay(spell, person, started)
        self._pay_on(spell, person)
        return spell

    def _open(self, started: date, beginning: Beginning, method: int, paid_through: Month) -> Spell:
        law = self.law.on(max(started, self.known_from))
        income = law.floor + self.random.choice(STEPS_ABOVE) * law.step
        deadline = deadline_after(law, method, paid_through)
        return Spell(self.number(), started, beginning, income, method, paid_through, deadline)

    def _lapses(self, spell: Spell) -> bool:
        """End it at one of the deadlines of this year, if it has any; what was paid later never was."""
        kept = []
        for count, payment in enumerate(spell.payments, 1):
            through = payment.start + (payment.months - 1)
            deadline = deadline_after(self.law.on(payment.paid_on), spell.method, through)
            if self.year_begins <= lapse_day(deadline, spell.started_on) < self.as_of:
                kept.append((count, through, deadline))
        if not kept:
            return False
        count, through, deadline = self.random.choice(kept)
        self._keep(spell, count, through, deadline)
        spell.end(lapse_day(deadline, spell.started_on), Ending.LAPSED)
        return True

    def _moved_on(self, person: Person) -> Spell:
        """Ends for a reason of life, with the payments made until then."""
        spell = self._long_running(person, 1)
        day = self.year_begins + timedelta(days=self.random.randrange(1, (self.as_of - self.year_begins).days))
        made = [payment for payment in spell.payments if payment.paid_on < day]
        through = made[-1].start
        self._keep(spell, len(made), through, deadline_after(self.law.on(day), 1, through))
        spell.end(day, self.random.choice(MOVED_ON))
        return spell

    def _keep(self, spell: Spell, count: int, paid_through: Month, deadline: date) -> None:
        never = {payment.id for payment in spell.payments[count:]}
        del spell.payments[count:]
        spell.paid_through, spell.deadline_on = paid_through, deadline
        self.gifts.give_back(never)

    # ---- payments

    def _pay_on(self, spell: Spell, person: Person) -> None:
        """Pay period after period, each within its window, up to the day before the demo's."""
        while True:
            first = (spell.paid_through + 1).first_day
            last_paid = spell.payments[-1].paid_on if spell.payments else self.known_from
            earliest = max(first, last_paid + timedelta(days=1))
            late = self.random.random() ** 1.5
            on = earliest + timedelta(days=int((spell.deadline_on - earliest).days * late))
            if on >= self.as_of:
                return
            self._pay(spell, person, on)

    def _pay(self, spell: Spell, person: Person, on: date) -> None:
        law, start = self.law.on(on), spell.paid_through + 1
        spell.income = max(spell.income, law.floor)
        told, rules = self._told(spell.income, person.home.ground, spell.method, on)
        key, other, sponsor_id = self.number(), 0, None
        if self._is_carried(person, on):
            share = told.payable if self.random.random() < 0.7 else told.payable // 2
            sponsor_id = self.gifts.carry(share, person.id, start, spell.method, payment_id=key, on=on)
            other = 0 if sponsor_id is None else share
        law_json = f'{{"day": "{on.isoformat()}", "rules": {rules}}}'
        spell.payments.append(Paid(key, on, spell.deadline_on, start, spell.method, told, other, sponsor_id, law_json))
        spell.paid_through = start + (spell.method - 1)
        spell.deadline_on = deadline_after(law, spell.method, spell.paid_through)

    def set_aside(self, spell: Spell, person: Person) -> None:
        """Money of sponsors waits for the next period of some who will soon have to pay."""
        soon = self.as_of <= spell.deadline_on <= self.as_of + timedelta(days=45)
        if spell.ended_on is None and soon and spell.payments and self._is_carried(person, self.as_of):
            told, _ = self._told(spell.income, person.home.ground, spell.method, self.as_of)
            yesterday, start = self.as_of - timedelta(days=1), spell.paid_through + 1
            self.gifts.carry(told.payable, person.id, start, spell.method, payment_id=None, on=yesterday)

    def _is_carried(self, person: Person, on: date) -> bool:
        poor = person.home.ground in (Ground.POOR, Ground.NEAR_POOR)
        return poor and on >= self.year_begins and person.id.int % 100 < CARRIED * 100

    def _told(self, income: Vnd, ground: Ground, months: int, on: date) -> tuple[Quote, str]:
        """The law changes on first days of months only: one quote serves a month."""
        key = (income, ground, months, Month.of(on))
        if key not in self._quotes:
            grounds = () if ground is Ground.OTHER else (ground,)
            told = quote(self.law, income, grounds, Month.of(on), on, Plan.periodic(months))
            rules = json.dumps([line.as_json() for line in told.lines], ensure_ascii=False)
            self._quotes[key] = (told, rules)
        return self._quotes[key]
