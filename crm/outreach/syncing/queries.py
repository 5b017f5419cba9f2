"""What changed for somebody since their device last asked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from crm.accounts.queries import Scope
from crm.outreach.models import Assignment
from crm.outreach.syncing.models import SyncedEvent
from crm.outreach.syncing.rules import MOST_PEOPLE, OVERLAP
from crm.prospects.models import Prospect
from crm.prospects.queries.seeing import listed_to, visible_to
from crm.web.pager import read_cursor, write_cursor


@dataclass(frozen=True)
class Gone:
    """Somebody who is no longer in a device's list: part of another record, or looked after by somebody else."""

    id: UUID
    became: UUID | None


@dataclass(frozen=True)
class Changes:
    """People whose records changed, those who are gone, and from where to ask next; `more` says that it goes on at once."""

    people: Sequence[Prospect]
    gone: Sequence[Gone]
    cursor: str
    more: bool


def known_events(session: Session, town_id: UUID, client_ids: Collection[UUID]) -> dict[UUID, SyncedEvent]:
    """Those of these events that have arrived."""
    query = select(SyncedEvent).where(SyncedEvent.town_id == town_id, SyncedEvent.id.in_(client_ids))
    return {row.id: row for row in session.scalars(query)}


def changes_since(session: Session, scope: Scope, cursor: str | None, at: datetime) -> Changes:
    """What changed of people in sight since a cursor, the oldest change first; without one, everybody.

    Raises RuleBroken for a cursor this program did not write.
    """
    query = select(Prospect).where(listed_to(scope)).order_by(Prospect.updated_at, Prospect.id)
    gone: list[Gone] = []
    if cursor:
        moment, last = read_cursor(cursor, (_moment, UUID))
        later = and_(Prospect.updated_at == moment, Prospect.id > last)
        query = query.where(or_(Prospect.updated_at > moment, later))
        gone = [*_merged(session, scope, moment), *_handed_on(session, scope, moment)]
    people = session.scalars(query.limit(MOST_PEOPLE + 1)).all()
    more = len(people) > MOST_PEOPLE
    people = people[:MOST_PEOPLE]
    upto = (people[-1].updated_at, people[-1].id) if more else (at - OVERLAP, UUID(int=0))
    return Changes(people, gone, write_cursor([upto[0].isoformat(), upto[1]]), more)


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError
    return found


def _merged(session: Session, scope: Scope, since: datetime) -> list[Gone]:
    became = Prospect.merged_into_id.is_not(None)
    query = select(Prospect.id, Prospect.merged_into_id).where(visible_to(scope), became, Prospect.updated_at > since)
    return [Gone(row[0], row[1]) for row in session.execute(query.limit(MOST_PEOPLE))]


def _handed_on(session: Session, scope: Scope, since: datetime) -> list[Gone]:
    """People this user looked after until after that moment, and may not see any more."""
    query = select(Assignment.prospect_id).where(
        Assignment.town_id == scope.town_id, Assignment.volunteer_id == scope.user_id, Assignment.until > since
    )
    had = set(session.scalars(query.limit(MOST_PEOPLE)))
    if not had:
        return []
    still = set(session.scalars(select(Prospect.id).where(visible_to(scope), Prospect.id.in_(had))))
    return [Gone(one, None) for one in sorted(had - still)]
