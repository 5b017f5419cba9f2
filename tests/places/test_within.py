"""What belongs to a ward: what joined it, not what will."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from sqlalchemy.orm import Session

from crm import clock
from crm.places.queries import ids_within
from tests.factories import Make

Move = Callable[[datetime], None]


def test_a_commune_belongs_to_the_ward_it_joins_from_that_day_on(session: Session, make: Make, at_time: Move) -> None:
    ward, commune = make.ward("14821@2019-10-15"), make.ward("14827@2019-10-15")
    at_time(clock.at(date(2019, 11, 30)))
    assert commune.id not in ids_within(session, make.town.id, ward.id)
    at_time(clock.at(date(2019, 12, 1)))
    assert commune.id in ids_within(session, make.town.id, ward.id)


def test_a_ward_that_is_to_come_is_taken_as_on_its_first_day(session: Session, make: Make) -> None:
    coming, today = make.ward("14812@2026-01-01"), make.ward("14812@2019-10-15")
    assert today.id in ids_within(session, make.town.id, coming.id)
