"""A file is asked for, made once, and, when it was never uploaded, taken back once."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import Uuid, case, cast, column, exists, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from crm import stored
from crm.accounts.models import User
from crm.accounts.services import note_change_of
from crm.campaigns.files import queries
from crm.campaigns.files.models import SmsFile, SmsWays
from crm.campaigns.files.rules import PURPOSE_MARKS, FileState, Holds, number_as, read_sender, reference
from crm.campaigns.files.services.regaining import NUMBERED_FROM
from crm.campaigns.models import Campaign, Message
from crm.campaigns.rules.delivery import WAITING, Delivery
from crm.campaigns.rules.reasons import Reason
from crm.campaigns.rules.stages import Stage
from crm.campaigns.rules.ways import Way
from crm.campaigns.services.dispatching import CLAIMING
from crm.errors import Conflict, RuleBroken
from crm.ids import new_id
from crm.prospects.rules import Purpose

MOST_IN_A_FILE = 20_000


def choose_ways(session: Session, town_id: UUID, values: dict[str, Any], *, by: User, at: datetime) -> SmsWays:
    """What a town decides about its ways out. What waits for the way that was left goes the other one.

    Raises RuleBroken."""
    ways = queries.ways_of(session, town_id)
    if values["service_way"] is Way.TWILIO and not values["twilio"]:
        raise RuleBroken(_l("Service messages cannot go a way that is not used."), field="service_way")
    if values["service_way"] is Way.BRANDNAME and not values["brandname"]:
        raise RuleBroken(_l("Service messages cannot go a way that is not used."), field="service_way")
    if Holds.NUMBER not in values["columns"] or Holds.TEXT not in values["columns"]:
        raise RuleBroken(_l("A file needs at least the number and the text."), field="number_heading")
    for name in ("service_sender", "promotion_sender"):
        read_sender(values[name], name)
    before = {name: _plain(getattr(ways, name)) for name in values}
    for name, value in values.items():
        setattr(ways, name, value)
    session.add(ways)
    session.flush()
    _send_the_other_way(session, town_id, ways.service_way)
    after = {name: _plain(value) for name, value in values.items()}
    if before != after:
        note_change_of(session, ways, "choose_sms_ways", by=by, at=at, before=before, after=after)
    return ways


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | dict) or value is None else str(value)


def _send_the_other_way(session: Session, town_id: UUID, way: Way) -> None:
    session.execute(
        update(Message)
        .where(Message.town_id == town_id, Message.purpose == Purpose.SERVICE, Message.state.in_(WAITING))
        .where(Message.way != way)
        .values(way=way)
        .execution_options(synchronize_session=False)
    )


def ask(session: Session, town_id: UUID, purpose: Purpose, *, by_id: UUID | None, at: datetime) -> UUID:
    """A file of what waits is to be made; two who ask at once get the same one. Raises RuleBroken."""
    if not queries.ways_of(session, town_id).brandname:
        raise RuleBroken(
            _l("This town uses no brand-name gateway. Choose it under «Ways out» first."), code="no_gateway"
        )
    made: UUID | None = session.scalar(
        insert(SmsFile)
        .values(
            town_id=town_id,
            id=new_id(),
            purpose=purpose,
            state=FileState.MAKING,
            asked_at=at,
            asked_by_id=by_id,
            messages=0,
            segments=0,
        )
        .on_conflict_do_nothing(
            index_elements=["town_id", "purpose"], index_where=SmsFile.state == FileState.MAKING.value
        )
        .returning(SmsFile.id)
    )
    if made is not None:
        return made
    query = select(SmsFile.id).where(
        SmsFile.town_id == town_id, SmsFile.purpose == purpose, SmsFile.state == FileState.MAKING
    )
    return session.scalar(query) or ask(session, town_id, purpose, by_id=by_id, at=at)


def make(session: Session, town_id: UUID, file_id: UUID, *, at: datetime) -> None:
    """Claim what may leave and write it down, all of it or nothing. Run again, or beside itself, it does nothing.

    What holds for a message through Twilio holds here at the moment of handing over: hours, consent, the day's limit,
    the campaign's stage, a town's hold. The same lock as there keeps the limit exact between the two ways."""
    file = session.scalar(
        select(SmsFile)
        .where(SmsFile.town_id == town_id, SmsFile.id == file_id, SmsFile.state == FileState.MAKING)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if file is None:
        return
    session.execute(select(func.pg_advisory_xact_lock(CLAIMING)))
    due = session.execute(
        queries.ready(town_id, file.purpose, at).limit(MOST_IN_A_FILE).with_for_update(of=Message, skip_locked=True)
    ).all()
    first = {row[2]: row[1] for row in reversed(due)}
    order = [row[1] for row in due if first[row[2]] == row[1]]
    if not order:
        file.state = FileState.EMPTY
        session.flush()
        return
    _hand_over(session, file, order, at)


def _hand_over(session: Session, file: SmsFile, order: Sequence[UUID], at: datetime) -> None:
    rows = {
        row.id: row
        for row in session.execute(
            select(Message.id, Message.phone, Message.body, Message.segments).where(
                Message.town_id == file.town_id, Message.id.in_(order)
            )
        )
    }
    last = session.scalar(select(func.max(SmsFile.number)).where(SmsFile.town_id == file.town_id))
    number = max(last or 0, stored.read(session, NUMBERED_FROM) or 0) + 1
    ways = queries.ways_of(session, file.town_id)
    content = _written(ways, file.purpose, number, [(rows[id_].phone or "", rows[id_].body) for id_ in order])
    file.number, file.content, file.digest = number, content, hashlib.sha256(content).digest()
    file.messages, file.segments = len(order), sum(row.segments for row in rows.values())
    file.made_at, file.state = at, FileState.OUT
    session.flush()
    ids = func.unnest(cast(list(order), ARRAY(Uuid())))
    lines = ids.table_valued(column("id", Uuid()), with_ordinality="line", name="placed").render_derived()
    session.execute(
        update(Message)
        .where(Message.town_id == file.town_id, Message.id == lines.c.id)
        .values(
            state=Delivery.HANDED_OVER,
            reason=None,
            claimed_at=at,
            attempts=Message.attempts + 1,
            file_id=file.id,
            file_line=lines.c.line,
        )
        .execution_options(synchronize_session=False)
    )
    session.expire_all()


def _written(ways: SmsWays, purpose: Purpose, number: int, messages: Sequence[tuple[str, str]]) -> bytes:
    """The file: UTF-8 with its mark, commas, one line for each message."""
    held = [one for one in Holds if one in ways.columns]
    sender = ways.promotion_sender if purpose is Purpose.PROMOTION else ways.service_sender
    out = io.StringIO(newline="")
    table = csv.writer(out)
    table.writerow([ways.columns[one] for one in held])
    for line, (phone, body) in enumerate(messages, 1):
        values = {
            Holds.NUMBER: number_as(phone, ways.number_form),
            Holds.TEXT: body,
            Holds.REFERENCE: reference(number, line),
            Holds.SENDER: sender or "",
            Holds.PURPOSE: PURPOSE_MARKS[purpose],
        }
        table.writerow([values[one] for one in held])
    return out.getvalue().encode("utf-8-sig")


def was_downloaded(file: SmsFile, at: datetime) -> None:
    """Somebody took the file; the first time is kept."""
    file.downloaded_at = file.downloaded_at or at


def take_back(session: Session, file: SmsFile, why: str, *, by: User, at: datetime) -> int:
    """The file was never uploaded: its messages wait again, once; how many. What was called off meanwhile stays off.

    Raises Conflict when it is done with already, or the gateway told of it."""
    session.refresh(file, with_for_update=True)
    if file.state is not FileState.OUT:
        raise Conflict(_l("This file was taken back already, or is not out."), code="not_out")
    if queries.told_of(session, file):
        raise Conflict(_l("The gateway sent results of this file, so it was uploaded."), code="uploaded")
    off = exists().where(
        Campaign.town_id == Message.town_id, Campaign.id == Message.campaign_id, Campaign.stage == Stage.CANCELLED
    )
    moved = session.execute(
        update(Message)
        .where(Message.town_id == file.town_id, Message.file_id == file.id, Message.state == Delivery.HANDED_OVER)
        .values(
            state=case((off, Delivery.CANCELLED.value), else_=Delivery.QUEUED.value),
            reason=case((off, Reason.CALLED_OFF.value), else_=None),
            settled_at=case((off, at), else_=None),
            claimed_at=None,
            attempts=Message.attempts - 1,
            file_id=None,
            file_line=None,
        )
        .returning(Message.id)
        .execution_options(synchronize_session=False)
    ).all()
    file.state, file.taken_back_at, file.taken_back_by_id, file.taken_back_why = FileState.NOT_UPLOADED, at, by.id, why
    note_change_of(
        session,
        file,
        "take_back_sms_file",
        by=by,
        at=at,
        after={"number": file.number, "messages": len(moved), "why": why},
    )
    session.expire_all()
    return len(moved)
