"""Results handed back: the table found, its columns and words looked at by somebody, then loaded chunk by chunk."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crm.campaigns.files import queries
from crm.campaigns.files.models import SmsResults, SmsResultsLayout
from crm.campaigns.files.rules import (
    DELIVERY_OF,
    Became,
    ResultField,
    ResultState,
    became,
    field_of,
    read_reference,
    word_of,
)
from crm.campaigns.models import Message, MessageStatus
from crm.campaigns.rules.delivery import Delivery
from crm.campaigns.rules.reasons import Reason
from crm.campaigns.services.opting_out import withdraw
from crm.errors import Conflict, RuleBroken
from crm.ids import new_id
from crm.names import fold
from crm.phones import read_phone
from crm.prospects.reading.columns import index_of, letter_of
from crm.prospects.reading.outcomes import Cell, Unreadable
from crm.prospects.reading.sources import Source, open_source
from crm.prospects.reading.values import as_text
from crm.prospects.rules import ConsentChannel, Purpose

HEAD_ROWS, WIDEST, SAMPLES = 30, 40, 3
MOST_ROWS, MOST_WORDS, CHUNK, MOST_TOLD = 200_000, 60, 5_000, 200
"""More different words than `MOST_WORDS` are no column of states."""


class Row(NamedTuple):
    """A line of a file of results."""

    row: int
    reference: str
    number: str
    word: str


def take_in(
    session: Session,
    town_id: UUID,
    filename: str,
    content: bytes,
    *,
    file_id: UUID | None,
    by_id: UUID,
    at: datetime,
) -> SmsResults:
    """Keep a file of results with the table found in it; the very same file a second time is the first one.

    Raises RuleBroken for what is no table."""
    digest = hashlib.sha256(content).digest()
    before = session.scalar(
        select(SmsResults).where(
            SmsResults.town_id == town_id, SmsResults.digest == digest, SmsResults.state != ResultState.GIVEN_UP
        )
    )
    if before is not None:
        return before
    found = _found(_opened(content, filename))
    layout = session.scalar(
        select(SmsResultsLayout).where(
            SmsResultsLayout.town_id == town_id, SmsResultsLayout.headings_key == _key(found["headings"])
        )
    )
    if layout is not None:
        found["columns"], found["kept"] = dict(layout.columns), dict(layout.words)
    results = SmsResults(
        town_id=town_id,
        file_id=file_id,
        filename=filename[:200],
        digest=digest,
        content=content,
        found=found,
        state=ResultState.COLUMNS,
        problems={},
        touched_at=at,
        recorded_at=at,
        recorded_by_id=by_id,
    )
    session.add(results)
    session.flush()
    return results


def _opened(content: bytes, filename: str) -> Source:
    try:
        return open_source(content, filename)
    except Unreadable as refusal:
        raise RuleBroken(refusal.sentence, field="file") from None


def _found(source: Source) -> dict[str, Any]:
    """The row whose headings name most, in the first sheet that has one; else the first row that is not empty."""
    best: tuple[int, dict[str, Any]] | None = None
    for sheet in source.sheets:
        top = [[as_text(cell).strip() for cell in row[:WIDEST]] for row in islice(sheet.rows(), HEAD_ROWS)]
        for place, row in enumerate(top):
            columns: dict[str, str] = {}
            for index, heading in enumerate(row):
                held = field_of(heading)
                if held and held.value not in columns.values():
                    columns[letter_of(index)] = held.value
            if any(row) and (best is None or len(columns) > best[0]):
                samples = [
                    [line[i] for line in top[place + 1 :] if i < len(line) and line[i]][:SAMPLES]
                    for i in range(len(row))
                ]
                table = {"sheet": sheet.name, "header_row": place + 1, "headings": row, "samples": samples}
                best = (len(columns), table | {"columns": columns, "kept": {}, "words": {}})
    if best is None:
        raise RuleBroken(_l("The file is empty. Choose the file of results that the gateway gave you."), field="file")
    return best[1]


def _key(headings: Sequence[str]) -> str:
    return " | ".join(fold(heading) for heading in headings)[:2000]


def lines_of(results: SmsResults, columns: Mapping[str, str]) -> Iterator[Row]:
    """The lines below the headings, as these columns (letter → field) say; empty rows are passed over."""
    places = {held: index_of(letter) for letter, held in columns.items() if held}
    source = _opened(results.content or b"", results.filename)
    sheet = next((one for one in source.sheets if one.name == results.found["sheet"]), source.sheets[0])
    for number, row in enumerate(sheet.rows(), 1):
        if number > results.found["header_row"]:
            told = Row(number, *(_cell(row, places.get(held.value)) for held in ResultField))
            if any(told[1:]):
                yield told


def _cell(row: Sequence[Cell], place: int | None) -> str:
    return as_text(row[place]).strip()[:200] if place is not None and place < len(row) else ""


def words_in(results: SmsResults, columns: Mapping[str, str]) -> dict[str, tuple[str, int, Became | None]]:
    """The different words for what became of a message: how it stands there, how often, and what it means as far as is
    remembered or can be told. Raises RuleBroken for columns that cannot be right."""
    check_columns(results, columns)
    counted: Counter[str] = Counter()
    written: dict[str, str] = {}
    for place, row in enumerate(lines_of(results, columns)):
        if place >= MOST_ROWS:
            raise RuleBroken(_l("The file has more than %(most)s rows. Split it into several files.", most=MOST_ROWS))
        word = word_of(row.word)
        counted[word] += 1
        written.setdefault(word, row.word)
        if len(counted) > MOST_WORDS:
            raise RuleBroken(
                _l("This column holds too many different texts to say what became of a message. Choose another."),
                code="columns",
            )
    kept = results.found["kept"]
    return {
        word: (written[word], many, Became(kept[word]) if word in kept else became(word))
        for word, many in counted.most_common()
    }


def check_columns(results: SmsResults, columns: Mapping[str, str]) -> None:
    """Raises RuleBroken for columns from which nothing could be told."""
    held = [field for field in columns.values() if field]
    if len(set(held)) < len(held) or not set(held) <= {field.value for field in ResultField}:
        raise RuleBroken(_l("Two columns cannot hold the same. Choose one of them."), code="columns")
    if ResultField.STATUS not in held:
        raise RuleBroken(_l("Say which column tells what became of a message."), code="columns")
    if ResultField.REFERENCE not in held and not (results.file_id and ResultField.NUMBER in held):
        raise RuleBroken(
            _l("Say which column holds our reference. Without one, hand the results in on the page of their file."),
            code="columns",
        )


def confirm(
    session: Session, results: SmsResults, columns: Mapping[str, str], words: Mapping[str, str], *, at: datetime
) -> None:
    """Columns and words are right: remember them and let the results be loaded. Raises RuleBroken."""
    session.refresh(results, with_for_update=True)
    if results.state is not ResultState.COLUMNS:
        raise Conflict(_l("These results are being loaded already."), code="loaded")
    there = words_in(results, columns)
    meant = {word: words.get(word) or (told.value if told else "") for word, (_text, _many, told) in there.items()}
    if not all(meaning in set(Became) for meaning in meant.values()):
        raise RuleBroken(_l("Say of each word what it means."), code="words")
    chosen = {letter: held for letter, held in columns.items() if held}
    results.found = results.found | {"columns": chosen, "words": meant}
    results.rows = sum(many for _text, many, _told in there.values())
    results.state, results.touched_at = ResultState.QUEUED, at
    statement = insert(SmsResultsLayout).values(
        town_id=results.town_id,
        id=new_id(),
        headings_key=_key(results.found["headings"]),
        columns=chosen,
        words=results.found["kept"] | meant,
        recorded_at=at,
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["town_id", "headings_key"],
            set_={name: statement.excluded[name] for name in ("columns", "words", "recorded_at")},
        )
    )
    session.flush()


def give_up(session: Session, results: SmsResults) -> None:
    """Forget results that were not loaded. Raises Conflict once they are."""
    session.refresh(results, with_for_update=True)
    if results.state is not ResultState.COLUMNS:
        raise Conflict(_l("These results are being loaded already."), code="loaded")
    results.state, results.content = ResultState.GIVEN_UP, None
    session.flush()


def step(session: Session, town_id: UUID, results_id: UUID, *, at: datetime) -> bool:
    """Load the next chunk; whether more may follow. Another worker's chunk is left to it."""
    results = session.scalar(
        select(SmsResults)
        .where(SmsResults.town_id == town_id, SmsResults.id == results_id, SmsResults.state == ResultState.QUEUED)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if results is None:
        return False
    rows = list(islice(lines_of(results, results.found["columns"]), results.done, results.done + CHUNK))
    _load(session, results, rows, at)
    results.done, results.touched_at = results.done + len(rows), at
    if len(rows) < CHUNK:
        results.state, results.content = ResultState.LOADED, None
    session.flush()
    return len(rows) == CHUNK


def _load(session: Session, results: SmsResults, rows: Sequence[Row], at: datetime) -> None:
    """Each row once, however often it comes; a state only goes forwards. Who refuses is never sent such again."""
    known = _known(session, results, rows)
    problems = list(results.problems.get("rows", []))
    values = []
    for row in rows:
        message_id = known.get(row.row)
        if message_id is None:
            results.unknown += 1
            if len(problems) < MOST_TOLD:
                problems.append([row.row, " · ".join(filter(None, row[1:]))])
            continue
        values.append(
            {
                "town_id": results.town_id,
                "id": new_id(),
                "message_id": message_id,
                "sid": f"file:{message_id}",
                "status": word_of(row.word),
                "error_code": None,
                "received_at": at,
            }
        )
    results.problems = {"rows": problems}
    new = _keep(session, values)
    results.settled, results.same = results.settled + len(new), results.same + len(values) - len(new)
    _believe(session, results, new, at)


def _believe(session: Session, results: SmsResults, new: Sequence[tuple[UUID, str]], at: datetime) -> None:
    """What words that came for the first time say of their messages, and of the numbers that refuse."""
    words: dict[UUID, list[str]] = {}
    for message_id, word in new:
        words.setdefault(message_id, []).append(word)
    refusals: list[tuple[str, Purpose, str]] = []
    for message in _locked(session, results.town_id, list(words)):
        for word in words[message.id]:
            meant = Became(results.found["words"][word])
            if state := DELIVERY_OF[meant]:
                message.believe(state, at)
            if meant is Became.REFUSED:
                if message.state is Delivery.UNDELIVERED:
                    message.reason = Reason.BLOCKED
                refusals.append((message.phone or "", message.purpose, word))
    channel = ConsentChannel.DO_NOT_CALL
    for phone, purpose, word in sorted(refusals):  # in one order, so that two who load never wait for each other
        withdraw(session, results.town_id, phone, at=at, channel=channel, purposes=(purpose,), words=word)


def _known(session: Session, results: SmsResults, rows: Sequence[Row]) -> dict[int, UUID]:
    """The message of each row, by its reference or, in the results of one file, by its number."""
    told = {row.row: ref for row in rows if (ref := read_reference(row.reference))}
    messages = queries.messages_told(session, results.town_id, told.values())
    found = {row: messages[ref] for row, ref in told.items() if ref in messages}
    if results.file_id is None:
        return found
    phones = {row.row: phone for row in rows if row.row not in told and (phone := _mobile(row.number))}
    there = queries.messages_to(session, results.town_id, results.file_id, phones.values())
    return found | {row: there[phone] for row, phone in phones.items() if phone in there}


def _mobile(text: str) -> str | None:
    return read_phone(text if text.startswith(("0", "+", "84")) else f"0{text}").mobile


def _keep(session: Session, values: Sequence[dict[str, Any]]) -> list[tuple[UUID, str]]:
    if not values:
        return []
    kept = insert(MessageStatus).values(list(values)).on_conflict_do_nothing()
    return [(row[0], row[1]) for row in session.execute(kept.returning(MessageStatus.message_id, MessageStatus.status))]


def _locked(session: Session, town_id: UUID, ids: Sequence[UUID]) -> Sequence[Message]:
    query = select(Message).where(Message.town_id == town_id, Message.id.in_(ids)).order_by(Message.id)
    return session.scalars(query.with_for_update().execution_options(populate_existing=True)).all() if ids else []
