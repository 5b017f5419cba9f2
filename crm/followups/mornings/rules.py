"""Who hears of their day, when, and in which words. No name of anybody stands in it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any, NamedTuple

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from crm.campaigns.rules.hours import VIETNAM, Hours
from crm.campaigns.rules.texts import unaccented
from crm.followups.rules import Cause, Task

MORNING = Hours(time(7), time(10))
"""From when until when the word of the morning is worth sending; a machine that starts later lets the day pass."""
WORKING_DAYS = 5


class MorningBy(StrEnum):
    """How somebody hears of their day."""

    NOTHING = "nothing"
    EMAIL = "email"
    SMS = "sms"


class MorningOn(StrEnum):
    """On which days."""

    WORKING_DAYS = "working_days"
    EVERY_DAY = "every_day"


BY: Mapping[MorningBy, Any] = {
    MorningBy.NOTHING: _l("Not at all"),
    MorningBy.EMAIL: _l("By e-mail"),
    MorningBy.SMS: _l("By SMS to my number"),
}
ON: Mapping[MorningOn, Any] = {
    MorningOn.WORKING_DAYS: _l("Monday to Friday"),
    MorningOn.EVERY_DAY: _l("Every day"),
}
AGREED = _l("I want a message each morning that says how many people are due, to this number.")
"""What somebody agrees to with the choice of SMS; kept with their consent."""


class Tally(NamedTuple):
    """How many people are due: all, promised for today, overdue, and before their last day to pay."""

    all: int
    promised: int
    late: int
    paying: int


def tally(tasks: Iterable[Task]) -> Tally:
    """The figures of a day's list."""
    causes = [task.cause for task in tasks]
    return Tally(
        len(causes),
        causes.count(Cause.TODAY),
        causes.count(Cause.LATE),
        causes.count(Cause.ENDING) + causes.count(Cause.PAYMENT),
    )


def wishes_on(day: date, on: MorningOn) -> bool:
    """Whether somebody wants to hear on this day."""
    return on is MorningOn.EVERY_DAY or day.weekday() < WORKING_DAYS


def is_morning(at: datetime) -> bool:
    """Whether the word of the morning may be written now."""
    return MORNING.allow(at)


def too_late(day: date) -> datetime:
    """When the word of a day makes no sense any more."""
    return datetime.combine(day, MORNING.closes, VIETNAM)


def in_words(told: Tally, link: str) -> str:
    """One sentence of figures and the address of the list."""
    parts = [
        ngettext("%(num)s promised visit", "%(num)s promised visits", told.promised) if told.promised else "",
        ngettext("%(num)s overdue", "%(num)s overdue", told.late) if told.late else "",
        ngettext("%(num)s near the last day to pay", "%(num)s near the last day to pay", told.paying)
        if told.paying
        else "",
    ]
    people = ngettext("Today %(num)s person is due", "Today %(num)s people are due", told.all)
    which = ", ".join(part for part in parts if part)
    return f"{people}{': ' + which if which else ''}. {link}"


def as_sms(told: Tally, link: str) -> str:
    """The same without accents."""
    return unaccented(in_words(told, link))


def as_email(name: str, told: Tally, link: str) -> tuple[str, str]:
    """Subject and text."""
    subject = ngettext("%(num)s person to see today", "%(num)s people to see today", told.all)
    hello = _("Good morning %(name)s,", name=name)
    how = _("You can turn this e-mail off under «My account».")
    return subject, f"{hello}\n\n{in_words(told, link)}\n\n{how}\n"
