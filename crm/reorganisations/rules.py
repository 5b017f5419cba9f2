"""What a reorganisation may say, and what follows from it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l

from crm.errors import RuleBroken
from crm.names import fold
from crm.places.rules import UNITS, PlaceKind
from crm.web.filters import in_day

MOST_NEW_UNITS = 4
"""So many new wards or communes fit on the form; a larger reorganisation is entered in parts."""


class State(StrEnum):
    """How far a reorganisation is."""

    DRAFT = "draft"
    DRAWN = "drawn"
    """The boundaries stand in the register by their date; nobody has yet said who looks after what then."""
    PREPARED = "prepared"
    """Decided, and done by itself when the day comes."""
    HANDED_OVER = "handed_over"


STATES = {
    State.DRAFT: _l("Being described"),
    State.DRAWN: _l("To decide who looks after what"),
    State.PREPARED: _l("Decided; happens by itself on the day"),
    State.HANDED_OVER: _l("Handed over"),
}

STAYS = "stays"
DIVIDED = "divided"


@dataclass(frozen=True, slots=True)
class NewUnit:
    """A ward or commune that there will be."""

    key: str
    name: str
    code: str
    kind: PlaceKind

    @classmethod
    def of(cls, kept: Mapping[str, str]) -> NewUnit:
        return cls(kept["key"], kept["name"], kept["code"], PlaceKind(kept["kind"]))

    def as_json(self) -> dict[str, str]:
        return {"key": self.key, "name": self.name, "code": self.code, "kind": self.kind.value}


@dataclass(frozen=True, slots=True)
class Move:
    """What becomes of a unit: it joins `to` whole, or, when divided, each neighbourhood joins its own and whoever is in
    none of them `to`. A target is the key of a new unit or the id of one that stays."""

    of: UUID
    to: str
    divided: bool = False
    neighbourhoods: Mapping[UUID, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Move:
        inside = {UUID(one): to for one, to in kept["neighbourhoods"].items()}
        return cls(UUID(kept["of"]), kept["to"], kept["divided"], inside)

    def as_json(self) -> dict[str, Any]:
        inside = {str(one): to for one, to in self.neighbourhoods.items()}
        return {"of": str(self.of), "to": self.to, "divided": self.divided, "neighbourhoods": inside}

    @property
    def targets(self) -> list[str]:
        """Where parts of it go, the first the one for whoever's neighbourhood is not known."""
        return list(dict.fromkeys([self.to, *self.neighbourhoods.values()]))


@dataclass(frozen=True, slots=True)
class Plan:
    """What the document says."""

    units: tuple[NewUnit, ...]
    moves: tuple[Move, ...]

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Plan:
        return cls(tuple(map(NewUnit.of, kept["units"])), tuple(map(Move.from_json, kept["moves"])))

    @property
    def undecided(self) -> list[Move]:
        """Divided units of which nobody has said yet where the neighbourhoods go."""
        return [move for move in self.moves if move.divided and not move.neighbourhoods]

    def as_json(self) -> dict[str, Any]:
        return {"units": [unit.as_json() for unit in self.units], "moves": [move.as_json() for move in self.moves]}


def check(plan: Plan, *, units: Mapping[UUID, str], codes: Collection[str]) -> None:
    """Refuse what cannot be: `units` are those there are on the eve (id → name), `codes` those of units that stay.

    Raises RuleBroken at the field of the form.
    """
    if not plan.moves:
        raise RuleBroken(_l("Nothing changes yet. Say of at least one ward or commune what it becomes."))
    moving = {move.of for move in plan.moves}
    if not moving <= units.keys():
        raise RuleBroken(_l("One of these wards no longer exists on that day. Begin again from today's wards."))
    keys = {unit.key for unit in plan.units}
    used = {target for move in plan.moves for target in move.targets}
    for unit in plan.units:
        if unit.key not in used and not plan.undecided:
            raise RuleBroken(_l("No ward becomes part of “%(unit)s”. Say which, or take it out.", unit=unit.name))
        if unit.code in codes or [one.code for one in plan.units].count(unit.code) > 1:
            raise RuleBroken(_l("The code %(code)s belongs to another ward on that day.", code=unit.code))
    for target in used - keys:
        if not _stays(target, units, moving):
            raise RuleBroken(_l("A ward can become part only of one that stays or of a new one. Choose again."))


def _stays(target: str, units: Mapping[UUID, str], moving: Collection[UUID]) -> bool:
    return any(str(unit) == target for unit in units if unit not in moving)


def check_day(day: date, last_change: date | None) -> None:
    """A reorganisation comes after the last one. Raises RuleBroken."""
    if last_change is not None and day <= last_change:
        raise RuleBroken(
            _l("These wards have changed on %(day)s already. Choose a later day.", day=in_day(last_change)),
            field="on_day",
        )


def named_apart(names: Sequence[tuple[UUID, str, str]], taken: Iterable[str] = ()) -> dict[UUID, str]:
    """Names for neighbourhoods (id, name, former ward) that come together in one unit: the former ward in brackets where
    two would have one name."""
    folded = [fold(name) for _key, name, _ward in names]
    there = {fold(name) for name in taken}
    found = {}
    for key, name, ward in names:
        alone = folded.count(fold(name)) == 1 and fold(name) not in there
        found[key] = name if alone else f"{name} ({bare(ward)})"
    return found


def bare(unit: str) -> str:
    """The name of a unit without the word for its kind: “Phường Ba Đình” → “Ba Đình”."""
    for word in ("Phường ", "Xã ", "Thị trấn "):
        if unit.startswith(word):
            return unit.removeprefix(word)
    return unit


def proposed(place_id: UUID, became: Mapping[UUID, Sequence[UUID]]) -> UUID | None:
    """The place somebody of a former unit looks after now: what all of it became; none when it was divided."""
    following = became.get(place_id, ())
    return following[0] if len(following) == 1 else None


KINDS = [
    (kind.value, {PlaceKind.WARD: _l("Ward of a town"), PlaceKind.COMMUNE: _l("Rural commune")}[kind]) for kind in UNITS
]
