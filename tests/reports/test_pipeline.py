"""The way to taking part: counted by hand, and only among those one sees."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.months import Month
from crm.participation.rules import Beginning, Span
from crm.prospects.models import Prospect, StageChange
from crm.prospects.rules import Stage
from crm.reports.forecast.reading import everyone
from crm.reports.pipeline.queries import Among, Cohort, cohorts, stays, steps
from crm.reports.queries import stages
from tests.factories import Make
from tests.participation.stories import spell

YEAR = Span(date(2019, 1, 1), date(2019, 10, 15))


def _walks(make: Make, *changes: tuple[Stage, date]) -> Prospect:
    person = make.prospect()
    for stage, day in changes:
        make.add(StageChange(town_id=person.town_id, prospect_id=person.id, to_stage=stage, at=clock.at(day)))
    return person


def test_days_at_a_step_are_those_of_stays_that_ended(session: Session, make: Make) -> None:
    for days in (2, 4, 6, 8, 10):
        _walks(make, (Stage.CONSIDERING, date(2019, 5, 1)), (Stage.AGREED, date(2019, 5, 1 + days)))
    among = Among(everyone(make.prospect().town_id))
    found = stays(session, among, YEAR)
    assert found == {Stage.CONSIDERING: (5, 4, 6, 8)}
    assert {number for _one, _other, number in steps(session, among, YEAR)} == {5}


def test_who_took_part_before_the_register_was_not_won(session: Session, make: Make) -> None:
    long_ago = _walks(make, (Stage.JOINED, date(2019, 5, 1)))
    spell(make, long_ago, date(2018, 1, 5), started_as=Beginning.BASELINE)
    won = _walks(make, (Stage.JOINED, date(2019, 5, 2)))
    spell(make, won, date(2019, 5, 2))
    assert steps(session, Among(everyone(won.town_id)), YEAR) == [(Stage.NEW, Stage.JOINED, 1)]


def test_who_joined_in_a_month_is_followed_as_long_as_it_is_past(session: Session, make: Make) -> None:
    spell(make, make.prospect(), date(2019, 8, 5))
    spell(make, make.prospect(), date(2019, 8, 9), date(2019, 9, 1))
    among = Among(everyone(make.prospect().town_id))
    assert cohorts(session, among, YEAR.as_of) == [Cohort(Month(2019, 8), 2, [1, None, None, None, None])]


def test_a_lead_narrows_the_own_people_and_widens_nothing(
    make: Make, session: Session, signed_in: Callable[..., FlaskClient]
) -> None:
    here, there = make.ward(), make.ward("14818@2019-10-15")
    make.prospect(place=there, stage=Stage.INTERESTED)
    lead = make.user(Role.LEAD, place_id=here.id)
    scope = scope_of(session, lead)
    assert not any(stages(session, Among(scope, (there.id,)).condition).values())
    assert sum(stages(session, Among(everyone(lead.town_id), (there.id,)).condition).values()) == 1
    browser = signed_in(lead)
    assert browser.get(f"/pipeline?place={there.id}").status_code == 200
    assert browser.get("/pipeline?place=nowhere&since=never").status_code == 200
