"""The sums are what a recount says, whatever happens to spells and people."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.queries import Scope, scope_of
from crm.accounts.rules import Role
from crm.db import transaction
from crm.participation.models import Participation
from crm.participation.queries import count
from crm.participation.rules import NOBODY, Beginning, Ending, Kind, Movement, Span
from crm.participation.tally.models import ParticipationTally
from crm.participation.tally.recounting import EVERY, PARTICIPANTS
from crm.prospects.rules import Ground
from crm.prospects.services.neighbourhoods import find_or_add_neighbourhood
from crm.reports.figures.queries import figures
from crm.sums import check, differences, last_checked
from tasks.sums import check as check_sums
from tests.factories import Make
from tests.participation.stories import join, spell

KINDS = (Kind.BASELINE, Kind.JOINED, Kind.RETURNED, Kind.LEFT, Kind.LAPSED, Kind.STOCK)


def everyone(session: Session, make: Make) -> Scope:
    return scope_of(session, make.user(Role.MANAGER))


def told(session: Session) -> list[str]:
    checked = last_checked(session, EVERY)
    assert checked
    return checked.found


def rows(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(ParticipationTally)) or 0


@pytest.mark.parametrize("seed", range(5))
def test_any_history_of_acts_leaves_the_sums_and_the_lists_equal_on_any_day(
    session: Session, make: Make, seed: int
) -> None:
    dice = random.Random(seed)
    wards = [make.ward(), make.ward("14821@2019-10-15")]
    homes = {ward.id: ward for ward in wards}
    people = [make.prospect(f"Người {one}", place=dice.choice(wards)) for one in range(8)]
    open_spells: dict[int, Participation] = {}
    day = date(2018, 11, 20)
    for _step in range(60):
        day += timedelta(days=dice.randrange(1, 12))
        who = dice.randrange(len(people))
        if who not in open_spells:
            begun = dice.choice([Beginning.JOINED, Beginning.RETURNED])
            open_spells[who] = spell(make, people[who], day, started_as=begun)
        elif dice.random() < 0.6:
            row = open_spells.pop(who)
            row.ended_on, row.ended_as = day, dice.choice(list(Ending))
        elif dice.random() < 0.3:
            open_spells.pop(who).withdrawn_at = clock.now()
        else:
            people[who].neighbourhood_id = find_or_add_neighbourhood(
                session, homes[people[who].place_id], f"Khu phố {dice.randrange(4)}"
            ).id
        session.flush()
        if dice.random() < 0.05:
            check(session, PARTICIPANTS, clock.now())
    assert differences(session, PARTICIPANTS) == []
    scope = everyone(session, make)
    for as_of in (day, day.replace(day=1), day.replace(day=1) - timedelta(days=1), date(2019, 3, 15)):
        span = Span.year_to(as_of)
        counted = figures(session, scope, span)
        assert counted.total == Movement._make(count(session, scope, kind, span) for kind in KINDS)
        assert counted.total == sum_of(counted.by_place.values()) == sum_of(counted.by_ground.values())
        assert counted.months[0][1].start == counted.total.start
        assert counted.months[-1][1].now == counted.total.now
        assert sum(moved.joined for _month, moved in counted.months) == counted.total.joined


def sum_of(found: object) -> Movement:
    moved = NOBODY
    for one in found:  # type: ignore[attr-defined]
        moved = moved.plus(one)
    return moved


def test_a_spell_keeps_the_strongest_ground_of_the_day_it_began(session: Session, make: Make) -> None:
    person = make.prospect(grounds=(Ground.ETHNIC_MINORITY, Ground.NEAR_POOR))
    joined = join(person, date(2019, 4, 2))
    session.refresh(joined)
    assert joined.ground is Ground.NEAR_POOR
    make.standing(person, Ground.POOR, since=date(2019, 2, 1))
    found = figures(session, everyone(session, make), Span.year_to(date(2019, 10, 15))).by_ground
    assert {ground: moved.now for ground, moved in found.items()} == {Ground.NEAR_POOR: 1}


def test_paying_on_adds_nothing_to_the_sums(session: Session, make: Make) -> None:
    joined = join(make.prospect(), date(2019, 4, 2))
    before = rows(session)
    joined.deadline_on = date(2019, 12, 31)
    session.flush()
    assert rows(session) == before == 1


def test_sums_that_somebody_spoiled_are_found_put_right_and_told(session: Session, make: Make) -> None:
    join(make.prospect(), date(2019, 4, 2))
    session.execute(text("update participation_tally set joined = 7"))
    (found,) = differences(session, PARTICIPANTS)
    assert "2019-04-01" in found
    check(session, PARTICIPANTS, clock.now())
    assert differences(session, PARTICIPANTS) == []
    assert told(session)
    check(session, PARTICIPANTS, clock.now())
    assert told(session) == []
    assert rows(session) == 1


@pytest.mark.committed
def test_the_night_folds_the_sums_and_may_run_twice(session: Session, make: Make) -> None:
    with transaction():
        for number in range(3):
            join(make.prospect(f"Người {number}"), date(2019, 9, 2))
    assert rows(session) == 3
    session.rollback()
    for _again in range(2):
        check_sums.run()
        assert rows(session) == 1
        assert differences(session, PARTICIPANTS) == []
        session.rollback()
