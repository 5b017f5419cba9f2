"""The law and the local additions, as they stand on record."""

from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, case, or_, select, true
from sqlalchemy.orm import Session

from crm.places.boundaries import boundaries
from crm.places.models import Place
from crm.places.queries import only_town, units
from crm.places.rules import PlaceKind
from crm.premiums.models import LawValueRow, LocalTopUpRow
from crm.premiums.rules.keys import LawKey
from crm.premiums.rules.law import Law, LocalTopUp, holding
from crm.prospects.models import Prospect

LAW = (
    select(LawValueRow)
    .where(LawValueRow.withdrawn_at.is_(None))
    .order_by(
        LawValueRow.key,
        LawValueRow.ground,
        LawValueRow.effective_from.desc(),
        LawValueRow.of_year,
        LawValueRow.status,
    )
)


def law(session: Session) -> Law:
    """All of the law on record, in one query; ask once for a request and hand it on."""
    return Law(tuple(row.as_value() for row in session.scalars(LAW)))


def old_enough_on(day: date, told: Law) -> ColumnElement[bool]:
    """The people who have reached the least age for joining by a day, as far as their birth is known.

    Of whom only the year is known, from the year they reach it; `participation.rules.old_enough` says it of one.
    """
    today = told.on(day)
    if not today.says(LawKey.LEAST_AGE):
        return true()
    year = day.year - today.number(LawKey.LEAST_AGE)
    latest = date(year, day.month, min(day.day, monthrange(year, day.month)[1]))
    of_year = or_(Prospect.birth_year.is_(None), Prospect.birth_year <= year)
    return case((Prospect.birth_date.is_not(None), Prospect.birth_date <= latest), else_=of_year)


def law_table(session: Session) -> Sequence[LawValueRow]:
    """Every value with its source, by key and newest first, for reading."""
    return session.scalars(LAW).all()


def top_up_rows(session: Session, town_id: UUID) -> Sequence[LocalTopUpRow]:
    """Every local addition on record that was not withdrawn, by place and ground and newest first, for reading."""
    query = select(LocalTopUpRow).where(LocalTopUpRow.town_id == town_id, LocalTopUpRow.withdrawn_at.is_(None))
    order = (LocalTopUpRow.place_id.nulls_first(), LocalTopUpRow.ground, LocalTopUpRow.effective_from.desc())
    return session.scalars(query.order_by(*order)).all()


def all_top_ups(session: Session, town_id: UUID) -> list[LocalTopUp]:
    """What the town and its places add, at any time; `holding` says what of it counts for somebody on a day."""
    return [row.as_top_up() for row in top_up_rows(session, town_id)]


def local_top_ups(session: Session, town_id: UUID, day: date) -> list[LocalTopUp]:
    """What is added in the whole town on a day, wherever one lives."""
    return holding(all_top_ups(session, town_id), day)


def top_ups_at(session: Session, town_id: UUID, place: Place | None, day: date) -> list[LocalTopUp]:
    """What is added on a day for somebody who lives in a ward, commune or neighbourhood; without one, what is added in
    the whole town."""
    if place is None:
        return local_top_ups(session, town_id, day)
    drawn, parent = boundaries(session, town_id, day), place.parent_id
    within = place.kind is PlaceKind.NEIGHBOURHOOD and parent is not None
    where = drawn.around(parent, place.id) if within and parent else drawn.around(place.id)
    return holding(all_top_ups(session, town_id), day, where)


def top_ups_for(
    session: Session, person: Prospect, day: date, known: Iterable[LocalTopUp] | None = None
) -> list[LocalTopUp]:
    """What is added on a day for somebody who lives where this person does; `known` is read when it is not handed in."""
    known = all_top_ups(session, person.town_id) if known is None else list(known)
    if not any(one.place for one in known):
        return holding(known, day)
    where = boundaries(session, person.town_id, day).around(person.place_id, person.neighbourhood_id)
    return holding(known, day, where)


def top_up_rows_here(session: Session) -> Sequence[LocalTopUpRow]:
    """What the town of this installation and its places add, for everybody to read."""
    town_id = only_town(session)
    return top_up_rows(session, town_id) if town_id else []


def places_of(session: Session, rows: Iterable[LocalTopUpRow]) -> dict[UUID, str]:
    """The names of the places that add something, by id."""
    ids = {row.place_id for row in rows if row.place_id}
    return dict(session.execute(select(Place.id, Place.name).where(Place.id.in_(ids))).tuples().all()) if ids else {}


def top_ups_here(session: Session, day: date) -> list[LocalTopUp]:
    """What the town of this installation adds on a day; nothing where there are several towns or none."""
    town_id = only_town(session)
    return local_top_ups(session, town_id, day) if town_id else []


class Ward(NamedTuple):
    """A ward or commune one may live in, and every place whose additions hold there."""

    name: str
    around: frozenset[UUID]


@dataclass(frozen=True)
class Additions:
    """What the town of this installation and its places add on a day or will add later."""

    top_ups: Sequence[LocalTopUp] = ()
    wards: Mapping[str, Ward] = field(default_factory=dict)
    """The wards and communes of the day by code; none where no place adds anything of its own."""

    def around(self, code: str) -> frozenset[UUID]:
        """The places whose additions hold for somebody who lives in a ward; of one not known here none."""
        return self.wards[code].around if code in self.wards else frozenset()


def additions_here(session: Session, day: date) -> Additions:
    """What is added here from a day on, and in which wards it makes a difference."""
    rows = [row for row in top_up_rows_here(session) if row.effective_to is None or day <= row.effective_to]
    top_ups = [row.as_top_up() for row in rows]
    if not any(one.place for one in top_ups):
        return Additions(top_ups)
    drawn = boundaries(session, rows[0].town_id, day)
    here = session.scalars(units(rows[0].town_id, day))
    return Additions(top_ups, {unit.code: Ward(unit.name, drawn.around(unit.id)) for unit in here if unit.code})
