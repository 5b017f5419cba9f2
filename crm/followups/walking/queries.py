"""What a printed list shows of each house."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from crm.accounts.queries import Scope
from crm.outreach.packages.models import WorkPackage
from crm.outreach.packages.queries import Member, houses_of, members
from crm.outreach.queries import Tried, tried
from crm.prospects.queries.facts import Facts, facts_of

NOT_YET_TRIED = Tried(0, ())


@dataclass(frozen=True)
class Caller:
    """Somebody to call on, and how often that was tried."""

    position: int
    facts: Facts
    tried: Tried


@dataclass(frozen=True)
class Door:
    """A house of the list, and who is to be met in it."""

    address: str | None
    people: list[Caller]


def doors(session: Session, scope: Scope, package: WorkPackage, today: date) -> list[Door]:
    """The houses of a package where somebody is still to be met, in the order of the walk."""
    left = [one for one in members(session, scope, package) if one.item.settled_at is None and not one.met]
    by_id = {one.person.id: one for one in left}
    facts = {one.person.id: one for one in facts_of(session, scope.town_id, [one.person for one in left], today)}
    times = tried(session, scope.town_id, list(by_id)) if left else {}

    def caller(member: Member) -> Caller:
        key = member.person.id
        return Caller(member.item.position, facts[key], times.get(key, NOT_YET_TRIED))

    found = [
        Door(house.address, [caller(by_id[one]) for one in house.ids])
        for house in houses_of(session, scope, list(by_id))
    ]
    return sorted(found, key=lambda door: door.people[0].position)
