"""Who will sign in for a sponsor, and what somebody said about being named."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import DateField, RadioField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from crm.sponsors.letters.rules import WAYS, Way
from crm.web.forms import Form, stripped

LONGEST_WORDS = 2000


class InviteForm(Form):
    """Somebody of the sponsor, and what they will sign in with."""

    full_name = StringField(_l("Full name"), filters=[stripped], validators=[DataRequired(), Length(max=120)])
    identity = StringField(
        _l("E-mail or mobile number"), filters=[stripped], validators=[DataRequired(), Length(max=200)]
    )


class NamingForm(Form):
    """Yes or no to being named to a sponsor, with when, how and in which words."""

    given = RadioField(
        _l("What did they say?"),
        choices=[("yes", _l("Yes, the sponsor may know my name")), ("no", _l("No, or no longer"))],
        validators=[DataRequired()],
    )
    way = RadioField(_l("How did they say it?"), choices=[(way.value, words) for way, words in WAYS.items()])
    said_on = DateField(_l("On which day?"), validators=[DataRequired()])
    words = TextAreaField(
        _l("In which words?"), filters=[stripped], validators=[DataRequired(), Length(max=LONGEST_WORDS)]
    )

    @property
    def chosen_way(self) -> Way:
        """The way that was ticked."""
        return Way(self.way.data)
