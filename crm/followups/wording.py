"""What somebody would pay, in the words of the reader."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from crm import clock
from crm.accounts.gateway import current_user
from crm.db import session
from crm.errors import RuleBroken
from crm.months import Month
from crm.outreach.rules import Figures
from crm.places.boundaries import boundaries
from crm.premiums.queries import all_top_ups
from crm.premiums.rules.law import Law, LocalTopUp, holding
from crm.premiums.rules.quotes import Plan
from crm.premiums.rules.quotes import quote as quote_of
from crm.prospects.queries.facts import Facts
from crm.prospects.rules import Ground
from crm.web.filters import vnd
from crm.web.language import chosen


def figures_of(people: Iterable[Facts], law: Law) -> dict[UUID, Figures]:
    """What each of these people would pay a month on the least income, where they live and by the law of today, by their
    ids; nothing where the law is silent."""
    people, day, town_id = list(people), clock.today(), current_user().town_id
    top_ups = all_top_ups(session(), town_id) if people else []
    drawn = boundaries(session(), town_id, day) if any(one.place for one in top_ups) else None
    found: dict[UUID, Figures] = {}
    known: dict[tuple[Ground, frozenset[UUID]], Figures | None] = {}
    for one in people:
        who = one.person
        key = one.standing, drawn.around(who.place_id, who.neighbourhood_id) if drawn else frozenset()
        if key not in known:
            known[key] = _figures(law, one.standing, holding(top_ups, day, key[1]))
        if figures := known[key]:
            found[who.id] = figures
    return found


def _figures(law: Law, ground: Ground, top_ups: Iterable[LocalTopUp]) -> Figures | None:
    day = clock.today()
    try:
        floor = law.on(day).floor
        told = quote_of(law, floor, [ground], Month.of(day), day, Plan.periodic(1), local_top_ups=top_ups)
    except RuleBroken:
        return None
    own, state, local = (vnd(part, chosen()) for part in (told.payable, told.state_support, told.local_support))
    return Figures(own, state, local if told.local_support else None)
