"""The latest forecast as somebody may see it, and how the earlier ones did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import Date, func, select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.queries import Scope
from crm.accounts.rules import Reach
from crm.months import Month
from crm.participation import queries as participation
from crm.participation.rules import Span
from crm.participation.tally.queries import by_month
from crm.reports.forecast.models import Forecast
from crm.reports.forecast.outlook import NEVER, Outlook
from crm.reports.forecast.reading import everyone
from crm.reports.forecast.rules import Scored

SCORED_AHEAD = (1, 3)
"""A forecast from a month's end is held against what came so many months later."""
SHOWN_MONTHS = 12
LATE = timedelta(days=7)
"""A forecast made so long after its day was made afterwards."""


@dataclass(frozen=True)
class Latest:
    """The last forecast, and when it was made."""

    outlook: Outlook
    names: Mapping[str, str]
    """Of places and organisations, by key."""


def latest(session: Session, scope: Scope) -> Latest | None:
    """The last forecast, without what is of others; None: none was made yet. The town's own numbers only for who sees
    everyone."""
    query = (
        select(Forecast.said)
        .where(Forecast.town_id == scope.town_id)
        .order_by(Forecast.as_of.desc(), Forecast.made_at.desc(), Forecast.id.desc())
    )
    said = session.scalars(query.limit(1)).one_or_none()
    if said is None:
        return None
    outlook = _seen_by(scope, Outlook.from_json(said))
    names = {str(key): place.name for key, place in participation.places_named(session, scope.town_id).items()}
    named = {str(key): name for key, name in participation.organisations_named(session, scope.town_id).items()}
    return Latest(outlook, names | named)


def _seen_by(scope: Scope, whole: Outlook) -> Outlook:
    if scope.reach is Reach.ALL:
        return whole
    alone = scope.reach is Reach.UNIT
    of_places = [] if scope.organisation_id else [str(one) for one in scope.place_ids or ()]
    of_organisation = str(scope.organisation_id) if scope.organisation_id and not scope.place_ids else None
    return replace(
        whole,
        stock=0,
        target=None,
        joiners=0,
        history=(),
        coming=(),
        chance=0.0,
        needed=0,
        reached=NEVER,
        places=[one for one in whole.places if alone and one.key in of_places],
        organisations=[one for one in whole.organisations if alone and one.key == of_organisation],
        levers=(),
    )


def scores(session: Session, town_id: UUID, today: date) -> Sequence[Scored]:
    """Every forecast from a month's end against what came one month and three months later, the latest first. The first one
    made from a day is the one that counts."""
    ends = func.date_trunc("month", Forecast.as_of + 1).cast(Date) - 1
    query = (
        select(Forecast.as_of, Forecast.made_at, Forecast.said)
        .where(Forecast.town_id == town_id, Forecast.as_of == ends)
        .where(Forecast.as_of >= (Month.of(today) - 2 * SHOWN_MONTHS).first_day)
        .distinct(Forecast.as_of)
        .order_by(Forecast.as_of.desc(), Forecast.made_at, Forecast.id)
    )
    made = [(as_of, made_at, Outlook.from_json(said)) for as_of, made_at, said in session.execute(query)]
    if not made:
        return []
    span = Span(Month.of(made[-1][0]).first_day, today - timedelta(days=1))
    came = {month: moved.now for month, moved in by_month(session, everyone(town_id), span)}
    found = []
    for as_of, made_at, outlook in made:
        for ahead in SCORED_AHEAD:
            month = Month.of(as_of) + ahead
            said = outlook.at(month.last_day)
            if said and month.last_day < today and month in came:
                afterwards = clock.local_day(made_at) - as_of > LATE
                found.append(Scored(as_of, afterwards, month.last_day, said, came[month], outlook.stock))
    return found
