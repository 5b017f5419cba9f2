"""Which points there are, who works there, and which are near a place."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from crm.accounts.queries import Scope, leads_all_of
from crm.accounts.rules import OrganisationKind
from crm.collecting.models import CollectionPoint, CollectionStaff, CollectionTraining, ServedWard
from crm.collecting.rules import Candidate, Trained, is_open, nearest, trained
from crm.db import one_found
from crm.places.boundaries import Boundaries
from crm.places.models import Place
from crm.web.pager import Page, page

MOST_POINTS = 500
MOST_STAFF = 100


def is_the_insurances(session: Session, scope: Scope) -> bool:
    """Whether somebody leads the insurance office of the whole town: it answers for the network."""
    return leads_all_of(session, scope, OrganisationKind.SOCIAL_INSURANCE)


def working(day: date) -> ColumnElement[bool]:
    """Points that work on a day."""
    return and_(CollectionPoint.since <= day, or_(CollectionPoint.until.is_(None), CollectionPoint.until >= day))


class Near(NamedTuple):
    """A point with the name of the ward it stands in; `near`: in the ward asked for or serving it."""

    point: CollectionPoint
    place: str
    near: bool


def near_to(session: Session, town_id: UUID, ward: UUID | None, address: str, drawn: Boundaries) -> list[Near]:
    """The points that work on the day of the boundaries, the nearest to a ward of them first, by ward and address."""
    here = _points(CollectionPoint.town_id == town_id, working(drawn.day))
    query = here.order_by(CollectionPoint.name, CollectionPoint.id).limit(MOST_POINTS)
    found = {row[0].id: (row[0], row[1]) for row in session.execute(query)}
    served = served_by(session, town_id, found)
    candidates = [
        Candidate(
            key,
            point.name,
            point.address,
            drawn.unit_of(point.place_id),
            {drawn.unit_of(one) for one in served.get(key, ())},
        )
        for key, (point, _place) in found.items()
    ]
    close = {one.id for one in candidates if ward and (one.stands_in == ward or ward in one.serves)}
    return [Near(*found[key], key in close) for key in nearest(candidates, ward, address)]


def served_by(session: Session, town_id: UUID, point_ids: Collection[UUID]) -> Mapping[UUID, list[UUID]]:
    """The wards that points serve besides their own."""
    query = select(ServedWard.point_id, ServedWard.place_id).where(
        ServedWard.town_id == town_id, ServedWard.point_id.in_(list(point_ids))
    )
    found: dict[UUID, list[UUID]] = {}
    for point_id, place_id in session.execute(query):
        found.setdefault(point_id, []).append(place_id)
    return found


class Line(NamedTuple):
    """A point in the office's list: how many work there, and of how many the training is missing, ended or ending."""

    point: CollectionPoint
    place: str
    staff: int
    to_train: int


def lines(session: Session, town_id: UUID, today: date, *, most: int, skip: int) -> list[Line]:
    """The points by ward and name, those that work first."""
    order = working(today).desc(), Place.code, CollectionPoint.name, CollectionPoint.id
    query = _points(CollectionPoint.town_id == town_id).order_by(*order).limit(most).offset(skip)
    return _lines(session, town_id, today, session.execute(query).all())


def page_of(session: Session, town_id: UUID, today: date, *, cursor: str | None, size: int) -> Page[Line]:
    """One page of the points for a program that reads them all, by id. Raises RuleBroken for a cursor that is none."""
    query: Any = _points(CollectionPoint.town_id == town_id)
    order, kinds = (CollectionPoint.id,), (UUID,)
    found = page(session, query, order, cursor=cursor, size=size, kinds=kinds, key=lambda row: (row[0].id,))
    return Page(_lines(session, town_id, today, found.rows), found.next)


def _points(*where: ColumnElement[bool]) -> Select[CollectionPoint, str]:
    """Points with the name of the ward they stand in."""
    ward = and_(Place.town_id == CollectionPoint.town_id, Place.id == CollectionPoint.place_id)
    return select(CollectionPoint, Place.name).join(Place, ward).where(*where)


def _lines(session: Session, town_id: UUID, today: date, rows: Sequence[Row[CollectionPoint, str]]) -> list[Line]:
    people = staff_of(session, town_id, [row[0].id for row in rows])
    told = []
    for point, place in rows:
        here = [one for one in people.get(point.id, ()) if is_open(one.row.since, one.row.until, today)]
        late = [one for one in here if one.stands(today) is not Trained.VALID]
        told.append(Line(point, place, len(here), len(late)))
    return told


class Member(NamedTuple):
    """Somebody at a point, with their trainings, the last first."""

    row: CollectionStaff
    trainings: Sequence[CollectionTraining]

    def stands(self, today: date) -> Trained:
        return trained((one.valid_until for one in self.trainings), today)


def staff_of(session: Session, town_id: UUID, point_ids: Collection[UUID]) -> Mapping[UUID, list[Member]]:
    """Who works or worked at points, by name."""
    here = CollectionStaff.town_id == town_id, CollectionStaff.point_id.in_(list(point_ids))
    found = session.scalars(
        select(CollectionStaff)
        .where(*here)
        .order_by(CollectionStaff.until.is_not(None), CollectionStaff.full_name, CollectionStaff.id)
        .limit(MOST_STAFF * max(len(point_ids), 1))
    ).all()
    theirs = CollectionTraining.town_id == town_id, CollectionTraining.staff_id.in_([one.id for one in found])
    trainings: dict[UUID, list[CollectionTraining]] = {}
    rows = select(CollectionTraining).where(*theirs, CollectionTraining.withdrawn_at.is_(None))
    for row in session.scalars(rows.order_by(CollectionTraining.held_on.desc(), CollectionTraining.id)):
        trainings.setdefault(row.staff_id, []).append(row)
    told: dict[UUID, list[Member]] = {}
    for one in found:
        told.setdefault(one.point_id, []).append(Member(one, trainings.get(one.id, [])))
    return told


class Summary(NamedTuple):
    """The network on a day."""

    points: int
    staff: int
    wards: int


def summary(session: Session, town_id: UUID, day: date) -> Summary:
    """How many points work on a day, with how many people, in how many wards and communes."""
    here = and_(CollectionPoint.town_id == town_id, working(day))
    points, wards = session.execute(
        select(func.count(), func.count(CollectionPoint.place_id.distinct())).where(here)
    ).one()
    staff = session.scalar(
        select(func.count())
        .select_from(CollectionStaff)
        .join(
            CollectionPoint,
            and_(CollectionPoint.town_id == CollectionStaff.town_id, CollectionPoint.id == CollectionStaff.point_id),
        )
        .where(
            here,
            CollectionStaff.since <= day,
            or_(CollectionStaff.until.is_(None), CollectionStaff.until >= day),
        )
    )
    return Summary(points, staff or 0, wards)


def point_of(session: Session, town_id: UUID, point_id: UUID, *, lock: bool = False) -> CollectionPoint:
    """One point. Raises NotFound."""
    mine = CollectionPoint.town_id == town_id, CollectionPoint.id == point_id
    return one_found(session, select(CollectionPoint).where(*mine), lock=lock)


def member_of(session: Session, town_id: UUID, staff_id: UUID, *, lock: bool = False) -> CollectionStaff:
    """Somebody at a point. Raises NotFound."""
    mine = CollectionStaff.town_id == town_id, CollectionStaff.id == staff_id
    return one_found(session, select(CollectionStaff).where(*mine), lock=lock)


def training_of(session: Session, town_id: UUID, training_id: UUID, *, lock: bool = False) -> CollectionTraining:
    """A training that was noted. Raises NotFound."""
    mine = CollectionTraining.town_id == town_id, CollectionTraining.id == training_id
    return one_found(session, select(CollectionTraining).where(*mine), lock=lock)
