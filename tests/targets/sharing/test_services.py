"""From the proposal to the targets: shared, answered, changed by hand, settled."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.errors import Conflict, RuleBroken
from crm.prospects.rules import Stage
from crm.targets import queries as targets
from crm.targets.sharing import queries, services
from crm.targets.sharing.models import TargetSharing
from crm.targets.sharing.rules import Level, Method, State
from tests.factories import Make
from tests.participation.stories import spell

TODAY = date(2019, 10, 15)


def proposed(session: Session, make: Make, by: User | None = None, **more: Any) -> TargetSharing:
    manager = by or make.user(Role.MANAGER)
    values: dict[str, Any] = {
        "year": 2019,
        "level": Level.PLACE,
        "total": 40,
        "method": Method.PEOPLE,
        "least": 1,
        "authority": "UBND thị xã Bỉm Sơn",
        "document": None,
        "note": None,
        "today": TODAY,
        "by": manager,
        "at": clock.now(),
    }
    return services.propose(session, scope_of(session, manager), **values | more)


@pytest.fixture
def town(make: Make) -> None:
    """Two wards with people: in one most of those who could join, in the other a few who take part."""
    other = make.ward("14821@2019-10-15")
    for number in range(6):
        make.prospect(f"Người {number}")
    for number in range(2):
        person = make.prospect(f"Khác {number}", place=other)
        spell(make, person, date(2019, 3, 1))
        person.stage = Stage.JOINED
    make.session.flush()


@pytest.mark.usefixtures("town")
def test_every_ward_has_a_part_with_its_reason_and_they_sum(session: Session, make: Make) -> None:
    lines = queries.lines_of(session, proposed(session, make))
    assert sum(line.share.people for line in lines) == 40
    of = {line.name: line.share for line in lines}
    assert of[make.ward().name].could_join == 6
    assert of[make.ward("14821@2019-10-15").name].stock == 2
    assert all(line.share.people >= line.share.stock + 1 for line in lines)


@pytest.mark.usefixtures("town")
def test_numbers_by_hand_are_kept_only_when_they_sum(session: Session, make: Make) -> None:
    row = proposed(session, make)
    first, second = (line.share for line in queries.lines_of(session, row)[:2])
    with pytest.raises(RuleBroken) as refused:
        services.change_numbers(session, row, {first.id: first.people + 3}, version=1)
    assert "43" in str(refused.value)
    services.change_numbers(session, row, {first.id: first.people + 1, second.id: second.people - 1}, version=1)
    with pytest.raises(Conflict):
        services.change_numbers(session, row, {first.id: first.people}, version=1)


@pytest.mark.usefixtures("town")
def test_a_ward_answers_for_itself_and_its_other_number_stands_beside_its_part(session: Session, make: Make) -> None:
    row = proposed(session, make)
    ward = make.ward()
    lead, stranger = (
        make.user(Role.LEAD, place_id=ward.id),
        make.user(Role.LEAD, organisation_id=make.organisation().id),
    )
    assert not queries.asked_of(session, scope_of(session, lead))
    services.send(session, row, at=clock.now())
    assert not queries.asked_of(session, scope_of(session, stranger))
    ((share, _row),) = queries.asked_of(session, scope_of(session, lead))
    said: dict[str, Any] = {"told": share.people, "agrees": False, "asked": 3, "by": lead, "at": clock.now()}
    with pytest.raises(RuleBroken):
        services.answer(session, share, row, **said, reason=None)
    services.answer(session, share, row, **said, reason="Ít người")
    others = [line.share for line in queries.lines_of(session, row) if line.share.id != share.id]
    numbers = {share.id: 3, others[0].id: others[0].people + share.people - 3}
    services.change_numbers(session, row, numbers, version=row.version)
    assert share.answer == "agree"
    with pytest.raises(Conflict):
        services.answer(session, share, row, **said, reason="Ít người")


@pytest.mark.usefixtures("town")
def test_settled_parts_are_targets_and_settling_again_is_refused(session: Session, make: Make) -> None:
    manager = make.user(Role.MANAGER)
    row = proposed(session, make, manager, total=1385, note="Giao đầu năm")
    services.settle(session, row, version=row.version, by=manager, at=clock.now())
    kept = targets.by_place(session, make.town.id, 2019)
    assert sum(target.people for target in kept.values()) == 1385
    town = targets.town_target(session, make.town.id, 2019)
    assert town is not None
    assert town.revision == 1
    with pytest.raises(Conflict):
        services.settle(session, row, version=row.version, by=manager, at=clock.now())


@pytest.mark.usefixtures("town")
def test_next_years_draft_becomes_the_towns_target_too(session: Session, make: Make) -> None:
    manager = make.user(Role.MANAGER)
    rule = services.for_next_year(session, scope_of(session, manager), TODAY)
    assert rule.people == 2 + max(2, 1385 - 1191)
    row = proposed(session, make, manager, year=2020, total=rule.people, rule=rule)
    services.settle(session, row, version=row.version, by=manager, at=clock.now())
    town = targets.town_target(session, make.town.id, 2020)
    assert town is not None
    assert town.people == rule.people


@pytest.mark.usefixtures("town")
def test_one_sharing_of_a_target_at_a_time(session: Session, make: Make) -> None:
    manager = make.user(Role.MANAGER)
    row = proposed(session, make, manager)
    with pytest.raises(Conflict):
        proposed(session, make, manager)
    services.drop(session, row, by=manager, at=clock.now())
    assert row.state is State.DROPPED
    assert proposed(session, make, manager).state is State.DRAFT


def test_a_lead_shares_the_units_target_among_its_volunteers(session: Session, make: Make) -> None:
    union = make.organisation()
    lead = make.user(Role.LEAD, organisation_id=union.id)
    volunteers = [make.user(Role.VOLUNTEER, organisation_id=union.id) for _one in range(3)]
    for number in range(4):
        make.prospect(f"Người {number}", organisation_id=union.id, volunteer_id=volunteers[0].id)
    row = proposed(session, make, lead, level=Level.VOLUNTEER, total=7, least=1, of_organisation_id=union.id)
    lines = queries.lines_of(session, row)
    assert {line.share.unit_id for line in lines} == {one.id for one in (*volunteers, lead)}
    assert sum(line.share.people for line in lines) == 7


def test_who_is_looked_after_by_none_counts_and_nobody_is_asked_to_make_up_for_them(
    session: Session, make: Make
) -> None:
    union = make.organisation()
    make.prospect("Còn vận động", organisation_id=union.id)
    for number in range(5):
        person = make.prospect(f"Tham gia {number}", organisation_id=union.id if number < 2 else None)
        spell(make, person, date(2019, 3, 1))
        person.stage = Stage.JOINED
    session.flush()
    row = proposed(session, make, level=Level.ORGANISATION, total=6, least=0)
    (line,) = queries.lines_of(session, row)
    assert (row.apart, line.share.stock, line.share.people) == (3, 2, 3)
    services.settle(session, row, version=row.version, by=make.user(Role.MANAGER), at=clock.now())
    assert targets.by_organisation(session, make.town.id, 2019)[union.id].people == 3
    with pytest.raises(RuleBroken):
        proposed(session, make, level=Level.ORGANISATION, total=2)
