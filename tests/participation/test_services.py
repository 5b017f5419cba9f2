"""Joining, paying on, mistakes, stopping and lapsing."""

from __future__ import annotations

import threading
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm.accounts.rules import Role
from crm.db import transaction
from crm.errors import Conflict, RuleBroken
from crm.months import Month
from crm.participation import queries, services
from crm.participation.guard.rules import StopReason
from crm.participation.models import ParticipantMonth, Participation, Payment
from crm.participation.rules import Basis, Beginning, Ending
from crm.premiums.rules.quotes import Plan
from crm.prospects.models import Prospect, StageChange
from crm.prospects.rules import Ground, Stage
from tests.factories import Make
from tests.participation.stories import FLOOR, agent_of, join, noon, paid_long_ago, pay

OCTOBER = date(2019, 10, 15)


def months(session: Session, person: Prospect) -> list[str]:
    return [str(Month.of(row.month)) for row in queries.months_of(session, person)]


def test_joining_keeps_the_payment_its_months_the_spell_and_the_stage(session: Session, make: Make) -> None:
    person = make.prospect(grounds=(Ground.NEAR_POOR,), organisation_id=make.organisation().id)
    spell = join(person, OCTOBER, grounds=(Ground.NEAR_POOR,))
    payment = session.scalars(select(Payment)).one()
    assert (payment.gross, payment.state_support, payment.own) == (462_000, 115_500, 346_500)
    assert payment.law["day"] == "2019-10-15"
    assert {"name": "poverty_line", "value": "700000"}.items() <= payment.law["rules"][1].items()
    assert months(session, person) == ["2019-10", "2019-11", "2019-12"]
    assert (spell.started_as, spell.paid_through, spell.deadline_on) == (
        Beginning.JOINED,
        date(2019, 12, 1),
        date(2020, 3, 31),
    )
    assert spell.organisation_id == make.organisation().id
    assert person.stage is Stage.JOINED
    step = session.scalars(select(StageChange).where(StageChange.prospect_id == person.id)).one()
    assert (step.to_stage, step.because_id) == (Stage.JOINED, spell.id)


def test_nobody_joins_twice(make: Make) -> None:
    person = make.prospect()
    join(person, date(2019, 10, 1))
    with pytest.raises(Conflict, match="1/10/2019") as refusal:
        join(person, OCTOBER)
    assert refusal.value.code == "takes_part_already"


def test_a_child_may_not_join_yet(make: Make) -> None:
    with pytest.raises(RuleBroken, match="15"):
        join(make.prospect(birth_date=date(2004, 11, 16), birth_year=2004), OCTOBER)


def test_a_payment_of_tomorrow_is_refused(make: Make) -> None:
    with pytest.raises(RuleBroken) as refusal:
        join(make.prospect(), date(2019, 10, 16), at=noon(OCTOBER))
    assert refusal.value.field == "paid_on"


def test_a_month_whose_window_has_closed_is_refused(make: Make) -> None:
    with pytest.raises(RuleBroken) as refusal:
        join(make.prospect(), OCTOBER, months=1, start=Month(2019, 9))
    assert refusal.value.field == "start"


def test_a_volunteer_may_not_record_money_and_an_agent_writes_the_receipt(make: Make) -> None:
    person = make.prospect()
    with pytest.raises(RuleBroken) as refusal:
        join(person, OCTOBER, by=make.user(Role.VOLUNTEER), basis=Basis.TAKEN, receipt_number="C45-1")
    assert refusal.value.code == "not_an_agent"
    agent = agent_of(make, person)
    with pytest.raises(RuleBroken) as refusal:
        join(person, OCTOBER, by=agent, basis=Basis.TAKEN)
    assert refusal.value.field == "receipt_number"
    assert join(person, OCTOBER, by=agent, basis=Basis.TAKEN, receipt_number="C45-1").recruited_by_id == agent.id


def test_a_manager_records_only_what_was_confirmed(make: Make) -> None:
    person, manager = make.prospect(), make.user(Role.MANAGER)
    with pytest.raises(RuleBroken):
        join(person, OCTOBER, by=manager, basis=Basis.TAKEN, receipt_number="C45-1")
    join(person, OCTOBER, by=manager, confirmation="Danh sách 12/BHXH")


def test_one_receipt_is_one_payment(make: Make) -> None:
    first, second = make.prospect(), make.prospect("Trần Văn Bình")
    agent = agent_of(make, first)
    join(first, OCTOBER, by=agent, basis=Basis.TAKEN, receipt_number="C45-7")
    with pytest.raises(Conflict) as refusal:
        join(second, OCTOBER, by=agent, basis=Basis.TAKEN, receipt_number="C45-7")
    assert refusal.value.code == "receipt_used"


def test_paying_on_begins_with_the_month_after_the_last(session: Session, make: Make) -> None:
    person = make.prospect()
    spell = join(person, date(2019, 4, 2))
    pay(person, date(2019, 7, 30), months=6)
    assert months(session, person)[-1] == "2019-12"
    assert (spell.paid_through, spell.deadline_on, spell.method) == (date(2019, 12, 1), date(2020, 4, 30), 6)


def test_no_month_is_paid_twice_and_none_is_left_out(make: Make) -> None:
    person = make.prospect()
    join(person, date(2019, 7, 1))
    for wrong in (Month(2019, 9), Month(2019, 11)):
        with pytest.raises(RuleBroken) as refusal:
            pay(person, OCTOBER, start=wrong)
        assert refusal.value.code == "gap_or_overlap"


def test_who_stopped_and_comes_back_cannot_pay_a_month_again(session: Session, make: Make) -> None:
    person = make.prospect()
    spell = join(person, date(2019, 7, 1), months=12)
    services.stop(session, spell, on=date(2019, 9, 1), ending=Ending.STOPPED, by=None, at=noon(OCTOBER))
    with pytest.raises(Conflict, match="2019") as refusal:
        join(person, OCTOBER, months=3)
    assert refusal.value.code == "month_paid"
    assert refusal.value.details["months"] == ["2019-10", "2019-11", "2019-12"]


@pytest.mark.parametrize(
    ("at_once", "last_day"),
    [(1, date(2019, 5, 31)), (3, date(2019, 9, 30)), (6, date(2020, 1, 31)), (12, date(2020, 10, 31))],
)
def test_each_way_to_pay_lapses_the_day_after_its_last_day(
    session: Session, make: Make, at_once: int, last_day: date
) -> None:
    person = make.prospect()
    spell = join(person, date(2019, 4, 2), months=at_once)
    assert spell.deadline_on == last_day
    assert services.lapse_overdue(session, last_day, at=noon(last_day)) == 0
    assert person.stage is Stage.JOINED
    later = date(last_day.year, last_day.month, last_day.day).replace(year=last_day.year + 1)
    assert services.lapse_overdue(session, later, at=noon(later)) == 1
    assert spell.ended_on is not None
    assert (spell.ended_on - last_day).days == 1
    assert (spell.ended_as, person.stage) == (Ending.LAPSED, Stage.LAPSED)
    assert services.lapse_overdue(session, later, at=noon(later)) == 0


def test_who_lapsed_has_to_register_again_and_counts_as_returned(session: Session, make: Make) -> None:
    person = make.prospect()
    join(person, date(2019, 4, 2), months=1)
    services.lapse_overdue(session, OCTOBER, at=noon(OCTOBER))
    with pytest.raises(RuleBroken) as refusal:
        pay(person, OCTOBER, months=1)
    assert refusal.value.code == "deadline_passed"
    assert join(person, OCTOBER).started_as is Beginning.RETURNED


def test_a_payment_made_in_time_but_recorded_late_takes_the_lapse_back(session: Session, make: Make) -> None:
    person = make.prospect()
    spell = join(person, date(2019, 4, 2))
    services.lapse_overdue(session, OCTOBER, at=noon(OCTOBER))
    assert spell.ended_on == date(2019, 10, 1)
    pay(person, date(2019, 9, 30), at=noon(OCTOBER))
    assert (spell.ended_on, spell.ended_as, person.stage) == (None, None, Stage.JOINED)


def test_support_ends_with_the_cap_of_a_whole_life(session: Session, make: Make) -> None:
    person = make.prospect()
    paid_long_ago(make, person, Month(2008, 1), 118)
    join(person, OCTOBER, months=6)
    assert queries.helped_before(session, person).by_the_state == 120
    last = session.scalars(queries.standing_payments(person).limit(1)).one()
    assert (last.supported_months, last.state_support) == (2, 2 * 15_400)


def test_taking_back_a_first_payment_leaves_no_trace_in_the_counts(session: Session, make: Make) -> None:
    person, manager = make.prospect(stage=Stage.AGREED), make.user(Role.MANAGER)
    spell = join(person, OCTOBER)
    payment = session.scalars(select(Payment)).one()
    services.reverse_payment(session, payment, by=manager, at=noon(OCTOBER))
    assert spell.withdrawn_at is not None
    assert months(session, person) == []
    assert person.stage is Stage.AGREED
    assert session.scalar(select(func.sum(Payment.own))) == 0
    assert join(person, OCTOBER).started_as is Beginning.JOINED


def test_only_the_last_payment_can_be_taken_back_and_only_once(session: Session, make: Make) -> None:
    person, manager = make.prospect(), make.user(Role.MANAGER)
    spell = join(person, date(2019, 4, 2))
    first = session.scalars(select(Payment)).one()
    second = pay(person, date(2019, 7, 2))
    with pytest.raises(RuleBroken) as refusal:
        services.reverse_payment(session, first, by=manager, at=noon(OCTOBER))
    assert refusal.value.code == "not_the_last_payment"
    services.reverse_payment(session, second, by=manager, at=noon(OCTOBER))
    assert (spell.paid_through, spell.deadline_on) == (date(2019, 6, 1), date(2019, 9, 30))
    with pytest.raises(Conflict) as again:
        services.reverse_payment(session, second, by=manager, at=noon(OCTOBER))
    assert again.value.code == "reversed_already"
    pay(person, date(2019, 9, 30))


@pytest.mark.parametrize("ending", list(Ending)[1:])
def test_someone_stops_for_a_reason(session: Session, make: Make, ending: Ending) -> None:
    person = make.prospect()
    spell = join(person, date(2019, 7, 1))
    services.stop(session, spell, on=OCTOBER, ending=ending, by=make.user(Role.MANAGER), at=noon(OCTOBER))
    assert spell.ended_as is ending
    assert person.stage is (Stage.LAPSED if ending in (Ending.STOPPED, Ending.LUMP_SUM) else Stage.NOT_ELIGIBLE)
    with pytest.raises(Conflict):
        services.stop(session, spell, on=OCTOBER, ending=ending, by=None, at=noon(OCTOBER))


def test_a_volunteer_hands_over_and_the_stock_does_not_move(session: Session, make: Make) -> None:
    person, volunteer = make.prospect(), make.user(Role.VOLUNTEER)
    services.hand_over(session, person, by=volunteer, at=noon(OCTOBER))
    assert person.stage is Stage.AGREED
    assert person.next_contact_on == date(2019, 10, 17)
    assert queries.open_spell(session, person) is None


@pytest.mark.committed
def test_of_two_who_enrol_the_same_person_at_once_one_is_told(app: Flask, make: Make) -> None:
    with transaction():
        person_id, town_id = make.prospect().id, make.town.id
    together, answers = threading.Barrier(2), list[Any]()

    def act() -> None:
        with app.app_context():
            try:
                with transaction() as session:
                    person = session.get_one(Prospect, (town_id, person_id))
                    together.wait(timeout=10)
                    answers.append(join(person, OCTOBER).income)
            except Conflict as refusal:
                answers.append(refusal.code)

    threads = [threading.Thread(target=act) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers, key=str) == [FLOOR, "takes_part_already"]
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(Participation)) == 1
        assert session.scalar(select(func.count()).select_from(ParticipantMonth)) == 3


@pytest.mark.committed
def test_the_database_itself_refuses_two_spells_at_once(session: Session, make: Make) -> None:
    with transaction():
        person = make.prospect()
        join(person, date(2019, 10, 1))
    with pytest.raises(Conflict) as refusal, transaction(), services._in_words(session):
        row = session.scalars(select(Participation)).one()
        kept = ("town_id", "prospect_id", "place_id", "income", "method", "started_as")
        session.add(Participation(**{name: getattr(row, name) for name in kept}, started_on=OCTOBER))
        session.flush()
    assert refusal.value.code == "takes_part_already"


def test_who_says_why_they_stop_was_asked_that_day(session: Session, make: Make) -> None:
    who = make.prospect()
    row = join(who, date(2019, 9, 2))
    told: dict[str, Any] = {"ending": Ending.STOPPED, "by": None, "at": noon(date(2019, 10, 15))}
    services.stop(session, row, on=date(2019, 10, 1), because=StopReason.FAMILY, **told)
    assert (row.stop_reason, row.asked_on) == (StopReason.FAMILY, date(2019, 10, 15))


def test_nobody_pays_a_second_year_while_the_first_has_long_to_run(session: Session, make: Make) -> None:
    person, day = make.prospect(), date(2026, 7, 15)
    agent = agent_of(make, person)
    given: dict[str, Any] = {"income": 1_500_000, "basis": Basis.TAKEN, "by": agent, "months": 12}
    join(person, day, receipt_number="C45-1", **given)
    for plan in (Plan.periodic(12), Plan.years_ahead(4)):
        with pytest.raises(RuleBroken, match="6/2027") as refusal:
            pay(person, day, receipt_number="C45-2", plan=plan, **given)
        assert refusal.value.code == "paid_too_early"
    assert months(session, person)[-1] == "2027-06"
    pay(person, date(2027, 6, 1), receipt_number="C45-2", **given)
    assert months(session, person)[-1] == "2028-06"


def test_what_the_insurance_office_says_it_took_is_recorded_however_early(session: Session, make: Make) -> None:
    person, manager = make.prospect(), make.user(Role.MANAGER)
    join(person, date(2026, 7, 15), income=1_500_000, months=12)
    pay(person, date(2026, 7, 20), income=1_500_000, by=manager, confirmation="D05 7/2026", months=12, office_says=True)
    assert months(session, person)[-1] == "2028-06"
