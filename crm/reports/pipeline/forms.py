"""Of whom, over which days, divided by what, and beside which others; and which figure's people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from wtforms import DateField, SelectField
from wtforms.validators import Optional

from crm.months import Month
from crm.outreach.rules import CHANNELS, REASONS
from crm.participation.rules import Span
from crm.prospects.rules import Stage
from crm.prospects.wording import GROUNDS
from crm.reports.pipeline.rules import DIVISIONS, Division, What
from crm.web.forms import QueryForm, stripped

BEFORE, YEAR = "before", "year"
"""Beside the period: the days just before it, or the same days a year earlier."""


def _select(label: Any) -> SelectField:
    return SelectField(label, filters=[stripped], validators=[Optional()], choices=[])


def _words(choices: Mapping[Any, Any]) -> list[tuple[str, Any]]:
    return [("", _l("All")), *((one.value, words) for one, words in choices.items())]


class PipelineForm(QueryForm):
    """Sent by GET, so that what is shown is an address one can pass on."""

    place = _select(_l("Ward or commune"))
    organisation = _select(_l("Organisation"))
    volunteer = _select(_l("Volunteer"))
    channel = _select(_l("Where people were met"))
    standing = _select(_l("Ground for support"))
    since = DateField(_l("From"), validators=[Optional()])
    as_of = DateField(_l("Up to"), validators=[Optional()])
    by = _select(_l("Divided by"))
    beside = _select(_l("Compare with"))

    NARROWING = ("place", "organisation", "volunteer", "channel", "standing")

    def offer(
        self,
        places: Iterable[tuple[UUID, str]],
        organisations: Iterable[tuple[UUID, str]],
        volunteers: Iterable[tuple[UUID, str]],
    ) -> None:
        """What there is to choose from."""
        wards = [(str(key), name) for key, name in places]
        units = [(str(key), name) for key, name in organisations]
        self.place.choices = [("", _l("All")), *wards]
        self.organisation.choices = [("", _l("All")), *units, ("none", _l("Not on record"))]
        self.volunteer.choices = [
            ("", _l("All")),
            *((str(key), name) for key, name in volunteers),
            ("none", _l("Nobody yet")),
        ]
        self.channel.choices, self.standing.choices = _words(CHANNELS), _words(GROUNDS)
        self.by.choices = [(one.value, words) for one, words in DIVISIONS.items()]
        self.beside.choices = [
            ("", _l("Nothing")),
            (BEFORE, _l("As many days before")),
            (YEAR, _l("The same days a year before")),
            *((f"place.{key}", name) for key, name in wards),
            *((f"organisation.{key}", name) for key, name in units),
        ]

    def read(self) -> None:
        """What is not known here is as if it had not been asked for."""
        self.validate()
        for part in self:
            if part.errors:
                part.data = None

    def span(self, today: date) -> Span:
        """From New Year to today where nothing else is asked for."""
        last = min(self.as_of.data or today, today)
        first: date | None = self.since.data
        return Span(first, last) if first and first <= last else Span.year_to(last)

    @property
    def division(self) -> Division:
        return Division(self.by.data) if self.by.data else Division.PLACE

    def narrowed(self) -> dict[str, str]:
        """As an address says it."""
        return {name: self[name].data for name in self.NARROWING if self[name].data}


class PeopleForm(PipelineForm):
    """One figure of the page: its people."""

    what = _select(_l("Figure"))
    stage = _select(_l("Step"))
    origin = _select(_l("From the step"))
    reason = _select(_l("Reason"))
    month = _select(_l("Joined in"))
    paid = _select(_l("Paid for"))
    ground = _select(_l("Ground for support"))
    until = DateField(validators=[Optional()])
    inside_since = DateField(validators=[Optional()])
    inside_until = DateField(validators=[Optional()])
    """The days of the figure, where they are only some of the period that the people are narrowed by."""

    def offer_figures(self, months: Iterable[Month]) -> None:
        """Which figures there are."""
        named = [(str(one), str(one)) for one in months]
        self.what.choices = [(one.value, one.value) for one in What]
        self.stage.choices = self.origin.choices = [(one.value, one.value) for one in Stage]
        self.reason.choices = [(one.value, words) for one, words in REASONS.items()]
        self.ground.choices = [(one.value, words) for one, words in GROUNDS.items()]
        self.month.choices = self.paid.choices = named

    def inside(self, whole: Span) -> Span:
        """The days that the figure is of."""
        first, last = self.inside_since.data, self.inside_until.data
        return Span(first, last) if first and last and first <= last else whole
