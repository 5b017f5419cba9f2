"""The form about a new volunteer."""

from __future__ import annotations

from uuid import UUID

from flask_babel import lazy_gettext as _l
from wtforms import SelectField, StringField
from wtforms.validators import DataRequired, Length

from crm.web.forms import Form, stripped

NOBODY = ""


class VolunteerForm(Form):
    """Who they are, and how they will sign in; where they help, for whoever leads several places or organisations."""

    full_name = StringField(_l("Full name"), filters=[stripped], validators=[DataRequired(), Length(max=120)])
    identity = StringField(
        _l("E-mail or mobile number"), filters=[stripped], validators=[DataRequired(), Length(max=200)]
    )
    organisation = SelectField(_l("Organisation"), default=NOBODY)
    place = SelectField(_l("Ward or commune"), default=NOBODY)

    def offer(self, organisations: list[tuple[UUID, str]], places: list[tuple[UUID, str]]) -> None:
        """What may be chosen; a field with nothing to choose from goes."""
        for name, offered in (("organisation", organisations), ("place", places)):
            if offered:
                self[name].choices = [(NOBODY, _l("None")), *((str(key), words) for key, words in offered)]
            else:
                delattr(self, name)

    def id_of(self, name: str) -> UUID | None:
        """The id chosen in one of the two fields."""
        return UUID(self[name].data) if name in self and self[name].data else None
