"""Questions about saved lists, tags, acts on many people and files of people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, object_session

from crm.accounts.models import User
from crm.accounts.queries import Scope
from crm.accounts.rules import May, Reach
from crm.errors import NotFound, RuleBroken
from crm.prospects.lists import conditions
from crm.prospects.lists.models import BulkAct, BulkActPerson, PeopleExport, PersonTag, Segment, Tag
from crm.prospects.lists.narrowing import Narrowing
from crm.prospects.lists.rules import ACTS_AT_WORK, STALE, ExportState, Outcome, Sharing, Why
from crm.prospects.models import Prospect
from crm.prospects.queries.lists import count_up_to, people
from crm.prospects.queries.seeing import ORDER, listed_to
from crm.web.pager import Page, latest_first

# ---- saved lists


@dataclass(frozen=True)
class Ready:
    """A list that stands ready without anybody having saved it: a condition of the packages above that says who they are."""

    key: str
    name: Any
    told: Any

    @property
    def asked(self) -> dict[str, Any]:
        return {"condition": [self.key]}

    q = ""


def ready_made(user: User) -> list[Ready]:
    """The lists that stand ready for somebody."""
    return [Ready(one.key, one.words, one.told) for one in conditions.offered_to(user) if one.told]


def narrowing_of(segment: Segment | Ready) -> Narrowing:
    """What a saved list asks. Raises RuleBroken when it asks what is no longer known."""
    return Narrowing.from_args(segment.asked)


def people_of(
    segment: Segment | Ready, scope: Scope, today: date, *, session: Session | None = None
) -> Select[Prospect]:
    """The people a saved list finds today among those of this scope: that of whoever uses it, never the author's.

    To be ordered by `ORDER`. Raises RuleBroken when it asks what is no longer known.
    """
    asking = session or object_session(segment)
    if asking is None:
        raise RuntimeError("a list that stands ready is asked with a session")
    return people(scope, narrowing_of(segment).filters(asking, scope, today), segment.q, today=today)


def count_of(session: Session, segment: Segment | Ready, scope: Scope, today: date, most: int) -> int:
    """How many people of this scope a saved list finds; `most + 1` stands for more than `most`."""
    return count_up_to(session, people_of(segment, scope, today, session=session), most)


def segments_of(scope: Scope, user: User) -> Select[Segment]:
    """The saved lists somebody finds: their own, those of their unit, those of the town; by name."""
    return select(Segment).where(_found_by(scope, user)).order_by(Segment.name_fold, Segment.id)


def _found_by(scope: Scope, user: User) -> ColumnElement[bool]:
    units: list[ColumnElement[bool]] = []
    if user.organisation_id:
        units.append(and_(Segment.organisation_id == user.organisation_id, Segment.place_id.is_(None)))
    if user.place_id:
        units.append(and_(Segment.place_id == user.place_id, Segment.organisation_id.is_(None)))
    if user.organisation_id and user.place_id:
        units.append(and_(Segment.organisation_id == user.organisation_id, Segment.place_id == user.place_id))
    ways = [Segment.owner_id == user.id, Segment.sharing == Sharing.TOWN]
    if units:
        ways.append(and_(Segment.sharing == Sharing.UNIT, or_(*units)))
    return and_(Segment.town_id == scope.town_id, Segment.deleted_at.is_(None), or_(*ways))


def segment_seen(session: Session, scope: Scope, user: User, named: UUID | str) -> Segment | Ready:
    """A saved list by its id, or one that stands ready by its key. Raises NotFound."""
    ready = {one.key: one for one in ready_made(user)}
    if isinstance(named, str) and named in ready:
        return ready[named]
    try:
        id = named if isinstance(named, UUID) else UUID(named)
    except ValueError:
        raise NotFound from None
    found = session.scalar(segments_of(scope, user).where(Segment.id == id))
    if found is None:
        raise NotFound
    return found


def own_segment(session: Session, user: User, id: UUID, *, deleted: bool = False) -> Segment:
    """A saved list one may change: one's own; the steering office may change any that is shared with the town.
    Raises NotFound."""
    found = session.get(Segment, (user.town_id, id))
    gone = found is not None and found.deleted_at is not None
    if found is None or gone is not deleted:
        raise NotFound
    mine = found.owner_id == user.id or (found.sharing is Sharing.TOWN and may_change_shared(user))
    if not mine:
        raise NotFound
    return found


def may_change_shared(user: User) -> bool:
    """Whether somebody may change the lists that others share with the whole town."""
    return user.may(May.EXPORT_PEOPLE) and user.may(May.SET_TARGETS)


# ---- tags


def tags_of(town_id: UUID) -> Select[Tag]:
    """A town's tags by name."""
    return select(Tag).where(Tag.town_id == town_id).order_by(Tag.name_fold)


def tag_known(session: Session, town_id: UUID, tag_id: UUID) -> Tag:
    """A tag of the town. Raises RuleBroken."""
    found = session.get(Tag, (town_id, tag_id))
    if found is None:
        raise RuleBroken(_l("This tag is not known here. Choose another."), field="tag")
    return found


def tags_on(session: Session, person: Prospect) -> Sequence[Tag]:
    """The tags of somebody, by name."""
    query = (
        tags_of(person.town_id)
        .join(PersonTag, (PersonTag.town_id == Tag.town_id) & (PersonTag.tag_id == Tag.id))
        .where(PersonTag.prospect_id == person.id)
    )
    return session.scalars(query).all()


# ---- acts on many


def act_seen(session: Session, scope: Scope, user: User, act_id: UUID) -> BulkAct:
    """An act of one's own; those who see the whole town and give out work see everybody's. Raises NotFound."""
    found = session.get(BulkAct, (scope.town_id, act_id))
    if found is None or not (found.by_id == user.id or sees_all_acts(scope, user)):
        raise NotFound
    return found


def sees_all_acts(scope: Scope, user: User) -> bool:
    """Whether somebody sees, and may undo, what others did to many people."""
    return scope.reach is Reach.ALL and user.may(May.ASSIGN)


def page_of_acts(
    session: Session, scope: Scope, user: User, *, cursor: str | None, size: int
) -> Page[tuple[BulkAct, str]]:
    """Acts on many people, the newest first, each with who did it."""
    query = (
        select(BulkAct, User.full_name)
        .join(User, (User.town_id == BulkAct.town_id) & (User.id == BulkAct.by_id))
        .where(BulkAct.town_id == scope.town_id)
    )
    if not sees_all_acts(scope, user):
        query = query.where(BulkAct.by_id == user.id)
    return _newest_first(session, query, BulkAct, cursor=cursor, size=size)


def _newest_first(session: Session, query: Any, kind: Any, *, cursor: str | None, size: int) -> Page[Any]:
    order = (kind.at, kind.id)
    return latest_first(session, query, order, cursor=cursor, size=size, key=lambda row: (row[0].at, row[0].id))


class Tally(NamedTuple):
    """How many people an act concerned in one way, and why."""

    outcome: Outcome
    why: Why | None
    people: int


def tally_of(session: Session, act: BulkAct) -> list[Tally]:
    """What became of the people of an act."""
    query = (
        select(BulkActPerson.outcome, BulkActPerson.why, func.count())
        .where(BulkActPerson.town_id == act.town_id, BulkActPerson.act_id == act.id)
        .group_by(BulkActPerson.outcome, BulkActPerson.why)
        .order_by(BulkActPerson.outcome, BulkActPerson.why)
    )
    return [Tally(*row) for row in session.execute(query)]


def exceptions_of(session: Session, scope: Scope, act: BulkAct, most: int) -> Sequence[tuple[Prospect, Why]]:
    """People an act left out, or who stay as they are, by name and why, among those one sees now."""
    query = (
        select(Prospect, BulkActPerson.why)
        .join(
            BulkActPerson,
            (BulkActPerson.town_id == Prospect.town_id) & (BulkActPerson.prospect_id == Prospect.id),
        )
        .where(listed_to(scope), BulkActPerson.act_id == act.id, BulkActPerson.town_id == act.town_id)
        .where(BulkActPerson.outcome.in_((Outcome.LEFT_OUT, Outcome.STAYED)), BulkActPerson.why.is_not(None))
        .order_by(*ORDER)
        .limit(most)
    )
    return [(row[0], row[1]) for row in session.execute(query) if row[1]]


def acts_standing_still(at: datetime) -> Select[BulkAct]:
    """Acts whose work does not move: never begun, or its worker went away."""
    return select(BulkAct).where(BulkAct.state.in_(ACTS_AT_WORK), _still(BulkAct.heartbeat_at, at))


def exports_standing_still(at: datetime) -> Select[PeopleExport]:
    """The same of files."""
    at_work = PeopleExport.state.in_((ExportState.WAITING, ExportState.WORKING))
    return select(PeopleExport).where(at_work, _still(PeopleExport.heartbeat_at, at))


def _still(heartbeat: Any, at: datetime) -> ColumnElement[bool]:
    return or_(heartbeat.is_(None), heartbeat < at - STALE, heartbeat > at + STALE)


# ---- files


def export_seen(session: Session, scope: Scope, user: User, export_id: UUID) -> PeopleExport:
    """A file one asked for; those who look after everybody's files see that it was made. Raises NotFound."""
    found = session.get(PeopleExport, (scope.town_id, export_id))
    if found is None or not (found.by_id == user.id or sees_all_exports(scope, user)):
        raise NotFound
    return found


def sees_all_exports(scope: Scope, user: User) -> bool:
    """Whether somebody sees who took which list away."""
    return scope.reach is Reach.ALL and user.may(May.SEE_EXPORTS)


def page_of_exports(
    session: Session, scope: Scope, user: User, *, cursor: str | None, size: int
) -> Page[tuple[PeopleExport, str]]:
    """Files of people, the newest first, each with who asked for it."""
    query = (
        select(PeopleExport, User.full_name)
        .join(User, (User.town_id == PeopleExport.town_id) & (User.id == PeopleExport.by_id))
        .where(PeopleExport.town_id == scope.town_id)
    )
    if not sees_all_exports(scope, user):
        query = query.where(PeopleExport.by_id == user.id)
    return _newest_first(session, query, PeopleExport, cursor=cursor, size=size)
