"""What is asked to write, sort, answer and send proposals."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from flask_babel import lazy_gettext as _l
from wtforms import DateField, HiddenField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from crm.ids import read_id
from crm.lines import TOO_LONG
from crm.reports.amendments.rules import (
    FIRST_NUMBER,
    LAST_NUMBER,
    LONGEST_ANSWER,
    LONGEST_DOCUMENT,
    LONGEST_WHOM,
    LONGEST_WORDS,
    STATES,
    SUBJECTS,
    Subject,
    Words,
)
from crm.reports.documents.forms import OfficeForm
from crm.web.forms import Form, QueryForm, stripped

SENTENCE = _l("Write it in a sentence or two.")


class WordsForm(Form):
    """What the law says, what happens, what should change."""

    subject = SelectField(
        _l("What is the proposal about?"),
        choices=[("", _l("Choose")), *((one.value, words) for one, words in SUBJECTS.items())],
        validators=[DataRequired(_l("Choose what it is about."))],
    )
    happens = TextAreaField(
        _l("What happens to people here?"),
        filters=[stripped],
        validators=[DataRequired(SENTENCE), Length(max=LONGEST_WORDS, message=TOO_LONG)],
    )
    change = TextAreaField(
        _l("What should change?"),
        filters=[stripped],
        validators=[DataRequired(SENTENCE), Length(max=LONGEST_WORDS, message=TOO_LONG)],
    )
    law = TextAreaField(
        _l("What does the law say now?"), filters=[stripped], validators=[Length(max=LONGEST_WORDS, message=TOO_LONG)]
    )

    @property
    def words(self) -> Words:
        return Words(self.law.data or "", self.happens.data or "", self.change.data or "")

    @property
    def about(self) -> Subject:
        return Subject(self.subject.data)


class WriteForm(WordsForm):
    """The same with where it comes from; `key` makes a second tap the same proposal."""

    key = HiddenField(filters=[stripped])
    place = SelectField(_l("Ward or commune"), choices=[], validators=[DataRequired(_l("Choose a ward."))])

    def offer(self, places: Iterable[tuple[str, str]]) -> None:
        self.place.choices = list(places)


class FilterForm(QueryForm):
    """Which proposals."""

    state = SelectField(
        _l("State"),
        filters=[stripped],
        choices=[("", _l("All")), *((one.value, words) for one, words in STATES.items())],
        validators=[Optional()],
    )
    subject = SelectField(
        _l("Field of policy"),
        filters=[stripped],
        choices=[("", _l("All")), *((one.value, words) for one, words in SUBJECTS.items())],
        validators=[Optional()],
    )


class OtherForm(Form):
    """Which proposal it is joined to, or which is left out."""

    other = HiddenField(filters=[stripped], validators=[DataRequired()])

    @property
    def other_id(self) -> UUID | None:
        return read_id(self.other.data)


class AnswerForm(Form):
    """What was answered, by whom, when."""

    answered_by = StringField(
        _l("Who answered"),
        filters=[stripped],
        validators=[DataRequired(_l("Write who answered.")), Length(max=LONGEST_WHOM, message=TOO_LONG)],
    )
    words = TextAreaField(
        _l("The answer"),
        filters=[stripped],
        validators=[DataRequired(_l("Write the answer.")), Length(max=LONGEST_ANSWER, message=TOO_LONG)],
    )
    document = StringField(
        _l("Number of the letter"), filters=[stripped], validators=[Length(max=LONGEST_DOCUMENT, message=TOO_LONG)]
    )
    on_day = DateField(_l("On which day"), validators=[InputRequired(_l("Write the day."))])


class LetterForm(OfficeForm):
    """Whose paper it is and to whom it goes."""

    to_whom = StringField(
        _l("To whom it goes"),
        filters=[stripped],
        validators=[DataRequired(_l("Write to whom it goes.")), Length(max=LONGEST_WHOM, message=TOO_LONG)],
    )


class SendForm(Form):
    """The number and the day with which it goes out."""

    number = IntegerField(
        _l("Number of the document"),
        validators=[
            Optional(),
            NumberRange(FIRST_NUMBER, LAST_NUMBER, message=_l("Write a whole number, such as 12.")),
        ],
    )
    sent_on = DateField(_l("Day it was sent"), validators=[InputRequired(_l("Write the day."))])
