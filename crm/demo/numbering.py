"""Identifiers that are the same for the same seed, in the order in which rows are made."""

from __future__ import annotations

from datetime import datetime
from random import Random
from uuid import UUID

IN_A_MILLISECOND = 1 << 12


class Numbering:
    """UUIDs of version 7 (RFC 9562) that count on from a moment."""

    def __init__(self, random: Random, since: datetime) -> None:
        self._random = random
        self._next = int(since.timestamp() * 1000) * IN_A_MILLISECOND

    def __call__(self) -> UUID:
        milliseconds, count = divmod(self._next, IN_A_MILLISECOND)
        self._next += 1
        head = milliseconds << 80 | 0x7 << 76 | count << 64
        return UUID(int=head | 0x2 << 62 | self._random.getrandbits(62))
