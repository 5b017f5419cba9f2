"""What packages above say of the members of a household, such as what each pays.

They register functions when they are imported, so that this package need not know them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from crm.prospects.models import Prospect

LinesOf = Callable[[Sequence[Prospect], date], Mapping[UUID, Any]]

_tellers: list[LinesOf] = []


def register(lines: LinesOf) -> None:
    """Let this be asked for the members of a household: at most one line for each."""
    if lines not in _tellers:
        _tellers.append(lines)


def told_of(people: Sequence[Prospect], today: date) -> dict[UUID, list[Any]]:
    """The lines there are of each of these people."""
    found: dict[UUID, list[Any]] = {one.id: [] for one in people}
    for lines in _tellers:
        for id, line in lines(people, today).items():
            found[id].append(line)
    return found
