"""Whatever is written down in whatever order: on each day everybody has the ground that their household has that day."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.errors import RuleBroken
from crm.participation.queries import grounds_on
from crm.prospects.households.following import papers_of
from crm.prospects.households.rules import Living
from crm.prospects.households.services import certificates, membership
from crm.prospects.models import Household, Prospect
from crm.prospects.rules import POVERTY, Ground, Kinship
from tests.factories import Make

FIRST, LAST = date(2018, 11, 1), date(2020, 3, 1)
DAYS = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days)]
EDGES = [
    date(2018, 12, 31),
    date(2019, 1, 1),
    date(2019, 1, 2),
    date(2019, 6, 1),
    date(2019, 9, 15),
    date(2019, 12, 31),
    date(2020, 1, 1),
    date(2020, 2, 1),
]
NOW = clock.at(date(2020, 3, 1), 9)


class Ledger:
    """The same story, told day by day in the plainest way."""

    def __init__(self, people: list[Prospect], homes: list[Household]) -> None:
        self.lives: dict[object, dict[date, object]] = {one.id: dict.fromkeys(DAYS) for one in people}
        self.has: dict[object, dict[date, Ground | None]] = {home.id: dict.fromkeys(DAYS) for home in homes}

    def ground(self, person: Prospect, day: date) -> Ground | None:
        home = self.lives[person.id][day]
        return self.has[home][day] if home else None

    def set(self, kept: dict[date, object], value: object, since: date, until: date = LAST) -> None:
        for day in DAYS:
            if since <= day < until:
                kept[day] = value


def tell(session: Session, dice: random.Random, people: list[Prospect], homes: list[Household], by: User) -> Ledger:
    """A run of acts, those that are refused leaving everything as it was."""
    ledger = Ledger(people, homes)
    for person, home in zip(people, homes * len(people), strict=False):
        ledger.set(ledger.lives[person.id], home.id, FIRST)
    for _ in range(25):
        person, home, on = dice.choice(people), dice.choice(homes), dice.choice(EDGES)
        act = dice.choice([_joins, _leaves, _certified, _certified, _ended])
        try:
            with session.begin_nested():
                act(session, dice, ledger, person, home, on, by)
        except RuleBroken:
            continue
    return ledger


def _joins(
    session: Session, dice: random.Random, ledger: Ledger, person: Prospect, home: Household, on: date, by: User
) -> None:
    before = person.household_id
    membership.join(session, home, person, Kinship.OTHER, on=on, by=by, at=NOW)
    ledger.set(ledger.lives[person.id], home.id, on)
    _emptied(session, ledger, before, on, by)


def _leaves(
    session: Session, dice: random.Random, ledger: Ledger, person: Prospect, home: Household, on: date, by: User
) -> None:
    before = person.household_id
    membership.leave(session, person, on=on, by=by, at=NOW)
    ledger.set(ledger.lives[person.id], None, on)
    _emptied(session, ledger, before, on, by)


def _emptied(session: Session, ledger: Ledger, household_id: object, on: date, by: User) -> None:
    home = session.get(Household, (by.town_id, household_id)) if household_id else None
    if home is not None and home.ended_on == on:
        ledger.set(ledger.has[home.id], None, on)  # type: ignore[arg-type]


def _certified(
    session: Session, dice: random.Random, ledger: Ledger, person: Prospect, home: Household, on: date, by: User
) -> None:
    ground = dice.choice(POVERTY)
    certificates.certify(session, home, ground, f"{dice.randint(1, 99)}", on.year, since=on, by=by, at=NOW)
    end = min(date(on.year + 1, 1, 1), home.ended_on or LAST)
    ledger.set(ledger.has[home.id], ground, on, end)  # type: ignore[arg-type]


def _ended(
    session: Session, dice: random.Random, ledger: Ledger, person: Prospect, home: Household, on: date, by: User
) -> None:
    papers = papers_of(session, home)
    if papers:
        paper = dice.choice(papers)
        first, end = paper.valid_from, paper.valid_to
        certificates.end(session, paper, on=on, by=by, at=NOW)
        ledger.set(ledger.has[home.id], None, max(on, first), end)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(25))
def test_each_day_each_person_has_what_the_household_has(session: Session, make: Make, seed: int) -> None:
    dice, by = random.Random(seed), make.user()
    people = [make.prospect(f"Người {number}".replace(str(number), "Ab"[number % 2] * 2)) for number in range(4)]
    homes = [membership.found(session, [Living(one.id, Kinship.HEAD)], by=by, at=NOW, since=None) for one in people[:2]]
    for person, home in zip(people[2:], homes, strict=True):
        membership.join(session, home, person, Kinship.CHILD, on=None, by=by, at=NOW)
    minority = make.standing(people[0], Ground.ETHNIC_MINORITY, since=date(2019, 3, 1), until=None)
    ledger = tell(session, dice, people, homes, by)
    for day in {near for edge in EDGES for near in (edge - timedelta(days=1), edge, edge + timedelta(days=1))}:
        for person in people:
            expected = {ledger.ground(person, day)} - {None}
            if person.id == minority.prospect_id and day >= minority.valid_from:
                expected.add(Ground.ETHNIC_MINORITY)
            found = grounds_on(session, person, day)
            assert sorted(found) == sorted(expected), (seed, person.full_name, day)
