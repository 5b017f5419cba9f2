"""Questions about what waits for the gateway, what was handed over, and what came back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, tuple_
from sqlalchemy.orm import Session

from crm.campaigns import queries
from crm.campaigns.files.models import SmsFile, SmsResults, SmsWays
from crm.campaigns.files.rules import USUAL_COLUMNS, FileState, NumberForm, ResultState, Told
from crm.campaigns.models import Message, MessageStatus
from crm.campaigns.rules.delivery import Delivery
from crm.campaigns.rules.ways import Way
from crm.clock import at as at_hour
from crm.errors import NotFound
from crm.prospects.models import Prospect
from crm.prospects.rules import Purpose
from crm.web.pager import Page, latest_first, page

STILL_AFTER = timedelta(minutes=2)


def ways_of(session: Session, town_id: UUID) -> SmsWays:
    """Which ways out a town has; the usual ones, not yet kept, when it has decided nothing."""
    found = session.scalar(select(SmsWays).where(SmsWays.town_id == town_id))
    return found or SmsWays(
        town_id=town_id,
        twilio=True,
        brandname=True,
        service_way=Way.TWILIO,
        number_form=NumberForm.EIGHTY_FOUR,
        columns=dict(USUAL_COLUMNS),
        by_night=False,
    )


class Waiting(NamedTuple):
    """What waits for a file of one purpose: all of it, what could go at this moment, and when the first of it comes too
    late (None when all of it waits for a person)."""

    purpose: Purpose
    messages: int
    now: int
    until: datetime | None


def waiting(session: Session, town_id: UUID, at: datetime) -> list[Waiting]:
    """What waits for the gateway, by purpose; purposes of which nothing waits are left out."""
    all_of_it = (
        select(
            Message.purpose,
            func.count(),
            func.min(Message.expires_at).filter(~queries.waits_for_a_word()),
        )
        .where(
            Message.town_id == town_id,
            Message.way == Way.BRANDNAME,
            Message.state == Delivery.QUEUED,
            or_(Message.expires_at > at, queries.waits_for_a_word()),
        )
        .group_by(Message.purpose)
        .order_by(Message.purpose)
    )
    rows = session.execute(all_of_it).tuples().all()
    return [Waiting(purpose, many, could_go(session, town_id, purpose, at), until) for purpose, many, until in rows]


def could_go(session: Session, town_id: UUID, purpose: Purpose, at: datetime) -> int:
    """How many numbers a file would hold if it were made now."""
    due = ready(town_id, purpose, at).with_only_columns(func.count(Message.phone.distinct())).order_by(None)
    return session.scalar(due) or 0


def ready(town_id: UUID, purpose: Purpose, at: datetime) -> Select[UUID, UUID, str | None]:
    """Messages that a file of this purpose may hold at this moment."""
    return queries.may_leave(at, Way.BRANDNAME).where(Message.town_id == town_id, Message.purpose == purpose)


def file_of(session: Session, town_id: UUID, file_id: UUID) -> SmsFile:
    """A file of this town. Raises NotFound."""
    found = session.get(SmsFile, (town_id, file_id))
    if found is None:
        raise NotFound
    return found


def files_page(session: Session, town_id: UUID, *, cursor: str | None, size: int) -> Page[SmsFile]:
    """Files that were made, the latest first."""
    query = select(SmsFile).where(SmsFile.town_id == town_id, SmsFile.state != FileState.EMPTY)
    order = (SmsFile.asked_at, SmsFile.id)
    return latest_first(session, query, order, cursor=cursor, size=size, key=lambda one: (one.asked_at, one.id))


def states_in(session: Session, town_id: UUID, file_ids: Sequence[UUID]) -> dict[UUID, dict[Delivery, int]]:
    """What became of the messages of these files: how many stand where."""
    query = (
        select(Message.file_id, Message.state, func.count())
        .where(Message.town_id == town_id, Message.file_id.in_(file_ids))
        .group_by(Message.file_id, Message.state)
    )
    found: dict[UUID, dict[Delivery, int]] = {file_id: {} for file_id in file_ids}
    for file_id, state, many in session.execute(query) if file_ids else ():
        if file_id is not None:
            found[file_id][state] = many
    return found


def people_page(
    session: Session,
    town_id: UUID,
    file_id: UUID,
    visible: ColumnElement[bool],
    *,
    states: Iterable[Delivery] | None,
    cursor: str | None,
    size: int,
) -> Page[Any]:
    """Who stood in a file and what became of it (message and name), in the order of its lines; only people one sees."""
    query: Any = (
        select(Message, Prospect.full_name)
        .outerjoin(Prospect, and_(Prospect.town_id == Message.town_id, Prospect.id == Message.prospect_id))
        .where(Message.town_id == town_id, Message.file_id == file_id)
        .where(or_(Message.prospect_id.is_(None), visible))
    )
    if states is not None:
        query = query.where(Message.state.in_(list(states)))
    return page(
        session,
        query,
        (Message.file_line, Message.id),
        cursor=cursor,
        size=size,
        kinds=(int, UUID),
        key=lambda row: (row[0].file_line, row[0].id),
    )


def told_of(session: Session, file: SmsFile) -> bool:
    """The gateway said something of a message of this file: it was uploaded."""
    query = exists().where(
        MessageStatus.town_id == file.town_id,
        MessageStatus.message_id == Message.id,
        Message.town_id == file.town_id,
        Message.file_id == file.id,
    )
    return bool(session.scalar(select(query)))


def being_made(session: Session, at: datetime) -> list[tuple[UUID, UUID]]:
    """Files that were asked for and stand still."""
    query = select(SmsFile.town_id, SmsFile.id).where(
        SmsFile.state == FileState.MAKING, SmsFile.asked_at < at - STILL_AFTER
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def by_themselves(session: Session, today: date, at: datetime) -> list[tuple[UUID, Purpose]]:
    """Towns and purposes for which a file is to be made by itself now: it is wished, something could go, and none was
    made by itself today."""
    wished = session.scalars(select(SmsWays.town_id).where(SmsWays.by_night, SmsWays.brandname)).all()
    made = {
        (row[0], row[1])
        for row in session.execute(
            select(SmsFile.town_id, SmsFile.purpose).where(
                SmsFile.town_id.in_(wished),
                SmsFile.asked_by_id.is_(None),
                SmsFile.asked_at >= at_hour(today),
                SmsFile.state != FileState.EMPTY,
            )
        )
    }
    return [
        (town_id, purpose)
        for town_id in wished
        for purpose in Purpose
        if (town_id, purpose) not in made and could_go(session, town_id, purpose, at)
    ]


# ---- results


def results_of(session: Session, town_id: UUID, results_id: UUID) -> SmsResults:
    """A file of results of this town. Raises NotFound."""
    found = session.get(SmsResults, (town_id, results_id))
    if found is None:
        raise NotFound
    return found


def results_page(
    session: Session, town_id: UUID, file_id: UUID | None = None, *, cursor: str | None = None, size: int
) -> Page[SmsResults]:
    """One page of the results that were handed back, the latest first; with `file_id`, those said to be of it."""
    query = select(SmsResults).where(SmsResults.town_id == town_id, SmsResults.state != ResultState.GIVEN_UP)
    if file_id is not None:
        query = query.where(SmsResults.file_id == file_id)
    order = (SmsResults.recorded_at, SmsResults.id)
    return latest_first(session, query, order, cursor=cursor, size=size, key=lambda one: (one.recorded_at, one.id))


def results_standing_still(session: Session, at: datetime) -> list[tuple[UUID, UUID]]:
    """Results whose loading stands still."""
    query = select(SmsResults.town_id, SmsResults.id).where(
        SmsResults.state == ResultState.QUEUED, SmsResults.touched_at < at - STILL_AFTER
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def messages_told(session: Session, town_id: UUID, told: Iterable[Told]) -> Mapping[Told, UUID]:
    """The messages that stand in these lines of these files."""
    wanted = list(set(told))
    query = (
        select(SmsFile.number, Message.file_line, Message.id)
        .join(Message, and_(Message.town_id == SmsFile.town_id, Message.file_id == SmsFile.id))
        .where(SmsFile.town_id == town_id, tuple_(SmsFile.number, Message.file_line).in_(wanted))
    )
    return {Told(row[0] or 0, row[1] or 0): row[2] for row in session.execute(query)} if wanted else {}


def messages_to(session: Session, town_id: UUID, file_id: UUID, phones: Iterable[str]) -> Mapping[str, UUID]:
    """The messages of a file by number: each number stands in a file once."""
    wanted = list(set(phones))
    query = select(Message.phone, Message.id).where(
        Message.town_id == town_id, Message.file_id == file_id, Message.phone.in_(wanted)
    )
    return {str(row[0]): row[1] for row in session.execute(query)} if wanted else {}
