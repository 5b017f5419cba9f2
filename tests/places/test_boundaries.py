"""In which unit a record counts, forward and backward through time."""

from __future__ import annotations

import random
from datetime import date
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from crm.places.boundaries import Boundaries, Part, Spot, Step, boundaries, vintages
from crm.places.rules import PlaceKind
from tests.factories import Make

BEFORE, DAY, AFTER = date(2024, 1, 1), date(2025, 7, 1), date(2026, 1, 1)
OLD, NEW = date(2000, 1, 1), DAY


def ward(since: date = OLD, until: date | None = None, parent: UUID | None = None) -> Spot:
    kind = PlaceKind.NEIGHBOURHOOD if parent else PlaceKind.WARD
    return Spot(uuid4(), kind, parent, since, until)


def test_two_wards_that_became_one_are_one_row_afterwards_and_two_before() -> None:
    one, two, joined = ward(until=DAY), ward(until=DAY), ward(NEW)
    steps = [Step(one.id, joined.id, DAY), Step(two.id, joined.id, DAY)]
    later = Boundaries.of(AFTER, (one, two, joined), steps)
    assert {later.unit_of(one.id), later.unit_of(two.id), later.unit_of(joined.id)} == {joined.id}
    earlier = Boundaries.of(BEFORE, (one, two, joined), steps)
    assert earlier.unit_of(one.id) == one.id
    assert earlier.unit_of(joined.id) == joined.id, "which of the two it was is not known"


def test_the_neighbourhood_tells_which_former_ward_it_was() -> None:
    one, two, joined = ward(until=DAY), ward(until=DAY), ward(NEW)
    street = ward(until=DAY, parent=one.id)
    later_street = ward(NEW, parent=joined.id)
    steps = [Step(one.id, joined.id, DAY), Step(two.id, joined.id, DAY), Step(street.id, later_street.id, DAY)]
    earlier = Boundaries.of(BEFORE, (one, two, joined, street, later_street), steps)
    assert earlier.unit_of(joined.id, later_street.id) == one.id
    later = Boundaries.of(AFTER, (one, two, joined, street, later_street), steps)
    assert later.unit_of(one.id, street.id) == joined.id


def test_a_divided_ward_is_counted_by_neighbourhood_and_the_rest_where_the_document_says_first() -> None:
    whole, left, right = ward(until=DAY), ward(NEW), ward(NEW)
    east = ward(until=DAY, parent=whole.id)
    new_east = ward(NEW, parent=right.id)
    steps = [Step(whole.id, left.id, DAY), Step(whole.id, right.id, DAY), Step(east.id, new_east.id, DAY)]
    later = Boundaries.of(AFTER, (whole, left, right, east, new_east), steps)
    assert later.unit_of(whole.id, east.id) == right.id
    assert later.unit_of(whole.id) == left.id
    earlier = Boundaries.of(BEFORE, (whole, left, right, east, new_east), steps)
    assert earlier.unit_of(right.id, new_east.id) == whole.id
    assert earlier.unit_of(left.id) == whole.id, "it was only ever part of one"


def test_a_circle_on_record_ends() -> None:
    one, two = ward(until=DAY), ward(until=DAY)
    steps = [Step(one.id, two.id, DAY), Step(two.id, one.id, DAY)]
    assert Boundaries.of(AFTER, (one, two), steps).unit_of(one.id) in (one.id, two.id)


def test_what_counts_in_a_unit_is_what_unit_of_says() -> None:
    dice = random.Random(7)
    for _ in range(60):
        olds = [ward(until=DAY) for _ in range(4)]
        news = [ward(NEW) for _ in range(3)]
        steps, inner = [], []
        for old in olds:
            targets = dice.sample(news, dice.choice((1, 1, 2)))
            steps += [Step(old.id, new.id, DAY) for new in targets]
            for _ in range(3):
                street, goes = ward(until=DAY, parent=old.id), dice.choice(targets)
                later = ward(NEW, parent=goes.id)
                inner += [street, later]
                steps.append(Step(street.id, later.id, DAY))
        spots = [*olds, *news, *inner]
        streets = [spot.id for spot in inner]
        for day in (BEFORE, AFTER):
            drawn = Boundaries.of(day, spots, steps)
            parts = {unit: drawn.parts_of(unit) for unit in drawn.spots}
            for place in (*olds, *news):
                for neighbourhood in (*streets, None):
                    unit = drawn.unit_of(place.id, neighbourhood)
                    holders = [key for key, its in parts.items() if counts(*its, place.id, neighbourhood)]
                    assert holders == [unit]


def counts(whole: list[UUID], parts: list[Part], place: UUID, neighbourhood: UUID | None) -> bool:
    if place in whole:
        return True
    for part in parts:
        if part.place_id == place:
            return part.unknown if neighbourhood is None else neighbourhood in part.neighbourhood_ids
    return False


def test_the_town_has_had_eight_seven_and_two_units(session: Session, make: Make) -> None:
    found = [(one.units, one.until) for one in vintages(session, make.town.id)]
    assert found == [(8, date(2019, 11, 30)), (7, date(2025, 6, 30)), (2, None)]


def test_ba_dinh_counts_in_bim_son_from_july_2025(session: Session, make: Make) -> None:
    old, new = make.ward(), make.ward("14812@2025-07-01")
    assert boundaries(session, make.town.id, date(2025, 7, 1)).unit_of(old.id) == new.id
    assert boundaries(session, make.town.id, date(2025, 6, 30)).unit_of(old.id) == old.id
