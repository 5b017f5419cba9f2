"""What the treasurer is asked: which sponsors, and what becomes of a line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from wtforms import BooleanField, RadioField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from crm.sponsors.matching.rules.needs import RUNS, USUAL, Terms
from crm.web.forms import Form, stripped


class AskForm(Form):
    """Whose money, and for how many months."""

    sponsors = SelectMultipleField(
        _l("Whose money"), widget=ListWidget(prefix_label=False), option_widget=CheckboxInput()
    )
    months = RadioField(_l("Months for each person, where a sponsor names no number"), coerce=int, default=USUAL)
    past_certificate = BooleanField(_l("Also months after a certificate ends"))

    @classmethod
    def offering(cls, sponsors: Iterable[tuple[UUID, str]], chosen: UUID | None = None) -> Self:
        """The form with the sponsors who have money, all of them or one chosen."""
        sponsors = list(sponsors)
        form = cls(data={"sponsors": [str(key) for key, _name in sponsors if chosen in (None, key)], "months": USUAL})
        form.sponsors.choices = [(str(key), name) for key, name in sponsors]
        form.months.choices = [(run, ngettext("%(num)s month", "%(num)s months", run)) for run in reversed(RUNS)]
        return form

    def validate(self, extra_validators: object = None) -> bool:
        """Somebody's money must be asked for."""
        valid = super().validate(extra_validators=extra_validators)
        if not self.sponsors.data and not self.sponsors.errors:
            self.sponsors.errors = [_("Choose at least one sponsor.")]
            valid = False
        return bool(valid)

    @property
    def terms(self) -> Terms:
        """The terms, once the form is valid."""
        sponsors = tuple(UUID(key) for key in self.sponsors.data or ())
        return Terms(sponsors, self.months.data, bool(self.past_certificate.data))


class EditForm(Form):
    """Another sponsor or other months for somebody."""

    sponsor = SelectField(_l("Whose money"), validators=[DataRequired()])
    months = SelectField(_l("How many months"), coerce=int, validators=[DataRequired()])
    reason = StringField(_l("Why help anyway"), filters=[stripped], validators=[Length(max=300)])

    @classmethod
    def of(
        cls,
        sponsors: Iterable[tuple[UUID, str]],
        sponsor_id: UUID | None,
        months: int | None,
        reason: str | None = None,
    ) -> Self:
        """The form as the line stands."""
        form = cls(data={"sponsor": str(sponsor_id), "months": months, "reason": reason})
        form.sponsor.choices = [(str(key), name) for key, name in sponsors]
        form.months.choices = [(run, ngettext("%(num)s month", "%(num)s months", run)) for run in reversed(RUNS)]
        return form


class RefuseForm(Form):
    """Why not this sponsor for this person."""

    words = TextAreaField(_l("Why not"), filters=[stripped], validators=[DataRequired(), Length(max=300)])
