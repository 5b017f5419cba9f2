"""How many stand where between two payments, what ends soon, and whose work waits too long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from crm.accounts.models import User
from crm.accounts.queries import Scope
from crm.followups.conditions import NEGLECTED
from crm.months import MONTHS_IN_YEAR
from crm.participation.guard.conditions import (
    CERTIFICATE_ENDS,
    JUST_LAPSED,
    KEYS,
    SUPPORT_ENDS,
    WIN_BACK_FIRST,
    WIN_BACK_LAST,
    in_state,
)
from crm.participation.guard.rules import AVOIDABLE, PaymentState, StopReason
from crm.participation.models import Participation
from crm.prospects.lists import conditions
from crm.prospects.models import Prospect
from crm.prospects.queries.seeing import listed_to
from crm.sponsors.conditions import SPONSOR_ENDS, SPONSOR_UNPAID

ENDING_SOON = (
    SPONSOR_UNPAID,
    SPONSOR_ENDS,
    CERTIFICATE_ENDS,
    SUPPORT_ENDS[min(SUPPORT_ENDS)],
    SUPPORT_ENDS[MONTHS_IN_YEAR],
)
TO_WIN_BACK = (JUST_LAPSED, WIN_BACK_FIRST, WIN_BACK_LAST)


class Waiting(NamedTuple):
    """Somebody whose people wait too long, and how many; None: those whom nobody looks after."""

    user_id: UUID | None
    name: str | None
    people: int


@dataclass(frozen=True)
class Keeping:
    """What the page says. Every number opens its people."""

    states: Mapping[PaymentState, int]
    named: Mapping[str, int]
    """By the key of the list that a number opens."""
    waiting: Sequence[Waiting]
    reasons: Mapping[StopReason | None, int]
    """Why those who lapsed or stopped since New Year did; None where nobody has asked."""


class Unpaid(NamedTuple):
    """Somebody for whose next months a sponsor's money waits, and the last day to pay it over."""

    person: Prospect
    last_day: date


@dataclass(frozen=True)
class Rising:
    """What nobody does unless whoever leads the work sees to it."""

    neglected: int
    nobodys: int
    """Of those, whom nobody looks after."""
    unpaid: int
    soonest: Sequence[Unpaid]
    """Of whom a sponsor's money waits for, those with the earliest last days."""

    def __bool__(self) -> bool:
        return bool(self.neglected or self.unpaid)


SOONEST = 3


def rising(session: Session, scope: Scope, today: date) -> Rising:
    """It rises to whoever leads the people somebody sees."""
    holds = conditions.named(NEGLECTED).holds(scope.town_id, today)
    counted = (func.count(), func.count().filter(Prospect.volunteer_id.is_(None)))
    neglected, nobodys = session.execute(select(*counted).select_from(Prospect).where(listed_to(scope), holds)).one()
    unpaid = _how_many(session, scope, SPONSOR_UNPAID, today)
    return Rising(neglected, nobodys, unpaid, _soonest(session, scope, today) if unpaid else ())


def _soonest(session: Session, scope: Scope, today: date) -> list[Unpaid]:
    spell = aliased(Participation)
    query = (
        select(Prospect, spell.deadline_on)
        .join(spell, (spell.town_id == Prospect.town_id) & (spell.prospect_id == Prospect.id))
        .where(
            listed_to(scope),
            conditions.named(SPONSOR_UNPAID).holds(scope.town_id, today),
            spell.goes_on,
        )
        .order_by(spell.deadline_on, Prospect.id)
        .limit(SOONEST)
    )
    return [Unpaid(person, day) for person, day in session.execute(query) if day]


def keeping(session: Session, scope: Scope, today: date) -> Keeping:
    """All of it for the people somebody sees."""
    named = {key: _how_many(session, scope, key, today) for key in (*ENDING_SOON, *TO_WIN_BACK)}
    return Keeping(
        _states(session, scope, today), named, _waiting(session, scope, today), _reasons(session, scope, today)
    )


def _states(session: Session, scope: Scope, today: date) -> dict[PaymentState, int]:
    counted = [func.count().filter(in_state(state, today)) for state in KEYS]
    row = session.execute(
        select(*counted)
        .select_from(Participation)
        .join(Prospect, (Prospect.town_id == Participation.town_id) & (Prospect.id == Participation.prospect_id))
        .where(listed_to(scope), Participation.goes_on)
    ).one()
    return dict(zip(KEYS, row, strict=True))


def _how_many(session: Session, scope: Scope, key: str, today: date) -> int:
    holds = conditions.named(key).holds(scope.town_id, today)
    return session.scalar(select(func.count()).select_from(Prospect).where(listed_to(scope), holds)) or 0


def _waiting(session: Session, scope: Scope, today: date) -> list[Waiting]:
    query = (
        select(User.id, User.full_name, func.count())
        .select_from(Prospect)
        .outerjoin(User, (Prospect.town_id == User.town_id) & (Prospect.volunteer_id == User.id))
        .where(listed_to(scope), conditions.named(NEGLECTED).holds(scope.town_id, today))
        .group_by(User.id, User.full_name)
        .order_by(func.count().desc(), User.full_name)
    )
    return [Waiting(*row) for row in session.execute(query)]


def _reasons(session: Session, scope: Scope, today: date) -> dict[StopReason | None, int]:
    query = (
        select(Participation.stop_reason, func.count())
        .join(Prospect, (Prospect.town_id == Participation.town_id) & (Prospect.id == Participation.prospect_id))
        .where(
            listed_to(scope),
            Participation.withdrawn_at.is_(None),
            Participation.ended_as.in_(AVOIDABLE),
            Participation.ended_on.between(today.replace(month=1, day=1), today),
        )
        .group_by(Participation.stop_reason)
        .order_by(func.count().desc(), Participation.stop_reason)
    )
    return {row[0]: row[1] for row in session.execute(query)}
