"""Merging and taking back, one situation at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import ChangeRecord, User
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.db import db, transaction
from crm.errors import Conflict, RuleBroken
from crm.ids import new_id
from crm.months import Month
from crm.outreach import services as outreach
from crm.outreach.models import Assignment, Visit
from crm.outreach.rules import Channel, NewVisit, Outcome
from crm.participation.models import ParticipantMonth, Participation, Payment
from crm.prospects.merging.models import Merge, MergedRow, Suspect
from crm.prospects.merging.queries import later_than, lineage, merges_into
from crm.prospects.merging.rules import Answer
from crm.prospects.merging.services import reviewing
from crm.prospects.merging.services.joining import merge
from crm.prospects.merging.services.parting import unmerge
from crm.prospects.models import Prospect, Standing
from crm.prospects.queries.facts import consents_of_all
from crm.prospects.queries.seeing import person_seen
from crm.prospects.rules import ConsentChannel, Ground, NewConsent, Purpose, Stage
from crm.prospects.services.consent import answer_for
from crm.prospects.services.people import change_prospect, seen
from tests.factories import Make
from tests.participation.stories import join, pay
from tests.prospects.merging import world as told

OCTOBER = date(2019, 10, 15)


@pytest.fixture
def office(make: Make) -> User:
    return make.user(Role.MANAGER)


@pytest.fixture
def together(session: Session, office: User) -> Callable[..., Merge]:
    """`together(kept, gone)`: they become one."""

    def act(kept: Prospect, gone: Prospect, taken: list[str] | None = None) -> Merge:
        return merge(session, kept, gone, taken, by=office, at=clock.now())

    return act


@pytest.fixture
def apart(session: Session, office: User) -> Callable[..., Any]:
    """`apart(row)`: they are two again."""

    def act(row: Merge, given: list[str] | None = None) -> Any:
        return unmerge(session, row, by=office, at=clock.now(), given=given)

    return act


def test_what_is_blank_is_taken_and_what_is_chosen_holds(make: Make, together: Any, apart: Any) -> None:
    one = make.prospect("Cù Thị Xoan", address="Số 1", birth_year=1970)
    other = make.prospect("Cù Thị Soan", phone=make.phone(), address="Số 2", birth_year=1970)
    row = together(one, other)
    assert (one.full_name, one.phone, one.address) == ("Cù Thị Xoan", other.phone, "Số 2")
    apart(row)
    assert (one.phone, one.address, other.address) == (None, "Số 1", "Số 2")


@pytest.mark.parametrize("newer_goes", [True, False])
def test_the_only_house_that_is_known_stays_in_its_own_ward(make: Make, together: Any, newer_goes: bool) -> None:
    housed = make.prospect("Vũ Thị Mẹ", place=make.ward("14815"), address="Số 9 Trần Phú")
    newer = make.prospect("Vu Thi Me")
    kept, gone = (housed, newer) if newer_goes else (newer, housed)
    together(kept, gone)
    assert (kept.place_id, kept.address) == (make.ward("14815").id, "Số 9 Trần Phú")


def test_each_of_two_who_were_parted_tells_the_name_of_the_other(
    session: Session, make: Make, together: Any, apart: Any
) -> None:
    one, other = make.prospect("Cù Thị Xoan", birth_year=1970), make.prospect("Cù Thị Soan", birth_year=1970)
    apart(together(one, other))
    notes = session.scalars(select(ChangeRecord).where(ChangeRecord.act == "unmerge_people"))
    assert {note.subject_id: (note.after or {})["full_name"] for note in notes} == {
        one.id: "Cù Thị Soan",
        other.id: "Cù Thị Xoan",
    }


def test_who_was_parted_is_not_asked_about_again(session: Session, make: Make, together: Any, apart: Any) -> None:
    phone = make.phone()
    one, other = (make.prospect("Cù Thị Xoan", birth_year=1970, phone=phone) for _ in range(2))
    apart(together(one, other))
    reviewing.look_through(session, one.town_id, at=clock.now())
    session.expire_all()
    assert session.scalars(select(Suspect.answer)).all() == [Answer.DIFFERENT]


def test_the_number_that_somebody_answered_is_the_better_one(session: Session, make: Make, together: Any) -> None:
    world = told.build(make)
    verified, newer = world.people[4], make.prospect(phone=make.phone())
    kept = verified.phone
    together(newer, verified)
    assert newer.phone == kept


def test_an_id_of_a_merged_record_leads_on_and_the_lineage_names_all(
    session: Session, make: Make, office: User, together: Any
) -> None:
    one, two, three = (make.prospect() for _ in range(3))
    together(two, three)
    together(one, two)
    scope = scope_of(session, office)
    assert {person_seen(session, scope, key.id).id for key in (one, two, three)} == {one.id}
    assert lineage(session, one) == [one.id, two.id, three.id]
    assert [gone.id for _row, gone, _by in merges_into(session, one)] == [two.id]


def test_an_inner_merge_waits_for_the_outer_one(make: Make, together: Any, apart: Any) -> None:
    one, two, three = make.prospect("Lê Thị Một"), make.prospect("Lê Thị Hai"), make.prospect()
    inner = together(two, three)
    outer = together(one, two)
    with pytest.raises(RuleBroken, match="Lê Thị Một") as refusal:
        apart(inner)
    assert refusal.value.code == "not_the_outermost"
    apart(outer)
    apart(inner)
    with pytest.raises(Conflict):
        apart(inner)


def test_brothers_part_in_any_order(make: Make, together: Any, apart: Any) -> None:
    one = make.prospect(address="A")
    two, three = make.prospect(address="B"), make.prospect(address="C")
    first, second = together(one, two, ["address"]), together(one, three, ["address"])
    apart(first)
    assert one.address == "C"
    apart(second)
    assert one.address == "A"


def test_what_was_edited_since_stays_and_is_said(
    session: Session, make: Make, office: User, together: Any, apart: Any
) -> None:
    one, other = make.prospect(address="A", occupation="thợ"), make.prospect(address="B", occupation="buôn bán")
    row = together(one, other, ["address", "occupation"])
    change_prospect(session, one, {"address": "Z"}, by=office, at=clock.now(), expected_version=one.version)
    parted = apart(row)
    assert (one.address, one.occupation, parted.edited) == ("Z", "thợ", ("address",))


def test_the_same_ground_of_the_same_day_stays_and_comes_up_when_the_other_leaves(
    session: Session, make: Make, together: Any, apart: Any
) -> None:
    one, two, three = (make.prospect() for _ in range(3))
    held = [make.standing(person, Ground.POOR) for person in (two, three)]
    first, second = together(one, two), together(one, three)
    assert [row.prospect_id for row in held] == [one.id, three.id]
    apart(first)
    assert [row.prospect_id for row in held] == [two.id, one.id]
    apart(second)
    assert [row.prospect_id for row in held] == [two.id, three.id]
    assert session.scalar(select(func.count()).select_from(MergedRow)) == 0


def test_two_open_assignments_do_not_stand_on_one_person(
    session: Session, make: Make, office: User, together: Any, apart: Any
) -> None:
    volunteers = [make.user(Role.VOLUNTEER) for _ in range(2)]
    one, other = make.prospect(), make.prospect()
    for person, volunteer in zip((one, other), volunteers, strict=True):
        outreach.assign(session, scope_of(session, office), [person.id], volunteer.id, by=office, at=clock.now())
    row = together(one, other)
    assert one.volunteer_id == volunteers[0].id
    apart(row)
    open_ones = select(Assignment.prospect_id).where(Assignment.until.is_(None))
    assert set(session.scalars(open_ones)) == {one.id, other.id}


def test_months_that_both_paid_refuse_the_merge_by_name(session: Session, make: Make, together: Any) -> None:
    one, other = make.prospect(), make.prospect()
    for person in (one, other):
        join(person, OCTOBER)
    with pytest.raises(RuleBroken, match="10/2019, 11/2019, 12/2019") as refusal:
        together(one, other)
    assert refusal.value.code == "cannot_be_merged"
    session.expire_all()
    assert other.merged_into_id is None
    assert session.scalar(select(func.count()).select_from(MergedRow)) == 0


def test_a_payment_made_since_goes_where_its_spell_goes(
    session: Session, make: Make, together: Any, apart: Any
) -> None:
    one, other = make.prospect(), make.prospect()
    join(other, OCTOBER)
    row = together(one, other)
    assert one.stage is Stage.JOINED
    pay(one, date(2020, 1, 5))
    after = later_than(session, row)
    assert ([each.table for each in after.free], [each.table for each in after.bound]) == ([], ["payment"])
    apart(row)
    assert {each.prospect_id for each in session.scalars(select(Payment))} == {other.id}
    assert session.scalar(select(func.count()).where(ParticipantMonth.prospect_id == other.id)) == 6
    assert session.scalars(select(Participation)).one().prospect_id == other.id
    assert (one.stage, other.stage) == (Stage.NEW, Stage.JOINED)


def test_a_month_paid_anew_since_belongs_to_its_payment(session: Session, make: Make, together: Any) -> None:
    one, other = make.prospect(), make.prospect()
    join(other, OCTOBER, months=1, start=Month(2019, 10))
    together(one, other)
    keys = set(session.scalars(select(MergedRow.row_key).where(MergedRow.table_name == "participant_month")))
    payment = session.scalars(select(Payment)).one()
    assert keys == {f'{{"month": "2019-10-01", "payment_id": "{payment.id}"}}'}


def test_nobody_becomes_part_of_themselves_or_of_another_town(make: Make, together: Any) -> None:
    one = make.prospect()
    with pytest.raises(RuleBroken):
        together(one, one)


def test_a_ground_given_since_goes_with_whom_the_office_says(
    session: Session, make: Make, together: Any, apart: Any
) -> None:
    one, other = make.prospect(), make.prospect()
    row = together(one, other)
    since = make.standing(one, Ground.NEAR_POOR)
    [later] = later_than(session, row).free
    apart(row, given=[later.name])
    assert session.get_one(Standing, (one.town_id, since.id)).prospect_id == other.id


# ---- at the same moment


def alone(app: Flask, acts: list[Callable[[], Any]]) -> list[Any]:
    """Each act in a thread and a transaction of its own, all at once; what each said."""
    answers: list[Any] = [None] * len(acts)
    ready = threading.Barrier(len(acts))

    def run(number: int) -> None:
        with app.app_context():
            ready.wait()
            try:
                answers[number] = acts[number]()
            except RuleBroken as refusal:
                answers[number] = refusal.code
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return answers


def merging(town: UUID, kept: UUID, gone: UUID, by: UUID) -> Callable[[], Any]:
    def act() -> str:
        with transaction() as current:
            one, other = (current.get_one(Prospect, (town, key)) for key in (kept, gone))
            merge(current, one, other, None, by=current.get_one(User, (town, by)), at=clock.now())
        return "merged"

    return act


@pytest.mark.committed
def test_of_two_who_merge_the_same_pair_one_is_told(app: Flask, session: Session, make: Make, office: User) -> None:
    one, other = make.prospect(), make.prospect()
    town, first, second, by = one.town_id, one.id, other.id, office.id
    with transaction():
        pass
    answers = alone(app, [merging(town, first, second, by), merging(town, second, first, by)])
    assert sorted(answers) == ["merged", "merged_already"]
    assert session.scalar(select(func.count()).select_from(Merge)) == 1


@pytest.mark.committed
def test_a_visit_recorded_while_people_are_merged_is_not_lost(
    app: Flask, session: Session, make: Make, office: User
) -> None:
    people = [make.prospect() for _ in range(2)]
    town, by = office.town_id, office.id
    one, other = (person.id for person in people)
    with transaction():
        pass

    def visiting() -> str:
        with transaction() as current:
            user = current.get_one(User, (town, by))
            at = clock.now() - timedelta(hours=1)
            new = NewVisit(new_id(), other, at, Channel.PHONE_CALL, Outcome.INTERESTED)
            outreach.record_visit(current, scope_of(current, user), new, by=user, at=clock.now())
        return "recorded"

    assert sorted(alone(app, [visiting, merging(town, one, other, by), visiting, visiting])) == [
        "merged",
        "recorded",
        "recorded",
        "recorded",
    ]
    db.session.remove()
    current = db.session()
    assert set(current.scalars(select(Visit.prospect_id))) == {one}
    assert current.get_one(Prospect, (town, one)).stage is Stage.INTERESTED
    with transaction() as act:
        unmerge(act, act.scalars(select(Merge)).one(), by=act.get_one(User, (town, by)), at=clock.now())
    assert set(current.scalars(select(Visit.prospect_id))) == {other}


@pytest.mark.committed
def test_who_edits_a_record_that_is_merged_at_that_moment_is_told(
    app: Flask, session: Session, make: Make, office: User
) -> None:
    one, other = make.prospect(), make.prospect("Lê Thị Làn")
    town, first, second, by = one.town_id, one.id, other.id, office.id
    with transaction():
        pass
    base = seen(other)
    session.commit()

    def editing() -> str:
        with transaction() as current:
            person = current.get_one(Prospect, (town, second))
            merged = alone(app, [merging(town, first, second, by)])
            assert merged == ["merged"]
            user = current.get_one(User, (town, by))
            change_prospect(current, person, {"address": "Số 9"}, by=user, at=clock.now(), base=base)
        return "changed"

    assert alone(app, [editing]) == ["merged_already"]
    session.expire_all()
    assert (session.get_one(Prospect, (town, first)).address, other.address) == (None, None)


def test_a_number_that_refused_messages_gets_none_before_during_and_after_a_merge(
    session: Session, make: Make, together: Any, apart: Any, office: User
) -> None:
    yes, no = make.phone(), make.phone()
    one, other = make.prospect(phone=yes), make.prospect(phone=no)
    for person, given in ((one, True), (other, False)):
        said = NewConsent(Purpose.SERVICE, given, ConsentChannel.PHONE_CALL, OCTOBER)
        answer_for(session, person, said, by=office, at=clock.now())

    def says() -> dict[str, bool]:
        found = consents_of_all(session, one.town_id, (yes, no))
        return {phone: answers[Purpose.SERVICE].given for phone, answers in found.items()}

    before = says()
    row = together(one, other, ["phone"])
    assert (before, says(), one.phone) == ({yes: True, no: False}, before, no)
    apart(row)
    assert (says(), one.phone, other.phone) == (before, yes, no)
