"""What somebody notes of a duty, and the day the office gives it."""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import lazy_gettext as _l
from wtforms import DateField, IntegerField, RadioField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from crm.lines import TOO_LONG
from crm.reports.duties.rules import (
    FIRST_YEAR,
    LAST_ACTOR,
    LAST_YEAR,
    LONGEST_DOCUMENT,
    LONGEST_LINK,
    LONGEST_WORDS,
    STEPS,
    Step,
)
from crm.web.forms import Form, QueryForm, stripped


class FilterForm(QueryForm):
    """Which duties; sent by GET."""

    year = IntegerField(_l("Year"), validators=[Optional(), NumberRange(FIRST_YEAR, LAST_YEAR)])
    actor = IntegerField(_l("Actor"), validators=[Optional(), NumberRange(1, LAST_ACTOR)])
    late = StringField(filters=[stripped])


class TakeOverForm(Form):
    """For which year the plan's duties are taken over."""

    year = IntegerField(_l("Year"), validators=[InputRequired(), NumberRange(FIRST_YEAR, LAST_YEAR)])


class StepForm(Form):
    """What was done, when, and what shows it."""

    step = RadioField(_l("How does it stand?"), choices=[], validators=[DataRequired(_l("Choose how it stands."))])
    words = TextAreaField(
        _l("What was done"),
        filters=[stripped],
        validators=[DataRequired(_l("Write what was done.")), Length(max=LONGEST_WORDS, message=TOO_LONG)],
    )
    on_day = DateField(_l("On which day"), validators=[InputRequired(_l("Write the day."))])
    document = StringField(
        _l("Number of the paper that shows it"),
        filters=[stripped],
        validators=[Length(max=LONGEST_DOCUMENT, message=TOO_LONG)],
    )
    link = StringField(
        _l("Address where it can be seen"), filters=[stripped], validators=[Length(max=LONGEST_LINK, message=TOO_LONG)]
    )

    def offer(self, steps: Iterable[Step]) -> None:
        self.step.choices = [(one.value, STEPS[one]) for one in steps]


class DayForm(Form):
    """Until when; empty for all year."""

    due_on = DateField(_l("To be done by"), validators=[Optional()])
