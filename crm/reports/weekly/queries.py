"""What a week brought, among the people somebody may see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import Scope
from crm.accounts.rules import Reach
from crm.participation.rules import Movement, Span
from crm.places.models import Town
from crm.reports.attention.queries import wrong
from crm.reports.attention.rules import WEEK, Wrong, per_week
from crm.reports.figures.queries import figures
from crm.reports.queries import Home, home, unit_of


@dataclass(frozen=True)
class Week:
    """A week from Monday to Sunday, and where the year stands at its end."""

    span: Span
    moved: Movement
    home: Home
    wrong: list[Wrong]
    needed: int
    """So many people a week reach the target; 0 without one."""


def whose_week(session: Session, scope: Scope, user: User) -> str:
    """Of whom a week tells: of the town, or of the unit that somebody leads."""
    return session.get_one(Town, scope.town_id).name if scope.reach is Reach.ALL else unit_of(session, user)


def last_monday(today: date) -> date:
    """The Monday on which a summary is due: this week's."""
    return today - timedelta(days=today.weekday())


def week_before(session: Session, scope: Scope, today: date) -> Week:
    """The last whole week before this one."""
    monday = last_monday(today)
    span = Span(monday - timedelta(days=WEEK), monday - timedelta(days=1))
    stands = home(session, scope, span.as_of, today)
    return Week(
        span=span,
        moved=figures(session, scope, span).total,
        home=stands,
        wrong=wrong(session, scope, stands, today) if scope.reach is Reach.ALL else [],
        needed=per_week(stands.moved.now, stands.target.people, span.as_of) if stands.target else 0,
    )
