"""What somebody writes to set a target, as the plan has it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Field, HiddenField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional
from wtforms.widgets import TextInput

from crm.targets.rules import FIRST_YEAR, INDICATORS, LAST_YEAR, MOST_PEOPLE, PER_CENT, Facts, Indicator, Whose
from crm.web.fields import CountField
from crm.web.forms import Form, stripped

RATE = re.compile(r"\d{1,3}([.,]\d{1,2})?")


class PeopleField(CountField):
    """A number of people as it is typed: "1.385", "1 385" or "1385"."""

    most = MOST_PEOPLE
    hint = _l("Write how many people, in figures, such as 1,385.")


class RateField(Field):
    """Percent as a plan writes it: "84,95", "1.3 %"."""

    widget = TextInput()

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return f"{self.data.normalize():f}".replace(".", ",") if isinstance(self.data, Decimal) else ""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Text → Decimal between 0 and 100; nothing → None."""
        text = str(valuelist[0]).replace("%", "").replace("\x00", "").strip() if valuelist else ""
        self.data = None
        if text:
            found = Decimal(text.replace(",", ".")) if RATE.fullmatch(text) else None
            if found is None or found > PER_CENT:
                raise ValueError(_("Write the rate in per cent, at most 100, such as 84,95."))
            self.data = found


class TargetForm(Form):
    """A target, in the words and numbers of the document that sets it."""

    year = IntegerField(_l("Year"), validators=[InputRequired(), NumberRange(FIRST_YEAR, LAST_YEAR)])
    indicator = SelectField(_l("Insurance"), choices=[(one.value, words) for one, words in INDICATORS.items()])
    unit = SelectField(_l("Whose target"), filters=[stripped], validators=[Optional()], choices=[])
    people = PeopleField(_l("People taking part at the end of the year"), validators=[InputRequired()])
    rate = RateField(_l("Rate of participation, per cent"), validators=[Optional()])
    denominator = PeopleField(_l("Of how many people"), validators=[Optional()])
    baseline = PeopleField(_l("Taking part at the end of the year before"), validators=[Optional()])
    population = PeopleField(_l("People who live here, about"), validators=[Optional()])
    authority = StringField(_l("Set by"), filters=[stripped], validators=[DataRequired(), Length(max=200)])
    document = StringField(_l("Number of the document"), filters=[stripped], validators=[Optional(), Length(max=80)])
    reason = TextAreaField(_l("Why it changes"), filters=[stripped], validators=[Optional(), Length(max=500)])
    knowing = HiddenField(filters=[stripped])

    def offer(self, places: Sequence[tuple[UUID, str]], organisations: Sequence[tuple[UUID, str]]) -> None:
        """The units a target can be given to; first the whole town."""
        of_places = [(f"place:{key}", name) for key, name in places]
        of_organisations = [(f"organisation:{key}", name) for key, name in organisations]
        self.unit.choices = [("", _l("The whole town")), *of_places, *of_organisations]

    @property
    def whose(self) -> Whose:
        """Which target, once the form is valid."""
        kind, _colon, key = (self.unit.data or "").partition(":")
        named = {f"{kind}_id": UUID(key)} if key else {}
        return Whose(self.year.data or FIRST_YEAR, Indicator(self.indicator.data), **named)

    @property
    def facts(self) -> Facts:
        """The numbers, once the form is valid."""
        return Facts(
            self.people.data or 0, self.rate.data, self.denominator.data, self.baseline.data, self.population.data
        )

    @property
    def known(self) -> int | None:
        """The revision that whoever writes has read."""
        text = self.knowing.data or ""
        return int(text) if text.isdecimal() and len(text) <= PEOPLE_DIGITS else None


PEOPLE_DIGITS = 9
