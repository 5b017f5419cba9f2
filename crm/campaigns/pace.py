"""One pace for all workers together, kept in the broker for each sender, and a brake that all of them feel."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar, cast

from limits import RateLimitItemPerSecond
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage, storage_from_string
from limits.strategies import SlidingWindowCounterRateLimiter
from redis.exceptions import RedisError

Answer = TypeVar("Answer")
SlidingWindow = RedisStorage | MemoryStorage

BATCH_SECONDS = 2
"""A batch is what may be sent in this time."""
LONGEST_STOP = 64
"""Seconds."""
OUTAGE_KEPT = 600
"""So many seconds an outage is remembered, unless a message gets through before."""
THROTTLING_KEPT = 60
"""So many seconds the pace stays halved after the carrier said that we are too fast."""
GRAIN = 10
"""Turns are taken for a tenth of a second at once, so that a fast sender asks ten times a second."""
NOT_ASKED = (RedisError, StorageError, OSError)


class Pace:
    """How fast one sender may be. Every question may find the broker away: then the answer is «not now»."""

    def __init__(self, per_second: int, storage_url: str, sender: str = "sms") -> None:
        patience = {} if storage_url.startswith("memory") else {"socket_timeout": 5, "socket_connect_timeout": 3}
        self._storage = cast(SlidingWindow, storage_from_string(storage_url, **patience))
        self._limiter = SlidingWindowCounterRateLimiter(self._storage)
        self._item = RateLimitItemPerSecond(per_second)
        self._sender = sender
        self.per_second = per_second

    def batch(self) -> int:
        """How many messages may be under way now: two seconds' worth; a single one to try whether an outage is over;
        none while the brake is on or nobody can be asked."""
        if self._level("stop") != 0:
            return 0
        if self._level("outage"):
            return 1
        return max(1, self.per_second * BATCH_SECONDS >> self._slower())

    def group(self) -> int:
        """How many turns are taken at once."""
        return max(1, (self.per_second >> self._slower()) // GRAIN)

    async def turns(self, wanted: int) -> bool:
        """Wait until so many messages may go. False when another worker has pulled the brake, or nobody can be asked:
        then nothing may be sent."""
        cost = min(self.per_second, wanted << self._slower())
        while True:
            granted = await asyncio.to_thread(self._ask, lambda: self._turn(cost))
            if granted is not False:
                return bool(granted)
            await asyncio.sleep(cost / self.per_second / 2)

    def _turn(self, cost: int) -> bool | None:
        if self._storage.get(self._key("stop")):
            return None
        return self._limiter.hit(self._item, self._sender, cost=cost)

    def brake(self, *, throttled: bool, after: float | None = None) -> None:
        """The carrier turned us away or does not answer: all workers stop for a while, longer each time. Many answers
        of one moment count once."""
        kind, kept = ("throttled", THROTTLING_KEPT) if throttled else ("outage", OUTAGE_KEPT)

        def pull() -> None:
            wait = min(LONGEST_STOP, 2 ** (self._storage.get(self._key(kind)) + 1))
            if self._storage.incr(self._key("stop"), int(max(wait, after or 0))) == 1:
                self._storage.incr(self._key(kind), kept)

        self._ask(pull)

    def went_well(self) -> None:
        """A message got through: an outage is over."""
        self._ask(lambda: self._storage.clear(self._key("outage")))

    def _slower(self) -> int:
        """How often the pace is halved; never below one message a second."""
        return min(self._level("throttled") or 0, self.per_second.bit_length() - 1)

    def _level(self, name: str) -> int | None:
        return self._ask(lambda: self._storage.get(self._key(name)))

    def _key(self, name: str) -> str:
        return f"sms/{self._sender}/{name}"

    @staticmethod
    def _ask(question: Callable[[], Answer]) -> Answer | None:
        try:
            return question()
        except NOT_ASKED:
            return None
