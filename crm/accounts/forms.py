"""The forms about people who sign in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from wtforms import PasswordField, SelectField, StringField
from wtforms.validators import DataRequired, EqualTo, Length

from crm.accounts.rules import Role
from crm.accounts.wording import ROLES
from crm.web.forms import Form, stripped

NOBODY = ""


class AccountForm(Form):
    """Someone new who will sign in; they set their own password by an invitation."""

    full_name = StringField(_l("Full name"), filters=[stripped], validators=[DataRequired(), Length(max=120)])
    identity = StringField(
        _l("E-mail or mobile number"), filters=[stripped], validators=[DataRequired(), Length(max=200)]
    )
    role = SelectField(_l("Role"), choices=[(str(role), label) for role, label in ROLES.items()])
    organisation = SelectField(_l("Organisation"), default=NOBODY)
    place = SelectField(_l("Ward or commune"), default=NOBODY)

    def offer(self, organisations: list[tuple[UUID, str]], places: list[tuple[UUID, str]]) -> None:
        """What may be chosen: ids and names."""
        self.organisation.choices = [(NOBODY, _l("None")), *((str(key), name) for key, name in organisations)]
        self.place.choices = [(NOBODY, _l("The whole town")), *((str(key), name) for key, name in places)]

    def validate(self, extra_validators: Any = None) -> bool:
        """A lead without an organisation or a place would see nobody."""
        if not super().validate(extra_validators=extra_validators):
            return False
        if self.role.data == Role.LEAD and not (self.organisation.data or self.place.data):
            self.organisation.errors = [_l("A lead needs an organisation or a ward; choose one.")]
            return False
        return True

    @property
    def values(self) -> dict[str, Any]:
        """The clean values, for the service."""
        return {
            "full_name": self.full_name.data,
            "role": Role(self.role.data),
            "organisation_id": UUID(self.organisation.data) if self.organisation.data else None,
            "place_id": UUID(self.place.data) if self.place.data else None,
        }


class PasswordForm(Form):
    """A password of one's own, typed twice."""

    password = PasswordField(_l("New password"), validators=[DataRequired(), Length(max=300)])
    again = PasswordField(
        _l("The same again"),
        validators=[DataRequired(), EqualTo("password", message=_l("The two passwords differ; type them again."))],
    )
