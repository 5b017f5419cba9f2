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
More = Callable[[], Sequence[Outgoing]]

MOST_AT_ONCE = 1000
"""Calls under way at the same time; a slower sender than that needs no more than one second of its pace."""
MOST_LOOKED_UP = 50
"""So many messages are asked about in one go."""
KEPT_AFTER = 0.5
"""Seconds after which what is known is written down, though others are still under way."""
GOES_ON_FOR = 20.0
"""Seconds in which a batch is followed by what may leave next, before another process takes its turn."""
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

    def send_all(
        self, batch: Sequence[Outgoing], mark_called: MarkCalled, record: Record, more: More | None = None
    ) -> None:
        """Hand a batch over. `mark_called` is asked right before each group of calls: what it names must not go;
        `record` is told what came of them, every message once; `more` claims what may follow for as long as the outcomes
        of what was claimed are written down, and answers nothing when nothing waits. The three are called in threads of
        their own, `mark_called` and `record` and `more` at the same time, none of them twice at once.

        When the carrier turns us away or does not answer, the rest of the batch is not tried now."""
        if batch:
            asyncio.run(_Batch(self, batch, mark_called, record, more).run())

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
    """One batch on its way, and what follows it.

    Three things go on at the same time: calls, as many as there are places; asking and marking the next group, at most one
    ahead of the calls; writing down what came of them, twice a second."""

    def __init__(
        self,
        carrier: Carrier,
        batch: Sequence[Outgoing],
        mark_called: MarkCalled,
        record: Record,
        more: More | None = None,
    ) -> None:
        self._pace, self._gateway = carrier.pace, carrier.gateway
        self._waiting = deque(batch)
        self._mark_called, self._record, self._more = mark_called, record, more
        self._most = self._held = len(batch)
        self._at_once = min(MOST_AT_ONCE, max(self._pace.per_second, 1), len(batch))
        self._group = min(self._pace.group(), max(1, self._at_once // 4))
        self._marked: deque[tuple[Outgoing, float]] = deque()
        self._calls: set[asyncio.Task[None]] = set()
        self._claiming: asyncio.Task[None] | None = None
        self._done: list[tuple[Outgoing, Outcome]] = []
        self._trouble: TryAgain | NoAnswer | NotTried | None = None
        self._got_through = False
        self._moved, self._over = asyncio.Event(), asyncio.Event()

    async def run(self) -> None:
        """Until every message has an outcome that is recorded."""
        until = asyncio.get_running_loop().time() + GOES_ON_FOR
        async with self._gateway.line(self._at_once) as self._send:
            keeping = asyncio.create_task(self._keep_the_while())
            while self._waiting or self._marked or self._calls or self._claiming:
                self._moved.clear()
                if self._trouble:
                    self._leave_the_rest()
                elif asyncio.get_running_loop().time() < until:
                    self._claim_what_follows()
                if self._waiting and self._has_room():
                    await self._mark_some(min(self._group, len(self._waiting)))
                elif self._marked or self._calls or self._claiming:
                    await self._moved.wait()
            self._over.set()
            await keeping
        await self._keep()
        if self._got_through and not self._trouble:
            await asyncio.to_thread(self._pace.went_well)

    def _has_room(self) -> bool:
        """Whether another group can be marked: at most one is ready beside the calls that are under way."""
        ready = len(self._marked) + len(self._calls)
        return ready + min(self._group, len(self._waiting)) <= self._at_once + self._group

    # ---- what follows

    def _claim_what_follows(self) -> None:
        """Claim while calls are under way, as soon as there is room for a quarter of a batch."""
        if self._more and not self._claiming and self._most - self._held >= max(1, self._most // 4):
            self._claiming = asyncio.create_task(self._claim(self._more))

    async def _claim(self, more: More) -> None:
        found = await self._patiently(more)
        if not found:
            self._more = None
        self._waiting.extend(found or ())
        self._held += len(found or ())
        self._claiming = None
        self._moved.set()

    # ---- calls

    async def _mark_some(self, count: int) -> None:
        if not await self._pace.turns(count):
            self._trouble = NotTried(Reason.BUSY)
            return
        group = [self._waiting.popleft() for _ in range(count)]
        asked_at = asyncio.get_running_loop().time()
        held = await self._patiently(lambda: self._mark_called(group))
        if held is None:
            held, self._trouble = dict.fromkeys((one.id for one in group), Reason.BUSY), NotTried(Reason.BUSY)
        self._done.extend((one, NotTried(held[one.id])) for one in group if one.id in held)
        self._marked.extend((one, asked_at) for one in group if one.id not in held)
        self._call_some()

    def _call_some(self) -> None:
        """Call as many of those that are marked as there are places."""
        while self._marked and len(self._calls) < self._at_once and not self._trouble:
            call = asyncio.create_task(self._call(*self._marked.popleft()))
            self._calls.add(call)
            call.add_done_callback(self._called)

    async def _call(self, one: Outgoing, asked_at: float) -> None:
        if asyncio.get_running_loop().time() - asked_at > STALE_AFTER:
            self._done.append((one, NotTried(Reason.BUSY)))
            return
        try:
            outcome = await self._send(one)
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
        self._call_some()
        if self._trouble or self._has_room():
            self._moved.set()

    def _leave_the_rest(self) -> None:
        """Those that are marked as well: it is certain that they were not called."""
        self._done.extend((one, NotTried(Reason.BUSY)) for one, _ in self._marked)
        self._done.extend((one, NotTried(Reason.BUSY)) for one in self._waiting)
        self._marked.clear()
        self._waiting.clear()

    # ---- writing down

    async def _keep_the_while(self) -> None:
        while not self._over.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), KEPT_AFTER)
            await self._keep()

    async def _keep(self) -> None:
        done, self._done = self._done, []
        if done:
            await self._patiently(lambda: self._record(done), *TRIED_AGAIN)
            self._held -= len(done)
            self._moved.set()

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
