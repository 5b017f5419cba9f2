"""Documents that no longer bind: a value that holds today and still names one of them waits for its new source."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Repeal:
    """A document, the first day on which it no longer binds, what repealed it, and where we read that."""

    document: str
    since: date
    by: str
    source: str


def repealed(document: str, day: date, known: Iterable[Repeal]) -> Repeal | None:
    """What took a document out of force by a day; None while it binds, as far as anybody has put on record."""
    return next((one for one in known if one.since <= day and one.document in document), None)
