"""Which places there are, what lies within them, and what they came from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, func, or_, select, union_all
from sqlalchemy.orm import Session

from crm import clock
from crm.errors import RuleBroken
from crm.places.models import Place, PlaceSuccession, Town
from crm.places.rules import UNITS, PlaceKind, read_place_name


def the_town(session: Session) -> Town:
    """The town of an installation that serves one. Raises RuleBroken when there is none or more than one."""
    towns = session.scalars(select(Town).limit(2)).all()
    if len(towns) != 1:
        raise RuleBroken(_l("There is not exactly one town here: begin with a new, empty data directory."), code="town")
    return towns[0]


def only_town(session: Session) -> UUID | None:
    """The id of the town of an installation that serves one, for pages that everybody may open; else None."""
    towns = session.scalars(select(Town.id).limit(2)).all()
    return towns[0] if len(towns) == 1 else None


def towns(session: Session) -> Sequence[UUID]:
    """The ids of every town of this installation."""
    return session.scalars(select(Town.id).order_by(Town.id)).all()


def units(town_id: UUID, on: date) -> Select[Place]:
    """The wards and communes that were part of a town on a day, by code."""
    return (
        select(Place)
        .where(Place.town_id == town_id, Place.kind.in_(UNITS), Place.parent_id.is_not(None), Place.valid_from <= on)
        .where(or_(Place.valid_to.is_(None), Place.valid_to > on))
        .order_by(Place.code)
    )


def town_in_full(session: Session, town_id: UUID) -> str | None:
    """What the town is called with its kind, «Thị xã Bỉm Sơn»; None where it is not on record."""
    query = select(Place.name).where(Place.town_id == town_id, Place.kind == PlaceKind.TOWN, Place.parent_id.is_(None))
    return session.scalars(query.order_by(Place.valid_from.desc()).limit(1)).one_or_none()


def units_of_all_times(town_id: UUID) -> Select[Place]:
    """Every ward and commune a town ever had, the newest first."""
    return (
        select(Place)
        .where(Place.town_id == town_id, Place.kind.in_(UNITS))
        .order_by(Place.valid_from.desc(), Place.code)
    )


def neighbourhoods(town_id: UUID, unit_ids: Sequence[UUID]) -> Select[Place]:
    """The neighbourhoods of some units, by name."""
    return (
        select(Place)
        .where(Place.town_id == town_id, Place.kind == PlaceKind.NEIGHBOURHOOD, Place.parent_id.in_(unit_ids))
        .order_by(Place.name)
    )


def place_named(session: Session, town_id: UUID, text: str, *, today: date) -> Place:
    """The place that a UUID, `CODE` or `CODE@DATE` means. Raises RuleBroken when there is none.

    A code without a date is today's unit of that code; where today has none (a unit that was merged away), the last
    that bore it.
    """
    unknown = RuleBroken(
        _l("No place “%(place)s” is known here. Write a UUID, CODE or CODE@DATE.", place=text[:60]),
        field="place",
        code="unknown_place",
    )
    try:
        name = read_place_name(text)
    except ValueError:
        raise unknown from None
    if name.id:
        found = session.get(Place, (town_id, name.id))
        if not found:
            raise unknown
        return found
    candidates = session.scalars(
        select(Place).where(Place.town_id == town_id, Place.code == name.code).order_by(Place.valid_from.desc())
    ).all()
    for place in candidates:
        if place.valid_on(name.on or today):
            return place
    earlier = [place for place in candidates if name.on is None and place.valid_from <= today]
    if not earlier:
        raise unknown
    return earlier[0]


def ids_within(session: Session, town_id: UUID, place_id: UUID) -> tuple[UUID, ...]:
    """A place, everything below it, and everything that became part of it, as far back as is known.

    What is decided to join it on a day to come does not belong to it yet; a place that is itself to come is taken as on
    its first day.
    """
    begins = select(Place.valid_from).where(Place.town_id == town_id, Place.id == place_id).scalar_subquery()
    edges = union_all(
        select(Place.parent_id.label("whole"), Place.id.label("part")).where(Place.town_id == town_id),
        select(PlaceSuccession.successor_id, PlaceSuccession.predecessor_id).where(
            PlaceSuccession.town_id == town_id, PlaceSuccession.on_day <= func.greatest(clock.today(), begins)
        ),
    ).subquery()
    within = select(Place.id).where(Place.town_id == town_id, Place.id == place_id).cte("within", recursive=True)
    within = within.union(select(edges.c.part).join(within, edges.c.whole == within.c.id))
    return tuple(session.scalars(select(within.c.id)))
