"""The background roles: `celery -A tasks.worker worker -Q celery` for long work, `-Q messages` for what leads to a message.

The timetable needs nothing of this: it is `crm/timetable.py`.
"""

from __future__ import annotations

import gc
import importlib
import os
import pkgutil
from typing import Any

from celery.signals import heartbeat_sent, worker_init

import tasks
from config import from_environment
from crm import pulse
from crm.app import create_app
from crm.queues import Queue

SIGNS = {Queue.WORK: pulse.Sign.WORKER, Queue.MESSAGES: pulse.Sign.SENDER}

gc.disable()
for found in pkgutil.iter_modules(tasks.__path__):
    if found.name not in ("worker", "schedule"):
        importlib.import_module(f"tasks.{found.name}")

settings = from_environment(os.environ)
celery_app = create_app(settings).extensions["celery"]
app = celery_app


@worker_init.connect
def _share_what_is_loaded(**_told: Any) -> None:
    """The processes of the pool share the program with their parent: what the collector does not touch stays shared."""
    gc.collect()
    gc.freeze()
    gc.enable()


@heartbeat_sent.connect
def _live(**_told: Any) -> None:
    """Every two seconds the parent of a pool says for each of its queues that it lives."""
    for queue in celery_app.amqp.queues.consume_from:
        pulse.give(settings.redis_url, SIGNS[Queue(queue)])
