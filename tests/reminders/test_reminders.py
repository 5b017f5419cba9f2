"""Reminders are computed from the rows each time: once for an event, and never for what is done."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, true
from sqlalchemy.orm import Session

from crm import clock
from crm.campaigns.models import Message
from crm.campaigns.rules.delivery import Delivery
from crm.campaigns.rules.reasons import Reason
from crm.campaigns.rules.texts import size
from crm.months import Month
from crm.participation.models import Participation
from crm.participation.rules import Beginning
from crm.prospects.models import Prospect
from crm.prospects.rules import Ground
from crm.reminders import queries, services
from crm.reminders.rules import ALL, FOLLOW_UP, PAYMENT_LAST_DAYS, PAYMENT_SOON, SPONSOR_ENDS, WhyNot
from crm.sponsors.services import release
from tasks import reminders as tasks
from tests.campaigns.conftest import Texting
from tests.sponsors.stories import A_MONTH, allocate, receive, sponsor

TODAY = date(2019, 10, 15)
NINE = clock.at(TODAY, 9)


@pytest.fixture
def texting(session: Session, make: Any) -> Texting:
    return Texting(session, make)


def queue(session: Session, texting: Texting, today: date = TODAY, hour: int = 9) -> int:
    return services.queue_due(session, texting.make.town.id, today=today, at=clock.at(today, hour))


def queued(session: Session) -> list[Message]:
    return list(session.scalars(select(Message).order_by(Message.made_at, Message.id)))


def takes_part(
    texting: Texting, person: Prospect, deadline: date, started_on: date = date(2019, 5, 1)
) -> Participation:
    row = Participation(
        town_id=person.town_id,
        prospect_id=person.id,
        started_on=started_on,
        started_as=next(iter(Beginning)),
        place_id=person.place_id,
        income=700_000,
        method=6,
        deadline_on=deadline,
    )
    return texting.make.add(row)  # type: ignore[no-any-return]


@pytest.mark.parametrize("reminder", ALL.values(), ids=list(ALL))
def test_a_reminder_is_one_segment_without_accents_even_for_a_long_name(reminder: Any) -> None:
    values = {"xung_ho": "ông/bà", "ten": "Nguyễn", "ngay": "31/12", "so_tien": "10.500.000 đ", "ma": "QUY1234567"}
    body = reminder.body(values)
    assert body.isascii()
    assert (size(body).encoding, size(body).segments) == ("GSM-7", 1)


def test_the_days_on_which_a_reminder_may_leave() -> None:
    assert (PAYMENT_SOON.first_event(TODAY), PAYMENT_SOON.last_event(TODAY)) == (date(2019, 10, 19), date(2019, 10, 29))
    assert PAYMENT_LAST_DAYS.last_event(TODAY) == date(2019, 10, 18)
    assert FOLLOW_UP.leaves_at(clock.at(TODAY, 6)) == clock.at(TODAY, 7, 30)
    assert FOLLOW_UP.too_late(TODAY) == clock.at(TODAY, 20)


def test_a_promised_visit_is_announced_once_on_its_day(session: Session, texting: Texting) -> None:
    texting.person("Nguyễn Thị Hoa", sex="female", birth_year=1960, next_contact_on=TODAY)
    assert [queue(session, texting) for _ in range(3)] == [1, 0, 0]
    assert queue(session, texting, TODAY + timedelta(days=1)) == 0
    [message] = queued(session)
    assert message.body.startswith("Hen gap ba Hoa ngay 15/10 ve BHXH tu nguyen.")
    assert (message.reminder, message.local_day, message.state) == ("follow_up", TODAY, Delivery.QUEUED)
    assert (message.not_before, message.expires_at) == (NINE, clock.at(TODAY, 20))


def test_a_new_promise_is_announced_again(session: Session, texting: Texting) -> None:
    person = texting.person(next_contact_on=TODAY)
    assert queue(session, texting) == 1
    person.next_contact_on = TODAY + timedelta(days=7)
    session.flush()
    assert queue(session, texting, TODAY + timedelta(days=7)) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"next_contact_on": TODAY + timedelta(days=1)},
        {"next_contact_on": TODAY - timedelta(days=3)},
        {"next_contact_on": None},
        {"next_contact_on": TODAY, "stage": "refused"},
        {"next_contact_on": TODAY, "stage": "joined"},
        {"next_contact_on": TODAY, "agrees": False},
        {"next_contact_on": TODAY, "phone": None},
    ],
)
def test_who_is_not_reminded(session: Session, texting: Texting, fields: dict[str, Any]) -> None:
    texting.person(**fields)
    assert queue(session, texting) == 0


def test_a_household_with_one_phone_gets_one_reminder_a_day(session: Session, texting: Texting) -> None:
    first = texting.person(next_contact_on=TODAY)
    texting.person("Lê Thị Hai", phone=first.phone, agrees=False, next_contact_on=TODAY)
    assert queue(session, texting) == 1


def test_a_day_on_which_the_program_stood_still_is_made_up_for_once(session: Session, texting: Texting) -> None:
    texting.person(next_contact_on=TODAY - timedelta(days=1))
    assert queue(session, texting) == 1
    assert "15/10" in queued(session)[0].body
    assert queue(session, texting, TODAY + timedelta(days=1)) == 0


def test_in_the_evening_nothing_is_queued_for_a_day_that_is_over(session: Session, texting: Texting) -> None:
    texting.person(next_contact_on=TODAY)
    assert queue(session, texting, hour=21) == 0


def test_a_reminder_is_called_off_when_the_visit_happened(session: Session, texting: Texting) -> None:
    person = texting.person(next_contact_on=TODAY)
    queue(session, texting)
    assert services.clear_done(session, person.town_id, at=NINE) == 0
    person.next_contact_on = TODAY + timedelta(days=14)
    session.flush()
    assert services.clear_done(session, person.town_id, at=NINE) == 1
    [message] = queued(session)
    assert (message.state, message.reason) == (Delivery.CANCELLED, Reason.DONE_MEANWHILE)


def test_a_payment_is_announced_two_weeks_and_three_days_before_its_last_day(
    session: Session, texting: Texting
) -> None:
    person = texting.person("Nguyễn Thị Hoa", stage="joined")
    takes_part(texting, person, TODAY + timedelta(days=20))
    told = {day: queue(session, texting, TODAY + timedelta(days=day)) for day in range(22)}
    assert [day for day, messages in told.items() if messages] == [6, 17]
    assert [message.reminder for message in queued(session)] == ["payment_soon", "payment_last_days"]
    assert "4/11" in queued(session)[0].body


def test_a_payment_reminder_is_called_off_when_it_was_paid(session: Session, texting: Texting) -> None:
    spell = takes_part(texting, texting.person(stage="joined"), TODAY + timedelta(days=10))
    assert queue(session, texting) == 1
    spell.deadline_on = TODAY + timedelta(days=190)
    session.flush()
    assert services.clear_done(session, spell.town_id, at=NINE) == 1


def test_whom_a_sponsors_money_waits_for_is_not_asked_to_pay(session: Session, texting: Texting) -> None:
    person = texting.person("Nguyễn Thị Hoa", stage="joined")
    texting.make.standing(person, Ground.POOR)
    spell = takes_part(texting, person, TODAY + timedelta(days=10))
    spell.paid_through = date(2019, 9, 1)
    assert queue(session, texting) == 1
    by = sponsor(texting.make)
    receive(by, 10 * A_MONTH)
    made = allocate(by, person, months=6)
    assert services.clear_done(session, person.town_id, at=NINE) == 1
    assert queue(session, texting, TODAY + timedelta(days=8)) == 0
    release(session, made, by_id=None, on=TODAY, at=NINE)
    assert queue(session, texting, TODAY + timedelta(days=8)) == 1


def test_the_task_may_run_twice(
    app: Flask, session: Session, texting: Texting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "ring", lambda task: None)
    texting.person(next_contact_on=TODAY)
    session.commit()
    tasks.queue_due.run()
    tasks.queue_due.run()
    assert len(queued(session)) == 1


def test_the_end_of_a_sponsors_help_is_announced_once_three_months_ahead_and_called_off_when_it_goes_on(
    session: Session, texting: Texting
) -> None:
    person = texting.person("Nguyễn Thị Hoa", stage="agreed")
    texting.make.standing(person, Ground.POOR, until=None)
    by = sponsor(texting.make)
    receive(by, 20 * A_MONTH)
    allocate(by, person, months=6)
    months = [Month(2019, 10) + ahead for ahead in range(6)]
    told = {str(month): queue(session, texting, month.first_day) for month in months}
    assert [month for month, messages in told.items() if messages] == ["2020-01"]
    [message] = queued(session)
    assert message.reminder == SPONSOR_ENDS.code
    assert "31/3" in message.body
    january = clock.at(date(2020, 1, 1), 9)
    assert services.clear_done(session, person.town_id, at=january) == 0
    allocate(by, person, months=3, start=Month(2020, 4))
    assert services.clear_done(session, person.town_id, at=january) == 1


def test_who_was_just_given_a_month_is_not_told_that_help_ends_until_half_of_it_has_run(
    session: Session, texting: Texting
) -> None:
    person = texting.person("Nguyễn Thị Hoa", stage="agreed")
    texting.make.standing(person, Ground.POOR, until=None)
    by, given = sponsor(texting.make), date(2019, 10, 2)
    receive(by, 20 * A_MONTH)
    allocate(by, person, months=1, on=given, at=clock.at(given, 8))
    told = {day: queue(session, texting, given + timedelta(days=day)) for day in range(20)}
    assert [day for day, messages in told.items() if messages] == [14], "half of the 29 days to the end of October"
    [message] = queued(session)
    assert message.reminder == SPONSOR_ENDS.code


def test_what_waits_for_the_coming_week_names_the_day_on_which_half_of_short_help_has_run(
    session: Session, texting: Texting
) -> None:
    person = texting.person("Nguyễn Thị Hoa", stage="agreed")
    texting.make.standing(person, Ground.POOR, until=None)
    by, given = sponsor(texting.make), date(2019, 10, 2)
    receive(by, 20 * A_MONTH)
    allocate(by, person, months=1, on=given, at=clock.at(given, 8))

    def week(today: date) -> tuple[list[date], Any]:
        found = queries.people_page(
            session, SPONSOR_ENDS, person.town_id, today, true(), which="week", cursor=None, size=9
        )
        return [row.leaves_on for row in found.rows], queries.counts(
            session, SPONSOR_ENDS, person.town_id, today, true()
        )

    assert week(date(2019, 10, 9)) == ([], (0, 0, 0))
    assert week(date(2019, 10, 10)) == ([date(2019, 10, 16)], (0, 1, 0))
    assert week(date(2019, 10, 16)) == ([date(2019, 10, 16)], (1, 1, 0))


def test_whom_a_sponsor_gives_a_month_within_a_longer_period_is_not_asked_to_pay(
    session: Session, texting: Texting
) -> None:
    person = texting.person("Nguyễn Thị Hoa", stage="joined")
    texting.make.standing(person, Ground.POOR)
    spell = takes_part(texting, person, date(2019, 10, 31))
    spell.paid_through, spell.method = date(2019, 8, 1), 3
    session.flush()
    by, later = sponsor(texting.make), date(2019, 10, 20)
    receive(by, 10 * A_MONTH)
    made = allocate(by, person, months=1, start=Month(2019, 10), at=NINE)
    assert queue(session, texting, later) == 0
    assert queries.why_counts(session, PAYMENT_SOON, person.town_id, later, true()) == {WhyNot.CARRIED: 1}
    release(session, made, by_id=None, on=TODAY, at=NINE)
    assert queue(session, texting, later) == 1
    assert queued(session)[0].reminder == PAYMENT_SOON.code
