"""As many people as asked, with three visits each, by COPY, a part at a time so that memory stays small."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

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
PEOPLE = [
    "town_id",
    "id",
    "full_name",
    "name_fold",
    "name_key",
    "sex",
    "birth_year",
    "phone",
    "place_id",
    "stage",
    "last_contact_at",
    "created_at",
    "updated_at",
    "version",
]
VISITS = [
    "town_id",
    "id",
    "prospect_id",
    "user_id",
    "place_id",
    "occurred_at",
    "recorded_at",
    "channel",
    "outcome",
    "reasons",
]


PART = 50_000
SAMPLE = 5_000


def fill(session: Session, user: User, count: int, *, after: int = 0) -> list[UUID]:
    """Add people number `after` to `after + count` with their visits; answers the ids of some of them."""
    places = session.scalars(units(user.town_id, clock.today())).all()
    some: list[UUID] = []
    for start in range(after, after + count, PART):
        chance = random.Random(start)
        size = min(PART, after + count - start)
        homes = {new_id(): chance.choice(places) for _ in range(size)}
        copy_rows(session, Prospect, PEOPLE, _people(chance, user, homes, start))
        copy_rows(session, Visit, VISITS, _visits(chance, user, homes))
        some += chance.sample(list(homes), min(size, SAMPLE * size // count))
    return some


def _people(chance: random.Random, user: User, homes: dict[UUID, Place], start: int) -> Iterator[tuple[Any, ...]]:
    now = clock.now()
    for number, (person_id, place) in enumerate(homes.items(), start):
        sex, year = chance.choice((Sex.FEMALE, Sex.MALE)), chance.randint(1950, 2002)
        name = full_name(chance, sex, year)
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


def _visits(chance: random.Random, user: User, homes: dict[UUID, Place]) -> Iterator[tuple[Any, ...]]:
    now = clock.now()
    outcomes = tuple(Outcome)
    for person_id, place in homes.items():
        for days in (200, 90, 20):
            at = now - timedelta(days=days + chance.randint(0, 40))
            outcome = chance.choice(outcomes)
            yield (user.town_id, new_id(), person_id, user.id, place.id, at, at, Channel.HOME_VISIT, outcome, [])
