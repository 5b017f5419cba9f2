"""Credit by the declared rule of the day, and the list of Biểu 06 until it goes."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
from flask_babel import force_locale
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.emulation import queries, services
from crm.emulation.rules import Credit
from crm.errors import Conflict, RuleBroken
from crm.ids import new_id
from crm.outreach.models import Visit
from crm.outreach.rules import Channel, Outcome
from crm.participation.rules import Ending, Span
from tests.factories import Make
from tests.participation.stories import spell

TODAY = date(2019, 10, 15)
YEAR = Span.year_to(TODAY)


def met(make: Make, person: object, organisation: str, day: date) -> None:
    unit, user = make.organisation(organisation), make.user(Role.VOLUNTEER)
    make.add(
        Visit(
            town_id=make.town.id,
            id=new_id(),
            prospect_id=person.id,  # type: ignore[attr-defined]
            user_id=user.id,
            organisation_id=unit.id,
            place_id=make.ward().id,
            occurred_at=clock.at(day, 9),
            recorded_at=clock.at(day, 9),
            channel=Channel.HOME_VISIT,
            outcome=Outcome.INTERESTED,
            reasons=[],
            note=None,
            next_contact_on=None,
        )
    )


def test_two_organisations_that_met_somebody_share_only_from_the_rules_day_on(session: Session, make: Make) -> None:
    manager, women = make.user(Role.MANAGER), make.organisation("HPN")
    for day in (date(2019, 3, 1), date(2019, 10, 12)):
        person = make.prospect(f"Người {day}", organisation_id=women.id)
        met(make, person, "HND", day.replace(day=1))
        spell(make, person, day)
    services.declare(
        session,
        make.town.id,
        since=date(2019, 10, 10),
        credit=Credit.MET,
        days=60,
        today=TODAY,
        by=manager,
        at=clock.now(),
    )
    found = queries.credits_of(session, scope_of(session, manager), YEAR)
    farmers = make.organisation("HND")
    assert found == {women.id: Fraction(3, 2), farmers.id: Fraction(1, 2)}


def test_a_rule_does_not_change_months_that_are_over(session: Session, make: Make) -> None:
    with pytest.raises(RuleBroken) as refused:
        services.declare(
            session,
            make.town.id,
            since=date(2019, 9, 30),
            credit=Credit.MET,
            days=60,
            today=TODAY,
            by=make.user(Role.MANAGER),
            at=clock.now(),
        )
    assert refused.value.field == "since"


def test_the_list_counts_years_in_a_row_and_stays_once_it_has_gone(session: Session, make: Make) -> None:
    manager, women = make.user(Role.MANAGER), make.organisation("HPN")
    spell(make, make.prospect(organisation_id=women.id), date(2019, 3, 1))
    (row,) = queries.organisations(session, scope_of(session, manager), YEAR)
    for year in (2018, 2019):
        told = {"who": "organisation", "as_of": TODAY.replace(year=year), "by": manager, "at": clock.now()}
        services.propose(session, make.town.id, row, **told)
        with pytest.raises(Conflict):
            services.propose(session, make.town.id, row, **told)
        assert services.send(session, make.town.id, year, by=manager, at=clock.now()) == 1
    (line,) = queries.commendations(session, make.town.id, 2019)
    assert line.years_in_row == 2
    with pytest.raises(Conflict):
        services.remove(session, line, by=manager, at=clock.now())


def test_who_went_over_to_compulsory_insurance_or_died_is_taken_off_nobody(session: Session, make: Make) -> None:
    manager, women = make.user(Role.MANAGER), make.organisation("HPN")
    for ending in Ending:
        person = make.prospect(f"Người {ending}", organisation_id=women.id)
        spell(make, person, date(2018, 5, 2), date(2019, 6, 3), ended_as=ending)
    (row,) = queries.organisations(session, scope_of(session, manager), YEAR)
    assert row.one.left == 3, "who lapsed, who stopped, who took the lump sum"


def test_the_result_is_vietnamese_in_whatever_language_it_was_proposed(session: Session, make: Make) -> None:
    manager, women = make.user(Role.MANAGER), make.organisation("HPN")
    spell(make, make.prospect(organisation_id=women.id), date(2019, 3, 1))
    (row,) = queries.organisations(session, scope_of(session, manager), YEAR)
    with force_locale("en"):
        services.propose(session, make.town.id, row, who="organisation", as_of=TODAY, by=manager, at=clock.now())
    (line,) = queries.commendations(session, make.town.id, 2019)
    assert line.result == "Đến 15/10/2019: 1 người tham gia mới hoặc đóng lại, 0 người dừng, 0 lượt gặp"


def test_who_was_taken_off_comes_back_with_the_result_of_now(session: Session, make: Make) -> None:
    manager, women = make.user(Role.MANAGER), make.organisation("HPN")
    for day in (date(2019, 3, 1), date(2019, 11, 4)):
        spell(make, make.prospect(organisation_id=women.id), day)
    for as_of in (TODAY, date(2019, 12, 2)):
        (row,) = queries.organisations(session, scope_of(session, manager), Span.year_to(as_of))
        services.propose(session, make.town.id, row, who="organisation", as_of=as_of, by=manager, at=clock.now())
        (line,) = queries.commendations(session, make.town.id, 2019)
        services.remove(session, line, by=manager, at=clock.now())
    assert line.result.startswith("Đến 02/12/2019: 2 người tham gia mới")
