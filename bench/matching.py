"""Whom to fund: how long a proposal takes from the rows of the database to its own rows.

`python -m bench --only matching` makes one for ten thousand people in need and five hundred sponsors, three times: with
little money, with some, and with enough for everybody.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from crm import clock
from crm.db import plain_engine, transaction
from crm.demo.copying import copy_rows
from crm.demo.names import full_name
from crm.ids import new_id
from crm.names import fold, sort_key
from crm.places.queries import the_town, units
from crm.prospects.models import Prospect, Standing
from crm.prospects.rules import Ground, Sex, Stage
from crm.sponsors.matching.models import FundingLine, FundingProposal
from crm.sponsors.matching.reading import read
from crm.sponsors.matching.rules.needs import Terms
from crm.sponsors.matching.rules.planning import propose
from crm.sponsors.matching.services import ask, make
from crm.sponsors.models import Sponsor
from crm.sponsors.rules import SponsorKind, Wish
from crm.sponsors.services import receive, register_sponsor

PEOPLE, SPONSORS = 10_000, 500
GIFTS = ((50, "little"), (400, "some"), (3_000, "enough"))
"""Mean gift of a sponsor in units of ten thousand đồng, one after the other."""
GOAL = 5.0


class Took(NamedTuple):
    """Seconds, and what came of it."""

    money: str
    reading: float
    planning: float
    whole: float
    lines: int
    passed: int


def measure(app: Flask) -> str:
    """Fill a town, make the proposals and tell how long each took."""
    with app.app_context():
        upgrade()
        with transaction() as session:
            town_id, chance = the_town(session).id, Random(2019)
            _people(session, town_id, chance)
            sponsors = list(_sponsors(session, town_id, chance))
        with plain_engine(app.config["MIGRATE_DATABASE_URL"]).connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("vacuum analyze"))
        return report([_once(town_id, sponsors, chance, *gift) for gift in GIFTS])


def _once(town_id: UUID, sponsors: list[UUID], chance: Random, mean: int, money: str) -> Took:
    on, at = clock.today(), clock.now()
    with transaction() as session:
        for number, sponsor_id in enumerate(sponsors):
            amount = chance.randint(1, 2 * mean) * 10_000 + chance.randint(0, 9_999)
            given: Any = {"reference": f"{money} {number}", "pledge": None, "by_id": None, "on": on, "at": at}
            receive(session, session.get_one(Sponsor, (town_id, sponsor_id)), amount, **given)
        proposal_id = ask(session, town_id, Terms(past_certificate=True), by_id=None, on=on, at=at).id
    with transaction() as session:
        began = time.perf_counter()
        known = read(session, town_id, on, Terms(past_certificate=True))
        was_read = time.perf_counter()
        propose(known.needs, known.offers)
        planned = time.perf_counter()
    with transaction() as session:
        make(session, town_id, proposal_id)
    written = time.perf_counter()
    with transaction() as session:
        states = session.scalars(select(FundingLine.state).where(FundingLine.proposal_id == proposal_id))
        found = Counter(state.value for state in states)
        assert session.get_one(FundingProposal, (town_id, proposal_id)).people == PEOPLE
    return Took(money, was_read - began, planned - was_read, written - planned, found["proposed"], found["passed"])


def _people(session: Session, town_id: UUID, chance: Random) -> None:
    """Everybody in need, of every age, in every ward, waiting since some day of the last two years."""
    wards, today = [place.id for place in session.scalars(units(town_id, clock.today()))], clock.today()
    ids = [new_id() for _ in range(PEOPLE)]
    people = ("town_id", "id", "full_name", "name_fold", "name_key", "sex", "birth_year", "place_id", "stage")
    copy_rows(
        session,
        Prospect,
        (*people, "created_at", "updated_at", "version"),
        (_person(town_id, key, chance, wards, today) for key in ids),
    )
    ends = (date(today.year + 1, 1, 1), None)
    standing = ("town_id", "id", "prospect_id", "ground", "valid_from", "valid_to", "recorded_at")
    needs = (Ground.POOR, Ground.NEAR_POOR)
    copy_rows(
        session,
        Standing,
        standing,
        (
            (town_id, new_id(), key, chance.choice(needs), date(today.year, 1, 1), chance.choice(ends), clock.now())
            for key in ids
        ),
    )


def _person(town_id: UUID, key: UUID, chance: Random, wards: list[UUID], today: date) -> tuple[Any, ...]:
    sex, year = chance.choice((Sex.FEMALE, Sex.MALE)), today.year - chance.randint(16, 60)
    name, since = full_name(chance, sex, year), clock.at(today - timedelta(days=chance.randint(1, 700)))
    stage = chance.choice((Stage.AGREED, Stage.INTERESTED, Stage.LAPSED))
    who = (town_id, key, name, fold(name), sort_key(name), sex, year, chance.choice(wards), stage)
    return (*who, since, since, 1)


def _sponsors(session: Session, town_id: UUID, chance: Random) -> Iterator[UUID]:
    """Sponsors with wishes of every kind, broad and narrow."""
    wards = [place.id for place in session.scalars(units(town_id, clock.today()))]
    for number in range(SPONSORS):
        from_age, to_age = chance.choice((None, None, chance.randint(16, 40))), chance.choice((None, None, 45, 60))
        wish = Wish(
            places=tuple(chance.sample(wards, chance.choice((0, 0, 1, min(2, len(wards)))))),
            grounds=chance.choice(((), (), (Ground.POOR,), (Ground.NEAR_POOR,))),
            women=chance.random() < 0.3,
            age_from=from_age,
            age_to=to_age,
            people=chance.choice((None, None, chance.randint(1, 30))),
            months=chance.choice((None, 1, 3, 6, 12)),
        )
        given: Any = {"kind": SponsorKind.COMPANY, "by_id": None, "at": clock.now()}
        yield register_sponsor(session, town_id, name=f"Công ty {number}", wish=wish, **given)[0].id


def report(took: list[Took]) -> str:
    """What was measured, in Markdown."""
    lines = [
        f"{clock.today()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end.",
        "",
        "### Whom to fund",
        "",
        f"{PEOPLE:,} people in need and {SPONSORS} sponsors with wishes of every kind.",
        "",
        "| money | proposed | passed over | reading, s | planning, s | from question to written lines, s | goal | reached |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    return "\n".join(
        lines
        + [
            f"| {one.money} | {one.lines:,} | {one.passed:,} | {one.reading:.1f} | {one.planning:.1f} | {one.whole:.1f} "
            f"| ≤ {GOAL:g} | {'yes' if one.whole <= GOAL else 'no'} |"
            for one in took
        ]
    )
