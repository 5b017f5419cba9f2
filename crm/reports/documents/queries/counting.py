"""The figures of a period, each counted once: of the whole town by ward, of one ward by neighbourhood.

Who counts where follows the manager's home: somebody counts where they lived when they joined, in the boundaries of a
day, and for the organisation that brought them in. Read with the scope of the whole town: whose report it is decides
what of it is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Date, and_, case, cast, exists, false, func, literal, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from crm import clock
from crm.accounts.models import Organisation, User
from crm.accounts.queries import Scope
from crm.accounts.rules import Reach, Role
from crm.campaigns.models import Message
from crm.campaigns.rules.delivery import LEFT_US, Delivery
from crm.joining.models import Dossier
from crm.months import Month
from crm.outreach.models import Visit
from crm.outreach.rules import REACHED, Channel, Outcome
from crm.participation.guard.rules import StopReason
from crm.participation.models import Participation, Payment
from crm.participation.queries import Narrowed, asked_neighbourhood, counted_in, holds_on, of_kind
from crm.participation.rules import Beginning, Ending, Kind, Span
from crm.places.boundaries import Boundaries, boundaries
from crm.places.models import Place
from crm.places.queries import ids_within
from crm.prospects.models import Consent, Prospect, Standing
from crm.prospects.queries.seeing import visible_to
from crm.prospects.rules import Ground, Purpose

BY_NEED = (Ground.POOR, Ground.NEAR_POOR, Ground.ETHNIC_MINORITY)
"""Of several grounds the first counts: each person once."""
BY_THEMSELVES = (Ending.LAPSED, Ending.STOPPED)


class Asked(NamedTuple):
    """What a report is about: a period, in boundaries, of the whole town or of one place."""

    scope: Scope
    span: Span
    within: Boundaries
    place: Place | None
    narrowed: Narrowed
    """What counts in the place; nothing for the whole town."""

    @property
    def year(self) -> Span:
        return Span.year_to(self.span.as_of)


def asked(session: Session, town_id: UUID, span: Span, place: Place | None, drawn: date | None) -> Asked:
    """What to count. A place that did not exist on the day is taken as on its own first or last day."""
    day = drawn or span.as_of
    if place is not None and drawn is None:
        last = place.valid_to - timedelta(days=1) if place.valid_to else day
        day = max(place.valid_from, min(day, last))
    scope = Scope(town_id, user_id=town_id, reach=Reach.ALL, organisation_id=None, place_ids=None)
    narrowed = counted_in(session, place, span.as_of, day) if place else Narrowed()
    return Asked(scope, span, boundaries(session, town_id, day), place, narrowed)


def counted_at(column: InstrumentedAttribute[UUID], narrowed: Narrowed) -> ColumnElement[bool]:
    """Rows whose place counts in the place a report is about."""
    if narrowed.place_ids is None:
        return literal(True)
    found: list[ColumnElement[bool]] = [column.in_(narrowed.place_ids)]
    for part in narrowed.parts:
        inside: ColumnElement[bool] = Prospect.neighbourhood_id.in_(part.neighbourhood_ids)
        if part.unknown:
            inside = or_(inside, Prospect.neighbourhood_id.is_(None))
        found.append(and_(column == part.place_id, inside))
    return or_(false(), *found)


# ---- Biểu 01


class Stock(NamedTuple):
    """How the stock stands and moved: start_of_year + up − down = now, and poor + near_poor + minority + others = now."""

    start_of_year: int = 0
    joined: int = 0
    """In the period, those who moved here while taking part among them."""
    returned: int = 0
    stopped: int = 0
    """Did not pay in time, or of their own will."""
    compulsory: int = 0
    left_otherwise: int = 0
    up: int = 0
    """Since New Year."""
    down: int = 0
    now: int = 0
    year_before: int = 0
    """The stock of the same day a year earlier."""
    poor: int = 0
    near_poor: int = 0
    minority: int = 0
    others: int = 0

    @property
    def left(self) -> int:
        return self.stopped + self.compulsory + self.left_otherwise

    @property
    def start(self) -> int:
        """The stock at the beginning of the period."""
        return self.now - self.joined - self.returned + self.left

    def plus(self, other: Stock) -> Stock:
        return Stock(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


def stock(session: Session, what: Asked) -> dict[UUID | None, Stock]:
    """By unit of the town's boundaries, or by neighbourhood of the place (None: not known); one query."""
    span, year = what.span, what.year
    earlier = holds_on(_year_before(span.as_of))
    now, need = of_kind(Kind.STOCK, span), _need(span.as_of)
    left = of_kind(Kind.LEFT, span)
    ended = Participation.ended_as
    counted: list[ColumnElement[bool]] = [
        of_kind(Kind.BASELINE, year),
        of_kind(Kind.JOINED, span),
        of_kind(Kind.RETURNED, span),
        and_(left, ended.in_(BY_THEMSELVES)),
        and_(left, ended == Ending.COMPULSORY),
        and_(left, ended.not_in((*BY_THEMSELVES, Ending.COMPULSORY))),
        or_(of_kind(Kind.JOINED, year), of_kind(Kind.RETURNED, year)),
        of_kind(Kind.LEFT, year),
        now,
        earlier,
        *(and_(now, need == rank) for rank in range(len(BY_NEED) + 1)),
    ]
    key: tuple[Any, Any] = (
        (literal(None), Prospect.neighbourhood_id)
        if what.place
        else (Participation.place_id, asked_neighbourhood(Participation.place_id, what.within))
    )
    of_the_year = or_(of_kind(Kind.BASELINE, year), of_kind(Kind.JOINED, year), of_kind(Kind.RETURNED, year), earlier)
    query = (
        select(key[0].label("place"), key[1].label("neighbourhood"), *(func.count().filter(one) for one in counted))
        .select_from(Participation)
        .join(Prospect, _of_the_person(Participation))
        .where(visible_to(what.scope), of_the_year, counted_at(Participation.place_id, what.narrowed))
        .group_by("place", "neighbourhood")
    )
    found: dict[UUID | None, Stock] = {}
    for place_id, neighbourhood_id, *numbers in session.execute(query):
        unit = neighbourhood_id if what.place else what.within.unit_of(place_id, neighbourhood_id)
        found[unit] = found.get(unit, Stock()).plus(Stock(*(int(number) for number in numbers)))
    return found


def year_before_known(session: Session, what: Asked) -> bool:
    """Whether the register was kept a year earlier: somebody joined or came back by then, and was not only taken over."""
    query = select(
        exists().where(
            Participation.town_id == what.scope.town_id,
            Participation.withdrawn_at.is_(None),
            Participation.started_as.not_in((Beginning.BASELINE, Beginning.LISTED)),
            Participation.started_on <= _year_before(what.span.as_of),
        )
    )
    return bool(session.scalar(query))


def _year_before(day: date) -> date:
    last_of_february = 28
    return day.replace(year=day.year - 1, day=min(day.day, last_of_february) if day.month == 2 else day.day)


def _need(day: date) -> ColumnElement[int]:
    """The rank of the ground somebody has on a day; the last rank: none of these."""
    rank = case({ground.value: place for place, ground in enumerate(BY_NEED)}, value=Standing.ground)
    held = (
        select(func.min(rank))
        .where(
            Standing.town_id == Participation.town_id,
            Standing.prospect_id == Participation.prospect_id,
            Standing.ground.in_(BY_NEED),
            Standing.valid_from <= day,
            or_(Standing.valid_to.is_(None), Standing.valid_to > day),
        )
        .correlate(Participation)
        .scalar_subquery()
    )
    return func.coalesce(held, len(BY_NEED))


def _of_the_person(table: Any) -> ColumnElement[bool]:
    return and_(Prospect.town_id == table.town_id, Prospect.id == table.prospect_id)


# ---- month by month


class MonthOf(NamedTuple):
    month: Month
    joined: int
    returned: int
    left: int
    now: int


def months(session: Session, what: Asked) -> list[MonthOf]:
    """How the stock moved in each month of the period; the last may be cut short."""
    first, last = Month.of(what.span.since), Month.of(what.span.as_of)
    ours = and_(
        visible_to(what.scope),
        Participation.withdrawn_at.is_(None),
        counted_at(Participation.place_id, what.narrowed),
    )

    def by_month(column: Any, *filters: ColumnElement[bool]) -> dict[Month, tuple[int, ...]]:
        month = func.date_trunc("month", column).label("month")
        query = (
            select(month, *(func.count().filter(one) for one in filters))
            .select_from(Participation)
            .join(Prospect, _of_the_person(Participation))
            .where(ours, column.between(what.span.since, what.span.as_of))
            .group_by("month")
        )
        return {Month.of(row[0].date()): tuple(row[1:]) for row in session.execute(query)}

    back = Participation.started_as == Beginning.RETURNED
    came = by_month(Participation.started_on, ~back, back)
    went = by_month(Participation.ended_on, literal(True))
    before = (
        select(func.count())
        .select_from(Participation)
        .join(Prospect, _of_the_person(Participation))
        .where(visible_to(what.scope), holds_on(what.span.before), counted_at(Participation.place_id, what.narrowed))
    )
    now, found = session.scalar(before) or 0, []
    for month in first.until(last + 1):
        (joined, returned), (left,) = came.get(month, (0, 0)), went.get(month, (0,))
        now += joined + returned - left
        found.append(MonthOf(month, joined, returned, left, now))
    return found


# ---- Biểu 02


class Worked(NamedTuple):
    """What an organisation's people did in a period, and what came of it."""

    volunteers: int = 0
    home_visits: int = 0
    met: int = 0
    """People with whom somebody really talked."""
    again: int = 0
    """Conversations with a day for the next."""
    registered: int = 0
    """Declarations begun for people of theirs."""
    first_paid: int = 0
    kept_6: int = 0
    of_6: int = 0
    """Of those who joined in the same period 6 months earlier, how many took part 6 months after their own day; and how many
    they were."""
    kept_12: int = 0
    of_12: int = 0
    went_on: int = 0
    """People who paid again."""
    reminded: int = 0
    lapsed: int = 0

    @property
    def due(self) -> int:
        """Whose time to pay came: those who paid again and those who did not."""
        return self.went_on + self.lapsed


HALF_A_YEAR, A_YEAR = 6, 12


def worked(session: Session, what: Asked) -> dict[UUID | None, Worked]:
    """By organisation; None where none is on record."""
    found: dict[UUID | None, dict[str, int]] = {}

    def take(names: Iterable[str], query: Any) -> None:
        for key, *numbers in session.execute(query):
            found.setdefault(key, {}).update(zip(names, (int(number) for number in numbers), strict=True))

    take(("volunteers",), _volunteers(session, what))
    take(("home_visits", "met", "again"), _visits(what))
    take(("registered",), _registered(what))
    take(("first_paid", "lapsed", "kept_6", "of_6", "kept_12", "of_12"), _joined(what))
    take(("went_on",), _went_on(what))
    take(("reminded",), _reminded(what))
    return {key: Worked(**numbers) for key, numbers in found.items()}


def _volunteers(session: Session, what: Asked) -> Any:
    query = select(User.organisation_id, func.count()).where(
        User.town_id == what.scope.town_id,
        User.role.in_((Role.VOLUNTEER, Role.AGENT)),
        User.active,
        User.created_at < _end(what.span.as_of),
    )
    if what.place is not None:
        query = query.where(User.place_id.in_(ids_within(session, what.scope.town_id, what.place.id)))
    return query.group_by(User.organisation_id)


def _visits(what: Asked) -> Any:
    met = Visit.outcome.in_(REACHED)
    return (
        select(
            Visit.organisation_id,
            func.count().filter(Visit.channel == Channel.HOME_VISIT),
            func.count(Visit.prospect_id.distinct()).filter(met),
            func.count().filter(met, Visit.next_contact_on.is_not(None)),
        )
        .join(Prospect, _of_the_person(Visit))
        .where(*_visited(what))
        .group_by(Visit.organisation_id)
    )


def _visited(what: Asked) -> tuple[ColumnElement[bool], ...]:
    return (
        visible_to(what.scope),
        Visit.withdrawn_at.is_(None),
        Visit.occurred_at >= clock.at(what.span.since),
        Visit.occurred_at < _end(what.span.as_of),
        counted_at(Visit.place_id, what.narrowed),
    )


def _registered(what: Asked) -> Any:
    return (
        select(Prospect.organisation_id, func.count(Dossier.prospect_id.distinct()))
        .select_from(Dossier)
        .join(Prospect, _of_the_person(Dossier))
        .where(
            visible_to(what.scope),
            Dossier.stop_on.is_(None),
            Dossier.opened_at >= clock.at(what.span.since),
            Dossier.opened_at < _end(what.span.as_of),
            counted_at(Prospect.place_id, what.narrowed),
        )
        .group_by(Prospect.organisation_id)
    )


def _joined(what: Asked) -> Any:
    span = what.span
    joined = and_(Participation.withdrawn_at.is_(None), Participation.started_as == Beginning.JOINED)
    half, whole = (_shifted(span, months) for months in (HALF_A_YEAR, A_YEAR))
    cohorts = [
        (and_(joined, Participation.started_on.between(*one)), _still_after(months))
        for one, months in ((half, HALF_A_YEAR), (whole, A_YEAR))
    ]
    first = and_(joined, Participation.started_on.between(span.since, span.as_of))
    lapsed = of_kind(Kind.LAPSED, span)
    return (
        select(
            Participation.organisation_id,
            func.count().filter(first),
            func.count().filter(lapsed),
            *(func.count().filter(one) for cohort, kept in cohorts for one in (and_(cohort, kept), cohort)),
        )
        .join(Prospect, _of_the_person(Participation))
        .where(
            visible_to(what.scope),
            or_(first, lapsed, *(cohort for cohort, _kept in cohorts)),
            counted_at(Participation.place_id, what.narrowed),
        )
        .group_by(Participation.organisation_id)
    )


def _still_after(months: int) -> ColumnElement[bool]:
    """Whether somebody took part so many months after the day they joined."""
    that_day = cast(Participation.started_on + func.make_interval(0, months), Date)
    return or_(Participation.ended_on.is_(None), Participation.ended_on > that_day)


def _shifted(span: Span, months: int) -> tuple[date, date]:
    """The same period so many months earlier; a whole month stays a whole month."""
    first, last = Month.of(span.since) - months, Month.of(span.as_of) - months
    whole = span.as_of == Month.of(span.as_of).last_day
    end = last.last_day if whole else min(last.last_day, last.first_day.replace(day=min(span.as_of.day, 28)))
    return first.first_day, end


def _went_on(what: Asked) -> Any:
    return (
        select(Participation.organisation_id, func.count(Payment.prospect_id.distinct()))
        .select_from(Payment)
        .join(
            Participation,
            and_(Participation.town_id == Payment.town_id, Participation.id == Payment.participation_id),
        )
        .join(Prospect, _of_the_person(Payment))
        .where(
            visible_to(what.scope),
            Payment.reverses_id.is_(None),
            Payment.paid_on.between(what.span.since, what.span.as_of),
            Participation.started_on < Payment.paid_on,
            counted_at(Participation.place_id, what.narrowed),
        )
        .group_by(Participation.organisation_id)
    )


def _reminded(what: Asked) -> Any:
    return (
        select(Prospect.organisation_id, func.count(Message.prospect_id.distinct()))
        .select_from(Message)
        .join(Prospect, _of_the_person(Message))
        .where(
            visible_to(what.scope),
            Message.reminder.is_not(None),
            Message.state.in_(LEFT_US),
            Message.local_day.between(what.span.since, what.span.as_of),
            counted_at(Prospect.place_id, what.narrowed),
        )
        .group_by(Prospect.organisation_id)
    )


def organisations_named(session: Session, town_id: UUID) -> Mapping[UUID, str]:
    query = select(Organisation.id, Organisation.name).where(Organisation.town_id == town_id)
    return {row[0]: row[1] for row in session.execute(query)}


def _end(day: date) -> datetime:
    return clock.at(day + timedelta(days=1))


# ---- Biểu 04


class Told(NamedTuple):
    """How people were told in a period."""

    visits: Mapping[Channel, tuple[int, int]]
    """By way: conversations and tries, and the people really talked with."""
    sent: int
    taken: int
    """By the carrier; whether they were read nobody knows."""
    failed: int
    unknown: int
    refused: int
    """Numbers whose owners said no to messages."""


def told(session: Session, what: Asked) -> Told:
    """Visits by way, messages by what became of them, and how many numbers said no."""
    met = func.count(Visit.prospect_id.distinct()).filter(Visit.outcome.in_(REACHED))
    visits = (
        select(Visit.channel, func.count(), met)
        .join(Prospect, _of_the_person(Visit))
        .where(*_visited(what))
        .group_by(Visit.channel)
    )
    inside = (
        Message.settled_at,
        Message.claimed_at >= clock.at(what.span.since),
        Message.claimed_at < _end(what.span.as_of),
    )
    counts = [
        func.count().filter(Message.state.in_(LEFT_US | {Delivery.FAILED})),
        func.count().filter(Message.state.in_((Delivery.ACCEPTED, Delivery.SENT, Delivery.DELIVERED))),
        func.count().filter(Message.state.in_((Delivery.UNDELIVERED, Delivery.FAILED))),
        func.count().filter(Message.state.in_((Delivery.SENDING, Delivery.UNKNOWN))),
    ]
    messages: Any = select(*counts).where(Message.town_id == what.scope.town_id, *inside[1:])
    refused = select(func.count(Consent.phone.distinct())).where(
        Consent.town_id == what.scope.town_id,
        Consent.given.is_(False),
        Consent.purpose.in_(list(Purpose)),
        Consent.at >= clock.at(what.span.since),
        Consent.at < _end(what.span.as_of),
    )
    if what.place is not None:
        messages = messages.join(Prospect, _of_the_person(Message)).where(
            visible_to(what.scope), counted_at(Prospect.place_id, what.narrowed)
        )
        refused = refused.join(
            Prospect, and_(Prospect.town_id == Consent.town_id, Prospect.id == Consent.prospect_id)
        ).where(visible_to(what.scope), counted_at(Prospect.place_id, what.narrowed))
    sent, taken, failed, unknown = session.execute(messages).one()
    by_way = {row[0]: (int(row[1]), int(row[2])) for row in session.execute(visits)}
    return Told(by_way, int(sent), int(taken), int(failed), int(unknown), session.scalar(refused) or 0)


# ---- why


def reasons_for_stopping(session: Session, what: Asked) -> dict[StopReason | None, int]:
    """Why people let it lapse or stopped in the period, as they said; None: nobody has asked."""
    query = (
        select(Participation.stop_reason, func.count())
        .join(Prospect, _of_the_person(Participation))
        .where(
            visible_to(what.scope),
            of_kind(Kind.LEFT, what.span),
            Participation.ended_as.in_(BY_THEMSELVES),
            counted_at(Participation.place_id, what.narrowed),
        )
        .group_by(Participation.stop_reason)
    )
    return {row[0]: int(row[1]) for row in session.execute(query)}


def reasons_for_refusing(session: Session, what: Asked) -> dict[str, int]:
    """Why people hesitated or refused in the period, as volunteers noted: people by outreach Reason."""
    reason = func.unnest(Visit.reasons).label("reason")
    noted = (
        select(reason, Visit.prospect_id)
        .join(Prospect, _of_the_person(Visit))
        .where(*_visited(what), Visit.outcome.in_((Outcome.REFUSED, Outcome.CONSIDERING, Outcome.INTERESTED)))
        .subquery()
    )
    query = select(noted.c.reason, func.count(noted.c.prospect_id.distinct())).group_by(noted.c.reason)
    return {row[0]: int(row[1]) for row in session.execute(query)}


def due_after(session: Session, what: Asked) -> int:
    """How many of the stock have to pay within the days that follow the period."""
    query = (
        select(func.count())
        .select_from(Participation)
        .join(Prospect, _of_the_person(Participation))
        .where(
            visible_to(what.scope),
            of_kind(Kind.DUE, what.span),
            counted_at(Participation.place_id, what.narrowed),
        )
    )
    return session.scalar(query) or 0


def scope_of_place(session: Session, what: Asked) -> Scope:
    """The scope of what lives in the place today, for the money that follows people; of the town the town's."""
    if what.place is None:
        return what.scope
    return replace(what.scope, reach=Reach.UNIT, place_ids=ids_within(session, what.scope.town_id, what.place.id))
