"""What is counted on the way to taking part, and by what it is divided."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _l

from crm.participation.rules import Span
from crm.prospects.rules import Stage


class What(StrEnum):
    """The figures of the pipeline that open their people."""

    STAGE = "stage"
    MET = "met"
    REFUSED = "refused"
    WON = "won"
    LEFT = "left"
    STEP = "step"
    LEFT_STAGE = "left_stage"
    COHORT = "cohort"
    ON_THE_WAY = "on_the_way"
    """At any of the steps before joining."""
    DUE = "due"
    """Take part and have to pay again until a day."""


IN_PERIOD: Mapping[What, Any] = {
    What.MET: _l("Met"),
    What.REFUSED: _l("Said no"),
    What.WON: _l("Joined or came back"),
    What.LEFT: _l("Dropped out"),
}
"""Figures of a period, each person once; the others are of its last day or name a step."""


class Division(StrEnum):
    """What the figures may be divided by."""

    PLACE = "place"
    ORGANISATION = "organisation"
    VOLUNTEER = "volunteer"
    CHANNEL = "channel"
    STANDING = "standing"
    MONTH = "month"


DIVISIONS: Mapping[Division, Any] = {
    Division.PLACE: _l("Ward or commune"),
    Division.ORGANISATION: _l("Organisation"),
    Division.VOLUNTEER: _l("Volunteer"),
    Division.CHANNEL: _l("Where people were met"),
    Division.STANDING: _l("Ground for support"),
    Division.MONTH: _l("Month"),
}


@dataclass
class Counts:
    """People by stage at the end of a period's last day, and people to whom something happened in it."""

    stages: dict[Stage, int] = field(default_factory=lambda: dict.fromkeys(Stage, 0))
    happened: dict[What, int] = field(default_factory=lambda: dict.fromkeys(IN_PERIOD, 0))

    @property
    def people(self) -> int:
        return sum(self.stages.values())

    def add(self, other: Counts) -> None:
        """Count these as well."""
        for stage, people in other.stages.items():
            self.stages[stage] += people
        for what, people in other.happened.items():
            self.happened[what] += people


class Divided(NamedTuple):
    """The figures of one ward, organisation, volunteer, way of meeting, ground or month."""

    key: str
    """As an address names it; `none` for those without."""
    name: str
    counts: Counts
    span: Span | None = None
    """Of a month, its days; its stages are not counted."""


APART = (Division.PLACE, Division.ORGANISATION, Division.VOLUNTEER, Division.STANDING)
"""The divisions in which everybody stands in one row."""


def together(rows: Iterable[Divided]) -> Counts:
    """The rows of a division that tells everybody apart as one: the figures of all of them."""
    whole = Counts()
    for row in rows:
        whole.add(row.counts)
    return whole


def before(span: Span) -> Span:
    """As many days just before a period."""
    return Span(span.since - (span.as_of - span.since) - (span.since - span.before), span.before)


def a_year_before(span: Span) -> Span:
    """The same days of the year before; 29 February becomes the 28th."""
    return Span(
        *(
            day.replace(year=day.year - 1, day=min(day.day, 28) if day.month == 2 else day.day)
            for day in (span.since, span.as_of)
        )
    )
