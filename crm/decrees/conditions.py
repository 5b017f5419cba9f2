"""Lists narrowed to those who pay more, or less, by a decree: to be visited, written to, given to somebody."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, exists, select

from crm.accounts.models import User
from crm.accounts.rules import May
from crm.db import session
from crm.decrees.models import Decree, DecreePerson
from crm.decrees.queries import SIDE, decrees
from crm.decrees.rules.states import Side, State
from crm.prospects.lists.conditions import Family, Named, register_family
from crm.prospects.models import Prospect

READY = 3
"""So many of the latest decrees stand ready as lists."""
WORDS = {
    Side.MORE: _l("Pay more by %(document)s"),
    Side.LESS: _l("Pay less by %(document)s"),
}
TOLD = {
    Side.MORE: _l("Their first payment after its day of effect costs more than it would without it."),
    Side.LESS: _l("Their first payment after its day of effect costs less than it would without it."),
}


class _Document:
    """The document of a decree, read when it is written on a page."""

    def __init__(self, decree_id: UUID) -> None:
        self.decree_id = decree_id

    def __str__(self) -> str:
        return session().scalar(select(Decree.document).where(Decree.id == self.decree_id)) or "?"


def _holds(side: Side, decree_id: UUID, town_id: UUID, _today: date) -> ColumnElement[bool]:
    return exists().where(
        DecreePerson.town_id == town_id,
        DecreePerson.decree_id == decree_id,
        DecreePerson.prospect_id == Prospect.id,
        SIDE[side],
    )


def _of(side: Side, prefix: str, text: str) -> Named | None:
    try:
        decree_id = UUID(text)
    except ValueError:
        return None
    return _named(side, prefix, decree_id, _Document(decree_id))


def _named(side: Side, prefix: str, decree_id: UUID, document: Any) -> Named:
    words = _Words(side, document)
    return Named(f"{prefix}:{decree_id}", words, TOLD[side], partial(_holds, side, decree_id), May.SEE_PEOPLE)


class _Words:
    """«Pay more by Nghị định …», in the reader's language."""

    def __init__(self, side: Side, document: Any) -> None:
        self.side, self.document = side, document

    def __str__(self) -> str:
        return str(WORDS[self.side]) % {"document": self.document}


def _ready(side: Side, prefix: str, who: User) -> Iterable[Named]:
    """The latest decrees on record that concern anybody that way."""
    concerns = exists().where(DecreePerson.town_id == Decree.town_id, DecreePerson.decree_id == Decree.id, SIDE[side])
    latest = decrees(who.town_id).where(Decree.state == State.SAVED, concerns).limit(READY)
    for row in session().scalars(latest):
        yield _named(side, prefix, row.id, row.document)


for each in (Side.MORE, Side.LESS):
    prefix_of = f"decree-{each}"
    register_family(Family(prefix_of, partial(_of, each, prefix_of), partial(_ready, each, prefix_of)))
