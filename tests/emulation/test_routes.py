"""The pages of results, and the list as a manager makes it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.rules import Role
from crm.emulation.models import Commendation
from tests.factories import Make
from tests.participation.stories import spell

Signed = Callable[..., FlaskClient]


def test_a_manager_compares_proposes_rewords_and_marks_the_list_as_gone(
    signed_in: Signed, session: Session, make: Make
) -> None:
    women = make.organisation("HPN")
    spell(make, make.prospect(organisation_id=women.id), date(2019, 3, 1))
    browser = signed_in(Role.MANAGER)
    assert women.name in browser.get("/emulation").text
    assert browser.post("/emulation/list", data={"who": f"organisation:{women.id}"}).status_code == 302
    assert browser.post("/emulation/list", data={"who": f"organisation:{women.id}"}).status_code == 422
    assert browser.post("/emulation/list", data={"who": "organisation:none"}).status_code == 404
    row = session.scalars(select(Commendation)).one()
    assert browser.get(f"/emulation/list/{row.id}").status_code == 200
    told = {"name": "Hội Phụ nữ", "result": "Vượt chỉ tiêu", "form": "title", "years_in_row": "2"}
    assert browser.post(f"/emulation/list/{row.id}", data=told | {"name": ""}).status_code == 422
    assert browser.post(f"/emulation/list/{row.id}", data=told).status_code == 302
    assert "Vượt chỉ tiêu" in browser.get("/emulation/list").text
    assert browser.post("/emulation/list/send").status_code == 302
    assert browser.post(f"/emulation/list/{row.id}/remove").status_code == 422


def test_the_rule_of_credit_is_declared_on_the_page(signed_in: Signed) -> None:
    browser = signed_in(Role.MANAGER)
    asked = {"credit": "met", "days": "60", "since": "2019-10-20"}
    assert browser.post("/emulation/credit", data=asked | {"since": "2019-01-01"}).status_code == 422
    assert browser.post("/emulation/credit", data=asked).status_code == 302
    assert "20/10/2019" in browser.get("/emulation").text


def test_a_lead_sees_only_the_own_volunteers(signed_in: Signed, make: Make) -> None:
    women = make.organisation("HPN")
    own, other = make.user(Role.VOLUNTEER, organisation_id=women.id), make.user(Role.VOLUNTEER)
    for user in (own, other):
        make.prospect(f"Của {user.full_name}", volunteer_id=user.id, organisation_id=user.organisation_id)
    page = signed_in(make.user(Role.LEAD, organisation_id=women.id)).get("/emulation").text
    assert own.full_name in page
    assert f"{other.full_name}<" not in page


def test_after_new_year_the_list_of_the_year_before_is_made_from_its_results(
    signed_in: Signed, session: Session, make: Make, at_time: Callable[..., None]
) -> None:
    women = make.organisation("HPN")
    spell(make, make.prospect(organisation_id=women.id), date(2019, 3, 1))
    spell(make, make.prospect(organisation_id=women.id), date(2020, 1, 6))
    at_time(clock.at(date(2020, 1, 15), 9))
    browser = signed_in(Role.MANAGER)
    assert "31/12/2019" in browser.get("/emulation?year=2019").text
    assert "15/1/2020" in browser.get("/emulation?year=2011").text, "no other year than this and the last"
    told = {"who": f"organisation:{women.id}", "year": "2019"}
    assert browser.post("/emulation/list", data=told).location.endswith("/emulation/list?year=2019")
    row = session.scalars(select(Commendation)).one()
    assert (row.year, row.result.split(",")[0]) == (2019, "Đến 31/12/2019: 1 người tham gia mới hoặc đóng lại")
    assert women.name in browser.get("/emulation/list?year=2019").text
    assert women.name not in browser.get("/emulation/list").text
    assert browser.post("/emulation/list/send", data={"year": "2019"}).status_code == 302
    session.refresh(row)
    assert row.sent_at is not None
