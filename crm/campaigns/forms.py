"""What an organiser types for a campaign, and what a reader of the list asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from crm.campaigns.rules.delivery import DELIVERY_NAMES, Delivery
from crm.campaigns.rules.reasons import REASONS, Reason
from crm.campaigns.rules.stages import PURPOSE_NAMES, Content
from crm.phones import read_phone
from crm.premiums.rules.wording import GROUNDS
from crm.prospects.rules import Purpose, Stage
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


class CampaignForm(Form):
    """A new campaign: its text, its purpose and who is meant."""

    name = StringField(_l("Name, for the office"), [DataRequired(), Length(max=120)], filters=[stripped])
    purpose = RadioField(_l("Kind of message"), choices=list(PURPOSE_NAMES.items()), default=Purpose.PROMOTION)
    text = TextAreaField(
        _l("Text"),
        [DataRequired(), Length(max=1000)],
        filters=[stripped],
        description=_l("{ten} is the given name, {ho_ten} the full name, {xung_ho} the form of address."),
    )
    accented = BooleanField(_l("Send with accents (two to three times the price)"))
    list = SelectField(
        _l("Saved list"),
        default="",
        description=_l("Whoever fits on the day of sending; choose more below to narrow it further."),
    )
    place = SelectField(_l("Place"), validate_choice=True)
    stage = SelectField(_l("Where people stand"), choices=_any(STAGES.items()))
    standing = SelectField(_l("Ground of support"), choices=_any(GROUNDS.items()))

    @classmethod
    def with_choices(cls, lists: Iterable[tuple[Any, str]], places: Iterable[tuple[Any, str]]) -> CampaignForm:
        """The form with the saved lists one finds and the town's places to choose from."""
        form = cls()
        form.list.choices = [("", _l("None")), *((str(value), label) for value, label in lists)]
        form.place.choices = _any(places)
        return form

    @property
    def content(self) -> Content:
        """What was typed; the filter without what was left open."""
        chosen = {
            "list": self.list.data,
            "place": self.place.data,
            "stage": self.stage.data,
            "standing": self.standing.data,
        }
        return Content(
            name=self.name.data or "",
            text=self.text.data or "",
            purpose=Purpose(self.purpose.data),
            segment={name: value for name, value in chosen.items() if value},
            accented=self.accented.data,
        )


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
