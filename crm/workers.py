"""The background workers: for each queue a pool of its own, so that no message waits behind a list that is being loaded.

`python -m crm.workers` keeps both running beside each other; it knows nothing of the program and so weighs little.
"""

from __future__ import annotations

import sys

from crm.queues import Queue
from crm.supervisor import Child, Supervisor

POOLS = {Queue.WORK: 2, Queue.MESSAGES: 2}
"""So many tasks of a queue at the same time; each is a process, which shares with its parent what it does not change."""
NAMES = {Queue.WORK: "worker", Queue.MESSAGES: "sender"}


def worker_argv(queue: Queue) -> list[str]:
    """The worker of this queue."""
    argv = ["-m", "celery", "-A", "tasks.worker", "worker", "--loglevel", "INFO", "--concurrency", str(POOLS[queue])]
    return [sys.executable, *argv, "-Q", queue.value, "-n", f"{queue.value}@%h"]


def workers(env: dict[str, str] | None = None) -> list[Child]:
    """One worker for each queue."""
    return [Child(NAMES[queue], worker_argv(queue), env or {}) for queue in POOLS]


if __name__ == "__main__":
    sys.exit(Supervisor(workers(), None).run())
