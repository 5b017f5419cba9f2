"""The forms about work packages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, DateField, IntegerField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from crm.outreach.packages.rules import LONGEST_NAME, LONGEST_NOTE, MOST_DAYS, MOST_PEOPLE, USUAL_SIZE
from crm.outreach.rules import LONGEST_NOTE as LONGEST_VISIT_NOTE
from crm.outreach.rules import Outcome
from crm.prospects.rules import Ground, Stage
from crm.prospects.wording import GROUNDS, STAGES
from crm.web.forms import Form, QueryForm, stripped

ANY = ""
OPEN = "open"
WORKABLE = (Stage.CONSIDERING, Stage.INTERESTED, Stage.AGREED, Stage.REFUSED, Stage.LAPSED)

Offered = Iterable[tuple[UUID, Any]]


def _ids(offered: Offered) -> list[tuple[str, Any]]:
    return [(str(key), label) for key, label in offered]


class CutForm(QueryForm):
    """Out of whom a package is cut."""

    place = SelectField(_l("Ward or commune"), default=ANY)
    neighbourhood = SelectField(_l("Neighbourhood"), default=ANY)
    segment = SelectField(_l("Saved list"), default=ANY)
    stage = SelectField(
        _l("Where they stand"),
        choices=[
            (ANY, _l("Nobody has met them yet")),
            (OPEN, _l("Everybody still to be won")),
            *((one.value, STAGES[one]) for one in WORKABLE),
        ],
        default=ANY,
    )
    standing = SelectField(
        _l("Group"), choices=[(ANY, _l("All")), *((one.value, GROUNDS[one]) for one in Ground)], default=ANY
    )
    size = IntegerField(
        _l("How many people"), validators=[Optional(), NumberRange(min=1, max=MOST_PEOPLE)], default=USUAL_SIZE
    )

    def offer(
        self, places: Offered, neighbourhoods: Mapping[str, Offered], segments: Iterable[tuple[str, Any]]
    ) -> None:
        """What may be chosen, neighbourhoods under the names of their wards. What is not offered counts as not chosen."""
        self.segment.choices = [(ANY, _l("None")), *segments]
        self.place.choices = [(ANY, _l("All wards and communes")), *_ids(places)]
        parts = {ward: _ids(offered) for ward, offered in neighbourhoods.items()}
        self.neighbourhood.choices = {"": [(ANY, _l("All neighbourhoods"))], **parts}
        for field in (self.place, self.segment, self.stage, self.standing):
            if field.data not in [choice[0] for choice in field.choices or ()]:
                field.data = field.default
        if self.neighbourhood.data not in [key for offered in parts.values() for key, _label in offered]:
            self.neighbourhood.data = ANY

    @property
    def chosen_size(self) -> int:
        """The size asked for, where it is one, else the usual one."""
        return self.size.data if isinstance(self.size.data, int) and 1 <= self.size.data <= MOST_PEOPLE else USUAL_SIZE


class GiveForm(Form):
    """To whom, until when, and who."""

    volunteer = SelectField(_l("Give to"), default=ANY)
    name = StringField(
        _l("Name of the package"), filters=[stripped], validators=[DataRequired(), Length(max=LONGEST_NAME)]
    )
    until = DateField(_l("Last day"), validators=[InputRequired()])
    note = TextAreaField(_l("A word to the volunteer"), filters=[stripped], validators=[Length(max=LONGEST_NOTE)])
    people = SelectMultipleField(_l("Residents"), coerce=UUID, choices=[], validate_choice=False)

    def offer(self, volunteers: Offered) -> None:
        """Whom one may give to."""
        self.volunteer.choices = [(ANY, _l("Choose somebody")), *_ids(volunteers)]

    def validate(self, extra_validators: Any = None) -> bool:
        """Somebody must be chosen."""
        passed = super().validate(extra_validators=extra_validators)
        if passed and not self.volunteer.data:
            self.volunteer.errors = [_l("Choose who is to look after them.")]
        return not self.errors


class BackForm(Form):
    """Why it comes back, and whether those who were met come back as well."""

    note = TextAreaField(_l("Why?"), filters=[stripped], validators=[Length(max=LONGEST_NOTE)])
    met_too = BooleanField(_l("Those who were met come back as well"))


class ExtendForm(Form):
    """So many days more."""

    days = IntegerField(_l("Days"), validators=[InputRequired(), NumberRange(min=1, max=MOST_DAYS)])


class Row(NamedTuple):
    """A line of a paper list as it was typed: no outcome where nothing was ticked."""

    prospect_id: UUID
    outcome: Outcome | None
    note: str | None


class EntryForm(Form):
    """A paper list typed in: the day once, then a line for each person."""

    walked_on = DateField(_l("Day of the walk"), validators=[InputRequired()])
    rows: Sequence[Row] = ()

    def read(self, sent: MultiDict[str, str]) -> None:
        """The lines of the page: `person`, `outcome-ID` and `note-ID` for each."""
        self.rows = [row for text in sent.getlist("person") if (row := _row(sent, text))]

    def validate(self, extra_validators: Any = None) -> bool:
        """Notes must be short enough to be read."""
        passed = bool(super().validate(extra_validators=extra_validators))
        if any(len(row.note or "") > LONGEST_VISIT_NOTE for row in self.rows):
            self.form_errors.append(_l("A note is too long. Write at most 2,000 letters."))
            return False
        return passed


def _row(sent: MultiDict[str, str], text: str) -> Row | None:
    try:
        key = UUID(text)
    except ValueError:
        return None
    outcome = next((one for one in Outcome if one.value == sent.get(f"outcome-{key}")), None)
    return Row(key, outcome, stripped(sent.get(f"note-{key}")))
