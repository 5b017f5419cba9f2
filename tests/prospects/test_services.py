"""What may be done with people."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import ChangeRecord
from crm.accounts.rules import Role
from crm.errors import Conflict, RuleBroken
from crm.prospects.models import IdentityReading, StageChange, Standing
from crm.prospects.queries.facts import consents_of
from crm.prospects.queries.standing import deciding_grounds
from crm.prospects.rules import (
    ConsentChannel,
    Ground,
    NewConsent,
    NewPerson,
    NewStanding,
    Purpose,
    Same,
    Sex,
    Stage,
)
from crm.prospects.services.consent import answer_for, record_consent
from crm.prospects.services.neighbourhoods import find_or_add_neighbourhood
from crm.prospects.services.people import add_prospect, change_prospect, reveal
from crm.prospects.services.stages import move_stage
from crm.prospects.services.standing import end_standing, record_standing, set_grounds
from tests.factories import Make

TODAY = date(2019, 10, 15)
CITIZEN = "038175000119"
"""Thanh Hóa, a woman born in 1975."""


def new(make: Make, **fields: object) -> NewPerson:
    return replace(NewPerson("nguyễn thị hoà", make.ward().id), **fields)  # type: ignore[arg-type]


def test_somebody_new_is_kept_tidy_with_the_first_step_and_who_did_it(session: Session, make: Make) -> None:
    clerk = make.user()
    person = add_prospect(
        session,
        new(make, birth_year=1975, phone="0162 345 6789", citizen_id="038 175 000 119", sex=Sex.FEMALE),
        by=clerk,
        at=clock.now(),
    )
    assert (person.full_name, person.phone, person.birth_year) == ("Nguyễn Thị Hoà", "+84323456789", 1975)
    assert person.citizen_masked == "038***119"
    step = session.scalars(select(StageChange).where(StageChange.prospect_id == person.id)).one()
    assert (step.from_stage, step.to_stage, step.by_id) == (None, Stage.NEW, clerk.id)
    record = session.scalars(select(ChangeRecord).where(ChangeRecord.subject_id == person.id)).one()
    assert record.after is not None
    assert record.after["citizen_id"] == "038***119"


def test_a_citizen_number_does_not_stand_in_the_database_in_clear(session: Session, make: Make) -> None:
    person = add_prospect(session, new(make, citizen_id=CITIZEN), by=make.user(), at=clock.now())
    row = session.execute(text("select p::text from prospect p where id = :id"), {"id": person.id}).scalar_one()
    assert CITIZEN not in row
    assert CITIZEN.encode().hex() not in row


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"full_name": ""}, "full_name"),
        ({"full_name": "Hoa 😀"}, "full_name"),
        ({"full_name": "a" * 10_000}, "full_name"),
        ({"full_name": "Lê Văn 8"}, "full_name"),
        ({"phone": "12"}, "phone"),
        ({"phone": "0237 335 7806"}, "phone"),
        ({"other_phone": "+1 202 555 0100"}, "other_phone"),
        ({"citizen_id": "123"}, "citizen_id"),
        ({"citizen_id": CITIZEN, "sex": Sex.MALE}, "citizen_id"),
        ({"citizen_id": CITIZEN, "birth_year": 1976}, "citizen_id"),
        ({"si_number": "12345"}, "si_number"),
        ({"birth_date": TODAY + timedelta(days=1)}, "birth_date"),
        ({"birth_year": 1800}, "birth_year"),
        ({"birth_date": date(1975, 1, 2), "birth_year": 1976}, "birth_year"),
        ({"address": "x" * 301}, "address"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(
    session: Session, make: Make, fields: dict[str, object], field: str
) -> None:
    with pytest.raises(RuleBroken) as refusal:
        add_prospect(session, new(make, **fields), by=make.user(), at=clock.now())
    assert refusal.value.field == field


def test_a_landline_beside_a_mobile_goes_to_the_other_telephone(session: Session, make: Make) -> None:
    person = add_prospect(session, new(make, phone="0237 335 7806 / 0912 345 678"), by=make.user(), at=clock.now())
    assert (person.phone, person.other_phone) == ("+84912345678", "+842373357806")


def test_the_same_citizen_number_in_another_spelling_is_a_likely_duplicate(session: Session, make: Make) -> None:
    clerk = make.user()
    first = add_prospect(session, new(make, citizen_id=CITIZEN), by=clerk, at=clock.now())
    with pytest.raises(Conflict) as conflict:
        add_prospect(
            session, new(make, full_name="Ngô Thị Hoa", citizen_id="038.175.000.119"), by=clerk, at=clock.now()
        )
    assert conflict.value.code == "likely_duplicate"
    [candidate] = conflict.value.details["candidates"]
    assert candidate["id"] == str(first.id)
    assert candidate["reasons"][0] == Same.CITIZEN_ID


def test_a_household_may_share_a_telephone(session: Session, make: Make) -> None:
    clerk, phone = make.user(), make.phone()
    add_prospect(session, new(make, phone=phone), by=clerk, at=clock.now())
    add_prospect(session, new(make, full_name="Trần Văn Bình", phone=phone), by=clerk, at=clock.now())


def test_one_may_say_that_it_is_somebody_else(session: Session, make: Make) -> None:
    clerk = make.user()
    twin = new(make, birth_date=date(1975, 3, 2))
    add_prospect(session, twin, by=clerk, at=clock.now())
    with pytest.raises(Conflict):
        add_prospect(session, replace(twin, full_name="NGUYỄN THỊ HÒA"), by=clerk, at=clock.now())
    add_prospect(session, twin, by=clerk, at=clock.now(), allow_duplicate=True)


def test_whom_a_volunteer_adds_is_theirs(session: Session, make: Make) -> None:
    volunteer = make.user(Role.VOLUNTEER, organisation_id=make.organisation().id)
    person = add_prospect(session, new(make), by=volunteer, at=clock.now())
    assert (person.volunteer_id, person.organisation_id) == (volunteer.id, make.organisation().id)


def test_a_ward_lead_adds_nobody_elsewhere(session: Session, make: Make) -> None:
    lead = make.user(Role.LEAD, place_id=make.ward("14818@2019-10-15").id)
    with pytest.raises(RuleBroken) as refusal:
        add_prospect(session, new(make), by=lead, at=clock.now())
    assert refusal.value.field == "place"


def test_a_change_keeps_before_and_after_with_masked_numbers(session: Session, make: Make) -> None:
    clerk = make.user()
    person = add_prospect(session, new(make), by=clerk, at=clock.now())
    change_prospect(
        session,
        person,
        {"citizen_id": CITIZEN, "address": "Số 5"},
        by=clerk,
        at=clock.now(),
        expected_version=person.version,
    )
    record = session.scalars(select(ChangeRecord).where(ChangeRecord.act == "change_prospect")).one()
    assert record.before == {"citizen_id": None, "address": None}
    assert record.after == {"citizen_id": "038***119", "address": "Số 5", "version": person.version}


def test_a_number_sent_back_as_it_was_shown_stays(session: Session, make: Make) -> None:
    clerk = make.user()
    person = add_prospect(session, new(make, citizen_id=CITIZEN), by=clerk, at=clock.now())
    change_prospect(
        session, person, {"citizen_id": "038***119"}, by=clerk, at=clock.now(), expected_version=person.version
    )
    assert person.citizen_id == CITIZEN


def test_a_stale_change_is_refused_with_both_versions(session: Session, make: Make) -> None:
    clerk = make.user()
    person = add_prospect(session, new(make), by=clerk, at=clock.now())
    old = person.version
    change_prospect(session, person, {"address": "Số 5"}, by=clerk, at=clock.now(), expected_version=old)
    with pytest.raises(Conflict) as conflict:
        change_prospect(session, person, {"address": "Số 6"}, by=clerk, at=clock.now(), expected_version=old)
    assert conflict.value.code == "stale"
    assert (conflict.value.details["expected"], conflict.value.details["current"]) == (old, old + 1)


def test_a_later_sex_that_the_citizen_number_denies_is_refused(session: Session, make: Make) -> None:
    clerk = make.user()
    person = add_prospect(session, new(make, citizen_id=CITIZEN), by=clerk, at=clock.now())
    with pytest.raises(RuleBroken) as refusal:
        change_prospect(session, person, {"sex": Sex.MALE}, by=clerk, at=clock.now(), expected_version=person.version)
    assert refusal.value.field == "citizen_id"


def test_of_several_grounds_the_strongest_decides_on_its_days_only(session: Session, make: Make) -> None:
    person, by = make.prospect(), make.user()
    paper = {"certificate": "12/GCN", "at": clock.now(), "by": by}
    record_standing(
        session,
        person,
        Ground.ETHNIC_MINORITY,
        valid_from=date(2019, 1, 1),
        valid_to=None,
        **paper,  # type: ignore[arg-type]
    )
    record_standing(
        session,
        person,
        Ground.POOR,
        valid_from=date(2019, 1, 1),
        valid_to=date(2020, 1, 1),
        **paper,  # type: ignore[arg-type]
    )
    assert deciding_grounds(session, [person.id], date(2019, 12, 31)) == {person.id: Ground.POOR}
    assert deciding_grounds(session, [person.id], date(2020, 1, 1)) == {person.id: Ground.ETHNIC_MINORITY}
    assert deciding_grounds(session, [person.id], date(2018, 1, 1)) == {person.id: Ground.OTHER}


def test_a_ground_that_ends_leaves_its_past(session: Session, make: Make) -> None:
    person, by = make.prospect(grounds=(Ground.POOR,)), make.user()
    row = session.scalars(select(Standing)).one()
    end_standing(session, row, on=TODAY, at=clock.now(), by=by)
    assert deciding_grounds(session, [person.id], TODAY - timedelta(days=1)) == {person.id: Ground.POOR}
    assert deciding_grounds(session, [person.id], TODAY) == {person.id: Ground.OTHER}


def test_new_grounds_replace_those_not_named(session: Session, make: Make) -> None:
    person, by = make.prospect(grounds=(Ground.POOR, Ground.ETHNIC_MINORITY)), make.user()
    kept = [NewStanding(Ground.NEAR_POOR, "7/CN"), NewStanding(Ground.ETHNIC_MINORITY)]
    set_grounds(session, person, kept, by=by, at=clock.now())
    assert deciding_grounds(session, [person.id], TODAY) == {person.id: Ground.NEAR_POOR}


def test_the_latest_answer_of_a_phone_holds_for_each_purpose(session: Session, make: Make) -> None:
    person, by = make.prospect(phone=make.phone()), make.user()
    said = {"channel": ConsentChannel.DOORSTEP, "words": "v1", "by": by, "prospect_id": person.id}
    for purpose in Purpose:
        record_consent(session, person.town_id, person.phone, purpose, given=True, at=clock.now(), **said)  # type: ignore[arg-type]
    record_consent(
        session,
        person.town_id,
        person.phone,
        Purpose.PROMOTION,
        given=False,
        at=clock.now(),
        **said,  # type: ignore[arg-type]
    )
    assert person.phone
    held = consents_of(session, person.town_id, person.phone)
    assert {purpose: consent.given for purpose, consent in held.items()} == {
        Purpose.SERVICE: True,
        Purpose.PROMOTION: False,
    }


def test_a_paper_of_last_week_does_not_undo_a_no_of_yesterday(session: Session, make: Make) -> None:
    person, by = make.prospect(phone=make.phone()), make.user()
    no = NewConsent(Purpose.SERVICE, False, ConsentChannel.PHONE_CALL, TODAY - timedelta(days=1))
    paper = NewConsent(Purpose.SERVICE, True, ConsentChannel.PAPER, TODAY - timedelta(days=7))
    for consent in (no, paper):
        answer_for(session, person, consent, by=by, at=clock.now())
    assert person.phone
    assert consents_of(session, person.town_id, person.phone)[Purpose.SERVICE].given is False


def test_nobody_agrees_in_the_future_or_without_a_mobile(session: Session, make: Make) -> None:
    yes = NewConsent(Purpose.SERVICE, True, ConsentChannel.PAPER, TODAY + timedelta(days=1))
    with pytest.raises(RuleBroken):
        answer_for(session, make.prospect(phone=make.phone()), yes, by=None, at=clock.now())
    with pytest.raises(RuleBroken):
        answer_for(session, make.prospect("Lê Tám"), replace(yes, on=TODAY), by=None, at=clock.now())


def test_a_step_to_where_one_is_already_leaves_no_trace(session: Session, make: Make) -> None:
    person, by = make.prospect(), make.user()
    assert move_stage(session, person, Stage.AGREED, at=clock.now(), by=by) is not None
    assert move_stage(session, person, Stage.AGREED, at=clock.now(), by=by) is None


def test_a_neighbourhood_written_twice_is_one(session: Session, make: Make) -> None:
    one = find_or_add_neighbourhood(session, make.ward(), "Khu phố  9b")
    assert find_or_add_neighbourhood(session, make.ward(), "khu phố 9B").id == one.id


def test_reading_a_full_number_is_kept(session: Session, make: Make) -> None:
    reader = make.user()
    person = add_prospect(session, new(make, citizen_id=CITIZEN), by=reader, at=clock.now())
    assert reveal(session, person, by=reader, at=clock.now(), way="page")["citizen_id"] == CITIZEN
    assert session.scalars(select(IdentityReading.user_id)).one() == reader.id
