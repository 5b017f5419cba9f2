"""What is due today and why: ranked by what would be lost by waiting, then by how much is at stake.

The order, and why. First what costs months within days (`ENDING`). Then a promise for today, for somebody waits. Then
whatever costs money or months soon: who has just lapsed, for most who come back do so in the first weeks; the payment
whose days run; a sponsor's end, that of a certificate by which somebody pays less, the end of the State's months; and who
is to be won back. Appointments that are late stand behind all of these: a day more costs them patience, not months, and after a week they rise to whoever
leads the work. They are many, too, while what ends is rare and each is over once it was spoken of: the few hide none of the
many for long, but the many would bury the few. Then those whose certificate ends before they joined: it costs no month they
have, only help they might have had, and who refused is left alone. Last come those who were never met.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import IntEnum
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_ngettext as _ln

from crm.months import Month
from crm.participation.guard.rules import (
    CERTIFICATE_NOTICE,
    SPONSOR_NOTICE,
    SUPPORT_NOTICES,
    asked_since,
    notice_begins,
    notice_of,
)
from crm.prospects.rules import STRENGTH, Ground, Stage

SHOWN = 20
OPEN_FIRST = 3
"""So many of the day's tasks stand open; the others are a line each that opens at a tap: one sees the whole day at once."""

NOTICE = {1: timedelta(days=7), 3: timedelta(days=14), 6: timedelta(days=21), 12: timedelta(days=30)}
"""How long before the last day to pay somebody is reminded, by the months they pay at once."""
LONGEST_NOTICE = max(NOTICE.values())
PRESSING = timedelta(days=3)
"""So close to the last day to pay, nothing else comes first."""
SPONSOR_NOTICES = (SPONSOR_NOTICE, 1)
"""Months before a sponsor's money ends: once in time to find another, and once more in the last month."""
NEGLECTED_AFTER = timedelta(days=7)
"""What waits longer than this rises to whoever leads the work."""


class Cause(IntEnum):
    """Why somebody stands in today's list; the most pressing first."""

    ENDING = 1
    TODAY = 2
    LAPSED = 3
    PAYMENT = 4
    SPONSOR_ENDS = 5
    CERTIFICATE_ENDS = 6
    SUPPORT_ENDS = 7
    WIN_BACK = 8
    LATE = 9
    OFFER_ENDS = 10
    NEW = 11


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
    household_id: UUID | None = None
    months_paid: int = 0
    sponsored_through: Month | None = None
    """Last month a sponsor carries, where that is near and nobody carries on."""
    certificate_until: date | None = None
    """Last day of a certificate that ends soon, where none follows."""
    supported_through: Month | None = None
    """Last month the State helps with before its cap, where that is near."""
    lapsed_on: date | None = None
    """Their first day without, where they lapsed, have not come back, and were not asked why for now."""

    @property
    def takes_part(self) -> bool:
        """Whether they pay now, so that what ends costs them money."""
        return self.stage is Stage.JOINED or self.deadline_on is not None


Rank = tuple[int, int, date, int, UUID]
"""Where something stands among what is due: cause, weight, day, months at stake, and whom it is about."""
Spot = tuple[Rank, Rank]
"""Where a task stands in the list: by the most pressing of its house, then by itself."""


@dataclass(frozen=True)
class Because:
    """One reason to call on somebody: since when, or until when."""

    cause: Cause
    day: date


@dataclass(frozen=True)
class Task:
    """Somebody to call on today: why, since when or until when."""

    id: UUID
    cause: Cause
    day: date
    weight: int = 0
    deadline_on: date | None = None
    """Last day to pay, where that is near or past, whatever brought the task."""
    at_stake: int = 0
    """Months paid so far: of two who are as pressing, whoever would lose more comes first."""
    also: tuple[Because, ...] = ()
    """What else to speak of, the most pressing first."""
    household_id: UUID | None = None
    door: Rank | None = None
    """Of who stands here because somebody of the same household does: where that one stands."""

    @property
    def along(self) -> bool:
        return self.door is not None

    @property
    def rank(self) -> Rank:
        return int(self.cause), self.weight, self.day, -self.at_stake, self.id

    @property
    def spot(self) -> Spot:
        return self.door or self.rank, self.rank


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


def reasons_of(known: Known, day: date) -> Iterator[Because]:
    """Every reason to call on somebody on a day, each at most once.

    A reason goes by itself: when what it asks for happened (a payment, a new certificate, another sponsor), or when
    somebody spoke with the person since it began.
    """
    if known.stage is Stage.NOT_ELIGIBLE:
        return
    if known.deadline_on and payment_due(known, day):
        yield Because(Cause.ENDING if known.deadline_on - day <= PRESSING else Cause.PAYMENT, known.deadline_on)
    if known.next_contact_on and known.next_contact_on <= day:
        yield Because(Cause.TODAY if known.next_contact_on == day else Cause.LATE, known.next_contact_on)
    yield from _what_ends(known, day)
    never_met = known.next_contact_on is None and known.last_contact_on is None
    if never_met and known.stage in (Stage.NEW, Stage.UNREACHED):
        yield Because(Cause.NEW, known.assigned_on or day)


def _what_ends(known: Known, day: date) -> Iterator[Because]:
    """What ends, or ended, without anybody's doing. Who has an appointment before the end hears of it then."""
    spoken = known.last_contact_on or date.min
    meets = known.next_contact_on if known.next_contact_on and known.next_contact_on > day else date.max
    for cause, end, notices in (
        (Cause.SPONSOR_ENDS, known.sponsored_through, SPONSOR_NOTICES),
        (Cause.SUPPORT_ENDS, known.supported_through, SUPPORT_NOTICES),
    ):
        months = notice_of(end, day, notices) if end else None
        if end and months and spoken < notice_begins(end, months) and meets > end.last_day:
            yield Because(cause, end.last_day)
    until = known.certificate_until
    if until and until - CERTIFICATE_NOTICE <= day <= until < meets and spoken < until - CERTIFICATE_NOTICE:
        if known.takes_part:
            yield Because(Cause.CERTIFICATE_ENDS, until)
        elif known.stage is not Stage.REFUSED:
            yield Because(Cause.OFFER_ENDS, until)
    since = asked_since(known.lapsed_on, day) if known.lapsed_on and known.stage is Stage.LAPSED else None
    if known.lapsed_on and since and spoken < since and meets == date.max:
        yield Because(Cause.LAPSED if since == known.lapsed_on else Cause.WIN_BACK, known.lapsed_on)


def task_of(known: Known, day: date) -> Task | None:
    """What is to be done about somebody on a day, for its most pressing reason; None when nothing is."""
    reasons = sorted(reasons_of(known, day), key=lambda one: one.cause)
    if not reasons:
        return None
    first, *also = reasons
    weights = {
        Cause.TODAY: _WEIGHT.get(known.stage, _LIGHTEST),
        Cause.LATE: _WEIGHT.get(known.stage, _LIGHTEST),
        Cause.NEW: STRENGTH[known.ground],
    }
    return Task(
        known.id,
        first.cause,
        first.day,
        weights.get(first.cause, 0),
        known.deadline_on if payment_near(known, day) and first.cause is not Cause.NEW else None,
        known.months_paid,
        tuple(also),
        known.household_id,
    )


def ranked(people: Iterable[Known], day: date) -> list[Task]:
    """Everything that is due, the most pressing first; the same people always in the same order."""
    tasks = (task_of(one, day) for one in people)
    return sorted((task for task in tasks if task), key=lambda task: task.rank)


def by_door(tasks: Sequence[Task]) -> list[Task]:
    """The same tasks, with those of one household behind the most pressing of them: one walk, one door."""
    of_house: dict[UUID | None, list[Task]] = {}
    for task in tasks:
        of_house.setdefault(task.household_id, []).append(task)
    found: dict[UUID, Task] = {}
    for task in tasks:
        found.setdefault(task.id, task)
        for other in of_house[task.household_id] if task.household_id else ():
            found.setdefault(other.id, replace(other, door=task.rank))
    return list(found.values())


def following(tasks: Sequence[Task], spot: Spot) -> list[Task]:
    """What stands behind a place of the list `by_door`, whether or not anything stands there any more."""
    return [task for task in tasks if task.spot > spot]


def why(because: Task | Because, day: date, times: int, written: str) -> Any:
    """The reason in words; `times` is how often somebody was called on before, `written` its day for the reader."""
    if because.cause is Cause.NEW:
        return _l("Newly assigned, not met yet")
    if because.cause in (Cause.ENDING, Cause.PAYMENT):
        if because.day < day:
            return _l("Time to pay ran out on %(day)s", day=written)
        return _l("Time to pay ends on %(day)s", day=written)
    if because.cause is Cause.TODAY:
        return _l("Due today · time %(times)s", times=times + 1)
    if because.cause in _ENDS:
        return _ENDS[because.cause](written)
    return _ln(
        "%(num)s day late · time %(times)s",
        "%(num)s days late · time %(times)s",
        (day - because.day).days,
        times=times + 1,
    )


_ENDS: Mapping[Cause, Any] = {
    Cause.SPONSOR_ENDS: lambda day: _l("A sponsor pays until %(day)s, nobody after that", day=day),
    Cause.CERTIFICATE_ENDS: lambda day: _l("The household's certificate ends on %(day)s", day=day),
    Cause.OFFER_ENDS: lambda day: _l("Not joined yet; the household's certificate ends on %(day)s", day=day),
    Cause.SUPPORT_ENDS: lambda day: _l("The State's support ends on %(day)s: its months are used up", day=day),
    Cause.LAPSED: lambda day: _l("Lapsed on %(day)s, nobody has asked why", day=day),
    Cause.WIN_BACK: lambda day: _l("Has not paid since %(day)s: ask again", day=day),
}

SAY: Mapping[Cause, Any] = {
    Cause.SPONSOR_ENDS: _l("Say in time that the sponsor's help ends; work out together what paying on would cost."),
    Cause.CERTIFICATE_ENDS: _l("Ask whether the review has come; a new certificate keeps the State's support."),
    Cause.OFFER_ENDS: _l("Say that joining while the certificate holds costs less; ask whether the review has come."),
    Cause.SUPPORT_ENDS: _l("Say what they will pay without support, and how many years they have reached."),
    Cause.LAPSED: _l("Ask why they stopped. Months already paid are kept; paying again continues them."),
    Cause.WIN_BACK: _l("Ask why they stopped. Months already paid are kept; paying again continues them."),
}
"""One sentence for the door where the reason itself is what to speak of."""
ASK_WHY = (Cause.LAPSED, Cause.WIN_BACK)
"""Where to note why somebody stopped is what is asked for, as much as to speak with them."""

STATES = {
    Cause.ENDING: "late",
    Cause.TODAY: "due",
    Cause.LATE: "late",
    Cause.PAYMENT: "due",
    Cause.SPONSOR_ENDS: "due",
    Cause.CERTIFICATE_ENDS: "due",
    Cause.SUPPORT_ENDS: "due",
    Cause.LAPSED: "late",
    Cause.WIN_BACK: "due",
    Cause.OFFER_ENDS: "plain",
    Cause.NEW: "plain",
}
"""How a task's card is drawn."""
