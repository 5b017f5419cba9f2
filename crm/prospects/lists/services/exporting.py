"""Files of people: asked for, written a chunk at a time, fetched for a day, and kept on record for good."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import xlsxwriter
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import exists, func, insert, literal, select, update
from sqlalchemy.orm import Session
from xlsxwriter.worksheet import Worksheet

from crm import sealed
from crm.accounts.models import User
from crm.accounts.queries import Scope, scope_of
from crm.accounts.rules import May
from crm.accounts.services import note_change_of
from crm.clock import local_day
from crm.errors import NotFound, RuleBroken
from crm.phones import pretty
from crm.prospects.lists.models import PeopleExport, PersonTag, Tag
from crm.prospects.lists.narrowing import Narrowing
from crm.prospects.lists.rules import (
    COLUMNS,
    KEPT_FOR,
    MOST_TRIES,
    NUMBERS,
    STALE,
    Column,
    ExportState,
    columns_in_order,
    harmless,
)
from crm.prospects.models import IdentityReading, Prospect
from crm.prospects.queries.facts import Facts, facts_of
from crm.prospects.queries.lists import people
from crm.prospects.queries.seeing import ORDER, listed_to
from crm.prospects.wording import GROUNDS, SEXES, STAGES

AT_ONCE = 2_000
"""People that are read, and whose progress is told, at a time."""
WAY = "export"
"""How readings of identity numbers by a file are called."""
LONGEST_CELL = 32_767
HARMLESS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def ask_for_export(
    session: Session,
    scope: Scope,
    narrowing: Narrowing,
    q: str,
    columns: Sequence[str],
    *,
    words: str,
    full_numbers: bool,
    language: str,
    by: User,
    at: datetime,
) -> PeopleExport:
    """Put a file on record that `write` then makes. Raises RuleBroken."""
    if not by.may(May.EXPORT_PEOPLE):
        raise RuleBroken(_l("Your account may not take lists away as a file."))
    chosen = columns_in_order(columns, Column)
    if not chosen:
        raise RuleBroken(_l("Choose at least one column."), field="columns")
    whole = full_numbers and any(column in NUMBERS for column in chosen)
    if whole and not by.may(May.REVEAL_IDENTITY):
        raise RuleBroken(_l("Your account may not read whole identity numbers."), field="full_numbers")
    narrowing.filters(session, scope, local_day(at))
    row = PeopleExport(
        town_id=scope.town_id,
        by_id=by.id,
        at=at,
        asked=narrowing.as_args(),
        q=q,
        words=words,
        columns=[column.value for column in chosen],
        full_numbers=whole,
        language=language,
    )
    session.add(row)
    asked = {"asked": dict(row.asked), "q": q, "columns": list(row.columns), "full_numbers": whole}
    note_change_of(session, row, "ask_for_export", by=by, at=at, after=asked)
    return row


@dataclass
class Work:
    """A file being written: whose, which people in which order, and how far it is."""

    export: UUID
    town_id: UUID
    by: User
    tries: int
    columns: tuple[Column, ...]
    full_numbers: bool
    ids: list[UUID]
    began: datetime
    path: Path
    done: int = 0
    rows: int = 0
    seen: set[UUID] = field(default_factory=set)

    @contextmanager
    def file(self) -> Iterator[None]:
        """While held, the file on disk is there; afterwards it is gone, whatever happened."""
        try:
            yield
        finally:
            self.path.unlink(missing_ok=True)

    def chunks(self) -> Iterator[list[UUID]]:
        """The people, so many at a time."""
        for start in range(0, len(self.ids), AT_ONCE):
            yield self.ids[start : start + AT_ONCE]


def begin(session: Session, export_id: UUID, at: datetime) -> Work | None:
    """Take a file up: fix who is in it now, in the list's order. None when it is another worker's, or over.

    A file that lost its worker begins anew; after `MOST_TRIES` it is given up, with words.
    """
    row = session.scalar(
        select(PeopleExport)
        .where(PeopleExport.id == export_id)
        .where(PeopleExport.state.in_((ExportState.WAITING, ExportState.WORKING)))
        .with_for_update(skip_locked=True)
    )
    beats = row is not None and row.heartbeat_at is not None and at - STALE < row.heartbeat_at <= at
    if row is None or (row.state is ExportState.WORKING and beats):
        return None
    by = session.get(User, (row.town_id, row.by_id))
    if by is None or not by.active or not by.may(May.EXPORT_PEOPLE):
        _given_up(session, row, "no_right")
        return None
    if row.tries >= MOST_TRIES:
        _given_up(session, row, "stuck")
        return None
    scope, today = scope_of(session, by), local_day(at)
    try:
        filters = Narrowing.from_args(row.asked).filters(session, scope, today)
    except RuleBroken:
        _given_up(session, row, "unknown_choice")
        return None
    query = people(scope, filters, row.q, today=today).with_only_columns(Prospect.id).order_by(*ORDER)
    ids = list(session.scalars(query))
    row.state, row.tries, row.heartbeat_at = ExportState.WORKING, row.tries + 1, at
    row.total, row.done = len(ids), 0
    session.flush()
    handle, name = tempfile.mkstemp(suffix=".xlsx")
    os.close(handle)
    return Work(
        row.id,
        row.town_id,
        by,
        row.tries,
        tuple(Column(column) for column in row.columns),
        row.full_numbers and by.may(May.REVEAL_IDENTITY),
        ids,
        row.at,
        Path(name),
    )


def language_of(session: Session, export_id: str) -> str:
    """The language a file's headings are in."""
    return session.scalar(select(PeopleExport.language).where(PeopleExport.id == UUID(export_id))) or "vi"


def _given_up(session: Session, row: PeopleExport, problem: str) -> None:
    row.state, row.problem = ExportState.FAILED, problem
    session.flush()


PROBLEMS = {
    "stuck": _l("The file could not be written, although it was tried several times. Narrow the list and ask again."),
    "no_right": _l("Whoever asked for this file may not take lists away any more."),
    "unknown_choice": _l("The list asks for something that is not there any more. Narrow it anew."),
}


def problem_words(problem: str | None) -> Any:
    """Why a file was not written, in words."""
    return PROBLEMS.get(problem or "", PROBLEMS["stuck"])


def rows_of(session: Session, work: Work, chunk: Sequence[UUID], at: datetime) -> list[list[Any]] | None:
    """The cells of these people, those only who are still in sight, each once; None when the file is another's by now.

    Whole identity numbers are kept as readings, once however often the file is begun.
    """
    beat = session.execute(
        update(PeopleExport)
        .where(PeopleExport.town_id == work.town_id, PeopleExport.id == work.export)
        .where(PeopleExport.state == ExportState.WORKING, PeopleExport.tries == work.tries)
        .values(heartbeat_at=at, done=work.done)
        .returning(PeopleExport.id)
        .execution_options(synchronize_session=False)
    ).first()
    if beat is None:
        return None
    user = session.get_one(User, (work.town_id, work.by.id))
    found = session.scalars(
        select(Prospect).where(listed_to(scope_of(session, user)), Prospect.id.in_(chunk)).order_by(*ORDER)
    ).all()
    fresh = [row for row in found if row.id not in work.seen]
    work.seen.update(row.id for row in fresh)
    work.done += len(chunk)
    if work.full_numbers:
        _note_readings(session, work, fresh)
    facts = facts_of(session, work.town_id, fresh, local_day(at))
    tags = _tags(session, work, fresh) if Column.TAGS in work.columns else {}
    return [[one.person.full_name, *(_cell(one, column, work, tags) for column in work.columns)] for one in facts]


def _note_readings(session: Session, work: Work, rows: Sequence[Prospect]) -> None:
    read = [row.id for row in rows if row.citizen_masked or row.insurance_masked]
    if not read:
        return
    told = exists().where(
        IdentityReading.town_id == Prospect.town_id,
        IdentityReading.prospect_id == Prospect.id,
        IdentityReading.user_id == work.by.id,
        IdentityReading.at == work.began,
        IdentityReading.way == WAY,
    )
    new = select(
        Prospect.town_id,
        func.gen_random_uuid(),
        Prospect.id,
        literal(work.by.id),
        literal(work.began),
        literal(WAY),
    ).where(Prospect.town_id == work.town_id, Prospect.id.in_(read), ~told)
    names = ["town_id", "id", "prospect_id", "user_id", "at", "way"]
    session.execute(insert(IdentityReading).from_select(names, new, include_defaults=False))


def _tags(session: Session, work: Work, rows: Sequence[Prospect]) -> dict[UUID, str]:
    query = (
        select(PersonTag.prospect_id, Tag.name)
        .join(Tag, (Tag.town_id == PersonTag.town_id) & (Tag.id == PersonTag.tag_id))
        .where(PersonTag.town_id == work.town_id, PersonTag.prospect_id.in_([row.id for row in rows]))
        .order_by(Tag.name_fold)
    )
    found: dict[UUID, list[str]] = {}
    for person, name in session.execute(query):
        found.setdefault(person, []).append(name)
    return {person: ", ".join(names) for person, names in found.items()}


def _cell(one: Facts, column: Column, work: Work, tags: dict[UUID, str]) -> Any:
    """What stands in a column of somebody's row: a text, a day, or nothing."""
    row, whole = one.person, work.full_numbers
    found: dict[Column, Any] = {
        Column.PHONE: pretty(row.phone) if row.phone else None,
        Column.OTHER_PHONE: pretty(row.other_phone) if row.other_phone else None,
        Column.STAGE: STAGES[row.stage],
        Column.STANDING: GROUNDS[one.standing],
        Column.VOLUNTEER: one.volunteer.full_name if one.volunteer else None,
        Column.NEXT_CONTACT: row.next_contact_on,
        Column.LAST_CONTACT: local_day(row.last_contact_at) if row.last_contact_at else None,
        Column.ORGANISATION: one.organisation.name if one.organisation else None,
        Column.SEX: SEXES[row.sex] if row.sex else None,
        Column.BIRTH: row.birth_date or row.birth_year,
        Column.OCCUPATION: row.occupation,
        Column.ADDRESS: row.address,
        Column.TAGS: tags.get(row.id),
        Column.PLACE: one.place.name,
        Column.NEIGHBOURHOOD: one.neighbourhood.name if one.neighbourhood else None,
        Column.CITIZEN_ID: None,
        Column.SI_NUMBER: None,
        Column.CREATED: local_day(row.created_at),
    }
    if column is Column.CITIZEN_ID:
        return row.citizen_id if whole else row.citizen_masked
    if column is Column.SI_NUMBER:
        return row.insurance_number if whole else row.insurance_masked
    return found[column]


class Sheet:
    """A workbook written row by row, whose memory does not grow with it."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        self.book = xlsxwriter.Workbook(str(path), HARMLESS)
        self.page: Worksheet = self.book.add_worksheet(_("Residents"))
        self.day = self.book.add_format({"num_format": "dd/mm/yyyy"})
        head = self.book.add_format({"bold": True, "bottom": 1})
        self.page.set_column(0, 0, 28)
        self.page.set_column(1, max(len(columns), 1), 18)
        self.page.freeze_panes(1, 1)
        for place, words in enumerate((_("Full name"), *(str(COLUMNS[column]) for column in columns))):
            self.page.write_string(0, place, words, head)
        self.at = 0

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        """Write these rows below those there are."""
        for cells in rows:
            self.at += 1
            for place, cell in enumerate(cells):
                self._write(place, cell)

    def _write(self, place: int, cell: Any) -> None:
        if cell is None or cell == "":
            return
        if isinstance(cell, date):
            self.page.write_datetime(self.at, place, cell, self.day)  # type: ignore[arg-type]
        elif isinstance(cell, int):
            self.page.write_number(self.at, place, cell)
        else:
            self.page.write_string(self.at, place, harmless(str(cell))[:LONGEST_CELL])

    def close(self) -> None:
        """Finish the file."""
        self.page.autofilter(0, 0, self.at, 0)
        self.book.close()


def finish(session: Session, work: Work, rows: int, at: datetime) -> bool:
    """Keep the written file, sealed, for a day; False when it is another worker's by now."""
    content = sealed.current().close_bytes(work.path.read_bytes())
    kept = session.execute(
        update(PeopleExport)
        .where(PeopleExport.town_id == work.town_id, PeopleExport.id == work.export)
        .where(PeopleExport.state == ExportState.WORKING, PeopleExport.tries == work.tries)
        .values(
            state=ExportState.READY,
            content=content,
            people=rows,
            done=len(work.ids),
            heartbeat_at=at,
            expires_at=at + KEPT_FOR,
        )
        .returning(PeopleExport.id)
        .execution_options(synchronize_session=False)
    ).first()
    return kept is not None


def fetch(session: Session, row: PeopleExport, *, by: User, at: datetime) -> bytes:
    """The file, for whoever asked for it and only as long as it is kept. Raises NotFound, RuleBroken."""
    if row.by_id != by.id or not by.may(May.EXPORT_PEOPLE):
        raise NotFound
    if row.full_numbers and not by.may(May.REVEAL_IDENTITY):
        raise RuleBroken(_l("Your account may not read whole identity numbers."))
    if row.state is not ExportState.READY or row.content is None or row.expires_at is None or at >= row.expires_at:
        raise RuleBroken(_l("This file is no longer kept. Ask for it again."), code="expired")
    row.fetched_at = at
    note_change_of(session, row, "fetch_export", by=by, at=at)
    return sealed.current().open_bytes(row.content)


def expire(session: Session, at: datetime) -> int:
    """Drop the files whose day is over; who took what stays on record. Answers how many."""
    gone = session.execute(
        update(PeopleExport)
        .where(PeopleExport.state == ExportState.READY, PeopleExport.expires_at <= at)
        .values(state=ExportState.EXPIRED, content=None)
        .returning(PeopleExport.id)
        .execution_options(synchronize_session=False)
    ).all()
    return len(gone)
