"""What a forecast says, as a value that can be kept and read again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from crm.reports.forecast.rules import Dates, Lacking, Lever, Move, Range


class Coming(NamedTuple):
    """The stock at the end of a coming month."""

    end: date
    people: Range


class Unit(NamedTuple):
    """A place or an organisation: where it stands, and what it takes."""

    key: str
    stock: int
    target: int | None
    needed: int | None
    """How many must join a week to reach its target by the year's end, those who will drop out made up for."""
    year_end: Range | None = None
    own: float | None = None
    """How much its own past counts, 0 to 1."""


NEVER = Dates(None, None, None)


@dataclass(frozen=True)
class Outlook:
    """All that is said of a town from a day on. Without `coming` the data did not carry a forecast, and `lacking` says why."""

    as_of: date
    stock: int
    target: int | None
    year_end: date
    months: int
    joiners: int
    history: Sequence[tuple[date, int]]
    """The stock at the end of each month before."""
    lacking: Lacking | None = None
    coming: Sequence[Coming] = ()
    reached: Dates = NEVER
    chance: float = 0.0
    """Of having reached the target at the year's end."""
    needed: int = 0
    places: Sequence[Unit] = ()
    organisations: Sequence[Unit] = ()
    levers: Sequence[Lever] = ()

    def at(self, end: date) -> Range | None:
        """What is said about a day that ends a month."""
        return next((one.people for one in self.coming if one.end == end), None)

    @property
    def at_year_end(self) -> Range | None:
        return self.at(self.year_end)

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "as_of": self.as_of.isoformat(),
            "stock": self.stock,
            "target": self.target,
            "year_end": self.year_end.isoformat(),
            "months": self.months,
            "joiners": self.joiners,
            "history": [[end.isoformat(), people] for end, people in self.history],
            "lacking": self.lacking.value if self.lacking else None,
            "coming": [[one.end.isoformat(), *one.people] for one in self.coming],
            "reached": [day.isoformat() if day else None for day in self.reached],
            "chance": self.chance,
            "needed": self.needed,
            "places": [_unit_as_json(one) for one in self.places],
            "organisations": [_unit_as_json(one) for one in self.organisations],
            "levers": [[one.move.value, *one[1:]] for one in self.levers],
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Outlook:
        """As it was kept."""
        return cls(
            as_of=date.fromisoformat(kept["as_of"]),
            stock=kept["stock"],
            target=kept["target"],
            year_end=date.fromisoformat(kept["year_end"]),
            months=kept["months"],
            joiners=kept["joiners"],
            history=[(date.fromisoformat(end), people) for end, people in kept["history"]],
            lacking=Lacking(kept["lacking"]) if kept["lacking"] else None,
            coming=[Coming(date.fromisoformat(end), Range(*people)) for end, *people in kept["coming"]],
            reached=Dates(*(date.fromisoformat(day) if day else None for day in kept["reached"])),
            chance=kept["chance"],
            needed=kept["needed"],
            places=[_unit(one) for one in kept["places"]],
            organisations=[_unit(one) for one in kept["organisations"]],
            levers=[Lever(Move(move), *rest) for move, *rest in kept["levers"]],
        )


def _unit_as_json(one: Unit) -> dict[str, Any]:
    return one._asdict() | {"year_end": list(one.year_end) if one.year_end else None}


def _unit(kept: Mapping[str, Any]) -> Unit:
    return Unit(**{**kept, "year_end": Range(*kept["year_end"]) if kept["year_end"] else None})
