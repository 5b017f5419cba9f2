"""A hundred thousand people with three visits each, by COPY."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.demo.copying import copy_rows
from crm.demo.names import full_name
from crm.ids import new_id
from crm.names import fold, sort_key
from crm.outreach.models import Visit
from crm.outreach.rules import Channel, Outcome
from crm.places.models import Place
from crm.places.queries import units
from crm.prospects.models import Prospect
from crm.prospects.rules import Sex, Stage

STAGES = (Stage.NEW, Stage.NEW, Stage.CONSIDERING, Stage.INTERESTED, Stage.REFUSED, Stage.AGREED)
PEOPLE = ["town_id", "id", "full_name", "name_fold", "name_key", "sex", "birth_year", "phone", "place_id", "stage", "last_contact_at", "created_at", "updated_at", "version"]
VISITS = ["town_id", "id", "prospect_id", "user_id", "place_id", "occurred_at", "recorded_at", "channel", "outcome", "reasons"]


def fill(session: Session, user: User, count: int, seed: int = 1) -> list[UUID]:
    """Add the people and their visits; answers the people's ids."""
    chance = random.Random(seed)
    places = session.scalars(units(user.town_id, clock.today())).all()
    ids = [new_id() for _ in range(count)]
    copy_rows(session, Prospect, PEOPLE, _people(chance, user, places, ids))
    homes = {key: place for key, place in session.execute(select(Prospect.id, Prospect.place_id))}
    copy_rows(session, Visit, VISITS, _visits(chance, user, homes))
    return ids


def _people(chance: random.Random, user: User, places: Any, ids: list[UUID]) -> Iterator[tuple[Any, ...]]:
    now = clock.now()
    for number, person_id in enumerate(ids):
        sex, year = chance.choice((Sex.FEMALE, Sex.MALE)), chance.randint(1950, 2002)
        name = full_name(chance, sex, year)
        place: Place = chance.choice(places)
        phone = f"+849{number:08d}"
        stage = chance.choice(STAGES)
        yield (
            user.town_id,
            person_id,
            name,
            fold(name),
            sort_key(name),
            sex,
            year,
            phone,
            place.id,
            stage,
            now,
            now,
            now,
            1,
        )


def _visits(chance: random.Random, user: User, homes: dict[UUID, UUID]) -> Iterator[tuple[Any, ...]]:
    now = clock.now()
    outcomes = tuple(Outcome)
    for person_id, place_id in homes.items():
        for days in (200, 90, 20):
            at = now - timedelta(days=days + chance.randint(0, 40))
            outcome = chance.choice(outcomes)
            yield (user.town_id, new_id(), person_id, user.id, place_id, at, at, Channel.HOME_VISIT, outcome, [])
