"""The sums of people by stage are what a recount says, and what the list of the people says, whatever happens to them."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.rules import Role
from crm.participation.rules import Span
from crm.prospects.models import Prospect, StageChange
from crm.prospects.rules import Stage
from crm.prospects.services.neighbourhoods import find_or_add_neighbourhood
from crm.prospects.tally.recounting import PEOPLE
from crm.reports.forecast.reading import everyone
from crm.reports.pipeline.counting import Asked, count, counts, divided, people
from crm.reports.pipeline.queries import Among
from crm.reports.pipeline.rules import Division, What, together
from crm.sums import check, differences
from tests.factories import Make

TODAY = date(2019, 10, 15)


@pytest.mark.parametrize("seed", range(3))
def test_any_history_leaves_the_sums_the_recount_and_the_lists_equal_on_any_day(
    session: Session, make: Make, seed: int
) -> None:
    dice, stages = random.Random(seed), list(Stage)
    wards = [make.ward(), make.ward("14818@2019-10-15")]
    volunteers = [None, make.user(Role.VOLUNTEER).id]
    here: list[Prospect] = []
    day = TODAY - timedelta(days=60)
    while day < TODAY:
        day += timedelta(days=dice.randrange(1, 4))
        if len(here) < 4 or dice.random() < 0.3:
            born = make.prospect(f"Người {len(here)}", place=dice.choice(wards), volunteer_id=dice.choice(volunteers))
            born.created_at = clock.at(day, 8)
            here.append(born)
        one, luck = dice.choice(here), dice.random()
        if luck < 0.5 and one.created_at <= clock.at(day, 9):
            _goes_on(make, one, dice.choice(stages), day)
        elif luck < 0.65:
            one.place_id, one.neighbourhood_id = dice.choice(wards).id, None
        elif luck < 0.75:
            ward = next(ward for ward in wards if ward.id == one.place_id)
            one.neighbourhood_id = find_or_add_neighbourhood(session, ward, f"Khu phố {dice.randrange(3)}").id
        elif luck < 0.85:
            one.volunteer_id = dice.choice(volunteers)
        elif luck < 0.95 and here[0] is not one:
            one.merged_into_id = None if one.merged_into_id else here[0].id
        session.flush()
        if dice.random() < 0.1:
            check(session, PEOPLE, clock.now())
    assert differences(session, PEOPLE) == []
    among = Among(everyone(make.town.id))
    for as_of in (TODAY, TODAY - timedelta(days=9), TODAY - timedelta(days=33), TODAY - timedelta(days=70)):
        span = Span(as_of - timedelta(days=10), as_of)
        whole = counts(session, among, span)
        for stage in stages:
            listed = count(session, people(among, span, Asked(What.STAGE, stage)))
            assert whole.stages[stage] == listed, (as_of, stage)
        for by in (Division.PLACE, Division.ORGANISATION, Division.VOLUNTEER, Division.STANDING):
            assert together(divided(session, among, span, by)) == whole, (as_of, by)


def _goes_on(make: Make, one: Prospect, stage: Stage, day: date) -> None:
    make.add(
        StageChange(town_id=one.town_id, prospect_id=one.id, from_stage=one.stage, to_stage=stage, at=clock.at(day, 10))
    )
    one.stage = stage


def test_many_at_once_add_one_row_and_what_does_not_move_anybody_adds_none(session: Session, make: Make) -> None:
    rows = text("select count(*) from people_tally")
    make.prospect("Người 0")
    session.execute(text("create temporary table copied on commit drop as select * from prospect"))
    session.execute(text("update copied set id = gen_random_uuid()"))
    before = session.scalar(rows)
    session.execute(text("insert into prospect select c.* from copied c"))
    session.execute(text("update prospect set occupation = 'Bán hàng', version = version + 1"))
    assert (session.scalar(rows) or 0) - (before or 0) == 1
    assert differences(session, PEOPLE) == []
    session.execute(text("update people_tally set people = 7 where stage = 'new'"))
    (told,) = differences(session, PEOPLE)
    assert "people by stage" in told
    check(session, PEOPLE, clock.now())
    assert differences(session, PEOPLE) == []
