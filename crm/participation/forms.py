"""What is asked when someone joins, pays on or stops, and how the list of participants is narrowed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, Self

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, DateField, HiddenField, RadioField, SelectField, StringField
from wtforms.validators import DataRequired, Length, Optional

from crm.errors import RuleBroken
from crm.months import MONTHS_IN_YEAR, Month
from crm.participation.guard.rules import RETURNS, STOP_REASONS, Return, StopReason
from crm.participation.rules import (
    CHOSEN_ENDINGS,
    ENDINGS,
    KINDS,
    LONGEST_OPEN,
    Basis,
    Ending,
    Kind,
    Span,
    first_months,
)
from crm.premiums.forms import DongField
from crm.premiums.rules.keys import PERIODS, LawKey, Method
from crm.premiums.rules.law import LawOnDay
from crm.premiums.rules.quotes import Plan
from crm.premiums.rules.wording import METHODS
from crm.web.forms import Form, QueryForm, stripped


class PaymentForm(Form):
    """The next period of someone who takes part."""

    income = DongField(_l("Chosen income, a month"), validators=[DataRequired()])
    months = SelectField(_l("Way to pay"), coerce=int, validators=[DataRequired()])
    paid_on = DateField(_l("Day of payment"), validators=[DataRequired()])
    receipt_number = StringField(_l("Receipt number"), filters=[stripped], validators=[Length(max=40)])
    confirmation = StringField(
        _l("List or letter of the insurance office"), filters=[stripped], validators=[Length(max=200)]
    )
    alone = BooleanField(_l("Record it without the sponsor's money"))
    """Where money waits for other months than these."""
    first_month = HiddenField(filters=[stripped])

    @classmethod
    def under(cls, law: LawOnDay, **start: Any) -> Self:
        """The form for the law of a day; what is not given yet is the least income, the usual period, that day."""
        form = cls(data={"income": law.floor, "months": PERIODS[Method.QUARTERLY], "paid_on": law.day} | start)
        form.months.choices = [(months, METHODS[method]) for method, months in PERIODS.items()]
        if law.says(LawKey.INVESTMENT_PERCENT):
            form.months.choices += [
                (years * MONTHS_IN_YEAR, _l("Once for %(years)s years ahead", years=years))
                for years in range(2, law.number(LawKey.YEARS_AHEAD_MOST) + 1)
            ]
        return form

    @property
    def months_chosen(self) -> int | None:
        """For how many months one pays, once one of those offered is chosen."""
        return self.months.data if self.offers(self.months.data) else None

    def offers(self, months: int | None) -> bool:
        """Whether one can pay for so many months at once."""
        return any(months == choice[0] for choice in self.months.choices or ())

    @property
    def shown(self) -> Month | None:
        """The first month that the page spoke of, so that a second tap is no payment for the months after."""
        try:
            return Month.parse(self.first_month.data) if self.first_month.data else None
        except ValueError:
            raise RuleBroken(_l("Open the page again: it does not say which months are paid."), code="page") from None

    @property
    def plan(self) -> Plan:
        """The way to pay that was chosen."""
        return Plan.ahead(int(self.months.data))

    def proof(self, basis: Basis | None) -> dict[str, str | None]:
        """What shows that the payment was made."""
        if basis is Basis.TAKEN:
            return {"receipt_number": self.receipt_number.data}
        return {"confirmation": self.confirmation.data}


class EnrolForm(PaymentForm):
    """Someone joins or comes back."""

    start = SelectField(_l("First month"), validators=[DataRequired()])
    moved_in = BooleanField(_l("Was taking part elsewhere and moved here"))
    despite = StringField(_l("Why they join all the same"), filters=[stripped], validators=[Length(max=300)])
    """Where the law keeps somebody out: the reason of whoever answers for the money."""

    @classmethod
    def under(cls, law: LawOnDay, **start: Any) -> Self:
        """Offers every month that could still be paid by some way to pay; the service says which fits the chosen one."""
        this = Month.of(law.day)
        form = super().under(law, **{"start": str(this)} | start)
        earliest, latest = first_months(law.day, law, LONGEST_OPEN)
        form.start.choices = [(str(month), f"{month.number}/{month.year}") for month in earliest.until(latest + 1)]
        return form

    def offers_start(self, month: str | None) -> bool:
        """Whether one may begin with this month."""
        return any(month == choice[0] for choice in self.start.choices or ())

    @property
    def first(self) -> Month | None:
        """The month the payment begins with, once one of those offered is chosen."""
        return None if self.start.errors or not self.start.data else Month.parse(self.start.data)


MONTHS_OFFERED = 60
"""So many of the last months paid for stand in a list; nobody may pay for more at once."""


class StopForm(Form):
    """Someone stops for a reason other than not having paid."""

    ending = SelectField(
        _l("Why"),
        choices=[(ending.value, ENDINGS[ending]) for ending in CHOSEN_ENDINGS],
        coerce=Ending,
        validators=[DataRequired()],
    )
    on = DateField(_l("From which day on"), validators=[DataRequired()])
    not_needed_from = SelectField(_l("First month no longer needed"), choices=[], default="")
    reason = RadioField(
        _l("What made them stop?"),
        choices=[("", _l("Not asked yet")), *((reason.value, label) for reason, label in STOP_REASONS.items())],
        default="",
    )
    """Only of somebody who stops of their own will."""

    @classmethod
    def of(cls, today: date, started_on: date, paid_through: date | None) -> Self:
        """The form for a spell: of its months those that may have been paid for in vain."""
        form = cls(data={"on": today})
        last = Month.of(paid_through) if paid_through else Month.of(started_on)
        first = max(Month.of(started_on), last - (MONTHS_OFFERED - 1))
        months = [(str(month), f"{month.number}/{month.year}") for month in first.until(last + 1)]
        form.not_needed_from.choices = [("", _l("The month after that day")), *months]
        return form

    @property
    def first_not_needed(self) -> Month | None:
        """The month that was chosen, None for the one after the day."""
        return Month.parse(self.not_needed_from.data) if self.not_needed_from.data else None

    @property
    def because(self) -> StopReason | None:
        """The reason that was given, where one is asked for."""
        told = self.reason.data if self.ending.data is Ending.STOPPED else None
        return StopReason(told) if told else None


class WhyStoppedForm(Form):
    """Why somebody let it lapse or stopped, as a volunteer heard it."""

    reason = SelectField(
        _l("What made them stop?"),
        choices=[
            ("", _l("Choose what they said")),
            *((reason.value, label) for reason, label in STOP_REASONS.items()),
        ],
        coerce=lambda value: StopReason(value) if value else None,
        validators=[DataRequired(_l("Choose why they stopped."))],
    )
    back = RadioField(
        _l("Will they come back?"),
        choices=[(one.value, label) for one, label in RETURNS.items()],
        coerce=Return,
        default=Return.OPEN,
    )
    again_on = DateField(_l("Ask again on"), validators=[Optional()])


class ListForm(QueryForm):
    """Which participants to list. Every figure of the dashboard is such an address."""

    kind = SelectField(
        _l("Which people"), choices=[(kind.value, label) for kind, label in KINDS.items()], default=Kind.STOCK.value
    )
    place = SelectField(_l("Ward or commune"), filters=[stripped], validate_choice=False)
    organisation = SelectField(_l("Organisation"), filters=[stripped], validate_choice=False)
    since = DateField(_l("From"), validators=[Optional()])
    as_of = DateField(_l("Up to"), validators=[Optional()])
    reason = HiddenField(filters=[stripped])
    """Why people stopped, where a figure asks for that."""
    boundaries = DateField(validators=[Optional()])
    """The day whose wards a report drew; the place is one of them."""

    def offering(self, places: Iterable[tuple[str, str]], organisations: Iterable[tuple[str, str]]) -> Self:
        """The form with the places and organisations one may choose."""
        self.place.choices = [("", _l("All")), *places]
        self.organisation.choices = [("", _l("All")), *organisations, ("none", _l("Not on record"))]
        return self

    def last_day(self, today: date) -> date:
        """The day the list is as of: never one that has not come."""
        given: date | None = self.as_of.data
        return min(given or today, today)

    def span(self, today: date) -> Span:
        """The period of the list: from New Year unless another first day is given."""
        last = self.last_day(today)
        first: date | None = self.since.data
        return Span(first, last) if first and first <= last else Span.year_to(last)

    def chosen_kind(self) -> Kind:
        """The list asked for; of an unknown name, those who take part."""
        return Kind(self.kind.data) if self.kind.data in set(Kind) else Kind.STOCK

    def where(self) -> dict[str, Any]:
        """Place, organisation and reason as the address names them, and the day whose boundaries they are of."""
        given = {"place": self.place.data, "organisation": self.organisation.data, "reason": self.reason.data}
        return given | {"drawn": self.boundaries.data}
