"""Sending a list, and what the office answered."""

from __future__ import annotations

from uuid import UUID

from flask_babel import lazy_gettext as _l
from wtforms import DateField, SelectField, SelectMultipleField, StringField
from wtforms.validators import DataRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from crm.participation.referrals.rules import ANSWERS, Answer
from crm.web.forms import Form, stripped


class SendForm(Form):
    """Who goes in the list, and on which day it is handed over."""

    sent_on = DateField(_l("Day of sending"), validators=[DataRequired()])
    referrals = SelectMultipleField(
        _l("People"),
        validators=[DataRequired(_l("Tick at least one person."))],
        validate_choice=False,
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )

    @property
    def ids(self) -> list[UUID]:
        """The referrals ticked; what is no id is nobody."""
        found = []
        for text in self.referrals.data or []:
            try:
                found.append(UUID(text))
            except ValueError:
                continue
        return found


class AnswerForm(Form):
    """What the insurance office says of one person."""

    answer = SelectField(
        _l("Answer"),
        choices=[(one.value, words) for one, words in ANSWERS.items()],
        coerce=Answer,
        validators=[DataRequired()],
    )
    note = StringField(_l("Note"), filters=[stripped], validators=[Length(max=500)])
