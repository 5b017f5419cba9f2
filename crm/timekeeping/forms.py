"""The form that moves the program's time."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import DateTimeLocalField
from wtforms.validators import InputRequired

from crm.web.forms import Form


class ClockForm(Form):
    """A moment on Vietnam's wall clock."""

    moment = DateTimeLocalField(
        _l("Day and time in Vietnam"),
        format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        validators=[InputRequired(_l("Choose a day and a time."))],
    )
