"""What somebody chooses to pay, to whom the papers go, and how they come back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from wtforms import DateField, EmailField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, Optional, Regexp
from wtforms.widgets import CheckboxInput, ListWidget

from crm.months import Month
from crm.participation.forms import EnrolForm
from crm.premiums.rules.law import LawOnDay
from crm.web.forms import Form, QueryForm, stripped

MISSING = 0
"""The way to pay that is no number of months: all that are missing for a pension, at once."""


class DossierForm(EnrolForm):
    """Chosen income, way to pay, first month, and where the office may answer."""

    months = SelectField(_l("Way to pay"), coerce=int, validators=[InputRequired()])
    missing = 0
    email = EmailField(
        _l("E-mail"),
        filters=[stripped],
        validators=[
            Optional(),
            Length(max=200),
            Regexp(r"^[^@\s]+@[^@\s]+\.[^@\s]+$", message=_l("Write an e-mail address such as ten@example.vn.")),
        ],
    )
    results_address = StringField(
        _l("Address for the result, if not home"), filters=[stripped], validators=[Length(max=300)]
    )

    @classmethod
    def choosing(cls, law: LawOnDay, next_month: Month | None, missing: int, **start: Any) -> DossierForm:
        """The form under the law of a day; of somebody who takes part the first month is the one after the last, and
        whoever may pay at once for `missing` months is offered that too."""
        form = cls.under(law, **start)
        form.missing = missing
        if missing:
            words = ngettext(
                "Once for the %(num)s missing month",
                "Once for the %(num)s missing months",
                missing,
            )
            form.months.choices = [*(form.months.choices or ()), (MISSING, words)]
        for unused in ("paid_on", "receipt_number", "confirmation", "first_month", "moved_in", "despite"):
            del form[unused]
        offered: list[Any] = list(form.start.choices or ())
        if next_month and str(next_month) not in [one[0] for one in offered]:
            offered.insert(0, (str(next_month), f"{next_month.number}/{next_month.year}"))
        form.start.choices = offered
        return form

    def chosen(self) -> dict[str, Any]:
        """What the services take, once the form is valid."""
        at_once = self.months.data == MISSING
        return {
            "income": self.income.data,
            "months": self.missing if at_once else int(self.months.data),
            "missing": at_once,
            "start": self.first,
            "email": self.email.data,
            "results_address": self.results_address.data,
        }


class StopPapersForm(Form):
    """From which day on somebody stops."""

    stop_on = DateField(_l("From which day on"), validators=[DataRequired()])


class HandOverForm(Form):
    """To which agent the papers go."""

    agent = SelectField(_l("Collection agent"), validators=[DataRequired(_l("Choose a collection agent."))])

    def offer(self, agents: Iterable[tuple[UUID, str]]) -> None:
        """The agents there are. Where there are several none is chosen beforehand: papers do not come back by themselves."""
        named = [(str(key), name) for key, name in agents]
        self.agent.choices = [("", _l("choose")), *named] if len(named) > 1 else named


class ReasonForm(Form):
    """Why papers come back."""

    reason = TextAreaField(_l("Why it comes back"), filters=[stripped], validators=[DataRequired(), Length(max=500)])


class AcceptForm(Form):
    """The insurance office's answer."""

    accepted_on = DateField(_l("Day of the answer"), validators=[DataRequired()])
    number = StringField(_l("Social insurance code"), filters=[stripped], validators=[Length(max=20)])
    paid_on = DateField(_l("Day of payment"), validators=[Optional()])
    receipt_number = StringField(_l("Receipt number"), filters=[stripped], validators=[Length(max=40)])
    confirmation = StringField(
        _l("List or letter of the insurance office"), filters=[stripped], validators=[Length(max=200)]
    )


class GatherForm(Form):
    """Which dossiers go into a list."""

    dossiers = SelectMultipleField(
        _l("Dossiers"),
        validators=[DataRequired(_l("Tick at least one dossier."))],
        validate_choice=False,
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )

    @property
    def ids(self) -> list[UUID]:
        """The dossiers ticked; what is no id is none."""
        return list(_ids(self.dossiers.data or []))


class SubmitForm(Form):
    """When the list was handed in."""

    submitted_on = DateField(_l("Day of handing in"), validators=[DataRequired()])


class ListForm(QueryForm):
    """Which dossiers to list."""

    state = SelectField(_l("State"), filters=[stripped], validate_choice=False)
    place = SelectField(_l("Ward or commune"), filters=[stripped], validate_choice=False)
    agent = SelectField(_l("Collection agent"), filters=[stripped], validate_choice=False)

    def one(self, name: str) -> UUID | None:
        """The id chosen in a field; what is no id narrows nothing."""
        return next(_ids([getattr(self, name).data or ""]), None)


def _ids(texts: Iterable[str]) -> Iterator[UUID]:
    for text in texts:
        try:
            yield UUID(text)
        except ValueError:
            continue
