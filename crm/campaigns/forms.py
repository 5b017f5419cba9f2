"""What an organiser types for a campaign, and what a reader of the list asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    DateField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
    TimeField,
)
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional, Regexp
from wtforms.widgets import HiddenInput

from crm.campaigns.rules.delivery import DELIVERY_NAMES, Delivery
from crm.campaigns.rules.reasons import REASONS, Reason
from crm.campaigns.rules.stages import FOLLOW_DAYS, PURPOSE_NAMES
from crm.campaigns.rules.texts import LONGEST_TEXT
from crm.clock import at
from crm.phones import read_phone
from crm.premiums.forms import DongField, MayBeEmptyDong
from crm.premiums.rules.wording import GROUNDS
from crm.prospects.rules import Purpose, Stage
from crm.web.fields import CountField
from crm.web.forms import Form, QueryForm, stripped

STAGES = {
    Stage.NEW: _l("Never met"),
    Stage.UNREACHED: _l("Called on, not met yet"),
    Stage.CONSIDERING: _l("Thinking it over"),
    Stage.INTERESTED: _l("Interested"),
    Stage.AGREED: _l("Agreed to join"),
    Stage.JOINED: _l("Takes part"),
    Stage.LAPSED: _l("Has stopped paying"),
}


def _any(choices: Iterable[tuple[Any, Any]]) -> list[tuple[str, Any]]:
    return [("", _l("All")), *((str(value), label) for value, label in choices)]


class WhomForm(Form):
    """The first step: what the campaign is called, what it is for, and who is meant."""

    name = StringField(_l("Name, for the office"), [DataRequired(), Length(max=120)], filters=[stripped])
    purpose = RadioField(
        _l("Kind of message"),
        choices=list(PURPOSE_NAMES.items()),
        default=Purpose.SERVICE,
        validators=[InputRequired()],
        description=_l("People agree to each kind by itself. What invites somebody to join is a promotion."),
    )
    list = SelectField(
        _l("Saved list"),
        default="",
        description=_l("Whoever fits when everybody is looked at; choose more below to narrow it further."),
    )
    place = SelectField(_l("Place"), validate_choice=True)
    stage = SelectField(_l("Where people stand"), choices=_any(STAGES.items()))
    standing = SelectField(_l("Ground of support"), choices=_any(GROUNDS.items()))
    version = IntegerField(validators=[Optional()], widget=HiddenInput())

    @classmethod
    def with_choices(
        cls, lists: Iterable[tuple[Any, str]], places: Iterable[tuple[Any, str]], data: Mapping[str, Any] | None = None
    ) -> WhomForm:
        """The form with the saved lists one finds and the town's places to choose from."""
        form = cls(data=data)
        form.list.choices = [("", _l("None")), *((str(value), label) for value, label in lists)]
        form.place.choices = _any(places)
        return form

    @property
    def segment(self) -> dict[str, str]:
        """The filter without what was left open."""
        chosen = {
            "list": self.list.data,
            "place": self.place.data,
            "stage": self.stage.data,
            "standing": self.standing.data,
        }
        return {name: str(value) for name, value in chosen.items() if value}


class WhatForm(Form):
    """The second step: a template, or a text of one's own."""

    template = SelectField(_l("Template"), default="", validators=[Optional()])
    text = TextAreaField(_l("Text"), [Length(max=LONGEST_TEXT)], filters=[stripped])
    accented = BooleanField(_l("Send with accents"))
    version = IntegerField(validators=[Optional()], widget=HiddenInput())

    @classmethod
    def with_choices(cls, templates: Iterable[tuple[Any, str]], data: Mapping[str, Any] | None = None) -> WhatForm:
        """The form with the templates of this purpose."""
        form = cls(data=data)
        form.template.choices = [("", _l("A text of its own")), *((str(value), label) for value, label in templates)]
        return form

    def validate(self, extra_validators: object = None) -> bool:
        """There must be a text."""
        valid = super().validate(extra_validators=extra_validators)
        if not self.template.data and not self.text.data:
            self.text.errors = [_("Write the text, or choose a template.")]
            valid = False
        return bool(valid)


class WhenForm(Form):
    """The third step: when it begins, until when, and what it may cost."""

    begins = RadioField(
        _l("When"),
        choices=[("now", _l("As soon as it is launched")), ("later", _l("At a chosen time"))],
        default="now",
        validators=[InputRequired()],
    )
    day = DateField(_l("Day"), [Optional()])
    time = TimeField(_l("Time"), [Optional()])
    last_day = DateField(
        _l("Last day"),
        [Optional()],
        description=_l("What could not leave by then is not sent any more. Left empty: three days."),
    )
    budget = MayBeEmptyDong(_l("What it may cost at most"), [Optional(), NumberRange(min=1)])
    control_percent = RadioField(
        _l("Compare with people who get nothing"),
        choices=[("0", _l("No")), ("5", "5 %"), ("10", "10 %"), ("20", "20 %"), ("50", "50 %")],
        default="0",
        description=_l("So many are chosen by chance and get no message. Only so can be seen what the message did."),
    )
    follow_days = IntegerField(
        _l("Visits and joinings count for so many days"), [InputRequired(), NumberRange(1, 365)], default=FOLLOW_DAYS
    )
    version = IntegerField(validators=[Optional()], widget=HiddenInput())

    def validate(self, extra_validators: object = None) -> bool:
        """A chosen time has a day and an hour."""
        valid = super().validate(extra_validators=extra_validators)
        if self.begins.data == "later":
            for field, words in ((self.day, _("Choose the day.")), (self.time, _("Choose the time."))):
                if not field.data and not field.errors:
                    field.errors = [words]
                    valid = False
        return bool(valid)

    @property
    def scheduled_for(self) -> datetime | None:
        """The chosen moment, Vietnam's time."""
        if self.begins.data != "later" or not self.day.data or not self.time.data:
            return None
        return at(self.day.data, self.time.data.hour, self.time.data.minute)

    @property
    def values(self) -> dict[str, Any]:
        """What was typed, as the campaign keeps it."""
        return {
            "scheduled_for": self.scheduled_for,
            "last_day": self.last_day.data,
            "budget": self.budget.data,
            "control_percent": int(self.control_percent.data),
            "follow_days": self.follow_days.data,
        }


class MoveForm(Form):
    """Another time for a campaign that was launched."""

    day = DateField(_l("Day"), [InputRequired()])
    time = TimeField(_l("Time"), [InputRequired()])

    @property
    def moment(self) -> datetime:
        """The chosen moment, Vietnam's time."""
        assert self.day.data, "a valid form has a day"
        assert self.time.data, "a valid form has a time"
        return at(self.day.data, self.time.data.hour, self.time.data.minute)


class TrialForm(Form):
    """A number of somebody who works here."""

    phone = StringField(_l("Telephone number"), [DataRequired(), Length(max=40)], filters=[stripped])


class WordsForm(Form):
    """A word to the second person, or from them."""

    words = StringField(_l("A word about it"), [Length(max=300)], filters=[stripped])


class RefusalForm(Form):
    """Why not."""

    words = StringField(
        _l("Why not"),
        [DataRequired(_l("Write why not, so that it can be mended.")), Length(max=300)],
        filters=[stripped],
    )


class SmsSettingsForm(Form):
    """What an administrator decides about messages."""

    opens = TimeField(_l("From this hour"), [InputRequired()])
    closes = TimeField(_l("Until this hour"), [InputRequired()])
    price = DongField(_l("Price of one segment"), [InputRequired(), NumberRange(1, 100_000)])
    sender = StringField(
        _l("Sender name"),
        [Length(max=11), Optional(), Regexp(r"[A-Za-z0-9 ]+$", message=_l("Letters without accents and digits only."))],
        filters=[stripped],
        description=_l("As it is registered, without accents, at most 11 letters."),
    )
    unregistered_until = DateField(
        _l("Texts without approval may leave until"),
        [Optional()],
        description=_l(
            "Empty: with a sender name only texts leave that the carrier has approved for it, reminders too."
        ),
    )
    unregistered_why = StringField(_l("Why"), [Length(max=200)], filters=[stripped])
    month_budget = MayBeEmptyDong(
        _l("What all campaigns of a month may cost at most"), [Optional(), NumberRange(min=1)]
    )
    approve_messages = CountField(_l("A campaign of more messages takes two people"), [Optional()])
    approve_cost = MayBeEmptyDong(_l("A campaign that costs more takes two people"), [Optional()])


class MessagesForm(QueryForm):
    """Which messages to list."""

    state = SelectField(_l("State"), choices=_any(DELIVERY_NAMES.items()), default="")
    reason = SelectField(_l("Why"), choices=_any(REASONS.items()), default="")
    campaign = SelectField(_l("Campaign"), default="", validate_choice=False)
    number = StringField(_l("Phone number"), filters=[stripped])

    def offering(self, campaigns: Iterable[tuple[Any, str]]) -> MessagesForm:
        """The form with the campaigns to choose from."""
        self.campaign.choices = _any(campaigns)
        return self

    @property
    def narrowed(self) -> dict[str, Any]:
        """What was chosen, for `messages_seen`; what means nothing narrows nothing, a number nobody reads finds nobody."""
        named = (self.state.data, Delivery), (self.reason.data, Reason), (self.campaign.data, UUID)
        state, reason, campaign = (_read(kind, value) for value, kind in named)
        number = self.number.data
        phone = (read_phone(number).mobile or read_phone(number).landline or "") if number else None
        return {"state": state, "reason": reason, "campaign_id": campaign, "phone": phone}

    @property
    def asked(self) -> dict[str, str]:
        """The same as it stands in an address, for the next page."""
        return {one.name: one.data for one in (self.state, self.reason, self.campaign, self.number) if one.data}


def _read(kind: Callable[[str], Any], value: str | None) -> Any:
    try:
        return kind(value) if value else None
    except ValueError:
        return None


REFUSED = {"all": _l("All messages"), "promotion": _l("Promotions only")}


class OptOutForm(Form):
    """What a person refuses."""

    what = RadioField(
        _l("What do you no longer want?"),
        choices=list(REFUSED.items()),
        default="all",
    )

    @property
    def purposes(self) -> list[Purpose]:
        """The purposes refused; without a choice, all of them."""
        return [Purpose.PROMOTION] if self.what.data == "promotion" else list(Purpose)

    @property
    def chosen(self) -> str:
        """The words that were chosen, as they stood on the page."""
        return str(REFUSED.get(self.what.data, REFUSED["all"]))
