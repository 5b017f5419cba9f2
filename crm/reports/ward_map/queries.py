"""What each ward's tile shows, among the people someone may see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm.accounts.queries import Scope
from crm.participation import queries as participation
from crm.participation.models import Participation
from crm.participation.rules import Kind, Span
from crm.places.boundaries import Boundaries, boundaries
from crm.places.models import Place
from crm.reports.figures.queries import figures
from crm.reports.queries import places_in
from crm.reports.ward_map.rules import OUTLINES, Measure, Spot, Tile, level, placed


def tiles(session: Session, scope: Scope, measure: Measure, as_of: date) -> list[Tile]:
    """Every ward and commune of a day, by name; those without an outline stand below the others."""
    span = Span.year_to(as_of)
    within = boundaries(session, scope.town_id, as_of)
    rows = sorted(places_in(session, scope, figures(session, scope, span)), key=lambda row: row.name_key)
    units = {row.key: row for row in rows if row.key is not None}
    due = _due(session, scope, span, within) if measure is Measure.DUE else {}
    values = {key: due.get(key, 0) if measure is Measure.DUE else row.moved.now for key, row in units.items()}
    cells = placed(_outlined(session, scope.town_id, within), units)
    most = max(values.values(), default=0)
    return [
        Tile(key, row.name, cells[key], values[key], row.target, level(measure, values[key], row.target, most))
        for key, row in units.items()
    ]


def _due(session: Session, scope: Scope, span: Span, within: Boundaries) -> Mapping[UUID, int]:
    """How many have to pay within the days that count as soon, by unit."""
    columns = Participation.place_id, participation.asked_neighbourhood(Participation.place_id, within)
    query = participation.spells(scope, Kind.DUE, span).with_only_columns(*columns, func.count()).group_by(*columns)
    found: Counter[UUID] = Counter()
    for place_id, neighbourhood_id, people in session.execute(query):
        found[within.unit_of(place_id, neighbourhood_id)] += people
    return found


def _outlined(session: Session, town_id: UUID, within: Boundaries) -> dict[UUID, list[Spot]]:
    """The cells of each unit: those of the wards it was made of."""
    query = select(Place.id, Place.code).where(
        Place.town_id == town_id, Place.code.in_(OUTLINES), Place.parent_id.is_not(None)
    )
    first = query.distinct(Place.code).order_by(Place.code, Place.valid_from)
    found: dict[UUID, list[Spot]] = {}
    for place_id, code in session.execute(first):
        found.setdefault(within.unit_of(place_id), []).append(OUTLINES[str(code)])
    return found
