"""What was said to whom, and who looks after how many."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import Scope, volunteers_for
from crm.clock import at
from crm.errors import NotFound
from crm.outreach.models import Assignment, Visit
from crm.outreach.rules import AGREEING, REACHED, Outcome, Step
from crm.prospects.models import Prospect, StageChange
from crm.prospects.queries.facts import Facts, facts_of
from crm.prospects.queries.lists import Filters, people
from crm.prospects.queries.seeing import listed_to, visible_to
from crm.prospects.rules import Stage
from crm.web.pager import Page, latest_first

# ---- visits


class Line(NamedTuple):
    """A visit in a list: to whom, and who made it."""

    visit: Visit
    person: Prospect
    by: str


@dataclass(frozen=True)
class Narrowed:
    """What a list of visits is narrowed to: `since` and `until` are moments, the latter excluded."""

    prospect_id: UUID | None = None
    user_id: UUID | None = None
    outcome: Outcome | None = None
    since: datetime | None = None
    until: datetime | None = None


ANY = Narrowed()
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(3000, 1, 1)


def span(since: date | None, until: date | None) -> tuple[datetime | None, datetime | None]:
    """The moments at which a run of days in Vietnam begins and ends; no day at all stays open."""
    first, last = (None if day is None else min(max(day, FIRST_DAY), LAST_DAY) for day in (since, until))
    return at(first) if first else None, at(last) + timedelta(days=1) if last else None


def visits(scope: Scope, narrowed: Narrowed = ANY) -> Select[Visit, Prospect, str]:
    """The visits to people someone may see, withdrawn ones included, each with the person and the author's name."""
    query = (
        select(Visit, Prospect, User.full_name)
        .join(Prospect, (Prospect.town_id == Visit.town_id) & (Prospect.id == Visit.prospect_id))
        .join(User, (User.town_id == Visit.town_id) & (User.id == Visit.user_id))
        .where(visible_to(scope), Visit.town_id == scope.town_id)
    )
    if narrowed.prospect_id:
        query = query.where(Visit.prospect_id == narrowed.prospect_id)
    if narrowed.user_id:
        query = query.where(Visit.user_id == narrowed.user_id)
    if narrowed.outcome:
        query = query.where(Visit.outcome == narrowed.outcome)
    if narrowed.since:
        query = query.where(Visit.occurred_at >= narrowed.since)
    if narrowed.until:
        query = query.where(Visit.occurred_at < narrowed.until)
    return query


def page_of_visits(
    session: Session, scope: Scope, narrowed: Narrowed = ANY, *, cursor: str | None = None, size: int
) -> Page[Line]:
    """One page of visits, the latest first. RuleBroken for a cursor this program did not write."""
    query: Any = visits(scope, narrowed)
    order = (Visit.occurred_at, Visit.id)
    found = latest_first(
        session, query, order, cursor=cursor, size=size, key=lambda row: (row[0].occurred_at, row[0].id)
    )
    return Page([Line(*row) for row in found.rows], found.next)


def latest_visits(session: Session, person: Prospect, most: int) -> list[Line]:
    """Visits to somebody, withdrawn ones included, the latest first."""
    asked = {"town": person.town_id, "person": person.id, "most": most}
    return [Line(visit, person, by) for visit, by in session.execute(_LATEST, asked)]


_OF_PERSON = and_(Visit.town_id == bindparam("town"), Visit.prospect_id == bindparam("person"))
_LATEST = (
    select(Visit, User.full_name)
    .join(User, (User.town_id == Visit.town_id) & (User.id == Visit.user_id))
    .where(_OF_PERSON)
    .order_by(Visit.occurred_at.desc(), Visit.id.desc())
    .limit(bindparam("most"))
)
_IN_ORDER = select(Visit).where(_OF_PERSON).order_by(Visit.occurred_at, Visit.recorded_at, Visit.id)
_STEPS = (
    select(StageChange.from_stage, StageChange.to_stage, StageChange.at, StageChange.because_id)
    .where(StageChange.town_id == bindparam("town"), StageChange.prospect_id == bindparam("person"))
    .order_by(StageChange.at, StageChange.id)
)
"""Made once, as they are asked whenever a visit is logged or a person's page is opened."""


def visit_and_person(session: Session, scope: Scope, visit_id: UUID) -> tuple[Visit, Prospect]:
    """A visit to somebody this person may see. Raises NotFound."""
    row = session.execute(visits(scope).where(Visit.id == visit_id)).one_or_none()
    if row is None:
        raise NotFound
    return row[0], row[1]


def visits_to(session: Session, person: Prospect) -> Sequence[Visit]:
    """Every visit to somebody in the order they took place, withdrawn ones included."""
    return session.scalars(_IN_ORDER, {"town": person.town_id, "person": person.id}).all()


def steps_of(session: Session, person: Prospect) -> list[Step]:
    """How somebody's stage moved, in the order it was recorded."""
    return [Step(*row) for row in session.execute(_STEPS, {"town": person.town_id, "person": person.id})]


class Tried(NamedTuple):
    """How often somebody was called on, and what was said the last time someone met them."""

    times: int
    reasons: tuple[str, ...]


def tried(session: Session, town_id: UUID, prospect_ids: Collection[UUID]) -> dict[UUID, Tried]:
    """For each of these people; those nobody called on are left out."""
    last = func.array_to_string(Visit.reasons, ",")
    query = (
        select(
            Visit.prospect_id,
            func.count(),
            func.array_agg(last).filter(Visit.outcome != Outcome.NOT_MET),
            func.array_agg(Visit.occurred_at).filter(Visit.outcome != Outcome.NOT_MET),
        )
        .where(Visit.town_id == town_id, Visit.prospect_id.in_(prospect_ids), Visit.withdrawn_at.is_(None))
        .group_by(Visit.prospect_id)
    )
    found = {}
    for prospect_id, times, reasons, moments in session.execute(query):
        latest = max(zip(moments, reasons, strict=True))[1] if moments else ""
        found[prospect_id] = Tried(times, tuple(filter(None, latest.split(","))))
    return found


class Reached(NamedTuple):
    """People, each counted once: called on, met, and those who agreed."""

    called_on: int
    met: int
    agreed: int


def reached(session: Session, town_id: UUID, user_id: UUID, since: datetime, until: datetime) -> Reached:
    """What one person's visits of a time came to."""
    people = func.count(Visit.prospect_id.distinct())
    query = select(people, people.filter(Visit.outcome.in_(REACHED)), people.filter(Visit.outcome.in_(AGREEING))).where(
        Visit.town_id == town_id,
        Visit.user_id == user_id,
        Visit.withdrawn_at.is_(None),
        Visit.occurred_at >= since,
        Visit.occurred_at < until,
    )
    return Reached(*session.execute(query).one())


# ---- who looks after whom


class Load(NamedTuple):
    """Somebody work may be given to, and how much they have."""

    user: User
    people: int
    """Who still has to be won: neither taking part nor out of the question."""
    due: int
    never_met: int


_SETTLED = (Stage.JOINED, Stage.NOT_ELIGIBLE)


def loads(session: Session, scope: Scope, today: date) -> list[Load]:
    """Those to whom somebody of this scope may give work, by name, with what each has already."""
    volunteers = session.scalars(volunteers_for(scope)).all()
    open_ = Prospect.stage.not_in(_SETTLED)
    query = (
        select(
            Prospect.volunteer_id,
            func.count().filter(open_),
            func.count().filter(Prospect.next_contact_on <= today),
            func.count().filter(open_, Prospect.last_contact_at.is_(None)),
        )
        .where(listed_to(scope), Prospect.volunteer_id.in_([one.id for one in volunteers]))
        .group_by(Prospect.volunteer_id)
    )
    counted = {row[0]: row[1:] for row in session.execute(query)}
    return [Load(one, *counted.get(one.id, (0, 0, 0))) for one in volunteers]


class ToGive(NamedTuple):
    """The top of a list of people to be given to somebody, and how long the list is."""

    people: list[Facts]
    in_all: int


def to_give(session: Session, scope: Scope, filters: Filters, *, most: int, today: date) -> ToGive:
    """People street by street, so that the first so many of them are one walk."""
    query = people(scope, filters, today=today)
    rows = session.scalars(query.order_by(*_STREET_BY_STREET).limit(most)).all()
    in_all = session.scalar(query.with_only_columns(func.count())) or 0
    return ToGive(facts_of(session, scope.town_id, rows, today), in_all)


def first_to_give(session: Session, scope: Scope, filters: Filters, *, first: int, today: date) -> Sequence[UUID]:
    """The first so many of the same list."""
    query = people(scope, filters, today=today).with_only_columns(Prospect.id)
    return session.scalars(query.order_by(*_STREET_BY_STREET).limit(first)).all()


_STREET_BY_STREET = (Prospect.place_id, Prospect.neighbourhood_id, Prospect.address, Prospect.name_key, Prospect.id)


def assigned_since(session: Session, town_id: UUID, prospect_ids: Collection[UUID]) -> dict[UUID, datetime]:
    """Since when these people are with whoever looks after them; without those nobody was assigned."""
    query = select(Assignment.prospect_id, Assignment.since).where(
        Assignment.town_id == town_id, Assignment.prospect_id.in_(prospect_ids), Assignment.until.is_(None)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def became(session: Session, town_id: UUID, prospect_id: UUID) -> list[UUID]:
    """Somebody's id and the ids of the records it was merged into, one after the other."""
    chain: list[UUID] = []
    following: UUID | None = prospect_id
    while following is not None and following not in chain:
        chain.append(following)
        following = session.scalar(
            select(Prospect.merged_into_id).where(Prospect.town_id == town_id, Prospect.id == following)
        )
    return chain


def once_held(
    session: Session, town_id: UUID, prospect_id: UUID, user_id: UUID, *, at: datetime, since: datetime
) -> Prospect | None:
    """Somebody who was in this person's hands at a moment and has left them, not before `since`."""
    chain = became(session, town_id, prospect_id)
    held = select(Assignment.id).where(
        Assignment.town_id == town_id,
        Assignment.prospect_id.in_(chain),
        Assignment.volunteer_id == user_id,
        Assignment.since <= at,
        or_(Assignment.until.is_(None), and_(Assignment.until > at, Assignment.until >= since)),
    )
    if session.scalar(held.limit(1)) is None:
        return None
    person = session.get(Prospect, (town_id, chain[-1]))
    return person if person is not None and person.merged_into_id is None else None
