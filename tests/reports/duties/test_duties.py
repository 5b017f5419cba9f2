"""Taken over once for each who owes them; done with evidence; late ones on the office's home; a lead sees their own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.errors import NotFound, RuleBroken
from crm.reports.duties import queries, services
from crm.reports.duties.models import Duty, DutyStep
from crm.reports.duties.rules import LAST_ACTOR, State, Step, asked, check_link
from tests.factories import Make

TODAY = date(2019, 10, 15)


@pytest.fixture
def clerk(session: Session, make: Make) -> User:
    user = make.user(Role.MANAGER)
    services.take_over(session, user.town_id, 2019, by=user, at=clock.now())
    return user


def plan_of(session: Session, place_id: Any) -> Duty:
    return session.scalars(select(Duty).where(Duty.place_id == place_id, Duty.position == 1)).one()


def noted(session: Session, duty: Duty, by: User, step: Step = Step.DONE, **more: Any) -> DutyStep:
    told = {"document": "12/KH-UBND", "link": None, "on_day": TODAY, "office": True} | more
    return services.note(session, duty, step, told.pop("words", "Đã ban hành"), **told, by=by, at=clock.now())


def test_the_plan_has_eleven_actors_and_all_report_before_the_tenth_of_december() -> None:
    plan = list(asked(2019))
    assert {one.actor_no for one in plan} == set(range(1, LAST_ACTOR + 1))
    last = {one.actor_no: one.due_on for one in plan if one.due_on in (date(2019, 12, 9), date(2019, 12, 10))}
    assert set(last) == set(range(1, LAST_ACTOR + 1))


def test_each_ward_and_union_has_its_own_and_taking_over_again_adds_nothing(session: Session, clerk: User) -> None:
    whole = session.scalar(select(func.count()).select_from(Duty))
    wards = select(func.count(Duty.place_id.distinct())).where(Duty.actor_no == LAST_ACTOR)
    assert session.scalar(wards) == 8
    assert session.scalar(select(func.count(Duty.organisation_id.distinct())).where(Duty.actor_no == 8)) == 5
    assert services.take_over(session, clerk.town_id, 2019, by=clerk, at=clock.now()) == 0
    assert session.scalar(select(func.count()).select_from(Duty)) == whole


def test_what_is_done_has_evidence_and_a_second_tap_notes_nothing(session: Session, make: Make, clerk: User) -> None:
    duty = plan_of(session, make.ward().id)
    first = noted(session, duty, clerk)
    assert noted(session, duty, clerk).id == first.id
    assert (duty.state, duty.steps) == (State.DONE, 1)
    noted(session, duty, clerk, Step.REOPENED, words="thiếu chữ ký")
    assert duty.state is State.UNDER_WAY
    with pytest.raises(DBAPIError, match="permission denied"), session.begin_nested():
        session.execute(text("delete from duty_step"))


def test_letters_and_reopening_are_the_offices_and_a_letter_has_a_number(
    session: Session, make: Make, clerk: User
) -> None:
    duty = plan_of(session, make.ward().id)
    for refused in (
        {"step": Step.LETTER, "office": False},
        {"step": Step.LETTER, "document": None},
        {"step": Step.REOPENED},
        {"words": "  "},
        {"on_day": date(2019, 10, 16)},
        {"link": "javascript:alert(1)"},
    ):
        with pytest.raises(RuleBroken):
            noted(session, duty, clerk, **refused)  # type: ignore[arg-type]
    assert check_link("/reports/1") == "/reports/1"
    with pytest.raises(RuleBroken):
        check_link("//evil.example")


def test_a_lead_sees_and_notes_their_own_alone(
    session: Session, make: Make, clerk: User, signed_in: Callable[..., FlaskClient]
) -> None:
    mine, other = plan_of(session, make.ward().id), plan_of(session, make.ward("14818@2019-10-15").id)
    lead = make.user(Role.LEAD, place_id=make.ward().id)
    with pytest.raises(NotFound):
        queries.duty_seen(session, scope_of(session, lead), other.id)
    browser = signed_in(lead)
    assert browser.get(f"/duties/{other.id}").status_code == 404
    assert "Lập kế hoạch hoàn thành chỉ tiêu được giao" in browser.get("/duties").text
    body = {"step": "done", "words": "Đã ban hành", "on_day": "2019-10-14", "document": "12/KH-UBND"}
    assert browser.post(f"/duties/{mine.id}", data=body | {"step": "letter"}).status_code == 422
    assert browser.post(f"/duties/{mine.id}", data=body).status_code == 303
    assert "12/KH-UBND" in browser.get(f"/duties/{mine.id}").text


def test_late_duties_stand_on_the_offices_home_until_they_are_done(
    session: Session, make: Make, clerk: User, signed_in: Callable[..., FlaskClient]
) -> None:
    office, scope = signed_in(clerk), scope_of(session, clerk)
    assert queries.how_many_late(session, scope, TODAY) == 8
    assert "/duties?late=1" in office.get("/dashboard").text
    assert office.get("/duties?late=1").status_code == 200
    assert office.get("/duties?actor=8").status_code == 200
    assert office.get("/duties?year=2018").status_code == 200
    duty = plan_of(session, make.ward().id)
    assert office.post(f"/duties/{duty.id}/day", data={"due_on": ""}).status_code == 303
    assert office.post(f"/duties/{duty.id}/day", data={"due_on": "0001-01-01"}).status_code == 422
    assert queries.how_many_late(session, scope, TODAY) == 7
    assert office.post("/duties", data={"year": "2020"}).status_code == 303
    assert office.post("/duties", data={"year": "1"}).status_code == 422


def test_a_program_reads_them_page_by_page(
    clerk: User, client: FlaskClient, api: Callable[..., dict[str, str]]
) -> None:
    first = client.get("/api/v1/duties?actor=11&limit=30", headers=api(clerk)).get_json()
    rest = client.get(f"/api/v1/duties?actor=11&limit=30&cursor={first['next']}", headers=api(clerk)).get_json()
    assert (len(first["items"]), len(rest["items"]), rest["next"]) == (30, 10, None)
    assert len(client.get("/api/v1/duties?late=true", headers=api(clerk)).get_json()["items"]) == 8
