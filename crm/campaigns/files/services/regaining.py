"""After a restore: a file that was made after the backup is handed in again, so that nobody in it is texted twice."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm import stored
from crm.campaigns.files import queries
from crm.campaigns.files.models import SmsFile, SmsWays
from crm.campaigns.files.rules import FileState, Holds, read_reference
from crm.campaigns.models import Message
from crm.campaigns.rules.delivery import WAITING, Delivery
from crm.campaigns.rules.ways import Way
from crm.campaigns.services.dispatching import CLAIMING
from crm.errors import Conflict, RuleBroken
from crm.ids import new_id
from crm.phones import read_phone

NUMBERED_FROM = "sms_files_numbered_from"
SKIPPED = 1000
"""More files than any town makes between two backups: their numbers are not given a second time, for results name them."""


class Regained(NamedTuple):
    """The number of the file, how many of its messages waited here, and how many this copy knows nothing of."""

    number: int
    found: int
    strange: int


def skip_numbers(session: Session) -> None:
    """After a restore: files that this copy does not know may be out; theirs are other numbers than those to come."""
    last = session.scalar(select(func.max(SmsFile.number))) or 0
    stored.write(session, NUMBERED_FROM, max(last, stored.read(session, NUMBERED_FROM) or 0) + SKIPPED)


def regain(session: Session, town_id: UUID, content: bytes, *, by_id: UUID, at: datetime) -> Regained:
    """Take a file in that was downloaded after the backup: what waits here and stands in it was handed over, and its
    results will be understood. Raises RuleBroken for anything else, Conflict for a file that is known here."""
    lines = _lines(queries.ways_of(session, town_id), content)
    number = next(iter(lines.values())).number
    session.execute(select(func.pg_advisory_xact_lock(CLAIMING)))
    if session.scalar(select(SmsFile.id).where(SmsFile.town_id == town_id, SmsFile.number == number)):
        raise Conflict(_l("File %(number)s is known here already.", number=number), code="known")
    waiting = session.scalars(
        select(Message)
        .where(Message.town_id == town_id, Message.way == Way.BRANDNAME, Message.state.in_(WAITING))
        .where(Message.phone.in_({phone for phone, _body in lines}))
        .order_by(Message.made_at, Message.id)
        .with_for_update()
    ).all()
    found = {(one.phone or "", one.body): one for one in reversed(waiting) if (one.phone or "", one.body) in lines}
    if found:
        _were_handed_over(session, town_id, content, lines, found, by_id=by_id, at=at)
    return Regained(number, len(found), len(lines) - len(found))


class _Line(NamedTuple):
    number: int
    line: int


def _lines(ways: SmsWays, content: bytes) -> Mapping[tuple[str, str], _Line]:
    """Where each number and text stands in the file. Raises RuleBroken."""
    try:
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
        columns = [ways.columns[one] for one in (Holds.NUMBER, Holds.TEXT, Holds.REFERENCE)]
        told = [[row[column] or "" for column in columns] for row in rows]
    except (UnicodeDecodeError, KeyError, csv.Error):
        told = []
    found = {}
    for number, text, reference in told:
        named, phone = read_reference(reference), read_phone(number).mobile
        if named and phone:
            found[phone, text] = _Line(*named)
    if not found or len({one.number for one in found.values()}) > 1:
        raise RuleBroken(
            _l("This is no file that was made here for the gateway. Choose the file as it was downloaded."),
            field="file",
        )
    return found


def _were_handed_over(
    session: Session,
    town_id: UUID,
    content: bytes,
    lines: Mapping[tuple[str, str], _Line],
    found: Mapping[tuple[str, str], Message],
    *,
    by_id: UUID,
    at: datetime,
) -> None:
    """Nobody is asked whether these may leave: they have left. So they are held first, and what is held is not asked."""
    messages = list(found.values())
    file = SmsFile(
        town_id=town_id,
        id=new_id(),
        purpose=messages[0].purpose,
        state=FileState.OUT,
        asked_at=at,
        asked_by_id=by_id,
        number=next(iter(lines.values())).number,
        made_at=at,
        messages=len(messages),
        segments=sum(one.segments for one in messages),
        digest=hashlib.sha256(content).digest(),
        content=content,
        downloaded_at=at,
    )
    session.add(file)
    for one in messages:
        one.state = Delivery.HELD
    session.flush()
    for key, one in found.items():
        one.state, one.reason, one.claimed_at, one.attempts = Delivery.HANDED_OVER, None, at, one.attempts + 1
        one.file_id, one.file_line = file.id, lines[key].line
    session.flush()
