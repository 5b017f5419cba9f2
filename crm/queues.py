"""Which queue each background task waits in, and how Celery is set: known to those who ring and to those who work.

What leads to a message has a queue and a worker of its own, so that a list of a hundred thousand people that is being
loaded delays no reminder. Nothing here knows the program: the timetable needs no more than this.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from crm.embedded.brokers import broker_urls


class Queue(StrEnum):
    """`WORK` is Celery's own name for what has no other place."""

    WORK = "celery"
    MESSAGES = "messages"


ON_THE_WAY_TO_A_MESSAGE = (
    "campaigns.*",
    "launching.*",
    "reminders.*",
    "linking.*",
    "mornings.*",
    "mail.*",
    "files.make_file",
    "files.by_themselves",
)
"""Tasks without which a message or an e-mail does not leave; each takes seconds, however many people there are."""


def celery_settings(redis_url: str) -> dict[str, Any]:
    """Celery's settings over this broker; without one its memory, which only a test uses."""
    return {
        "broker_url": broker_urls(redis_url).celery if redis_url else "memory://",
        "broker_connection_retry_on_startup": True,
        "broker_connection_timeout": 3,
        "broker_transport_options": {
            "visibility_timeout": 3600,
            "unacked_restore_interval": 10,
            "socket_timeout": 5,
            "socket_connect_timeout": 3,
            "max_retries": 1,  # whoever rings a bell does not wait for a broker that is away
            "interval_start": 0.1,
        },
        "task_default_queue": Queue.WORK.value,
        "task_routes": {name: {"queue": Queue.MESSAGES.value} for name in ON_THE_WAY_TO_A_MESSAGE},
        "task_ignore_result": True,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_time_limit": 1800,
        "worker_prefetch_multiplier": 1,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_hijack_root_logger": False,
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_publish_retry_policy": {"max_retries": 1, "interval_start": 0.1},
        "timezone": "Asia/Ho_Chi_Minh",
    }
