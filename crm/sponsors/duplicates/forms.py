"""What somebody says who makes two sponsors one, or tells them apart."""

from __future__ import annotations

from typing import Self

from flask_babel import lazy_gettext as _l
from wtforms import RadioField, StringField
from wtforms.validators import DataRequired, Length

from crm.premiums.forms import DongField
from crm.web.forms import Form, stripped

THIS, OTHER = "this", "other"


class SameForm(Form):
    """Which of the two stays, and why they are one."""

    stays = RadioField(_l("Which one stays"), choices=[(THIS, ""), (OTHER, "")], validators=[DataRequired()])
    why = StringField(
        _l("Why they are the same"),
        filters=[stripped],
        validators=[DataRequired(_l("Say in a few words why they are the same.")), Length(max=300)],
    )

    @classmethod
    def of(cls, this: str, other: str) -> Self:
        """The form with the names of the two; the first stays unless somebody says otherwise."""
        form = cls(data={"stays": THIS})
        form.stays.choices = [(THIS, this), (OTHER, other)]
        return form


class ApartForm(Form):
    """How much passes back, and why they are two."""

    back = DongField(_l("How much passes back"))
    why = StringField(
        _l("Why they are two"),
        filters=[stripped],
        validators=[DataRequired(_l("Say in a few words why they are two.")), Length(max=300)],
    )
