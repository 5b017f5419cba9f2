"""How lists are shown: what they are narrowed to in words, each with the address without it, and what one may choose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from crm.accounts.models import Organisation, User
from crm.accounts.queries import Scope, organisations, volunteers_for
from crm.accounts.rules import Reach
from crm.kept import kept
from crm.places.models import Place
from crm.prospects.lists import conditions
from crm.prospects.lists.forms import CONSENTS, CONTACTS, PHONES, Choice
from crm.prospects.lists.models import Tag
from crm.prospects.lists.narrowing import Narrowing
from crm.prospects.lists.queries import tags_of
from crm.prospects.wording import GROUNDS, SEXES, STAGES
from crm.web.filters import in_day


@dataclass(frozen=True)
class Chip:
    """One thing a list is narrowed to, and the rest of the address when it is taken away."""

    words: Any
    without: Mapping[str, Any]


def chips(session: Session, scope: Scope, narrowing: Narrowing) -> list[Chip]:
    """Everything a list is narrowed to, in words."""
    found: list[Chip] = []
    names = _Names(session, scope)
    for name, value in narrowing.as_args().items():
        for one in value if isinstance(value, list) else [value]:
            words = _WORDS[name](names, one)
            found.append(Chip(words, narrowing.without(name, one).as_args()))
    return found


def in_words(session: Session, scope: Scope, narrowing: Narrowing, q: str) -> str:
    """The same on one line, for a record of what was done."""
    parts = [str(chip.words) for chip in chips(session, scope, narrowing)]
    if q:
        parts.insert(0, _("“%(q)s”", q=q))
    return " · ".join(parts) or _("Everybody")


class _Names:
    """Names of what is chosen by id; an id that is not in sight has none."""

    def __init__(self, session: Session, scope: Scope) -> None:
        self.session, self.scope = session, scope

    def place(self, id: str) -> Any:
        return self._named(select(Place.name).where(Place.town_id == self.scope.town_id, Place.id == UUID(id)))

    def organisation(self, id: str) -> Any:
        query = select(Organisation.name).where(Organisation.town_id == self.scope.town_id, Organisation.id == UUID(id))
        return self._named(query)

    def volunteer(self, id: str) -> Any:
        if id == "nobody":
            return _("Nobody looks after them")
        if id == "me":
            return _("My people")
        query = volunteers_for(self.scope).where(User.id == UUID(id)).with_only_columns(User.full_name)
        return _("With %(name)s", name=self._named(query))

    def tag(self, id: str) -> Any:
        return self._named(select(Tag.name).where(Tag.town_id == self.scope.town_id, Tag.id == UUID(id)))

    def _named(self, query: Select[str]) -> Any:
        return self.session.scalar(query) or _("not known here")


_WORDS: Mapping[str, Any] = {
    "place": _Names.place,
    "neighbourhood": _Names.place,
    "stage": lambda _names, one: STAGES[one],
    "standing": lambda _names, one: GROUNDS[one],
    "organisation": _Names.organisation,
    "assigned_to": _Names.volunteer,
    "sex": lambda _names, one: SEXES[one],
    "age_from": lambda _names, one: _l("aged %(age)s or more", age=one),
    "age_to": lambda _names, one: _l("aged %(age)s or less", age=one),
    "occupation": lambda _names, one: _l("work: %(work)s", work=one),
    "never_contacted": lambda _names, one: CONTACTS[one],
    "last_contact_before": lambda _names, one: _l("last met before %(day)s", day=_day(one)),
    "last_contact_within": lambda _names, one: _l("met within %(days)s days", days=one),
    "no_contact_for": lambda _names, one: _l("not met for %(days)s days", days=one),
    "due_before": lambda _names, one: _l("to be met before %(day)s", day=_day(one)),
    "due_within": lambda _names, one: (
        _l("to be met today or late") if one == "0" else _l("to be met within %(days)s days", days=one)
    ),
    "tag": _Names.tag,
    "has_phone": lambda _names, one: PHONES[one],
    "consent": lambda _names, one: CONSENTS[one],
    "condition": lambda _names, one: conditions.named(one).words,
}


def _day(text: str) -> str:
    return str(in_day(date.fromisoformat(text)))


def organisations_to_choose(session: Session, scope: Scope) -> list[Choice]:
    """The organisations a list can be narrowed to; none for somebody who leads one."""
    if scope.organisation_id is not None:
        return []
    query = organisations(scope.town_id).with_only_columns(Organisation.id, Organisation.name)
    return kept(("organisations", scope.town_id), lambda: [(str(id), name) for id, name in session.execute(query)])


def volunteers_to_choose(session: Session, scope: Scope) -> list[Choice]:
    """Those who look after people of this scope."""
    if scope.reach is Reach.OWN:
        return []
    query = volunteers_for(scope).with_only_columns(User.id, User.full_name)
    return kept(("volunteers", scope), lambda: [(str(id), name) for id, name in session.execute(query)])


def tags_to_choose(session: Session, scope: Scope) -> list[Choice]:
    """The town's tags."""
    return [(str(tag.id), tag.name) for tag in session.scalars(tags_of(scope.town_id))]


def conditions_to_choose(user: User) -> list[Choice]:
    """What packages above know of people."""
    return [(one.key, one.words) for one in conditions.offered_to(user)]
