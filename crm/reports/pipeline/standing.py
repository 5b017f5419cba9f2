"""How many people stood at each stage at the end of a day.

Today is read from the sums that are kept with the people (crm/prospects/tally). For an earlier day what changed since is taken
back: whoever went on stands where the first step after that day led away from, and whoever came later does not stand
anywhere. A figure and the list of its people (`stage_at`, `there`) ask the same, so they cannot differ.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import ARRAY, ColumnElement, DateTime, Integer, Select, Subquery, cast, func, literal, select, true
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.queries import Scope
from crm.months import Month
from crm.names import sort_key, title_key
from crm.participation.queries import asked_neighbourhood, organisations_named, places_named
from crm.places.boundaries import Boundaries, boundaries
from crm.prospects.models import Prospect, StageChange
from crm.prospects.rules import Stage
from crm.prospects.tally.models import PeopleTally
from crm.reports.pipeline.queries import Among
from crm.reports.rules import By

Stood = Counter[tuple[tuple[Any, ...], Stage]]
"""People by the values of what they are divided by, and by stage."""


class Dividing(NamedTuple):
    """What people are divided by: columns of a person (or of the sums, which call theirs the same), and what has to be
    joined for them."""

    columns: Callable[[type[Prospect | PeopleTally]], Sequence[Any]]
    joined: Sequence[tuple[Subquery, bool]] = ()
    """By the person; with True also those who stand in none of its rows."""

    def of_people(self, *figures: Any) -> Select[Any]:
        """The figures of people by these columns, to be narrowed and joined further."""
        query = select(*self.columns(Prospect), *figures).select_from(Prospect)
        for one, everybody in self.joined:
            query = query.join(one, one.c.prospect_id == Prospect.id, isouter=everybody)
        return query.group_by(*self.columns(Prospect))


TOGETHER = Dividing(lambda of: ())


def by_place(within: Boundaries) -> Dividing:
    """Ward or commune, and the neighbourhood where it decides the unit (`Boundaries.unit_of`)."""
    return Dividing(lambda of: (of.place_id, asked_neighbourhood(of.place_id, within, of.neighbourhood_id)))


BY_ORGANISATION = Dividing(lambda of: (of.organisation_id,))
BY_VOLUNTEER = Dividing(lambda of: (of.volunteer_id,))


def standing(session: Session, among: Among, days: Sequence[date], by: Dividing = TOGETHER) -> list[Stood]:
    """For each of these days, in their order, how many people stood where at its end; at most four statements, however
    many days, where the sums can tell."""
    today, summed = clock.today(), among.summed
    if summed is None or by.joined:
        return [_person_by_person(session, among, min(day, today), by) for day in days]
    columns = (*by.columns(PeopleTally), PeopleTally.stage)
    people = func.sum(PeopleTally.people).cast(PeopleTally.people.type)
    now: Stood = Counter()
    for row in session.execute(select(*columns, people).where(summed).group_by(*columns)):
        now[tuple(row[:-2]), Stage(row[-2])] = row[-1]
    found = [now.copy() for _day in days]
    earlier = [place for place, day in enumerate(days) if day < today]
    for place, key, stage, number in _taken_back(session, among, [_end(days[one]) for one in earlier], by):
        found[earlier[place]][key, stage] += number
    return [+stood for stood in found]


def _person_by_person(session: Session, among: Among, day: date, by: Dividing) -> Stood:
    stage, last = stage_at(among, day, clock.today())
    query = by.of_people(stage, func.count()).where(among.condition, there(day, clock.today())).group_by(stage)
    if last is not None:
        query = query.outerjoin(last, last.c.prospect_id == Prospect.id)
    found: Stood = Counter()
    for row in session.execute(query):
        found[tuple(row[:-2]), Stage(row[-2])] += row[-1]
    return found


def _taken_back(
    session: Session, among: Among, ends: Sequence[datetime], by: Dividing
) -> Iterator[tuple[int, tuple[Any, ...], Stage, int]]:
    """Which end, columns, stage, and how many more or fewer stood there than now. `ends` ascend."""
    if not ends:
        return
    ordinal, came_in = _ordinal(StageChange.at, ends), _ordinal(Prospect.created_at, ends)
    before = func.lag(ordinal, 1, 0).over(
        partition_by=StageChange.prospect_id, order_by=(StageChange.at, StageChange.id)
    )
    step = (
        select(StageChange.prospect_id, _origin().label("stage"), ordinal.label("until"), before.label("since"))
        .where(StageChange.town_id == among.scope.town_id, StageChange.at >= ends[0])
        .subquery()
    )
    columns = (Prospect.stage, step.c.stage, step.c.since, step.c.until, came_in)
    went_on = (
        by.of_people(*columns, func.count())
        .join(step, step.c.prospect_id == Prospect.id)
        .where(among.condition, step.c.since < step.c.until)
        .group_by(*columns)
    )
    for *key, now, then, since, until, came, number in session.execute(went_on):
        for place in range(max(since, came), until):
            yield place, tuple(key), now, -number
            yield place, tuple(key), then, number
    later = by.of_people(Prospect.stage, came_in, func.count()).where(among.condition, Prospect.created_at >= ends[0])
    for *key, now, came, number in session.execute(later.group_by(Prospect.stage, came_in)):
        for place in range(came):
            yield place, tuple(key), now, -number


def _ordinal(moment: Any, ends: Sequence[datetime]) -> ColumnElement[int]:
    """How many of the ends lie before a moment or at it: it is later than the days before that place."""
    kind = ARRAY(DateTime(timezone=True))  # written into the statement: it stands in GROUP BY as well
    return func.width_bucket(moment, cast(literal(list(ends), kind, literal_execute=True), kind), type_=Integer)


def _origin() -> ColumnElement[Stage]:
    return func.coalesce(StageChange.from_stage, Stage.NEW, type_=StageChange.to_stage.type)


def _end(day: date) -> datetime:
    return clock.at(day + timedelta(days=1))


def there(day: date, today: date) -> ColumnElement[bool]:
    """On record by the end of the day."""
    return true() if day >= today else Prospect.created_at < _end(day)


def stage_at(among: Among, day: date, today: date) -> tuple[Any, Subquery | None]:
    """The stage at the end of a day: today's, or what the first step after that day led away from."""
    if day >= today:
        return Prospect.stage, None
    first = (
        select(StageChange.prospect_id, _origin().label("stage"))
        .where(StageChange.town_id == among.scope.town_id, StageChange.at >= _end(day))
        .distinct(StageChange.prospect_id)
        .order_by(StageChange.prospect_id, StageChange.at, StageChange.id)
        .subquery()
    )
    return func.coalesce(first.c.stage, Prospect.stage, type_=Prospect.stage.type), first


# ---- as the API, the annex and the forecast ask


class StandingRow(NamedTuple):
    """How many people stood at each stage, for one place, organisation, volunteer or month."""

    key: str | None
    name: str
    stages: dict[Stage, int]

    @property
    def people(self) -> int:
        return sum(self.stages.values())


def rows(session: Session, scope: Scope, as_of: date, by: By, drawn: date | None = None) -> list[StandingRow]:
    """Where people stood at the end of a day, among those someone may see.

    Divided by where they live (in the boundaries of `drawn`, by default of the day), by who looks after them today, or by
    month: each month of the year up to the day, as it stood at its end.
    """
    among = Among(scope)
    if by is By.MONTH:
        return _by_month(session, among, as_of)
    counted: dict[UUID | None, dict[Stage, int]] = {}
    within = boundaries(session, scope.town_id, drawn or as_of)
    dividing = {By.PLACE: by_place(within), By.ORGANISATION: BY_ORGANISATION, By.VOLUNTEER: BY_VOLUNTEER}[by]
    (stood,) = standing(session, among, [as_of], dividing)
    for (key, stage), number in stood.items():
        unit = within.unit_of(*key) if by is By.PLACE else key[0]
        counted.setdefault(unit, dict.fromkeys(Stage, 0))[stage] += number
    names = names_of(session, scope, by, counted)
    found = [
        StandingRow(str(key) if key else None, names.get(key, _("Not on record")), stages)
        for key, stages in counted.items()
    ]
    in_order = sort_key if by is By.VOLUNTEER else title_key
    return sorted(found, key=lambda row: (row.key is None, in_order(row.name), row.key or ""))


def _by_month(session: Session, among: Among, as_of: date) -> list[StandingRow]:
    months = list(Month(as_of.year, 1).until(Month.of(as_of) + 1))
    stood = standing(session, among, [min(month.last_day, as_of) for month in months])
    return [
        StandingRow(str(month), f"{month.number}/{month.year}", {stage: one[(), stage] for stage in Stage})
        for month, one in zip(months, stood, strict=True)
    ]


def names_of(session: Session, scope: Scope, by: By, keys: Iterable[UUID | None]) -> dict[UUID | None, str]:
    """What wards, organisations or volunteers are called."""
    if by is By.PLACE:
        return {key: place.name for key, place in places_named(session, scope.town_id).items()}
    if by is By.ORGANISATION:
        return {key: name for key, name in organisations_named(session, scope.town_id).items()}  # noqa: C416
    wanted = [key for key in keys if key]
    query = select(User.id, User.full_name).where(User.town_id == scope.town_id, User.id.in_(wanted))
    return {row[0]: row[1] for row in session.execute(query)}
