"""What can be done to many people at once. Packages above register what is theirs, such as giving people to somebody:

bulk.register(Kind("assign", _l("Give to a volunteer"), May.ASSIGN, check=…, do=…, back=…))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import Scope
from crm.accounts.rules import May
from crm.errors import RuleBroken
from crm.prospects.lists.models import BulkAct
from crm.prospects.lists.rules import Why


@dataclass(frozen=True)
class Doing:
    """An act being done or undone: for whom, as how far they see now, and when."""

    act: BulkAct
    scope: Scope
    by: User
    at: datetime


@dataclass(frozen=True)
class Did:
    """What became of some people: why those who were left out were, and for those who were not what undoing needs."""

    left_out: Mapping[UUID, Why]
    before: Mapping[UUID, dict[str, Any]]


@dataclass(frozen=True)
class Then:
    """Somebody as an act left them: what undoing puts back, and the moment the act changed them."""

    person: UUID
    at: datetime
    before: Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """One kind of act. `check` turns what was sent into what is kept, or refuses; `do` and `back` get people who are in
    sight and held against others, and answer for each of them; `told` says it in words."""

    key: str
    words: Any
    permission: May
    check: Callable[[Session, Scope, Mapping[str, Any]], dict[str, Any]]
    do: Callable[[Session, Doing, Sequence[UUID]], Did]
    back: Callable[[Session, Doing, Sequence[Then]], Mapping[UUID, Why]]
    told: Callable[[Mapping[str, Any]], str]
    icon: str = "people"


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Let this be done to many people."""
    _kinds[kind.key] = kind


def kinds() -> Mapping[str, Kind]:
    """All of them by key."""
    return _kinds


def kind_of(key: str) -> Kind:
    """The kind of that key. Raises RuleBroken."""
    found = _kinds.get(key)
    if found is None:
        raise RuleBroken(_l("Choose what is to be done."), field="kind")
    return found
