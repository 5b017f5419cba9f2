"""Neighbourhoods as people name them."""

from __future__ import annotations

from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crm.errors import RuleBroken
from crm.ids import new_id
from crm.names import clean, fold
from crm.places.models import Place
from crm.places.rules import UNITS, PlaceKind

NEIGHBOURHOOD_LETTERS = 100


def find_or_add_neighbourhood(session: Session, unit: Place, name: str) -> Place:
    """The neighbourhood of that name in a ward or commune, added when it is not there yet; safe for two at once."""
    kept = clean(name)
    if not fold(kept) or len(kept) > NEIGHBOURHOOD_LETTERS:
        raise RuleBroken(_l("Write the name of the neighbourhood in at most 100 letters."), field="neighbourhood")
    session.execute(
        insert(Place)
        .values(
            town_id=unit.town_id,
            id=new_id(),
            name=kept,
            name_fold=fold(kept),
            kind=PlaceKind.NEIGHBOURHOOD,
            parent_id=unit.id,
            valid_from=unit.valid_from,
            special=False,
        )
        .on_conflict_do_nothing()
    )
    return session.scalars(
        select(Place).where(
            Place.town_id == unit.town_id,
            Place.parent_id == unit.id,
            Place.kind == PlaceKind.NEIGHBOURHOOD,
            Place.name_fold == fold(kept),
        )
    ).one()


def neighbourhood_id(session: Session, town_id: UUID, place_id: UUID | None, name: str | None) -> UUID | None:
    """The id of a neighbourhood of that name in a ward or commune, added when it is new; None without a name.

    Raises RuleBroken when the place is not a ward or commune.
    """
    if not name or not clean(name):
        return None
    unit = session.get(Place, (town_id, place_id)) if place_id else None
    if unit is None or unit.kind not in UNITS:
        raise RuleBroken(_l("Choose the ward or commune where the person lives."), field="place")
    return find_or_add_neighbourhood(session, unit, name).id
