"""Which rounds there are, what somebody owes or may look at, and what has come."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, true, tuple_
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import Organisation, User
from crm.accounts.queries import Scope, of_own_unit
from crm.accounts.rules import Reach, Role
from crm.db import one_found
from crm.places.models import Place
from crm.reports.periods import ReportKind
from crm.reports.rounds.models import ReportingRound, ReportingRule, ReportOwed, ReportReturn, ReportSubmission
from crm.reports.rounds.rules import OWING, State, Who, group_of, sent_early, whole_from
from crm.web.pager import Page, read_cursor, write_cursor

MOST_UNITS = 50
MOST_VERSIONS = 50
MOST_OPEN = 200
"""Reports of one unit in rounds that are open; the oldest are looked at."""


# ---- who sees what


def seen_by(scope: Scope) -> ColumnElement[bool]:
    """What somebody may see of the rounds: all of the town; whoever leads a ward or an organisation, that unit's own."""
    ours = ReportOwed.town_id == scope.town_id
    if scope.reach is Reach.ALL:
        return ours
    return and_(ours, of_own_unit(scope, ReportOwed.place_id, ReportOwed.organisation_id))


def _rounds_of(scope: Scope) -> ColumnElement[bool]:
    """The rounds in which somebody may see anything."""
    ours = ReportingRound.town_id == scope.town_id
    if scope.reach is Reach.ALL:
        return ours
    return and_(ours, ReportingRound.id.in_(select(ReportOwed.round_id).where(seen_by(scope))))


def round_seen(session: Session, scope: Scope, round_id: UUID, *, lock: bool = False) -> ReportingRound:
    """One round in which somebody may see something. Raises NotFound."""
    return one_found(session, select(ReportingRound).where(_rounds_of(scope), ReportingRound.id == round_id), lock=lock)


def owed_seen(session: Session, scope: Scope, owed_id: UUID, *, lock: bool = False) -> ReportOwed:
    """What one unit owes, where somebody may see it. With `lock` its round can not be closed meanwhile. Raises NotFound."""
    query = select(ReportOwed).where(seen_by(scope), ReportOwed.id == owed_id)
    found = one_found(session, query)
    if not lock:
        return found
    session.execute(
        select(ReportingRound.id)
        .where(ReportingRound.town_id == found.town_id, ReportingRound.id == found.round_id)
        .with_for_update(read=True)
    )
    return one_found(session, query, lock=True)


def round_of(session: Session, owed: ReportOwed) -> ReportingRound:
    """The round something is owed in, as it stands now."""
    return session.get_one(ReportingRound, (owed.town_id, owed.round_id), populate_existing=True)


# ---- the rule


def rule_on(session: Session, town_id: UUID, kind: ReportKind, last_day: date) -> ReportingRule | None:
    """The rule for a period of a kind that ends on a day."""
    return session.scalar(
        select(ReportingRule)
        .where(ReportingRule.town_id == town_id, ReportingRule.kind == kind, ReportingRule.valid_from <= last_day)
        .order_by(ReportingRule.valid_from.desc(), ReportingRule.recorded_at.desc(), ReportingRule.id.desc())
        .limit(1)
    )


def rules(session: Session, town_id: UUID) -> Sequence[tuple[ReportingRule, str | None]]:
    """Every rule there was, with who set it, the latest day first."""
    query = (
        select(ReportingRule, User.full_name)
        .outerjoin(User, and_(User.town_id == ReportingRule.town_id, User.id == ReportingRule.recorded_by_id))
        .where(ReportingRule.town_id == town_id)
        .order_by(ReportingRule.valid_from.desc(), ReportingRule.recorded_at.desc())
        .limit(MOST_UNITS)
    )
    return [(row[0], row[1]) for row in session.execute(query)]


# ---- rounds and what has come


class Counts(NamedTuple):
    """How a round stands, in units: owed = came + returned + those of which nothing has come."""

    owed: int = 0
    came: int = 0
    returned: int = 0
    late: int = 0
    """Of those of which nothing has come, whose last day is past."""


def page_of(session: Session, scope: Scope, *, cursor: str | None, size: int = 20) -> Page[ReportingRound]:
    """One page of rounds, the one that is due last first."""
    query = select(ReportingRound).where(_rounds_of(scope))
    if cursor:
        position = read_cursor(cursor, (date.fromisoformat, UUID))
        query = query.where(tuple_(ReportingRound.due_on, ReportingRound.id) < tuple_(*position))
    order = ReportingRound.due_on.desc(), ReportingRound.id.desc()
    found = session.scalars(query.order_by(*order).limit(size + 1)).all()
    last = found[size - 1] if len(found) > size else None
    return Page(found[:size], write_cursor((last.due_on, last.id)) if last else None)


def counts(session: Session, scope: Scope, round_ids: Collection[UUID], today: date) -> dict[UUID, Counts]:
    """How each of some rounds stands, among what somebody may see."""
    past = ReportingRound.due_on < today
    query = (
        select(
            ReportOwed.round_id,
            func.count().filter(ReportOwed.state != State.EXCUSED),
            func.count().filter(ReportOwed.state == State.SUBMITTED),
            func.count().filter(ReportOwed.state == State.RETURNED),
            func.count().filter(ReportOwed.state == State.WAITING, past),
        )
        .join(
            ReportingRound,
            and_(ReportingRound.town_id == ReportOwed.town_id, ReportingRound.id == ReportOwed.round_id),
        )
        .where(seen_by(scope), ReportOwed.round_id.in_(round_ids))
        .group_by(ReportOwed.round_id)
    )
    return {row[0]: Counts(*row[1:]) for row in session.execute(query)}


class Line(NamedTuple):
    """What a unit owes, whose it is, its group, and the version that holds."""

    owed: ReportOwed
    name: str
    who: Who
    last: ReportSubmission | None

    @property
    def came_on(self) -> date | None:
        return clock.local_day(self.owed.came_at) if self.owed.came_at else None

    def early(self, row: ReportingRound) -> date | None:
        """The last day of the figures that came, where the period was not over by then."""
        if self.last is None or self.owed.state is not State.SUBMITTED:
            return None
        as_of = date.fromisoformat(self.last.known["as_of"])
        return as_of if sent_early(ReportKind(row.kind), row.period, row.due_on, as_of) else None


BY_UNIT = (ReportOwed.place_id.is_(None), Place.code, Organisation.name, ReportOwed.id)


def _lines(scope: Scope) -> Any:
    return (
        select(ReportOwed, Place.name, Organisation.name, Organisation.kind, ReportSubmission)
        .outerjoin(Place, and_(Place.town_id == ReportOwed.town_id, Place.id == ReportOwed.place_id))
        .outerjoin(
            Organisation,
            and_(Organisation.town_id == ReportOwed.town_id, Organisation.id == ReportOwed.organisation_id),
        )
        .outerjoin(
            ReportSubmission,
            and_(
                ReportSubmission.town_id == ReportOwed.town_id,
                ReportSubmission.owed_id == ReportOwed.id,
                ReportSubmission.version == ReportOwed.version,
            ),
        )
        .where(seen_by(scope))
        .order_by(*BY_UNIT)
    )


def _line(row: Any) -> Line:
    owed, place, organisation, kind, last = row
    who = Who.WARDS if owed.place_id else group_of(kind) or Who.OTHERS
    return Line(owed, place or organisation or "", who, last)


def lines_of(
    session: Session, scope: Scope, row: ReportingRound, *, most: int, skip: int = 0, urgent: bool = False
) -> list[Line]:
    """The units of a round that somebody may see: wards by code, then organisations by name; with `urgent` those that
    still owe come first."""
    query = _lines(scope).where(ReportOwed.round_id == row.id)
    if urgent:
        query = query.order_by(None).order_by(ReportOwed.state.not_in(OWING), *BY_UNIT)
    query = query.limit(most).offset(skip)
    return [_line(found) for found in session.execute(query)]


def line_of(session: Session, scope: Scope, owed: ReportOwed) -> Line:
    """One unit's line."""
    return _line(session.execute(_lines(scope).where(ReportOwed.id == owed.id)).one())


class Task(NamedTuple):
    """A report that a unit still has to write, and its round."""

    line: Line
    round: ReportingRound

    def waits_until(self, today: date) -> date | None:
        """The last day of its period, where that is not over and the report may wait for it."""
        whole = whole_from(ReportKind(self.round.kind), self.round.period, self.round.due_on)
        return whole if whole is not None and today < whole else None

    @property
    def incomplete(self) -> bool:
        """Whether what came was sent before the period was over."""
        return self.line.early(self.round) is not None


def to_write(session: Session, scope: Scope, today: date, *, most: int = 20) -> list[Task]:
    """What somebody's own unit still owes in rounds that are open, the most urgent first: what has not come, was returned,
    or was sent before a period that is over by now. Nothing for who sees all: theirs is to put together."""
    if scope.reach is Reach.ALL:
        return []
    query = (
        _lines(scope)
        .add_columns(ReportingRound)
        .join(
            ReportingRound,
            and_(ReportingRound.town_id == ReportOwed.town_id, ReportingRound.id == ReportOwed.round_id),
        )
        .where(ReportOwed.state.in_((*OWING, State.SUBMITTED)), ReportingRound.closed_at.is_(None))
        .order_by(None)
        .order_by(ReportingRound.due_on, ReportOwed.id)
        .limit(MOST_OPEN)
    )
    found = [Task(_line(row[:5]), row[5]) for row in session.execute(query)]
    return [one for one in found if one.line.owed.state in OWING or _to_complete(one.line, one.round, today)][:most]


def _to_complete(line: Line, row: ReportingRound, today: date) -> bool:
    """Whether figures of a part of the period came, and the whole could be told by now."""
    whole = whole_from(ReportKind(row.kind), row.period, row.due_on)
    return line.early(row) is not None and whole is not None and today >= whole


def how_many_wait(session: Session, scope: Scope, today: date) -> int:
    """What the menu tells: of a unit the reports it still has to write, of the office those that are late."""
    query = (
        select(func.count())
        .select_from(ReportOwed)
        .join(
            ReportingRound,
            and_(ReportingRound.town_id == ReportOwed.town_id, ReportingRound.id == ReportOwed.round_id),
        )
        .where(seen_by(scope), ReportOwed.state.in_(OWING), ReportingRound.closed_at.is_(None))
        .where(ReportingRound.due_on < today if scope.reach is Reach.ALL else true())
    )
    return session.scalar(query) or 0


class Late(NamedTuple):
    """A round whose last day is past: how many units sent nothing, and how many corrections have not come back."""

    round: ReportingRound
    silent: int
    returned: int


def late_rounds(session: Session, scope: Scope, today: date, *, most: int = 3) -> list[Late]:
    """Open rounds whose last day is past and that still wait for somebody, the oldest first."""
    query = (
        select(
            ReportingRound,
            func.count().filter(ReportOwed.state == State.WAITING),
            func.count().filter(ReportOwed.state == State.RETURNED),
        )
        .join(ReportOwed, and_(ReportOwed.town_id == ReportingRound.town_id, ReportOwed.round_id == ReportingRound.id))
        .where(seen_by(scope), ReportOwed.state.in_(OWING))
        .where(ReportingRound.closed_at.is_(None), ReportingRound.due_on < today)
        .group_by(*ReportingRound.__table__.columns)
        .order_by(ReportingRound.due_on)
        .limit(most)
    )
    return [Late(*row) for row in session.execute(query)]


# ---- one unit's report


class Version(NamedTuple):
    """A version that came, who sent it, and why it was sent back if it was."""

    row: ReportSubmission
    by: str
    returned: ReportReturn | None
    returned_by: str | None


def versions_of(session: Session, owed: ReportOwed) -> list[Version]:
    """Every version of a unit's report, the last first."""
    back = User.__table__.alias("back")
    query = (
        select(ReportSubmission, User.full_name, ReportReturn, back.c.full_name)
        .join(User, and_(User.town_id == ReportSubmission.town_id, User.id == ReportSubmission.submitted_by_id))
        .outerjoin(
            ReportReturn,
            and_(
                ReportReturn.town_id == ReportSubmission.town_id,
                ReportReturn.owed_id == ReportSubmission.owed_id,
                ReportReturn.version == ReportSubmission.version,
            ),
        )
        .outerjoin(back, and_(back.c.town_id == ReportReturn.town_id, back.c.id == ReportReturn.returned_by_id))
        .where(ReportSubmission.town_id == owed.town_id, ReportSubmission.owed_id == owed.id)
        .order_by(ReportSubmission.version.desc())
        .limit(MOST_VERSIONS)
    )
    return [Version(*row) for row in session.execute(query)]


def before(session: Session, owed: ReportOwed) -> ReportSubmission | None:
    """What the same unit sent last in any round: its sources stand filled in the next time."""
    same = ReportOwed.place_id == owed.place_id if owed.place_id else ReportOwed.organisation_id == owed.organisation_id
    return session.scalar(
        select(ReportSubmission)
        .join(
            ReportOwed, and_(ReportOwed.town_id == ReportSubmission.town_id, ReportOwed.id == ReportSubmission.owed_id)
        )
        .where(ReportSubmission.town_id == owed.town_id, same)
        .order_by(ReportSubmission.submitted_at.desc(), ReportSubmission.version.desc())
        .limit(1)
    )


# ---- whom to remind


class Waiting(NamedTuple):
    """Somebody who answers for a unit that has not reported, and how far its last day is."""

    user: User
    line: Line
    round: ReportingRound


def to_remind(session: Session, town_id: UUID, today: date, until: date) -> list[Waiting]:
    """Leads with an e-mail address of units that still owe a report due until a day, had one returned, or sent one before
    the period was over and have not completed it since; in rounds that are open."""
    whole = Scope(town_id, user_id=town_id, reach=Reach.ALL, organisation_id=None, place_ids=None)
    answers = or_(
        and_(User.place_id == ReportOwed.place_id, User.organisation_id.is_(None)),
        and_(User.organisation_id == ReportOwed.organisation_id, User.place_id.is_(None)),
    )
    query = (
        _lines(whole)
        .add_columns(ReportingRound, User)
        .join(
            ReportingRound,
            and_(ReportingRound.town_id == ReportOwed.town_id, ReportingRound.id == ReportOwed.round_id),
        )
        .join(User, and_(User.town_id == ReportOwed.town_id, answers))
        .where(
            ReportOwed.state.in_((*OWING, State.SUBMITTED)),
            ReportingRound.closed_at.is_(None),
            or_(ReportingRound.due_on <= until, ReportOwed.state == State.RETURNED),
            User.active,
            User.role == Role.LEAD,
            User.email.is_not(None),
        )
    )
    found = [Waiting(row[6], _line(row[:5]), row[5]) for row in session.execute(query)]
    return [one for one in found if one.line.owed.state in OWING or _to_complete(one.line, one.round, today)]
