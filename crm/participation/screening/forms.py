"""At most five questions: whom one answer decides about is not asked the rest."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any, Self

from flask_babel import lazy_gettext as _l
from wtforms import IntegerField, RadioField
from wtforms.validators import DataRequired, NumberRange, Optional

from crm.participation.screening.rules import (
    ALLOWANCE,
    BUSINESS,
    ELSEWHERE,
    ELSEWHERE_OF_ANYBODY,
    WORK,
    Allowance,
    Answers,
    Business,
    Elsewhere,
    Kind,
    Verdict,
    Work,
    work_on,
)
from crm.premiums.rules.law import LawOnDay
from crm.prospects.rules import OLDEST
from crm.web.forms import Form, QueryForm

ASKED = _l("Choose one of the answers.")
QUESTIONS = ("work", "business", "allowance", "elsewhere")


def _asked(question: Any, words: Mapping[Any, Any]) -> RadioField:
    choices = [(one.value, label) for one, label in words.items()]
    return RadioField(question, choices=choices, validators=[Optional()])


CITIZEN = RadioField(
    _l("Are they a Vietnamese citizen?"),
    choices=[("yes", _l("Yes")), ("no", _l("No"))],
    validators=[Optional()],
)
BIRTH_YEAR = IntegerField(
    _l("Year of birth"),
    validators=[
        DataRequired(_l("Write the year as four digits.")),
        NumberRange(1000, 9999, _l("Write the year as four digits.")),
    ],
)
"""Made before the questions, which follow them on the page: what is wrong is listed in the order the fields are made."""


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
        given = getattr(self, name).data
        return kind(given) if given else None

    def enough(self, verdict: Verdict) -> bool:
        """Whether nothing more has to be asked: one answer decides, or all are there. Else each gap is told of."""
        if verdict.kind not in (Kind.ASK, Kind.VOLUNTARY):
            return True
        fields = [getattr(self, name, None) for name in (*QUESTIONS, "citizen")]
        gaps = [field for field in fields if field is not None and not field.data]
        for field in gaps:
            field.errors = [*field.errors, ASKED]
        return not gaps

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

    citizen = CITIZEN

    @classmethod
    def about(cls, known: Answers, *, shown: bool) -> ScreeningForm:
        """The form with what was answered before; `shown`: a citizen number shows that they are a citizen."""
        filled = {name: value.value for name in QUESTIONS if (value := getattr(known, name)) is not None}
        if known.citizen is not None:
            filled["citizen"] = "yes" if known.citizen else "no"
        form = cls(data=filled)
        if shown:
            del form.citizen
        return form

    @property
    def is_citizen(self) -> bool | None:
        """The answer, or yes where it was not asked because a number shows it."""
        return True if self.citizen is None else {"yes": True, "no": False}.get(self.citizen.data or "")


class PublicForm(Questions, QueryForm):
    """The same for anybody, from the calculator; nothing is kept."""

    birth_year = BIRTH_YEAR
    work = _asked(_l("What work do you do? Choose the first that is true."), WORK)
    business = _asked(_l("Do you own a household business?"), BUSINESS)
    allowance = _asked(_l("Do you draw something every month?"), ALLOWANCE)
    elsewhere = _asked(_l("Do you pay social insurance already?"), ELSEWHERE_OF_ANYBODY)

    def of_somebody_alive(self, today: date) -> bool:
        """Whether somebody born in that year may be asking today; else the field says what to look at."""
        born = self.birth_year.data or today.year
        if today.year - OLDEST <= born <= today.year:
            return True
        too_old = _l("The birth is more than 120 years ago. Correct the year.")
        self.birth_year.errors = [_l("The birth is in the future. Correct it.") if born > today.year else too_old]
        return False
