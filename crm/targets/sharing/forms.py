"""What somebody chooses to share a target out, and what a unit answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Self
from uuid import UUID

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, IntegerField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from crm.targets.forms import PeopleField
from crm.targets.rules import FIRST_YEAR, LAST_YEAR
from crm.targets.sharing.rules import LEVELS, METHODS, Answer, Level, Method
from crm.web.forms import Form, stripped


class ProposeForm(Form):
    """How a target is to be shared out."""

    year = IntegerField(_l("Year"), validators=[InputRequired(), NumberRange(FIRST_YEAR, LAST_YEAR)])
    level = RadioField(_l("Among whom"), choices=[], validators=[DataRequired()])
    of = SelectField(_l("Whose volunteers"), filters=[stripped], validators=[Optional()], choices=[])
    total = PeopleField(_l("The whole: people taking part at the end of the year"), validators=[InputRequired()])
    method = RadioField(
        _l("By what"), choices=[(one.value, words) for one, words in METHODS.items()], validators=[DataRequired()]
    )
    least = PeopleField(_l("Everyone gains at least"), validators=[Optional()])
    authority = StringField(_l("Set by"), filters=[stripped], validators=[DataRequired(), Length(max=200)])
    document = StringField(_l("Number of the document"), filters=[stripped], validators=[Optional(), Length(max=80)])
    note = TextAreaField(_l("Note"), filters=[stripped], validators=[Optional(), Length(max=500)])

    def offer(self, levels: Iterable[Level], units: Sequence[tuple[str, str]]) -> None:
        """Among whom this person may share, and whose volunteers there are to choose from."""
        self.level.choices = [(one.value, LEVELS[one]) for one in levels]
        self.of.choices = [("", "–"), *units]

    @property
    def asked(self) -> tuple[Level, Method]:
        """Among whom and by what, once the form is valid."""
        return Level(self.level.data), Method(self.method.data)


class NumbersForm(Form):
    """The parts by hand: fields `people-<id>` beside the version they were read in."""

    version = HiddenField(filters=[stripped])

    @classmethod
    def of(cls, lines: Iterable[tuple[UUID, str, int]], version: int) -> Self:
        """A form with one field for each part."""

        class Made(cls):  # type: ignore[misc, valid-type]
            pass

        for key, name, people in lines:
            setattr(Made, _field(key), PeopleField(name, validators=[InputRequired()], default=people))
        return Made(version=str(version))  # type: ignore[no-any-return]

    @property
    def read_in(self) -> int:
        """The version that whoever writes has read; 0 for none."""
        return _whole(self.version.data) or 0

    def numbers(self, keys: Iterable[UUID]) -> dict[UUID, int]:
        """The parts, once the form is valid."""
        return {key: self[_field(key)].data for key in keys}


MOST_DIGITS = 10


def _whole(text: str | None) -> int | None:
    """A number that a page carried along; None for anything else."""
    return int(text) if text and text.isdecimal() and len(text) < MOST_DIGITS else None


def _field(key: UUID) -> str:
    return f"people-{key}"


class AnswerForm(Form):
    """What a unit says to the number it is asked for."""

    told = HiddenField(filters=[stripped])
    answer = RadioField(
        _l("Your answer"),
        choices=[(Answer.AGREE.value, _l("We agree")), (Answer.OTHER.value, _l("We propose another number"))],
        validators=[DataRequired()],
    )
    asked = PeopleField(_l("The number you could reach"), validators=[Optional()])
    reason = TextAreaField(_l("Why"), filters=[stripped], validators=[Optional(), Length(max=500)])

    @property
    def number_read(self) -> int:
        """The number of people that stood above the answer; -1 for none."""
        known = _whole(self.told.data)
        return -1 if known is None else known
