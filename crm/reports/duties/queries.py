"""Whose duties somebody may see, how they stand, and which are late."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from crm.accounts.models import Organisation, User
from crm.accounts.queries import Scope, of_own_unit
from crm.accounts.rules import Reach
from crm.db import one_found
from crm.places.models import Place
from crm.reports.duties.models import Duty, DutyStep
from crm.reports.duties.rules import State

PAGE = 40
MOST_STEPS = 100


def seen_by(scope: Scope) -> ColumnElement[bool]:
    """All duties of the town for who sees it whole; of a lead those of their ward or organisation."""
    ours = Duty.town_id == scope.town_id
    if scope.reach is Reach.ALL:
        return ours
    return and_(ours, of_own_unit(scope, Duty.place_id, Duty.organisation_id))


class Line(NamedTuple):
    """A duty, and whose it is by name."""

    duty: Duty
    whose: str


def _lines(scope: Scope) -> Any:
    return (
        select(Duty, func.coalesce(Place.name, Organisation.name, Duty.actor))
        .outerjoin(Place, and_(Place.town_id == Duty.town_id, Place.id == Duty.place_id))
        .outerjoin(Organisation, and_(Organisation.town_id == Duty.town_id, Organisation.id == Duty.organisation_id))
        .where(seen_by(scope))
        .order_by(Duty.actor_no, Place.code.nulls_first(), Organisation.name.nulls_first(), Duty.position, Duty.id)
    )


def late(today: date) -> ColumnElement[bool]:
    """Not done though the day is past."""
    return and_(Duty.state != State.DONE, Duty.due_on < today)


def lines(
    session: Session,
    scope: Scope,
    year: int,
    today: date,
    *,
    actor_no: int | None,
    only_late: bool,
    most: int,
    skip: int,
) -> list[Line]:
    """Duties of a year in the plan's order."""
    query = _lines(scope).where(Duty.year == year)
    if actor_no is not None:
        query = query.where(Duty.actor_no == actor_no)
    if only_late:
        query = query.where(late(today))
    return [Line(*row) for row in session.execute(query.limit(most).offset(skip))]


class Actor(NamedTuple):
    """How an actor of the plan stands."""

    no: int
    name: str
    duties: int
    done: int
    late: int
    begun: int
    """Those of which something was done, the done ones among them."""


def actors(session: Session, scope: Scope, year: int, today: date) -> list[Actor]:
    """Each actor with its duties, in the plan's order."""
    query = (
        select(
            Duty.actor_no,
            func.min(Duty.actor),
            func.count(),
            func.count().filter(Duty.state == State.DONE),
            func.count().filter(late(today)),
            func.count().filter(Duty.state != State.OPEN),
        )
        .where(seen_by(scope), Duty.year == year)
        .group_by(Duty.actor_no)
        .order_by(Duty.actor_no)
    )
    return [Actor(*row) for row in session.execute(query)]


def how_many_late(session: Session, scope: Scope, today: date) -> int:
    """How many duties of those somebody may see are late."""
    return session.scalar(select(func.count()).select_from(Duty).where(seen_by(scope), late(today))) or 0


def duty_seen(session: Session, scope: Scope, duty_id: UUID, *, lock: bool = False) -> Duty:
    """One duty somebody may see. Raises NotFound."""
    return one_found(session, select(Duty).where(seen_by(scope), Duty.id == duty_id), lock=lock)


def line_of(session: Session, scope: Scope, duty: Duty) -> Line:
    """One duty with whose it is."""
    return Line(*session.execute(_lines(scope).where(Duty.id == duty.id)).one())


def steps_of(session: Session, duty: Duty) -> Sequence[tuple[DutyStep, str]]:
    """What was noted, the last first, with who noted it."""
    query = (
        select(DutyStep, User.full_name)
        .join(User, and_(User.town_id == DutyStep.town_id, User.id == DutyStep.noted_by_id))
        .where(DutyStep.town_id == duty.town_id, DutyStep.duty_id == duty.id)
        .order_by(DutyStep.number.desc())
        .limit(MOST_STEPS)
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def years(session: Session, scope: Scope) -> list[int]:
    """The years that have duties, the last first."""
    return list(
        session.scalars(select(Duty.year).where(seen_by(scope)).distinct().order_by(Duty.year.desc()).limit(20))
    )


def last_step_same(session: Session, duty: Duty, told: dict[str, Any]) -> DutyStep | None:
    """The last step where it says exactly this: a second tap."""
    same = [getattr(DutyStep, name).is_not_distinct_from(value) for name, value in told.items()]
    here = DutyStep.town_id == duty.town_id, DutyStep.duty_id == duty.id, DutyStep.number == duty.steps
    return session.scalar(select(DutyStep).where(*here, *same))
