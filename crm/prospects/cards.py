"""What packages above add to a person's page: cards, happenings for the timeline, and what to do next.

They register functions when they are imported, so that this package need not know them:

    cards.register(card=premium_card, events=visits_as_events, step=log_a_visit)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from crm.accounts.queries import Scope
from crm.prospects.models import Prospect


@dataclass(frozen=True)
class Card:
    """A part of the page: `template` is included with this card as `card`. Smaller `order` stands higher."""

    template: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    order: int = 50


@dataclass(frozen=True)
class Event:
    """Something that happened. `kind`: jade, leaf, due, late, quiet; `note` as somebody wrote it.

    `id` is that of the visit or payment it tells of: a change of stage that it caused is not told twice.
    """

    at: datetime
    title: Any
    icon: str = "note"
    kind: str = "jade"
    by: str | None = None
    text: Any = None
    note: str | None = None
    id: UUID | None = None
    whole_day: bool = False
    """The hour is not known: only the day is shown."""


@dataclass(frozen=True)
class Step:
    """What to do next with somebody: the page's one strong button. Of several the smallest `order` is shown.

    `sheet` is the `#id` of a dialog that one of the cards brings and that the button opens.
    """

    label: Any
    url: str
    icon: str = "record"
    sheet: str | None = None
    order: int = 50


CardOf = Callable[[Prospect, Scope, date], Card | None]
EventsOf = Callable[[Prospect, Scope], Sequence[Event]]
StepOf = Callable[[Prospect, Scope, date], Step | None]

_cards: list[CardOf] = []
_events: list[EventsOf] = []
_steps: list[StepOf] = []


def register(*, card: CardOf | None = None, events: EventsOf | None = None, step: StepOf | None = None) -> None:
    """Let these functions be asked whenever a person's page is shown."""
    if card:
        _cards.append(card)
    if events:
        _events.append(events)
    if step:
        _steps.append(step)


def cards_of(person: Prospect, scope: Scope, today: date) -> list[Card]:
    """The cards others have for this person, in their order."""
    found = [card for make in _cards if (card := make(person, scope, today))]
    return sorted(found, key=lambda card: card.order)


def events_of(person: Prospect, scope: Scope) -> list[Event]:
    """What others know to have happened with this person, in no order."""
    return [event for tell in _events for event in tell(person, scope)]


def next_step(person: Prospect, scope: Scope, today: date) -> Step | None:
    """What should be done next with this person, if anyone has a proposal."""
    found = [step for propose in _steps if (step := propose(person, scope, today))]
    return min(found, key=lambda step: step.order, default=None)
