"""What is logged of an event."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from flask_babel import lazy_gettext as _l
from wtforms import DateField, HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from crm.ids import id_or_new, read_id
from crm.lines import TOO_LONG
from crm.reports.events.rules import KINDS, LONGEST_NOTE, LONGEST_TITLE, LONGEST_VENUE, EventKind, Happened
from crm.web.fields import CountField
from crm.web.forms import Form, stripped


class EventForm(Form):
    """Date, place, kind, how many came; `key` makes a second tap the same event."""

    key = HiddenField(filters=[stripped])
    kind = RadioField(
        _l("What kind of event?"),
        choices=[(one.value, words) for one, words in KINDS.items()],
        validators=[DataRequired(_l("Choose what it was."))],
    )
    title = StringField(
        _l("What was it about?"),
        filters=[stripped],
        validators=[DataRequired(_l("Write what it was about.")), Length(max=LONGEST_TITLE, message=TOO_LONG)],
    )
    held_on = DateField(_l("On which day"), validators=[InputRequired(_l("Write the day."))])
    place = SelectField(_l("Ward or commune"), choices=[], validators=[DataRequired(_l("Choose a ward."))])
    venue = StringField(
        _l("Where exactly"), filters=[stripped], validators=[Length(max=LONGEST_VENUE, message=TOO_LONG)]
    )
    attended = CountField(_l("How many people came"), validators=[Optional()])
    times = CountField(_l("How many times"), validators=[Optional()])
    leaflets = CountField(_l("Leaflets handed out"), validators=[Optional()])
    note = TextAreaField(
        _l("Note: materials, questions people asked"),
        filters=[stripped],
        validators=[Length(max=LONGEST_NOTE, message=TOO_LONG)],
    )

    def offer(self, places: Iterable[tuple[str, str]]) -> None:
        self.place.choices = list(places)

    @property
    def event_id(self) -> UUID:
        """Made by the page; a new one where it is no UUID."""
        return id_or_new(self.key.data)

    def happened(self, today: date) -> Happened:
        """Once the form is valid."""
        return Happened(
            kind=EventKind(self.kind.data),
            held_on=self.held_on.data or today,
            title=self.title.data or "",
            venue=self.venue.data,
            times=1 if self.times.data is None else self.times.data,
            attended=self.attended.data,
            leaflets=self.leaflets.data,
            note=self.note.data,
        )


class MetForm(Form):
    """Who showed interest."""

    person = HiddenField(filters=[stripped], validators=[DataRequired()])

    @property
    def prospect_id(self) -> UUID | None:
        return read_id(self.person.data)
