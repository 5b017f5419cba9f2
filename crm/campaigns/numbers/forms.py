"""What is asked when somebody refuses, agrees again, or hands in a list of refusals."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired
from wtforms import DateField, RadioField, SelectField, StringField, TimeField
from wtforms.validators import DataRequired, InputRequired, Length

from crm import clock
from crm.campaigns.numbers.rules import WANTED, purposes_of
from crm.prospects.rules import ConsentChannel, Purpose, mobile_of
from crm.prospects.wording import CHANNELS, PURPOSES, SPOKEN
from crm.web.forms import Form, QueryForm, stripped

MINUTE = timedelta(minutes=1)
BY_VOICE = (ConsentChannel.HOTLINE, ConsentChannel.PHONE_CALL, ConsentChannel.DOORSTEP, ConsentChannel.PAPER)


class LookUpForm(QueryForm):
    """A number in any spelling."""

    number = StringField(_l("Phone number"), filters=[stripped], validators=[Length(max=60)])


class RefuseForm(Form):
    """What somebody refuses, and how they said so."""

    what = RadioField(_l("What do they no longer want?"), choices=list(WANTED.items()), default="all")
    channel = SelectField(
        _l("How they told us"), choices=[(one.value, CHANNELS[one]) for one in BY_VOICE], default=ConsentChannel.HOTLINE
    )
    words = StringField(
        _l("Their words, or who called"),
        filters=[stripped],
        validators=[Length(max=500)],
        description=_l("For example: the daughter called, her mother wants no more messages."),
    )

    @property
    def purposes(self) -> list[Purpose]:
        """The purposes refused."""
        return purposes_of(self.what.data)

    @property
    def by(self) -> ConsentChannel:
        """The way in which it was said."""
        return ConsentChannel(self.channel.data)


class HotlineForm(RefuseForm):
    """A refusal by telephone: of any number, somebody's of the register or not."""

    number = StringField(
        _l("Which number wants no messages?"),
        filters=[stripped],
        validators=[DataRequired(_l("Write the number that is to get no more messages.")), Length(max=60)],
        description=_l("In any spelling: 0912 345 678, +84 912345678, or an old number with eleven figures."),
    )

    @property
    def phone(self) -> str:
        """The mobile in E.164. Raises RuleBroken."""
        return mobile_of(self.number.data or "")


class AgreeAgainForm(Form):
    """Proof that somebody who refused agrees again."""

    purpose = SelectField(_l("Messages"), choices=[(one.value, PURPOSES[one]) for one in Purpose])
    channel = SelectField(
        _l("How they said so"), id="again-channel", choices=[(one.value, CHANNELS[one]) for one in SPOKEN]
    )
    on = DateField(
        _l("On"), format=["%Y-%m-%d", "%d/%m/%Y"], validators=[InputRequired(_l("Write the day on which they agreed."))]
    )
    hour = TimeField(
        _l("At what time"), format=["%H:%M", "%Hh%M"], validators=[InputRequired(_l("Write the time, such as 14:30."))]
    )
    words = StringField(
        _l("In which words, or the number of the signed paper"),
        id="again-words",
        filters=[stripped],
        validators=[
            DataRequired(_l("Write in which words they agreed, or the number of the signed paper.")),
            Length(max=500),
        ],
    )

    @property
    def said_at(self) -> datetime:
        """The moment, once the form is valid.

        The minute that runs means just now: who takes back a slip at once agrees after the refusal, not before it.
        """
        day, hour = self.on.data, self.hour.data
        assert day is not None
        assert isinstance(hour, time)
        written, now = clock.at(day, hour.hour, hour.minute), clock.now()
        return now if written <= now < written + MINUTE else written


class ListForm(Form):
    """A file of numbers that want no messages."""

    file = FileField(_l("The list"), validators=[FileRequired(_l("Choose the file that holds the numbers."))])
    name = StringField(
        _l("Where it comes from"),
        filters=[stripped],
        validators=[DataRequired(_l("Write where the list comes from.")), Length(max=120)],
        description=_l("For example: the national do-not-call list, October 2019."),
    )
    what = RadioField(_l("What do these numbers no longer want?"), choices=list(WANTED.items()), default="promotion")

    @property
    def purposes(self) -> list[Purpose]:
        """The purposes that the list refuses."""
        return purposes_of(self.what.data)

    @property
    def values(self) -> dict[str, Any]:
        """The file and what is said of it."""
        file = self.file.data
        return {
            "name": self.name.data or "",
            "filename": (file.filename or "list")[:200],
            "content": file.read(),
            "purposes": self.purposes,
        }
