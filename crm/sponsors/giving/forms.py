"""What whoever gives is asked, and what staff write about promises."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Self
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, DateField, Field, IntegerField, RadioField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, NumberRange, Optional

from crm.errors import RuleBroken
from crm.mail.rules import read_address
from crm.money import Vnd
from crm.premiums.forms import MayBeEmptyDong
from crm.prospects.rules import ConsentChannel, Ground
from crm.prospects.wording import CHANNELS, SPOKEN
from crm.sponsors.forms import SponsorForm
from crm.sponsors.giving.rules import FREQUENCIES, Asked, Due, Frequency, Way
from crm.sponsors.rules import LONGEST_PROMISE, MOST_PEOPLE, NEEDS, Wish, positive, reached_at, read_tax_code
from crm.web.forms import Form, refusals_on, stripped

READERS: Mapping[str, Callable[[str], object]] = {
    "phone": reached_at,
    "email": read_address,
    "tax_code": read_tax_code,
}
"""What reads a field as it will be kept, or refuses it in words."""

OFFERED_MONTHS = (1, 3, 6, 12)
OFFERED_PEOPLE = (1, 2, 5, 10)
OFFERED_AMOUNTS = (200_000, 500_000, 1_000_000, 5_000_000)
OFTEN = (Frequency.ONCE, Frequency.MONTHLY)
_LINE = re.compile(
    r"\s*(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})[\s:;,–-]+([\d.,\s\u00a0]+?)\s*(?:đ|₫|VND|đồng)?\s*", re.IGNORECASE
)


class ChosenOrTyped(IntegerField):
    """A number that is tapped, or typed beside the offered ones: what is typed counts."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """The last that is not empty; nothing typed is None."""
        given = [value for value in valuelist if str(value).strip()][-1:]
        if given:
            super().process_formdata(given)
        elif valuelist:
            self.data = None

    def typed(self, offered: tuple[int, ...]) -> str:
        """What stands in the box: nothing when the number is one of those offered."""
        if self.process_errors or (self.raw_data and self.data is None):
            return next((str(value) for value in reversed(self.raw_data or []) if str(value).strip()), "")
        return "" if self.data is None or self.data in offered else str(self.data)


class ChosenOrTypedDong(MayBeEmptyDong):
    """The same for an amount."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """The last that is not empty."""
        super().process_formdata([value for value in valuelist if str(value).strip()][-1:])

    def typed(self, offered: tuple[int, ...]) -> str:
        """What stands in the box: nothing when the amount is one of those offered."""
        if self.process_errors:
            return next((str(value) for value in reversed(self.raw_data or []) if str(value).strip()), "")
        return "" if self.data is None or self.data in offered else str(self._value())


class ContributionForm(SponsorForm):
    """A contribution that somebody registers by themselves. `website` is a trap: people do not see it."""

    way = RadioField(
        _l("How I would like to help"),
        choices=[
            (Way.NEIGHBOUR.value, _l("Carry neighbours for some months")),
            (Way.AMOUNT.value, _l("Give an amount")),
        ],
    )
    people = ChosenOrTyped(_l("How many neighbours"), validators=[Optional(), NumberRange(1, MOST_PEOPLE)])
    months = ChosenOrTyped(_l("How many months"), validators=[Optional(), NumberRange(1, LONGEST_PROMISE)])
    amount = ChosenOrTypedDong(_l("How much"))
    frequency = RadioField(_l("How I transfer it"), choices=[(one.value, FREQUENCIES[one]) for one in OFTEN])
    website = StringField(_l("Leave this empty"))

    @classmethod
    def empty(cls, typed: MultiDict[str, str] | None = None) -> Self:
        """One neighbour for a year, all at once; what was typed (sent, or in the address) comes before that."""
        start = {"people": 1, "months": 12, "kind": "person", "frequency": "once", "way": "neighbour"}
        form = cls(data=start) if typed is None else cls(typed, data=start)
        form.fill_in_what_older_pages_leave_out()
        form.forget_what_does_not_count()
        return form

    def fill_in_what_older_pages_leave_out(self) -> None:
        """Without the two ways an amount counts before people and months."""
        if not self.way.raw_data and any(str(value).strip() for value in self.amount.raw_data or ()):
            self.way.data = Way.AMOUNT.value

    def forget_what_does_not_count(self) -> None:
        """What was typed for the way they then left is out of sight: it neither counts nor stops them."""
        by_amount = not self.by_neighbours
        unseen: list[Field] = [self.people] if by_amount else [self.amount]
        if by_amount and self.often is Frequency.ONCE:
            unseen.append(self.months)
        for field in unseen:
            if field.raw_data:
                field.process(MultiDict(), field.object_data)

    def validate(self, extra_validators: Any = None) -> bool:
        """Somebody must be reachable, so that they can confirm and be thanked."""
        valid = super().validate(extra_validators=extra_validators)
        for name, read in READERS.items():
            if self[name].data and not self[name].errors:
                with refusals_on(self):
                    read(self[name].data)
        valid = valid and not self.errors
        if not (self.phone.data or self.email.data or self.phone.errors or self.email.errors):
            self.email.errors = [_("Give an e-mail or a telephone number, so that you can confirm and be thanked.")]
            valid = False
        return bool(valid)

    def count(self) -> bool:
        """Whether the figures alone are sound; the rest of the form may still be empty."""
        return all([field.validate(self) for field in self._figures])

    @property
    def refused(self) -> str | None:
        """Why the figures that were typed come to nothing; None while nothing is typed."""
        for field in self._figures:
            if field.errors and any(str(value).strip() for value in field.raw_data or ()):
                return str(field.errors[0])
        return None

    @property
    def _figures(self) -> tuple[Field, ...]:
        return self.people, self.months, self.amount

    @property
    def wish(self) -> Wish:
        """Whom they would like to help. Raises RuleBroken."""
        people = self.people.data if self.by_neighbours else None
        months = self.months.data if self.by_neighbours else None
        return replace(super().wish, people=people, months=months, monthly=self.often is Frequency.MONTHLY)

    @property
    def by_neighbours(self) -> bool:
        """Whether they count in neighbours, not in đồng."""
        return bool(self.way.data != Way.AMOUNT.value)

    @property
    def often(self) -> Frequency:
        """How often they transfer."""
        return Frequency.MONTHLY if self.frequency.data == Frequency.MONTHLY.value else Frequency.ONCE

    @property
    def need(self) -> Ground:
        """Whose month the calculation takes: of who is wished for the neediest; without a wish, poor."""
        return next((ground for ground in NEEDS if ground in (self.grounds.data or ())), Ground.POOR)

    def asked(self, amount: Vnd, times: int) -> Asked:
        """The clean values with the promise they come to. Raises RuleBroken."""
        return Asked(**self.values, amount=amount, frequency=self.often, times=times)


class ScheduleForm(Form):
    """How a promise is paid."""

    frequency = RadioField(
        _l("How it is paid"),
        choices=[(frequency.value, words) for frequency, words in FREQUENCIES.items()],
        default=Frequency.ONCE.value,
        validators=[DataRequired()],
    )
    times = IntegerField(_l("How many instalments"), validators=[Optional(), NumberRange(1, LONGEST_PROMISE)])
    first = DateField(_l("First day"), validators=[Optional()])
    own = TextAreaField(_l("Days of their own"), filters=[stripped], validators=[Length(max=4000)])

    @property
    def often(self) -> Frequency:
        """How often, once the form is valid."""
        return Frequency(self.frequency.data)

    def own_dues(self) -> list[Due]:
        """The days that were written, one a line. Raises RuleBroken."""
        return read_days(self.own.data or "")


class PromiseForm(ScheduleForm):
    """A promise that staff write down."""

    amount = MayBeEmptyDong(_l("Amount promised"))
    note = TextAreaField(_l("Note"), filters=[stripped], validators=[Length(max=500)])


class ChangeForm(ScheduleForm):
    """What becomes of what is still to come."""

    amount = MayBeEmptyDong(_l("The whole promise from now on"))
    reason = StringField(_l("Why"), filters=[stripped], validators=[DataRequired(), Length(max=300)])


class EndForm(Form):
    """A promise ends."""

    reason = StringField(
        _l("Why nothing more is expected"), filters=[stripped], validators=[DataRequired(), Length(max=300)]
    )


TO_TEXTS = _l("Text me when a transfer is due, and before the help of those I carry ends.")
"""What whoever gives says yes or no to."""


class TextsForm(Form):
    """Whether whoever has only a telephone wants its reminders as messages; nobody's yes is taken for granted."""

    texts = BooleanField(
        TO_TEXTS,
        description=_l("A few messages a year, by day. You can say no at any time: tell the fund."),
    )

    @property
    def words(self) -> str:
        """What they said yes to, as it stood there."""
        return str(TO_TEXTS)


class AnswerForm(Form):
    """A sponsor was asked about reminders as messages, with the way in which they answered."""

    texts = RadioField(
        _l("What did they say?"),
        choices=[("yes", _l("Yes, they want these messages")), ("no", _l("No, or no longer"))],
        validators=[DataRequired()],
    )
    way = RadioField(
        _l("In which way did they answer?"),
        choices=[(way.value, CHANNELS[way]) for way in SPOKEN],
        default=ConsentChannel.PHONE_CALL.value,
        validators=[DataRequired()],
    )

    @property
    def wanted(self) -> bool:
        """Whether they said yes."""
        return bool(self.texts.data == "yes")

    @property
    def chosen_way(self) -> ConsentChannel:
        """The way that was ticked."""
        return ConsentChannel(self.way.data)


class TelephoneForm(TextsForm):
    """Somebody was called. `joined` is the sponsor they said they are."""

    joined = RadioField(_l("Who this is"), validators=[DataRequired()])

    def offering(self, known: Iterable[tuple[UUID, str]]) -> Self:
        """The form with the sponsors that it may be."""
        self.joined.choices = [
            *((str(key), _("%(name)s, a sponsor already", name=name)) for key, name in known),
            ("new", _("A new sponsor")),
        ]
        if self.joined.data is None and len(self.joined.choices) == 1:
            self.joined.data = "new"
        return self


class RefuseForm(Form):
    """It was nobody's promise."""

    why = StringField(_l("Why this is closed"), filters=[stripped], validators=[DataRequired(), Length(max=300)])


def read_days(text: str) -> list[Due]:
    """Lines such as "15/12/2019 5.000.000" as instalments. Raises RuleBroken for the first line that is none."""
    found = []
    for number, line in enumerate((line for line in text.splitlines() if line.strip()), 1):
        parts = _LINE.fullmatch(line)
        try:
            if parts is None:
                raise ValueError
            day = date(int(parts[3]), int(parts[2]), int(parts[1]))
            found.append(Due(day, positive(int(re.sub(r"\D", "", parts[4])))))
        except (ValueError, RuleBroken):
            message = _("Line %(number)s is not understood. Write it such as 15/12/2019 5,000,000.", number=number)
            raise RuleBroken(message, field="own") from None
    return found
