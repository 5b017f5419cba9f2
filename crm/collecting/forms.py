"""What is asked to keep the network of points, and to find the nearest."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from flask_babel import lazy_gettext as _l
from wtforms import DateField, HiddenField, SelectField, SelectMultipleField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from crm.collecting.models import CollectionPoint
from crm.collecting.rules import (
    KINDS,
    LONGEST_ADDRESS,
    LONGEST_DOCUMENT,
    LONGEST_HOURS,
    LONGEST_NAME,
    LONGEST_NOTE,
    LONGEST_WHAT,
    PointKind,
    Told,
    read_spot,
)
from crm.lines import TOO_LONG
from crm.phones import pretty
from crm.web.forms import Form, QueryForm, stripped


class NearForm(QueryForm):
    """Where somebody is: their ward, and some words of their address."""

    ward = SelectField(_l("Ward or commune"), filters=[stripped], choices=[], validators=[Optional()])
    address = StringField(
        _l("Street, neighbourhood or village"),
        filters=[stripped],
        validators=[Length(max=LONGEST_ADDRESS, message=TOO_LONG)],
    )

    def offer(self, places: Iterable[tuple[str, str]]) -> None:
        self.ward.choices = [("", _l("Any")), *places]


class PointForm(Form):
    """What is told of a point; `key` makes a second tap the same point."""

    key = HiddenField(filters=[stripped])
    kind = SelectField(
        _l("What is it?"),
        choices=[(one.value, words) for one, words in KINDS.items()],
        validators=[DataRequired(_l("Choose what it is."))],
    )
    name = StringField(
        _l("Name of the point"),
        filters=[stripped],
        validators=[DataRequired(_l("Write the name of the point.")), Length(max=LONGEST_NAME, message=TOO_LONG)],
    )
    place = SelectField(_l("Ward or commune"), choices=[], validators=[DataRequired(_l("Choose a ward."))])
    address = StringField(
        _l("Address"),
        filters=[stripped],
        validators=[DataRequired(_l("Write where it is.")), Length(max=LONGEST_ADDRESS, message=TOO_LONG)],
    )
    hours = StringField(
        _l("Opening hours"),
        filters=[stripped],
        validators=[DataRequired(_l("Write when it is open.")), Length(max=LONGEST_HOURS, message=TOO_LONG)],
    )
    phone = StringField(_l("Telephone"), filters=[stripped], validators=[Length(max=40, message=TOO_LONG)])
    serves = SelectMultipleField(
        _l("Serves these as well"), choices=[], widget=ListWidget(prefix_label=False), option_widget=CheckboxInput()
    )
    spot = StringField(_l("Place on the map"), filters=[stripped], validators=[Length(max=60, message=TOO_LONG)])
    since = DateField(_l("Works from"), validators=[InputRequired(_l("Write the day."))])
    until = DateField(_l("Works until"), validators=[Optional()])
    note = StringField(_l("Note"), filters=[stripped], validators=[Length(max=LONGEST_NOTE, message=TOO_LONG)])

    @classmethod
    def of(cls, row: CollectionPoint, serves: Iterable[UUID]) -> PointForm:
        plain = {name: getattr(row, name) for name in ("name", "address", "hours", "since", "until", "note")}
        spot = f"{row.latitude}, {row.longitude}" if row.spot else None
        told = {
            "kind": row.kind.value,
            "place": str(row.place_id),
            "spot": spot,
            "serves": [str(one) for one in serves],
        }
        return cls(formdata=None, data=plain | told | {"phone": pretty(row.phone) if row.phone else None})

    def offer(self, places: Iterable[tuple[str, str]]) -> None:
        self.place.choices = list(places)
        self.serves.choices = list(places)

    @property
    def told(self) -> Told:
        """Once the form is valid. Raises RuleBroken for a spot that is none."""
        return Told(
            kind=PointKind(self.kind.data),
            name=self.name.data or "",
            address=self.address.data or "",
            hours=self.hours.data or "",
            phone=self.phone.data,
            spot=read_spot(self.spot.data),
            since=self.since.data or date.min,
            until=self.until.data,
            note=self.note.data,
        )

    @property
    def served(self) -> list[UUID]:
        return [UUID(one) for one in self.serves.data or []]


class StaffForm(Form):
    """Somebody who takes premiums there."""

    key = HiddenField(filters=[stripped])
    full_name = StringField(
        _l("Full name"),
        filters=[stripped],
        validators=[DataRequired(_l("Write the name.")), Length(max=LONGEST_NAME, message=TOO_LONG)],
    )
    phone = StringField(_l("Telephone"), filters=[stripped], validators=[Length(max=40, message=TOO_LONG)])
    since = DateField(_l("Works from"), validators=[InputRequired(_l("Write the day."))])


class LeaveForm(Form):
    """The last day of somebody at a point."""

    until = DateField(_l("Works until"), validators=[InputRequired(_l("Write the day."))])


class TrainingForm(Form):
    """What somebody was trained in."""

    what = StringField(
        _l("Training in"),
        filters=[stripped],
        validators=[DataRequired(_l("Write what it was about.")), Length(max=LONGEST_WHAT, message=TOO_LONG)],
    )
    held_on = DateField(_l("On which day"), validators=[InputRequired(_l("Write the day."))])
    valid_until = DateField(_l("Valid until"), validators=[Optional()])
    document = StringField(
        _l("Number of the certificate"), filters=[stripped], validators=[Length(max=LONGEST_DOCUMENT, message=TOO_LONG)]
    )
