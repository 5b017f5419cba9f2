"""From the promise to the reminder: letters before and after an instalment's day, once each, until it is paid."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm import clock
from crm.db import db, transaction
from crm.mail.models import Email
from crm.mail.rules import MailState
from crm.sponsors import services
from crm.sponsors.giving import queries
from crm.sponsors.giving.models import InstalmentReminder
from crm.sponsors.giving.rules import Due, Frequency, Reminder
from crm.sponsors.giving.services import reminding
from crm.sponsors.giving.showing import links
from crm.sponsors.models import Pledge, Sponsor
from tasks import giving as tasks
from tests.factories import Make
from tests.sponsors.giving.test_registering import ACCOUNT, GIVES, link_in
from tests.sponsors.giving.test_schedules import FIRST, MILLION, change, end, promise, receive
from tests.sponsors.stories import sponsor

ADDRESS = "ketoan@daxanh.example.vn"


def giver(make: Make, **more: Any) -> Sponsor:
    return sponsor(make, **{"email": ADDRESS} | more)


def on(day: date, town_id: Any) -> int:
    """What the timetable does on a day."""
    with_time = clock.at(day, 8)
    return reminding.remind(db.session(), town_id, links=links(), today=day, at=with_time)


def written(session: Session) -> list[tuple[date, str]]:
    rows = session.execute(
        select(InstalmentReminder.due_on, InstalmentReminder.reminder).order_by(InstalmentReminder.id)
    )
    return [(row[0], row[1].value) for row in rows]


def test_each_instalment_has_a_letter_before_and_two_after_until_it_is_paid(session: Session, make: Make) -> None:
    services.set_fund_account(session, ACCOUNT)
    by = giver(make)
    made = promise(by)
    for day in range(120):
        on(date(2019, 10, 15) + timedelta(days=day), by.town_id)
        if day == 30:
            receive(by, made, 1_500_000)
    kinds = ["before", "after_3", "after_10"]
    assert written(session)[:3] == [(FIRST, kind) for kind in kinds]
    assert sorted(written(session)[3:]) == sorted((date(2019, 12, 1), kind) for kind in kinds) + sorted(
        (date(2020, 1, 1), kind) for kind in kinds
    )
    assert session.scalar(select(func.count()).select_from(Email)) == 9
    of_december = session.scalars(select(Email).where(Email.occasion.contains("2019-12-01:after_3"))).one()
    assert "500.000" in (of_december.body or "")
    assert made.code in (of_december.body or "")


def test_the_same_day_again_writes_nothing_more(session: Session, make: Make) -> None:
    by = giver(make)
    promise(by)
    day = FIRST - timedelta(days=7)
    assert [on(day, by.town_id) for _time in range(3)] == [1, 0, 0]


def test_a_machine_that_rested_catches_up_with_one_letter_not_three(session: Session, make: Make) -> None:
    by = giver(make)
    promise(by)
    on(FIRST + timedelta(days=12), by.town_id)
    assert written(session) == [(FIRST, "after_10")]


@pytest.mark.parametrize("done", ["paid", "ended", "moved"])
def test_what_waits_and_is_no_longer_true_is_not_sent(session: Session, make: Make, done: str) -> None:
    by = giver(make)
    made = promise(by, MILLION, 1)
    day = FIRST + timedelta(days=3)
    assert on(day, by.town_id) == 1
    if done == "paid":
        receive(by, made, MILLION)
    elif done == "ended":
        end(made)
    else:
        change(made, Due(date(2020, 6, 1), MILLION))
    assert on(day, by.town_id) == 0
    session.expire_all()
    assert session.scalars(select(Email.state)).all() == [MailState.EXPIRED]
    assert on(FIRST + timedelta(days=10), by.town_id) == 0


def test_a_sponsor_without_an_address_has_the_row_that_others_may_ask_for(session: Session, make: Make) -> None:
    by = sponsor(make, phone="0912345678")
    promise(by)
    assert on(FIRST - timedelta(days=7), by.town_id) == 1
    assert session.scalars(select(Email)).all() == []
    row = session.scalars(select(InstalmentReminder)).one()
    assert (row.reminder, row.amount) == (Reminder.BEFORE, MILLION)


@pytest.mark.committed
def test_two_timetables_at_once_write_one_letter(app: Flask) -> None:
    with transaction() as session:
        by = giver(Make(session))
        promise(by)
        town_id = by.town_id
    start = Barrier(2)

    def run(_which: int) -> int:
        with app.app_context():
            start.wait()
            with transaction():
                return on(FIRST - timedelta(days=7), town_id)

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(run, range(2))) == [0, 1]
    assert db.session().scalar(select(func.count()).select_from(Email)) == 1


def test_from_the_public_page_to_a_reminder(
    client: FlaskClient, session: Session, at_time: Callable[..., None]
) -> None:
    """Register → confirm → promise → schedule → receive → late → reminder, with the program's own tasks and clock."""
    services.set_fund_account(session, ACCOUNT)
    client.post("/sponsor", data=GIVES | {"people": "1", "months": "3", "frequency": "monthly"})
    client.post(link_in(session))
    made, by = session.scalars(select(Pledge)).one(), session.scalars(select(Sponsor)).one()
    assert (made.amount, queries.frequency_of(session, made)) == (3 * 107_800, Frequency.MONTHLY)
    at_time(clock.at(date(2019, 10, 24), 9))
    receive(by, made, 107_800)
    at_time(clock.at(date(2019, 11, 18), 8))
    tasks.remind()
    at_time(clock.at(date(2019, 11, 28), 8))
    tasks.remind()
    tasks.remind()
    assert queries.late_in_all(session, made.town_id, clock.today()) == (1, 107_800)
    assert written(session) == [(date(2019, 11, 25), "before"), (date(2019, 11, 25), "after_3")]
    letter = session.scalars(select(Email).order_by(Email.id.desc()).limit(1)).one()
    assert letter.recipient == GIVES["email"]
    [address] = re.findall(r"/sponsor/pay/[\w.-]+", letter.body or "")
    page = client.get(address)
    assert "107.800" in page.text
    assert made.code in page.text
