"""When messages may leave, and how many one number may get."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask_babel import lazy_gettext as _l

from crm.errors import RuleBroken

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")


@dataclass(frozen=True)
class Hours:
    """From when until when a message may leave, local time: the first instant may, the last may not."""

    opens: time = time(7)
    closes: time = time(22)

    def allow(self, moment: datetime) -> bool:
        """Whether a message may leave at this moment (with its time zone)."""
        return self.opens <= moment.astimezone(VIETNAM).time() < self.closes

    def next_allowed(self, moment: datetime) -> datetime:
        """This moment if it is within the hours, else the next opening."""
        local = moment.astimezone(VIETNAM)
        if self.allow(moment):
            return moment
        day = local.date() if local.time() < self.opens else local.date() + timedelta(days=1)
        return datetime.combine(day, self.opens, VIETNAM)

    def waits_until(self, moment: datetime) -> datetime | None:
        """When messages may leave again; None while they may."""
        return None if self.allow(moment) else self.next_allowed(moment)


LEGAL_HOURS = Hours()
"""Decree 91/2020, Article 13: 07:00 to 22:00."""


def narrower(opens: time, closes: time) -> Hours:
    """The office's own hours. Raises RuleBroken unless they lie within the legal ones."""
    if not LEGAL_HOURS.opens <= opens < closes <= LEGAL_HOURS.closes:
        raise RuleBroken(_l("Messages may leave between 07:00 and 22:00 only; choose hours within these."))
    return Hours(opens, closes)


MOST_A_DAY = 3
"""Messages to one number in any 24 hours (Decree 91/2020, Article 13)."""
DAY = timedelta(hours=24)
