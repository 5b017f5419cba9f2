"""Somebody who left within what was paid comes back: the months not needed are paid anew, and only those count."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.db import session as current
from crm.db import transaction
from crm.errors import Conflict, RuleBroken
from crm.months import Month
from crm.participation import queries, services
from crm.participation.calendar import State
from crm.participation.leaving.models import LeavingPart, LeavingRefund
from crm.participation.leaving.services import settle
from crm.participation.models import ParticipantMonth, Payment
from crm.participation.months import told
from crm.participation.recounting import differences
from crm.participation.rules import Ending
from crm.premiums.queries import law
from crm.prospects.merging.services.joining import merge
from crm.prospects.merging.services.parting import unmerge
from crm.prospects.models import Prospect
from crm.prospects.rules import Ground
from tests.factories import Make
from tests.participation.stories import join, noon, pay

Browse = Callable[..., FlaskClient]
BEGAN, LEFT, BACK = date(2026, 1, 5), date(2026, 8, 10), date(2026, 10, 6)
GIVEN: Any = {"income": 1_500_000, "grounds": (Ground.POOR,)}


def left(person: Prospect, on: date = LEFT, ending: Ending = Ending.COMPULSORY, **more: Any) -> None:
    spell = queries.open_spell(current(), person)
    assert spell
    services.stop(current(), spell, on=on, ending=ending, by=None, at=noon(on), **more)


def away(make: Make, name: str = "Bà Trở") -> Prospect:
    """A year is paid, and from September on it is not needed."""
    person = make.prospect(full_name=name)
    join(person, BEGAN, months=12, **GIVEN)
    left(person)
    return person


def commit_would_hold(session: Session) -> None:
    session.flush()
    session.execute(text("set constraints all immediate"))
    session.execute(text("set constraints all deferred"))


def last_of(session: Session, person: Prospect) -> Payment:
    return session.scalars(queries.standing_payments(person).limit(1)).one()


def test_the_months_are_paid_anew_and_both_payments_are_told(session: Session, make: Make) -> None:
    person = away(make)
    join(person, BACK, **GIVEN)
    commit_would_hold(session)
    found = told(session, person, law(session), BACK)
    lines = {one.month.number: [state for state, _paid in one.lines] for one in found.calendar.months[:15]}
    assert lines[8] == [State.OWN]
    assert lines[9] == [State.NOT_NEEDED]
    assert lines[10] == lines[11] == lines[12] == [State.NOT_NEEDED, State.OWN]
    assert (found.paid, found.supported, found.calendar.paid_through) == (11, 11, Month(2026, 12))
    assert queries.helped_before(session, person).by_the_state == 11
    assert differences(session) == []


def test_what_is_not_paid_anew_falls_due_again(session: Session, make: Make) -> None:
    person = away(make)
    join(person, BACK, months=1, **GIVEN)
    states = {one.month: one.state for one in told(session, person, law(session), date(2026, 11, 3)).calendar.months}
    assert [states[Month(2026, number)] for number in (9, 10, 11, 12)] == [
        *(State.NOT_NEEDED, State.OWN, State.DUE, State.UPCOMING)
    ]
    pay(person, date(2026, 11, 3), months=1, **GIVEN)
    assert [str(Month.of(one.month)) for one in queries.months_of(session, person)][-2:] == ["2026-10", "2026-11"]


def test_a_month_that_counts_is_paid_once(session: Session, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    person = away(make)
    with pytest.raises(Conflict) as refusal, session.begin_nested():
        join(person, LEFT, months=1, start=Month(2026, 8), **GIVEN)
    assert refusal.value.code == "month_paid"
    join(person, BACK, **GIVEN)
    left(person, date(2026, 11, 20))
    monkeypatch.setattr(services, "months_paid", lambda *_: [])
    with pytest.raises(Conflict) as refusal, session.begin_nested():
        join(person, date(2026, 11, 25), start=Month(2026, 11), **GIVEN)
    assert refusal.value.code == "month_paid", "the database says so as well"
    join(person, date(2026, 12, 2), **GIVEN)
    commit_would_hold(session)
    december = told(session, person, law(session), date(2026, 12, 2)).calendar.months[11]
    assert [state for state, _paid in december.lines] == [State.NOT_NEEDED, State.NOT_NEEDED, State.OWN]
    assert differences(session) == []


@pytest.mark.committed
def test_of_two_who_record_the_return_at_once_one_counts(app: Flask, make: Make) -> None:
    with transaction():
        key = (make.town.id, away(make).id)
    together, answers = threading.Barrier(2), list[str]()

    def act() -> None:
        with app.app_context():
            try:
                with transaction() as session:
                    person = session.get_one(Prospect, key)
                    together.wait(timeout=10)
                    join(person, BACK, **GIVEN)
                answers.append("recorded")
            except Conflict as refusal:
                answers.append(refusal.code)

    threads = [threading.Thread(target=act) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["recorded", "takes_part_already"]
    with transaction() as session:
        counted = select(func.count()).select_from(ParticipantMonth).where(ParticipantMonth.counts)
        assert session.scalar(counted) == 8 + 3


def test_only_what_comes_back_marks_a_month_and_for_good(session: Session, make: Make) -> None:
    away(make)
    refund = session.scalars(select(LeavingRefund.id)).one()
    for statement in (
        "update participant_month set refund_id = null where refund_id is not null",
        "update participant_month set refund_id = :refund where month = date '2026-08-01'",
        "update participant_month set refund_id = :refund, own = 0 where month = date '2026-09-01'",
    ):
        with pytest.raises(DBAPIError), session.begin_nested():
            session.execute(text(statement), {"refund": refund} if ":refund" in statement else {})


def test_the_return_is_taken_back_before_what_was_paid_in_vain(session: Session, make: Make) -> None:
    person, manager = away(make), make.user(Role.MANAGER)
    old = last_of(session, person)
    join(person, BACK, months=1, **GIVEN)
    with pytest.raises(RuleBroken) as refusal:
        services.reverse_payment(session, old, by=manager, at=noon(BACK))
    assert refusal.value.code == "not_the_last_payment"
    services.reverse_payment(session, last_of(session, person), by=manager, at=noon(BACK))
    commit_would_hold(session)
    assert told(session, person, law(session), BACK).paid == 8
    assert differences(session) == []


def test_what_has_come_back_is_not_taken_back_as_well(session: Session, make: Make) -> None:
    person, manager = away(make), make.user(Role.MANAGER)
    part = session.scalars(select(LeavingPart)).one()
    settle(session, scope_of(session, manager), part.id, on=BACK, note="CV 3", by=manager, at=noon(BACK))
    with pytest.raises(RuleBroken) as refusal:
        services.reverse_payment(session, last_of(session, person), by=manager, at=noon(BACK))
    assert refusal.value.code == "came_back"


def test_two_records_of_one_person_of_whom_one_left_and_the_other_paid_anew(session: Session, make: Make) -> None:
    kept, again = away(make), make.prospect(full_name="Bà Trở")
    join(again, BACK, **GIVEN)
    organiser = make.user(Role.ORGANISER)
    done = merge(session, kept, again, (), by=organiser, at=noon(BACK))
    commit_would_hold(session)
    assert told(session, kept, law(session), BACK).paid == 11
    unmerge(session, done, by=organiser, at=noon(BACK), given={})
    commit_would_hold(session)
    assert [told(session, one, law(session), BACK).paid for one in (kept, again)] == [8, 3]
    assert differences(session) == []


def test_the_page_shows_what_was_paid_ahead_and_what_was_paid_anew(
    session: Session, make: Make, client: FlaskClient, signed_in: Browse, at_time: Callable[[Any], None]
) -> None:
    person, gone, manager = away(make), make.prospect(full_name="Ông Mất"), make.user(Role.MANAGER)
    join(gone, BEGAN, months=12, **GIVEN)
    left(gone, ending=Ending.DIED)
    headers, browser = {"Authorization": f"Bearer {make.token(manager, 'read')}"}, signed_in(manager)
    at_time(clock.at(LEFT, 15))
    assert 'selected value="2026-09"' in browser.get(f"/people/{person.id}/enrol").text, "August counts, and is paid"
    at_time(clock.at(BACK, 15))
    listed = browser.get("/participation?kind=left").text
    assert ("8/2026" in listed, "12/2026" in listed) == (True, False)
    assert f"/people/{person.id}/enrol" in browser.get(f"/people/{person.id}").text
    assert "/enrol" not in browser.get(f"/people/{gone.id}").text
    join(person, BACK, **GIVEN)
    page = browser.get(f"/people/{person.id}/months?year=2026").text
    assert page.count('id="m-2026-10"') == 1
    assert page.count("Đã đóng trước, nay không cần nữa") >= 4
    found = client.get(f"/api/v1/prospects/{person.id}/months", headers=headers).get_json()
    month = found["months"][9]
    assert (month["state"], len(month["not_needed"])) == ("own", 1)
    assert month["money"]["payment_id"] != month["not_needed"][0]["payment_id"]


@dataclass
class Kept:
    """A payment as the story remembers it."""

    row: Payment
    until: Month
    """The first month that does not count."""


@pytest.mark.parametrize("seed", range(6))
def test_a_random_story_counted_again_the_long_way_round(session: Session, make: Make, seed: int) -> None:
    """Joining, paying on, leaving and taking back in any order: the books say what was lived."""
    choose, day = random.Random(seed), BEGAN
    person, manager = make.prospect(), make.user(Role.MANAGER)
    lived: list[Kept] = []
    for _step in range(14):
        day += timedelta(days=choose.randint(5, 70))
        spell, act = queries.open_spell(session, person), choose.choice(("pay", "pay", "leave", "reverse"))
        try:
            with session.begin_nested():
                if act == "reverse" and lived:
                    last = last_of(session, person)
                    assert last is lived[-1].row
                    services.reverse_payment(session, last, by=manager, at=noon(day))
                    lived.pop()
                elif act == "leave" and spell and day > spell.started_on:
                    left(person, day, choose.choice((Ending.COMPULSORY, Ending.LUMP_SUM, Ending.STOPPED)))
                    if spell.ended_as is not Ending.STOPPED:
                        mine = [one for one in lived if one.row.participation_id == spell.id]
                        for one in mine:
                            one.until = max(Month.of(one.row.start_month), min(one.until, Month.of(day) + 1))
                elif act == "pay":
                    months = choose.choice((1, 3, 6, 12))
                    (pay if spell else join)(person, day, months=months, **GIVEN)
                    row = last_of(session, person)
                    lived.append(Kept(row, Month.of(row.start_month) + row.months))
                commit_would_hold(session)
        except RuleBroken:
            continue
    expected = sorted(month for one in lived for month in Month.of(one.row.start_month).until(one.until))
    assert len(set(expected)) == len(expected)
    assert [Month.of(one.month) for one in queries.months_of(session, person)] == expected
    assert told(session, person, law(session), day).paid == len(expected)
    assert queries.helped_before(session, person).by_the_state == len(expected)
    assert differences(session) == []
