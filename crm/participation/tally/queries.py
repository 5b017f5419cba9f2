"""How the stock moved, read from its sums for who sees the whole town, and counted spell by spell for everyone else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Date, Select, Uuid, and_, case, column, func, select, table, text, union_all
from sqlalchemy.orm import Session

from crm.accounts.queries import Scope
from crm.accounts.rules import Reach
from crm.months import Month
from crm.participation.models import Participation
from crm.participation.queries import asked_neighbourhood
from crm.participation.rules import Movement, Span
from crm.participation.tally.models import ParticipationTally as Tally
from crm.participation.tally.rules import Cell
from crm.places.boundaries import Boundaries
from crm.prospects.models import Prospect
from crm.prospects.queries.seeing import visible_to

MOVEMENT = table(
    "spell_movement",
    column("town_id", Uuid()),
    column("prospect_id", Uuid()),
    column("day", Date()),
    column("place_id", Uuid()),
    column("neighbourhood_id", Uuid()),
    column("organisation_id", Uuid()),
    column("ground", Participation.ground.type),
    *(column(name, Tally.joined.type) for name in ("joined", "returned", "lapsed", "stopped")),
)
"""Each beginning and each end of a spell, by the database's own reading (migration tally_of_spells)."""


def cells(session: Session, scope: Scope, span: Span, within: Boundaries) -> Iterator[Cell]:
    """Every part of the stock that a person may see; the same place, organisation and ground may come more than once."""
    for place_id, neighbourhood_id, organisation_id, ground, *moved in session.execute(_summed(scope, span, within)):
        yield Cell(within.unit_of(place_id, neighbourhood_id), organisation_id, ground, Movement._make(moved))


def by_month(session: Session, scope: Scope, span: Span) -> list[tuple[Month, Movement]]:
    """How the stock moved in each month of a period, the last one up to its day."""
    months = Month.of(span.since).until(Month.of(span.as_of) + 1)
    moved = _moved(scope, span)
    month = case((moved.c.day < span.since, span.before), else_=func.date_trunc("month", moved.c.day).cast(Date))
    query = select(month.label("month"), *(func.sum(moved.c[name]) for name in _NAMES)).group_by(text("1"))
    by = {row[0]: tuple(map(int, row[1:])) for row in session.execute(query)}
    return list(_carried(months, by, span.before))


_NAMES = ("joined", "returned", "lapsed", "stopped")


def _carried(
    months: Iterable[Month], by: Mapping[date, Sequence[int]], before: date
) -> Iterator[tuple[Month, Movement]]:
    joined, returned, lapsed, stopped = by.get(before, (0, 0, 0, 0))
    stock = joined + returned - lapsed - stopped
    for month in months:
        joined, returned, lapsed, stopped = by.get(month.first_day, (0, 0, 0, 0))
        now = stock + joined + returned - lapsed - stopped
        yield month, Movement(stock, joined, returned, lapsed + stopped, lapsed, now)
        stock = now


def _summed(scope: Scope, span: Span, within: Boundaries) -> Select[Any]:
    moved = _moved(scope, span)
    by = (
        moved.c.place_id,
        asked_neighbourhood(moved.c.place_id, within, moved.c.neighbourhood_id),
        moved.c.organisation_id,
        moved.c.ground,
    )
    in_period = moved.c.day >= span.since
    joined, returned, lapsed, stopped = (moved.c[name] for name in _NAMES)
    change = joined + returned - lapsed - stopped
    figures = (
        func.coalesce(func.sum(change).filter(~in_period), 0),
        *(func.coalesce(func.sum(one).filter(in_period), 0) for one in (joined, returned, lapsed + stopped, lapsed)),
        func.sum(change),
    )
    return select(*by, *(one.cast(Tally.joined.type) for one in figures)).group_by(*by)


def _moved(scope: Scope, span: Span) -> Any:
    """What began and ended until a day. For who sees everyone whole months come from the sums, and only the begun month
    from the spells themselves."""
    last = Month.of(span.as_of)
    columns = ("place_id", "neighbourhood_id", "organisation_id", "ground", *_NAMES)
    one_by_one = select(MOVEMENT.c.day, *(MOVEMENT.c[name] for name in columns)).where(
        MOVEMENT.c.town_id == scope.town_id, MOVEMENT.c.day <= span.as_of
    )
    if scope.reach is not Reach.ALL or span.since.day != 1:
        same = and_(Prospect.town_id == MOVEMENT.c.town_id, Prospect.id == MOVEMENT.c.prospect_id)
        return one_by_one.join(Prospect, same).where(visible_to(scope)).subquery("moved")
    whole = span.as_of == last.last_day
    summed = select(Tally.month.label("day"), *(getattr(Tally, name) for name in columns)).where(
        Tally.town_id == scope.town_id, Tally.month < (last + 1 if whole else last).first_day
    )
    begun = one_by_one.where(MOVEMENT.c.day >= last.first_day)
    return (summed if whole else union_all(summed, begun)).subquery("moved")
