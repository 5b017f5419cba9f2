"""Conditions that packages above know how to ask of people, such as «stopped paying this year».

They register when they are imported, so that this package need not know them:

    conditions.register("stopped_this_year", _l("Stopped this year"), stopped_this_year)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement

from crm.accounts.models import User
from crm.accounts.rules import May
from crm.errors import RuleBroken

Holds = Callable[[UUID, date], ColumnElement[bool]]
"""Of a town and today: a condition on Prospect."""


@dataclass(frozen=True)
class Named:
    """A condition with its words; `told` says in one sentence who that is, and makes it a list that stands ready. It is
    offered to whoever has `may`: who cannot mend what it finds need not look at it."""

    key: str
    words: Any
    told: Any
    holds: Holds
    may: May


@dataclass(frozen=True)
class Family:
    """Conditions that differ by a row of their package, such as «pays more by that decree»; their keys are
    `prefix:id`. `of` gives the condition of an id, or None; `ready` those that stand ready for somebody."""

    prefix: str
    of: Callable[[str], Named | None]
    ready: Callable[[User], Iterable[Named]]


_known: dict[str, Named] = {}
_families: dict[str, Family] = {}


def register(key: str, words: Any, holds: Holds, *, told: Any = "", may: May = May.SEE_PEOPLE) -> None:
    """Let lists be narrowed by this; it is a list ready to be opened, too."""
    _known[key] = Named(key, words, told, holds, may)


def register_family(family: Family) -> None:
    """Let lists be narrowed by these."""
    _families[family.prefix] = family


def offered_to(user: User) -> list[Named]:
    """Those that somebody may choose."""
    ready = (one for family in _families.values() for one in family.ready(user))
    return [one for one in (*_known.values(), *ready) if user.may(one.may)]


def named(key: str) -> Named:
    """The condition of that key. Raises RuleBroken when no package knows it."""
    prefix, _colon, id = key.partition(":")
    family = _families.get(prefix) if id else None
    found = family.of(id) if family else _known.get(key)
    if found is None:
        raise RuleBroken(_l("This condition is not known here. Choose another."), field="condition")
    return found
