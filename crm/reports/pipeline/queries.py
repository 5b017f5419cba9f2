"""Steps between stages, how long people stay at one, why they refuse, and how many of those who joined stay."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Select, and_, exists, extract, func, or_, select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.queries import Scope
from crm.months import Month
from crm.outreach.models import Visit
from crm.outreach.rules import Outcome, Reason
from crm.participation.models import Participation
from crm.participation.rules import Beginning, Span
from crm.prospects.models import Prospect, StageChange
from crm.prospects.queries.seeing import listed_to, lives_in
from crm.prospects.rules import Stage

KEPT_AFTER = (1, 3, 6, 9, 12)
"""Months after joining at which one looks who still takes part."""
WON = (Beginning.JOINED, Beginning.RETURNED)
QUARTERS = tuple(part / 4 for part in (1, 2, 3))
COHORTS = 12
SECONDS_OF_DAY = 86_400


@dataclass(frozen=True)
class Among:
    """Of whom: those somebody may see, narrowed to places and an organisation."""

    scope: Scope
    place_ids: Collection[UUID] | None = None
    organisation_id: UUID | None = None

    @property
    def condition(self) -> ColumnElement[bool]:
        """On the person; a narrowing never widens what may be seen."""
        parts = [listed_to(self.scope)]
        if self.place_ids is not None:
            parts.append(lives_in(self.place_ids))
        if self.organisation_id:
            parts.append(Prospect.organisation_id == self.organisation_id)
        return and_(*parts)


class Stay(NamedTuple):
    """Days at a stage, of the stays that ended in the period: a quarter were shorter than the first, half than the middle."""

    ended: int
    first: float
    middle: float
    third: float


class Cohort(NamedTuple):
    """Those who began to take part in a month, and how many still did so many months later (None: not that long ago)."""

    month: Month
    people: int
    kept: Sequence[int | None]


def steps(session: Session, among: Among, span: Span) -> list[tuple[Stage, Stage, int]]:
    """Steps from one stage to another in a period, the most frequent first. Whoever took part before anyone wrote them
    down was not won: that is no step."""
    origin = func.coalesce(StageChange.from_stage, Stage.NEW, type_=StageChange.to_stage.type)
    query = (
        _changes(among)
        .where(*_in(StageChange.at, span), origin != StageChange.to_stage)
        .where(or_(StageChange.to_stage != Stage.JOINED, _won()))
        .with_only_columns(origin, StageChange.to_stage, func.count())
        .group_by(origin, StageChange.to_stage)
        .order_by(func.count().desc(), origin, StageChange.to_stage)
    )
    return [(row[0], row[1], row[2]) for row in session.execute(query)]


def _won() -> ColumnElement[bool]:
    """The person joined or came back while somebody looked."""
    return exists().where(
        Participation.town_id == StageChange.town_id,
        Participation.prospect_id == StageChange.prospect_id,
        Participation.withdrawn_at.is_(None),
        Participation.started_as.in_(WON),
    )


def stays(session: Session, among: Among, span: Span) -> Mapping[Stage, Stay]:
    """How long people were at each stage that they left in the period."""
    person = (StageChange.town_id, StageChange.prospect_id)
    until = func.lead(StageChange.at).over(partition_by=person, order_by=(StageChange.at, StageChange.id))
    each = _changes(among).with_only_columns(StageChange.to_stage, StageChange.at, until.label("until")).subquery()
    days = extract("epoch", each.c.until - each.c.at) / SECONDS_OF_DAY
    quarters = (func.percentile_cont(share).within_group(days) for share in QUARTERS)
    query = select(each.c.to_stage, func.count(), *quarters).where(*_in(each.c.until, span)).group_by(each.c.to_stage)
    return {row[0]: Stay(row[1], *(float(one) for one in row[2:])) for row in session.execute(query)}


def refusals(session: Session, among: Among, span: Span) -> list[tuple[Reason, int]]:
    """Why people said no in a period, the most frequent first; one visit may name several reasons."""
    same = and_(Prospect.town_id == Visit.town_id, Prospect.id == Visit.prospect_id)
    reason = func.unnest(Visit.reasons).label("reason")
    named = (
        select(reason)
        .select_from(Visit)
        .join(Prospect, same)
        .where(among.condition, Visit.withdrawn_at.is_(None), Visit.outcome == Outcome.REFUSED)
        .where(*_in(Visit.occurred_at, span))
        .subquery()
    )
    query = select(named.c.reason, func.count()).group_by(named.c.reason).order_by(func.count().desc(), named.c.reason)
    return [(Reason(row[0]), row[1]) for row in session.execute(query)]


def cohorts(session: Session, among: Among, as_of: date) -> list[Cohort]:
    """Of those who joined or came back in each of the last twelve months: who still took part after so many months."""
    same = and_(Prospect.town_id == Participation.town_id, Prospect.id == Participation.prospect_id)
    first = Month.of(as_of) - (COHORTS - 1)
    month = func.date_trunc("month", Participation.started_on).cast(Date).label("month")
    kept = [func.count().filter(_kept(after)) for after in KEPT_AFTER]
    query = (
        select(month, func.count(), *kept)
        .join(Prospect, same)
        .where(among.condition, Participation.withdrawn_at.is_(None))
        .where(Participation.started_as.in_(WON))
        .where(Participation.started_on.between(first.first_day, as_of))
        .group_by(month)
        .order_by(month)
    )
    return [_cohort(Month.of(row[0]), row[1], row[2:], as_of) for row in session.execute(query)]


def _kept(months: int) -> ColumnElement[bool]:
    then = Participation.started_on + func.make_interval(0, months)
    return or_(Participation.ended_on.is_(None), Participation.ended_on > then)


def _cohort(month: Month, people: int, kept: Sequence[int], as_of: date) -> Cohort:
    seen = [
        number if (month + after).last_day <= as_of else None for after, number in zip(KEPT_AFTER, kept, strict=True)
    ]
    return Cohort(month, people, seen)


def _changes(among: Among) -> Select[Any]:
    same = and_(Prospect.town_id == StageChange.town_id, Prospect.id == StageChange.prospect_id)
    return select(StageChange.id).join(Prospect, same).where(among.condition)


def _in(moment: Any, span: Span) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return moment >= clock.at(span.since), moment < clock.at(span.as_of + timedelta(days=1))
