"""Identifiers that sort by the time they were made (RFC 9562, version 7), so that indexes stay compact."""

from __future__ import annotations

import os
import time
from uuid import UUID

_RANDOM = 10
"""Random bytes of an identifier; version and variant take their place in six of the bits."""


def new_id() -> UUID:
    """A new UUID version 7."""
    return UUID(int=_value(time.time_ns() // 1_000_000, os.urandom(_RANDOM)))


def new_ids(many: int) -> list[UUID]:
    """So many new ones at once, in their order."""
    milliseconds, random = time.time_ns() // 1_000_000, os.urandom(_RANDOM * many)
    parts = (random[start : start + _RANDOM] for start in range(0, len(random), _RANDOM))
    return [UUID(int=value) for value in sorted(_value(milliseconds, part) for part in parts)]


def read_id(text: object) -> UUID | None:
    """The identifier that a text writes; None for one that writes none, and for what is no text."""
    try:
        return UUID(text) if isinstance(text, str) else None
    except ValueError:
        return None


def id_or_new(text: object) -> UUID:
    """The identifier that a page made for what is sent from it; a new one where it is none."""
    return read_id(text) or new_id()


def _value(milliseconds: int, random: bytes) -> int:
    value = (milliseconds << 80) | int.from_bytes(random)
    value = value & ~(0xF << 76) | (0x7 << 76)
    return value & ~(0x3 << 62) | (0x2 << 62)
