"""Whoever wishes it hears each morning how many people are due: once, on their days, without a name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.rules import Role
from crm.campaigns.models import Message
from crm.campaigns.queries import may_leave
from crm.errors import RuleBroken
from crm.followups.mornings import services
from crm.followups.mornings.models import MorningWish
from crm.followups.mornings.rules import MorningBy, MorningOn, Tally, as_sms
from crm.mail.models import Email
from tasks import mornings as tasks

TODAY = date(2019, 10, 15)
LINK = "http://localhost/today"


@pytest.fixture
def volunteer(make: Any) -> User:
    """Somebody with a promised visit today and one that is overdue."""
    who = make.user(Role.VOLUNTEER)
    for name, day in (("Nguyễn Thị Hoa", TODAY), ("Lê Văn Nam", TODAY - timedelta(days=3))):
        make.prospect(name, volunteer_id=who.id, next_contact_on=day, stage="interested")
    return who  # type: ignore[no-any-return]


def tell(session: Session, at: datetime) -> list[str]:
    """The bodies of what is queued at a moment, in all."""
    services.tell_some(session, link=LINK, today=clock.local_day(at), at=at)
    return [*session.scalars(select(Message.body)), *(str(body) for body in session.scalars(select(Email.body)))]


def test_the_sms_holds_figures_and_a_link_in_one_segment(app: Flask) -> None:
    with app.test_request_context():
        text = as_sms(Tally(12, 3, 2, 4), "https://an-sinh.bimson.thanhhoa.gov.vn/today")
    assert text.isascii()
    assert len(text) <= 160


@pytest.mark.parametrize("by", [MorningBy.SMS, MorningBy.EMAIL])
def test_it_is_written_once_a_day_in_the_morning(session: Session, volunteer: User, by: MorningBy) -> None:
    volunteer.email, volunteer.phone = "lan@bimson.example", "+84912000111"
    services.choose(session, volunteer, by, MorningOn.WORKING_DAYS, at=clock.at(TODAY, 6))
    assert tell(session, clock.at(TODAY, 6, 59)) == []
    [body] = tell(session, clock.at(TODAY, 7))
    assert tell(session, clock.at(TODAY, 8)) == [body], "once"
    assert "2" in body
    assert LINK in body
    assert "Hoa" not in body
    if by is MorningBy.SMS:
        assert len(session.execute(may_leave(clock.at(TODAY, 7, 1))).all()) == 1, "the choice is a consent"


def test_a_late_start_lets_the_day_pass_and_sundays_are_free(session: Session, volunteer: User) -> None:
    volunteer.email = "lan@bimson.example"
    services.choose(session, volunteer, MorningBy.EMAIL, MorningOn.WORKING_DAYS, at=clock.at(TODAY, 6))
    assert tell(session, clock.at(TODAY, 10)) == []
    assert tell(session, clock.at(date(2019, 10, 20), 7)) == []
    assert len(tell(session, clock.at(date(2019, 10, 21), 9, 59))) == 1


def test_nobody_due_is_no_news(session: Session, make: Any) -> None:
    who = make.user(Role.VOLUNTEER)
    who.email = "lan@bimson.example"
    services.choose(session, who, MorningBy.EMAIL, MorningOn.EVERY_DAY, at=clock.at(TODAY, 6))
    assert tell(session, clock.at(TODAY, 7)) == []


def test_a_way_that_one_does_not_have_is_refused(session: Session, make: Any) -> None:
    who = make.user(Role.VOLUNTEER)
    who.email, who.phone = None, "+84912000112"
    with pytest.raises(RuleBroken):
        services.choose(session, who, MorningBy.EMAIL, MorningOn.EVERY_DAY, at=clock.now())
    who.email, who.phone = "lan@bimson.example", None
    with pytest.raises(RuleBroken):
        services.choose(session, who, MorningBy.SMS, MorningOn.EVERY_DAY, at=clock.now())


def test_it_is_chosen_on_ones_own_account(
    signed_in: Callable[..., FlaskClient], session: Session, volunteer: User
) -> None:
    volunteer.email = "lan@bimson.example"
    browser = signed_in(volunteer)
    assert "/account/morning" in browser.get("/account").text
    assert browser.get("/account/morning").status_code == 200
    assert browser.post("/account/morning", data={"by": "email", "days": "every_day"}).status_code == 303
    wish = session.scalars(select(MorningWish)).one()
    assert (wish.by, wish.days) == (MorningBy.EMAIL, MorningOn.EVERY_DAY)
    assert browser.post("/account/morning", data={"by": "drum", "days": "every_day"}).status_code == 422
    assert browser.post("/account/morning", data={"by": "nothing", "days": "every_day"}).status_code == 303


def test_the_task_may_run_twice(
    app: Flask,
    session: Session,
    volunteer: User,
    monkeypatch: pytest.MonkeyPatch,
    at_time: Callable[[datetime], None],
) -> None:
    monkeypatch.setattr(tasks, "ring", lambda task: None)
    volunteer.email = "lan@bimson.example"
    at_time(clock.at(TODAY, 7, 5))
    services.choose(session, volunteer, MorningBy.EMAIL, MorningOn.EVERY_DAY, at=clock.now())
    session.commit()
    tasks.tell.run()
    tasks.tell.run()
    assert len(session.scalars(select(Email)).all()) == 1
