"""The way to taking part: counted by hand, and only among those one sees."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.months import Month
from crm.outreach.models import Visit
from crm.outreach.rules import Channel, Outcome
from crm.participation.models import Participation
from crm.participation.rules import Beginning, Span
from crm.prospects.models import Prospect, StageChange
from crm.prospects.rules import Ground, Stage
from crm.reports.forecast.reading import everyone
from crm.reports.pipeline.counting import Asked, count, counts, divided, people
from crm.reports.pipeline.queries import Among, Cohort, cohorts, stays, steps
from crm.reports.pipeline.rules import APART, Division, What, a_year_before, before, together
from crm.reports.queries import stages
from crm.reports.rules import ON_THE_WAY
from tests.factories import Make
from tests.participation.stories import join, spell

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


def test_who_joined_in_a_month_is_followed_by_the_months_paid(session: Session, make: Make) -> None:
    join(make.prospect(), date(2019, 8, 5))
    join(make.prospect(), date(2019, 8, 9), months=1)
    among = Among(everyone(make.prospect().town_id))
    paid = [2, 1, 1, *[None] * 9]
    assert cohorts(session, among, YEAR.as_of) == [Cohort(Month(2019, 8), 2, paid)]


@pytest.fixture
def town(make: Make) -> Prospect:
    """Some of everything, in two wards."""
    here, there = make.ward(), make.ward("14818@2019-10-15")
    volunteer = make.user(Role.VOLUNTEER)
    _walks(make, (Stage.CONSIDERING, date(2019, 5, 1)), (Stage.AGREED, date(2019, 9, 1)))
    make.prospect(place=there, stage=Stage.INTERESTED, volunteer_id=volunteer.id)
    for place in (here, there):
        join(make.prospect(place=place), date(2019, 8, 5))
        refuser = make.prospect(place=place, stage=Stage.REFUSED)
        make.standing(refuser, Ground.POOR)
        for hour in (8, 9):
            make.add(
                Visit(
                    town_id=place.town_id,
                    prospect_id=refuser.id,
                    user_id=volunteer.id,
                    place_id=place.id,
                    occurred_at=clock.at(date(2019, 9, 3), hour),
                    recorded_at=clock.at(date(2019, 9, 3), hour),
                    channel=Channel.MEETING,
                    outcome=Outcome.REFUSED,
                    reasons=["no_money", "ask_family"][: hour - 7],
                )
            )
    return refuser


FIGURE = re.compile(r'href="(/pipeline/people\?[^"]+)"[^>]*>\s*([\d.]+)\s*</a>')
HEADING = re.compile(r"<h1[^>]*>.*?([\d.]+)\s+người", re.DOTALL)


@pytest.mark.parametrize(
    "asked",
    [
        "",
        *(f"by={one}" for one in Division),
        "since=2019-08-01&as_of=2019-08-31&beside=before",
        "channel=meeting&by=month&beside=year",
        "standing=poor&volunteer=none",
        "place={ward}&beside=place.{other}",
        "as_of=2019-08-20&by=standing",
    ],
)
def test_every_figure_opens_as_many_people_as_it_says(
    town: Prospect, make: Make, signed_in: Callable[..., FlaskClient], asked: str
) -> None:
    browser = signed_in(make.user(Role.MANAGER))
    asked = asked.format(ward=make.ward().id, other=make.ward("14818@2019-10-15").id)
    shown = browser.get(f"/pipeline?{asked}").text
    figures = list(dict.fromkeys((unescape(address), number) for address, number in FIGURE.findall(shown)))
    assert figures or "volunteer" in asked
    for address, number in figures[:: max(1, len(figures) // 12)]:
        page = browser.get(address).text
        told = HEADING.search(page)
        assert told is not None, address
        assert told[1] == number, address
        assert page.count('<th scope="row"') == int(number), address


def test_divisions_add_up_to_everybody(session: Session, make: Make, town: Prospect) -> None:
    among = Among(everyone(town.town_id))
    whole = counts(session, among, YEAR)
    assert whole.happened == {What.MET: 2, What.REFUSED: 2, What.WON: 2, What.LEFT: 0}
    assert set(APART) == set(Division) - {Division.CHANNEL, Division.MONTH}
    for by in APART:
        assert together(divided(session, among, YEAR, by)) == whole, by


def test_who_has_to_pay_until_a_day_and_who_is_on_the_way(session: Session, make: Make, town: Prospect) -> None:
    make.standing(late := make.prospect(), Ground.POOR, date(2019, 1, 1))
    join(late, date(2019, 10, 1), grounds=(Ground.POOR,))
    among, end = Among(everyone(town.town_id)), date(2019, 12, 31)

    def found(what: What, ground: Ground | None = None, until: date = end) -> int:
        return count(session, people(among, YEAR, Asked(what, ground=ground, until=until)))

    deadline = session.scalars(select(Participation.deadline_on).where(Participation.prospect_id == late.id)).one()
    assert deadline is not None
    assert found(What.DUE, Ground.POOR, deadline) == 1
    assert found(What.DUE, Ground.POOR, deadline - timedelta(days=1)) == 0
    assert found(What.DUE, until=deadline) == 3
    assert found(What.ON_THE_WAY) == sum(counts(session, among, YEAR).stages[stage] for stage in ON_THE_WAY)


def test_the_same_days_before_and_a_year_before() -> None:
    august = Span(date(2019, 8, 1), date(2019, 8, 31))
    assert before(august) == Span(date(2019, 7, 1), date(2019, 7, 31))
    assert a_year_before(Span(date(2020, 2, 1), date(2020, 2, 29))) == Span(date(2019, 2, 1), date(2019, 2, 28))


def test_a_lead_narrows_the_own_people_and_widens_nothing(
    make: Make, session: Session, signed_in: Callable[..., FlaskClient]
) -> None:
    here, there = make.ward(), make.ward("14818@2019-10-15")
    make.prospect(place=there, stage=Stage.INTERESTED)
    lead = make.user(Role.LEAD, place_id=here.id)
    scope = scope_of(session, lead)
    assert not any(stages(session, Among(scope, (there.id,))).values())
    assert sum(stages(session, Among(everyone(lead.town_id), (there.id,))).values()) == 1
    browser = signed_in(lead)
    assert browser.get(f"/pipeline?place={there.id}").status_code == 200
    assert browser.get("/pipeline?place=nowhere&since=never").status_code == 200
