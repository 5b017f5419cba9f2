"""What is asked to make, word, sign and send a report, and to say what stands on an office's paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired
from wtforms import DateField, HiddenField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from crm.lines import TOO_LONG
from crm.reports.documents.rules import LONGEST, SECTION_WORDS, Head, Section
from crm.reports.periods import ReportKind
from crm.web.forms import Form, QueryForm, stripped

MOST_NUMBER = 99_999


class OpenForm(Form):
    """A report to make: its period, and the place it is of."""

    period = SelectField(_l("Period"), choices=[])
    place = SelectField(_l("Report of"), filters=[stripped], validators=[Optional()], choices=[])
    boundaries = SelectField(_l("Wards as they were"), filters=[stripped], validators=[Optional()], choices=[])

    def offer(
        self,
        periods: Sequence[tuple[str, str]],
        places: Sequence[tuple[str, str]],
        boundaries: Sequence[tuple[str, str]],
        *,
        whole_town: bool,
    ) -> None:
        """What there is to choose from."""
        self.period.choices = list(periods)
        self.place.choices = [*([("", _l("The whole town"))] if whole_town else []), *places]
        self.boundaries.choices = [("", _l("On the last day")), *boundaries]

    @property
    def asked(self) -> tuple[ReportKind, str]:
        """Kind and period of what was chosen."""
        kind, _dash, period = (self.period.data or "").partition(":")
        return ReportKind(kind), period

    @property
    def place_id(self) -> UUID | None:
        return UUID(self.place.data) if self.place.data else None

    @property
    def drawn(self) -> date | None:
        return date.fromisoformat(self.boundaries.data) if self.boundaries.data else None


class CountForm(Form):
    """Boundaries for counting a draft again."""

    boundaries = SelectField(_l("Wards as they were"), filters=[stripped], validators=[Optional()], choices=[])

    def offer(self, boundaries: Sequence[tuple[str, str]]) -> None:
        self.boundaries.choices = [("", _l("On the last day")), *boundaries]

    @property
    def drawn(self) -> date | None:
        return date.fromisoformat(self.boundaries.data) if self.boundaries.data else None


def _area(section: Section) -> Any:
    return TextAreaField(SECTION_WORDS[section], filters=[stripped], validators=[Length(max=LONGEST, message=TOO_LONG)])


class TextForm(Form):
    """The sections of a report, each paragraph a line; `version` is what was looked at."""

    version = HiddenField()
    opening = _area(Section.OPENING)
    direction = _area(Section.DIRECTION)
    number = _area(Section.NUMBER)
    places = _area(Section.PLACES)
    organisations = _area(Section.ORGANISATIONS)
    sponsors = _area(Section.SPONSORS)
    shortcomings = _area(Section.SHORTCOMINGS)
    tasks = _area(Section.TASKS)
    proposals = _area(Section.PROPOSALS)

    @classmethod
    def of(cls, text: Mapping[Section, str], version: int) -> TextForm:
        return cls(data={section.value: words for section, words in text.items()} | {"version": str(version)})

    def text(self) -> dict[Section, str]:
        return {section: self._fields[section.value].data or "" for section in Section}

    def put(self, text: Mapping[Section, str], version: int) -> None:
        """Other words in the boxes, written from that version."""
        self.version.data = str(version)
        for section, words in text.items():
            self._fields[section.value].data = words

    @property
    def areas(self) -> list[Any]:
        return [self._fields[section.value] for section in Section]


class SignForm(Form):
    """The number and the date of the paper, and whose name stands under it."""

    version = HiddenField()
    template = HiddenField()
    number = IntegerField(
        _l("Number of the report"),
        validators=[Optional(), NumberRange(1, MOST_NUMBER, message=_l("Write a number such as 12."))],
    )
    signed_on = DateField(_l("Date on the paper"), validators=[InputRequired(_l("Write the date."))])
    signer = StringField(
        _l("Name under the signature"), filters=[stripped], validators=[Length(max=100, message=TOO_LONG)]
    )

    def read_as_it_stands(self, version: int, template_id: UUID | None) -> None:
        """Carry along in which wording and template the page beside the form shows the report."""
        self.version.data, self.template.data = str(version), str(template_id or "")

    @property
    def template_read(self) -> UUID | None:
        """The office's template in which the report was read; None: the shipped one. Of what is no id, an id that nothing
        has."""
        try:
            return UUID(self.template.data) if self.template.data else None
        except ValueError:
            return UUID(int=0)


class SendForm(Form):
    """When a signed report went out, and how."""

    sent_on = DateField(_l("Day it was sent"), validators=[InputRequired(_l("Write the day."))])
    way = StringField(_l("How it was sent"), filters=[stripped], validators=[Length(max=200, message=TOO_LONG)])


class WithdrawForm(Form):
    """Why a report is taken back."""

    why = StringField(
        _l("Why the report is withdrawn"),
        filters=[stripped],
        validators=[DataRequired(_l("Write why the report is withdrawn.")), Length(max=500, message=TOO_LONG)],
    )


class PlaceForm(QueryForm):
    """Of which office."""

    place = SelectField(_l("Office of"), filters=[stripped], validators=[Optional()], choices=[])

    def offer(self, places: Sequence[tuple[str, str]], *, whole_town: bool) -> None:
        self.place.choices = [*([("", _l("The whole town"))] if whole_town else []), *places]

    @property
    def place_id(self) -> UUID | None:
        """The place asked for; of what is not on offer the first there is."""
        chosen = self.place.data if self.validate() else None
        offered = [str(choice[0]) for choice in self.place.choices or []]
        key = chosen if chosen in offered else next(iter(offered), "")
        return UUID(key) if key else None


class OfficeForm(Form):
    """Whose paper it is, how it is numbered, who signs and who gets it."""

    superior = StringField(_l("Superior office"), filters=[stripped], validators=[Length(max=200, message=TOO_LONG)])
    issuer = StringField(
        _l("Office that issues it"),
        filters=[stripped],
        validators=[DataRequired(_l("This must stand on the paper.")), Length(max=200, message=TOO_LONG)],
    )
    symbol = StringField(
        _l("Symbol after the number"),
        filters=[stripped],
        validators=[DataRequired(_l("This must stand on the paper.")), Length(max=40, message=TOO_LONG)],
    )
    locality = StringField(
        _l("Place in the line of the date"),
        filters=[stripped],
        validators=[DataRequired(_l("This must stand on the paper.")), Length(max=80, message=TOO_LONG)],
    )
    sign_for = TextAreaField(
        _l("Lines over the signature"), filters=[stripped], validators=[Length(max=200, message=TOO_LONG)]
    )
    signer = StringField(
        _l("Name under the signature"), filters=[stripped], validators=[Length(max=100, message=TOO_LONG)]
    )
    recipients = TextAreaField(
        _l("Recipients, one a line"),
        filters=[stripped],
        validators=[DataRequired(_l("Name at least one recipient.")), Length(max=2000, message=TOO_LONG)],
    )

    def head(self) -> Head:
        plain = {
            name: self._fields[name].data or ""
            for name in ("superior", "issuer", "symbol", "locality", "sign_for", "signer")
        }
        lines = [line.strip(" -;.") for line in (self.recipients.data or "").splitlines()]
        return Head(**plain, recipients=tuple(line for line in lines if line))


class HeadForm(OfficeForm):
    """What stands on an office's papers from a day on."""

    valid_from = DateField(_l("From this day on"), validators=[InputRequired(_l("Write the date."))])

    @classmethod
    def of(cls, head: Head, day: date) -> HeadForm:
        told = {"recipients": "\n".join(head.recipients), "valid_from": day}
        return cls(data=head.as_json() | told)


class TemplateForm(Form):
    """An office's own Word template."""

    file = FileField(_l("Word file (.docx)"), validators=[FileRequired(_l("Choose the Word file."))])
