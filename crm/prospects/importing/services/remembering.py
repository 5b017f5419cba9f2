"""How the columns of a source's lists were put right and where their headings stand, kept for its next list and applied to
what still matches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, select, true
from sqlalchemy.orm import Session

from crm.accounts.queries import Scope
from crm.accounts.rules import Reach
from crm.errors import NotFound
from crm.names import fold
from crm.prospects.importing.models import RememberedColumns
from crm.prospects.models import ListImport
from crm.prospects.rules import ListKind

NEARLY = 0.6
"""The share of headings that have to be the same for a list to be taken for one of the same sort; without headings, which its
columns' letters stand for, all."""
MOST_TRIED = 5
"""Lists of the source whose headings somebody had to show, that are tried on one where nothing else fits."""

Chosen = Mapping[str, Mapping[str, str]]
"""Sheet → field → column letter; a field without a letter is nowhere."""


class Column(Protocol):
    """A column as the reader proposes it."""

    @property
    def letter(self) -> str: ...
    @property
    def heading(self) -> str: ...
    @property
    def field(self) -> Any: ...


class Table(Protocol):
    """A sheet as the reader proposes it."""

    @property
    def sheet(self) -> str: ...
    @property
    def columns(self) -> Sequence[Any]: ...
    @property
    def header_rows(self) -> Sequence[int]: ...


Headed = Mapping[str, Sequence[int]]
"""Sheet → the rows its headings stand in, none for a sheet without; an empty name: every sheet."""
Opening = Callable[[Headed], Sequence[Table] | None]
"""The tables of the list in hand, read with its headings there; None when it cannot be read so."""


@dataclass(frozen=True)
class Offered:
    """What is remembered for a list of this source: options for reading it, its kind and its ward."""

    kind: ListKind
    place_id: UUID | None
    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    headed: dict[str, list[int]] = field(default_factory=dict)
    told: dict[str, Any] = field(default_factory=dict)
    """For the page: of which list, and which headings were not found."""


def remember(
    session: Session, row: ListImport, chosen: Chosen, kind: ListKind, place_id: UUID | None, at: datetime
) -> None:
    """Keep how the columns of this list are to be understood, and where somebody said that its headings stand, for the
    organisation it is for or who handed it in."""
    columns = _as_corrected(row.found or {"tables": []}, chosen)
    if not columns:
        return
    key = " | ".join(sorted(fold(heading) for heading in columns))
    same = RememberedColumns.town_id == row.town_id, _of(row.organisation_id, row.created_by_id)
    kept = session.scalar(select(RememberedColumns).where(*same, RememberedColumns.headings_key == key))
    if kept is None:
        kept = RememberedColumns(
            town_id=row.town_id,
            organisation_id=row.organisation_id,
            user_id=None if row.organisation_id else row.created_by_id,
            headings_key=key,
            used_at=None,
        )
        session.add(kept)
    kept.headings, kept.columns, kept.kind, kept.place_id = list(columns), columns, kind, place_id
    kept.filename, kept.recorded_at, kept.headed = row.filename, at, row.options.get("headed") or None
    session.flush()


def _as_corrected(found: Mapping[str, Any], chosen: Chosen) -> dict[str, str]:
    """Heading → field over all sheets, as it stands after the correction. In a sheet without headings the letter stands for
    one; a column without heading among others is not remembered."""
    columns: dict[str, str] = {}
    for table in found["tables"]:
        fields = chosen.get(table["sheet"], {})
        by_letter = {letter: name for name, letter in fields.items() if letter}
        for column in table["columns"]:
            own = column["field"] if column["field"] not in fields else None
            if name := column["heading"] or ("" if table["header_rows"] else column["letter"]):
                columns.setdefault(name, by_letter.get(column["letter"], own or ""))
    return columns


def _of(organisation_id: UUID | None, user_id: UUID | None) -> ColumnElement[bool]:
    """The source: an organisation, else a person; from the command line nobody."""
    if organisation_id:
        return RememberedColumns.organisation_id == organisation_id
    mine = RememberedColumns.user_id == user_id if user_id else RememberedColumns.user_id.is_(None)
    return and_(RememberedColumns.organisation_id.is_(None), mine)


def offer(
    session: Session,
    town_id: UUID,
    tables: Sequence[Table] | None,
    opening: Opening,
    *,
    organisation_id: UUID | None,
    user_id: UUID | None,
    at: datetime,
) -> Offered | None:
    """What was put right for the most similar list of this source; None when none is nearly like it. `tables` as the reader
    finds them by itself, None when it finds no headings."""
    query = select(RememberedColumns).where(RememberedColumns.town_id == town_id, _of(organisation_id, user_id))
    known = session.scalars(query.order_by(RememberedColumns.recorded_at)).all()
    best = _nearest(known, tables or ())
    headed: Headed = {}
    if best is None:
        best, headed, tables = _headed_as_before(known, tables, opening)
    if best is None or tables is None:
        return None
    best.used, best.used_at = best.used + 1, at
    here = _names(tables)
    missing = [heading for heading, name in best.columns.items() if name and fold(heading) not in here]
    new = sorted(
        {name for table in tables for column in table.columns if (name := _name(table, column))}
        - _all_spellings(tables, best.columns)
    )
    return Offered(
        kind=best.kind,
        place_id=best.place_id,
        columns={table.sheet: wished for table in tables if (wished := _wished(table, best.columns))},
        headed={sheet: list(rows) for sheet, rows in headed.items()},
        told={"filename": best.filename, "at": best.recorded_at.isoformat(), "missing": missing, "new": new},
    )


def _name(table: Table, column: Column) -> str:
    """What a column is remembered by."""
    return column.heading or ("" if table.header_rows else column.letter)


def _names(tables: Sequence[Table]) -> set[str]:
    return {fold(name) for table in tables for column in table.columns if (name := _name(table, column))}


def _nearest(known: Sequence[RememberedColumns], tables: Sequence[Table]) -> RememberedColumns | None:
    """The one whose headings are most like these, the latest of several; None when none is like enough."""
    here, best = _names(tables), None
    likeness = NEARLY if any(table.header_rows for table in tables) else 1.0
    for kept in known:
        theirs = {fold(heading) for heading in kept.headings}
        alike = len(here & theirs) / max(len(here), len(theirs), 1)
        if alike >= likeness:
            best, likeness = kept, alike
    return best


def _headed_as_before(
    known: Sequence[RememberedColumns], tables: Sequence[Table] | None, opening: Opening
) -> tuple[RememberedColumns | None, Headed, Sequence[Table] | None]:
    """One whose headings are found again where somebody showed them. That a list has none is believed again only of one in
    which none are found either: one that has its headings by now is read by them."""
    bare = not tables or not any(table.header_rows for table in tables)
    for kept in [one for one in reversed(known) if one.headed][:MOST_TRIED]:
        shown = [rows for rows in kept.headed.values() if rows] if kept.headed else []
        if not shown and not bare:
            continue
        ways: list[Headed] = [kept.headed or {}]
        if len(kept.headed or {}) == 1:
            ways.append({"": next(iter((kept.headed or {}).values()))})  # the sheet has another name this time
        for way in ways:
            found = opening(way)
            if found and _nearest([kept], found):
                return kept, way, found
    return None, {}, None


def _all_spellings(tables: Sequence[Table], columns: Mapping[str, str]) -> set[str]:
    known = {fold(heading) for heading in columns}
    return {name for table in tables for column in table.columns if fold(name := _name(table, column)) in known}


def _wished(table: Table, columns: Mapping[str, str]) -> dict[str, str]:
    """Field → letter for the headings that are here, where it differs from what the reader proposes by itself."""
    known = {fold(heading): name for heading, name in columns.items()}
    lost: dict[str, str] = {}
    wished: dict[str, str] = {}
    for column in table.columns:
        heading = _name(table, column)
        name = known.get(fold(heading)) if heading else None
        proposed = column.field.value if column.field else ""
        if name is None or name == proposed:
            continue
        if proposed:
            lost[proposed] = ""
        if name and name not in wished:
            wished[name] = column.letter
    return {**lost, **wished}


# ---- seeing and forgetting


def _seen_by(scope: Scope) -> ColumnElement[bool]:
    if scope.reach is Reach.ALL:
        return and_(RememberedColumns.town_id == scope.town_id, true())
    own = RememberedColumns.user_id == scope.user_id
    if scope.organisation_id:
        own = own | (RememberedColumns.organisation_id == scope.organisation_id)
    return and_(RememberedColumns.town_id == scope.town_id, own)


def remembered(session: Session, scope: Scope) -> Sequence[RememberedColumns]:
    """What is remembered of the sources this person works with, the latest first."""
    return session.scalars(
        select(RememberedColumns).where(_seen_by(scope)).order_by(RememberedColumns.recorded_at.desc()).limit(200)
    ).all()


def forget(session: Session, scope: Scope, remembered_id: UUID) -> None:
    """Remember it no more. Raises NotFound."""
    query = delete(RememberedColumns).where(_seen_by(scope), RememberedColumns.id == remembered_id)
    if not session.execute(query.returning(RememberedColumns.id)).all():
        raise NotFound
