"""The week before, on a page and once by e-mail to who wishes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.rules import Role
from crm.db import transaction
from crm.mail.models import Email
from tasks.reports import weekly_summary
from tests.factories import Make
from tests.participation.stories import spell


def test_the_page_tells_the_week_and_the_wish_can_be_taken_back(
    signed_in: Callable[..., FlaskClient], session: Session, make: Make
) -> None:
    spell(make, make.prospect(), date(2019, 10, 9))
    manager = make.user(Role.MANAGER)
    browser = signed_in(manager)
    page = browser.get("/dashboard/week").text
    assert "7/10/2019" in page
    assert "13/10/2019" in page
    assert "1.385" in page
    for wished in (True, False):
        assert browser.post("/dashboard/week/wish").status_code == 302
        session.refresh(manager)
        assert manager.weekly_summary is wished
    ward = make.ward()
    assert ward.name in signed_in(make.user(Role.LEAD, place_id=ward.id)).get("/dashboard/week").text.split("</h1>")[0]


def test_nobody_is_told_of_nought_people_who_did_not_pay(signed_in: Callable[..., FlaskClient], make: Make) -> None:
    spell(make, make.prospect(), date(2019, 10, 9))
    page = signed_in(make.user(Role.MANAGER)).get("/dashboard/week").text
    assert "1 người tham gia mới, 0 người đóng lại, 0 người dừng." in page
    assert "do không đóng" not in page


@pytest.mark.committed
def test_on_monday_everyone_who_wishes_gets_it_once(
    session: Session, make: Make, at_time: Callable[[datetime], None]
) -> None:
    with transaction():
        make.user(Role.MANAGER, weekly_summary=True)
        make.user(Role.VOLUNTEER, weekly_summary=True)
        make.user(Role.AUDITOR)
    at_time(clock.at(date(2019, 10, 21), 7))
    for _again in range(2):
        weekly_summary.run()
        assert session.scalar(select(func.count()).select_from(Email)) == 1
        session.rollback()
    letter = session.scalars(select(Email)).one()
    assert "20/10/2019" in letter.subject
    assert letter.body is None or "/dashboard/week" in letter.body
