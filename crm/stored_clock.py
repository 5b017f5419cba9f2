"""The program's time, moved by CRM_CLOCK or by the moment a demo was loaded at. Production never moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from crm import clock, stored
from crm.db import session

SETTING = "clock_offset_seconds"
FROM_ENVIRONMENT = "clock_from_environment"


class MovedClock:
    """Asks the database how far the time is moved, once a request or task, unless the environment fixes it."""

    def __init__(self, setting: str | None, *, production: bool) -> None:
        self.fixed = clock.read_setting(setting, datetime.now(UTC)) if setting else None
        self.asks = self.fixed is None and not production
        self.offset = self.fixed or timedelta()
        clock.move(lambda: self.offset)

    def refresh(self) -> None:
        """Read the offset again."""
        if not self.asks:
            return
        try:
            seconds = stored.read(session(), SETTING)
        except SQLAlchemyError:
            session().rollback()
            return
        self.offset = timedelta(seconds=seconds or 0)


def start_at(current: Session, moment: datetime | None) -> None:
    """From now on the program's time runs on from `moment`; None puts it right again."""
    seconds = (moment - datetime.now(UTC)).total_seconds() if moment else 0
    stored.write(current, SETTING, seconds)


def follow_environment(current: Session, setting: str | None) -> None:
    """Let CRM_CLOCK of a start hold for everyone who works on this database, until it is moved or a start without it."""
    if setting:
        stored.write(current, SETTING, clock.read_setting(setting, datetime.now(UTC)).total_seconds())
    elif stored.read(current, FROM_ENVIRONMENT):
        start_at(current, None)
    stored.write(current, FROM_ENVIRONMENT, bool(setting))
