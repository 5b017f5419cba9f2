"""The five questions."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Self

from flask_babel import lazy_gettext as _l
from wtforms import IntegerField, RadioField
from wtforms.validators import DataRequired, NumberRange

from crm.participation.screening.rules import (
    ALLOWANCE,
    BUSINESS,
    ELSEWHERE,
    WORK,
    Allowance,
    Answers,
    Business,
    Elsewhere,
    Work,
    work_on,
)
from crm.premiums.rules.law import LawOnDay
from crm.web.forms import Form, QueryForm

ASKED = _l("Choose one of the answers.")


def _asked(question: Any, words: Mapping[Any, Any]) -> RadioField:
    choices = [(one.value, label) for one, label in words.items()]
    return RadioField(question, choices=choices, validators=[DataRequired(ASKED)])


class Questions:
    """What is asked of everybody, signed in or not."""

    work = _asked(_l("What work do they do? Choose the first that is true."), WORK)
    business = _asked(_l("Do they own a household business?"), BUSINESS)
    allowance = _asked(_l("Do they draw something every month?"), ALLOWANCE)
    elsewhere = _asked(_l("Do they pay social insurance already?"), ELSEWHERE)

    def under(self, today: LawOnDay) -> Self:
        """With the answers as the law of the day draws their lines."""
        self.work.choices = [(one.value, label) for one, label in work_on(today).items()]
        return self

    def _one(self, name: str, kind: type[StrEnum]) -> Any:
        return kind(getattr(self, name).data)

    def said(self, **known: Any) -> Answers:
        """The answers, once the form is valid, beside what is known already."""
        return Answers(
            work=self._one("work", Work),
            business=self._one("business", Business),
            allowance=self._one("allowance", Allowance),
            elsewhere=self._one("elsewhere", Elsewhere),
            **known,
        )


class ScreeningForm(Questions, Form):
    """Asked of somebody on record. Whether they are a citizen is asked only where no number shows it."""

    citizen = RadioField(
        _l("Are they a Vietnamese citizen?"),
        choices=[("yes", _l("Yes")), ("no", _l("No"))],
        validators=[DataRequired(ASKED)],
    )

    @classmethod
    def about(cls, known: Answers, *, shown: bool) -> ScreeningForm:
        """The form with what was answered before; `shown`: a citizen number shows that they are a citizen."""
        names = ("work", "business", "allowance", "elsewhere")
        filled = {name: value.value for name in names if (value := getattr(known, name)) is not None}
        if known.citizen is not None:
            filled["citizen"] = "yes" if known.citizen else "no"
        form = cls(data=filled)
        if shown:
            del form.citizen
        return form

    @property
    def is_citizen(self) -> bool:
        """The answer, or yes where it was not asked because a number shows it."""
        return self.citizen is None or bool(self.citizen.data == "yes")


class PublicForm(Questions, QueryForm):
    """The same for anybody, from the calculator; nothing is kept."""

    birth_year = IntegerField(
        _l("Year of birth"),
        validators=[
            DataRequired(_l("Write the year as four digits.")),
            NumberRange(1900, 2100, _l("Write the year as four digits.")),
        ],
    )
