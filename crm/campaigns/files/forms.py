"""What is asked about the ways out and the files of the gateway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, RadioField, SelectField, StringField
from wtforms.validators import DataRequired, Length

from crm.campaigns.files.models import SmsWays
from crm.campaigns.files.rules import HOLDS, USUAL_HEADINGS, Holds, NumberForm
from crm.campaigns.rules.stages import PURPOSE_NAMES
from crm.campaigns.rules.ways import WAYS, Way
from crm.prospects.rules import Purpose
from crm.web.forms import Form, QueryForm, stripped


def _heading(held: Holds) -> StringField:
    return StringField(HOLDS[held], filters=[stripped], validators=[Length(max=60)])


class WaysForm(Form):
    """Which ways a town has, which way service messages go, and how its gateway wants a file."""

    twilio = BooleanField(_l("Twilio: reminders and service messages, one by one"))
    brandname = BooleanField(_l("A domestic brand-name gateway: files that somebody uploads there"))
    service_way = RadioField(_l("Which way do reminders and service messages go?"), choices=list(WAYS.items()))
    service_sender = StringField(_l("Sender name of service messages"), filters=[stripped])
    promotion_sender = StringField(_l("Sender name of promotions"), filters=[stripped])
    number_form = RadioField(
        _l("How numbers are written"),
        choices=[(NumberForm.EIGHTY_FOUR, "84912345678"), (NumberForm.ZERO, "0912345678")],
    )
    number_heading = _heading(Holds.NUMBER)
    text_heading = _heading(Holds.TEXT)
    reference_heading = _heading(Holds.REFERENCE)
    sender_heading = _heading(Holds.SENDER)
    purpose_heading = _heading(Holds.PURPOSE)
    by_night = BooleanField(_l("Make the files by themselves each morning, as soon as messages may leave"))

    @property
    def headings(self) -> Sequence[Any]:
        """The fields for the headings, in the order of the columns."""
        return [self[f"{held.value}_heading"] for held in Holds]

    @property
    def values(self) -> dict[str, Any]:
        """What was chosen; a column without a heading is left out."""
        told = {held.value: self[f"{held.value}_heading"].data for held in Holds}
        return {
            "twilio": self.twilio.data,
            "brandname": self.brandname.data,
            "service_way": Way(self.service_way.data),
            "service_sender": self.service_sender.data,
            "promotion_sender": self.promotion_sender.data,
            "number_form": NumberForm(self.number_form.data),
            "columns": {name: heading for name, heading in told.items() if heading},
            "by_night": self.by_night.data,
        }

    @classmethod
    def showing(cls, ways: SmsWays) -> WaysForm:
        """The form with what holds now."""
        told = {f"{held.value}_heading": ways.columns.get(held.value, "") for held in USUAL_HEADINGS}
        return cls(obj=ways, data=told)


class AskForm(Form):
    """A file of which purpose."""

    purpose = SelectField(_l("Kind of message"), choices=list(PURPOSE_NAMES.items()))

    @property
    def what(self) -> Purpose:
        """The purpose, once the form is valid."""
        return Purpose(self.purpose.data)


class TakeBackForm(Form):
    """Why a file was not uploaded."""

    why = StringField(
        _l("Why was it not uploaded?"),
        filters=[stripped],
        validators=[DataRequired(_l("Say in a few words why it was not uploaded.")), Length(max=200)],
    )
    sure = BooleanField(
        _l("I have looked at the gateway: this file is not there"),
        validators=[DataRequired(_l("Look at the gateway first: what is there already would be sent twice."))],
    )


class HandInForm(Form):
    """A file of results."""

    file = FileField(
        _l("The gateway's file"), validators=[FileRequired(_l("Choose the file of results that the gateway gave you."))]
    )


class PeopleForm(QueryForm):
    """Which messages of a file to list."""

    which = SelectField(
        _l("What became of it"),
        choices=[
            ("", _l("All")),
            ("open", _l("No result yet")),
            ("arrived", _l("Sent")),
            ("lost", _l("Not delivered")),
        ],
        default="",
    )


def columns_chosen(form: Mapping[str, str], letters: Sequence[str]) -> dict[str, str]:
    """Letter → field, as the page with the columns sends them."""
    return {letter: held for letter in letters if (held := form.get(f"column-{letter}", ""))}


def words_chosen(form: Mapping[str, str], words: Sequence[str]) -> dict[str, str]:
    """Word → meaning, as the page with the words sends them by their place."""
    return {word: meant for place, word in enumerate(words) if (meant := form.get(f"word-{place}", ""))}
