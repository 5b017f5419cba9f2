"""A do-not-call list from its file to the refusals it stands for: read, looked at by somebody, written chunk by chunk."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import NamedTuple
from uuid import UUID

from flask_babel import force_locale
from flask_babel import lazy_gettext as _l
from sqlalchemy import and_, delete, false, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crm.campaigns.models import Message
from crm.campaigns.numbers.models import DoNotCallList, DoNotCallNumber
from crm.campaigns.numbers.rules import AT_WORK, MOST_BAD_ROWS, MOST_NUMBERS, Found, ListState
from crm.campaigns.rules.reasons import Reason
from crm.campaigns.services.sending import call_off
from crm.errors import Conflict, RuleBroken
from crm.ids import new_ids
from crm.phones import read_phone
from crm.prospects.reading.outcomes import Cell, Unreadable
from crm.prospects.reading.sources import Sheet, open_source
from crm.prospects.reading.values import as_text
from crm.prospects.rules import Purpose

CHUNK = 2_000
AT_ONCE = 5_000
LOOKED_AT = 200
"""Rows by which the column of numbers is found."""
NO_NUMBERS = _l(
    "There is no column of telephone numbers in this file. Put the numbers into one column and load it again."
)


def hand_in(
    session: Session,
    town_id: UUID,
    *,
    name: str,
    filename: str,
    content: bytes,
    purposes: Sequence[Purpose],
    by_id: UUID,
    at: datetime,
) -> tuple[DoNotCallList, bool]:
    """Take a file in; whether that is something new. The very same file is the list it was before: nothing happens twice. For
    more purposes than before it refuses those as well, at once where somebody said already that it is the right file."""
    digest = hashlib.sha256(content).digest()
    values = {
        "town_id": town_id,
        "id": new_ids(1)[0],
        "name": name,
        "filename": filename,
        "digest": digest,
        "content": content,
        "purposes": [one.value for one in purposes],
        "state": ListState.QUEUED,
        "numbers": 0,
        "refused": 0,
        "done": 0,
        "bad_rows": 0,
        "bad": {},
        "touched_at": at,
        "recorded_at": at,
        "recorded_by_id": by_id,
    }
    made = session.scalar(
        insert(DoNotCallList)
        .values(values)
        .on_conflict_do_nothing(index_elements=["town_id", "digest"])
        .returning(DoNotCallList.id)
    )
    row = session.scalars(
        select(DoNotCallList).where(DoNotCallList.town_id == town_id, DoNotCallList.digest == digest)
    ).one()
    if made is None and row.state in (ListState.DROPPED, ListState.FAILED):
        row.state, row.content, row.name, row.trouble = ListState.QUEUED, content, name, None
        row.purposes, row.touched_at = [one.value for one in purposes], at
        made = row.id
    elif made is None and _widen(session, row, purposes, at):
        made = row.id
    session.flush()
    return row, made is not None


def _widen(session: Session, row: DoNotCallList, purposes: Sequence[Purpose], at: datetime) -> bool:
    """Whether the list is for more purposes from now on. It says them as of the moment at which it was confirmed: a yes that
    came after it stands. Raises Conflict while it is being written."""
    session.refresh(row, with_for_update=True)
    more = [one.value for one in Purpose if one in purposes or one.value in row.purposes]
    if set(more) == set(row.purposes):
        return False
    if row.state is ListState.WRITING:
        raise Conflict(
            _l("This very file is just being written for fewer kinds of messages. Hand it in again in a minute."),
            code="being_written",
        )
    if row.state is ListState.DONE:
        again = update(DoNotCallNumber).where(DoNotCallNumber.town_id == row.town_id, DoNotCallNumber.list_id == row.id)
        session.execute(again.values(found=None).execution_options(synchronize_session=False))
        row.state, row.done, row.refused = ListState.WRITING, 0, 0
    row.purposes, row.touched_at = more, at
    return True


def step(session: Session, town_id: UUID, list_id: UUID, *, at: datetime) -> bool:
    """The next piece of work on a list; whether more follows. Another worker's piece is left to it."""
    row = session.scalar(
        select(DoNotCallList)
        .where(DoNotCallList.town_id == town_id, DoNotCallList.id == list_id, DoNotCallList.state.in_(AT_WORK))
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if row is None:
        return False
    row.touched_at = at
    if row.state is ListState.QUEUED:
        _read(session, row)
        session.flush()
        return False
    more = _write(session, row, at)
    if not more:
        row.state = ListState.DONE
    session.flush()
    return more


# ---- reading


class Taken(NamedTuple):
    """What a file holds: each number with its first row, and rows of which nothing could be made."""

    numbers: dict[str, int]
    bad: list[list[object]]
    bad_rows: int


def read_numbers(content: bytes, filename: str) -> Taken:
    """The mobile numbers of a file in any spelling, each once. Raises RuleBroken."""
    try:
        source = open_source(content, filename)
    except Unreadable as refusal:
        raise RuleBroken(refusal.sentence, field="file") from None
    numbers, bad, bad_rows = dict[str, int](), list[list[object]](), 0
    for sheet in source.sheets:
        column = _column_of(sheet)
        if column is None:
            continue
        for place, cell in _cells(sheet, column):
            said = read_phone(cell)
            mobiles = [said.mobile, *said.others] if said.mobile else []
            for mobile in [one for one in mobiles if one and one not in numbers]:
                numbers[mobile] = place
            if not mobiles and (numbers or said.landline):
                bad_rows += 1
                if len(bad) < MOST_BAD_ROWS:
                    bad.append([place, as_text(cell)[:80], "landline" if said.landline else "no_number"])
    if not numbers:
        raise RuleBroken(NO_NUMBERS, field="file")
    if len(numbers) > MOST_NUMBERS:
        raise RuleBroken(_l("The list is too long. Divide it into several files."), field="file")
    return Taken(numbers, bad, bad_rows)


def _column_of(sheet: Sheet) -> int | None:
    """The column with the most telephone numbers among the first rows."""
    found: Counter[int] = Counter()
    for cells in islice(sheet.rows(), LOOKED_AT):
        found.update(place for place, cell in enumerate(cells) if _filled(cell) and read_phone(cell).mobile)
    return found.most_common(1)[0][0] if found else None


def _cells(sheet: Sheet, column: int) -> Iterator[tuple[int, Cell]]:
    for place, cells in enumerate(sheet.rows(), 1):
        if len(cells) > column and _filled(cells[column]):
            yield place, cells[column]


def _filled(cell: Cell) -> bool:
    return bool(as_text(cell).strip())


def _read(session: Session, row: DoNotCallList) -> None:
    with force_locale("en"):  # a refusal is kept as it is looked up by: each reader is told in their own language
        try:
            taken = read_numbers(row.content or b"", row.filename)
        except RuleBroken as refusal:
            row.state, row.trouble, row.content = ListState.FAILED, str(refusal.message), None
            return
    keys = new_ids(len(taken.numbers))
    rows = [
        {"town_id": row.town_id, "id": key, "list_id": row.id, "phone": phone, "row": place}
        for key, (phone, place) in zip(keys, taken.numbers.items(), strict=True)
    ]
    for start in range(0, len(rows), AT_ONCE):
        session.execute(insert(DoNotCallNumber).on_conflict_do_nothing(), rows[start : start + AT_ONCE])
    row.numbers, row.bad_rows, row.bad = len(rows), taken.bad_rows, {"rows": taken.bad}
    row.state, row.content = ListState.READY, None


# ---- deciding


def confirm(session: Session, row: DoNotCallList, *, by_id: UUID, at: datetime) -> None:
    """The list is the right one: its numbers get no more of these messages. Raises Conflict when that was said before."""
    session.refresh(row, with_for_update=True)
    if row.state is not ListState.READY:
        raise Conflict(_l("This list does not wait for your word any more."), code="decided")
    row.state, row.confirmed_by_id, row.confirmed_at, row.touched_at = ListState.WRITING, by_id, at, at
    session.flush()


def drop(session: Session, row: DoNotCallList, *, at: datetime) -> None:
    """The wrong file: nothing of it counts. Raises Conflict once it is in force."""
    session.refresh(row, with_for_update=True)
    if row.state not in (ListState.READY, ListState.FAILED):
        raise Conflict(_l("This list does not wait for your word any more."), code="decided")
    numbers = delete(DoNotCallNumber).where(DoNotCallNumber.town_id == row.town_id, DoNotCallNumber.list_id == row.id)
    session.execute(numbers.execution_options(synchronize_session=False))
    row.state, row.numbers, row.touched_at = ListState.DROPPED, 0, at
    session.flush()


# ---- writing

_REFUSALS = text(
    """
    with asked as (
        select n.phone, p.purpose from unnest(cast(:phones as text[])) n(phone), unnest(cast(:purposes as text[])) p(purpose)
    ), latest as (
        select distinct on (c.phone, c.purpose) c.phone, c.purpose, c.given, c.channel, c.at
        from consent c join asked using (phone, purpose) where c.town_id = :town
        order by c.phone, c.purpose, c.at desc, c.recorded_at desc, c.id desc
    )
    insert into consent (town_id, id, phone, purpose, given, channel, at, words, prospect_id, recorded_at, recorded_by_id)
    select :town, gen_random_uuid(), asked.phone, asked.purpose, false, 'do_not_call', :at, :words, null, :now,
        cast(:by as uuid)
    from asked left join latest using (phone, purpose)
    where latest.given is null or (latest.at <= :at and (latest.given or latest.channel = 'import'))
    returning phone, purpose
    """
)


def _write(session: Session, row: DoNotCallList, at: datetime) -> bool:
    """The refusals of one chunk of numbers; a number that refuses already says nothing new. What waits is called off only
    for the kinds of messages that a number refuses by this: a later yes to another kind stands."""
    waiting = (
        select(DoNotCallNumber.id, DoNotCallNumber.phone)
        .where(
            DoNotCallNumber.town_id == row.town_id, DoNotCallNumber.list_id == row.id, DoNotCallNumber.found.is_(None)
        )
        .order_by(DoNotCallNumber.id)
        .limit(CHUNK)
    )
    chunk = session.execute(waiting).all()
    phones = [phone for _id, phone in chunk]
    asked = {
        "town": row.town_id,
        "phones": phones,
        "purposes": list(row.purposes),
        "at": row.confirmed_at or at,
        "now": at,
        "words": row.name,
        "by": row.confirmed_by_id,
    }
    pairs = session.execute(_REFUSALS, asked).tuples().all() if phones else []
    by_purpose = dict[Purpose, set[str]]()
    for phone, purpose in pairs:
        by_purpose.setdefault(Purpose(purpose), set()).add(phone)
    refused = {phone for phone, _purpose in pairs}
    for found, ids in (
        (Found.REFUSED, [key for key, phone in chunk if phone in refused]),
        (Found.KNOWN, [key for key, phone in chunk if phone not in refused]),
    ):
        session.execute(
            update(DoNotCallNumber)
            .where(DoNotCallNumber.town_id == row.town_id, DoNotCallNumber.id.in_(ids))
            .values(found=found)
            .execution_options(synchronize_session=False)
        )
    theirs = [and_(Message.purpose == one, Message.phone.in_(those)) for one, those in by_purpose.items()]
    call_off(session, row.town_id, or_(false(), *theirs), Reason.OPTED_OUT, at)
    row.refused += len(refused)
    row.done += len(chunk)
    return len(chunk) == CHUNK
