"""The forms about households and their certificates."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, DateField, HiddenField, IntegerField, RadioField, SelectField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from crm.prospects.forms import anything, choices, day_field
from crm.prospects.households.rules import LONGEST_CODE, RENEWALS, Renewal
from crm.prospects.rules import POVERTY, Ground, Kinship
from crm.prospects.wording import FIELDS, GROUNDS, KINSHIPS
from crm.web.forms import Form, QueryForm, stripped

NOT_HEAD = [(kinship.value, label) for kinship, label in KINSHIPS.items() if kinship is not Kinship.HEAD]
DAYS = ["%Y-%m-%d", "%d/%m/%Y"]


class SearchForm(QueryForm):
    """Whom to look for."""

    q = StringField(_l("Name or phone number"), filters=[stripped], validators=[Optional(), Length(max=200)])


class FoundForm(Form):
    """Two people who live together, or one alone. `other` is who was chosen from those found."""

    other = RadioField(_l("Who lives with them?"), filters=[stripped], validators=[Optional()])
    head = SelectField(_l("Who is the head of the household?"), validators=[Optional()])
    kinship = SelectField(_l("The other one is, to the head"), choices=NOT_HEAD, default=Kinship.SPOUSE.value)
    since = day_field(_l("Live together since"))
    address = StringField(_l("Address of the household"), filters=[stripped], validators=[Length(max=300)])
    to_its_address = BooleanField(_l("Write the household's address for everybody who lives here"), default=True)
    code = StringField(_l("Household number"), filters=[stripped], validators=[Length(max=LONGEST_CODE)])

    def offer(self, person: tuple[str, str], others: Iterable[tuple[str, str]]) -> None:
        """Fill in who may be chosen."""
        self.other.choices = [("", _l("Nobody: lives alone")), *others]
        self.head.choices = [person, ("other", _l("The other one"))]


class JoinForm(Form):
    """Somebody moves in."""

    person = RadioField(_l("Who moves in?"), validators=[InputRequired(_l("Choose who moves in."))])
    kinship = SelectField(
        _l("To the head they are"), choices=choices(KINSHIPS), default=Kinship.CHILD.value, validators=[DataRequired()]
    )
    on = day_field(_l("Lives here since"))
    to_its_address = BooleanField(_l("Write the household's address for them too"), default=True)


class LeaveForm(Form):
    """Somebody moves out."""

    on = DateField(
        _l("First day elsewhere"), format=DAYS, validators=[InputRequired(_l("Write the day they moved out."))]
    )

    @property
    def day(self) -> date:
        """The day, once the form is valid."""
        assert self.on.data is not None
        return self.on.data


class EndForm(LeaveForm):
    """A certificate was withdrawn."""

    on = DateField(
        _l("First day without it"), format=DAYS, validators=[InputRequired(_l("Write the day it was withdrawn."))]
    )


class CertifyForm(Form):
    """The certificate of the whole household."""

    ground = SelectField(_l("The household is"), choices=[(one.value, GROUNDS[one]) for one in POVERTY])
    certificate = StringField(
        _l("Certificate number"),
        filters=[stripped],
        validators=[DataRequired(_l("Write the number of the certificate.")), Length(max=100)],
    )
    year = IntegerField(_l("Of the year"), validators=[InputRequired(), NumberRange(min=1990, max=2100)])
    since = day_field(_l("Valid from"))

    @property
    def chosen(self) -> Ground:
        return Ground(self.ground.data)


class DescribeForm(Form):
    """The household in the labour office's books, and where it lives."""

    code = StringField(_l("Household number"), filters=[stripped], validators=[Length(max=LONGEST_CODE)])
    address = StringField(FIELDS["address"], filters=[stripped], validators=[Length(max=300)])


class MergeForm(Form):
    """Another record of the same household."""

    other = RadioField(_l("Which record is the same household?"), validators=[InputRequired(_l("Choose a household."))])


class ReviewForm(QueryForm):
    """What the renewal list is narrowed to."""

    year = HiddenField(validators=[Optional()])
    state = SelectField(
        _l("Renewed?"),
        choices=[anything(_l("All")), *((one.value, label) for one, label in RENEWALS.items())],
        filters=[stripped],
        validators=[Optional()],
    )
    part = SelectField(_l("Ward and neighbourhood"), filters=[stripped], validators=[Optional()])

    @property
    def state_chosen(self) -> Renewal | None:
        return Renewal(self.state.data) if self.state.data else None

    @property
    def place(self) -> tuple[UUID | None, UUID | None]:
        """The ward and the neighbourhood chosen; what is no place narrows nothing."""
        ward, _dot, part = (self.part.data or "").partition(".")
        try:
            return (UUID(ward) if ward else None, UUID(part) if part else None)
        except ValueError:
            return None, None
