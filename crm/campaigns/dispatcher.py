"""Hands a claimed batch over: in the pace of all workers, many at the same time, and each only while it is allowed."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol
from uuid import UUID

from crm.campaigns.pace import Pace
from crm.campaigns.rules.handover import (
    Accepted,
    Followed,
    Gone,
    NoAnswer,
    NotTried,
    Outcome,
    Outgoing,
    Refused,
    Seen,
    TryAgain,
)
from crm.campaigns.rules.reasons import Reason

log = logging.getLogger(__name__)

Send = Callable[[Outgoing], Awaitable[Outcome]]
MarkCalled = Callable[[Sequence[Outgoing]], Mapping[UUID, Reason]]
Record = Callable[[Collection[tuple[Outgoing, Outcome]]], object]

MOST_AT_ONCE = 1000
"""Calls under way at the same time; a slower sender than that needs no more than one second of its pace."""
MOST_LOOKED_UP = 50
"""So many messages are asked about in one go."""
KEPT_AFTER = 0.5
"""Seconds after which what is known is written down, though others are still under way."""
STALE_AFTER = 5.0
"""Seconds after which being allowed counts no more: the process may have been asleep meanwhile."""
TRIED_AGAIN = (0.2, 1.0, 3.0, 6.0)
"""Seconds between attempts to write down what came of the calls, when the database is away."""


class SmsGateway(Protocol):
    """What the program knows of a carrier."""

    def line(self, at_once: int) -> AbstractAsyncContextManager[Send]:
        """A line over which up to `at_once` messages are handed over at the same time. What it gives never raises for
        what the carrier or the network does."""

    def seen(self, phone: str) -> list[Seen] | None:
        """What the carrier remembers of this number, the latest first; None when it does not answer."""

    def became(self, sid: str) -> Seen | Gone | None:
        """What became of a message that the carrier took; None when it does not answer."""


@dataclass(frozen=True)
class Carrier:
    """A gateway and its pace."""

    gateway: SmsGateway
    pace: Pace

    def send_all(self, batch: Sequence[Outgoing], mark_called: MarkCalled, record: Record) -> None:
        """Hand a batch over. `mark_called` is asked right before each group of calls: what it names must not go;
        `record` is told what came of them, every message once.

        When the carrier turns us away or does not answer, the rest of the batch is not tried now."""
        if batch:
            asyncio.run(_Batch(self, batch, mark_called, record).run())

    def look_up(self, unknown: Iterable[Outgoing]) -> Iterable[tuple[Outgoing, list[Seen] | None]]:
        """What the carrier remembers of each, in the same pace as messages; it ends when the carrier does not answer."""
        for one in islice(unknown, MOST_LOOKED_UP):
            seen = self.gateway.seen(one.phone) if asyncio.run(self.pace.turns(1)) else None
            if seen is None:
                return
            yield one, seen

    def follow(self, silent: Iterable[Followed]) -> Iterable[tuple[Followed, Seen | Gone]]:
        """What became of each message of which no receipt came, in the same pace; it ends when the carrier does not
        answer."""
        for one in islice(silent, MOST_LOOKED_UP):
            told = self.gateway.became(one.sid) if asyncio.run(self.pace.turns(1)) else None
            if told is None:
                return
            yield one, told


class _Batch:
    """One batch on its way."""

    def __init__(self, carrier: Carrier, batch: Sequence[Outgoing], mark_called: MarkCalled, record: Record) -> None:
        self._pace, self._gateway = carrier.pace, carrier.gateway
        self._waiting = deque(batch)
        self._mark_called, self._record = mark_called, record
        self._at_once = min(MOST_AT_ONCE, max(self._pace.per_second, 1), len(batch))
        self._calls: set[asyncio.Task[None]] = set()
        self._done: list[tuple[Outgoing, Outcome]] = []
        self._trouble: TryAgain | NoAnswer | NotTried | None = None
        self._got_through = False
        self._moved = asyncio.Event()

    async def run(self) -> None:
        """Until every message has an outcome that is recorded."""
        loop = asyncio.get_running_loop()
        kept_at = loop.time()
        group = min(self._pace.group(), max(1, self._at_once // 4))
        async with self._gateway.line(self._at_once) as send:
            while self._waiting or self._calls:
                if self._trouble:
                    self._leave_the_rest()
                elif self._waiting and self._at_once - len(self._calls) >= min(group, len(self._waiting)):
                    await self._call_some(send, min(group, len(self._waiting)))
                if self._done and loop.time() - kept_at >= KEPT_AFTER:
                    await self._keep()
                    kept_at = loop.time()
                await self._until_there_is_room(group)
        await self._keep()
        if self._got_through and not self._trouble:
            await asyncio.to_thread(self._pace.went_well)

    async def _until_there_is_room(self, group: int) -> None:
        """Let a call end where no other can join: the last ones of a batch as well, whatever they take."""
        none_can_join = self._at_once - len(self._calls) < min(group, len(self._waiting))
        if self._calls and (self._trouble or not self._waiting or none_can_join):
            self._moved.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._moved.wait(), KEPT_AFTER)

    async def _call_some(self, send: Send, count: int) -> None:
        if not await self._pace.turns(count):
            self._trouble = NotTried(Reason.BUSY)
            return
        group = [self._waiting.popleft() for _ in range(count)]
        asked_at = asyncio.get_running_loop().time()
        held = await self._patiently(lambda: self._mark_called(group))
        if held is None:
            held, self._trouble = dict.fromkeys((one.id for one in group), Reason.BUSY), NotTried(Reason.BUSY)
        for one in group:
            if one.id in held:
                self._done.append((one, NotTried(held[one.id])))
                continue
            call = asyncio.create_task(self._call(send, one, asked_at))
            self._calls.add(call)
            call.add_done_callback(self._called)

    async def _call(self, send: Send, one: Outgoing, asked_at: float) -> None:
        if asyncio.get_running_loop().time() - asked_at > STALE_AFTER:
            self._done.append((one, NotTried(Reason.BUSY)))
            return
        try:
            outcome = await send(one)
        except Exception:
            log.exception("a message was handed over and nobody knows what came of it")
            outcome = NoAnswer()
        self._done.append((one, outcome))
        if isinstance(outcome, TryAgain | NoAnswer):
            self._trouble = self._trouble or outcome
            throttled = isinstance(outcome, TryAgain) and outcome.reason is Reason.BUSY and outcome.code is not None
            after = outcome.after if isinstance(outcome, TryAgain) else None
            await asyncio.to_thread(self._pace.brake, throttled=throttled, after=after)
        elif isinstance(outcome, Accepted | Refused):
            self._got_through = True

    def _called(self, call: asyncio.Task[None]) -> None:
        self._calls.discard(call)
        self._moved.set()

    def _leave_the_rest(self) -> None:
        self._done.extend((one, NotTried(Reason.BUSY)) for one in self._waiting)
        self._waiting.clear()

    async def _keep(self) -> None:
        done, self._done = self._done, []
        if done:
            await self._patiently(lambda: self._record(done), *TRIED_AGAIN)

    async def _patiently(self, act: Callable[[], Any], *pauses: float) -> Any:
        """What the act answers, done beside the calls that are under way; None when it fails to the last. Then the
        messages stay as they are in the database, and the sweep finds them."""
        for pause in (*pauses, None):
            try:
                return await asyncio.to_thread(act)
            except Exception:
                log.exception("what came of messages could not be written down")
            if pause:
                await asyncio.sleep(pause)
        return None
