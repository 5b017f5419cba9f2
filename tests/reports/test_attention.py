"""What is wrong is told with what to do, and to each what they answer for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.rules import Role
from crm.participation.rules import Movement
from crm.participation.tally.recounting import PARTICIPANTS
from crm.reports.attention.rules import behind, per_week, should_be
from crm.reports.rules import Row
from crm.sums import check
from tests.factories import Make

DAY = date(2019, 10, 15)


def test_an_even_pace_says_where_the_year_should_be() -> None:
    assert should_be(1191, 1385, date(2019, 12, 31)) == 1385
    assert should_be(100, 200, date(2019, 7, 2)) == 150
    assert per_week(1283, 1385, DAY) == 10
    assert per_week(1400, 1385, DAY) == 0


def test_only_units_behind_their_pace_are_named_the_furthest_first() -> None:
    rows = [
        Row(None, name, name.encode(), Movement(100, 0, 0, 0, 0, now), target)
        for name, now, target in (("A", 120, 200), ("B", 190, 200), ("C", 90, 200), ("D", 5, None))
    ]
    assert [one.name for one in behind(rows, DAY)] == ["C", "A"]


def test_a_lead_reads_which_volunteers_were_not_heard_of(signed_in: Callable[..., FlaskClient], make: Make) -> None:
    union = make.organisation()
    silent = make.user(Role.VOLUNTEER, organisation_id=union.id, full_name="Trần Thị Vắng")
    for _more in range(8):
        make.user(Role.VOLUNTEER, organisation_id=union.id)
    make.prospect(organisation_id=union.id, volunteer_id=silent.id)
    page = signed_in(make.user(Role.LEAD, organisation_id=union.id)).get("/dashboard").text
    assert "Trần Thị Vắng" in page
    assert "hai tuần không có tin" in page or "nothing heard for two weeks" in page


def test_a_lead_of_many_volunteers_reads_of_the_eight_to_ask_first(
    signed_in: Callable[..., FlaskClient], make: Make
) -> None:
    union = make.organisation()
    for number in range(9):
        volunteer = make.user(Role.VOLUNTEER, organisation_id=union.id, full_name=f"Trần Thị Vắng {number}")
        make.prospect(organisation_id=union.id, volunteer_id=volunteer.id)
    answer = signed_in(make.user(Role.LEAD, organisation_id=union.id)).get("/dashboard")
    assert answer.status_code == 200
    assert answer.text.count("Trần Thị Vắng ") == 8
    assert "/team" in answer.text


def test_an_auditor_reads_the_last_recount(signed_in: Callable[..., FlaskClient], session: Session) -> None:
    check(session, PARTICIPANTS, clock.now())
    page = signed_in(Role.AUDITOR).get("/dashboard").text
    assert "Sổ sách trong ba mươi ngày qua" in page
    assert "15/10/2019" in page
