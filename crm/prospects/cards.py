"""What packages above add to a person's page: cards, lines of the first look, happenings, and what to do next.

They register functions when they are imported, so that this package need not know them:

    cards.register(card=premium_card, trails=(visits,), step=log_a_visit)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, Select, SQLColumnExpression, and_, bindparam, func, literal, select

from crm.accounts.queries import Scope
from crm.db import session
from crm.prospects.models import Prospect, Standing
from crm.prospects.queries.standing import standings_of
from crm.web.once import once


@dataclass(frozen=True)
class Look:
    """One line of the first look at somebody: a sign and a short answer; `note` in smaller letters under it, or `more`:
    what to do about it, in words and an address."""

    icon: str
    text: Any
    note: Any = None
    kind: str = "plain"
    """plain, due, late, leaf."""
    order: int = 50
    more: tuple[Any, str] | None = None


@dataclass(frozen=True)
class Card:
    """A part of the page: `template` is included with this card as `card`. Smaller `order` stands higher."""

    template: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    order: int = 50
    looks: Sequence[Look] = ()
    """What it adds to the first look."""


class Kind(StrEnum):
    """What the timeline may be narrowed to."""

    VISITS = "visits"
    MONEY = "money"
    MESSAGES = "messages"
    CHANGES = "changes"
    OFFICE = "office"


FIRST_ID = UUID(int=0)


@dataclass(frozen=True)
class Undo:
    """A button beside a happening that puts something back: `fields` are sent to `url`."""

    label: Any
    url: str
    fields: Mapping[str, str]


@dataclass(frozen=True)
class Event:
    """Something that happened. `kind`: jade, leaf, due, late, quiet; `note` as somebody wrote it."""

    at: datetime
    title: Any
    icon: str = "note"
    kind: str = "jade"
    by: str | None = None
    text: Any = None
    note: str | None = None
    whole_day: bool = False
    """The hour is not known: only the day is shown."""
    lines: Sequence[tuple[Any, Any, Any]] = ()
    """What was corrected: field, before, after."""
    more: tuple[Any, str] | None = None
    """Where to read on: words and address."""
    undo: Sequence[Undo] = ()
    about: Kind = Kind.CHANGES
    """What it belongs to when the timeline is narrowed; a trail's own kind goes before it."""
    id: UUID = FIRST_ID
    """The place among happenings of the same moment."""


@dataclass(frozen=True)
class Happened:
    """A row that a trail found: when, who, and the facts that its select named, in plain JSON."""

    at: datetime
    id: UUID
    by: str | None
    facts: Mapping[str, Any]


TOWN: BindParameter[Any] = bindparam("town")
PERSON: BindParameter[Any] = bindparam("person")
PHONE: BindParameter[Any] = bindparam("phone")
"""What a trail's select may ask for: the person's town, id and mobile number."""


@dataclass(frozen=True)
class Trail:
    """One sort of happenings of a person: where they stand in the database, and how they are told.

    `rows` selects them with TOWN and PERSON bound, without order; `at` and `id` give their place in time, `by` the account
    that did it, `facts` what `tell` needs, as JSONB. All trails together are asked in one statement.
    """

    name: str
    kind: Kind
    rows: Select[Any]
    at: SQLColumnExpression[Any]
    id: SQLColumnExpression[Any]
    by: SQLColumnExpression[Any]
    facts: SQLColumnExpression[Any]
    tell: Callable[[Happened], Event]


def of_person(model: Any) -> ColumnElement[bool]:
    """The rows of a table that belong to the person asked for."""
    return and_(model.town_id == TOWN, model.prospect_id == PERSON)


def facts_as(**columns: Any) -> ColumnElement[Any]:
    """These columns as the facts of a trail, under these names."""
    return func.jsonb_build_object(*(part for name, column in columns.items() for part in (literal(name), column)))


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


EventsOf = Callable[[Prospect, Scope], Sequence[Event]]
CardOf = Callable[[Prospect, Scope, date], Card | None]
StepOf = Callable[[Prospect, Scope, date], Step | None]

_cards: list[tuple[CardOf, ColumnElement[bool] | None]] = []
_trails: dict[str, Trail] = {}
_events: list[EventsOf] = []
_steps: list[StepOf] = []


def register(
    *,
    card: CardOf | None = None,
    when: ColumnElement[bool] | None = None,
    trails: Sequence[Trail] = (),
    events: EventsOf | None = None,
    step: StepOf | None = None,
) -> None:
    """Let these be asked whenever a person's page is shown. What may be long is told by a trail, which is read page by
    page; `events` is for what happens a few times in a life.

    A card that most people do not have says `when` it is worth asking for, such as `exists().where(of_person(…))`: one
    statement asks that for all cards."""
    if card:
        _cards.append((card, when))
    _trails.update({trail.name: trail for trail in trails})
    if events:
        _events.append(events)
    if step:
        _steps.append(step)


def cards_of(person: Prospect, scope: Scope, today: date) -> list[Card]:
    """The cards others have for this person, in their order."""
    conditions = tuple(when for _make, when in _cards if when is not None)
    held = (
        iter(session().execute(_asked(conditions), {"town": person.town_id, "person": person.id}).one())
        if conditions
        else iter(())
    )
    worth = [make for make, when in _cards if when is None or next(held)]
    found = [card for make in worth if (card := make(person, scope, today))]
    return sorted(found, key=lambda card: card.order)


@lru_cache(maxsize=8)
def _asked(conditions: tuple[ColumnElement[bool], ...]) -> Any:
    """Which of these hold for a person."""
    return select(*conditions)


def standings(person: Prospect) -> Sequence[Standing]:
    """The grounds somebody has today or later, the newest first, read once for a page."""
    return once(("standings", person.id), lambda: standings_of(session(), person.town_id, [person.id])[person.id])


def looks_of(cards: Sequence[Card]) -> list[Look]:
    """The lines these cards add to the first look, in their order."""
    return sorted((look for card in cards for look in card.looks), key=lambda look: look.order)


def trails() -> Mapping[str, Trail]:
    """Every sort of happenings, by name."""
    return _trails


def events_of(person: Prospect, scope: Scope) -> list[Event]:
    """What others know to have happened with this person besides their trails, in no order."""
    return [event for tell in _events for event in tell(person, scope)]


def next_step(person: Prospect, scope: Scope, today: date) -> Step | None:
    """What should be done next with this person, if anyone has a proposal."""
    found = [step for propose in _steps if (step := propose(person, scope, today))]
    return min(found, key=lambda step: step.order, default=None)
