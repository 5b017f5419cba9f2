"""The past of a town as a forecast reads it: a few statements over everything, so for the night and for a task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Date, and_, exists, func, or_, select, text
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.queries import Scope
from crm.accounts.rules import Reach
from crm.months import Month
from crm.outreach.models import Visit
from crm.participation.models import Participation, Payment
from crm.participation.queries import holds_on
from crm.participation.rules import NOBODY, Beginning, Ending, Movement, Span
from crm.places.boundaries import Boundaries, boundaries
from crm.prospects.models import Prospect, StageChange
from crm.prospects.rules import Stage
from crm.reports.figures.queries import figures
from crm.reports.figures.rules import Figures
from crm.reports.forecast.rules import MIDDLE, MOST_MONTHS, PATH, Past, Ward
from crm.reports.pipeline import standing
from crm.reports.rules import By

FOLLOWED = 90
"""A visit is said to have brought somebody who began to take part within so many days."""
WON = (Beginning.JOINED, Beginning.RETURNED)


def everyone(town_id: UUID) -> Scope:
    """The whole town: a forecast is made of everything, whoever reads it."""
    return Scope(town_id, user_id=town_id, reach=Reach.ALL, organisation_id=None, place_ids=None)


def full_months(session: Session, town_id: UUID, as_of: date) -> list[Month]:
    """The months that are over and that the register knows whole, at most the last twelve."""
    first_known = session.scalar(select(func.min(Prospect.created_at)).where(Prospect.town_id == town_id))
    if first_known is None:
        return []
    known = clock.local_day(first_known)
    after = Month.of(as_of + timedelta(days=1))
    begin = max(Month.of(known) + (0 if known.day <= SOON else 1), after - MOST_MONTHS)
    return list(begin.until(after))


SOON = 7
"""A register that began in a month's first week knows the month whole."""


@dataclass(frozen=True)
class Read:
    """The past, and the sums of the months it was read from."""

    past: Past
    months: Sequence[Month]
    now: Figures


def read(session: Session, town_id: UUID, as_of: date) -> Read:
    """Everything a forecast from a day on is made of."""
    scope, months = everyone(town_id), full_months(session, town_id, as_of)
    within = boundaries(session, town_id, as_of)
    now = figures(session, scope, Span.year_to(as_of), as_of)
    moved = [figures(session, scope, Span(one.first_day, one.last_day), as_of).by_place for one in months]
    pool = {row.key: row.stages for row in standing.rows(session, scope, as_of, By.PLACE)}
    waited = _waited(session, town_id, months, as_of, within)
    keys = sorted({*now.by_place, *(key for one in moved for key in one), *(UUID(key) for key in pool if key)}, key=str)
    wards = [
        Ward(
            key=str(key),
            stock=now.by_place.get(key, NOBODY).now,
            pool={stage: number for stage, number in pool.get(str(key), {}).items() if stage in PATH},
            joined=[_came(one.get(key, NOBODY)) for one in moved],
            left=[one.get(key, NOBODY).left for one in moved],
            stocks=[one.get(key, NOBODY).start for one in moved],
            waited=[waited.get((key, month.first_day), {}) for month in months],
        )
        for key in keys
    ]
    return Read(Past(as_of, wards, _steps(session, town_id, months)), months, now)


def _came(moved: Movement) -> int:
    return moved.joined + moved.returned


WAITED = text("""
    with step as (
        select prospect_id, to_stage, at, lead(at) over (partition by prospect_id order by at, id) as until
        from stage_change where town_id = :town and at < :end
    ), first_step as (
        select prospect_id, min(at) as at from step group by prospect_id
    ), stay as (
        select prospect_id, to_stage as stage, at as since, coalesce(until, :end) as until
        from step where to_stage in ('new', 'unreached', 'considering', 'interested', 'agreed', 'refused', 'lapsed')
        union all
        select p.id, 'new', p.created_at, coalesce(f.at, :end)
        from prospect p left join first_step f on f.prospect_id = p.id
        where p.town_id = :town and p.created_at < coalesce(f.at, :end)
    ), month as (
        select day::date as day, day at time zone :zone as since, (day + interval '1 month') at time zone :zone as until
        from generate_series(cast(:first as timestamp), cast(:last as timestamp), interval '1 month') as day
    )
    select p.place_id, case when p.place_id = any(:undecided) then p.neighbourhood_id end, s.stage, m.day,
        sum(extract(epoch from least(s.until, m.until) - greatest(s.since, m.since)) / extract(epoch from m.until - m.since))
    from stay s
    join month m on s.since < m.until and s.until > m.since
    join prospect p on p.town_id = :town and p.id = s.prospect_id and p.merged_into_id is null
    group by 1, 2, 3, 4
""")
"""How many months people spent at each stage, by where they live, month by month."""


def _waited(
    session: Session, town_id: UUID, months: Sequence[Month], as_of: date, within: Boundaries
) -> Mapping[tuple[UUID, date], Mapping[Stage, float]]:
    if not months:
        return {}
    asked = {
        "town": town_id,
        "end": clock.at(as_of + timedelta(days=1)),
        "first": months[0].first_day,
        "last": months[-1].first_day,
        "zone": str(clock.LOCAL),
        "undecided": list(within.undecided),
    }
    found: dict[tuple[UUID, date], dict[Stage, float]] = {}
    for place_id, neighbourhood_id, stage, month, waited in session.execute(WAITED, asked):
        here = found.setdefault((within.unit_of(place_id, neighbourhood_id), month), {})
        here[Stage(stage)] = round(here.get(Stage(stage), 0.0) + float(waited), 3)
    return found


def _steps(session: Session, town_id: UUID, months: Sequence[Month]) -> dict[tuple[Stage, Stage], int]:
    """Steps between stages; who has none before it came from «new». Of those to taking part only such as were won here:
    who took part before the register knew them did not come along this way."""
    if not months:
        return {}
    origin = func.coalesce(StageChange.from_stage, Stage.NEW, type_=StageChange.to_stage.type)
    first, last = months[0].first_day, months[-1].last_day
    won = exists().where(
        Participation.town_id == StageChange.town_id,
        Participation.prospect_id == StageChange.prospect_id,
        Participation.withdrawn_at.is_(None),
        Participation.started_as.in_(WON),
        Participation.started_on.between(first, last),
    )
    query = (
        select(origin, StageChange.to_stage, func.count())
        .where(StageChange.town_id == town_id, origin != StageChange.to_stage, StageChange.to_stage != Stage.LAPSED)
        .where(StageChange.at >= clock.at(first), StageChange.at < clock.at(last + timedelta(days=1)))
        .where(or_(StageChange.to_stage != Stage.JOINED, won))
        .group_by(origin, StageChange.to_stage)
    )
    return {(row[0], row[1]): row[2] for row in session.execute(query)}


# ---- for what would move it


@dataclass(frozen=True)
class Effort:
    """Visits of the months of history, what followed them, and who falls due."""

    visits: Mapping[UUID, int]
    brought: Mapping[UUID, int]
    dwell: float
    """Days between a first visit and joining, the middle of all."""
    due: Mapping[str, int]
    fell_due: Mapping[str, int]
    lapsed: Mapping[str, int]


def effort(session: Session, town_id: UUID, months: Sequence[Month], as_of: date, year_end: date) -> Effort:
    """What visits brought, by place, and who let it lapse, by ground."""
    since, until = months[0].first_day, months[-1].last_day
    within = boundaries(session, town_id, as_of)
    visits = _counted(
        session,
        select(Visit.place_id, func.count())
        .where(Visit.town_id == town_id, Visit.withdrawn_at.is_(None))
        .where(Visit.occurred_at >= clock.at(since), Visit.occurred_at < clock.at(until + timedelta(days=1)))
        .group_by(Visit.place_id),
    )
    met_on = func.timezone(str(clock.LOCAL), Visit.occurred_at).cast(Date)
    before = and_(
        Visit.town_id == Participation.town_id,
        Visit.prospect_id == Participation.prospect_id,
        Visit.withdrawn_at.is_(None),
        met_on <= Participation.started_on,
        met_on >= Participation.started_on - FOLLOWED,
    )
    began = and_(
        Participation.town_id == town_id,
        Participation.withdrawn_at.is_(None),
        Participation.started_as.in_(WON),
        Participation.started_on.between(since, until),
    )
    brought = select(Participation.place_id, func.count()).where(began, exists().where(before))
    first_met = select(func.min(met_on)).where(before).correlate(Participation).scalar_subquery()
    days = (Participation.started_on - first_met).label("days")
    middle = select(func.percentile_cont(MIDDLE).within_group(days)).where(began, exists().where(before))
    return Effort(
        visits=_in_units(visits, within),
        brought=_in_units(_counted(session, brought.group_by(Participation.place_id)), within),
        dwell=float(session.scalar(middle) or 0),
        due=_counted(session, _due(town_id, as_of, year_end)),
        fell_due=_counted(session, _renewed(town_id, since, until)) + (gone := _lapsed(session, town_id, since, until)),
        lapsed=gone,
    )


def _due(town_id: UUID, as_of: date, year_end: date) -> Any:
    return (
        select(Participation.ground, func.count())
        .where(Participation.town_id == town_id, holds_on(as_of), Participation.deadline_on <= year_end)
        .group_by(Participation.ground)
    )


def _renewed(town_id: UUID, since: date, until: date) -> Any:
    same = and_(Participation.town_id == Payment.town_id, Participation.id == Payment.participation_id)
    return (
        select(Participation.ground, func.count())
        .join(Payment, same)
        .where(Payment.town_id == town_id, Payment.reverses_id.is_(None), Participation.withdrawn_at.is_(None))
        .where(Payment.paid_on.between(since, until), Payment.paid_on > Participation.started_on)
        .group_by(Participation.ground)
    )


def _lapsed(session: Session, town_id: UUID, since: date, until: date) -> Counter[Any]:
    query = (
        select(Participation.ground, func.count())
        .where(Participation.town_id == town_id, Participation.withdrawn_at.is_(None))
        .where(Participation.ended_as == Ending.LAPSED, Participation.ended_on.between(since, until))
        .group_by(Participation.ground)
    )
    return _counted(session, query)


def _counted(session: Session, query: Any) -> Counter[Any]:
    return Counter({row[0]: row[1] for row in session.execute(query) if row[0] is not None})


def _in_units(counted: Mapping[UUID, int], within: Boundaries) -> Counter[UUID]:
    found: Counter[UUID] = Counter()
    for place_id, number in counted.items():
        found[within.unit_of(place_id)] += number
    return found
