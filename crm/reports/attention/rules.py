"""What counts as wrong, in which order it is told, and how far the year should be on a day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from enum import StrEnum
from math import ceil
from typing import NamedTuple
from uuid import UUID

from crm.reports.rules import Row

MOST_TOLD = 5
"""So many places are named; the table below has all of them."""
SILENT_AFTER = timedelta(days=14)
"""A unit or volunteer of whom no visit came for so long is asked after."""
WEEK = 7
DAYS = 365


class Problem(StrEnum):
    """The most urgent first."""

    NO_TARGET = "no_target"
    ANSWERS = "answers"
    LATE = "late"
    REPORTS = "reports"
    RETURNED = "returned"
    DUTIES = "duties"
    BEHIND = "behind"
    SILENT = "silent"


class Wrong(NamedTuple):
    """One thing that is wrong: how many, and of which unit it is told (None: of all)."""

    problem: Problem
    number: int
    name: str | None = None
    key: UUID | None = None
    period: str = ""
    """Of reports that are late or were returned: of which period, in words."""


def should_be(start: int, target: int, as_of: date) -> int:
    """Where a stock that grows evenly over the year from `start` to `target` stands at the end of a day."""
    gone = min(((as_of - as_of.replace(month=1, day=1)).days + 1) / DAYS, 1)
    return round(start + (target - start) * gone)


def per_week(now: int, target: int, as_of: date) -> int:
    """How many more people a week reach the target by the end of the year; 0 when it is reached."""
    left = (as_of.replace(month=12, day=31) - as_of).days + 1
    return ceil(max(target - now, 0) / max(left / WEEK, 1))


def behind(rows: Iterable[Row], as_of: date) -> list[Wrong]:
    """The units that are behind an even pace to their target, the furthest first."""
    found = [
        Wrong(Problem.BEHIND, should_be(row.moved.start, row.target, as_of) - row.moved.now, row.name, row.key)
        for row in rows
        if row.target is not None
    ]
    return sorted((one for one in found if one.number > 0), key=lambda one: (-one.number, one.name))[:MOST_TOLD]
