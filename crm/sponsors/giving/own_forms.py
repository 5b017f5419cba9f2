"""What a sponsor is asked who changes, pauses or ends their own promise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from wtforms import DateField, IntegerField, RadioField, StringField, TextAreaField
from wtforms.validators import Length, NumberRange, Optional

from crm.errors import RuleBroken
from crm.money import Vnd
from crm.premiums.forms import MayBeEmptyDong
from crm.sponsors.giving.forms import read_days
from crm.sponsors.giving.rules import (
    FREQUENCIES,
    LEAST_TRANSFER,
    PAUSES,
    Due,
    Frequency,
    Way,
    by_neighbours,
    own_schedule,
    schedule,
    transfers_in,
)
from crm.sponsors.rules import LONGEST_PROMISE, MOST_PEOPLE
from crm.web.filters import in_money
from crm.web.forms import Form, stripped


class _Said(Form):
    note = StringField(
        _l("Would you like to tell us why?"), filters=[stripped], validators=[Optional(), Length(max=200)]
    )


class RearrangeForm(_Said):
    """What is still to come, in people and months or as a sum, and in which rhythm. What came in is not asked about."""

    way = RadioField(
        _l("What you would still like to give"),
        choices=[
            (Way.NEIGHBOUR.value, _l("Carry neighbours for some months")),
            (Way.AMOUNT.value, _l("A sum")),
        ],
        default=Way.NEIGHBOUR.value,
    )
    people = IntegerField(_l("How many neighbours"), validators=[Optional(), NumberRange(1, MOST_PEOPLE)])
    months = IntegerField(_l("How many months"), validators=[Optional(), NumberRange(1, LONGEST_PROMISE)])
    amount = MayBeEmptyDong(_l("How much is still to come"))
    frequency = RadioField(
        _l("How I transfer it"),
        choices=[(one.value, words) for one, words in FREQUENCIES.items()],
        default=Frequency.ONCE.value,
    )
    first = DateField(_l("Day of the next transfer"), validators=[Optional()])
    own = TextAreaField(_l("Days of your own"), filters=[stripped], validators=[Optional(), Length(max=4000)])

    @property
    def often(self) -> Frequency:
        """In which rhythm."""
        return Frequency(self.frequency.data or Frequency.ONCE.value)

    def rest(self, a_month: Callable[[], Vnd]) -> tuple[Due, ...]:
        """What is still to come as it would be. `a_month`: what one month of one person costs, where people are counted.
        Raises RuleBroken."""
        if self.often is Frequency.OWN:
            return own_schedule(read_days(self.own.data or ""))
        if self.first.data is None:
            raise RuleBroken(_l("Give the day of the next transfer."), field="first")
        if self.way.data == Way.AMOUNT.value:
            total = self.amount.data
            if not total:
                raise RuleBroken(
                    _l("Write how much is still to come. To give no more, end the promise."), field="amount"
                )
        else:
            total = by_neighbours(self.people.data, self.months.data, Frequency.ONCE, a_month()).total
        times = transfers_in(self.often, self.months.data)
        if total < times * LEAST_TRANSFER:
            least = in_money(LEAST_TRANSFER)
            raise RuleBroken(_l("Each transfer is at least %(least)s.", least=least), field="amount")
        return schedule(total, self.often, times, self.first.data)


class PauseForm(_Said):
    """For how long nothing is expected."""

    pause_for = RadioField(_l("For how long"), coerce=int, default=PAUSES[0])

    @classmethod
    def offering(cls) -> Self:
        """The form with the times one may pause for."""
        form = cls()
        form.pause_for.choices = [(many, ngettext("%(num)s month", "%(num)s months", many)) for many in PAUSES]
        return form


class StopForm(_Said):
    """Nothing more."""
