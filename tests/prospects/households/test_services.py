"""Who lives together, who is the head, and what one certificate means for each on each day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import ChangeRecord, User
from crm.accounts.queries import scope_of
from crm.errors import RuleBroken
from crm.ids import new_id
from crm.months import Month
from crm.participation.queries import grounds_on, quote_for
from crm.premiums.rules.quotes import Plan
from crm.prospects.households import merging, renewing
from crm.prospects.households.models import HouseholdCertificate, HouseholdMember
from crm.prospects.households.rules import Living
from crm.prospects.households.services import certificates, membership
from crm.prospects.importing.services.adding import Committing, add_standings
from crm.prospects.models import Household, Prospect, Standing
from crm.prospects.queries.changes import CHANGED
from crm.prospects.rules import Ground, ImportState, Kinship, NewStanding
from crm.prospects.services.standing import end_standing, record_standing, set_grounds
from tests.factories import Make

TODAY = date(2019, 10, 15)
NEW_YEAR = date(2020, 1, 1)


@pytest.fixture
def clerk(make: Make) -> User:
    return make.user()


@pytest.fixture
def family(session: Session, make: Make, clerk: User) -> Household:
    """A head, a wife and a child who have always lived together."""
    return founded(session, make, clerk)


def founded(session: Session, make: Make, by: User, since: date | None = None) -> Household:
    kinships = (Kinship.HEAD, Kinship.SPOUSE, Kinship.CHILD)
    living = [Living(make.prospect(f"Lê Văn {kin.value}".title()).id, kin) for kin in kinships]
    return membership.found(session, living, by=by, at=clock.now(), since=since)


def people_of(session: Session, household: Household) -> list[Prospect]:
    return list(membership.members_of(session, household))


def certified(
    session: Session, household: Household, by: User, year: int = 2019, **more: object
) -> HouseholdCertificate:
    return certificates.certify(
        session,
        household,
        Ground.POOR,
        "12/GCN",
        year,
        by=by,
        at=clock.now(),
        **more,  # type: ignore[arg-type]
    )


def test_a_household_has_one_head_first_and_lies_where_the_head_lives(session: Session, family: Household) -> None:
    people = people_of(session, family)
    assert [one.kinship for one in people] == [Kinship.HEAD, Kinship.SPOUSE, Kinship.CHILD]
    assert family.place_id == people[0].place_id


def test_the_database_refuses_a_second_head(session: Session, family: Household) -> None:
    people_of(session, family)[1].kinship = Kinship.HEAD
    with pytest.raises(IntegrityError, match="uq_prospect_head"), session.begin_nested():
        session.flush()


def test_nobody_lives_in_two_households(session: Session, make: Make, clerk: User, family: Household) -> None:
    child = people_of(session, family)[2]
    with pytest.raises(RuleBroken) as refusal:
        membership.found(session, [Living(child.id, Kinship.HEAD)], by=clerk, at=clock.now())
    assert refusal.value.code == "has_household"
    session.add(
        HouseholdMember(
            town_id=child.town_id,
            household_id=founded(session, make, clerk).id,
            prospect_id=child.id,
            since=TODAY,
            recorded_at=clock.now(),
        )
    )
    with pytest.raises(IntegrityError, match="one_household_at_a_time"), session.begin_nested():
        session.flush()


def test_a_new_head_asks_the_kinship_of_the_others_again(session: Session, clerk: User, family: Household) -> None:
    father, mother, child = people_of(session, family)
    membership.set_head(session, family, mother, {child.id: Kinship.CHILD}, by=clerk, at=clock.now())
    assert (father.kinship, mother.kinship, child.kinship) == (Kinship.OTHER, Kinship.HEAD, Kinship.CHILD)
    with pytest.raises(RuleBroken):
        membership.set_head(session, family, father, {mother.id: Kinship.HEAD}, by=clerk, at=clock.now())


def test_somebody_who_comes_in_is_not_a_second_head(
    session: Session, make: Make, clerk: User, family: Household
) -> None:
    aunt = make.prospect("Lê Thị Cô")
    with pytest.raises(RuleBroken) as refusal:
        membership.join(session, family, aunt, Kinship.HEAD, on=TODAY, by=clerk, at=clock.now())
    assert refusal.value.code == "has_head"
    membership.join(session, family, aunt, Kinship.SIBLING, on=TODAY, by=clerk, at=clock.now())
    assert aunt.household_id == family.id


def test_whoever_moves_in_takes_the_households_address_when_it_is_asked_for(
    session: Session, make: Make, clerk: User, family: Household
) -> None:
    family.address = "Số 4, ngõ 9"
    elsewhere = make.ward("14815")
    stays, moves = (make.prospect(name, place=elsewhere, address="Số 1, phố Cũ") for name in ("Lê Văn Ở", "Lê Thị Đi"))
    membership.join(session, family, stays, Kinship.SIBLING, on=TODAY, by=clerk, at=clock.now())
    assert (stays.place_id, stays.address) == (elsewhere.id, "Số 1, phố Cũ")

    def moved(person: Prospect) -> None:
        membership.join(
            session, family, person, Kinship.SIBLING, on=TODAY, by=clerk, at=clock.now(), to_its_address=True
        )

    moved(moves)
    assert (moves.place_id, moves.address) == (family.place_id, "Số 4, ngõ 9")
    family.address = None
    other = make.prospect("Lê Thị Xa", place=elsewhere, address="Số 1, phố Cũ")
    near = make.prospect("Lê Thị Gần", place=make.ward(), address="Số 2")
    for person in (other, near):
        moved(person)
    assert (other.address, near.address) == (None, "Số 2")
    changed = select(ChangeRecord.before).where(ChangeRecord.subject_id == moves.id, ChangeRecord.act == CHANGED)
    before = session.scalars(changed).one()
    assert before is not None
    assert before["address"] == "Số 1, phố Cũ"


def test_a_move_into_the_future_is_not_written_down(
    session: Session, make: Make, clerk: User, family: Household
) -> None:
    for on in (TODAY + timedelta(days=1), date(1900, 1, 1)):
        with pytest.raises(RuleBroken) as refusal:
            membership.join(session, family, make.prospect(), Kinship.CHILD, on=on, by=clerk, at=clock.now())
        assert refusal.value.field == "on"


def test_the_household_of_the_last_one_to_leave_ends_and_its_certificate_with_it(
    session: Session, clerk: User, family: Household
) -> None:
    certified(session, family, clerk)
    people = people_of(session, family)
    for one in people:
        assert family.ended_on is None
        membership.leave(session, one, on=TODAY, by=clerk, at=clock.now())
    assert family.ended_on == TODAY
    assert [row.valid_to for row in session.scalars(select(HouseholdCertificate))] == [TODAY]
    for one in people:
        assert grounds_on(session, one, TODAY - timedelta(days=1)) == (Ground.POOR,)
        assert grounds_on(session, one, TODAY) == ()
    with pytest.raises(RuleBroken) as refusal:
        membership.join(session, family, people[0], Kinship.HEAD, on=TODAY, by=clerk, at=clock.now())
    assert refusal.value.code == "ended"


def test_when_the_head_leaves_kinships_are_to_be_asked_again(session: Session, clerk: User, family: Household) -> None:
    head, mother, child = people_of(session, family)
    membership.leave(session, head, on=TODAY, by=clerk, at=clock.now())
    assert (mother.kinship, child.kinship, head.household_id) == (Kinship.OTHER, Kinship.OTHER, None)


def test_the_certificate_ends_with_the_year(session: Session, clerk: User, family: Household) -> None:
    certified(session, family, clerk)
    for one in people_of(session, family):
        assert grounds_on(session, one, date(2018, 12, 31)) == ()
        assert grounds_on(session, one, date(2019, 1, 1)) == (Ground.POOR,)
        assert grounds_on(session, one, date(2019, 12, 31)) == (Ground.POOR,)
        assert grounds_on(session, one, NEW_YEAR) == ()


def test_the_premium_changes_on_the_first_of_january(session: Session, clerk: User, family: Household) -> None:
    certified(session, family, clerk)
    one = people_of(session, family)[0]
    figures = {}
    for paid_on in (date(2019, 12, 31), NEW_YEAR):
        told = quote_for(
            session,
            one,
            income=700_000,
            plan=Plan.periodic(1),
            start=Month(2019, 12) if paid_on.year == 2019 else Month(2020, 1),
            paid_on=paid_on,
            grounds=grounds_on(session, one, paid_on),
        )
        figures[paid_on] = (told.state_support, told.payable)
    assert figures == {date(2019, 12, 31): (46_200, 107_800), NEW_YEAR: (15_400, 138_600)}
    renewing.renew(session, scope_of(session, clerk), family, "7/GCN", year=2020, by=clerk, at=clock.now())
    assert grounds_on(session, one, NEW_YEAR) == (Ground.POOR,)


def test_who_moves_in_has_the_certificate_from_that_day_and_who_moves_out_until_the_day_before(
    session: Session, make: Make, clerk: User, family: Household
) -> None:
    certified(session, family, clerk)
    wife = make.prospect("Trần Thị Dâu")
    membership.join(session, family, wife, Kinship.CHILD_IN_LAW, on=date(2019, 6, 1), by=clerk, at=clock.now())
    assert [grounds_on(session, wife, date(2019, 5, 31)), grounds_on(session, wife, date(2019, 6, 1))] == [
        (),
        (Ground.POOR,),
    ]
    membership.leave(session, wife, on=date(2019, 9, 1), by=clerk, at=clock.now())
    assert [grounds_on(session, wife, date(2019, 8, 31)), grounds_on(session, wife, date(2019, 9, 1))] == [
        (Ground.POOR,),
        (),
    ]


def test_moving_from_one_household_to_another_changes_the_ground_on_that_day(
    session: Session, make: Make, clerk: User, family: Household
) -> None:
    certified(session, family, clerk)
    other = founded(session, make, clerk)
    certificates.certify(session, other, Ground.NEAR_POOR, "3/CN", 2019, by=clerk, at=clock.now())
    child = people_of(session, family)[2]
    membership.join(session, other, child, Kinship.GRANDCHILD, on=date(2019, 9, 1), by=clerk, at=clock.now())
    assert grounds_on(session, child, date(2019, 8, 31)) == (Ground.POOR,)
    assert grounds_on(session, child, date(2019, 9, 1)) == (Ground.NEAR_POOR,)


def test_a_certificate_withdrawn_on_a_day_holds_until_the_day_before(
    session: Session, clerk: User, family: Household
) -> None:
    paper = certified(session, family, clerk)
    certificates.end(session, paper, on=date(2019, 7, 1), by=clerk, at=clock.now())
    for one in people_of(session, family):
        assert grounds_on(session, one, date(2019, 6, 30)) == (Ground.POOR,)
        assert grounds_on(session, one, date(2019, 7, 1)) == ()
    certificates.end(session, paper, on=date(2019, 1, 1), by=clerk, at=clock.now())
    assert session.scalars(select(HouseholdCertificate)).all() == []
    assert session.scalars(select(Standing)).all() == []


def test_never_poor_and_near_poor_at_once(session: Session, clerk: User, family: Household) -> None:
    certified(session, family, clerk)
    certificates.certify(
        session, family, Ground.NEAR_POOR, "9/CN", 2019, since=date(2019, 8, 1), by=clerk, at=clock.now()
    )
    one = people_of(session, family)[0]
    assert grounds_on(session, one, date(2019, 7, 31)) == (Ground.POOR,)
    assert grounds_on(session, one, date(2019, 8, 1)) == (Ground.NEAR_POOR,)
    session.add(
        HouseholdCertificate(
            town_id=family.town_id,
            household_id=family.id,
            ground=Ground.POOR,
            number="1",
            year=2019,
            valid_from=date(2019, 12, 31),
            valid_to=NEW_YEAR,
            recorded_at=clock.now(),
        )
    )
    with pytest.raises(IntegrityError, match="one_standing"), session.begin_nested():
        session.flush()


def test_saying_it_again_corrects_the_ground_and_the_number(session: Session, clerk: User, family: Household) -> None:
    certified(session, family, clerk)
    certificates.certify(session, family, Ground.NEAR_POOR, "13/CN", 2019, by=clerk, at=clock.now())
    rows = session.scalars(select(Standing)).all()
    assert {(row.ground, row.certificate, row.valid_from, row.valid_to) for row in rows} == {
        (Ground.NEAR_POOR, "13/CN", date(2019, 1, 1), NEW_YEAR)
    }
    assert len(rows) == 3


@pytest.mark.parametrize(
    ("ground", "number", "year", "since", "field"),
    [
        (Ground.ETHNIC_MINORITY, "1", 2019, None, "ground"),
        (Ground.POOR, " ", 2019, None, "certificate"),
        (Ground.POOR, "1", 20190, None, "year"),
        (Ground.POOR, "1", 2019, date(2018, 12, 31), "since"),
    ],
)
def test_a_certificate_that_cannot_be_is_refused_at_its_field(
    session: Session,
    clerk: User,
    family: Household,
    ground: Ground,
    number: str,
    year: int,
    since: date | None,
    field: str,
) -> None:
    with pytest.raises(RuleBroken) as refusal:
        certificates.certify(session, family, ground, number, year, since=since, by=clerk, at=clock.now())
    assert refusal.value.field == field


def test_a_persons_other_grounds_stay_and_poverty_of_their_own_gives_way(
    session: Session, make: Make, clerk: User, family: Household
) -> None:
    head = people_of(session, family)[0]
    make.standing(head, Ground.ETHNIC_MINORITY, until=None)
    make.standing(head, Ground.NEAR_POOR)
    certified(session, family, clerk, since=date(2019, 3, 15))
    assert set(grounds_on(session, head, date(2019, 3, 14))) == {Ground.ETHNIC_MINORITY, Ground.NEAR_POOR}
    assert set(grounds_on(session, head, date(2019, 3, 15))) == {Ground.ETHNIC_MINORITY, Ground.POOR}
    membership.leave(session, head, on=TODAY, by=clerk, at=clock.now())
    assert grounds_on(session, head, TODAY) == (Ground.ETHNIC_MINORITY,)


def test_the_households_ground_is_not_changed_on_one_person(session: Session, clerk: User, family: Household) -> None:
    certified(session, family, clerk)
    head = people_of(session, family)[0]
    row = session.scalars(select(Standing).where(Standing.prospect_id == head.id)).one()
    with pytest.raises(RuleBroken) as refusal:
        end_standing(session, row, on=TODAY, at=clock.now(), by=clerk)
    assert refusal.value.code == "household_certificate"
    with pytest.raises(RuleBroken):
        record_standing(
            session,
            head,
            Ground.NEAR_POOR,
            certificate="1",
            valid_from=TODAY,
            valid_to=None,
            at=clock.now(),
            by=clerk,
        )
    set_grounds(session, head, [NewStanding(Ground.POOR)], by=clerk, at=clock.now())
    assert grounds_on(session, head, TODAY) == (Ground.POOR,)


def test_minority_needs_a_paper_that_shows_it_and_keeps_no_group(session: Session, make: Make, clerk: User) -> None:
    person, when = make.prospect(), {"valid_from": TODAY, "valid_to": None, "at": clock.now(), "by": clerk}
    for nothing in (None, "", "  "):
        with pytest.raises(RuleBroken) as refusal:
            record_standing(session, person, Ground.ETHNIC_MINORITY, certificate=nothing, **when)  # type: ignore[arg-type]
        assert refusal.value.code == "proof_needed"
    record_standing(session, person, Ground.ETHNIC_MINORITY, certificate="Giấy khai sinh 5/2001", **when)  # type: ignore[arg-type]
    assert grounds_on(session, person, TODAY) == (Ground.ETHNIC_MINORITY,)


def test_the_person_page_tells_of_the_certificate(session: Session, clerk: User, family: Household) -> None:
    certified(session, family, clerk)
    head = people_of(session, family)[0]
    acts = session.scalars(select(ChangeRecord.act).where(ChangeRecord.subject_id == head.id)).all()
    assert "record_standing" in acts


def test_a_number_of_the_labour_office_is_one_households(
    session: Session, make: Make, clerk: User, family: Household
) -> None:
    membership.describe(session, family, code=" 38-000123 ", address="Ngõ 5", by=clerk, at=clock.now())
    assert (family.code, family.address) == ("38-000123", "Ngõ 5")
    other = founded(session, make, clerk)
    with pytest.raises(RuleBroken) as refusal:
        membership.describe(session, other, code="38-000123", address=None, by=clerk, at=clock.now())
    assert refusal.value.code == "code_taken"


def test_two_records_of_one_household_become_one(session: Session, make: Make, clerk: User, family: Household) -> None:
    other = founded(session, make, clerk)
    certified(session, family, clerk, since=date(2019, 3, 1))
    certified(session, other, clerk)
    come = people_of(session, other)
    merging.merge(session, family, other, by=clerk, at=clock.now())
    assert (other.ended_on, other.merged_into_id) == (TODAY, family.id)
    assert len(people_of(session, family)) == 6
    assert [one.kinship for one in come] == [Kinship.OTHER] * 3
    paper = session.scalars(select(HouseholdCertificate)).one()
    assert (paper.household_id, paper.valid_from) == (family.id, date(2019, 1, 1))
    for one in people_of(session, family):
        assert grounds_on(session, one, date(2019, 2, 1)) == (Ground.POOR,)


def test_households_of_different_standing_are_not_one(
    session: Session, make: Make, clerk: User, family: Household
) -> None:
    other = founded(session, make, clerk)
    certified(session, family, clerk)
    certificates.certify(session, other, Ground.NEAR_POOR, "1/CN", 2019, by=clerk, at=clock.now())
    with pytest.raises(RuleBroken) as refusal:
        merging.merge(session, family, other, by=clerk, at=clock.now())
    assert refusal.value.code == "two_standings"


def test_members_from_a_list_without_days_count_as_always_there(session: Session, make: Make, clerk: User) -> None:
    home = make.add(Household(town_id=make.town.id, place_id=make.ward().id))
    one = make.prospect(household_id=home.id, kinship=Kinship.HEAD)
    two = make.prospect(household_id=home.id, kinship=Kinship.CHILD)
    certified(session, home, clerk)
    assert grounds_on(session, one, date(2019, 1, 1)) == (Ground.POOR,)
    membership.leave(session, two, on=date(2019, 5, 1), by=clerk, at=clock.now())
    assert [grounds_on(session, two, date(2019, 4, 30)), grounds_on(session, two, date(2019, 5, 1))] == [
        (Ground.POOR,),
        (),
    ]


def test_a_list_does_not_say_again_or_otherwise_what_the_household_has(
    session: Session, make: Make, clerk: User, family: Household
) -> None:
    certified(session, family, clerk, since=date(2019, 3, 1))
    head, other = people_of(session, family)[0], make.prospect("Vũ Văn Khác")
    work = Committing(
        import_id=new_id(),
        town_id=family.town_id,
        state=ImportState.COMMITTING,
        heartbeat=clock.now(),
        by_id=clerk.id,
        organisation_id=None,
        scope=None,
        consent_words={},
        compared_from=None,
        neighbourhoods={},
    )
    claimed = [
        (head.id, Ground.POOR),
        (head.id, Ground.NEAR_POOR),
        (head.id, Ground.ETHNIC_MINORITY),
        (other.id, Ground.NEAR_POOR),
    ]
    assert len(add_standings(session, work, claimed, clock.now())) == 2
    assert set(grounds_on(session, head, date(2019, 2, 1))) == {Ground.ETHNIC_MINORITY}
    assert set(grounds_on(session, head, TODAY)) == {Ground.ETHNIC_MINORITY, Ground.POOR}
    assert grounds_on(session, other, TODAY) == (Ground.NEAR_POOR,)
