"""Spells and payments for tests, told briefly."""

from __future__ import annotations

from datetime import date
from typing import Any

from crm import clock
from crm.accounts.models import User
from crm.accounts.rules import Role
from crm.db import session as current
from crm.months import Month
from crm.participation import services
from crm.participation.models import ParticipantMonth, Participation, Payment
from crm.participation.rules import Basis, Beginning, Ending
from crm.premiums.rules.quotes import Plan
from crm.prospects.models import Prospect
from tests.factories import Make

FLOOR = 700_000
"""The least income of 2019."""


def noon(day: date) -> Any:
    return clock.at(day, 12)


def join(person: Prospect, paid_on: date, *, months: int = 3, start: Month | None = None, **more: Any) -> Participation:
    """Someone joins on the insurance office's word."""
    values: dict[str, Any] = {
        "income": FLOOR,
        "plan": Plan.periodic(months),
        "start": start or Month.of(paid_on),
        "paid_on": paid_on,
        "grounds": (),
        "basis": Basis.CONFIRMED,
        "by": None,
        "at": noon(paid_on),
    }
    payment = services.enrol(current(), person, **values | more)
    return current().get_one(Participation, (payment.town_id, payment.participation_id))


def pay(person: Prospect, paid_on: date, *, months: int = 3, **more: Any) -> Payment:
    """Someone who takes part pays for the next period."""
    values: dict[str, Any] = {
        "income": FLOOR,
        "plan": Plan.periodic(months),
        "paid_on": paid_on,
        "grounds": (),
        "basis": Basis.CONFIRMED,
        "by": None,
        "at": noon(paid_on),
    }
    return services.record_payment(current(), person, **values | more)


def agent_of(make: Make, person: Prospect, **more: Any) -> User:
    """A collection agent who looks after somebody."""
    agent = make.user(Role.AGENT, **more)
    person.volunteer_id = agent.id
    make.session.flush()
    return agent


def paid_long_ago(make: Make, person: Prospect, start: Month, months: int) -> Payment:
    """A spell that is over and its one payment of supported months, as another register may have kept them."""
    end = start + months
    over = spell(make, person, start.first_day, end.first_day, ended_as=Ending.STOPPED)
    row: Payment = make.add(
        Payment(
            town_id=person.town_id,
            participation_id=over.id,
            prospect_id=person.id,
            paid_on=start.first_day,
            start_month=start.first_day,
            months=months,
            method=0,
            income=FLOOR,
            ground="other",
            gross=154_000 * months,
            state_support=15_400 * months,
            local_support=0,
            other_support=0,
            own=138_600 * months,
            supported_months=months,
            law={},
            recorded_at=noon(start.first_day),
            recorded_by_id=None,
        )
    )
    for month in start.run(months):
        make.session.add(
            ParticipantMonth(
                town_id=person.town_id,
                prospect_id=person.id,
                month=month.first_day,
                payment_id=row.id,
                supported=True,
                own=138_600,
                state_support=15_400,
                local_support=0,
                other_support=0,
            )
        )
    make.session.flush()
    return row


def spell(
    make: Make,
    person: Prospect,
    started_on: date,
    ended_on: date | None = None,
    *,
    started_as: Beginning = Beginning.JOINED,
    ended_as: Ending = Ending.LAPSED,
    **more: Any,
) -> Participation:
    """A spell as it stands in the books, without its payments."""
    values: dict[str, Any] = {
        "town_id": person.town_id,
        "prospect_id": person.id,
        "place_id": person.place_id,
        "organisation_id": person.organisation_id,
        "started_on": started_on,
        "started_as": started_as,
        "ended_on": ended_on,
        "ended_as": ended_as if ended_on else None,
        "income": FLOOR,
        "method": 3,
    }
    asked_on = ended_on if more.get("stop_reason") else None
    row: Participation = make.add(Participation(**{"asked_on": asked_on} | values | more))
    return row
