"""What the treasurer writes to give money back, to put a receipt right, and to decide what another asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from crm.money import Vnd
from crm.months import Month
from crm.premiums.forms import DongField, MayBeEmptyDong
from crm.sponsors.ledger.rules import Decision
from crm.web.forms import Form, stripped


class RefundForm(Form):
    """Money that went back to a sponsor."""

    amount = DongField(_l("Amount returned"), validators=[InputRequired()])
    reference = StringField(_l("Bank reference of the transfer"), filters=[stripped], validators=[Length(max=60)])
    reason = TextAreaField(_l("Why it is returned"), filters=[stripped], validators=[DataRequired(), Length(max=300)])


class CorrectForm(Form):
    """A receipt was recorded by mistake."""

    reason = TextAreaField(_l("What was wrong"), filters=[stripped], validators=[DataRequired(), Length(max=300)])


class GiveBackForm(Form):
    """From which month on the money is given back."""

    since = SelectField(_l("From which month on"), validators=[DataRequired()])

    @classmethod
    def of(cls, months: Iterable[tuple[Month, str]]) -> Self:
        """The form with the months that are still carried, the last chosen."""
        choices = [(str(month), words) for month, words in months]
        form = cls(data={"since": choices[-1][0] if choices else None})
        form.since.choices = choices
        return form

    @property
    def month(self) -> Month:
        """The first month that is given back, once the form is valid."""
        return Month.parse(self.since.data)


class DecisionForm(Form):
    """Yes or no to what another asked for."""

    decision = RadioField(
        _l("Your decision"),
        choices=[(Decision.APPROVED.value, _l("Approve: it is done at once")), (Decision.REFUSED.value, _l("Refuse"))],
        validators=[DataRequired()],
    )
    words = TextAreaField(_l("Note"), filters=[stripped], validators=[Length(max=300)])


class LimitForm(Form):
    """Above which amount it takes two people."""

    amount = MayBeEmptyDong(_l("Above this amount a second person approves"))

    @property
    def value(self) -> Vnd | None:
        """The limit; None for none."""
        found: Vnd | None = self.amount.data
        return found
