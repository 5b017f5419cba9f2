"""When what was waited for came back."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import DateField, HiddenField, StringField, validators
from wtforms.validators import DataRequired, Length

from crm.premiums.forms import MayBeEmptyDong
from crm.web.forms import Form, stripped


class SettledForm(Form):
    """One part came back."""

    part = HiddenField(validators=[validators.UUID()])
    on = DateField(_l("Came back on"), validators=[DataRequired()])
    paid_back = MayBeEmptyDong(_l("Amount the insurance office really paid back"))
    note = StringField(
        _l("Letter of the insurance office, or the bank's reference"), filters=[stripped], validators=[Length(max=200)]
    )
