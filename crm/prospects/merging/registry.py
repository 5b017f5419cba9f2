"""What packages above know of two records becoming one. They register when they are imported, as with cards.py:

registry.register(refuses=months_paid_twice, settles=what_the_visits_say, firm=("participant_month",))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from crm.prospects.models import Prospect

Refuses = Callable[[Session, Prospect, Prospect], Iterable[Any]]
"""Sentences why two records cannot become one now, each with what to do first."""
Settles = Callable[[Session, Prospect], None]
"""Let a record say what the events that are with it say; nothing is noted, for nothing happened."""
Tells = Callable[[Session, UUID, list[UUID]], Mapping[UUID, str]]
"""Rows of one table by id, in words for the person who decides whose they are."""

_refuses: list[Refuses] = []
_settles: list[tuple[int, Settles]] = []
_tells: dict[str, Tells] = {}
_firm: set[str] = set()


def register(
    *,
    refuses: Refuses | None = None,
    settles: Settles | None = None,
    order: int = 50,
    firm: Iterable[str] = (),
    tells: Mapping[str, Tells] | None = None,
) -> None:
    """`firm`: tables of which no row may stay behind. `order`: of two that settle the larger has the last word."""
    if refuses:
        _refuses.append(refuses)
    if settles:
        _settles.append((order, settles))
    _firm.update(firm)
    _tells.update(tells or {})


def refusals(session: Session, kept: Prospect, gone: Prospect) -> list[Any]:
    """Everything that speaks against making two records one."""
    return [sentence for ask in _refuses for sentence in ask(session, kept, gone)]


def settle(session: Session, person: Prospect) -> None:
    """Let what follows from events follow from those that are with this record now."""
    for _order, act in sorted(_settles, key=lambda one: one[0]):
        act(session, person)


def firm_tables() -> list[str]:
    """Tables whose rows are money: a collision there ends the act."""
    return sorted(_firm)


def told(session: Session, town_id: UUID, table: str, ids: list[UUID]) -> Mapping[UUID, str]:
    """Rows of a table in words; empty where nobody said how."""
    return _tells[table](session, town_id, ids) if table in _tells else {}
