"""The program's time. Nothing else asks the machine; a setting can move it outside production."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from flask_babel import lazy_gettext as _l

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
_OFFSET = re.compile(r"[+-]\d+(\.\d+)?s")

_moved_by: Callable[[], timedelta] = timedelta


def now() -> datetime:
    """This moment in UTC, as the program sees it."""
    return datetime.now(UTC) + _moved_by()


def today() -> date:
    """This day where the users live."""
    return local_day(now())


def local_day(moment: datetime) -> date:
    """The calendar day of a moment in Vietnam."""
    return moment.astimezone(LOCAL).date()


def at(day: date, hour: int = 0, minute: int = 0) -> datetime:
    """A moment given as Vietnam's wall clock."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=LOCAL)


def move(by: Callable[[], timedelta]) -> None:
    """Let `by` say how far the program's time is from the machine's. For start-up and tests only."""
    global _moved_by
    _moved_by = by


def read_setting(text: str, machine_now: datetime) -> timedelta:
    """`CRM_CLOCK`: an RFC 3339 moment (a time without zone is Vietnam's), or an offset such as `-3600s`.

    Raises ValueError with a sentence that says what is accepted.
    """
    if _OFFSET.fullmatch(text):
        return timedelta(seconds=float(text[:-1]))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            _l("“%(text)s” is no moment of the clock: write one such as 2019-10-15T09:00:00+07:00.", text=text)
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=LOCAL)
    return moment - machine_now


def as_setting(offset: timedelta) -> str:
    """The offset form of CRM_CLOCK, so that processes started one after the other agree."""
    return f"{offset.total_seconds():+.3f}s"
