"""The stock, and how it moves: whatever happens, start + joined + came back - left = now."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from crm import clock
from crm.accounts.queries import Scope, scope_of
from crm.accounts.rules import Role
from crm.participation import queries
from crm.participation.models import Participation
from crm.participation.rules import NOBODY, Beginning, Ending, Kind, Movement, Span, holds
from crm.reports.figures.queries import figures
from tests.factories import Make
from tests.participation.stories import spell

YEAR = Span.year_to(date(2019, 10, 15))


def all_of(session: Session, make: Make) -> Scope:
    return scope_of(session, make.user(Role.MANAGER))


def total(found: Mapping[Any, Movement]) -> Movement:
    moved = NOBODY
    for one in found.values():
        moved = moved.plus(one)
    return moved


def test_the_stock_at_the_start_moves_by_who_joined_came_back_and_left(session: Session, make: Make) -> None:
    people = [make.prospect(f"Người {number}") for number in range(6)]
    eve = date(2018, 12, 31)
    spell(make, people[0], eve, started_as=Beginning.BASELINE)
    spell(make, people[1], eve, date(2019, 4, 1), started_as=Beginning.BASELINE)
    spell(make, people[1], date(2019, 6, 1), started_as=Beginning.RETURNED)
    spell(make, people[2], date(2019, 3, 1))
    spell(make, people[3], date(2019, 3, 1), date(2019, 9, 1), ended_as=Ending.COMPULSORY)
    spell(make, people[4], date(2019, 10, 15), started_as=Beginning.MOVED_IN)
    spell(make, people[5], eve, date(2019, 1, 1), started_as=Beginning.BASELINE)
    moved = total(figures(session, all_of(session, make), YEAR).by_place)
    assert moved == Movement(start=3, joined=3, returned=1, left=3, lapsed=2, now=4)


@pytest.mark.parametrize("seed", range(8))
def test_the_arithmetic_holds_for_any_history_and_every_list_has_as_many_rows(
    session: Session, make: Make, seed: int
) -> None:
    dice = random.Random(seed)
    wards = [make.ward(), make.ward("14821@2019-10-15"), make.ward("14827@2019-10-15")]
    told = []
    for number in range(20):
        person = make.prospect(f"Người {number}", place=dice.choice(wards))
        day, first = date(2018, 6, 1) + timedelta(days=dice.randrange(400)), True
        while day < date(2020, 3, 1) and dice.random() < 0.8:
            ends = day + timedelta(days=dice.randrange(1, 300)) if dice.random() < 0.7 else None
            begun = Beginning.JOINED if first else Beginning.RETURNED
            ended = dice.choice(list(Ending))
            told.append(spell(make, person, day, ends, started_as=begun, ended_as=ended))
            if ends is None:
                break
            day, first = ends + timedelta(days=dice.randrange(90)), False
    as_of = date(2019, 1, 1) + timedelta(days=dice.randrange(500))
    span, scope = Span.year_to(as_of), all_of(session, make)
    found = figures(session, scope, span).by_place
    moved = total(found)
    assert moved.now == moved.start + moved.joined + moved.returned - moved.left
    assert moved.now == sum(holds(one.started_on, one.ended_on, as_of) for one in told)
    assert moved.start == sum(holds(one.started_on, one.ended_on, span.before) for one in told)
    assert total(figures(session, scope, span).by_organisation) == moved
    lists = (Kind.BASELINE, Kind.JOINED, Kind.RETURNED, Kind.LEFT, Kind.LAPSED, Kind.STOCK)
    assert Movement._make(queries.count(session, scope, kind, span) for kind in lists) == moved
    for place_id, one in found.items():
        narrowed, _ = queries.narrowed_to(session, scope, place=str(place_id), organisation=None, as_of=as_of)
        rows = [queries.page_of(session, scope, kind, span, narrowed, cursor=None).rows for kind in lists]
        assert Movement._make(len(page) for page in rows) == one


def test_a_commune_that_was_merged_is_counted_where_it_went(session: Session, make: Make) -> None:
    ha_lan, dong_son = make.ward("14827@2019-10-15"), make.ward("14821@2019-10-15")
    spell(make, make.prospect(place=ha_lan), date(2019, 3, 1))
    before = figures(session, all_of(session, make), Span.year_to(date(2019, 11, 30))).by_place
    after = figures(session, all_of(session, make), Span.year_to(date(2019, 12, 1))).by_place
    assert before.keys() == {ha_lan.id}
    assert after.keys() == {dong_son.id}


def test_what_was_recorded_by_mistake_counts_nowhere(session: Session, make: Make) -> None:
    row = spell(make, make.prospect(), date(2019, 3, 1))
    row.withdrawn_at = row.town_id and make.prospect().created_at
    session.flush()
    assert figures(session, all_of(session, make), YEAR).by_place == {}


def test_everyone_counts_only_whom_they_may_see(session: Session, make: Make) -> None:
    union, ward = make.organisation(), make.ward("14821@2019-10-15")
    volunteer = make.user(Role.VOLUNTEER)
    seen_by = {
        volunteer: spell(make, make.prospect(volunteer_id=volunteer.id), date(2019, 2, 1)),
        make.user(Role.LEAD, organisation_id=union.id): spell(
            make, make.prospect(organisation_id=union.id), date(2019, 2, 1)
        ),
        make.user(Role.LEAD, place_id=ward.id): spell(make, make.prospect(place=ward), date(2019, 2, 1)),
    }
    for user, own in seen_by.items():
        rows = queries.page_of(session, scope_of(session, user), Kind.STOCK, YEAR, cursor=None).rows
        assert [line.spell.id for line in rows] == [own.id]
    for role, number in ((Role.MANAGER, 3), (Role.AUDITOR, 3), (Role.LEAD, 0), (Role.SPONSOR, 0)):
        assert queries.count(session, scope_of(session, make.user(role)), Kind.STOCK, YEAR) == number


def test_due_lists_are_in_the_order_of_the_last_day_and_page_on(session: Session, make: Make) -> None:
    for number in range(5):
        spell(
            make,
            make.prospect(f"Người {number}"),
            date(2019, 2, 1),
            deadline_on=date(2019, 10, 31) - timedelta(days=number),
            paid_through=date(2019, 9, 1),
        )
    spell(make, make.prospect(), date(2019, 2, 1), deadline_on=date(2019, 10, 14))
    scope = all_of(session, make)
    first = queries.page_of(session, scope, Kind.DUE, YEAR, cursor=None, size=3)
    second = queries.page_of(session, scope, Kind.DUE, YEAR, cursor=first.next, size=3)
    days = [line.spell.deadline_on.day for line in (*first.rows, *second.rows) if line.spell.deadline_on]
    assert days == [27, 28, 29, 30, 31]
    assert second.next is None
    assert queries.count(session, scope, Kind.OVERDUE, YEAR) == 1


def test_who_takes_part_now_is_the_same_of_a_row_and_in_the_database(session: Session, make: Make) -> None:
    for name, more in (
        ("goes on", {}),
        ("ended", {"ended_on": date(2019, 9, 1)}),
        ("mistaken", {"withdrawn_at": clock.now()}),
    ):
        spell(make, make.prospect(name), date(2019, 1, 1), **more)
    rows = session.scalars(select(Participation)).all()
    again = aliased(Participation)
    found = {one.id for one in rows if one.goes_on}
    assert len(found) == 1
    assert set(session.scalars(select(Participation.id).where(Participation.goes_on))) == found
    assert set(session.scalars(select(again.id).where(again.goes_on))) == found
