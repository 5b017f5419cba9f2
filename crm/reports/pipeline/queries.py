"""Steps between stages, how long people stay at one, why they refuse, and how many of those who joined stay."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    Select,
    Subquery,
    and_,
    distinct,
    exists,
    extract,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.orm import Session, aliased

from crm import clock
from crm.accounts.queries import Scope
from crm.months import Month
from crm.outreach.models import Visit
from crm.outreach.rules import Channel, Outcome, Reason
from crm.participation.models import ParticipantMonth, Participation
from crm.participation.queries import holds_on
from crm.participation.rules import Beginning, Span
from crm.places.boundaries import Part
from crm.prospects.models import Prospect, StageChange
from crm.prospects.queries.seeing import listed_to, summed_to
from crm.prospects.queries.standing import stands
from crm.prospects.rules import Ground, Stage
from crm.prospects.tally.models import PeopleTally

WON = (Beginning.JOINED, Beginning.RETURNED)
QUARTERS = tuple(part / 4 for part in (1, 2, 3))
COHORTS = 12
"""Months of joining that are followed, and months each is followed for."""
SECONDS_OF_DAY = 86_400


@dataclass(frozen=True)
class Among:
    """Of whom: those somebody may see, narrowed in any of these ways, all of them at once."""

    scope: Scope
    place_ids: Collection[UUID] | None = None
    organisation_id: UUID | Literal["none"] | None = None
    parts: Collection[Part] = ()
    """Besides the places, parts of units that the neighbourhood decides."""
    volunteer_id: UUID | Literal["none"] | None = None
    met: tuple[Channel, Span] | None = None
    """Met in this way in these days."""
    standing: tuple[Ground, date] | None = None
    """Of this ground on that day, the one that decides support."""

    @property
    def condition(self) -> ColumnElement[bool]:
        """On the person; a narrowing never widens what may be seen."""
        return and_(listed_to(self.scope), *self._narrowed(Prospect), *self._by_what_happened())

    @property
    def summed(self) -> ColumnElement[bool] | None:
        """The same on the sums of people by stage; None where they cannot tell."""
        if self.met or self.standing:
            return None
        return and_(summed_to(self.scope), *self._narrowed(PeopleTally))

    def _narrowed(self, of: type[Prospect | PeopleTally]) -> Iterator[ColumnElement[bool]]:
        if self.place_ids is not None:
            yield or_(of.place_id.in_(self.place_ids), *(_in_part(part, of) for part in self.parts))
        for column, asked in ((of.organisation_id, self.organisation_id), (of.volunteer_id, self.volunteer_id)):
            if asked is not None:
                yield column.is_(None) if asked == "none" else column == asked

    def _by_what_happened(self) -> Iterator[ColumnElement[bool]]:
        if self.met:
            channel, span = self.met
            visits = talks(self.scope, span).where(Visit.channel == channel)
            yield Prospect.id.in_(visits.with_only_columns(Visit.prospect_id))
        if self.standing:
            yield stands(*self.standing)


def _in_part(part: Part, of: type[Prospect | PeopleTally]) -> ColumnElement[bool]:
    inside = of.neighbourhood_id.in_(part.neighbourhood_ids)
    without = of.neighbourhood_id.is_(None)
    return and_(of.place_id == part.place_id, or_(inside, without) if part.unknown else inside)


def talks(scope: Scope, span: Span) -> Select[Any]:
    """The conversations of a period that took place and were not taken back; closed doors are none."""
    return select(Visit).where(
        Visit.town_id == scope.town_id,
        Visit.withdrawn_at.is_(None),
        Visit.outcome != Outcome.NOT_MET,
        *_in(Visit.occurred_at, span),
    )


class Stay(NamedTuple):
    """Days at a stage, of the stays that ended in the period: a quarter were shorter than the first, half than the middle."""

    ended: int
    """People, whoever left it twice once."""
    first: float
    middle: float
    third: float


class Cohort(NamedTuple):
    """Those who began to take part in a month, and how many of them had paid for each month from then on (None: to come)."""

    month: Month
    people: int
    paid: Sequence[int | None]


def steps(session: Session, among: Among, span: Span) -> list[tuple[Stage, Stage, int]]:
    """How many people went from one stage to another in a period, the most frequent step first. Whoever took part before anyone wrote them
    down was not won: that is no step. People are told apart before they are counted: that a large register hashes, where
    counting distinct ones sorts."""
    columns = StageChange.prospect_id, _ORIGIN.label("origin"), StageChange.to_stage
    each = _steps(among, span).with_only_columns(*columns).distinct().subquery()
    query = (
        select(each.c.origin, each.c.to_stage, func.count())
        .group_by(each.c.origin, each.c.to_stage)
        .order_by(func.count().desc(), each.c.origin, each.c.to_stage)
    )
    return [(row[0], row[1], row[2]) for row in session.execute(query)]


_ORIGIN = func.coalesce(StageChange.from_stage, literal_column("'new'"), type_=StageChange.to_stage.type)


def _steps(among: Among, span: Span) -> Select[Any]:
    return (
        _changes(among)
        .where(*_in(StageChange.at, span), StageChange.to_stage != _ORIGIN)
        .where(or_(StageChange.to_stage != Stage.JOINED, _won()))
    )


def who_stepped(among: Among, span: Span, origin: Stage, to: Stage) -> Select[UUID]:
    """Those behind a figure of `steps`."""
    query = _steps(among, span).where(_ORIGIN.is_not_distinct_from(origin), StageChange.to_stage == to)
    return query.with_only_columns(StageChange.prospect_id)


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
    each = _each_stay(among, span)
    days = extract("epoch", each.c.until - each.c.at) / SECONDS_OF_DAY
    quarters = (func.percentile_cont(share).within_group(days) for share in QUARTERS)
    people = func.count(distinct(each.c.prospect_id))
    query = select(each.c.to_stage, people, *quarters).where(*_in(each.c.until, span)).group_by(each.c.to_stage)
    return {row[0]: Stay(row[1], *(float(one) for one in row[2:])) for row in session.execute(query)}


def _each_stay(among: Among, span: Span) -> Subquery:
    """The stays of those who took a step in the period: only theirs can have ended in it."""
    person = (StageChange.town_id, StageChange.prospect_id)
    until = func.lead(StageChange.at).over(partition_by=person, order_by=(StageChange.at, StageChange.id))
    columns = (StageChange.prospect_id, StageChange.to_stage, StageChange.at, until.label("until"))
    stepped = select(_NEXT.prospect_id).where(_NEXT.town_id == among.scope.town_id, *_in(_NEXT.at, span))
    return _changes(among).where(StageChange.prospect_id.in_(stepped)).with_only_columns(*columns).subquery()


_NEXT = aliased(StageChange)


def who_left_stage(among: Among, span: Span, stage: Stage) -> Select[UUID]:
    """Those behind a figure of `stays`."""
    each = _each_stay(among, span)
    return select(each.c.prospect_id).where(*_in(each.c.until, span), each.c.to_stage == stage)


def refusals(session: Session, among: Among, span: Span) -> list[tuple[Reason, int]]:
    """How many people gave each reason for saying no in a period, the most frequent first; one may give several."""
    same = and_(Prospect.town_id == Visit.town_id, Prospect.id == Visit.prospect_id)
    named = (
        talks(among.scope, span)
        .where(among.condition, Visit.outcome == Outcome.REFUSED)
        .join(Prospect, same)
        .with_only_columns(Visit.prospect_id, func.unnest(Visit.reasons).label("reason"))
        .distinct()
        .subquery()
    )
    people = func.count()
    query = select(named.c.reason, people).group_by(named.c.reason).order_by(people.desc(), named.c.reason)
    return [(Reason(row[0]), row[1]) for row in session.execute(query)]


def who_refused(scope: Scope, span: Span, reason: Reason | None = None) -> Select[UUID]:
    """Those who said no in a period, for that reason if one is named."""
    query = talks(scope, span).where(Visit.outcome == Outcome.REFUSED)
    if reason:
        query = query.where(Visit.reasons.any(reason.value))  # type: ignore[arg-type]
    return query.with_only_columns(Visit.prospect_id)


def who_met(scope: Scope, span: Span) -> Select[UUID]:
    """Those with whom somebody spoke in a period."""
    return talks(scope, span).with_only_columns(Visit.prospect_id)


def who_won(scope: Scope, span: Span) -> Select[UUID]:
    """Those who joined or came back in a period."""
    return _spells(scope).where(
        Participation.started_as.in_(WON), Participation.started_on.between(span.since, span.as_of)
    )


def who_left(scope: Scope, span: Span) -> Select[UUID]:
    """Those who dropped out in a period, for whatever reason."""
    return _spells(scope).where(Participation.ended_on.between(span.since, span.as_of))


def who_pays_until(scope: Scope, on: date, until: date, ground: Ground | None = None) -> Select[UUID]:
    """Those who take part on a day and have to pay again until another; of a ground, as it was when they joined."""
    query = _spells(scope).where(holds_on(on), Participation.deadline_on <= until)
    return query.where(Participation.ground == ground) if ground else query


def _spells(scope: Scope) -> Select[UUID]:
    return select(Participation.prospect_id).where(
        Participation.town_id == scope.town_id, Participation.withdrawn_at.is_(None)
    )


def cohorts(session: Session, among: Among, as_of: date) -> list[Cohort]:
    """Of those who joined or came back in each of the last twelve months: how many had each month paid, that of joining
    first. Months that began after `as_of` are to come, even where some paid ahead."""
    now = Month.of(as_of)
    joined = _joiners(among, Span((now - (COHORTS - 1)).first_day, as_of)).subquery()
    of_them = and_(
        ParticipantMonth.town_id == among.scope.town_id,
        ParticipantMonth.prospect_id == joined.c.prospect_id,
        ParticipantMonth.month.between(joined.c.month, now.first_day),
        ParticipantMonth.counts,
    )
    columns = joined.c.month, ParticipantMonth.month
    people = func.count(distinct(joined.c.prospect_id))
    found: dict[Month, dict[Month, int]] = {}
    query = select(*columns, people).select_from(joined.join(ParticipantMonth, of_them)).group_by(*columns)
    for began, month, number in session.execute(query):
        found.setdefault(Month.of(began), {})[Month.of(month)] = number
    sizes = session.execute(select(joined.c.month, people).group_by(joined.c.month).order_by(joined.c.month))
    return [_cohort(Month.of(row[0]), row[1], found.get(Month.of(row[0]), {}), now) for row in sizes]


def _cohort(month: Month, people: int, paid: Mapping[Month, int], now: Month) -> Cohort:
    each = [paid.get(month + after, 0) if month + after <= now else None for after in range(COHORTS)]
    return Cohort(month, people, each)


def _joiners(among: Among, span: Span) -> Select[UUID, date]:
    """Who joined or came back, and in which months; somebody who did so twice in a month once."""
    same = and_(Prospect.town_id == Participation.town_id, Prospect.id == Participation.prospect_id)
    month = func.date_trunc("month", Participation.started_on).cast(Date).label("month")
    return (
        select(Participation.prospect_id, month)
        .join(Prospect, same)
        .where(among.condition, Participation.withdrawn_at.is_(None))
        .where(Participation.started_as.in_(WON))
        .where(Participation.started_on.between(span.since, span.as_of))
        .distinct()
    )


def who_paid(among: Among, began: Month, paid: Month | None, as_of: date) -> Select[UUID]:
    """Those behind a cell of `cohorts`: began in that month until `as_of`, and had the other paid."""
    joined = _joiners(among, Span(began.first_day, min(began.last_day, as_of))).subquery()
    query = select(joined.c.prospect_id)
    if paid is None:
        return query
    months = ParticipantMonth
    of_town = months.town_id == among.scope.town_id, months.month == paid.first_day, months.counts
    return query.where(joined.c.prospect_id.in_(select(months.prospect_id).where(*of_town)))


def _changes(among: Among) -> Select[Any]:
    same = and_(Prospect.town_id == StageChange.town_id, Prospect.id == StageChange.prospect_id)
    return select(StageChange.id).join(Prospect, same).where(among.condition)


def _in(moment: Any, span: Span) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return moment >= clock.at(span.since), moment < clock.at(span.as_of + timedelta(days=1))
