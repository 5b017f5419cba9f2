"""Giving packages of people, giving them more time, and letting them come back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID, uuid5

from flask_babel import lazy_gettext as _l
from sqlalchemy import not_, select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import Scope, volunteers_for
from crm.accounts.rules import May
from crm.accounts.services import note_change_of
from crm.clock import at as moment_of
from crm.clock import local_day
from crm.errors import Conflict, NotFound, RuleBroken
from crm.ids import new_id
from crm.outreach.models import Visit
from crm.outreach.packages.models import PackageItem, WorkPackage
from crm.outreach.packages.queries import items, seen_by
from crm.outreach.packages.rules import (
    Ending,
    NewPackage,
    Settled,
    check_size,
    check_until,
    check_words,
    extended,
    settled_as,
)
from crm.outreach.rules import Channel, NewVisit, Outcome
from crm.outreach.services import Hands, hand_over, held_people, record_visit
from crm.premiums.queries import law, old_enough_on
from crm.prospects.models import Prospect
from crm.prospects.queries.seeing import visible_to

AT_ONCE = 20
"""Packages that one transaction of the sweep lets come back."""
NOON = 12

# ---- giving


class Given(NamedTuple):
    """A package, and how many of the people asked for had been given to somebody meanwhile."""

    package: WorkPackage
    people: int
    left_out: int


def give(
    session: Session, scope: Scope, new: NewPackage, prospect_ids: Sequence[UUID], *, by: User, at: datetime
) -> Given:
    """Give people whom nobody looks after to somebody of one's unit, until and including a day, in this order.

    Whoever was given to somebody meanwhile is left out. Raises RuleBroken at the field that is wrong, Conflict
    `given_meanwhile` when nobody is left.
    """
    wanted = list(dict.fromkeys(prospect_ids))
    check_size(len(wanted))
    check_until(new.until, local_day(at))
    check_words(new.name, new.note)
    volunteer = session.scalar(volunteers_for(scope).where(User.id == new.volunteer_id))
    if volunteer is None:
        raise RuleBroken(_l("Choose somebody of your own unit who is active."), field="volunteer")
    _refuse_children(session, scope, wanted, local_day(at))
    free = _free(session, scope, wanted)
    if not free:
        raise Conflict(
            _l("All of these people were given to somebody meanwhile. Look for others."), code="given_meanwhile"
        )
    package = WorkPackage(
        town_id=scope.town_id,
        id=new_id(),
        name=new.name,
        volunteer_id=volunteer.id,
        place_id=new.place_id,
        until=new.until,
        note=new.note,
        given_at=at,
        given_by_id=by.id,
        counts_from=moment_of(local_day(at)),
    )
    session.add(package)
    changes = [Hands(id, None, was, volunteer.id, volunteer.organisation_id or was) for id, was in free.items()]
    hand_over(session, scope.town_id, changes, by=by, at=at, note=new.name)
    for position, prospect_id in enumerate([one for one in wanted if one in free], 1):
        session.add(
            PackageItem(
                town_id=scope.town_id,
                package_id=package.id,
                prospect_id=prospect_id,
                position=position,
                organisation_was_id=free[prospect_id],
            )
        )
    session.flush()
    return Given(package, len(free), len(wanted) - len(free))


def _refuse_children(session: Session, scope: Scope, wanted: Sequence[UUID], today: date) -> None:
    """A child who may not join yet is nobody to call on. Raises RuleBroken with the names of those who are in sight."""
    young = (
        select(Prospect.full_name)
        .where(visible_to(scope), Prospect.id.in_(wanted), not_(old_enough_on(today, law(session))))
        .order_by(Prospect.name_key)
    )
    if names := session.scalars(young).all():
        raise RuleBroken(
            _l("Too young to join: %(names)s. Leave them out.", names=", ".join(names[:5])), field="people"
        )


def _free(session: Session, scope: Scope, wanted: Sequence[UUID]) -> dict[UUID, UUID | None]:
    """Those whom nobody has, with the organisation of each; held, so that nobody else gives them until this is done."""
    held = {row[0]: (row[1], row[2]) for row in held_people(session, scope, wanted)}
    taken = set(
        session.scalars(
            select(PackageItem.prospect_id).where(
                PackageItem.town_id == scope.town_id,
                PackageItem.prospect_id.in_(held),
                PackageItem.settled_at.is_(None),
            )
        )
    )
    return {id: was for id, (volunteer, was) in held.items() if volunteer is None and id not in taken}


# ---- more time


def extend(session: Session, scope: Scope, package_id: UUID, days: int, *, by: User, at: datetime) -> WorkPackage:
    """Some days more. Raises NotFound, RuleBroken when it has ended or the end would be too far away."""
    package = _held_package(session, scope, package_id)
    if package.ended_at is not None:
        raise RuleBroken(_l("This package has ended already. Give the people who are left in a new one."), code="ended")
    before, package.until = package.until, extended(package.until, days, local_day(at))
    note_change_of(
        session,
        package,
        "extend_package",
        by=by,
        at=at,
        before={"until": before.isoformat()},
        after={"until": package.until.isoformat()},
    )
    return package


# ---- coming back


class Ended(NamedTuple):
    """A package that ended: how many came back, and how many stay with the volunteer."""

    package: WorkPackage
    returned: int
    kept: int


def bring_back(
    session: Session,
    scope: Scope,
    package_id: UUID,
    *,
    by: User,
    at: datetime,
    note: str | None = None,
    keep_met: bool = True,
) -> Ended:
    """End a package: handed back by its volunteer, who says why, or taken back by whoever leads.

    Who was not met belongs to nobody again, as before; who was met stays with the volunteer while `keep_met`. A second
    time changes nothing. Raises NotFound, RuleBroken.
    """
    package = _held_package(session, scope, package_id)
    check_walker(package, by)
    own = package.volunteer_id == by.id
    check_words(package.name, note)
    if package.ended_at is not None:
        return Ended(package, 0, 0)
    if own and not note and not by.may(May.ASSIGN):
        raise RuleBroken(_l("Say in a few words why, so that whoever goes next knows."), field="note", code="why")
    ending = Ending.HANDED_BACK if own else Ending.TAKEN_BACK
    return _end(session, package, ending, by=by, at=at, note=note, keep_met=keep_met or own)


def check_walker(package: WorkPackage, by: User) -> None:
    """Only its volunteer and whoever leads may act on a package. Raises NotFound for others."""
    if package.volunteer_id != by.id and not by.may(May.ASSIGN):
        raise NotFound


def return_overdue(session: Session, today: date, *, at: datetime) -> int:
    """Let packages whose last day is past come back, at most `AT_ONCE`; returns how many did. Safe to run again."""
    overdue = (
        select(WorkPackage)
        .where(WorkPackage.ended_at.is_(None), WorkPackage.until < today)
        .order_by(WorkPackage.until, WorkPackage.id)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    found = session.scalars(overdue).all()
    for package in found:
        _end(session, package, Ending.RAN_OUT, by=None, at=at, note=None, keep_met=True)
    return len(found)


def _held_package(session: Session, scope: Scope, package_id: UUID) -> WorkPackage:
    query = select(WorkPackage).where(seen_by(scope), WorkPackage.id == package_id)
    package = session.scalar(query.with_for_update().execution_options(populate_existing=True))
    if package is None:
        raise NotFound
    return package


def _end(
    session: Session,
    package: WorkPackage,
    ending: Ending,
    *,
    by: User | None,
    at: datetime,
    note: str | None,
    keep_met: bool,
) -> Ended:
    """Settle everybody who is still open, and give back who was not met. The package must be held."""
    in_it = (PackageItem.town_id == package.town_id) & (PackageItem.package_id == package.id)
    open_ = items().where(in_it, PackageItem.settled_at.is_(None))
    held = open_.with_only_columns(Prospect.id).order_by(Prospect.id).with_for_update(key_share=True, of=Prospect)
    session.execute(held)
    back: list[Hands] = []
    kept = 0
    for item, person, was_met in session.execute(open_.execution_options(populate_existing=True)):
        with_volunteer = person.volunteer_id == package.volunteer_id and person.merged_into_id is None
        item.settled = settled_as(with_volunteer=with_volunteer, met=bool(was_met), keep_met=keep_met)
        item.settled_at = at
        kept += item.settled is Settled.MET
        if item.settled is Settled.RETURNED:
            organisation = item.organisation_was_id
            back.append(Hands(person.id, person.volunteer_id, person.organisation_id, None, organisation))
    package.ended_at, package.ended_by_id = at, by.id if by else None
    package.ending, package.ended_note = ending, note
    session.flush()
    hand_over(session, package.town_id, back, by=by, at=at)
    return Ended(package, len(back), kept)


# ---- keying in a paper list


@dataclass(frozen=True)
class Written:
    """What somebody ticked on paper for one person."""

    prospect_id: UUID
    outcome: Outcome
    note: str | None = None


class KeyedIn(NamedTuple):
    """How many visits are new, how many were there, and for whom another outcome was there already."""

    new: int
    again: int
    otherwise: tuple[UUID, ...]


def key_in(
    session: Session,
    scope: Scope,
    package_id: UUID,
    written: Sequence[Written],
    *,
    walked_on: date,
    by: User,
    at: datetime,
) -> KeyedIn:
    """Keep what stands on a paper list as visits of the package's volunteer on that day.

    The same list typed twice is there once: a person, a package and a day make one visit. Raises NotFound, RuleBroken.
    """
    package = session.scalar(select(WorkPackage).where(seen_by(scope), WorkPackage.id == package_id))
    volunteer = session.get(User, (scope.town_id, package.volunteer_id)) if package else None
    if package is None or volunteer is None:
        raise NotFound
    check_walker(package, by)
    in_it = select(PackageItem.prospect_id).where(
        PackageItem.town_id == package.town_id, PackageItem.package_id == package.id
    )
    known = set(session.scalars(in_it))
    if any(one.prospect_id not in known for one in written):
        raise RuleBroken(_l("Somebody on this page is not in the package. Open the page again."), field="walked_on")
    occurred_at = _on_the_walk(package, walked_on, at)
    found: dict[UUID, tuple[Visit, bool]] = {}
    for one in written:
        visit = NewVisit(
            client_id=uuid5(package.id, f"{one.prospect_id} {walked_on}"),
            prospect_id=one.prospect_id,
            occurred_at=occurred_at,
            channel=Channel.HOME_VISIT,
            outcome=one.outcome,
            note=one.note,
        )
        found[one.prospect_id] = record_visit(session, scope, visit, by=volunteer, at=at, keyed_by=by)
    return _told(found, written)


def _on_the_walk(package: WorkPackage, walked_on: date, at: datetime) -> datetime:
    """Noon of that day, but not before the package was given and not after now."""
    if walked_on < local_day(package.given_at):
        raise RuleBroken(_l("The walk cannot be before the package was given. Check the day."), field="walked_on")
    if walked_on > local_day(at):
        raise RuleBroken(_l("The day of the walk is still to come. Check the day."), field="walked_on")
    return min(max(moment_of(walked_on, NOON), package.given_at), at)


def _told(found: Mapping[UUID, tuple[Visit, bool]], written: Sequence[Written]) -> KeyedIn:
    new = sum(created for _visit, created in found.values())
    otherwise = tuple(
        one.prospect_id
        for one in written
        if not found[one.prospect_id][1] and found[one.prospect_id][0].outcome is not one.outcome
    )
    return KeyedIn(new, len(found) - new, otherwise)
