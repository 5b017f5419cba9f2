"""Celery, made from the Flask configuration. A task is a bell: the row it names is the truth."""

from __future__ import annotations

from typing import Any

from celery import Celery, Task
from flask import Flask
from kombu.exceptions import OperationalError as BrokerAway

from crm.db import wait_for_commit
from crm.embedded.brokers import broker_urls


def make_celery(app: Flask) -> Celery[Task[Any, Any]]:
    """The app's Celery. Every task runs in a fresh app context, with its own database session."""

    class ContextTask(Task[Any, Any]):
        abstract = True

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            with app.app_context():
                app.extensions["clock"].refresh()
                return self.run(*args, **kwargs)

    celery: Celery[Task[Any, Any]] = Celery(app.name, task_cls=ContextTask)
    redis_url = app.config["REDIS_URL"]
    celery.conf.update(
        broker_url=broker_urls(redis_url).celery if redis_url else "memory://",
        broker_connection_retry_on_startup=True,
        broker_connection_timeout=3,
        broker_transport_options={
            "visibility_timeout": 3600,
            "unacked_restore_interval": 10,
            "socket_timeout": 5,
            "socket_connect_timeout": 3,
            "max_retries": 1,  # whoever rings a bell does not wait for a broker that is away
            "interval_start": 0.1,
        },
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_time_limit=1800,
        worker_prefetch_multiplier=1,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_hijack_root_logger=False,
        task_serializer="json",
        accept_content=["json"],
        task_publish_retry_policy={"max_retries": 1, "interval_start": 0.1},
        timezone="Asia/Ho_Chi_Minh",
    )
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
