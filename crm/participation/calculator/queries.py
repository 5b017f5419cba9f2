"""What the calculator asks, as far as the record answers it of somebody."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from crm.months import Month
from crm.participation import months
from crm.participation.calendar import State
from crm.participation.queries import grounds_on, helped_before, open_spell
from crm.participation.rules import USUAL
from crm.places.boundaries import boundaries
from crm.places.models import Place
from crm.premiums.rules.keys import PERIODS, Method
from crm.premiums.rules.law import Law
from crm.prospects.models import Prospect


class Home(NamedTuple):
    """The ward or commune somebody lives in today, and every place whose additions hold for them."""

    unit: Place
    around: frozenset[UUID]


def home_of(session: Session, person: Prospect, today: date) -> Home:
    """Where somebody lives, in the boundaries of today."""
    drawn = boundaries(session, person.town_id, today)
    unit = drawn.unit_of(person.place_id, person.neighbourhood_id)
    around = drawn.around(person.place_id, person.neighbourhood_id)
    return Home(session.get_one(Place, (person.town_id, unit)), around)


def next_due_of(session: Session, person: Prospect) -> tuple[Month, date] | None:
    """The next month that somebody who takes part has to pay, and the last day for it."""
    spell = open_spell(session, person)
    if spell is None or spell.paid_through is None or spell.deadline_on is None:
        return None
    return Month.of(spell.paid_through) + 1, spell.deadline_on


def known_of(session: Session, person: Prospect, law: Law, today: date, home: Home) -> dict[str, str | list[str]]:
    """The calculator's answers as its form holds them, by name, every ground among them; what is not known is left out.

    Months since the State began to help of which only a list tells do not say whether it did: then nobody knows how many
    it helped with. What the months cost is known where no month is known from a list alone.
    """
    spell, told = open_spell(session, person), months.told(session, person, law, today)
    helped = helped_before(session, person)
    listed = any(month.state is State.LISTED for month in told.calendar.months)
    at_once = spell.method or PERIODS[Method.MONTHLY] if spell else PERIODS[USUAL]
    known: dict[str, str | list[str]] = {
        "ground": [str(ground) for ground in sorted(grounds_on(session, person, today))],
        "place": home.unit.code or "",
        "months": str(at_once),
        "sex": str(person.sex or ""),
        "paid": str(told.for_pension),
        "supported": "" if told.unsure else str(helped.by_the_state),
        "local": str(helped.by_the_place),
    }
    if told.calendar.paid == told.for_pension and told.calendar.paid and not listed:
        known["own"] = f"{told.calendar.paid}:{told.calendar.cost.own}"
    if spell:
        known["income"] = str(max(spell.income, law.on(today).floor))
    if person.birth_date or person.birth_year:
        born = Month.of(person.birth_date) if person.birth_date else Month(person.birth_year or 0, 1)
        known |= {"born_month": str(born.number), "born_year": str(born.year)}
    return known
