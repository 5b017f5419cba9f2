"""Which unit a place counts as in the boundaries of a day: forward through what it became, backward through what it was.

People, visits and spells keep the place they were recorded with. A report chooses boundaries and asks here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.places.models import Place, PlaceSuccession
from crm.places.rules import UNITS, PlaceKind


class Spot(NamedTuple):
    """A place as boundaries know it."""

    id: UUID
    kind: PlaceKind
    parent_id: UUID | None
    valid_from: date
    valid_to: date | None

    def valid_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


class Step(NamedTuple):
    """On that day a place, or part of it, became another."""

    predecessor_id: UUID
    successor_id: UUID
    on_day: date


class Part(NamedTuple):
    """Part of a unit: records in these neighbourhoods, and those without any where `unknown`."""

    place_id: UUID
    neighbourhood_ids: tuple[UUID, ...]
    unknown: bool


@dataclass(frozen=True)
class Boundaries:
    """The units of one day, and how every other place is counted among them."""

    day: date
    spots: Mapping[UUID, Spot]
    became: Mapping[UUID, Sequence[Step]]
    """By predecessor, the first on record first."""
    was: Mapping[UUID, Sequence[Step]]
    """By successor."""

    @classmethod
    def of(cls, day: date, spots: Iterable[Spot], steps: Iterable[Step]) -> Boundaries:
        became: dict[UUID, list[Step]] = {}
        was: dict[UUID, list[Step]] = {}
        for step in steps:
            became.setdefault(step.predecessor_id, []).append(step)
            was.setdefault(step.successor_id, []).append(step)
        return cls(day, {spot.id: spot for spot in spots}, became, was)

    def unit_of(self, place_id: UUID, neighbourhood_id: UUID | None = None) -> UUID:
        """The unit of `day` that a record of this place counts in.

        A neighbourhood decides where a unit was divided, or where a later unit was several before. Without one a divided
        unit counts under the successor first on record, and a later unit that was several stays a row of its own.
        """
        if neighbourhood_id is not None and self._undecided(place_id):
            through = self._at_day(neighbourhood_id)
            parent = self.spots[through].parent_id if through in self.spots else None
            if parent is not None:
                return self._at_day(parent)
        return self._at_day(place_id)

    def around(self, place_id: UUID, neighbourhood_id: UUID | None = None) -> frozenset[UUID]:
        """Every place somebody lives in who is recorded with this place: as recorded, as it is on `day`, and above."""
        found = {place_id, self.unit_of(place_id, neighbourhood_id)}
        if neighbourhood_id is not None:
            found |= {neighbourhood_id, self._at_day(neighbourhood_id)}
        above = {self.spots[one].parent_id for one in found if one in self.spots}
        return frozenset(found | {one for one in above if one is not None})

    @property
    def undecided(self) -> Collection[UUID]:
        """Units for which the neighbourhood is asked: those that began after the day, and those that were divided."""
        return [spot.id for spot in self.spots.values() if spot.kind in UNITS and self._undecided(spot.id)]

    def parts_of(self, unit_id: UUID) -> tuple[list[UUID], list[Part]]:
        """What counts in a unit: places whole, and parts of those for which the neighbourhood is asked."""
        asked = self.undecided
        whole = [spot for spot in self.spots if spot not in asked and self.unit_of(spot) == unit_id]
        inside = [spot.id for spot in self.spots.values() if spot.kind is PlaceKind.NEIGHBOURHOOD]
        parts = []
        for place in asked:
            mine = [one for one in inside if self.unit_of(place, one) == unit_id]
            unknown = self.unit_of(place) == unit_id
            if mine or unknown:
                parts.append(Part(place, tuple(mine), unknown))
        return whole, parts

    def _undecided(self, place_id: UUID) -> bool:
        spot = self.spots.get(place_id)
        if spot is None:
            return False
        return spot.valid_from > self.day or len(self._next(place_id)) > 1

    def _next(self, place_id: UUID) -> list[Step]:
        return [step for step in self.became.get(place_id, ()) if step.on_day <= self.day]

    def _at_day(self, place_id: UUID) -> UUID:
        seen = {place_id}
        while (after := self._step(place_id)) is not None and after not in seen:
            seen.add(place_id := after)
        return place_id

    def _step(self, place_id: UUID) -> UUID | None:
        spot = self.spots.get(place_id)
        if spot is None or spot.valid_on(self.day):
            return None
        if spot.valid_from > self.day:
            before = self.was.get(place_id, ())
            return before[0].predecessor_id if len(before) == 1 else None
        following = self._next(place_id)
        return following[0].successor_id if following else None


def boundaries(session: Session, town_id: UUID, day: date) -> Boundaries:
    """The boundaries of a day; two small queries."""
    columns = Place.id, Place.kind, Place.parent_id, Place.valid_from, Place.valid_to
    spots = session.execute(select(*columns).where(Place.town_id == town_id))
    steps = session.execute(
        select(PlaceSuccession.predecessor_id, PlaceSuccession.successor_id, PlaceSuccession.on_day)
        .where(PlaceSuccession.town_id == town_id)
        .order_by(PlaceSuccession.position, PlaceSuccession.id)
    )
    return Boundaries.of(day, (Spot(*row) for row in spots), (Step(*row) for row in steps))


def unit_now(session: Session, place: Place, neighbourhood_id: UUID | None, today: date) -> Place | None:
    """What a unit has become by today; None when it still is itself."""
    if place.valid_to is None or place.valid_to > today:
        return None
    unit = boundaries(session, place.town_id, today).unit_of(place.id, neighbourhood_id)
    return session.get(Place, (place.town_id, unit)) if unit != place.id else None


def units_on(session: Session, homes: Mapping[UUID, tuple[Place, UUID | None]], day: date) -> dict[UUID, Place]:
    """The ward of a day of each of many homes, told as unit and neighbourhood; as many questions as there are new wards."""
    former = {one: home for one, home in homes.items() if home[0].valid_to and home[0].valid_to <= day}
    found = {one: unit for one, (unit, _part) in homes.items()}
    if former:
        town_id = next(iter(former.values()))[0].town_id
        held = boundaries(session, town_id, day)
        found |= {
            one: session.get_one(Place, (town_id, held.unit_of(unit.id, part))) for one, (unit, part) in former.items()
        }
    return found


class Vintage(NamedTuple):
    """The boundaries that held from one day on, until the next vintage, and how many units they made."""

    since: date
    until: date | None
    """The last day."""
    units: int


def vintages(session: Session, town_id: UUID) -> list[Vintage]:
    """Every set of boundaries a town has had or will have, the earliest first."""
    query = select(Place.valid_from, Place.valid_to).where(
        Place.town_id == town_id, Place.kind.in_(UNITS), Place.parent_id.is_not(None)
    )
    spans = [(row[0], row[1]) for row in session.execute(query)]
    days = sorted({day for span in spans for day in span if day is not None})
    counted = [(day, sum(since <= day and (until is None or day < until) for since, until in spans)) for day in days]
    found = [(day, units) for day, units in counted if units]
    ends = [date.fromordinal(day.toordinal() - 1) for day, _units in found[1:]]
    return [Vintage(day, until, units) for (day, units), until in zip(found, [*ends, None], strict=True)]
