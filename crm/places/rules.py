"""Kinds of places, and what a code of a place may mean."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID


class PlaceKind(StrEnum):
    TOWN = "town"
    WARD = "ward"
    COMMUNE = "commune"
    NEIGHBOURHOOD = "neighbourhood"


UNITS = (PlaceKind.WARD, PlaceKind.COMMUNE)
"""The kinds that targets are given to and reports are made for."""


@dataclass(frozen=True)
class PlaceName:
    """How a place is named from outside: a UUID, `CODE` (the unit of that code on a day) or `CODE@DATE`."""

    id: UUID | None = None
    code: str | None = None
    on: date | None = None


def read_place_name(text: str) -> PlaceName:
    """Read `UUID | CODE | CODE@DATE`. Raises ValueError when it is none of them."""
    text = text.strip()
    try:
        return PlaceName(id=UUID(text))
    except ValueError:
        pass
    match = re.fullmatch(r"([A-Za-z0-9.-]{1,40})(?:@(\d{4}-\d{2}-\d{2}))?", text)
    if not match:
        raise ValueError(text)
    return PlaceName(code=match[1], on=date.fromisoformat(match[2]) if match[2] else None)
