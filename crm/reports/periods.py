"""Periods of reports as offices name them: `2019-09`, `2019-H1`, `2019`."""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum

from flask_babel import lazy_gettext as _l

from crm.errors import RuleBroken
from crm.months import Month
from crm.participation.rules import Span


class ReportKind(StrEnum):
    MONTH = "month"
    HALF_YEAR = "half-year"
    YEAR = "year"
    PIPELINE = "pipeline"
    SUPPORT = "support-03"
    MONEY = "money-05"
    RECONCILIATION = "reconciliation"


OF_MONEY = (ReportKind.SUPPORT, ReportKind.MONEY, ReportKind.RECONCILIATION)
"""What the treasurer hands in: only for those who see sponsors."""

_ANY = (
    re.compile(r"(\d{4})(?:-(?:(?P<month>0[1-9]|1[0-2])|H(?P<half>[12])))?"),
    _l("Write a month as 2019-09, a half-year as 2019-H1 or a year as 2019."),
)

_SHAPES = {
    ReportKind.MONTH: (re.compile(r"(\d{4})-(?P<month>0[1-9]|1[0-2])"), _l("Write the month as 2019-09.")),
    ReportKind.HALF_YEAR: (re.compile(r"(\d{4})-H(?P<half>[12])"), _l("Write the half-year as 2019-H1 or 2019-H2.")),
    ReportKind.YEAR: (re.compile(r"(\d{4})"), _l("Write the year as 2019.")),
    **dict.fromkeys((ReportKind.PIPELINE, *OF_MONEY), _ANY),
}


def span_of(kind: ReportKind, period: str, as_of: date) -> Span:
    """From the first to the last day of a period, but not beyond `as_of`. Raises RuleBroken."""
    shape, sentence = _SHAPES[kind]
    match = shape.fullmatch(period)
    if not match or not 2008 <= int(match[1]) <= 2200:
        raise RuleBroken(sentence, field="period")
    parts = match.groupdict()
    year, month, half = int(match[1]), parts.get("month"), parts.get("half")
    first, last = Month(year, 1), Month(year, 12)
    if month:
        first = last = Month(year, int(month))
    elif half:
        first = Month(year, 1 if half == "1" else 7)
        last = first + 5
    if first.first_day > as_of:
        raise RuleBroken(_l("This period has not begun on that day."), field="period")
    return Span(first.first_day, min(last.last_day, as_of))


def periods_to(day: date) -> list[str]:
    """The periods that have begun, as they are written: months of a year and a half, then halves and years."""
    this = Month.of(day)
    months = [str(this - back) for back in range(18)]
    halves = [
        f"{year}-H{half}" for year in (day.year, day.year - 1) for half in (2, 1) if Month(year, 6 * half - 5) <= this
    ]
    return [*months, *halves, *(str(year) for year in (day.year, day.year - 1, day.year - 2))]
