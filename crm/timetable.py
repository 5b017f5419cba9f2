"""The timetable role: `celery -A crm.timetable beat`. It rings bells by their names and loads nothing of the program."""

from __future__ import annotations

import os

from celery import Celery, Task

from crm.queues import celery_settings
from tasks.schedule import TIMETABLE

app: Celery[Task[..., object]] = Celery("timetable", set_as_current=False)
app.conf.update(celery_settings(os.environ.get("REDIS_URL", "")), beat_schedule=TIMETABLE)
