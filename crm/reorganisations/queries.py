"""What a reorganisation changes: wards, people, and who looks after them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from crm.accounts.models import Organisation, User
from crm.accounts.rules import Role
from crm.errors import NotFound
from crm.participation.models import Participation
from crm.participation.queries import holds_on
from crm.places.models import Place, PlaceSuccession
from crm.places.rules import UNITS, PlaceKind
from crm.prospects.models import Prospect
from crm.reorganisations.models import Handover, Reorganisation
from crm.reorganisations.rules import State, proposed


def reorganisations(town_id: UUID) -> Select[Reorganisation]:
    """All of a town's, the latest day first."""
    return (
        select(Reorganisation)
        .where(Reorganisation.town_id == town_id)
        .order_by(Reorganisation.on_day.desc(), Reorganisation.id.desc())
    )


def reorganisation(session: Session, town_id: UUID, id: UUID, *, lock: bool = False) -> Reorganisation:
    """One of them. Raises NotFound."""
    found = session.get(Reorganisation, (town_id, id), with_for_update=lock or None, populate_existing=lock)
    if found is None:
        raise NotFound
    return found


def awaited(session: Session, town_id: UUID, today: date) -> dict[UUID, list[tuple[str, date]]]:
    """What each unit of today becomes later, and on which day, as far as boundaries are drawn."""
    query = (
        select(PlaceSuccession.predecessor_id, Place.name, PlaceSuccession.on_day)
        .join(Place, (Place.town_id == PlaceSuccession.town_id) & (Place.id == PlaceSuccession.successor_id))
        .where(PlaceSuccession.town_id == town_id, PlaceSuccession.on_day > today, Place.kind.in_(UNITS))
        .order_by(PlaceSuccession.on_day, Place.name)
    )
    found: dict[UUID, list[tuple[str, date]]] = {}
    for former, later, day in session.execute(query).tuples():
        found.setdefault(former, []).append((later, day))
    return found


def due(day: date) -> Select[Reorganisation]:
    """Decided ones whose day has come, in every town."""
    query = select(Reorganisation).where(Reorganisation.state == State.PREPARED, Reorganisation.on_day <= day)
    return query.order_by(Reorganisation.on_day, Reorganisation.id)


def steps_of(session: Session, of: Reorganisation) -> Sequence[tuple[Place, Place]]:
    """Which unit became which, by name of the former."""
    steps = session.execute(
        select(PlaceSuccession.predecessor_id, PlaceSuccession.successor_id)
        .where(PlaceSuccession.town_id == of.town_id, PlaceSuccession.on_day == of.on_day)
        .where(PlaceSuccession.document == of.document)
        .order_by(PlaceSuccession.position, PlaceSuccession.id)
    ).all()
    places = _places(session, of.town_id, {key for step in steps for key in step})
    pairs = [(places[step[0]], places[step[1]]) for step in steps]
    return sorted(
        ((one, other) for one, other in pairs if one.kind in UNITS), key=lambda pair: (pair[1].name, pair[0].name)
    )


def became(steps: Sequence[tuple[Place, Place]]) -> dict[UUID, list[UUID]]:
    """Former unit → what it became."""
    found: dict[UUID, list[UUID]] = {}
    for former, later in steps:
        found.setdefault(former.id, []).append(later.id)
    return found


def _places(session: Session, town_id: UUID, ids: set[UUID]) -> dict[UUID, Place]:
    query = select(Place).where(Place.town_id == town_id, Place.id.in_(ids))
    return {place.id: place for place in session.scalars(query)}


class Inside(NamedTuple):
    """What there is in a unit: people on the list, those taking part, those somebody looks after, neighbourhoods."""

    people: int = 0
    taking_part: int = 0
    looked_after: int = 0
    neighbourhoods: int = 0


def inside(session: Session, town_id: UUID, place_ids: Sequence[UUID], day: date) -> dict[UUID, Inside]:
    """What each of these units holds on a day; three queries for all of them."""
    mine = (Prospect.town_id == town_id) & Prospect.place_id.in_(place_ids) & Prospect.merged_into_id.is_(None)
    people = session.execute(
        select(Prospect.place_id, func.count(), func.count(Prospect.volunteer_id))
        .where(mine)
        .group_by(Prospect.place_id)
    )
    counted = {row[0]: (row[1], row[2]) for row in people}
    spells = session.execute(
        select(Participation.place_id, func.count())
        .where(Participation.town_id == town_id, Participation.place_id.in_(place_ids), holds_on(day))
        .group_by(Participation.place_id)
    )
    taking_part = {row[0]: row[1] for row in spells}
    parts = session.execute(
        select(Place.parent_id, func.count())
        .where(Place.town_id == town_id, Place.parent_id.in_(place_ids), Place.kind == PlaceKind.NEIGHBOURHOOD)
        .group_by(Place.parent_id)
    )
    neighbourhoods = {row[0]: row[1] for row in parts}
    return {key: Inside(*_people_of(counted, taking_part, key), neighbourhoods.get(key, 0)) for key in place_ids}


def _people_of(
    counted: Mapping[UUID, tuple[int, int]], taking_part: Mapping[UUID, int], key: UUID
) -> tuple[int, int, int]:
    people, looked_after = counted.get(key, (0, 0))
    return people, taking_part.get(key, 0), looked_after


@dataclass(frozen=True)
class Affected:
    """Somebody who signs in, or a branch, whose place ends; `proposed` is what it became when that is one."""

    subject: User | Organisation
    former: Place
    options: Sequence[Place]
    proposed: UUID | None

    @property
    def follows(self) -> bool:
        """Whether it goes without saying: whoever visits keeps their own people, the ward is only where they live."""
        return isinstance(self.subject, User) and self.subject.role in (Role.VOLUNTEER, Role.AGENT)

    @property
    def name(self) -> str:
        return self.subject.full_name if isinstance(self.subject, User) else self.subject.name


def affected(session: Session, of: Reorganisation) -> list[Affected]:
    """Everybody whose place of work ends with it, by ward and name. Neighbourhoods count to their ward."""
    steps = steps_of(session, of)
    former, following = {one.id: one for one, _other in steps}, became(steps)
    later = {other.id: other for _one, other in steps}
    inner = session.scalars(select(Place).where(Place.town_id == of.town_id, Place.parent_id.in_(former))).all()
    unit_of = {key: key for key in former} | {place.id: place.parent_id for place in inner if place.parent_id}
    users = session.scalars(
        select(User).where(User.town_id == of.town_id, User.place_id.in_(unit_of), User.active)
    ).all()
    branches = session.scalars(
        select(Organisation).where(Organisation.town_id == of.town_id, Organisation.place_id.in_(unit_of))
    ).all()
    found = []
    subjects: list[User | Organisation] = [*users, *branches]
    for subject in subjects:
        assert subject.place_id is not None
        unit = unit_of[subject.place_id]
        options = [later[key] for key in following[unit]]
        found.append(Affected(subject, former[unit], options, proposed(unit, following)))
    return sorted(found, key=lambda one: (one.former.name, one.name))


def handovers(session: Session, of: Reorganisation) -> Sequence[tuple[Handover, str, str, str | None]]:
    """Who was handed what: the row, their name, the former and the new place."""
    rows = session.scalars(
        select(Handover)
        .where(Handover.town_id == of.town_id, Handover.reorganisation_id == of.id)
        .order_by(Handover.at, Handover.id)
    ).all()
    names: dict[UUID | None, str] = {}
    for kind, ids, name in (
        (User, {row.account_id for row in rows}, User.full_name),
        (Organisation, {row.organisation_id for row in rows}, Organisation.name),
        (Place, {key for row in rows for key in (row.from_place_id, row.to_place_id)}, Place.name),
    ):
        found = session.execute(select(kind.id, name).where(kind.town_id == of.town_id, kind.id.in_(ids - {None})))  # type: ignore[attr-defined]
        names |= {row[0]: row[1] for row in found}
    return [
        (row, names[row.account_id or row.organisation_id], names[row.from_place_id], names.get(row.to_place_id))
        for row in rows
    ]


class Decided(NamedTuple):
    """What was decided of a reorganisation whose day has not come: by whom, when, who gets which place, and the note."""

    by: str
    at: datetime
    places: Sequence[tuple[str, str | None]]
    """Name of the account or branch, and the name of its place from the day on; None: the former area as before."""
    note: str | None


def decided(session: Session, of: Reorganisation) -> Decided | None:
    """What stands to happen on the day; None when nothing is decided, or it has happened."""
    if of.state is not State.PREPARED or of.decisions is None or of.decided_at is None or of.decided_by_id is None:
        return None
    chosen = {UUID(key): UUID(place) if place else None for key, place in of.decisions["places"].items()}
    names: dict[UUID, str] = {}
    for kind, ids, name in (
        (User, {of.decided_by_id, *chosen}, User.full_name),
        (Organisation, set(chosen), Organisation.name),
        (Place, set(chosen.values()) - {None}, Place.name),
    ):
        found = session.execute(select(kind.id, name).where(kind.town_id == of.town_id, kind.id.in_(ids)))  # type: ignore[attr-defined]
        names |= {row[0]: row[1] for row in found}
    places = sorted((names[key], names[place] if place else None) for key, place in chosen.items() if key in names)
    return Decided(names[of.decided_by_id], of.decided_at, places, of.decisions["note"])


class News(NamedTuple):
    """What somebody is told when their place of work has changed."""

    handover_id: UUID
    former: str
    now: str | None
    on_day: date
    document: str
    note: str | None


def unread(session: Session, user: User) -> list[News]:
    """What this person has not yet been told."""
    mine = (Handover.town_id == user.town_id) & (Handover.account_id == user.id)
    rows = session.execute(
        select(Handover, Reorganisation)
        .join(
            Reorganisation,
            (Reorganisation.town_id == Handover.town_id) & (Reorganisation.id == Handover.reorganisation_id),
        )
        .where(mine, Handover.read_at.is_(None), Handover.taken_back_at.is_(None))
        .order_by(Handover.at)
    ).all()
    if not rows:
        return []
    places = _places(
        session,
        user.town_id,
        {key for row in rows for key in (row[0].from_place_id, row[0].to_place_id) if key},
    )
    return [
        News(
            handover.id,
            places[handover.from_place_id].name,
            places[handover.to_place_id].name if handover.to_place_id else None,
            of.on_day,
            of.document,
            handover.note,
        )
        for handover, of in rows
    ]


def neighbourhoods_of(session: Session, town_id: UUID, unit_ids: Sequence[UUID], on: date) -> Sequence[Place]:
    """The neighbourhoods of some units on a day, by name."""
    query = select(Place).where(
        Place.town_id == town_id, Place.kind == PlaceKind.NEIGHBOURHOOD, Place.parent_id.in_(unit_ids)
    )
    return [place for place in session.scalars(query.order_by(Place.name, Place.id)) if place.valid_on(on)]


def last_change(session: Session, town_id: UUID, place_ids: Sequence[UUID]) -> date | None:
    """The last day on which one of these units began or is to end."""
    query = select(func.greatest(func.max(Place.valid_from), func.max(Place.valid_to))).where(
        Place.town_id == town_id, Place.id.in_(place_ids)
    )
    return session.scalar(query)


def in_use(session: Session, town_id: UUID, place_ids: Sequence[UUID]) -> bool:
    """Whether anybody, or a branch of an organisation, is recorded in one of these places."""
    people = select(Prospect.id).where(
        Prospect.town_id == town_id, Prospect.place_id.in_(place_ids) | Prospect.neighbourhood_id.in_(place_ids)
    )
    users = select(User.id).where(User.town_id == town_id, User.place_id.in_(place_ids))
    branches = select(Organisation.id).where(Organisation.town_id == town_id, Organisation.place_id.in_(place_ids))
    return any(session.scalar(query.limit(1)) is not None for query in (people, users, branches))
