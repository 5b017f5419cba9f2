"""Reminders that have been texted: which payments they spoke of, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from crm.campaigns.models import Message
from crm.campaigns.rules.delivery import Delivery
from crm.campaigns.rules.reasons import reason_for
from crm.campaigns.rules.stages import person_values
from crm.campaigns.rules.texts import size
from crm.clock import at
from crm.demo.copying import copy_rows
from crm.demo.numbering import Numbering
from crm.demo.people import Person
from crm.demo.taking_part import Spell
from crm.prospects.rules import Purpose, Sex
from crm.reminders.rules import PAYMENT_LAST_DAYS, PAYMENT_SOON, Reminder, written

BEGAN = timedelta(days=130)
"""So long ago the town began to remind people by SMS."""

LOST: Sequence[tuple[Delivery, int]] = (
    (Delivery.UNDELIVERED, 30003),
    (Delivery.UNDELIVERED, 30003),
    (Delivery.UNDELIVERED, 30005),
    (Delivery.FAILED, 30006),
)
LOST_OF_A_HUNDRED = 6

COLUMNS = (
    *("town_id", "id", "reminder", "purpose", "phone", "prospect_id", "local_day", "body", "encoding", "segments"),
    *("state", "reason", "not_before", "expires_at", "made_at", "claimed_at", "attempts", "sid", "error_code"),
    "settled_at",
)


@dataclass
class Reminding:
    """Collects the messages of the people who take part; a number gets the same reminder once a day at most."""

    town_id: UUID
    random: Random
    number: Numbering
    as_of: date
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    had: set[tuple[str, str, date]] = field(default_factory=set)

    def of(self, person: Person, spell: Spell) -> None:
        """What this person was reminded of, if they agree to be."""
        if not (person.agrees_to_sms and person.phone):
            return
        for paid in spell.payments[1:]:
            self._before(person, paid.due_on, paid.paid_on)
        if spell.ended_on is None:
            self._before(person, spell.deadline_on, self.as_of)

    def write(self, session: Session) -> None:
        """Copy them."""
        copy_rows(session, Message, COLUMNS, self.rows)

    def _before(self, person: Person, due_on: date, paid_on: date) -> None:
        for reminder in (PAYMENT_SOON, PAYMENT_LAST_DAYS):
            day = due_on - timedelta(days=reminder.earliest)
            if self.as_of - BEGAN <= day < min(paid_on, self.as_of):
                self._message(person, reminder, day, due_on)

    def _message(self, person: Person, reminder: Reminder, day: date, due_on: date) -> None:
        assert person.phone is not None
        if (reminder.code, person.phone, day) in self.had:
            return
        self.had.add((reminder.code, person.phone, day))
        values = person_values(person.full_name, person.sex is Sex.FEMALE, person.birth_year, day.year)
        body = reminder.body(values | {"ngay": written(due_on)})
        counted = size(body)
        lost = self.random.randrange(100) < LOST_OF_A_HUNDRED
        state, code = self.random.choice(LOST) if lost else (Delivery.DELIVERED, None)
        key, made = self.number(), at(day, 7, 30)
        gone = made + timedelta(seconds=self.random.randint(1, 240))
        settled = gone + timedelta(seconds=self.random.randint(2, 40))
        self.rows.append(
            (
                *(self.town_id, key, reminder.code, Purpose.SERVICE.value, person.phone, person.id, day, body),
                *(counted.encoding, counted.segments, state.value, reason_for(code).value if code else None),
                *(made, at(day, 20), made, gone, 1, f"SM{key.hex}", code, settled),
            )
        )
