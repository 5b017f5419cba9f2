"""What is due for one volunteer today, computed from the rows each time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import Any, NamedTuple, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, literal, select, union_all
from sqlalchemy.orm import Session

from crm.accounts.queries import Scope
from crm.clock import at, local_day
from crm.followups.rules import ASK_WHY, LONGEST_NOTICE, SHOWN, Known, Spot, Task, by_door, following, ranked
from crm.months import Month
from crm.outreach.queries import Reached, Tried, assigned_since, reached, tried
from crm.participation.guard.queries import certificates_ending, supported_until, unasked
from crm.participation.guard.rules import StopReason
from crm.participation.models import ParticipantMonth, Participation
from crm.participation.rules import Beginning
from crm.premiums.queries import law, old_enough_on
from crm.premiums.rules.keys import LawKey
from crm.premiums.rules.law import Law, LawOnDay
from crm.prospects.models import Prospect
from crm.prospects.queries.facts import Facts, facts_of
from crm.prospects.queries.seeing import listed_to
from crm.prospects.queries.standing import deciding_grounds
from crm.prospects.rules import Ground, Stage
from crm.sponsors.queries import carried_until
from crm.web.pager import read_cursor, write_cursor

MOST_CANDIDATES = 500
"""Of each kind; a list that long is not a day's work, and only its top is shown."""

NOT_YET_TRIED = Tried(0, ())


@dataclass(frozen=True)
class Due:
    """Somebody to call on today, with what the card shows."""

    task: Task
    facts: Facts
    tried: Tried
    stopped: StopReason | None = None
    """Of who lapsed: why, where somebody asked before."""

    @property
    def person(self) -> Prospect:
        return self.facts.person


@dataclass(frozen=True)
class Today:
    """A page of the day's list: how many stand before it, how many are due in all, and the cursor of what follows."""

    due: list[Due]
    before: int
    in_all: int
    next: str | None

    @property
    def more(self) -> int:
        return self.in_all - self.before - len(self.due)


def today(
    session: Session,
    scope: Scope,
    day: date,
    *,
    most: int = SHOWN,
    rules: Law | None = None,
    cursor: str | None = None,
) -> Today:
    """What this person should do on a day: their own people who are due, with reasons, the most pressing first.

    Whoever of a household is due stands behind the most pressing of them. `rules` is read when it is not handed in. A page
    follows the place of the last task of the one before, so that who was called on meanwhile makes nobody be left out.
    RuleBroken for a cursor this program did not write.
    """
    tasks = tasks_of(session, scope, day, rules)
    left = following(tasks, _spot(cursor)) if cursor else tasks
    shown = left[:most]
    if not shown:
        return Today([], len(tasks), len(tasks), None)
    rows = session.scalars(select(Prospect).where(listed_to(scope), Prospect.id.in_([task.id for task in shown])))
    by_id = {row.id: row for row in rows}
    facts = facts_of(session, scope.town_id, [by_id[task.id] for task in shown], day)
    times = tried(session, scope.town_id, list(by_id))
    why = _why_stopped(session, scope.town_id, [task.id for task in shown if task.cause in ASK_WHY])
    due = [
        Due(task, one, times.get(task.id, NOT_YET_TRIED), why.get(task.id))
        for task, one in zip(shown, facts, strict=True)
    ]
    further = write_cursor([*chain(*shown[-1].spot)]) if len(left) > len(shown) else None
    return Today(due, len(tasks) - len(left), len(tasks), further)


_RANK: tuple[Callable[[Any], Any], ...] = (int, int, date.fromisoformat, int, UUID)


def _spot(cursor: str) -> Spot:
    read = read_cursor(cursor, _RANK * 2)
    return cast(Spot, (tuple(read[: len(_RANK)]), tuple(read[len(_RANK) :])))


def _why_stopped(session: Session, town_id: UUID, ids: Sequence[UUID]) -> dict[UUID, StopReason]:
    """Why these people stopped last, of whom somebody has asked."""
    if not ids:
        return {}
    query = (
        select(Participation.prospect_id, Participation.stop_reason)
        .where(Participation.town_id == town_id, Participation.prospect_id.in_(ids))
        .where(Participation.withdrawn_at.is_(None))
        .distinct(Participation.prospect_id)
        .order_by(Participation.prospect_id, Participation.started_on.desc())
    )
    return {id: reason for id, reason in session.execute(query) if reason}


def tasks_of(session: Session, scope: Scope, day: date, rules: Law | None = None) -> list[Task]:
    """Everything that is due for this person on a day, the most pressing first, each house together."""
    return by_door(ranked(_candidates(session, scope, day, rules or law(session)).values(), day))


def _candidates(session: Session, scope: Scope, day: date, rules: Law) -> dict[UUID, Known]:
    """Those who may be due: put off until now, about to lose their months or what they are helped with, or never met."""
    ends = _ends(session, scope, day, rules.on(day))
    rows: dict[UUID, Any] = {}
    for condition, order in (
        (Prospect.next_contact_on <= day, Prospect.next_contact_on.desc()),
        (Participation.deadline_on <= day + LONGEST_NOTICE, Participation.deadline_on),
        (and_(_never_met(), old_enough_on(day, rules)), Prospect.created_at),
        *([(Prospect.id.in_(ends), Prospect.id)] if ends else []),
    ):
        rows |= {row.id: row for row in session.execute(_mine(scope, condition).order_by(order).limit(MOST_CANDIDATES))}
    never_met = [row.id for row in rows.values() if row.last_contact_at is None]
    grounds = deciding_grounds(session, never_met, day) if never_met else {}
    since = assigned_since(session, scope.town_id, never_met) if never_met else {}
    return {
        row.id: Known(
            id=row.id,
            stage=row.stage,
            next_contact_on=row.next_contact_on,
            last_contact_on=local_day(row.last_contact_at) if row.last_contact_at else None,
            deadline_on=row.deadline_on,
            method=row.method or 0,
            assigned_on=local_day(since.get(row.id, row.created_at)),
            household_id=row.household_id,
            months_paid=row.months_paid,
            ground=grounds.get(row.id, Ground.OTHER),
            **ends.get(row.id, {}),
        )
        for row in rows.values()
    }


def _ends(session: Session, scope: Scope, day: date, now: LawOnDay) -> dict[UUID, dict[str, Any]]:
    """What ends of itself, or ended, for the people somebody looks after, as the facts of `Known`; one statement."""
    kinds: dict[str, Select[UUID, date]] = {
        "sponsored_through": carried_until(scope.town_id, day),
        "certificate_until": certificates_ending(scope.town_id, day),
        "lapsed_on": unasked(scope.town_id, day),
    }
    if now.says(LawKey.SUPPORT_CAP_MONTHS):
        kinds["supported_through"] = supported_until(scope.town_id, now.number(LawKey.SUPPORT_CAP_MONTHS), day)
    mine = select(Prospect.id).where(listed_to(scope), Prospect.volunteer_id == scope.user_id)
    ending = {name: query.subquery(name) for name, query in kinds.items()}
    rows = session.execute(
        union_all(
            *(
                select(ends.c.prospect_id, literal(name).label("kind"), ends.c.until)
                .where(ends.c.prospect_id.in_(mine))
                .limit(MOST_CANDIDATES)
                for name, ends in ending.items()
            )
        )
    )
    found: dict[UUID, dict[str, Any]] = {}
    for prospect_id, name, until in rows:
        found.setdefault(prospect_id, {})[name] = Month.of(until) if name.endswith("_through") else until
    return found


def _never_met() -> ColumnElement[bool]:
    never = and_(Prospect.last_contact_at.is_(None), Prospect.next_contact_on.is_(None))
    return and_(never, Prospect.stage.in_((Stage.NEW, Stage.UNREACHED)))


def _mine(scope: Scope, condition: ColumnElement[bool]) -> Select[Any]:
    """Of the people this person looks after themselves, those of a condition, with what is paid for."""
    months_paid = (
        select(func.count())
        .where(ParticipantMonth.town_id == Prospect.town_id, ParticipantMonth.prospect_id == Prospect.id)
        .where(ParticipantMonth.counts)
        .correlate(Prospect)
        .scalar_subquery()
        .label("months_paid")
    )
    of_them = and_(Participation.town_id == Prospect.town_id, Participation.prospect_id == Prospect.id)
    return (
        select(
            Prospect.id,
            Prospect.stage,
            Prospect.next_contact_on,
            Prospect.last_contact_at,
            Prospect.created_at,
            Participation.deadline_on,
            Participation.method,
            Prospect.household_id,
            months_paid,
        )
        .outerjoin(Participation, and_(of_them, Participation.goes_on))
        .where(listed_to(scope), Prospect.volunteer_id == scope.user_id, condition)
    )


class MonthsWork(NamedTuple):
    """What one person's work of a month came to."""

    month: Month
    reached: Reached
    joined: int


def month_of(session: Session, scope: Scope, month: Month) -> MonthsWork:
    """People called on, met and agreed in a month, and those this person brought in."""
    until = (month + 1).first_day
    joined = select(func.count()).where(
        Participation.town_id == scope.town_id,
        Participation.recruited_by_id == scope.user_id,
        Participation.withdrawn_at.is_(None),
        Participation.started_as.in_((Beginning.JOINED, Beginning.RETURNED)),
        Participation.started_on >= month.first_day,
        Participation.started_on < until,
    )
    told = reached(session, scope.town_id, scope.user_id, at(month.first_day), at(until))
    return MonthsWork(month, told, session.scalar(joined) or 0)
