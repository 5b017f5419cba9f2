"""What is typed for a template, and what the carrier said of it."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import DateField, IntegerField, RadioField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, Optional
from wtforms.widgets import HiddenInput

from crm.campaigns.rules.stages import PURPOSE_NAMES
from crm.campaigns.rules.texts import LONGEST_TEXT
from crm.campaigns.templating.rules import REGISTERED, Registered
from crm.prospects.rules import Purpose
from crm.web.forms import Form, stripped


class TemplateForm(Form):
    """A template's name, purpose and text."""

    name = StringField(_l("Name, for the office"), [DataRequired(), Length(max=120)], filters=[stripped])
    purpose = RadioField(
        _l("Kind of message"),
        choices=list(PURPOSE_NAMES.items()),
        default=Purpose.SERVICE,
        validators=[InputRequired()],
    )
    text = TextAreaField(_l("Text"), [DataRequired(), Length(max=LONGEST_TEXT)], filters=[stripped])


class ChangeForm(Form):
    """Another name or text. The purpose stays: consent is given for a purpose."""

    name = StringField(_l("Name, for the office"), [DataRequired(), Length(max=120)], filters=[stripped])
    text = TextAreaField(_l("Text"), [DataRequired(), Length(max=LONGEST_TEXT)], filters=[stripped])
    number = IntegerField(validators=[Optional()], widget=HiddenInput())


class RegistrationForm(Form):
    """What became of registering a version."""

    state = RadioField(
        _l("What became of it"),
        choices=[(state.value, words) for state, words in REGISTERED.items() if state is not Registered.DRAFT],
        validators=[InputRequired()],
    )
    sender = StringField(
        _l("Sender name"),
        [DataRequired(), Length(max=11)],
        filters=[stripped],
        description=_l("As it is registered, without accents, at most 11 letters."),
    )
    on = DateField(_l("On which day"), [InputRequired()])
    number = StringField(_l("The carrier's number"), [Length(max=60)], filters=[stripped])
    words = StringField(_l("What the carrier said"), [Length(max=300)], filters=[stripped])
