"""What somebody would pay, and what is due of whoever takes part, in the words of the reader."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from uuid import UUID

from crm import clock
from crm.accounts.gateway import current_user
from crm.db import session
from crm.errors import RuleBroken
from crm.followups.queries import Due
from crm.months import Month
from crm.outreach.rules import Figures, PaymentDue
from crm.participation.models import Participation
from crm.participation.queries import Helped, helped_of_all, spells_of_all
from crm.participation.rules import first_day_to_pay
from crm.places.boundaries import boundaries
from crm.premiums.queries import all_top_ups
from crm.premiums.rules.law import Law, LocalTopUp, holding
from crm.premiums.rules.quotes import Plan, Quote, nearest_income
from crm.premiums.rules.quotes import quote as quote_of
from crm.prospects.queries.facts import Facts
from crm.prospects.rules import Ground
from crm.sponsors.queries import spells_money_waits_for
from crm.web.filters import in_day, vnd
from crm.web.language import chosen
from crm.web.once import once


def figures_of(people: Iterable[Facts], law: Law) -> dict[UUID, Figures]:
    """What each of these people would pay a month on the least income, where they live, with the months they were helped
    before and by the law of today, by their ids; nothing where the law is silent."""
    people, day = list(people), clock.today()
    found: dict[UUID, Figures] = {}
    helped = _helped(one.person.id for one in people)
    known: dict[tuple[tuple[Ground, ...], frozenset[UUID], Helped], Figures | None] = {}
    for one in people:
        key = one.grounds_on(day), _around(one, day), helped[one.person.id]
        if key not in known:
            known[key] = _figures(law, key[0], holding(_top_ups(), day, key[1]), key[2])
        if figures := known[key]:
            found[one.person.id] = figures
    return found


def payments_of(due: Iterable[Due], law: Law) -> dict[UUID, PaymentDue]:
    """The payment that each of these is about to owe, or missed: by when, how much from their own pocket for how many
    months, by the law of the first day it may be paid, or that a sponsor's money waits for it."""
    near, town_id, day = (
        {one.person.id: one for one in due if one.task.deadline_on},
        current_user().town_id,
        clock.today(),
    )
    if not near:
        return {}
    spells, helped = spells_of_all(session(), town_id, near), _helped(near)
    carried = set(session().scalars(spells_money_waits_for(town_id, near)))
    found: dict[UUID, PaymentDue] = {}
    for key, one in near.items():
        assert one.task.deadline_on, "only those were taken"
        told = _next_payment(law, one.facts, spells[key], helped[key]) if key in spells else None
        found[key] = PaymentDue(
            by=str(in_day(one.task.deadline_on)),
            missed=one.task.deadline_on < day,
            amount=vnd(told.payable, chosen()) if told else None,
            months=told.plan.months if told else 1,
            opens=str(in_day(told.paid_on)) if told and told.paid_on > day else None,
            carried=key in carried,
        )
    return found


def _next_payment(law: Law, who: Facts, spell: Participation, helped: Helped) -> Quote | None:
    """What the person pays next, the way they paid last, on the first day they may, with the grounds they have
    today; None where the law or the months before are not known."""
    if spell.paid_through is None:
        return None
    start, today = Month.of(spell.paid_through) + 1, clock.today()
    try:
        day = first_day_to_pay(law, start, today)
        return quote_of(
            law,
            nearest_income(law.on(day), spell.income),
            who.grounds_on(today),
            start,
            day,
            Plan.periodic(spell.method or 1),
            supported_before=helped.by_the_state,
            local_top_ups=holding(_top_ups(), day, _around(who, day)),
            local_months_before=helped.by_the_place,
        )
    except RuleBroken:
        return None


def _helped(ids: Iterable[UUID]) -> Mapping[UUID, Helped]:
    """The months each of these people was helped with before, read once while a page is made."""
    town_id = current_user().town_id
    known: dict[UUID, Helped] = once(("helped", town_id), dict)
    if new := set(ids) - known.keys():
        known |= helped_of_all(session(), town_id, new)
    return known


def _top_ups() -> list[LocalTopUp]:
    town_id = current_user().town_id
    return once(("top-ups", town_id), lambda: all_top_ups(session(), town_id))


def _around(one: Facts, day: date) -> frozenset[UUID]:
    """The places whose additions hold on a day where somebody lives; asked only where a place adds something of its own."""
    town_id = current_user().town_id
    if not any(added.place for added in _top_ups()):
        return frozenset()
    drawn = once(("boundaries", town_id, day), lambda: boundaries(session(), town_id, day))
    return drawn.around(one.person.place_id, one.person.neighbourhood_id)


def _figures(law: Law, grounds: tuple[Ground, ...], top_ups: Iterable[LocalTopUp], helped: Helped) -> Figures | None:
    day = clock.today()
    try:
        told = quote_of(
            law,
            law.on(day).floor,
            grounds,
            Month.of(day),
            day,
            Plan.periodic(1),
            supported_before=helped.by_the_state,
            local_top_ups=top_ups,
            local_months_before=helped.by_the_place,
        )
    except RuleBroken:
        return None
    own, state, local = (vnd(part, chosen()) for part in (told.payable, told.state_support, told.local_support))
    return Figures(own, state, local if told.local_support else None)
