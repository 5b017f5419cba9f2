"""The forms about visits and assignments."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from wtforms import DateField, HiddenField, IntegerField, RadioField, SelectField, SelectMultipleField, TextAreaField
from wtforms import validators as check
from wtforms.validators import DataRequired, Length, NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from crm.outreach.rules import (
    CHANNELS,
    LONGEST_NOTE,
    OUTCOMES,
    REASONS,
    Channel,
    Outcome,
    Reason,
    reasons_after,
)
from crm.web.forms import Form, QueryForm, stripped

ANY = ""
NOBODY = "nobody"

Offered = Iterable[tuple[UUID, Any]]


def _choices(words: Any) -> list[tuple[str, Any]]:
    return [(choice.value, label) for choice, label in words.items()]


def _ids(offered: Offered) -> list[tuple[str, Any]]:
    return [(str(key), label) for key, label in offered]


class VisitForm(Form):
    """How it went. `client_id` is made with the page, so that a second tap finds the first visit."""

    client_id = HiddenField(validators=[DataRequired(), check.UUID()])
    channel = RadioField(_l("Where did you talk?"), choices=_choices(CHANNELS), default=Channel.HOME_VISIT.value)
    occurred_on = DateField(_l("On another day"), validators=[Optional()])
    outcome = SelectField(_l("How did it go?"), choices=_choices(OUTCOMES), validators=[DataRequired()])

    @property
    def chosen(self) -> tuple[Channel, Outcome]:
        return Channel(self.channel.data), Outcome(self.outcome.data)


class DetailsForm(Form):
    """What may be added once a visit is saved."""

    next_contact_on = DateField(_l("Come again on"), validators=[Optional()])
    reasons = SelectMultipleField(
        _l("What holds them back?"),
        choices=_choices(REASONS),
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    channel = RadioField(_l("Where did you talk?"), choices=_choices(CHANNELS), default=Channel.HOME_VISIT.value)
    note = TextAreaField(_l("Note"), filters=[stripped], validators=[Length(max=LONGEST_NOTE)])

    def ask_after(self, outcome: Outcome, given: Collection[str]) -> None:
        """Offer the reasons that fit an outcome, and those that were given already."""
        fitting = {*reasons_after(outcome), *(Reason(one) for one in given)}
        self.reasons.choices = [(one.value, words) for one, words in REASONS.items() if one in fitting]

    @property
    def values(self) -> dict[str, Any]:
        """The clean values, for the service."""
        return {
            "channel": Channel(self.channel.data),
            "reasons": frozenset(Reason(one) for one in self.reasons.data or ()),
            "note": self.note.data,
            "next_contact_on": self.next_contact_on.data,
        }


class VisitsForm(QueryForm):
    """What the list of visits is narrowed to."""

    outcome = SelectField(_l("Outcome"), choices=[(ANY, _l("All")), *_choices(OUTCOMES)], default=ANY)
    day = DateField(_l("Day"), validators=[Optional()])


class WhoForm(QueryForm):
    """Whose people are to be given away: by ward, neighbourhood, organisation and who has them now."""

    place = SelectField(_l("Ward or commune"), default=ANY)
    neighbourhood = SelectField(_l("Neighbourhood"), default=ANY)
    organisation = SelectField(_l("Organisation"), default=ANY)
    held_by = SelectField(_l("Who looks after them now"), default=NOBODY)

    def offer(self, places: Offered, neighbourhoods: Offered, organisations: Offered, volunteers: Offered) -> None:
        """What may be chosen: ids and names. What is not offered counts as not chosen."""
        self.place.choices = [(ANY, _l("All wards and communes")), *_ids(places)]
        self.neighbourhood.choices = [(ANY, _l("All neighbourhoods")), *_ids(neighbourhoods)]
        self.organisation.choices = [(ANY, _l("All organisations")), *_ids(organisations)]
        self.held_by.choices = [(NOBODY, _l("Nobody yet")), *_ids(volunteers)]
        for field in (self.place, self.neighbourhood, self.organisation, self.held_by):
            if field.data not in [choice[0] for choice in field.choices or ()]:
                field.data = field.default

    @staticmethod
    def id_of(field: SelectField) -> UUID | None:
        """The id that was chosen in one of the fields."""
        return UUID(field.data) if field.data not in (ANY, NOBODY) else None


class AssignForm(Form):
    """To whom, and whom: ticked one by one, or so many from the top of the list."""

    volunteer = SelectField(_l("Give to"), default=ANY)
    first = IntegerField(_l("Or the first so many of the list"), validators=[Optional(), NumberRange(min=1, max=1000)])
    people = SelectMultipleField(_l("Residents"), coerce=UUID, choices=[], validate_choice=False)
    act = HiddenField(default="give")

    def offer(self, volunteers: Offered) -> None:
        """Whom one may give to."""
        self.volunteer.choices = [(ANY, _l("Choose somebody")), *_ids(volunteers)]

    @property
    def takes_back(self) -> bool:
        return bool(self.act.data == "take")

    def validate(self, extra_validators: Any = None) -> bool:
        """Somebody must be chosen, and somebody to give them to."""
        if not super().validate(extra_validators=extra_validators):
            return False
        if not (self.people.data or self.first.data):
            self.first.errors = [_l("Tick people in the list, or write how many from the top.")]
        elif not (self.volunteer.data or self.takes_back):
            self.volunteer.errors = [_l("Choose who is to look after them.")]
        return not self.errors
