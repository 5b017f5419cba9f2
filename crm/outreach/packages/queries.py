"""Whom a package could hold, how far each package is, and what came back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from crm.accounts.models import ChangeRecord, User
from crm.accounts.queries import Scope
from crm.accounts.rules import Reach
from crm.errors import NotFound
from crm.outreach.models import Visit
from crm.outreach.packages.models import PackageItem, WorkPackage
from crm.outreach.packages.rules import Door, House, Settled, days_left, first_houses, walk
from crm.outreach.rules import REACHED
from crm.places.models import Place
from crm.premiums.queries import law, old_enough_on
from crm.prospects.models import Prospect
from crm.prospects.queries.facts import Facts, facts_of, named_by_id
from crm.prospects.queries.lists import Filters, people
from crm.prospects.queries.seeing import listed_to, visible_to
from crm.prospects.reading.values import said_once
from crm.prospects.rules import Ground, Stage
from crm.web.pager import Page, read_cursor, write_cursor

NOT_MET_YET = (Stage.NEW, Stage.UNREACHED)
STILL_TO_BE_WON = tuple(stage for stage in Stage if stage not in (Stage.JOINED, Stage.NOT_ELIGIBLE))
MOST_WALKED = 5000
"""People of a list that are put into the order of a walk; a neighbourhood has some hundreds."""
MOST_RUNNING = 200

# ---- who could be in one


@dataclass(frozen=True)
class Asked:
    """Out of whom a package is to be cut; without stages, out of those nobody has met."""

    place_ids: tuple[UUID, ...] | None = None
    neighbourhood_id: UUID | None = None
    stages: tuple[Stage, ...] = NOT_MET_YET
    standing: Ground | None = None
    listed: Select[Prospect] | None = None
    """A saved list, narrowed to what whoever asks may see."""

    @property
    def filters(self) -> Filters:
        return Filters(place_ids=self.place_ids, neighbourhood_id=self.neighbourhood_id, standing=self.standing)


class Elsewhere(NamedTuple):
    """People of the same kind who stand on somebody's list already."""

    name: str
    people: int


@dataclass(frozen=True)
class Proposal:
    """The people a package would hold, in the order of the walk, and what it leaves out."""

    people: list[Facts]
    free: int
    """How many there are in all whom nobody looks after."""
    elsewhere: list[Elsewhere]


def _asked_for(session: Session, scope: Scope, asked: Asked, today: date) -> Select[Prospect]:
    """People of that kind; a child who may not join yet is nobody to call on."""
    may_join = old_enough_on(today, law(session))
    query = people(scope, asked.filters, today=today).where(Prospect.stage.in_(asked.stages), may_join)
    if asked.listed is None:
        return query
    return query.where(Prospect.id.in_(asked.listed.with_only_columns(Prospect.id).order_by(None)))


def _nobody_has() -> ColumnElement[bool]:
    in_one = select(PackageItem.id).where(
        PackageItem.town_id == Prospect.town_id,
        PackageItem.prospect_id == Prospect.id,
        PackageItem.settled_at.is_(None),
    )
    return and_(Prospect.volunteer_id.is_(None), ~in_one.exists())


def proposal(session: Session, scope: Scope, asked: Asked, *, size: int, today: date) -> Proposal:
    """So many people from the beginning of the walk whom nobody looks after, and who has the others."""
    kind = _asked_for(session, scope, asked, today)
    chosen = _first(session, kind, size)
    rows = in_order(session.scalars(select(Prospect).where(listed_to(scope), Prospect.id.in_(chosen))), chosen)
    free = kind.where(_nobody_has()).with_only_columns(func.count())
    return Proposal(
        facts_of(session, scope.town_id, rows, today),
        session.scalar(free) or 0,
        _elsewhere(session, kind),
    )


def first_to_walk(session: Session, scope: Scope, asked: Asked, *, size: int, today: date) -> list[UUID]:
    """The ids of so many people from the beginning of the walk; nobody's house is torn apart."""
    return _first(session, _asked_for(session, scope, asked, today), size)


def _first(session: Session, kind: Select[Prospect], size: int) -> list[UUID]:
    return first_houses(walk(_doors(session, kind.where(_nobody_has()))), size)


def in_order(rows: Iterable[Prospect], ids: Sequence[UUID]) -> list[Prospect]:
    """These people as the ids stand; who is not among them is left out."""
    by_id = {row.id: row for row in rows}
    return [by_id[one] for one in ids if one in by_id]


def houses_of(session: Session, scope: Scope, ids: Collection[UUID]) -> list[House]:
    """The houses of these people in the order of the walk, as far as this person may see them."""
    return walk(_doors(session, select(Prospect).where(listed_to(scope), Prospect.id.in_(ids))))


def _doors(session: Session, query: Select[Prospect]) -> list[Door]:
    ward, part = aliased(Place), aliased(Place)
    rows = session.execute(
        query.outerjoin(ward, and_(ward.town_id == Prospect.town_id, ward.id == Prospect.place_id))
        .outerjoin(part, and_(part.town_id == Prospect.town_id, part.id == Prospect.neighbourhood_id))
        .with_only_columns(
            Prospect.id, Prospect.address, ward.name, part.name, Prospect.household_id, Prospect.name_key
        )
        .order_by(ward.name, part.name, Prospect.address, Prospect.id)
        .limit(MOST_WALKED)
    )
    return [
        Door(id, address, f"{ward_name} {part_name or ''}", household, name_key)
        for id, address, ward_name, part_name, household, name_key in rows
    ]


def _elsewhere(session: Session, kind: Select[Prospect]) -> list[Elsewhere]:
    """Who has people of that kind already, and how many."""
    query = (
        kind.join(User, and_(User.town_id == Prospect.town_id, User.id == Prospect.volunteer_id))
        .with_only_columns(User.full_name, func.count())
        .group_by(User.id, User.full_name)
        .order_by(func.count().desc(), User.full_name)
    )
    return [Elsewhere(*row) for row in session.execute(query)]


# ---- packages


def seen_by(scope: Scope) -> ColumnElement[bool]:
    """The one condition on packages: a volunteer's own, a lead's unit and what they gave, everybody's for the office."""
    here = WorkPackage.town_id == scope.town_id
    if scope.reach is Reach.ALL:
        return here
    if scope.reach is Reach.OWN:
        return and_(here, WorkPackage.volunteer_id == scope.user_id)
    if scope.reach is Reach.NOTHING:
        return false()
    unit = select(User.id).where(User.town_id == scope.town_id)
    if scope.organisation_id:
        unit = unit.where(User.organisation_id == scope.organisation_id)
    if scope.place_ids is not None:
        unit = unit.where(User.place_id.in_(scope.place_ids))
    return and_(here, or_(WorkPackage.given_by_id == scope.user_id, WorkPackage.volunteer_id.in_(unit)))


@dataclass(frozen=True)
class Progress:
    """A package, whose it is, and how far it is."""

    package: WorkPackage
    volunteer: str
    people: int = 0
    met: int = 0
    returned: int = 0
    handed_on: int = 0

    @property
    def left(self) -> int:
        """Who is still to be met."""
        return self.people - self.met - self.returned - self.handed_on

    def days_left(self, today: date) -> int:
        """Days that are left, the last one included."""
        return days_left(self.package.until, today)


def met() -> ColumnElement[bool]:
    """Whether the person of an item was met since the package was given, or takes part; of rows of `_items()`."""
    talked = select(Visit.id).where(
        Visit.town_id == PackageItem.town_id,
        Visit.prospect_id == PackageItem.prospect_id,
        Visit.occurred_at >= WorkPackage.counts_from,
        Visit.withdrawn_at.is_(None),
        Visit.outcome.in_(REACHED),
    )
    return or_(talked.exists(), Prospect.stage == Stage.JOINED)


def items() -> Select[PackageItem, Prospect, bool]:
    """Items with their people and whether each was met; to be narrowed."""
    of_package = and_(WorkPackage.town_id == PackageItem.town_id, WorkPackage.id == PackageItem.package_id)
    of_person = and_(Prospect.town_id == PackageItem.town_id, Prospect.id == PackageItem.prospect_id)
    return (
        select(PackageItem, Prospect, met())
        .select_from(PackageItem)
        .join(WorkPackage, of_package)
        .join(Prospect, of_person)
    )


def _with_progress(session: Session, query: Select[WorkPackage]) -> list[Progress]:
    """These packages with how far each is: two queries however many they are."""
    named = query.join(User, and_(User.town_id == WorkPackage.town_id, User.id == WorkPackage.volunteer_id))
    rows = session.execute(named.with_only_columns(WorkPackage, User.full_name)).all()
    if not rows:
        return []
    open_ = PackageItem.settled_at.is_(None)
    counts = (
        items()
        .with_only_columns(
            PackageItem.package_id,
            func.count(),
            func.count().filter(or_(PackageItem.settled == Settled.MET, and_(open_, met()))),
            func.count().filter(PackageItem.settled == Settled.RETURNED),
            func.count().filter(PackageItem.settled == Settled.HANDED_ON),
        )
        .where(
            PackageItem.town_id == rows[0][0].town_id, PackageItem.package_id.in_([package.id for package, _ in rows])
        )
        .group_by(PackageItem.package_id)
    )
    counted = {row[0]: row[1:] for row in session.execute(counts)}
    return [Progress(package, name, *counted.get(package.id, ())) for package, name in rows]


def running(session: Session, scope: Scope) -> list[Progress]:
    """Packages that are out, those that end first before the others."""
    query = select(WorkPackage).where(seen_by(scope), WorkPackage.ended_at.is_(None))
    return _with_progress(session, query.order_by(WorkPackage.until, WorkPackage.id).limit(MOST_RUNNING))


def running_of(session: Session, scope: Scope) -> list[Progress]:
    """The packages this person carries."""
    query = select(WorkPackage).where(
        WorkPackage.town_id == scope.town_id,
        WorkPackage.volunteer_id == scope.user_id,
        WorkPackage.ended_at.is_(None),
    )
    return _with_progress(session, query.order_by(WorkPackage.until, WorkPackage.id))


def ended(session: Session, scope: Scope, *, most: int) -> list[Progress]:
    """Packages that came back, the latest first."""
    query = select(WorkPackage).where(seen_by(scope), WorkPackage.ended_at.is_not(None))
    return _with_progress(session, query.order_by(WorkPackage.ended_at.desc(), WorkPackage.id).limit(most))


def ended_for(session: Session, scope: Scope, since: datetime) -> list[Progress]:
    """Packages that this person carried or gave and that came back since a moment, the latest first."""
    query = select(WorkPackage).where(
        WorkPackage.town_id == scope.town_id,
        or_(WorkPackage.volunteer_id == scope.user_id, WorkPackage.given_by_id == scope.user_id),
        WorkPackage.ended_at >= since,
    )
    found = _with_progress(session, query.order_by(WorkPackage.ended_at.desc(), WorkPackage.id))
    return [one for one in found if one.returned]


def page_of(
    session: Session, scope: Scope, *, volunteer_id: UUID | None, out: bool | None, cursor: str | None, size: int
) -> Page[Progress]:
    """One page of packages, the latest given first; `out` narrows to those that are out, or that ended."""
    query = select(WorkPackage).where(seen_by(scope))
    if volunteer_id:
        query = query.where(WorkPackage.volunteer_id == volunteer_id)
    if out is not None:
        query = query.where(WorkPackage.ended_at.is_(None) if out else WorkPackage.ended_at.is_not(None))
    if cursor:
        place = tuple_(*read_cursor(cursor, (datetime.fromisoformat, UUID)))
        query = query.where(tuple_(WorkPackage.given_at, WorkPackage.id) < place)
    rows = _with_progress(session, query.order_by(WorkPackage.given_at.desc(), WorkPackage.id.desc()).limit(size + 1))
    last = rows[size - 1].package if len(rows) > size else None
    return Page(rows[:size], write_cursor((last.given_at.isoformat(), last.id)) if last else None)


def package_seen(session: Session, scope: Scope, package_id: UUID) -> Progress:
    """One package this person may see. Raises NotFound."""
    found = _with_progress(session, select(WorkPackage).where(seen_by(scope), WorkPackage.id == package_id))
    if not found:
        raise NotFound
    return found[0]


class Member(NamedTuple):
    """Somebody in a package, and whether they were met since it was given."""

    item: PackageItem
    person: Prospect
    met: bool
    home: str
    """House, neighbourhood and ward: every ward has a Khu phố 1."""


def members(session: Session, scope: Scope, package: WorkPackage) -> list[Member]:
    """The people of a package in the order of the walk, as far as this person may see them."""
    query = items().where(PackageItem.town_id == package.town_id, PackageItem.package_id == package.id)
    rows = session.execute(query.where(visible_to(scope)).order_by(PackageItem.position, PackageItem.id)).all()
    homes = [(person.place_id, person.neighbourhood_id) for _item, person, _met in rows]
    places = named_by_id(session, Place, package.town_id, homes)
    return [Member(item, person, bool(was_met), _home(person, places)) for item, person, was_met in rows]


def _home(person: Prospect, places: Mapping[UUID, Place]) -> str:
    near = places[person.neighbourhood_id].name if person.neighbourhood_id else None
    return ", ".join(filter(None, (said_once(person.address, near), near, places[person.place_id].name)))


class Extension(NamedTuple):
    """Somebody gave a package more time."""

    at: datetime
    by: str | None
    until: date


def extensions(session: Session, package: WorkPackage) -> list[Extension]:
    """How often a package was given more time, the latest first."""
    query = (
        select(ChangeRecord, User.full_name)
        .outerjoin(User, and_(User.town_id == ChangeRecord.town_id, User.id == ChangeRecord.user_id))
        .where(
            ChangeRecord.town_id == package.town_id,
            ChangeRecord.subject_id == package.id,
            ChangeRecord.act == "extend_package",
        )
        .order_by(ChangeRecord.at.desc(), ChangeRecord.id.desc())
    )
    return [
        Extension(record.at, by, date.fromisoformat(str((record.after or {})["until"])))
        for record, by in session.execute(query)
    ]


# ---- what was delivered to whoever has the person now


class Delivered(NamedTuple):
    """A visit that came in late, for whoever has the person now."""

    visit: Visit
    person: Prospect
    by: str


def delivered_to(session: Session, scope: Scope, since: datetime) -> list[Delivered]:
    """Visits to people of mine that somebody recorded after they had left their hands, the latest first."""
    query = (
        select(Visit, Prospect, User.full_name)
        .join(Prospect, and_(Prospect.town_id == Visit.town_id, Prospect.id == Visit.prospect_id))
        .join(User, and_(User.town_id == Visit.town_id, User.id == Visit.user_id))
        .where(listed_to(scope), Prospect.volunteer_id == scope.user_id, Visit.user_id != scope.user_id)
        .where(Visit.handed_on, Visit.recorded_at >= since, Visit.withdrawn_at.is_(None))
        .order_by(Visit.recorded_at.desc(), Visit.id)
    )
    return [Delivered(*row) for row in session.execute(query)]


def delivered_by(session: Session, scope: Scope, since: datetime) -> int:
    """How many visits of mine came in after the people had left my hands: nobody of them is named."""
    query = select(func.count()).where(
        Visit.town_id == scope.town_id,
        Visit.user_id == scope.user_id,
        Visit.handed_on,
        Visit.recorded_at >= since,
        Visit.withdrawn_at.is_(None),
    )
    return session.scalar(query) or 0
