"""A reorganisation from the document to the last account, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.errors import RuleBroken
from crm.participation.rules import NOBODY, Movement, Span
from crm.places.boundaries import boundaries
from crm.places.models import Place
from crm.places.queries import ids_within, units
from crm.places.rules import PlaceKind
from crm.prospects.queries.lists import Filters, people
from crm.prospects.services.neighbourhoods import find_or_add_neighbourhood
from crm.reorganisations import queries, services
from crm.reorganisations.models import Reorganisation
from crm.reorganisations.rules import Move, NewUnit, Plan, State
from crm.reports.figures.queries import figures
from tasks.places import hand_over_due
from tests.factories import Make
from tests.participation.stories import spell

DAY = date(2026, 3, 1)


@pytest.fixture(autouse=True)
def after_the_wards_of_2025(at_time: Callable[[datetime], None]) -> None:
    at_time(clock.at(date(2026, 1, 10)))


@pytest.fixture
def admin(make: Make) -> User:
    return make.user(Role.ADMIN)


def merging(make: Make) -> Plan:
    """The two wards of 2025 become one new ward."""
    new = NewUnit("new1", "Phường Sơn Hà", "14850", PlaceKind.WARD)
    olds = make.ward("14812@2025-07-01"), make.ward("14818@2025-07-01")
    return Plan((new,), tuple(Move(old.id, "new1") for old in olds))


def described(session: Session, admin: User, plan: Plan, on_day: date = DAY) -> Reorganisation:
    return services.describe(
        session, name="Sắp xếp", document="1/NQ", on_day=on_day, plan=plan, by=admin, at=clock.now()
    )


def drawn(session: Session, admin: User, plan: Plan) -> Reorganisation:
    row = described(session, admin, plan)
    services.draw(session, row, by=admin, at=clock.now())
    return row


def test_a_draft_changes_nothing_and_drawing_it_changes_wards_from_the_day_on(
    session: Session, make: Make, admin: User
) -> None:
    before = {unit.name for unit in session.scalars(units(make.town.id, DAY))}
    row = described(session, admin, merging(make))
    assert {unit.name for unit in session.scalars(units(make.town.id, DAY))} == before
    services.draw(session, row, by=admin, at=clock.now())
    eve = {unit.name for unit in session.scalars(units(make.town.id, DAY - timedelta(days=1)))}
    after = {unit.name for unit in session.scalars(units(make.town.id, DAY))}
    assert eve == before
    assert after == {"Phường Sơn Hà"}


def test_people_and_spells_keep_their_ward_and_are_found_under_the_new_one(
    session: Session, make: Make, admin: User
) -> None:
    old = make.ward("14812@2025-07-01")
    person = make.prospect("Mai Thị Lan", place=old)
    spell(make, person, date(2026, 1, 2))
    row = drawn(session, admin, merging(make))
    new = queries.steps_of(session, row)[0][1]
    assert person.place_id == old.id
    scope = scope_of(session, make.user(Role.MANAGER))
    found = session.scalars(people(scope, Filters(place_ids=ids_within(session, make.town.id, new.id)), today=DAY))
    assert [one.full_name for one in found] == ["Mai Thị Lan"]
    span = Span.year_to(DAY)
    in_new = figures(session, scope, span, DAY).by_place
    in_old = figures(session, scope, span, DAY - timedelta(days=1)).by_place
    assert in_new.keys() == {new.id}
    assert in_old.keys() == {old.id}
    assert sum_of(in_new) == sum_of(in_old)


def sum_of(found: Mapping[UUID, Movement]) -> Movement:
    moved = NOBODY
    for one in found.values():
        moved = moved.plus(one)
    return moved


def test_neighbourhoods_of_one_name_are_told_apart_by_their_former_ward(
    session: Session, make: Make, admin: User
) -> None:
    for code in ("14812@2025-07-01", "14818@2025-07-01"):
        find_or_add_neighbourhood(session, make.ward(code), "Khu phố 1")
    find_or_add_neighbourhood(session, make.ward("14818@2025-07-01"), "Khu phố 9")
    row = drawn(session, admin, merging(make))
    new = queries.steps_of(session, row)[0][1]
    names = {place.name for place in queries.neighbourhoods_of(session, make.town.id, [new.id], DAY)}
    assert names == {"Khu phố 1 (Bỉm Sơn)", "Khu phố 1 (Quang Trung)", "Khu phố 9"}


def test_a_ward_is_divided_by_neighbourhood(session: Session, make: Make, admin: User) -> None:
    old, right = make.ward("14812@2025-07-01"), make.ward("14818@2025-07-01")
    east = find_or_add_neighbourhood(session, old, "Khu phố Đông")
    west = find_or_add_neighbourhood(session, old, "Khu phố Tây")
    left = NewUnit("new1", "Phường Sơn Hà", "14850", PlaceKind.WARD)
    row = described(session, admin, Plan((left,), (Move(old.id, "new1", divided=True),)))
    with pytest.raises(RuleBroken):
        services.draw(session, row, by=admin, at=clock.now())
    move = Move(old.id, "new1", divided=True, neighbourhoods={east.id: str(right.id), west.id: "new1"})
    services.amend(session, row, Plan((left,), (move,)))
    services.draw(session, row, by=admin, at=clock.now())
    after = boundaries(session, make.town.id, DAY)
    assert after.unit_of(old.id, east.id) == right.id
    new = session.scalars(select(Place).where(Place.name == "Phường Sơn Hà")).one()
    assert after.unit_of(old.id, west.id) == after.unit_of(old.id) == new.id


@pytest.mark.parametrize(
    "wrong", ["nothing", "unused", "code", "into one that goes", "before the last change", "the same again"]
)
def test_what_cannot_be_is_refused_in_words(session: Session, make: Make, admin: User, wrong: str) -> None:
    plan, day = merging(make), DAY
    [new] = plan.units
    one, two = plan.moves
    if wrong == "nothing":
        plan = Plan((), ())
    elif wrong == "unused":
        plan = Plan((new, NewUnit("new2", "Phường Thừa", "14851", PlaceKind.WARD)), plan.moves)
    elif wrong == "code":
        taken = make.ward("14818@2025-07-01").code or ""
        plan = Plan((NewUnit("new1", "Phường Sơn Hà", taken, PlaceKind.WARD),), plan.moves[:1])
    elif wrong == "into one that goes":
        plan = Plan((new,), (one, Move(two.of, str(one.of))))
    elif wrong == "before the last change":
        day = date(2025, 6, 1)
    else:
        described(session, admin, plan)
    with pytest.raises(RuleBroken):
        described(session, admin, plan, day)


def test_leads_get_the_new_ward_on_the_day_by_themselves_and_read_the_note_once(
    session: Session, make: Make, admin: User, at_time: Callable[[datetime], None]
) -> None:
    old = make.ward("14812@2025-07-01")
    helper = make.user(Role.VOLUNTEER, place_id=old.id)
    lead, other = make.user(Role.LEAD, place_id=old.id), make.user(Role.LEAD, place_id=make.ward().id)
    person = make.prospect("Mai Thị Lan", place=make.ward("14818@2025-07-01"))
    row = drawn(session, admin, merging(make))
    new = queries.steps_of(session, row)[0][1]
    done = services.prepare(session, row, {lead.id: new.id}, "Sổ ở văn phòng.", by=admin, at=clock.now())
    assert not done
    hand_over_due.run()
    assert lead.place_id == old.id
    at_time(clock.at(DAY, 7))
    hand_over_due.run()
    hand_over_due.run()
    session.refresh(lead)
    assert lead.place_id == new.id
    assert other.place_id == make.ward().id
    session.refresh(helper)
    assert helper.place_id == new.id, "volunteers follow their ward by themselves"
    assert person in session.scalars(people(scope_of(session, lead), today=DAY)).all()
    [news] = queries.unread(session, lead)
    assert (news.former, news.now, news.note) == ("Phường Bỉm Sơn", "Phường Sơn Hà", "Sổ ở văn phòng.")
    services.read(session, lead, news.handover_id, at=clock.now())
    assert queries.unread(session, lead) == []


def test_taking_back_gives_the_former_place_except_to_who_was_moved_on_since(
    session: Session, make: Make, admin: User, at_time: Callable[[datetime], None]
) -> None:
    old = make.ward("14812@2025-07-01")
    leads = [make.user(Role.LEAD, place_id=old.id) for _ in range(3)]
    row = drawn(session, admin, merging(make))
    new = queries.steps_of(session, row)[0][1]
    at_time(clock.at(DAY, 7))
    places = {leads[0].id: new.id, leads[1].id: new.id, leads[2].id: None}
    assert services.prepare(session, row, places, None, by=admin, at=clock.now())
    assert [lead.place_id for lead in leads] == [new.id, new.id, old.id]
    leads[1].place_id = make.ward().id
    given, left = services.take_back(session, row, by=admin, at=clock.now())
    assert (given, left) == (2, [leads[1].full_name])
    assert [lead.place_id for lead in leads] == [old.id, make.ward().id, old.id]
    assert row.state is State.DRAWN


def test_drawn_boundaries_can_be_taken_out_until_somebody_is_recorded_in_them(
    session: Session, make: Make, admin: User
) -> None:
    before = {(unit.id, unit.valid_to) for unit in session.scalars(units(make.town.id, DAY))}
    row = drawn(session, admin, merging(make))
    new = queries.steps_of(session, row)[0][1]
    person = make.prospect(place=new)
    with pytest.raises(RuleBroken):
        services.erase(session, row, by=admin, at=clock.now())
    person.place_id = make.ward().id
    session.flush()
    services.erase(session, row, by=admin, at=clock.now())
    assert {(unit.id, unit.valid_to) for unit in session.scalars(units(make.town.id, DAY))} == before


def test_what_was_handed_over_and_taken_back_does_not_keep_the_boundaries(
    session: Session, make: Make, admin: User, at_time: Callable[[datetime], None]
) -> None:
    lead = make.user(Role.LEAD, place_id=make.ward("14812@2025-07-01").id)
    row = drawn(session, admin, merging(make))
    new = queries.steps_of(session, row)[0][1]
    at_time(clock.at(DAY, 7))
    services.prepare(session, row, {lead.id: new.id}, None, by=admin, at=clock.now())
    services.take_back(session, row, by=admin, at=clock.now())
    services.erase(session, row, by=admin, at=clock.now())
    assert [one.document for one in session.scalars(queries.reorganisations(make.town.id))] == [
        "1686/NQ-UBTVQH15",
        "786/NQ-UBTVQH14",
    ]


def test_the_reorganisations_of_2019_and_2025_ship_with_the_program(session: Session, make: Make, admin: User) -> None:
    rows = session.scalars(queries.reorganisations(make.town.id)).all()
    assert [(row.on_day, row.document, row.state) for row in rows] == [
        (date(2025, 7, 1), "1686/NQ-UBTVQH15", State.DRAWN),
        (date(2019, 12, 1), "786/NQ-UBTVQH14", State.DRAWN),
    ]
    assert len(queries.steps_of(session, rows[0])) == 8
    with pytest.raises(RuleBroken):
        services.erase(session, rows[0], by=admin, at=clock.now())
