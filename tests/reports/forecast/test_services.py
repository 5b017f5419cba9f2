"""Forecasts are made of what is known, kept as they were made, and read by whom they concern."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.rules import Role
from crm.db import transaction
from crm.prospects.models import StageChange
from crm.prospects.rules import Stage
from crm.reports.forecast import services
from crm.reports.forecast.models import Forecast
from crm.reports.forecast.outlook import Outlook
from crm.reports.forecast.rules import Lacking
from tasks.forecast import make_missing, make_now
from tests.factories import Make
from tests.participation.stories import spell

TODAY = date(2019, 10, 15)


@pytest.fixture
def lively(make: Make) -> None:
    """Forty people who agreed and joined, ten a month from June on, among twenty who are still on the way."""
    for month in (6, 7, 8, 9):
        for number in range(10):
            person = make.prospect(created_at=clock.at(date(2019, 5, 3)))
            on = date(2019, month, 5 + number)
            for stage, day in ((Stage.AGREED, on - timedelta(days=3)), (Stage.JOINED, on)):
                make.add(StageChange(town_id=person.town_id, prospect_id=person.id, to_stage=stage, at=clock.at(day)))
            spell(make, person, on)
    for _one in range(20):
        make.prospect(created_at=clock.at(date(2019, 5, 3)))


def _said(session: Session) -> Iterator[Outlook]:
    return map(Outlook.from_json, session.scalars(select(Forecast.said).order_by(Forecast.as_of.desc())))


def _make(session: Session, make: Make, as_of: date = TODAY) -> Outlook:
    services.make(session, make.prospect().town_id, as_of, today=TODAY, at=clock.now())
    return next(_said(session))


def test_too_little_is_said_to_be_too_little(session: Session, make: Make) -> None:
    assert _make(session, make).lacking is Lacking.MONTHS


@pytest.mark.usefixtures("lively")
def test_what_is_kept_reads_back_the_same(session: Session, make: Make) -> None:
    said = _make(session, make)
    assert said.lacking is None
    assert Outlook.from_json(said.as_json()) == said
    assert (said.stock, said.target, said.joiners) == (40, 1385, 40)
    assert said.at_year_end
    assert said.at_year_end.low <= said.at_year_end.middle <= said.at_year_end.high
    assert said.needed > 100


@pytest.mark.usefixtures("lively")
def test_the_same_figures_are_kept_once_and_never_changed(session: Session, make: Make) -> None:
    town_id = make.prospect().town_id
    for _again in range(2):
        services.make(session, town_id, TODAY, today=TODAY, at=clock.now())
    assert session.scalar(select(func.count()).select_from(Forecast)) == 1
    with pytest.raises(DBAPIError), session.begin_nested():
        session.execute(text("update forecast set as_of = as_of - 1"))


@pytest.mark.usefixtures("lively")
def test_the_page_tells_the_manager_and_the_command_the_same(
    session: Session, make: Make, signed_in: Callable[..., FlaskClient]
) -> None:
    manager = signed_in(Role.MANAGER)
    assert "Chưa lập dự báo nào" in manager.get("/forecast").text
    _make(session, make, date(2019, 8, 31))
    _make(session, make)
    page = manager.get("/forecast").text
    assert "1.385" in page
    assert "30/9/2019" in page
    assert "31/12/2019" in manager.get("/dashboard").text


@pytest.mark.usefixtures("lively")
def test_a_lead_sees_the_own_unit_alone(session: Session, make: Make, signed_in: Callable[..., FlaskClient]) -> None:
    _make(session, make)
    ward = make.ward()
    page = signed_in(make.user(Role.LEAD, place_id=ward.id)).get("/forecast").text
    assert ward.name in page
    assert "1.385" not in page


@pytest.mark.usefixtures("lively")
def test_other_programs_read_it(
    session: Session, make: Make, client: FlaskClient, api: Callable[..., dict[str, str]]
) -> None:
    manager = make.user(Role.MANAGER)
    assert client.get("/api/v1/reports/forecast", headers=api(manager)).status_code == 404
    _make(session, make)
    answer = client.get("/api/v1/reports/forecast", headers=api(manager)).get_json()
    assert answer["target"] == 1385
    assert len(answer["coming"]) == 24


@pytest.mark.committed
def test_the_night_makes_what_is_missing_and_is_safe_to_run_again(session: Session, make: Make) -> None:
    with transaction():
        town_id = make.prospect(created_at=clock.at(date(2019, 5, 3))).town_id
    for _again in range(2):
        make_missing.run()
        make_now.run(str(town_id))
        days = session.scalars(select(Forecast.as_of).order_by(Forecast.as_of)).all()
        assert [str(day) for day in days] == ["2019-07-31", "2019-08-31", "2019-09-30", "2019-10-14", "2019-10-15"]
        session.rollback()
