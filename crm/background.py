"""Celery, made from the Flask configuration. A task is a bell: the row it names is the truth."""

from __future__ import annotations

from typing import Any

from celery import Celery, Task
from flask import Flask
from kombu.exceptions import OperationalError as BrokerAway

from crm.db import wait_for_commit
from crm.queues import celery_settings


def make_celery(app: Flask) -> Celery[Task[Any, Any]]:
    """The app's Celery. Every task runs in a fresh app context, with its own database session."""

    class ContextTask(Task[Any, Any]):
        abstract = True

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            with app.app_context():
                app.extensions["clock"].refresh()
                return self.run(*args, **kwargs)

    celery: Celery[Task[Any, Any]] = Celery(app.name, task_cls=ContextTask)
    celery.conf.update(celery_settings(app.config["REDIS_URL"]))
    celery.set_default()
    app.extensions["celery"] = celery
    return celery


def ring(task: Any, *ids: str) -> bool:
    """Call a task by its bell, after the commit. When the broker is away the row stays and a sweep rings again:
    the answer says whether it was heard now."""

    def pull() -> bool:
        try:
            task.apply_async(args=ids, retry=False)
        except (OSError, BrokerAway):
            return False
        return True

    return wait_for_commit(pull) or pull()
