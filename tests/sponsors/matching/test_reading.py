"""Who needs what, as it stands on record."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from crm import clock
from crm.clock import at
from crm.months import Month
from crm.participation.screening.models import Screening
from crm.participation.screening.rules import Allowance, Business, Elsewhere, Work
from crm.premiums.models import LocalTopUpRow
from crm.prospects.rules import Ground, Sex, Stage
from crm.sponsors.matching.models import FundingLine, FundingRefusal
from crm.sponsors.matching.reading import Read, read
from crm.sponsors.matching.rules.needs import Need, Terms, Why
from crm.sponsors.matching.showing import besides
from crm.sponsors.rules import Wish
from tests.factories import Make
from tests.participation.stories import join
from tests.sponsors.stories import A_MONTH, TODAY, allocate, poor, receive, sponsor

OCTOBER = Month(2019, 10)


def look(session: Session, make: Make, **terms: Any) -> Read:
    session.flush()
    return read(session, make.town.id, TODAY, Terms(**terms))


def need_of(found: Read, person: Any) -> Need:
    return next(one for one in found.needs if one.person_id == person.id)


def left_out(found: Read) -> dict[UUID, Why]:
    return {one.person_id: one.why for one in found.left_out}


def test_somebody_poor_who_agreed_needs_the_months_from_this_one_on(session: Session, make: Make) -> None:
    person = poor(make, sex=Sex.FEMALE, birth_year=1979)
    found = need_of(look(session, make, past_certificate=True), person)
    assert (found.start, found.carried_by, found.deadline) == (OCTOBER, None, None)
    assert found.prices == {run: run * A_MONTH for run in (12, 6, 3, 1)}
    assert (found.female, found.age, found.ground) == (True, 40, Ground.POOR)


def test_months_stop_with_the_certificate_unless_asked_otherwise(session: Session, make: Make) -> None:
    """Certificates end with the year: from October on, three months."""
    person = poor(make)
    assert set(need_of(look(session, make), person).prices) == {3, 1}
    make.standing(person, Ground.NEAR_POOR, since=date(2020, 1, 1), until=date(2021, 1, 1))
    assert set(need_of(look(session, make), person).prices) == {12, 6, 3, 1}


def test_the_place_pays_before_a_sponsor_does(session: Session, make: Make) -> None:
    helped, free = poor(make), poor(make, "Lê Thị Đủ", place=make.ward("14818@2019-10-15"))
    for place, amount in ((None, 7_800), (free.place_id, 107_800)):
        make.add(
            LocalTopUpRow(
                town_id=make.town.id,
                place_id=place,
                ground=Ground.POOR,
                amount=amount,
                effective_from=date(2019, 1, 1),
                document="1/NQ",
            )
        )
    found = look(session, make)
    assert need_of(found, helped).prices == {3: 300_000, 1: 100_000}
    assert left_out(found) == {free.id: Why.NOTHING_TO_PAY}


def test_months_begin_after_those_that_a_sponsor_carries(session: Session, make: Make) -> None:
    by, person = sponsor(make), poor(make)
    make.standing(person, Ground.POOR, since=date(2020, 1, 1), until=date(2021, 1, 1))
    receive(by, 10 * A_MONTH)
    allocate(by, person, months=3)
    found = look(session, make)
    one = need_of(found, person)
    assert (one.start, one.carried_by) == (Month(2020, 1), by.id)
    assert one.deadline == date(2020, 1, 31)
    assert [offer.carrying for offer in found.offers] == [frozenset({person.id})]


def test_whom_a_sponsor_carries_for_longer_is_left_out(session: Session, make: Make) -> None:
    by, person = sponsor(make), poor(make)
    receive(by, 10 * A_MONTH)
    allocate(by, person, months=6)
    assert left_out(look(session, make, past_certificate=True)) == {person.id: Why.CARRIED}


def test_a_certificate_that_ends_with_the_sponsors_months_is_told(session: Session, make: Make) -> None:
    by, person = sponsor(make), poor(make)
    receive(by, 10 * A_MONTH)
    allocate(by, person, months=3)
    assert left_out(look(session, make)) == {person.id: Why.CERTIFICATE_ENDS}
    assert need_of(look(session, make, past_certificate=True), person).start == Month(2020, 1)


def test_who_takes_part_waits_for_the_last_month_before_their_deadline(session: Session, make: Make) -> None:
    soon, later = poor(make), poor(make, "Lê Thị Sau")
    join(soon, date(2019, 9, 10), months=1)
    join(later, date(2019, 9, 10), months=6)
    found = look(session, make)
    assert (need_of(found, soon).start, need_of(found, soon).deadline) == (OCTOBER, date(2019, 10, 31))
    assert left_out(found) == {later.id: Why.PAID_AHEAD}


def test_who_has_not_said_yes_or_may_not_join_is_left_out(session: Session, make: Make) -> None:
    new = poor(make, "Lê Mới", stage=Stage.NEW)
    refused = poor(make, "Lê Không", stage=Stage.REFUSED)
    retired = poor(make, "Lê Hưu")
    make.add(
        Screening(
            town_id=make.town.id,
            prospect_id=retired.id,
            citizen=True,
            work=Work.CONTRACT,
            business=Business.NONE,
            allowance=Allowance.NONE,
            elsewhere=Elsewhere.NO,
            at=clock.now(),
            by_id=None,
        )
    )
    assert left_out(look(session, make)) == {
        new.id: Why.NOT_REACHED,
        refused.id: Why.NOT_WILLING,
        retired.id: Why.MAY_NOT_JOIN,
    }


def test_who_is_in_no_need_is_not_looked_at(session: Session, make: Make) -> None:
    poor(make, "Lê Khác", Ground.ETHNIC_MINORITY)
    make.standing(poor(make, "Lê Cũ", Ground.OTHER), Ground.POOR, until=TODAY)
    found = look(session, make)
    assert (found.needs, found.left_out) == ([], [])


def test_the_sponsors_asked_are_those_with_money(session: Session, make: Make) -> None:
    ward = make.ward()
    rich = sponsor(make, wish=Wish(places=(ward.id,), months=3))
    sponsor(make, "Công ty Chưa Có")
    receive(rich, 5_000_000)
    (offer,) = look(session, make).offers
    assert (offer.sponsor_id, offer.available, offer.wish.months) == (rich.id, 5_000_000, 3)
    assert offer.within is not None
    assert ward.id in offer.within


def test_a_refusal_is_known_until_it_is_lifted(session: Session, make: Make) -> None:
    by, person = sponsor(make), poor(make)
    row = make.add(
        FundingRefusal(
            town_id=make.town.id,
            sponsor_id=by.id,
            prospect_id=person.id,
            words="Đã chuyển đi",
            at=at(TODAY),
            by_id=None,
        )
    )
    assert need_of(look(session, make), person).refused_by == {by.id}
    row.lifted_at = at(TODAY) + timedelta(hours=1)
    assert need_of(look(session, make), person).refused_by == frozenset()


@pytest.mark.parametrize(("months", "within", "why"), [(1, 1, "30/11/2019."), (1, 2, "1, 3, 6 ")])
def test_a_certificate_that_holds_longer_than_the_run_is_not_all_of_the_reason(
    session: Session, months: int, within: int, why: str
) -> None:
    facts = {"within": within, "certificate_ends": "2019-11-30", "wished": 3, "free": 12}
    (told,) = besides(FundingLine(months=months, facts=facts))
    assert why in told


def test_whoever_is_carried_and_may_not_take_part_any_more_is_not_proposed(session: Session, make: Make) -> None:
    by, person = sponsor(make), poor(make)
    receive(by, 9 * A_MONTH)
    allocate(by, person)
    assert need_of(look(session, make, past_certificate=True), person).carried_by == by.id
    person.stage = Stage.NOT_ELIGIBLE
    assert left_out(look(session, make, past_certificate=True))[person.id] is Why.MAY_NOT_JOIN
