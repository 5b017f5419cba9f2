"""What one reads off an insurance record."""

from __future__ import annotations

from typing import Any, Self

from flask_babel import lazy_gettext as _l
from wtforms import IntegerField, SelectField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from crm.months import MONTHS_IN_YEAR, Month
from crm.participation.elsewhere.rules import LONGEST_LIFE, Said
from crm.web.forms import Form, stripped

YEARS_BACK = 10
"""How old a paper may be that one still reads from."""


class RecordForm(Form):
    """A paper of the insurance office: the months of a whole life."""

    through = SelectField(_l("The paper counts up to and with"), validators=[DataRequired()])
    voluntary = IntegerField(
        _l("Months of voluntary insurance in all"), validators=[InputRequired(), NumberRange(0, LONGEST_LIFE)]
    )
    supported = IntegerField(
        _l("Of them with the State's support"), validators=[Optional(), NumberRange(0, LONGEST_LIFE)]
    )
    compulsory = IntegerField(
        _l("Months of compulsory insurance"), default=0, validators=[InputRequired(), NumberRange(0, LONGEST_LIFE)]
    )
    proof = StringField(_l("Which paper"), filters=[stripped], validators=[DataRequired(), Length(max=300)])

    @classmethod
    def of(cls, this: Month, said: Said | None) -> Self:
        """The form with what was said last; months from this one back."""
        known: dict[str, Any] = {"through": str(this - 1)}
        if said:
            names = ("voluntary", "supported", "compulsory", "proof")
            known = {"through": str(said.through)} | {name: getattr(said, name) for name in names}
        form = cls(data=known)
        offered = [this - back for back in range(YEARS_BACK * MONTHS_IN_YEAR)]
        if said and said.through not in offered:
            offered.append(said.through)
        form.through.choices = [(str(month), f"{month.number}/{month.year}") for month in offered]
        return form

    @property
    def said(self) -> Said:
        """What the paper says, once the form is valid."""
        return Said(
            Month.parse(self.through.data),
            self.voluntary.data or 0,
            self.supported.data,
            self.compulsory.data or 0,
            self.proof.data or "",
        )
