"""The rule of credit, and a line of the list."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import DateField, HiddenField, IntegerField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from crm.emulation.rules import CREDITS, FORMS
from crm.web.forms import Form, stripped


class CreditForm(Form):
    """To whom joiners are credited from a day on."""

    since = DateField(_l("From which day on"), validators=[DataRequired()])
    credit = RadioField(
        _l("When two organisations met the same person"),
        choices=[(one.value, words) for one, words in CREDITS.items()],
        validators=[DataRequired()],
    )
    days = IntegerField(_l("A visit counts for so many days"), validators=[InputRequired(), NumberRange(1, 366)])


class ProposeForm(Form):
    """Whom to put on the list: `organisation:<id>` or `volunteer:<id>`."""

    who = HiddenField(filters=[stripped], validators=[DataRequired()])


class LineForm(Form):
    """A line of Biểu 06."""

    name = StringField(_l("Name"), filters=[stripped], validators=[DataRequired(), Length(max=200)])
    post = StringField(_l("Post, unit"), filters=[stripped], validators=[Optional(), Length(max=200)])
    result = TextAreaField(_l("Result"), filters=[stripped], validators=[DataRequired(), Length(max=1000)])
    form = SelectField(_l("Form proposed"), choices=[(one.value, words) for one, words in FORMS.items()])
    years_in_row = IntegerField(_l("Years in a row"), validators=[InputRequired(), NumberRange(1, 60)])
