"""The forms about people."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, DateField, HiddenField, RadioField, SelectField, StringField, TimeField
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from crm import clock
from crm.errors import Refusals, RuleBroken
from crm.phones import pretty
from crm.prospects.editing import BIRTH, HOME, NUMBERS
from crm.prospects.reading.outcomes import Reason
from crm.prospects.reading.values import read_birth
from crm.prospects.rules import (
    PAPER_NEEDED,
    ConsentChannel,
    Ground,
    Kinship,
    NewConsent,
    NewStanding,
    Purpose,
    Sex,
)
from crm.prospects.wording import CHANNELS, FIELDS, GROUNDS, KINSHIPS, SEXES, SPOKEN
from crm.web.forms import Form, stripped

Choice = tuple[str, Any]

_UNREADABLE = _l("Write the birth as 12/8/1977, or only the year.")
_BIRTH_SENTENCES = {
    Reason.NO_SUCH_DAY: _l("There is no such day. Correct it, or write only the year of birth."),
    Reason.BORN_IN_FUTURE: _l("The birth is in the future. Correct it."),
    Reason.BORN_TOO_LONG_AGO: _l("The birth is more than 120 years ago. Correct the year."),
}


def choices(words: Any) -> list[Choice]:
    """`(value, words)` of an enum's words."""
    return [(str(value), label) for value, label in words.items()]


def anything(label: Any) -> Choice:
    """The choice that narrows nothing, or says nothing."""
    return ("", label)


def day_field(label: Any, **more: Any) -> DateField:
    """A day as people type it or as a browser's calendar sends it."""
    return DateField(label, format=["%Y-%m-%d", "%d/%m/%Y"], validators=[Optional()], **more)


class ParticularsForm(Form):
    """Somebody's particulars, for adding and for correcting."""

    full_name = StringField(
        FIELDS["full_name"], filters=[stripped], validators=[DataRequired(_l("Write the full name.")), Length(max=200)]
    )
    phone = StringField(FIELDS["phone"], filters=[stripped], validators=[Length(max=60)])
    birth = StringField(_l("Day or year of birth"), filters=[stripped], validators=[Length(max=20)])
    sex = RadioField(FIELDS["sex"], choices=choices(SEXES), filters=[stripped], validators=[Optional()])
    place = SelectField(
        FIELDS["place_id"], validators=[InputRequired(_l("Choose the ward or commune where the person lives."))]
    )
    neighbourhood = StringField(FIELDS["neighbourhood_id"], filters=[stripped], validators=[Length(max=100)])
    address = StringField(_l("House number, street"), filters=[stripped], validators=[Length(max=300)])
    occupation = StringField(FIELDS["occupation"], filters=[stripped], validators=[Length(max=100)])
    other_phone = StringField(FIELDS["other_phone"], filters=[stripped], validators=[Length(max=60)])
    citizen_id = StringField(FIELDS["citizen_id"], filters=[stripped], validators=[Length(max=30)])
    si_number = StringField(FIELDS["si_number"], filters=[stripped], validators=[Length(max=30)])

    def particulars(self, today: date, refused: Refusals) -> dict[str, Any]:
        """The fields as the services take them, without the place; a birth that cannot be read is noted and left out."""
        same = ("phone", "other_phone", "address", "occupation")
        return {name: self[name].data for name in same} | {
            "full_name": self.full_name.data or "",
            **self.born(today, refused),
            "sex": Sex(self.sex.data) if self.sex.data and not self.sex.errors else None,
        }

    def born(self, today: date, refused: Refusals) -> dict[str, Any]:
        """The day and the year of birth, as far as the field tells them; what cannot be read is noted at `birth`."""
        birth = read_birth(self.birth.data, today)
        with refused.noted():
            if birth.problem:
                raise RuleBroken(_BIRTH_SENTENCES.get(birth.problem, _UNREADABLE), field="birth")
        return {"birth_date": birth.date, "birth_year": birth.year}


class NewPersonForm(ParticularsForm):
    """Somebody new, with the ground and the answer about messages that one asks for at the door."""

    id = HiddenField(validators=[Optional(), Length(max=36)])
    ground = SelectField(_l("Group for State support"), choices=choices(GROUNDS), default=Ground.OTHER.value)
    certificate = StringField(_l("Certificate number"), filters=[stripped], validators=[Length(max=100)])
    ground_until = day_field(_l("Certificate valid until"))
    service = BooleanField(_l("Agrees to reminders about paying"))
    promotion = BooleanField(_l("Agrees to invitations to take part"))
    channel = SelectField(
        _l("How they said so"),
        choices=[(str(channel), CHANNELS[channel]) for channel in SPOKEN],
        default=ConsentChannel.DOORSTEP.value,
    )
    allow_duplicate = HiddenField()

    @property
    def grounds(self) -> tuple[NewStanding, ...]:
        ground = Ground(self.ground.data)
        if ground is Ground.OTHER:
            return ()
        return (NewStanding(ground, self.certificate.data, until=self.ground_until.data),)

    def consents(self, today: date, words: str) -> tuple[NewConsent, ...]:
        """The answers given today."""
        asked = ((Purpose.SERVICE, self.service), (Purpose.PROMOTION, self.promotion))
        channel = ConsentChannel(self.channel.data)
        return tuple(NewConsent(purpose, True, channel, today, words) for purpose, box in asked if box.data)


class ChangeForm(ParticularsForm):
    """Corrections to somebody; an identity number left empty stays as it is.

    `base` carries what the editor saw when they began, `theirs` what stands there now when two have met.
    """

    version = HiddenField()
    base = HiddenField()
    theirs = HiddenField()
    kinship = SelectField(
        FIELDS["kinship"], choices=[anything("—"), *choices(KINSHIPS)], filters=[stripped], validators=[Optional()]
    )

    @property
    def expected_version(self) -> int:
        """The version the form was opened with; 0, which never was, when it is missing or was tampered with."""
        text = str(self.version.raw_data[0]) if self.version.raw_data else ""
        return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 0

    def carried(self, name: str) -> dict[str, Any] | None:
        """What `base` or `theirs` carries; None when it carries nothing or was tampered with."""
        try:
            found = json.loads(self[name].data or "")
        except ValueError:
            return None
        return found if isinstance(found, dict) else None

    def carry(self, name: str, values: Mapping[str, Any]) -> None:
        """Let the form bring these values back."""
        self[name].data = json.dumps(values, ensure_ascii=False)

    def edited(self, base: Mapping[str, Any]) -> set[str]:
        """The fields whose text is not the one this form was opened with."""
        shown = texts_of(base)
        return {name for name, text in shown.items() if _bare(name, self[name].data) != _bare(name, text)}

    def changes(self, today: date, edited: Container[str], refused: Refusals) -> dict[str, Any]:
        """What these fields say, without the place; a birth that cannot be read is noted."""
        same = ("full_name", "phone", "other_phone", "address", "occupation", *NUMBERS)
        said: dict[str, Any] = {name: self[name].data for name in same if name in edited}
        if "sex" in edited:
            said["sex"] = Sex(self.sex.data) if self.sex.data else None
        if "kinship" in edited:
            said["kinship"] = Kinship(self.kinship.data) if self.kinship.data else None
        if BIRTH in edited:
            said |= self.born(today, refused)
        return said

    def take_theirs(self, unit: str, theirs: Mapping[str, Any]) -> None:
        """Of one thing let the form say what somebody else wrote."""
        texts = texts_of(theirs)
        for name in fields_of_unit(unit):
            self[name].data = texts.get(name, "")


def fields_of_unit(unit: str) -> tuple[str, ...]:
    """The fields of the form that say one thing."""
    return ("place", "neighbourhood") if unit == HOME else (unit,)


def texts_of(seen: Mapping[str, Any]) -> dict[str, str]:
    """What the fields of the form say of somebody's particulars; an identity number is never written out.

    `seen` is in the plain form of crm/prospects/services/people.py: seen, with `neighbourhood` by its name besides.
    """
    day = _day_of(seen.get("birth_date"))
    birth = day.strftime("%d/%m/%Y") if day else str(seen.get("birth_year") or "")
    said = {name: seen.get(name) for name in ("full_name", "address", "occupation", "sex", "kinship", "neighbourhood")}
    said |= {name: pretty(str(seen.get(name) or "")) for name in ("phone", "other_phone")}
    texts = {name: str(text or "") for name, text in said.items()}
    return texts | {"birth": birth, "place": str(seen.get("place_id") or "")} | dict.fromkeys(NUMBERS, "")


def _day_of(text: Any) -> date | None:
    try:
        return date.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _bare(name: str, text: str | None) -> str:
    """A text for comparing: spaces do not matter, and of a telephone only its digits do."""
    kept = " ".join((text or "").split())
    return re.sub(r"[ .\-()]", "", kept) if name in ("phone", "other_phone") else kept


class GroundForm(Form):
    """A ground for support, with its paper."""

    ground = SelectField(
        _l("Group"), choices=[(value, label) for value, label in choices(GROUNDS) if value != Ground.OTHER.value]
    )
    certificate = StringField(_l("Certificate number"), filters=[stripped], validators=[Length(max=100)])
    since = DateField(_l("Valid from"), format=["%Y-%m-%d", "%d/%m/%Y"], validators=[InputRequired()])
    until = day_field(_l("Valid until"))

    @property
    def chosen(self) -> Ground:
        return Ground(self.ground.data)

    @property
    def begins(self) -> date:
        """The first day, once the form is valid."""
        assert self.since.data is not None
        return self.since.data

    @property
    def ends(self) -> date | None:
        """The first day on which it holds no more. Raises RuleBroken for a day beyond the calendar."""
        try:
            return self.until.data + timedelta(days=1) if self.until.data else None
        except OverflowError:
            raise RuleBroken(_l("This day is too far away. Correct the year."), field="until") from None


class PaperForm(Form):
    """The paper that shows a ground which came without one."""

    paper = StringField(
        _l("Which paper shows it?"),
        description=_l("Such as the birth certificate and its number."),
        filters=[stripped],
        validators=[InputRequired(PAPER_NEEDED), Length(max=100)],
    )


class ConsentForm(Form):
    """An answer about messages of one purpose, and how it was given."""

    purpose = SelectField(_l("Messages"), choices=[(purpose.value, purpose.value) for purpose in Purpose])
    given = SelectField(_l("Answer"), choices=[("yes", _l("Agrees")), ("no", _l("Wants none"))])
    channel = SelectField(_l("How they said so"), choices=[(str(channel), CHANNELS[channel]) for channel in SPOKEN])
    on = DateField(_l("On"), format=["%Y-%m-%d", "%d/%m/%Y"], validators=[InputRequired()])
    hour = TimeField(
        _l("At what time"),
        format=["%H:%M", "%Hh%M"],
        validators=[Optional()],
        description=_l("Needed when they refused on the same day and agreed again afterwards."),
    )
    words = StringField(_l("Their words, or the number of the paper"), filters=[stripped], validators=[Length(max=500)])

    def said_at(self, now: datetime) -> datetime:
        """When it was said: the hour that was written, this moment for today, else the beginning of the day."""
        day, hour = self.on.data, self.hour.data
        assert day is not None
        if hour is not None:
            return clock.at(day, hour.hour, hour.minute)
        return now if day == clock.local_day(now) else clock.at(day)

    @property
    def answer(self) -> NewConsent:
        """What was said, once the form is valid."""
        assert self.on.data is not None
        return NewConsent(
            Purpose(self.purpose.data),
            self.given.data == "yes",
            ConsentChannel(self.channel.data),
            self.on.data,
            self.words.data,
        )
