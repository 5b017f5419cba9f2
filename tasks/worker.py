"""The background role: `celery -A tasks.worker worker`, and `beat` for the timetable."""

from __future__ import annotations

import importlib
import os
import pkgutil

import tasks
from config import from_environment
from crm.app import create_app
from tasks.schedule import TIMETABLE

for found in pkgutil.iter_modules(tasks.__path__):
    if found.name not in ("worker", "schedule"):
        importlib.import_module(f"tasks.{found.name}")

celery_app = create_app(from_environment(os.environ)).extensions["celery"]
celery_app.conf.beat_schedule = TIMETABLE
app = celery_app
