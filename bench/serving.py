"""A program served by gunicorn on a free port of the loopback: asked, weighed and timed from outside."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

SETTINGS = str(Path(__file__).parents[1] / "crm" / "gunicorn_settings.py")


class Served(NamedTuple):
    """Where it answers, its first process, and how many milliseconds it took from nothing to the first answer."""

    port: int
    pid: int
    cold_start: float


def free_port() -> int:
    """A port nobody listens on."""
    with closing(socket.socket()) as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


@contextmanager
def served(app: str, env: dict[str, str], first: str) -> Iterator[Served]:
    """gunicorn with this app, once it answers the address `first`."""
    port = free_port()
    argv = [sys.executable, "-m", "gunicorn", "-c", SETTINGS, "-b", f"127.0.0.1:{port}", app]
    began = time.perf_counter()
    process = subprocess.Popen(argv, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not _answers(port, first):
            if time.perf_counter() - began > 60 or process.poll() is not None:
                raise SystemExit(f"{app} does not answer {first}")
            time.sleep(0.01)
        yield Served(port, process.pid, (time.perf_counter() - began) * 1000)
    finally:
        process.terminate()
        process.wait(timeout=20)


def _answers(port: int, path: str) -> bool:
    try:
        Client(port, {}).ask("GET", path)
    except OSError:
        return False
    return True


class Client:
    """One kept-alive connection."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.headers = headers

    def ask(self, method: str, path: str, body: Any = None) -> float:
        """Seconds for one answer, read to its end. Anything but success ends the run."""
        data = json.dumps(body).encode() if body is not None else None
        headers = self.headers | ({"Content-Type": "application/json"} if data else {})
        began = time.perf_counter()
        self.connection.request(method, path, body=data, headers=headers)
        answer = self.connection.getresponse()
        content = answer.read()
        took = time.perf_counter() - began
        if answer.status not in (200, 201):
            raise SystemExit(f"{method} {path} answered {answer.status}: {content[:300]!r}")
        return took


def answers_a_second(port: int, headers: dict[str, str], path: str, *, clients: int, seconds: float) -> float:
    """How many answers so many clients get in a second, each asking again as soon as it was answered."""
    counted = [0] * clients
    until = time.perf_counter() + seconds

    def go_on(number: int) -> None:
        client = Client(port, headers)
        while time.perf_counter() < until:
            client.ask("GET", path)
            counted[number] += 1

    threads = [Thread(target=go_on, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counted) / seconds


def memory(pid: int) -> float:
    """Megabytes (PSS) of a process and of all it started: memory they share is counted once."""
    kilobytes = 0
    for each in [pid, *_children(pid)]:
        lines = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
        kilobytes += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kilobytes / 1024


def _children(pid: int) -> list[int]:
    found = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [*found, *(below for child in found for below in _children(child))]
