"""Visits and assignments on the real database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.db import db, transaction
from crm.errors import Conflict, NotFound, RuleBroken
from crm.outreach import services
from crm.outreach.models import Assignment, Visit
from crm.outreach.queries import loads, page_of_visits, reached, tried
from crm.outreach.rules import Channel, NewVisit, Outcome, Reason
from crm.outreach.services import Amendment
from crm.prospects.models import Prospect, StageChange
from crm.prospects.rules import Stage
from crm.prospects.services.stages import move_stage
from tests.factories import Make

NOW = clock.at(date(2019, 10, 15), 9)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def lan(make: Make) -> User:
    """A volunteer of the Women's Union."""
    return make.user(Role.VOLUNTEER, full_name="Trịnh Thị Lan", organisation_id=make.organisation().id)


@pytest.fixture
def dang(make: Make, lan: User) -> Prospect:
    """Someone Lan looks after."""
    return make.prospect(volunteer_id=lan.id, organisation_id=lan.organisation_id)


def new(who: Prospect, outcome: Outcome = Outcome.INTERESTED, at: datetime = NOW, **more: Any) -> NewVisit:
    values = {"client_id": uuid4(), "prospect_id": who.id, "occurred_at": at, "channel": Channel.HOME_VISIT}
    return NewVisit(**values | {"outcome": outcome} | more)


def record(session: Session, by: User, visit: NewVisit, at: datetime = NOW) -> services.Recorded:
    return services.record_visit(session, scope_of(session, by), visit, by=by, at=at)


# ---- recording


def test_a_visit_moves_the_person_and_says_when_to_come_again(session: Session, lan: User, dang: Prospect) -> None:
    visit, created = record(session, lan, new(dang))
    assert created
    assert (dang.stage, dang.next_contact_on) == (Stage.INTERESTED, date(2019, 10, 22))
    assert (dang.last_contact_at, dang.last_outcome) == (NOW, "interested")
    assert (visit.place_id, visit.organisation_id, visit.user_id) == (dang.place_id, lan.organisation_id, lan.id)
    step = session.scalars(select(StageChange)).one()
    assert (step.because_id, step.from_stage, step.to_stage) == (visit.id, Stage.NEW, Stage.INTERESTED)


def test_the_same_client_id_is_the_same_visit(session: Session, lan: User, dang: Prospect) -> None:
    first = new(dang)
    record(session, lan, first)
    visit, created = record(session, lan, first, NOW + HOUR)
    assert (created, visit.recorded_at) == (False, NOW)
    assert session.scalar(select(func.count()).select_from(Visit)) == 1


def test_sending_again_finds_the_visit_even_when_the_person_went_to_someone_else(
    session: Session, make: Make, lan: User, dang: Prospect
) -> None:
    first = new(dang)
    record(session, lan, first)
    dang.volunteer_id = make.user(Role.VOLUNTEER).id
    session.flush()
    assert record(session, lan, first).created is False


def test_a_client_id_of_another_visit_is_refused(session: Session, make: Make, lan: User, dang: Prospect) -> None:
    first = new(dang)
    record(session, lan, first)
    other = make.prospect("Lê Văn Tám", volunteer_id=lan.id)
    with pytest.raises(Conflict):
        record(session, lan, NewVisit(**{**vars(first), "prospect_id": other.id}))
    with pytest.raises(Conflict):
        record(session, make.user(Role.MANAGER), first)


def test_someone_elses_person_is_not_there(session: Session, make: Make, dang: Prospect) -> None:
    with pytest.raises(NotFound):
        record(session, make.user(Role.VOLUNTEER), new(dang))
    assert session.scalar(select(func.count()).select_from(Visit)) == 0


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"at": NOW + HOUR}, "occurred_at"),
        ({"at": clock.at(date(2007, 12, 31))}, "occurred_at"),
        ({"next_contact_on": date(2019, 10, 14)}, "next_contact_on"),
        ({"next_contact_on": date(2022, 1, 1)}, "next_contact_on"),
        ({"note": "x" * 2001}, "note"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(
    session: Session, lan: User, dang: Prospect, changed: dict[str, Any], field: str
) -> None:
    with pytest.raises(RuleBroken) as refusal:
        record(session, lan, new(dang, **changed))
    assert refusal.value.field == field


def test_a_late_visit_does_not_overwrite_a_newer_one(session: Session, lan: User, dang: Prospect) -> None:
    record(session, lan, new(dang, Outcome.AGREED, NOW - HOUR))
    late, _ = record(session, lan, new(dang, Outcome.CONSIDERING, NOW - 3 * DAY))
    assert (dang.stage, dang.last_contact_at, dang.last_outcome) == (Stage.AGREED, NOW - HOUR, "agreed")
    assert dang.next_contact_on == date(2019, 10, 17)
    assert late.next_contact_on == date(2019, 10, 26)


def test_a_late_visit_counts_where_the_newer_one_said_nothing(session: Session, lan: User, dang: Prospect) -> None:
    record(session, lan, new(dang, Outcome.NOT_MET, NOW - HOUR))
    record(session, lan, new(dang, Outcome.INTERESTED, NOW - DAY))
    assert (dang.stage, dang.last_outcome) == (Stage.INTERESTED, "not_met")


def test_a_visit_from_before_the_payment_does_not_undo_it(session: Session, lan: User, dang: Prospect) -> None:
    record(session, lan, new(dang, Outcome.AGREED, NOW - 2 * DAY))
    move_stage(session, dang, Stage.JOINED, at=NOW - DAY, by=lan, because=uuid4())
    move_stage(session, dang, Stage.LAPSED, at=NOW - HOUR, by=None, because=uuid4())
    record(session, lan, new(dang, Outcome.REFUSED, NOW - 2 * HOUR))
    assert dang.stage is Stage.LAPSED
    record(session, lan, new(dang, Outcome.AGREED, NOW))
    assert dang.stage is Stage.AGREED


# ---- taking back and amending


def withdraw(session: Session, by: User, visit: Visit, at: datetime = NOW) -> Visit:
    return services.withdraw_visit(session, scope_of(session, by), visit.id, by=by, at=at)


def test_undo_leaves_the_person_where_the_other_visits_do(session: Session, lan: User, dang: Prospect) -> None:
    record(session, lan, new(dang, Outcome.CONSIDERING, NOW - DAY))
    second, _ = record(session, lan, new(dang, Outcome.AGREED))
    withdraw(session, lan, second)
    assert (dang.stage, dang.next_contact_on) == (Stage.CONSIDERING, date(2019, 10, 28))
    assert dang.last_contact_at == NOW - DAY
    withdraw(session, lan, second, NOW + HOUR)
    assert second.withdrawn_at == NOW


def test_undo_of_the_only_visit_leaves_the_person_as_new(session: Session, lan: User, dang: Prospect) -> None:
    visit, _ = record(session, lan, new(dang, Outcome.REFUSED))
    withdraw(session, lan, visit)
    assert (dang.stage, dang.next_contact_on, dang.last_contact_at, dang.last_outcome) == (Stage.NEW, None, None, None)


def test_undo_of_an_earlier_visit_keeps_what_the_later_one_said(session: Session, lan: User, dang: Prospect) -> None:
    first, _ = record(session, lan, new(dang, Outcome.CONSIDERING, NOW - DAY))
    second, _ = record(session, lan, new(dang, Outcome.AGREED))
    withdraw(session, lan, first)
    assert (dang.stage, dang.next_contact_on) == (Stage.AGREED, date(2019, 10, 17))
    withdraw(session, lan, second)
    assert dang.stage is Stage.NEW


def test_undo_after_the_payment_keeps_the_participant(session: Session, lan: User, dang: Prospect) -> None:
    visit, _ = record(session, lan, new(dang, Outcome.AGREED))
    move_stage(session, dang, Stage.JOINED, at=NOW + HOUR, by=None, because=uuid4())
    withdraw(session, lan, visit, NOW + 2 * HOUR)
    assert dang.stage is Stage.JOINED


def test_only_its_author_within_a_day_or_a_lead_takes_a_visit_back(
    session: Session, make: Make, lan: User, dang: Prospect
) -> None:
    visit, _ = record(session, lan, new(dang))
    with pytest.raises(RuleBroken):
        withdraw(session, lan, visit, NOW + 25 * HOUR)
    with pytest.raises(NotFound):
        withdraw(session, make.user(Role.VOLUNTEER), visit)
    with pytest.raises(RuleBroken):
        withdraw(session, make.user(Role.ORGANISER), visit)
    lead = make.user(Role.LEAD, organisation_id=lan.organisation_id)
    assert withdraw(session, lead, visit, NOW + 25 * HOUR).withdrawn_at == NOW + 25 * HOUR


def amend(session: Session, by: User, visit: Visit, **changed: Any) -> Visit:
    values: dict[str, Any] = {
        "channel": visit.channel,
        "reasons": frozenset(),
        "note": None,
        "next_contact_on": visit.next_contact_on,
    }
    return services.amend_visit(
        session, scope_of(session, by), visit.id, Amendment(**values | changed), by=by, at=NOW + HOUR
    )


def test_reasons_a_note_and_another_day_are_added_afterwards(session: Session, lan: User, dang: Prospect) -> None:
    visit, _ = record(session, lan, new(dang, Outcome.CONSIDERING))
    amend(session, lan, visit, reasons=frozenset({Reason.ASK_FAMILY}), note="Chiều mới về", next_contact_on=None)
    assert (visit.reasons, visit.note, dang.next_contact_on) == (["ask_family"], "Chiều mới về", None)
    amend(session, lan, visit, next_contact_on=date(2019, 10, 20))
    assert dang.next_contact_on == date(2019, 10, 20)


def test_a_reason_that_rules_somebody_out_takes_the_usual_next_day_with_it(
    session: Session, lan: User, dang: Prospect
) -> None:
    visit, _ = record(session, lan, new(dang, Outcome.REFUSED))
    assert dang.next_contact_on == date(2020, 1, 13)
    amend(session, lan, visit, reasons=frozenset({Reason.MOVED_AWAY}))
    assert (dang.stage, dang.next_contact_on) == (Stage.NOT_ELIGIBLE, None)
    amend(session, lan, visit, reasons=frozenset(), next_contact_on=date(2019, 11, 1))
    assert (dang.stage, dang.next_contact_on) == (Stage.REFUSED, date(2019, 11, 1))


def test_a_visit_that_was_taken_back_is_not_amended(session: Session, lan: User, dang: Prospect) -> None:
    visit, _ = record(session, lan, new(dang))
    withdraw(session, lan, visit)
    with pytest.raises(RuleBroken):
        amend(session, lan, visit, note="x")


# ---- counting


def test_people_are_counted_once_and_only_by_visits_that_stand(session: Session, make: Make, lan: User) -> None:
    first, second, third = (make.prospect(volunteer_id=lan.id) for _ in range(3))
    record(session, lan, new(first, Outcome.NOT_MET, NOW - DAY))
    record(session, lan, new(first, Outcome.AGREED, reasons=frozenset({Reason.PAPERWORK})))
    record(session, lan, new(second, Outcome.NOT_MET))
    gone, _ = record(session, lan, new(third, Outcome.AGREED))
    withdraw(session, lan, gone)
    month = clock.at(date(2019, 10, 1)), clock.at(date(2019, 11, 1))
    assert reached(session, lan.town_id, lan.id, *month) == (2, 1, 1)
    found = tried(session, lan.town_id, [first.id, second.id, third.id])
    assert found == {first.id: (2, ("paperwork",)), second.id: (1, ())}


def test_visits_are_paged_the_latest_first(session: Session, make: Make, lan: User, dang: Prospect) -> None:
    for hours in range(5):
        record(session, lan, new(dang, at=NOW - hours * HOUR))
    scope = scope_of(session, lan)
    first = page_of_visits(session, scope, size=3)
    second = page_of_visits(session, scope, cursor=first.next, size=3)
    moments = [line.visit.occurred_at for line in [*first.rows, *second.rows]]
    assert moments == sorted(moments, reverse=True)
    assert (len(moments), second.next) == (5, None)
    assert page_of_visits(session, scope_of(session, make.user(Role.VOLUNTEER)), size=3).rows == []


# ---- assigning


def give(session: Session, by: User, people: list[Prospect], to: User, at: datetime = NOW) -> services.HandOver:
    return services.assign(session, scope_of(session, by), [one.id for one in people], to.id, by=by, at=at)


def test_many_people_are_given_in_a_few_statements(
    app: Flask, session: Session, make: Make, lan: User, statements: Callable[[], list[str]]
) -> None:
    people = [make.prospect(f"Lê Văn {number}") for number in range(300)]
    manager = make.user(Role.MANAGER)
    seen = statements()
    assert give(session, manager, people, lan).people == 300
    assert len(seen) <= 6
    assert all((one.volunteer_id, one.organisation_id) == (lan.id, lan.organisation_id) for one in people)
    assert session.scalar(select(func.count()).where(Assignment.volunteer_id == lan.id)) == 300


def test_the_one_before_is_closed_and_undo_gives_back(session: Session, make: Make, lan: User, dang: Prospect) -> None:
    nobodys = make.prospect("Lê Văn Tám", organisation_id=make.organisation("HND").id)
    minh, manager = make.user(Role.VOLUNTEER, organisation_id=make.organisation("DTN").id), make.user(Role.MANAGER)
    given = give(session, manager, [dang, nobodys], minh)
    assert (dang.volunteer_id, dang.organisation_id) == (minh.id, minh.organisation_id)
    assert give(session, manager, [dang], minh, NOW + HOUR).people == 0
    undone = services.undo_assignment(session, scope_of(session, manager), given.at, by=manager, at=NOW + HOUR)
    assert undone.people == 2
    assert (dang.volunteer_id, dang.organisation_id) == (lan.id, lan.organisation_id)
    assert (nobodys.volunteer_id, nobodys.organisation_id) == (None, make.organisation("HND").id)
    open_rows = session.scalars(select(Assignment).where(Assignment.until.is_(None))).all()
    assert {row.prospect_id: row.volunteer_id for row in open_rows} == {dang.id: lan.id, nobodys.id: None}


def test_undo_leaves_alone_who_was_handed_on_since(session: Session, make: Make, lan: User, dang: Prospect) -> None:
    minh, hoa, manager = make.user(Role.VOLUNTEER), make.user(Role.VOLUNTEER), make.user(Role.MANAGER)
    given = give(session, manager, [dang], minh)
    give(session, manager, [dang], hoa, NOW + HOUR)
    scope = scope_of(session, manager)
    assert services.undo_assignment(session, scope, given.at, by=manager, at=NOW + 2 * HOUR).people == 0
    assert dang.volunteer_id == hoa.id
    with pytest.raises(RuleBroken):
        services.undo_assignment(session, scope, given.at, by=manager, at=NOW + 2 * DAY)


def test_undo_leaves_whom_somebody_met_since_with_who_has_them(
    session: Session, make: Make, lan: User, dang: Prospect
) -> None:
    nobodys, minh, manager = make.prospect("Lê Văn Tám"), make.user(Role.VOLUNTEER), make.user(Role.MANAGER)
    given = give(session, manager, [dang, nobodys], minh)
    met = record(session, minh, new(dang), NOW + timedelta(minutes=5))
    scope = scope_of(session, manager)
    undone = services.undo_assignment(session, scope, given.at, by=manager, at=NOW + HOUR)
    assert (undone.people, undone.stayed) == (1, 1)
    assert (dang.volunteer_id, nobodys.volunteer_id) == (minh.id, None)
    met.visit.withdrawn_at = NOW + HOUR
    session.flush()
    assert services.undo_assignment(session, scope, given.at, by=manager, at=NOW + HOUR).people == 1
    assert dang.volunteer_id == lan.id


def test_a_lead_gives_only_their_own_people_to_their_own_volunteers(
    session: Session, make: Make, lan: User, dang: Prospect
) -> None:
    lead = make.user(Role.LEAD, organisation_id=lan.organisation_id)
    of_others = make.prospect("Lê Văn Tám", organisation_id=make.organisation("DTN").id)
    with pytest.raises(RuleBroken) as refusal:
        give(session, lead, [dang, of_others], lan)
    assert refusal.value.field == "people"
    stranger = make.user(Role.VOLUNTEER, organisation_id=make.organisation("DTN").id)
    with pytest.raises(RuleBroken) as refusal:
        give(session, lead, [dang], stranger)
    assert refusal.value.field == "volunteer"
    dismissed = make.user(Role.VOLUNTEER, organisation_id=lan.organisation_id, active=False)
    with pytest.raises(RuleBroken):
        give(session, lead, [dang], dismissed)
    assert of_others.volunteer_id is None


def test_taking_back_leaves_the_organisation(session: Session, make: Make, lan: User, dang: Prospect) -> None:
    manager = make.user(Role.MANAGER)
    given_to = make.user(Role.VOLUNTEER, organisation_id=lan.organisation_id)
    give(session, manager, [dang], given_to)
    taken = services.unassign(session, scope_of(session, manager), [dang.id], by=manager, at=NOW + HOUR)
    assert taken.people == 1
    assert (dang.volunteer_id, dang.organisation_id) == (None, lan.organisation_id)
    assert session.scalars(select(Assignment.volunteer_id).where(Assignment.until.is_(None))).all() == [None]
    back = services.undo_assignment(session, scope_of(session, manager), taken.at, by=manager, at=NOW + 2 * HOUR)
    assert back.people == 1
    assert dang.volunteer_id == given_to.id


def test_loads_tell_how_much_each_has(session: Session, make: Make, lan: User, dang: Prospect) -> None:
    make.prospect("Lê Văn Tám", volunteer_id=lan.id, next_contact_on=date(2019, 10, 15), last_contact_at=NOW)
    make.prospect("Lê Văn Chín", volunteer_id=lan.id, stage=Stage.JOINED)
    lead = make.user(Role.LEAD, organisation_id=lan.organisation_id)
    found = {load.user.id: load[1:] for load in loads(session, scope_of(session, make.user(Role.MANAGER)), NOW.date())}
    assert found == {lan.id: (2, 1, 1), lead.id: (0, 0, 0)}


# ---- at the same time


@pytest.mark.committed
def test_two_requests_at_once_make_one_visit(app: Flask, session: Session, make: Make) -> None:
    lan = make.user(Role.VOLUNTEER)
    dang = make.prospect(volunteer_id=lan.id)
    visit, by, town = new(dang), lan.id, lan.town_id
    with transaction():
        pass
    answers = at_once(app, 6, lambda: _record_alone(visit, town, by))
    assert sorted(created for _, created in answers) == [False] * 5 + [True]
    assert {client_id for client_id, _ in answers} == {visit.client_id}
    assert session.scalar(select(func.count()).select_from(Visit)) == 1
    assert session.scalar(select(func.count()).select_from(StageChange)) == 1


@pytest.mark.committed
def test_different_visits_at_once_all_count(app: Flask, session: Session, make: Make) -> None:
    lan = make.user(Role.VOLUNTEER)
    dang = make.prospect(volunteer_id=lan.id)
    outcomes = [Outcome.CONSIDERING, Outcome.INTERESTED, Outcome.NOT_MET, Outcome.AGREED]
    waiting = [new(dang, outcome, NOW - HOUR * (9 - number)) for number, outcome in enumerate(outcomes)]
    by, town, who = lan.id, lan.town_id, dang.id
    with transaction():
        pass
    at_once(app, len(outcomes), lambda: _record_alone(waiting.pop(), town, by))
    db.session.remove()
    told = db.session.get_one(Prospect, (town, who))
    assert (told.stage, told.last_outcome) == (Stage.AGREED, "agreed")


def _record_alone(visit: NewVisit, town: UUID, by: UUID) -> tuple[UUID, bool]:
    with transaction() as current:
        user = current.get_one(User, (town, by))
        found = services.record_visit(current, scope_of(current, user), visit, by=user, at=NOW)
        return found.visit.id, found.created


def at_once(app: Flask, times: int, act: Callable[[], Any]) -> list[Any]:
    answers: list[Any] = []
    ready = threading.Barrier(times)

    def run() -> None:
        with app.app_context():
            ready.wait()
            try:
                answers.append(act())
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(answers) == times
    return answers
