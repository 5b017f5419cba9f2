"""What a list is narrowed to, as somebody chose it: an address, a saved list and a program say it in the same words.

`Filters` (crm/prospects/queries/lists.py) are what follows from it today: places with all they came from, days, ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from crm.accounts.queries import Scope
from crm.clock import at
from crm.errors import Refusals, RuleBroken
from crm.kept import kept
from crm.names import fold
from crm.places.queries import ids_within
from crm.prospects.lists import conditions
from crm.prospects.queries.lists import Filters
from crm.prospects.rules import Ground, Purpose, Sex, Stage

OLDEST = 120
MOST_DAYS = 3650
MOST_CHOICES = 20


class Consenting(StrEnum):
    """What the phone of somebody said last about messages."""

    SERVICE = "service"
    PROMOTION = "promotion"
    NOT_SERVICE = "not_service"
    NOT_PROMOTION = "not_promotion"

    @property
    def purpose(self) -> Purpose:
        return Purpose(self.value.removeprefix("not_"))

    @property
    def agrees(self) -> bool:
        return not self.value.startswith("not_")


@dataclass(frozen=True)
class Narrowing:
    """Nothing chosen narrows nothing. Days are counted from today: a saved list lives on."""

    place: UUID | None = None
    neighbourhood: UUID | None = None
    stage: tuple[Stage, ...] = ()
    standing: Ground | None = None
    organisation: UUID | None = None
    assigned_to: str | None = None
    """The id of an account, `me` or `nobody`."""
    sex: Sex | None = None
    age_from: int | None = None
    age_to: int | None = None
    occupation: str | None = None
    never_contacted: bool | None = None
    last_contact_before: date | None = None
    last_contact_within: int | None = None
    """Days: spoken to within so many."""
    no_contact_for: int | None = None
    """Days: not spoken to for so many, or never."""
    due_before: date | None = None
    due_within: int | None = None
    """Days: to be met by then, what is late included; 0 is today."""
    tag: tuple[UUID, ...] = ()
    has_phone: bool | None = None
    consent: Consenting | None = None
    condition: tuple[str, ...] = ()

    @classmethod
    def from_args(cls, args: Mapping[str, Any]) -> Narrowing:
        """From an address, a saved list or a body: texts or values, one or several of a name; names that are not ours
        are left alone. Raises RuleBroken at the name whose value cannot be read, RulesBroken at all of several."""
        found: dict[str, Any] = {}
        refused = Refusals()
        for field in fields(cls):
            given = _given(args, field.name)
            if given:
                with refused.noted():
                    found[field.name] = _read(field.name, given)
        with refused.noted():
            _check_ages(found.get("age_from"), found.get("age_to"))
        refused.raise_all()
        return cls(**found)

    def as_args(self) -> dict[str, Any]:
        """The same as texts (lists of texts where several may be chosen), without what was left open."""
        told = {field.name: _written(getattr(self, field.name)) for field in fields(self)}
        return {name: value for name, value in told.items() if value not in (None, [], "")}

    def without(self, name: str, value: str | None = None) -> Narrowing:
        """The same without one choice; of several of a name, without that one."""
        now = getattr(self, name)
        left: dict[str, Any] = {name: None}
        if isinstance(now, tuple):
            left = {name: tuple(one for one in now if value is not None and _written(one) != value)}
        elif name == "place":
            left["neighbourhood"] = None
        return replace(self, **left)

    def __bool__(self) -> bool:
        return self != EVERYBODY

    def filters(self, session: Session, scope: Scope, today: date) -> Filters:
        """What this asks of people today, for somebody. Raises RuleBroken for a condition nobody knows."""
        due = self.due_before
        if self.due_within is not None:
            by = today + timedelta(days=self.due_within + 1)
            due = min(due, by) if due else by
        return Filters(
            place_ids=_within(session, scope.town_id, self.place) if self.place else None,
            neighbourhood_id=self.neighbourhood,
            stages=self.stage,
            standing=self.standing,
            organisation_id=self.organisation,
            assigned_to=self._whose(scope),
            sex=self.sex,
            born_from=today.year - self.age_to if self.age_to is not None else None,
            born_to=today.year - self.age_from if self.age_from is not None else None,
            occupation=tuple(fold(self.occupation or "").split()[:5]),
            contacted={True: False, False: True, None: None}[self.never_contacted],
            contact_before=at(self.last_contact_before) if self.last_contact_before else None,
            contact_since=at(today - timedelta(days=self.last_contact_within)) if self.last_contact_within else None,
            silent_since=at(today - timedelta(days=self.no_contact_for)) if self.no_contact_for else None,
            due_before=due,
            tags=self.tag,
            has_phone=self.has_phone,
            consent=(self.consent.purpose, self.consent.agrees) if self.consent else None,
            conditions=tuple(conditions.named(key).key for key in self.condition),
        )

    def _whose(self, scope: Scope) -> Any:
        if self.assigned_to in (None, "nobody"):
            return self.assigned_to
        return scope.user_id if self.assigned_to == "me" else UUID(self.assigned_to)


def _check_ages(least: int | None, most: int | None) -> None:
    if least is not None and most is not None and least > most:
        raise RuleBroken(
            _l("The age up to which is looked lies below the age from which. Swap the two."), field="age_to"
        )


EVERYBODY = Narrowing()
NAMES = tuple(field.name for field in fields(Narrowing))
SEVERAL = ("stage", "tag", "condition")


def _within(session: Session, town_id: UUID, place: UUID) -> tuple[UUID, ...]:
    return kept(("within", town_id, str(place)), lambda: ids_within(session, town_id, place))


def _given(args: Mapping[str, Any], name: str) -> list[Any]:
    """The values under a name that say something."""
    several = args.getlist(name) if hasattr(args, "getlist") else args.get(name)
    if several is None:
        return []
    if isinstance(several, str) or not isinstance(several, Iterable):
        several = [several]
    return [value for value in several if value is not None and str(value).strip()]


def _read(name: str, given: list[Any]) -> Any:
    reads = _READ[name]
    try:
        if name in SEVERAL:
            return tuple(dict.fromkeys(reads(str(one).strip()) for one in given[:MOST_CHOICES]))
        return reads(str(given[0]).strip())
    except RuleBroken as refusal:
        raise RuleBroken(refusal.message, field=name) from None
    except (ValueError, OverflowError):
        raise RuleBroken(_UNREADABLE.get(reads, _NOT_KNOWN), field=name) from None


_NOT_KNOWN = _l("This choice is not known here. Choose again.")


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        number = int(text) if len(text) < 10 and text.isascii() and text.isdigit() else most + 1
        if not least <= number <= most:
            raise RuleBroken(
                _l("Write a whole number from %(least)s to %(most)s.", least=least, most=most), field="number"
            )
        return number

    return read


def _day(text: str) -> date:
    parts = text.split("/")
    found = date(int(parts[2]), int(parts[1]), int(parts[0])) if len(parts) == 3 else date.fromisoformat(text)
    if not 1900 <= found.year <= 2200:
        raise ValueError(text)
    return found


_UNREADABLE: Mapping[Callable[[str], Any], Any] = {_day: _l("Write the day as 12/8/2019.")}


def _yes_or_no(text: str) -> bool:
    if text.lower() not in _YES_OR_NO:
        raise ValueError(text)
    return _YES_OR_NO[text.lower()]


_YES_OR_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


def _who(text: str) -> str:
    return text if text in ("me", "nobody") else str(UUID(text))


def _words(text: str) -> str:
    return text.replace("\x00", "")[:100]


_READ: Mapping[str, Callable[[str], Any]] = {
    "place": UUID,
    "neighbourhood": UUID,
    "stage": Stage,
    "standing": Ground,
    "organisation": UUID,
    "assigned_to": _who,
    "sex": Sex,
    "age_from": _whole(0, OLDEST),
    "age_to": _whole(0, OLDEST),
    "occupation": _words,
    "never_contacted": _yes_or_no,
    "last_contact_before": _day,
    "last_contact_within": _whole(1, MOST_DAYS),
    "no_contact_for": _whole(1, MOST_DAYS),
    "due_before": _day,
    "due_within": _whole(0, MOST_DAYS),
    "tag": UUID,
    "has_phone": _yes_or_no,
    "consent": Consenting,
    "condition": lambda key: conditions.named(key).key,
}


def _written(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_written(one) for one in value]
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, StrEnum):
        return value.value
    return None if value is None else value.isoformat() if isinstance(value, date) else str(value)
