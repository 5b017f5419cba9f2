"""Keeps a few programs running as one: starts them, restarts one that dies, ends them all in order."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from flask_babel import lazy_gettext as _l

from crm.embedded.directory import CannotRun, Lock, prepare

LAUNCHER = Path(__file__).with_name("launcher.py")
LOG_LIMIT = 10_000_000  # bytes; a longer log is set aside when its program starts
QUICK = 10.0  # seconds; who lives longer has started well
QUICK_DEATHS = 5  # in a row, then we give up
LOOK_EVERY = 0.1  # seconds


@dataclass(frozen=True)
class Child:
    """A program to keep running; `patience` is how many seconds it has to end by itself when asked to."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    patience: float = 15.0


@contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """Be the only one that has everything up on this data directory; raises `CannotRun` for the second."""
    with Lock(prepare(data_dir) / "up.lock") as lock:
        if not lock.take_if_free():
            raise CannotRun(
                _l("An Sinh is already up on %(folder)s: stop it, or choose another --data-dir.", folder=data_dir)
            )
        yield


def ready(check: Callable[[], bool], timeout: float) -> bool:
    """Wait until the check holds, at most so many seconds; answers whether it did."""
    until = time.monotonic() + timeout
    while not check():
        if time.monotonic() > until:
            return False
        time.sleep(LOOK_EVERY)
    return True


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


class Supervisor:
    """Runs children until told to stop. What each prints goes to `logs/NAME.log` in the data directory; without one to where
    we print."""

    def __init__(self, children: Sequence[Child], data_dir: Path | None, *, say: Callable[[str], None] = _say) -> None:
        self._kept = [
            _Kept(child, data_dir / "logs" / f"{child.name}.log" if data_dir else None, say) for child in children
        ]
        self._say = say
        self._stopping = threading.Event()
        self._hurry = threading.Event()

    def run(
        self,
        *,
        ready: Callable[[], bool] = lambda: True,
        on_ready: Callable[[], None] = lambda: None,
        timeout: float = 60.0,
    ) -> int:
        """Start the children in the order given and call `on_ready` once `ready` holds.

        Returns after SIGINT, SIGTERM or `stop()`, when all have been ended, the last one first: 0; or 1 if a
        child died too often or `ready` did not hold within the timeout. Call it from the main thread.
        """
        before = {number: signal.signal(number, self._told) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            for kept in self._kept:
                kept.start()
            return self._watch(ready, on_ready, time.monotonic() + timeout)
        finally:
            for kept in reversed(self._kept):
                kept.end(self._hurry)
            for number, handler in before.items():
                signal.signal(number, handler)

    def stop(self) -> None:
        """Make `run` end; said twice, without patience."""
        if self._stopping.is_set():
            self._hurry.set()
        self._stopping.set()

    def _told(self, _number: int, _frame: FrameType | None) -> None:
        self.stop()

    def _watch(self, ready: Callable[[], bool], on_ready: Callable[[], None], deadline: float) -> int:
        waiting = True
        while not self._stopping.wait(LOOK_EVERY):
            if not all([kept.look_after() for kept in self._kept]):
                return 1
            if waiting and ready():
                waiting = False
                on_ready()
            elif waiting and time.monotonic() > deadline:
                logs = " and ".join(kept.where for kept in self._kept)
                self._say(f"The program did not become ready in time: see the end of {logs}.")
                return 1
        return 0


class _Kept:
    """A child with its process, its log and the history of its deaths."""

    def __init__(self, child: Child, log: Path | None, say: Callable[[str], None]) -> None:
        self.child, self.log, self._say = child, log, say
        self.where = str(log or f"what {child.name} printed above")
        self._process: subprocess.Popen[bytes] | None = None
        self._started = self._due = 0.0
        self._deaths = 0

    def start(self) -> None:
        """Start the program in a session of its own: a Ctrl-C at the terminal is for the supervisor only."""
        self._set_long_log_aside()
        launcher = [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid())]
        with self.log.open("ab") if self.log else nullcontext() as output:
            self._process = subprocess.Popen(
                [*launcher, *self.child.argv],
                env={**os.environ, **self.child.env},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._started = time.monotonic()

    def look_after(self) -> bool:
        """Restart it when it has died, after a pause that doubles each time; False when it died too often."""
        if self._process is None:
            if time.monotonic() >= self._due:
                self.start()
            return True
        if (status := self._process.poll()) is None:
            return True
        self._clear_away()
        self._deaths = self._deaths + 1 if time.monotonic() - self._started < QUICK else 1
        if self._deaths >= QUICK_DEATHS:
            self._say(f"{self.child.name} died {self._deaths} times in a row: see the end of {self.where}.")
            return False
        pause = 0.25 * 2**self._deaths
        self._say(f"{self.child.name} ended with {status}, starting it again in {pause:g} s: see {self.where}.")
        self._due = time.monotonic() + pause
        return True

    def end(self, hurry: threading.Event) -> None:
        """Ask it to end, wait as long as its patience unless there is a hurry, then kill what is left."""
        if self._process is None:
            return
        until = time.monotonic() + self.child.patience
        self._process.terminate()
        while self._process.poll() is None and time.monotonic() < until and not hurry.is_set():
            time.sleep(LOOK_EVERY / 5)
        self._clear_away()

    def _clear_away(self) -> None:
        """Kill whatever remains of its session: a dead program's workers would be in the next one's way."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def _set_long_log_aside(self) -> None:
        if self.log and self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
