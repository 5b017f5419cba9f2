"""How gunicorn serves the program on a small machine."""

from __future__ import annotations

import gc
import os

worker_class = "gthread"
preload_app = True
workers = int(os.environ.get("WEB_PROCESSES", "2"))
threads = 4
timeout = 60
graceful_timeout = 10
keepalive = 5
accesslog = None
control_socket_disable = True
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None

gc.disable()
"""While the program is loaded nothing becomes garbage: looking for it would take two fifths of the time."""


def when_ready(_server: object) -> None:
    """The program is loaded once and the workers share it: what the collector does not touch stays shared."""
    gc.collect()
    gc.freeze()
    gc.enable()
