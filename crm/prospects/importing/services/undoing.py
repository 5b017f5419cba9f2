"""Taking a list back: who was added and whom nobody worked with since is removed, what was filled in becomes blank again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import Table, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from crm.accounts.services import note_change
from crm.db import Model
from crm.errors import Conflict
from crm.ids import new_id
from crm.prospects.importing import kinds
from crm.prospects.importing.queries import rows_of
from crm.prospects.importing.rules import CHUNK, Proposed
from crm.prospects.importing.services.at_work import beat, claim, rest
from crm.prospects.importing.services.committing import recount
from crm.prospects.importing.services.updating import put
from crm.prospects.models import Consent, ImportRow, ListImport, Prospect, StageChange, Standing
from crm.prospects.queries.facts import consents_of_all
from crm.prospects.rules import ConsentChannel, ImportState, ListKind, RowOutcome, Sex

CHANGED_SINCE = "changed_since"
WORKED_WITH = "worked_with"
KEPT = {
    CHANGED_SINCE: _l("Kept: somebody has changed the person since."),
    WORKED_WITH: _l("Kept: somebody has visited, assigned or enrolled the person since."),
}
NOBODY = "–"


def start(session: Session, row: ListImport) -> None:
    """Let a list be taken back. Of two who say so at once one gets Conflict."""
    loaded = (ListImport.id == row.id) & (ListImport.state == ImportState.COMMITTED)
    begun = update(ListImport).where(loaded).values(state=ImportState.UNDOING, heartbeat_at=None, done=0)
    if not session.execute(begun.returning(ListImport.id)).all():
        raise Conflict(_l("Only a list that is loaded can be taken back. Look at it again."), code="not_loaded")
    session.refresh(row)


@dataclass
class Undoing:
    """One worker taking one list back."""

    import_id: UUID
    town_id: UUID
    heartbeat: datetime
    by_id: UUID | None
    finished: bool = False


def begin(session: Session, import_id: UUID, at: datetime) -> Undoing | None:
    """Take up the undoing of a list where it stopped; None when somebody else is at it."""
    row = claim(session, import_id, (ImportState.UNDOING,), ImportState.UNDOING, at)
    return Undoing(row.id, row.town_id, at, row.created_by_id) if row else None


def step(session: Session, work: Undoing, at: datetime) -> int:
    """Take the next rows back and say how many; `work.finished` once none are left or another worker has them."""
    held = beat(session, work.import_id, ImportState.UNDOING, work.heartbeat, at)
    rows = _next_rows(session, work) if held else []
    work.finished = not rows
    if held is None:
        return 0
    work.heartbeat = held
    if not rows:
        _finish(session, work, at)
        return 0
    must_stay = _meant_no_more(session, work, rows, at)
    people = _locked(session, work, rows)
    busy = _worked_with(session, work, list(people))
    gone = []
    for row in rows:
        kept = must_stay.get(row.id) or _why_kept(row, people.get(row.prospect_id), busy)
        if kept:
            row.detail = {**(row.detail or {}), "kept": kept}
        elif row.outcome is RowOutcome.NEW:
            gone.append(row)
        else:
            _restore(session, people[row.prospect_id], row, at)  # type: ignore[index]
    _withdraw(session, work, [row for row in rows if "kept" not in (row.detail or {})], at)
    _remove(session, work, gone, at)
    for row in rows:
        if "kept" not in (row.detail or {}):
            row.settled_at = None
    session.flush()
    counted = update(ListImport).where(ListImport.id == work.import_id).values(done=ListImport.done + len(rows))
    session.execute(counted.execution_options(synchronize_session=False))
    session.expunge_all()
    return len(rows)


def _meant_no_more(session: Session, work: Undoing, rows: Sequence[ImportRow], at: datetime) -> Mapping[UUID, str]:
    """What a list of another office meant beyond people is taken back; why some rows have to stay."""
    listed = session.get_one(ListImport, (work.town_id, work.import_id))
    if listed.kind is ListKind.PEOPLE:
        return {}
    proposed = [(row, Proposed.from_json(row.understood or "")) for row in rows]
    return kinds.taken_back(session, listed.kind, listed, proposed, at)


def _next_rows(session: Session, work: Undoing) -> Sequence[ImportRow]:
    query = (
        select(ImportRow)
        .where(ImportRow.town_id == work.town_id, ImportRow.import_id == work.import_id)
        .where(ImportRow.outcome.in_((RowOutcome.NEW, RowOutcome.CHANGED)), ImportRow.settled_at.is_not(None))
        .where(ImportRow.prospect_id.is_not(None), or_(ImportRow.detail.is_(None), ~ImportRow.detail.has_key("kept")))
        .order_by(ImportRow.sheet, ImportRow.row_number)
        .limit(CHUNK)
    )
    return session.scalars(query).all()


def _locked(session: Session, work: Undoing, rows: Iterable[ImportRow]) -> dict[UUID | None, Prospect]:
    ids = [row.prospect_id for row in rows]
    query = select(Prospect).where(Prospect.town_id == work.town_id, Prospect.id.in_(ids)).order_by(Prospect.id)
    found = session.scalars(query.with_for_update().execution_options(populate_existing=True))
    return {person.id: person for person in found}


def _why_kept(row: ImportRow, person: Prospect | None, busy: set[UUID]) -> str | None:
    if person is None or person.merged_into_id or person.version != row.version_after:
        return CHANGED_SINCE
    return WORKED_WITH if row.outcome is RowOutcome.NEW and person.id in busy else None


def _worked_with(session: Session, work: Undoing, ids: Sequence[UUID | None]) -> set[UUID]:
    """Those whom anything points to but what the list itself wrote, whichever package it belongs to."""
    found: set[UUID] = set()
    for table, name in _pointing_to_people():
        place = table.c[name]
        query = select(place).where(table.c.town_id == work.town_id, place.in_(ids)).distinct()
        if table is Standing.__table__:
            own = select(ImportRow.settled_at).where(
                ImportRow.town_id == work.town_id, ImportRow.import_id == work.import_id, ImportRow.prospect_id == place
            )
            query = query.where(table.c.recorded_at.not_in(own))
        if table is StageChange.__table__:
            query = query.where(table.c.because_id.is_distinct_from(work.import_id))
        if "withdrawn_at" in table.c:  # counts nowhere
            query = query.where(table.c.withdrawn_at.is_(None))
        found |= set(session.scalars(query))
    return found


def _pointing_to_people() -> list[tuple[Table, str]]:
    """Every column of the program that holds somebody's id."""
    people = Prospect.__tablename__
    return [
        (table, element.parent.name)
        for table in Model.metadata.sorted_tables
        for key in table.foreign_key_constraints
        if key.referred_table.name == people
        for element in key.elements
        if element.column.name == "id"
    ]


def _restore(session: Session, person: Prospect, row: ImportRow, at: datetime) -> None:
    before: dict[str, Any] = json.loads(row.before) if row.before else {}
    grounds = [UUID(one) for one in before.pop("grounds", ())]
    if grounds:
        session.execute(delete(Standing).where(Standing.town_id == person.town_id, Standing.id.in_(grounds)))
    for name, value in sorted(before.items(), key=lambda item: item[0] in ("birth_date", "neighbourhood")):
        put(person, name, _typed(name, value))
    if before:
        person.updated_at = at
    row.before = None


def _typed(name: str, value: Any) -> Any:
    kind = {"birth_date": date.fromisoformat, "sex": Sex, "neighbourhood": UUID, "place": UUID}.get(name)
    return kind(value) if kind and value is not None else value


def _withdraw(session: Session, work: Undoing, rows: Sequence[ImportRow], at: datetime) -> None:
    """Phones that agree to messages only because of this list agree no more."""
    settled = {row.prospect_id: row.settled_at for row in rows}
    query = select(Consent).where(
        Consent.town_id == work.town_id,
        Consent.prospect_id.in_(settled),
        Consent.channel == ConsentChannel.IMPORT,
        Consent.given,
    )
    said = [one for one in session.scalars(query) if one.recorded_at == settled[one.prospect_id]]
    latest = consents_of_all(session, work.town_id, {one.phone for one in said})
    taken_back = [
        {
            "town_id": work.town_id,
            "id": new_id(),
            "phone": one.phone,
            "purpose": one.purpose,
            "given": False,
            "channel": ConsentChannel.IMPORT,
            "at": at,
            "words": None,
            "prospect_id": None,
            "recorded_at": at,
            "recorded_by_id": work.by_id,
        }
        for one in said
        if latest[one.phone][one.purpose].id == one.id
    ]
    if taken_back:
        session.execute(insert(Consent), taken_back)


def _remove(session: Session, work: Undoing, rows: Sequence[ImportRow], at: datetime) -> None:
    """Empty the records of these people and take them out of everything. Their first stage stays, for history is
    never deleted; nothing in it says who they were. As a record merged into itself it leads to nobody."""
    if not rows:
        return
    ids = [row.prospect_id for row in rows]
    session.execute(delete(Standing).where(Standing.town_id == work.town_id, Standing.prospect_id.in_(ids)))
    blank: dict[str, Any] = dict.fromkeys(_ABOUT_SOMEBODY)
    session.execute(
        update(Prospect)
        .where(Prospect.town_id == work.town_id, Prospect.id.in_(ids))
        .values(
            **blank,
            full_name=NOBODY,
            name_fold="",
            name_key=b"",
            merged_into_id=Prospect.id,
            updated_at=at,
            version=Prospect.version + 1,
        )
        .execution_options(synchronize_session=False)
    )


_ABOUT_SOMEBODY = (
    "sex",
    "birth_date",
    "birth_year",
    "phone",
    "other_phone",
    "citizen_id",
    "citizen_index",
    "citizen_masked",
    "insurance_number",
    "insurance_index",
    "insurance_masked",
    "neighbourhood_id",
    "address",
    "occupation",
)


def _finish(session: Session, work: Undoing, at: datetime) -> None:
    row = session.get_one(ListImport, (work.town_id, work.import_id), populate_existing=True)
    if row.kind is not ListKind.PEOPLE:
        same = rows_of(row, ImportRow.outcome == RowOutcome.UNCHANGED, ImportRow.settled_at.is_not(None))
        _meant_no_more(session, work, session.scalars(same).all(), at)
    still = update(ImportRow).where(ImportRow.town_id == row.town_id, ImportRow.import_id == row.id)
    unchanged = still.where(ImportRow.outcome == RowOutcome.UNCHANGED).values(settled_at=None)
    session.execute(unchanged.execution_options(synchronize_session=False))
    recount(session, row)
    row.content = None
    rest(row, ImportState.UNDONE)
    note_change(
        session,
        town_id=row.town_id,
        user_id=work.by_id,
        act="undo_import",
        subject="list_import",
        subject_id=row.id,
        at=at,
        after={"kept": row.created + row.updated, "filename": row.filename},
    )
