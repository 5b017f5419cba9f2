"""Taking a list back: who was added and whom nobody worked with since is removed, what was filled in becomes blank again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NoReturn
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, Table, delete, func, insert, literal, select, tuple_, union_all, update
from sqlalchemy.orm import Session, aliased, defer

from crm.accounts.services import note_change
from crm.db import Model
from crm.errors import Conflict
from crm.ids import new_id
from crm.prospects.importing import kinds
from crm.prospects.importing.meanings import kept
from crm.prospects.importing.queries import among
from crm.prospects.importing.rules import CHUNK, Problem, Proposed
from crm.prospects.importing.services.at_work import Persistence, Work, claim, settle
from crm.prospects.importing.services.committing import LOADED, recount
from crm.prospects.importing.services.staging import forget_staged
from crm.prospects.importing.services.updating import put
from crm.prospects.models import Consent, ImportRow, ListImport, Prospect, StageChange, Standing
from crm.prospects.queries.facts import consents_of_all
from crm.prospects.rules import ConsentChannel, ImportState, ListKind, RowOutcome, Sex

CHANGED_SINCE = "changed_since"
WORKED_WITH = "worked_with"
ANOTHER_LIST = "another_list"
KEPT = {
    CHANGED_SINCE: _l("Kept: somebody has changed the person since."),
    ANOTHER_LIST: _l("Kept: another list that was loaded since names the person too."),
    WORKED_WITH: _l("Kept: somebody has visited, assigned or enrolled the person since."),
}
NOBODY = "–"


def start(session: Session, row: ListImport) -> None:
    """Let a list be taken back. Of two who say so at once one gets Conflict."""
    loaded = (ListImport.id == row.id) & (ListImport.state == ImportState.COMMITTED)
    fresh = {"state": ImportState.UNDOING, "heartbeat_at": None, "done": 0, "tries": 0, "problem": None}
    if not session.execute(update(ListImport).where(loaded).values(**fresh).returning(ListImport.id)).all():
        _refuse()
    session.refresh(row)


def check_loaded(row: ListImport) -> None:
    """Raises Conflict when there is nothing to be taken back."""
    if row.state is not ImportState.COMMITTED:
        _refuse()


def _refuse() -> NoReturn:
    raise Conflict(_l("Only a list that is loaded can be taken back. Look at it again."), code="not_loaded")


PERSISTENCE = Persistence(ImportState.COMMITTED, Problem.UNDOING_INTERRUPTED, Problem.UNDOING_STOPPED)


@dataclass
class Undoing(Work):
    """One worker taking one list back."""

    kind: ListKind
    loaded_at: datetime | None


def begin(session: Session, import_id: UUID, at: datetime) -> Undoing | None:
    """Claim the undoing of a list; None when somebody else is at it."""
    row = claim(session, import_id, (ImportState.UNDOING,), ImportState.UNDOING, PERSISTENCE, at)
    if row is None:
        return None
    return Undoing(row.id, row.town_id, ImportState.UNDOING, at, row.created_by_id, row.kind, row.loaded_at)


def undo(session: Session, work: Undoing, at: datetime) -> Iterator[int]:
    """Take the whole list back in the transaction that is open; yields how many rows are done, so that the heart can beat
    beside it."""
    done = 0
    for rows in _parts(session, work):
        _take_back(session, work, rows, at)
        done += len(rows)
        session.flush()
        session.expunge_all()
        yield done


def _parts(session: Session, work: Undoing) -> Iterator[Sequence[ImportRow]]:
    outcomes = LOADED if kinds.is_handled(work.kind) else (RowOutcome.NEW, RowOutcome.CHANGED)
    query = (
        select(ImportRow)
        .where(ImportRow.town_id == work.town_id, ImportRow.import_id == work.import_id)
        .where(ImportRow.outcome.in_(outcomes), ImportRow.prospect_id.is_not(None))
        .options(defer(ImportRow.raw))
        .order_by(ImportRow.id)
        .limit(CHUNK)
    )
    rows = session.scalars(query).all()
    while rows:
        last = rows[-1].id
        yield rows
        rows = session.scalars(query.where(ImportRow.id > last)).all()


def _take_back(session: Session, work: Undoing, rows: Sequence[ImportRow], at: datetime) -> None:
    stays = _taken_back_by_kind(session, work, rows, at)
    rows = [row for row in rows if row.outcome is not RowOutcome.UNCHANGED]
    people = _locked(session, work, rows)
    made = [row.prospect_id for row in rows if row.outcome is RowOutcome.NEW]
    met = [row.prospect_id for row in rows if row.outcome is not RowOutcome.NEW]
    since = Since(
        worked_with=_worked_with(session, work, made) | _worked_with(session, work, met, since=work.loaded_at),
        listed=_listed_since(session, work, [row.id for row in rows]),
    )
    why_kept = {row.id: stays.get(row.id) or _why_kept_of(row, people.get(row.prospect_id), since) for row in rows}
    gone, undone = [], []
    for row in rows:
        if why := why_kept[row.id]:
            row.detail = {**(row.detail or {}), "kept": why}
            row.settled_at = _settled_at(work, row)
            continue
        undone.append(row)
        if row.outcome is RowOutcome.NEW:
            gone.append(row)
        else:
            _restore(session, people[row.prospect_id], row, at)
    session.flush()
    _withdraw(session, work, undone, at)
    _remove(session, work, gone, at)
    for row in undone:
        row.settled_at = None


def _taken_back_by_kind(session: Session, work: Undoing, rows: Sequence[ImportRow], at: datetime) -> Mapping[UUID, str]:
    if not kinds.is_handled(work.kind):
        return {}
    told = [(row, Proposed.from_json(row.understood or "")) for row in rows]
    list_import = session.get_one(ListImport, (work.town_id, work.import_id))
    kept.hand_on(session, list_import, _said_again(session, work, [row.id for row in rows]))
    stays = kinds.taken_back(session, work.kind, list_import, told, at)
    session.flush()
    return stays


def _settled_at(work: Undoing, row: ImportRow) -> datetime | None:
    """The moment that everything bears which this row added or filled in."""
    return row.settled_at or work.loaded_at


def _locked(session: Session, work: Undoing, rows: Iterable[ImportRow]) -> dict[UUID | None, Prospect]:
    ids = [row.prospect_id for row in rows]
    query = select(Prospect).where(Prospect.town_id == work.town_id, among(Prospect.id, ids)).order_by(Prospect.id)
    found = session.scalars(query.with_for_update().execution_options(populate_existing=True))
    return {person.id: person for person in found}


@dataclass(frozen=True)
class Since:
    """What became of the people of some rows after the list was loaded."""

    worked_with: set[UUID]
    listed: set[UUID]
    """Whom another list names that was loaded later."""


def _why_kept_of(row: ImportRow, person: Prospect | None, since: Since) -> str | None:
    if person is None or person.merged_into_id:
        return CHANGED_SINCE
    changed = person.version != (row.version_after or 1)
    return _why_kept(person.id, since, made=row.outcome is RowOutcome.NEW, changed=changed)


def _why_kept(person_id: UUID, since: Since, *, made: bool, changed: bool) -> str | None:
    """Why somebody stays, the most telling reason first; None: nothing keeps them. Somebody who was here before the
    list is not removed, so work with them keeps what the list filled in only when they were changed by it."""
    if person_id in since.worked_with and (changed or made):
        return WORKED_WITH
    if person_id in since.listed:
        return ANOTHER_LIST
    return CHANGED_SINCE if changed else None


@dataclass(frozen=True)
class Foreseen:
    """What taking a list back would do now."""

    removed: int
    restored: int
    stay: Mapping[str, int]
    """How many would stay, by why."""


def foresee(session: Session, listed: ListImport) -> Foreseen:
    """What taking a loaded list back would do to its people, nothing being written. What else a list of its kind meant
    may keep a few more."""
    work = Undoing(
        listed.id, listed.town_id, listed.state, listed.created_at, listed.created_by_id, listed.kind, listed.loaded_at
    )
    query = (
        select(ImportRow.id, ImportRow.outcome, ImportRow.version_after, ImportRow.prospect_id)
        .add_columns(Prospect.version, Prospect.merged_into_id)
        .join(Prospect, (Prospect.town_id == ImportRow.town_id) & (Prospect.id == ImportRow.prospect_id))
        .where(ImportRow.town_id == work.town_id, ImportRow.import_id == work.import_id)
        .where(ImportRow.outcome.in_((RowOutcome.NEW, RowOutcome.CHANGED)))
    )
    rows = session.execute(query).all()
    made = [row.prospect_id for row in rows if row.outcome is RowOutcome.NEW]
    met = [row.prospect_id for row in rows if row.outcome is not RowOutcome.NEW]
    own = listed.loaded_at if kinds.is_handled(listed.kind) else None  # what the list itself meant keeps nobody
    since = Since(
        worked_with=_worked_with(session, work, made, since=own)
        | _worked_with(session, work, met, since=work.loaded_at),
        listed=_listed_since(session, work, [row.id for row in rows]),
    )
    told = Counter(
        CHANGED_SINCE
        if row.merged_into_id
        else _why_kept(
            row.prospect_id,
            since,
            made=row.outcome is RowOutcome.NEW,
            changed=row.version != (row.version_after or 1),
        )
        or row.outcome
        for row in rows
    )
    stay = {why: told[why] for why in KEPT if told[why]}
    return Foreseen(told[RowOutcome.NEW], told[RowOutcome.CHANGED], stay)


def _listed_since(session: Session, work: Undoing, row_ids: Sequence[UUID]) -> set[UUID]:
    """Those of these rows' people whom another list names that is loaded still, and was so later than the row."""
    return {person for _own, person, *_later in session.execute(_named_later(work, row_ids)) if person}


def _said_again(session: Session, work: Undoing, row_ids: Sequence[UUID]) -> dict[UUID, tuple[UUID, UUID]]:
    """For those of these rows whose people a later list of the same kind names: that list and its row, the first there is."""
    query = _named_later(work, row_ids, of_kind=work.kind)
    found: dict[UUID, tuple[UUID, UUID]] = {}
    for own, _person, import_id, row_id in session.execute(query):
        found.setdefault(own, (import_id, row_id))
    return found


_Named = Select[UUID, UUID | None, UUID, UUID]


def _named_later(work: Undoing, row_ids: Sequence[UUID], of_kind: ListKind | None = None) -> _Named:
    """Row, person, and each later list with its row that names that person and is loaded still."""
    own, theirs, listed = aliased(ImportRow), aliased(ImportRow), aliased(ListImport)
    query = (
        select(own.id, own.prospect_id, theirs.import_id, theirs.id)
        .join(theirs, (theirs.town_id == own.town_id) & (theirs.prospect_id == own.prospect_id))
        .join(listed, (listed.town_id == theirs.town_id) & (listed.id == theirs.import_id))
        .where(own.town_id == work.town_id, among(own.id, row_ids), theirs.import_id != work.import_id)
        .where(theirs.outcome.in_(LOADED), listed.state == ImportState.COMMITTED)
        .where(
            tuple_(func.coalesce(theirs.settled_at, listed.loaded_at), theirs.import_id)
            > tuple_(func.coalesce(own.settled_at, literal(work.loaded_at, own.settled_at.type)), own.import_id)
        )
        .order_by(theirs.import_id, theirs.id)
    )
    return query if of_kind is None else query.where(listed.kind == of_kind)


def _worked_with(
    session: Session, work: Undoing, ids: Sequence[UUID | None], *, since: datetime | None = None
) -> set[UUID]:
    """Those whom anything points to but what lists wrote, whichever package it belongs to; with `since` only what was
    recorded later."""
    if not ids:
        return set()
    asked: list[Select[Any]] = []
    loaded = select(ListImport.id).where(
        ListImport.town_id == work.town_id,
        (ListImport.id == work.import_id) | (ListImport.state == ImportState.COMMITTED),
    )
    for table, name in _pointing_to_people():
        moment = next((one for one in _MOMENTS if one in table.c), None)
        if since and moment is None:
            continue
        place = table.c[name]
        query = select(place).where(table.c.town_id == work.town_id, among(place, ids)).distinct()
        if since and moment:
            query = query.where(table.c[moment] > since)
        if table is Standing.__table__:
            by_lists = (
                select(func.coalesce(ImportRow.settled_at, ListImport.loaded_at))
                .join(ListImport, (ListImport.town_id == ImportRow.town_id) & (ListImport.id == ImportRow.import_id))
                .where(ImportRow.town_id == work.town_id, ImportRow.prospect_id == place, ListImport.id.in_(loaded))
            )
            query = query.where(table.c.recorded_at.not_in(by_lists))
        if table is StageChange.__table__:
            query = query.where(table.c.because_id.is_(None) | table.c.because_id.not_in(loaded))
        if "import_id" in table.c:  # theirs who are named by another list, see _listed_since
            query = query.where(table.c.import_id.not_in(loaded))
        if "withdrawn_at" in table.c:  # counts nowhere
            query = query.where(table.c.withdrawn_at.is_(None))
        asked.append(query)
    return set(session.scalars(union_all(*asked)))


_MOMENTS = ("recorded_at", "at", "referred_at", "made_at", "opened_at")
"""What the tables call the moment of their rows."""


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
    settled = {row.prospect_id: _settled_at(work, row) for row in rows}
    query = select(Consent).where(
        Consent.town_id == work.town_id,
        among(Consent.prospect_id, settled),
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
    session.execute(delete(Standing).where(Standing.town_id == work.town_id, among(Standing.prospect_id, ids)))
    blank: dict[str, Any] = dict.fromkeys(_ABOUT_SOMEBODY)
    session.execute(
        update(Prospect)
        .where(Prospect.town_id == work.town_id, among(Prospect.id, ids))
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


def finish(session: Session, work: Undoing, at: datetime) -> None:
    """The list is taken back, if it is still this worker's to take back. Raises LostClaim."""
    row = settle(session, work, ImportState.UNDONE)
    still = update(ImportRow).where(ImportRow.town_id == row.town_id, ImportRow.import_id == row.id)
    unchanged = still.where(ImportRow.outcome == RowOutcome.UNCHANGED).values(settled_at=None)
    session.execute(unchanged.execution_options(synchronize_session=False))
    recount(session, row)
    row.content = None
    row.done = row.total
    forget_staged(session, row.town_id, row.id)
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
