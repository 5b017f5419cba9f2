"""What waits for the manager, the lead and the auditor; each a number or a short list, never people twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import ChangeRecord, User
from crm.accounts.queries import Scope
from crm.outreach.models import Visit
from crm.outreach.queries import Load, loads
from crm.participation.models import Payment
from crm.participation.tally.recounting import EVERY
from crm.prospects.models import Prospect
from crm.prospects.queries.seeing import visible_to
from crm.reports.attention.rules import SILENT_AFTER, Problem, Wrong, behind
from crm.reports.documents.showing import period_title
from crm.reports.duties.queries import how_many_late
from crm.reports.queries import Home
from crm.reports.rounds.queries import Late, late_rounds
from crm.sponsors.ledger.models import LedgerPeriod
from crm.sums import last_checked
from crm.targets.models import Target
from crm.targets.sharing.models import TargetShare, TargetSharing
from crm.targets.sharing.rules import Answer, State

MONTH = timedelta(days=30)


def wrong(session: Session, scope: Scope, home: Home, today: date) -> list[Wrong]:
    """What is wrong today for who sees the whole town, the most urgent first."""
    told = [] if home.target else [Wrong(Problem.NO_TARGET, today.year)]
    other = _other_numbers(session, scope)
    told += [Wrong(Problem.ANSWERS, len(other), key=other[0])] if other else []
    late = late_rounds(session, scope, today)
    told += [Wrong(Problem.REPORTS, one.silent, key=one.round.id, period=_period(one)) for one in late if one.silent]
    told += [
        Wrong(Problem.RETURNED, one.returned, key=one.round.id, period=_period(one)) for one in late if one.returned
    ]
    duties = how_many_late(session, scope, today)
    told += [Wrong(Problem.DUTIES, duties)] if duties else []
    told += behind(home.places, today)
    visited = _places_visited(session, scope, today)
    silent = [row for row in home.places if row.key not in visited]
    if visited:
        told += [Wrong(Problem.SILENT, SILENT_AFTER.days, row.name, row.key) for row in silent]
    return told


def _period(late: Late) -> str:
    return period_title(late.round.kind, late.round.period)


def _other_numbers(session: Session, scope: Scope) -> Sequence[UUID]:
    query = (
        select(TargetSharing.id)
        .join(
            TargetShare, and_(TargetShare.town_id == TargetSharing.town_id, TargetShare.sharing_id == TargetSharing.id)
        )
        .where(TargetSharing.town_id == scope.town_id, TargetSharing.state == State.SENT)
        .where(TargetShare.answer == Answer.OTHER)
    )
    return session.scalars(query).all()


def _places_visited(session: Session, scope: Scope, today: date) -> set[UUID]:
    query = select(Visit.place_id).where(
        Visit.town_id == scope.town_id,
        Visit.occurred_at >= clock.at(today - SILENT_AFTER),
        Visit.withdrawn_at.is_(None),
    )
    return set(session.scalars(query.distinct()))


# ---- a lead's


class Volunteer(NamedTuple):
    """Somebody of the unit: what they have to do and when they last recorded a visit."""

    load: Load
    last_visit: datetime | None
    silent: bool
    """Has people who still have to be won, and recorded no visit for two weeks."""


def own_volunteers(session: Session, scope: Scope, today: date) -> list[Volunteer]:
    """The people of a lead's unit, those of whom nothing was heard first."""
    mine = loads(session, scope, today)
    query = (
        select(Visit.user_id, func.max(Visit.occurred_at))
        .where(Visit.town_id == scope.town_id, Visit.user_id.in_([one.user.id for one in mine]))
        .where(Visit.withdrawn_at.is_(None))
        .group_by(Visit.user_id)
    )
    last: dict[UUID, datetime] = {row[0]: row[1] for row in session.execute(query)}
    since = clock.at(today - SILENT_AFTER)
    found = [
        Volunteer(one, last.get(one.user.id), bool(one.people) and last.get(one.user.id, since - MONTH) < since)
        for one in mine
    ]
    return sorted(found, key=lambda one: (not one.silent, -one.load.due, one.load.user.full_name))


# ---- an auditor's


@dataclass(frozen=True)
class Audit:
    """What an auditor looks at first."""

    closed: Sequence[LedgerPeriod]
    """The months of the fund that are closed, the latest first."""
    reversed_payments: int
    changed_targets: int
    exports: int
    """Lists that left the program in the last thirty days."""
    locked: int
    """Accounts that rest after too many wrong passwords, or had wrong ones since the last right one."""
    checked_at: datetime | None
    found: Sequence[str]
    """What the last night's recount of the sums found apart."""


def audit(session: Session, scope: Scope, now: datetime) -> Audit:
    """The books' own state: closed months, corrections, refusals, and the last recount; four small queries."""
    since, town = now - MONTH, scope.town_id
    closed = select(LedgerPeriod).where(LedgerPeriod.town_id == town).order_by(LedgerPeriod.month.desc()).limit(3)
    reversed_ = (
        select(func.count())
        .select_from(Payment)
        .join(Prospect, and_(Prospect.town_id == Payment.town_id, Prospect.id == Payment.prospect_id))
        .where(visible_to(scope), Payment.reverses_id.is_not(None), Payment.recorded_at >= since)
    )
    targets = select(func.count()).where(Target.town_id == town, Target.revision > 1, Target.recorded_at >= since)
    acts = select(func.count()).where(
        ChangeRecord.town_id == town,
        ChangeRecord.at >= since,
        or_(ChangeRecord.act.startswith("export_"), ChangeRecord.act == "fetch_export"),
    )
    locked = select(func.count()).where(User.town_id == town, (User.locked_until > now) | (User.failed_sign_ins > 0))
    counted = (one.scalar_subquery() for one in (reversed_, targets, acts, locked))
    taken_back, changed, exports, wrong_passwords = session.execute(select(*counted)).one()
    checked = last_checked(session, EVERY)
    return Audit(
        closed=session.scalars(closed).all(),
        reversed_payments=taken_back or 0,
        changed_targets=changed or 0,
        exports=exports or 0,
        locked=wrong_passwords or 0,
        checked_at=checked.at if checked else None,
        found=checked.found if checked else (),
    )
