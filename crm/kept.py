"""What changes rarely is read once every few moments in each process, not on every page.

For lists of choices and for names only, never for what decides whether somebody may see or do a thing, and never for
money that is being recorded.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar

Answer = TypeVar("Answer")

MOST = 5_000
"""Answers kept at most; beyond that all are forgotten and read again."""


class Kept:
    """Answers that are at most `seconds` old; with 0 every answer is read anew."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self.clock = clock
        self.answers: dict[Hashable, tuple[float, Any]] = {}
        self.writing = Lock()

    def get(self, name: Hashable, read: Callable[[], Answer]) -> Answer:
        """The answer kept under `name`, or else what `read` says. It is shared: nobody changes it."""
        if not self.seconds:
            return read()
        found = self.answers.get(name)
        if found is not None and self.clock() - found[0] < self.seconds:
            answer: Answer = found[1]
            return answer
        read_at, answer = self.clock(), read()
        with self.writing:
            if len(self.answers) >= MOST:
                self.answers.clear()
            self.answers[name] = (read_at, answer)
        return answer


_kept = Kept(0)


def use(seconds: float) -> None:
    """Say how old an answer of this process may be, and forget the earlier ones."""
    global _kept
    _kept = Kept(seconds)


def kept(name: Hashable, read: Callable[[], Answer]) -> Answer:
    """The answer of this process under `name`; `name` begins with what it is of and holds all that it depends on."""
    return _kept.get(name, read)
