"""Moving the program's time, with what is done once a day: the timetable itself goes by the machine's clock."""

from __future__ import annotations

from datetime import datetime

from celery.schedules import crontab
from flask import current_app
from sqlalchemy.orm import Session

from crm.background import ring
from crm.stored_clock import start_at
from tasks.schedule import TIMETABLE


def move(session: Session, moment: datetime | None) -> None:
    """From now on it is `moment`, or with None the real time; after the commit whatever waits for an hour of the day is
    rung for once, so that the nights between are not missed. Without a broker nobody hears it."""
    start_at(session, moment)
    celery = current_app.extensions["celery"]
    for entry in TIMETABLE.values():
        if isinstance(entry["schedule"], crontab):
            ring(celery.signature(entry["task"]))
