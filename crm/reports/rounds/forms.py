"""What is asked of a unit that reports, and of the office that sets deadlines, returns, excuses and closes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Self

from flask_babel import lazy_gettext as _l
from wtforms import (
    DateField,
    HiddenField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from crm.lines import TOO_LONG
from crm.reports.periods import ReportKind
from crm.reports.rounds.models import ReportingRule, ReportSubmission
from crm.reports.rounds.rules import (
    ASKED,
    GROUPS,
    LONGEST_NOTE,
    LONGEST_SOURCE,
    LONGEST_WHY,
    MOST_NUMBER,
    OWN_WORDS,
    Deadline,
    Figure,
    Own,
    Who,
)
from crm.web.fields import CountField
from crm.web.forms import Form, stripped

MOST_DIGITS = 9


class FigureField(CountField):
    """A unit's own figure."""

    most = MOST_NUMBER


class SubmitForm(Form):
    """A unit's own figures, each with its source, and what else it wants to say. Fields `number_<own>`, `source_<own>`."""

    version = HiddenField()
    note = TextAreaField(
        _l("What else the office should know: difficulties, causes"),
        filters=[stripped],
        validators=[Length(max=LONGEST_NOTE, message=TOO_LONG)],
    )

    @classmethod
    def of(
        cls,
        version: int,
        last: ReportSubmission | None,
        before: ReportSubmission | None,
        logged: Mapping[Own, Figure],
    ) -> Self:
        """Filled in with what was sent last in this round; else with what was `logged` of events, and the sources named the
        last time."""
        filled: dict[str, Any] = {"version": str(version)}
        if last is not None:
            filled["note"] = last.note
        for own, one in (last.figures if last else {}).items():
            filled |= {f"number_{own}": one.number, f"source_{own}": one.source}
        if last is None and before is not None:
            filled |= {f"source_{own}": one.source for own, one in before.figures.items()}
        for own, one in (logged if last is None else {}).items():
            filled |= {f"number_{own}": one.number, f"source_{own}": one.source}
        return cls(data=filled)

    def pairs(self, who: Who) -> list[tuple[Own, Any, Any]]:
        """The figures asked of a group: what, its number, its source."""
        return [(own, self[f"number_{own}"], self[f"source_{own}"]) for own in ASKED[who]]

    def own(self, who: Who) -> Mapping[Own, tuple[int | None, str | None]]:
        return {own: (number.data, source.data) for own, number, source in self.pairs(who)}

    @property
    def read_in(self) -> int:
        """The version that whoever writes has read; -1 for none."""
        text = self.version.data or ""
        return int(text) if text.isdecimal() and text.isascii() and len(text) <= MOST_DIGITS else -1


for _own, _words in OWN_WORDS.items():
    setattr(SubmitForm, f"number_{_own}", FigureField(_words, validators=[Optional()]))
    setattr(
        SubmitForm,
        f"source_{_own}",
        StringField(
            _l("Where this number is from"),
            filters=[stripped],
            validators=[Length(max=LONGEST_SOURCE, message=TOO_LONG)],
        ),
    )


class ReturnForm(Form):
    """What is to be corrected."""

    why = TextAreaField(
        _l("What is to be corrected"),
        filters=[stripped],
        validators=[DataRequired(_l("Write what is to be corrected.")), Length(max=LONGEST_WHY, message=TOO_LONG)],
    )


class CorrectForm(Form):
    """A figure of a closed round that was wrong."""

    read = HiddenField()
    figure = SelectField(_l("Which figure was wrong"), choices=[])
    number = FigureField(_l("The right number"), validators=[InputRequired(_l("Write the right number."))])
    source = StringField(
        _l("Where this number is from"),
        filters=[stripped],
        validators=[Length(max=LONGEST_SOURCE, message=TOO_LONG)],
    )
    why = TextAreaField(
        _l("Why it was wrong"),
        filters=[stripped],
        validators=[DataRequired(_l("Write why it was wrong.")), Length(max=LONGEST_WHY, message=TOO_LONG)],
    )

    def offer(self, who: Who, holding: Mapping[Own, int], written: Callable[[int], str]) -> None:
        """What the unit is asked for, each with the figure that stands."""
        self.figure.choices = [
            (own.value, f"{OWN_WORDS[own]}: {written(holding[own])}" if own in holding else str(OWN_WORDS[own]))
            for own in ASKED[who]
        ]

    @property
    def read_in(self) -> int:
        """How many corrections whoever writes has read; -1 for none of ours."""
        text = self.read.data or ""
        return int(text) if text.isdecimal() and text.isascii() and len(text) <= MOST_DIGITS else -1


class ExcuseForm(Form):
    """Why a unit need not report."""

    why = StringField(
        _l("Why it need not report"),
        filters=[stripped],
        validators=[DataRequired(_l("Write why it need not report.")), Length(max=LONGEST_WHY, message=TOO_LONG)],
    )


class DueForm(Form):
    """Another last day for one round."""

    due_on = DateField(_l("Last day"), validators=[InputRequired(_l("Write the day."))])


class OpenForm(Form):
    """A round to begin by hand."""

    period = SelectField(_l("Period"), choices=[])

    def offer(self, periods: Sequence[tuple[str, str]]) -> None:
        self.period.choices = list(periods)

    @property
    def asked(self) -> tuple[ReportKind, str]:
        """Kind and period, once the form is valid."""
        kind, _colon, period = (self.period.data or "").partition(":")
        return ReportKind(kind), period


class CloseForm(Form):
    """Nothing is asked: a page of its own says what closing means."""


KIND_WORDS = (
    (ReportKind.MONTH.value, _l("Each month")),
    (ReportKind.HALF_YEAR.value, _l("Half-year")),
    (ReportKind.YEAR.value, _l("Year")),
)
AFTER = (
    ("0", _l("of the last month of the period")),
    ("1", _l("of the month after")),
    ("2", _l("of the second month after")),
)


class RuleForm(Form):
    """Until when and by whom reports of a kind are owed."""

    kind = SelectField(_l("Which report"), choices=KIND_WORDS)
    valid_from = DateField(
        _l("For periods that end on this day or later"), validators=[InputRequired(_l("Write the day."))]
    )
    day = IntegerField(
        _l("Day of the month"),
        validators=[
            InputRequired(_l("Write a day, 1 to 31.")),
            NumberRange(1, 31, message=_l("Write a day, 1 to 31.")),
        ],
    )
    months_after = SelectField(_l("Of which month"), choices=AFTER)
    opens_before = IntegerField(
        _l("It may be sent so many days before"),
        validators=[
            InputRequired(_l("Write a number of days, 1 to 92.")),
            NumberRange(1, 92, message=_l("Write a number of days, 1 to 92.")),
        ],
    )
    owed_by = SelectMultipleField(
        _l("Who owes it"),
        choices=[(one.value, words) for one, words in GROUPS.items()],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        validators=[Optional()],
    )
    source = StringField(
        _l("What says so"),
        filters=[stripped],
        validators=[
            DataRequired(_l("Write what says so: a document, or who decided it.")),
            Length(max=200, message=TOO_LONG),
        ],
    )

    @classmethod
    def of(cls, kind: ReportKind, rule: ReportingRule | None, day: date) -> Self:
        """Filled in with the rule that holds."""
        known: dict[str, Any] = {"kind": kind.value, "valid_from": day, "months_after": "1", "opens_before": 30}
        if rule is not None:
            known |= rule.deadline._asdict() | {"owed_by": rule.owed_by, "source": rule.source}
            known["months_after"] = str(rule.months_after)
        return cls(data=known)

    @property
    def deadline(self) -> Deadline:
        """Once the form is valid."""
        return Deadline(int(self.months_after.data or 0), self.day.data or 1, self.opens_before.data or 1)

    @property
    def groups(self) -> list[Who]:
        return [Who(one) for one in self.owed_by.data or ()]
