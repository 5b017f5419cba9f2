"""Packages on the real database: given once, and back by themselves."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.db import db, transaction
from crm.errors import Conflict, NotFound, RuleBroken
from crm.outreach import services as outreach
from crm.outreach.models import Assignment, Visit
from crm.outreach.packages import queries, services
from crm.outreach.packages.models import PackageItem, WorkPackage
from crm.outreach.packages.queries import Asked
from crm.outreach.packages.rules import Ending, NewPackage, Settled
from crm.outreach.packages.services import Written
from crm.outreach.rules import Channel, NewVisit, Outcome
from crm.places.models import Place
from crm.prospects.merging.services.joining import merge
from crm.prospects.models import Prospect
from crm.prospects.rules import NewPerson, Stage
from crm.prospects.services.people import add_prospect
from tasks import outreach as tasks
from tests.factories import Make
from tests.outreach.packages.conftest import NOW, UNTIL, Give

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TODAY = date(2019, 10, 15)


def visit(
    session: Session,
    by: User,
    who: Prospect,
    outcome: Outcome = Outcome.CONSIDERING,
    at: datetime = NOW + HOUR,
    **more: Any,
) -> Visit:
    told = NewVisit(uuid4(), who.id, at, Channel.HOME_VISIT, outcome)
    recorded = more.pop("recorded", at)
    return outreach.record_visit(session, scope_of(session, by), told, by=by, at=recorded, **more).visit


def progress(session: Session, by: User, package: WorkPackage) -> queries.Progress:
    return queries.package_seen(session, scope_of(session, by), package.id)


# ---- giving


def test_a_package_is_cut_out_of_those_nobody_has_in_the_order_of_the_walk(
    session: Session, make: Make, phuong: User, hoa: User, part: Place, people: list[Prospect]
) -> None:
    make.prospect("Vũ Em", neighbourhood_id=part.id, organisation_id=phuong.organisation_id, volunteer_id=hoa.id)
    make.prospect("Vũ Giang", neighbourhood_id=part.id, organisation_id=phuong.organisation_id, stage=Stage.REFUSED)
    asked = Asked(neighbourhood_id=part.id)
    found = queries.proposal(session, scope_of(session, phuong), asked, size=3, today=TODAY)
    assert [one.person.full_name for one in found.people] == ["Vũ Bình", "Vũ Cúc", "Vũ Dung"]
    assert (found.free, found.elsewhere) == (4, [("Mai Thị Hoa", 1)])


def test_a_child_who_may_not_join_yet_is_in_no_proposal(
    session: Session, make: Make, phuong: User, part: Place, people: list[Prospect]
) -> None:
    make.prospect("Vũ Mười Bốn", neighbourhood_id=part.id, birth_date=date(2004, 10, 16), birth_year=2004)
    make.prospect("Vũ Vừa Đủ", neighbourhood_id=part.id, birth_date=date(2004, 10, 15), birth_year=2004)
    make.prospect("Vũ Chỉ Năm", neighbourhood_id=part.id, birth_date=None, birth_year=2005)
    make.prospect("Vũ Không Rõ", neighbourhood_id=part.id, birth_date=None, birth_year=None)
    office, asked = make.user(Role.MANAGER), Asked(neighbourhood_id=part.id)
    found = queries.proposal(session, scope_of(session, office), asked, size=9, today=TODAY)
    assert {one.person.full_name for one in found.people} >= {"Vũ Vừa Đủ", "Vũ Không Rõ"}
    assert not {one.person.full_name for one in found.people} & {"Vũ Mười Bốn", "Vũ Chỉ Năm"}
    assert found.free == 6


def test_a_child_named_directly_is_refused_by_name(
    session: Session, make: Make, phuong: User, lan: User, people: list[Prospect]
) -> None:
    child = make.prospect(
        "Vũ Mười Bốn", birth_date=date(2004, 10, 16), birth_year=2004, organisation_id=people[0].organisation_id
    )
    new = NewPackage(lan.id, UNTIL, "Khu phố 3")
    with pytest.raises(RuleBroken, match="Vũ Mười Bốn"):
        services.give(session, scope_of(session, phuong), new, [people[0].id, child.id], by=phuong, at=NOW)
    assert people[0].volunteer_id is None


def test_whoever_is_given_belongs_to_the_volunteer_and_stands_in_the_package(
    session: Session, give: Give, lan: User, people: list[Prospect]
) -> None:
    package, count, left_out = give()
    assert (count, left_out) == (4, 0)
    assert {one.volunteer_id for one in people} == {lan.id}
    held = session.scalars(select(Assignment).where(Assignment.until.is_(None))).all()
    assert [(one.volunteer_id, one.note) for one in held] == [(lan.id, "Khu phố 3")] * 4
    told = progress(session, lan, package)
    assert (told.people, told.met, told.left, told.days_left(TODAY)) == (4, 0, 4, 6)


def test_nobody_stands_on_two_lists(session: Session, give: Give, hoa: User, lan: User, people: list[Prospect]) -> None:
    give(people[:2])
    package, count, left_out = give(to=hoa)
    assert (count, left_out) == (2, 2)
    assert [one.volunteer_id for one in people] == [lan.id, lan.id, hoa.id, hoa.id]
    with pytest.raises(Conflict) as refusal:
        give(to=hoa)
    assert refusal.value.code == "given_meanwhile"
    item = PackageItem(town_id=package.town_id, package_id=package.id, prospect_id=people[0].id, position=9)
    with pytest.raises(IntegrityError, match="uq_work_package_item_open"), session.begin_nested():
        session.add(item)
        session.flush()


@pytest.mark.committed
def test_two_leads_who_give_the_same_people_at_once_share_them(
    app: Flask, session: Session, make: Make, phuong: User, lan: User, hoa: User, people: list[Prospect]
) -> None:
    other = make.user(Role.LEAD, organisation_id=phuong.organisation_id)
    ids, acts = [one.id for one in people], [(phuong.id, lan.id), (other.id, hoa.id)]
    town_id = phuong.town_id
    session.commit()
    start, given, refused = threading.Barrier(2), list[int](), list[str]()

    def act(by_id: UUID, to_id: UUID) -> None:
        with app.app_context():
            try:
                start.wait(10)
                with transaction() as current:
                    by = current.get_one(User, (town_id, by_id))
                    new = NewPackage(to_id, UNTIL, "Khu phố 3")
                    given.append(services.give(current, scope_of(current, by), new, ids, by=by, at=NOW).people)
            except Conflict as refusal:
                refused.append(refusal.code)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=act, args=one) for one in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    session.expire_all()
    assert (given, refused) == ([4], ["given_meanwhile"])
    assert len({row.volunteer_id for row in session.scalars(select(Prospect))}) == 1
    assert session.scalar(select(func.count()).select_from(WorkPackage)) == 1
    assert session.scalar(select(func.count()).where(PackageItem.settled_at.is_(None))) == 4


def test_a_lead_gives_only_to_the_own_unit_and_only_people_in_sight(
    session: Session, make: Make, give: Give, people: list[Prospect]
) -> None:
    stranger = make.user(Role.VOLUNTEER, organisation_id=make.organisation("LDLD").id)
    with pytest.raises(RuleBroken, match=r"own unit|đơn vị"):
        give(to=stranger)
    away = make.prospect(organisation_id=make.organisation("LDLD").id)
    with pytest.raises(RuleBroken):
        give([*people, away])
    assert session.scalar(select(func.count()).select_from(WorkPackage)) == 0


def test_whoever_is_moved_by_hand_leaves_the_package(
    session: Session, give: Give, phuong: User, hoa: User, lan: User, people: list[Prospect]
) -> None:
    package = give().package
    outreach.assign(session, scope_of(session, phuong), [people[0].id], hoa.id, by=phuong, at=NOW + HOUR)
    told = progress(session, phuong, package)
    assert (told.left, told.handed_on) == (3, 1)
    services.bring_back(session, scope_of(session, phuong), package.id, by=phuong, at=NOW + 2 * HOUR)
    assert [one.volunteer_id for one in people] == [hoa.id, None, None, None]


# ---- coming back


def test_a_package_comes_back_when_its_last_day_is_past_in_vietnam(
    session: Session, give: Give, lan: User, people: list[Prospect], at_time: Callable[[datetime], None]
) -> None:
    package = give().package
    visit(session, lan, people[0])
    visit(session, lan, people[1], Outcome.NOT_MET)
    at_time(clock.at(UNTIL, 23, 59))
    tasks.return_overdue.run()
    assert package.ended_at is None
    assert people[3].volunteer_id == lan.id
    at_time(clock.at(UNTIL + DAY))
    tasks.return_overdue.run()
    session.refresh(package)
    assert (package.ending, package.ended_by_id) == (Ending.RAN_OUT, None)
    assert [one.volunteer_id for one in people] == [lan.id, None, None, None]
    told = progress(session, lan, package)
    assert (told.people, told.met, told.left, told.returned) == (4, 1, 0, 3)


def test_it_comes_back_after_an_outage_and_only_once(
    session: Session, give: Give, lan: User, hoa: User, people: list[Prospect], at_time: Callable[[datetime], None]
) -> None:
    first, second = give(people[:2]).package, give(people[2:], to=hoa).package
    late = clock.at(UNTIL + 40 * DAY, 7)
    at_time(late)
    tasks.return_overdue.run()
    rows = session.scalar(select(func.count()).select_from(Assignment))
    tasks.return_overdue.run()
    assert session.scalar(select(func.count()).select_from(Assignment)) == rows
    for package in (first, second):
        session.refresh(package)
        assert package.ending is Ending.RAN_OUT
    assert {one.volunteer_id for one in people} == {None}


def test_many_packages_come_back_in_one_run(
    session: Session, make: Make, give: Give, phuong: User, at_time: Callable[[datetime], None]
) -> None:
    for number in range(services.AT_ONCE + 1):
        give([make.prospect(f"Vũ {number}", organisation_id=phuong.organisation_id)])
    at_time(clock.at(UNTIL + DAY, 1))
    tasks.return_overdue.run()
    assert session.scalar(select(func.count()).where(WorkPackage.ended_at.is_(None))) == 0


def test_the_organisation_a_person_came_from_gets_them_back(
    session: Session, make: Make, give: Give, people: list[Prospect]
) -> None:
    manager, front = make.user(Role.MANAGER), make.organisation("LDLD").id
    people[0].organisation_id = front
    session.flush()
    package = give([people[0]], by=manager).package
    assert people[0].organisation_id == make.organisation().id
    services.bring_back(session, scope_of(session, manager), package.id, by=manager, at=NOW + HOUR)
    assert (people[0].volunteer_id, people[0].organisation_id) == (None, front)


def test_a_volunteer_hands_back_and_says_why(session: Session, give: Give, lan: User, people: list[Prospect]) -> None:
    package, scope = give().package, scope_of(session, lan)
    visit(session, lan, people[0])
    with pytest.raises(RuleBroken) as refusal:
        services.bring_back(session, scope, package.id, by=lan, at=NOW + 2 * HOUR)
    assert refusal.value.code == "why"
    ended = services.bring_back(session, scope, package.id, by=lan, at=NOW + 2 * HOUR, note="Ốm", keep_met=False)
    assert (ended.returned, ended.kept) == (3, 1), "what was met cannot be shed by handing back"
    assert (package.ending, package.ended_note, package.ended_by_id) == (Ending.HANDED_BACK, "Ốm", lan.id)
    again = services.bring_back(session, scope, package.id, by=lan, at=NOW + 3 * HOUR, note="Ốm")
    assert (again.returned, package.ended_at) == (0, NOW + 2 * HOUR)


def test_a_lead_may_take_back_who_was_met_as_well(
    session: Session, give: Give, phuong: User, lan: User, people: list[Prospect]
) -> None:
    package = give().package
    visit(session, lan, people[0])
    ended = services.bring_back(
        session, scope_of(session, phuong), package.id, by=phuong, at=NOW + 2 * HOUR, keep_met=False
    )
    assert (ended.returned, package.ending) == (4, Ending.TAKEN_BACK)
    assert {one.volunteer_id for one in people} == {None}
    assert {one.last_outcome for one in people} == {None, "considering"}, "what was said stays"


def test_others_neither_see_nor_end_a_package(session: Session, make: Make, give: Give, hoa: User) -> None:
    package = give().package
    stranger = make.user(Role.LEAD, organisation_id=make.organisation("LDLD").id)
    for who in (hoa, stranger, make.user(Role.LEAD)):
        with pytest.raises(NotFound):
            services.bring_back(session, scope_of(session, who), package.id, by=who, at=NOW + HOUR)
    organiser = make.user(Role.ORGANISER)
    with pytest.raises(NotFound):
        services.bring_back(session, scope_of(session, organiser), package.id, by=organiser, at=NOW + HOUR)
    assert package.ended_at is None


def test_more_time_is_noted(session: Session, give: Give, phuong: User) -> None:
    package, scope = give().package, scope_of(session, phuong)
    services.extend(session, scope, package.id, 7, by=phuong, at=NOW)
    assert package.until == date(2019, 10, 27)
    assert [(one.by, one.until) for one in queries.extensions(session, package)] == [("Lê Thị Phượng", package.until)]
    services.bring_back(session, scope, package.id, by=phuong, at=NOW + HOUR)
    with pytest.raises(RuleBroken):
        services.extend(session, scope, package.id, 7, by=phuong, at=NOW + HOUR)


def test_whoever_came_back_can_be_given_again(
    session: Session, give: Give, phuong: User, hoa: User, people: list[Prospect]
) -> None:
    package = give().package
    services.bring_back(session, scope_of(session, phuong), package.id, by=phuong, at=NOW + HOUR)
    assert give(to=hoa).people == 4
    settled = session.scalars(select(PackageItem.settled).where(PackageItem.package_id == package.id)).all()
    assert set(settled) == {Settled.RETURNED}, "the first package remembers"


# ---- what comes in late


def test_a_visit_recorded_after_the_person_left_is_delivered(
    session: Session, give: Give, phuong: User, lan: User, hoa: User, people: list[Prospect]
) -> None:
    who = people[0]
    package = give().package
    services.bring_back(session, scope_of(session, phuong), package.id, by=phuong, at=NOW + DAY)
    give(to=hoa)
    told = visit(session, lan, who, Outcome.INTERESTED, NOW + 3 * HOUR, recorded=NOW + 3 * DAY)
    assert (told.handed_on, told.user_id) == (True, lan.id)
    assert (who.stage, who.volunteer_id) == (Stage.INTERESTED, hoa.id)
    since = NOW
    assert [one.person.id for one in queries.delivered_to(session, scope_of(session, hoa), since)] == [who.id]
    assert queries.delivered_by(session, scope_of(session, lan), since) == 1
    assert queries.delivered_to(session, scope_of(session, lan), since) == []


def test_sending_the_late_visit_again_finds_it(
    session: Session, give: Give, phuong: User, lan: User, people: list[Prospect]
) -> None:
    package = give().package
    services.bring_back(session, scope_of(session, phuong), package.id, by=phuong, at=NOW + DAY)
    told = NewVisit(uuid4(), people[0].id, NOW + HOUR, Channel.HOME_VISIT, Outcome.REFUSED)
    scope = scope_of(session, lan)
    first = outreach.record_visit(session, scope, told, by=lan, at=NOW + 2 * DAY)
    again = outreach.record_visit(session, scope, told, by=lan, at=NOW + 3 * DAY)
    assert (first.created, again.created, again.visit.id) == (True, False, first.visit.id)


@pytest.mark.parametrize(
    ("occurred", "recorded"),
    [
        (NOW - DAY, NOW + 2 * DAY),
        (NOW + DAY + HOUR, NOW + 2 * DAY),
        (NOW + HOUR, NOW + 32 * DAY),
    ],
    ids=["before it was given", "after it came back", "too late"],
)
def test_only_what_took_place_in_their_hands_and_not_long_ago_is_delivered(
    session: Session,
    give: Give,
    phuong: User,
    lan: User,
    people: list[Prospect],
    occurred: datetime,
    recorded: datetime,
) -> None:
    package = give().package
    services.bring_back(session, scope_of(session, phuong), package.id, by=phuong, at=NOW + DAY)
    with pytest.raises(NotFound):
        visit(session, lan, people[0], at=occurred, recorded=recorded)
    assert session.scalar(select(func.count()).select_from(Visit)) == 0


def test_nobody_else_may_deliver(session: Session, give: Give, phuong: User, hoa: User, people: list[Prospect]) -> None:
    give()
    with pytest.raises(NotFound):
        visit(session, hoa, people[0], at=NOW + HOUR, recorded=NOW + 2 * HOUR)


def test_the_late_visit_reaches_the_record_the_person_was_merged_into(
    session: Session, make: Make, give: Give, phuong: User, lan: User, people: list[Prospect]
) -> None:
    package = give().package
    services.bring_back(session, scope_of(session, phuong), package.id, by=phuong, at=NOW + DAY)
    kept = make.prospect("Vũ Hai")
    people[0].merged_into_id = kept.id
    session.flush()
    assert visit(session, lan, people[0], at=NOW + HOUR, recorded=NOW + 2 * DAY).prospect_id == kept.id


# ---- adding


def test_whoever_a_volunteer_adds_is_in_their_hands_from_then_on(session: Session, make: Make, lan: User) -> None:
    new = NewPerson(full_name="Phạm Thị Mới", place_id=make.ward().id, birth_year=1980)
    row = add_prospect(session, new, by=lan, at=NOW)
    held = session.scalars(select(Assignment).where(Assignment.prospect_id == row.id)).one()
    assert (held.volunteer_id, held.since, held.until, held.by_id) == (lan.id, NOW, None, lan.id)
    free = add_prospect(session, NewPerson(full_name="Đỗ Văn Tự", place_id=make.ward().id), by=make.user(), at=NOW)
    assert session.scalar(select(func.count()).where(Assignment.prospect_id == free.id)) == 0


# ---- paper


def test_a_paper_list_is_kept_as_the_volunteers_visits_and_typed_twice_is_there_once(
    session: Session, give: Give, phuong: User, lan: User, people: list[Prospect]
) -> None:
    package, scope = give().package, scope_of(session, phuong)
    written = [Written(people[0].id, Outcome.AGREED, "hẹn tối"), Written(people[1].id, Outcome.NOT_MET)]
    at = NOW + 2 * DAY
    walked = date(2019, 10, 16)
    told = services.key_in(session, scope, package.id, written, walked_on=walked, by=phuong, at=at)
    assert (told.new, told.again, told.otherwise) == (2, 0, ())
    other = [Written(people[0].id, Outcome.REFUSED), Written(people[1].id, Outcome.NOT_MET)]
    again = services.key_in(session, scope, package.id, other, walked_on=walked, by=lan, at=at + HOUR)
    assert (again.new, again.again, again.otherwise) == (0, 2, (people[0].id,))
    rows = session.scalars(select(Visit).order_by(Visit.outcome)).all()
    assert [(row.user_id, row.keyed_by_id, row.occurred_at) for row in rows] == [
        (lan.id, phuong.id, clock.at(walked, 12))
    ] * 2
    assert (people[0].stage, people[1].stage) == (Stage.AGREED, Stage.UNREACHED)
    assert progress(session, lan, package).met == 1


def test_paper_typed_in_after_the_package_came_back_is_not_lost(
    session: Session, give: Give, phuong: User, lan: User, people: list[Prospect]
) -> None:
    package = give().package
    services.return_overdue(session, UNTIL + DAY, at=clock.at(UNTIL + DAY, 1))
    written = [Written(people[0].id, Outcome.INTERESTED)]
    scope = scope_of(session, lan)
    services.key_in(session, scope, package.id, written, walked_on=UNTIL, by=lan, at=clock.at(UNTIL + 2 * DAY, 8))
    assert people[0].stage is Stage.INTERESTED


@pytest.mark.parametrize("walked", [date(2019, 10, 14), date(2019, 10, 18)], ids=["before it was given", "ahead"])
def test_the_day_of_a_walk_is_one_of_the_package(
    session: Session, give: Give, lan: User, people: list[Prospect], walked: date
) -> None:
    package = give().package
    with pytest.raises(RuleBroken) as refusal:
        services.key_in(
            session,
            scope_of(session, lan),
            package.id,
            [Written(people[0].id, Outcome.AGREED)],
            walked_on=walked,
            by=lan,
            at=NOW + 2 * DAY,
        )
    assert refusal.value.field == "walked_on"


def test_only_people_of_the_package_are_typed_in(session: Session, make: Make, give: Give, lan: User) -> None:
    package, stranger = give().package, make.prospect(volunteer_id=lan.id)
    with pytest.raises(RuleBroken):
        services.key_in(
            session,
            scope_of(session, lan),
            package.id,
            [Written(stranger.id, Outcome.AGREED)],
            walked_on=TODAY,
            by=lan,
            at=NOW + HOUR,
        )


# ---- two records of one person


@pytest.mark.parametrize("both", [False, True], ids=["one of the two is given", "both are given, to different hands"])
def test_merged_people_stand_in_one_package_and_come_back_once(
    session: Session, make: Make, give: Give, phuong: User, lan: User, hoa: User, people: list[Prospect], both: bool
) -> None:
    gone, kept = people[0], people[1]
    first = give([gone]).package
    second = give([kept], to=hoa).package if both else None
    merge(session, kept, gone, None, by=make.user(Role.MANAGER), at=NOW + HOUR)
    session.expire_all()
    still_open = session.scalars(select(PackageItem.prospect_id).where(PackageItem.settled_at.is_(None))).all()
    assert len(still_open) == len(set(still_open))
    services.return_overdue(session, UNTIL + DAY, at=clock.at(UNTIL + DAY, 1))
    session.expire_all()
    assert session.scalar(select(func.count()).where(PackageItem.settled_at.is_(None))) == 0
    assert all(one.ended_at for one in (first, second) if one)
    assert kept.volunteer_id is None
    held = select(func.count()).where(
        Assignment.prospect_id == kept.id, Assignment.until.is_(None), Assignment.volunteer_id.is_not(None)
    )
    assert session.scalar(held) == 0
