"""What followed a campaign, against those who were held back by chance."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

FEWEST = 30
"""With fewer numbers in one of the two groups nothing is said."""
Z = 1.96
"""Nineteen times out of twenty."""


@dataclass(frozen=True)
class Group:
    """Numbers that got the message, or were held back, and how many of them something followed for."""

    size: int
    followed: int

    @property
    def share(self) -> float:
        return self.followed / self.size if self.size else 0.0


@dataclass(frozen=True)
class Effect:
    """How much more often it followed with the message: between `low` and `high`, as a share of the numbers."""

    sent: Group
    held: Group
    low: float
    high: float

    @property
    def too_few(self) -> bool:
        """Nothing can be said yet."""
        return min(self.sent.size, self.held.size) < FEWEST

    @property
    def certain(self) -> bool:
        """More than chance explains."""
        return not self.too_few and (self.low > 0 or self.high < 0)


def effect(sent: Group, held: Group) -> Effect:
    """The difference of two shares, with Newcombe's interval (1998, method 10): honest for few and for rare."""
    if not sent.size or not held.size:
        return Effect(sent, held, -1.0, 1.0)
    (l1, u1), (l2, u2) = _wilson(sent), _wilson(held)
    p1, p2 = sent.share, held.share
    low = p1 - p2 - math.hypot(p1 - l1, u2 - p2)
    high = p1 - p2 + math.hypot(u1 - p1, p2 - l2)
    return Effect(sent, held, low, high)


def _wilson(of: Group) -> tuple[float, float]:
    n, p = of.size, of.share
    middle = p + Z * Z / (2 * n)
    width = Z * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    whole = 1 + Z * Z / n
    return (middle - width) / whole, (middle + width) / whole


def held_back(phones: Sequence[str], percent: int, seed: int) -> frozenset[str]:
    """So many of a hundred of these numbers, by a chance that the seed decides: the same seed, the same numbers."""
    many = len(phones) * percent // 100
    if not many:
        return frozenset()

    def lot(phone: str) -> bytes:
        return hashlib.blake2b(f"{seed}:{phone}".encode(), digest_size=8).digest()

    return frozenset(sorted(phones, key=lot)[:many])
