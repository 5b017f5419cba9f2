"""What is due today and why: ranked by what would be lost by waiting."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_ngettext as _ln

from crm.prospects.rules import STRENGTH, Ground, Stage

SHOWN = 20

NOTICE = {1: timedelta(days=7), 3: timedelta(days=14), 6: timedelta(days=21), 12: timedelta(days=30)}
"""How long before the last day to pay somebody is reminded, by the months they pay at once."""
LONGEST_NOTICE = max(NOTICE.values())
PRESSING = timedelta(days=3)
"""So close to the last day to pay, nothing else comes first."""


class Cause(IntEnum):
    """Why somebody stands in today's list; the most pressing first."""

    ENDING = 1
    TODAY = 2
    LATE = 3
    PAYMENT = 4
    NEW = 5


@dataclass(frozen=True)
class Known:
    """What is known of somebody before asking whether they are due."""

    id: UUID
    stage: Stage
    next_contact_on: date | None = None
    last_contact_on: date | None = None
    deadline_on: date | None = None
    """Last day to pay for what follows, of somebody who takes part."""
    method: int = 1
    ground: Ground = Ground.OTHER
    assigned_on: date | None = None


@dataclass(frozen=True)
class Task:
    """Somebody to call on today: why, since when or until when."""

    id: UUID
    cause: Cause
    day: date
    weight: int = 0
    deadline_on: date | None = None
    """Last day to pay, where that is near or past, whatever brought the task."""

    @property
    def rank(self) -> tuple[int, int, date, UUID]:
        return self.cause, self.weight, self.day, self.id


_WEIGHT = {Stage.AGREED: 0, Stage.LAPSED: 1, Stage.INTERESTED: 2, Stage.CONSIDERING: 3, Stage.JOINED: 4}
"""Of two who were put off, the one who had said more comes first."""
_LIGHTEST = 5


def payment_near(known: Known, day: date) -> bool:
    """Whether the last day to pay is so near that one speaks of it, or past."""
    return known.deadline_on is not None and day >= known.deadline_on - NOTICE.get(known.method, LONGEST_NOTICE)


def payment_due(known: Known, day: date) -> bool:
    """Whether the next payment is close and nobody has spoken about it since; once more in the last days."""
    if known.deadline_on is None:
        return False
    begins = known.deadline_on - NOTICE.get(known.method, LONGEST_NOTICE)
    spoken = known.last_contact_on or date.min
    if day < begins:
        return False
    if known.deadline_on - day <= PRESSING:
        return spoken < known.deadline_on - PRESSING
    return spoken < begins or (known.next_contact_on is not None and known.next_contact_on <= day)


def task_of(known: Known, day: date) -> Task | None:
    """What is to be done about somebody on a day; None when nothing is."""
    weight = _WEIGHT.get(known.stage, _LIGHTEST)
    pay_by = known.deadline_on if payment_near(known, day) else None
    if known.stage is Stage.NOT_ELIGIBLE:
        return None
    if known.deadline_on and payment_due(known, day):
        cause = Cause.ENDING if known.deadline_on - day <= PRESSING else Cause.PAYMENT
        return Task(known.id, cause, known.deadline_on, deadline_on=pay_by)
    if known.next_contact_on and known.next_contact_on <= day:
        cause = Cause.TODAY if known.next_contact_on == day else Cause.LATE
        return Task(known.id, cause, known.next_contact_on, weight, pay_by)
    if known.next_contact_on is None and known.last_contact_on is None and known.stage in (Stage.NEW, Stage.UNREACHED):
        return Task(known.id, Cause.NEW, known.assigned_on or day, STRENGTH[known.ground])
    return None


def ranked(people: Iterable[Known], day: date) -> list[Task]:
    """Everything that is due, the most pressing first; the same people always in the same order."""
    tasks = (task_of(one, day) for one in people)
    return sorted((task for task in tasks if task), key=lambda task: task.rank)


def why(task: Task, day: date, times: int, written: str) -> Any:
    """The reason in words; `times` is how often somebody was called on before, `written` the task's day for the reader."""
    if task.cause is Cause.NEW:
        return _l("Newly assigned, not met yet")
    if task.cause in (Cause.ENDING, Cause.PAYMENT):
        if task.day < day:
            return _l("Time to pay ran out on %(day)s", day=written)
        return _l("Time to pay ends on %(day)s", day=written)
    if task.cause is Cause.TODAY:
        return _l("Due today · time %(times)s", times=times + 1)
    return _ln(
        "%(num)s day late · time %(times)s",
        "%(num)s days late · time %(times)s",
        (day - task.day).days,
        times=times + 1,
    )


STATES = {Cause.ENDING: "late", Cause.TODAY: "due", Cause.LATE: "late", Cause.PAYMENT: "due", Cause.NEW: "plain"}
"""How a task's card is drawn."""
