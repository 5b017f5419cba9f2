"""How the columns of a source's lists were put right, kept for its next list and applied to what still matches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
"""The share of headings that have to be the same for a list to be taken for one of the same sort."""

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


@dataclass(frozen=True)
class Offered:
    """What is remembered for a list of this source: options for reading it, its kind and its ward."""

    kind: ListKind
    place_id: UUID | None
    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    told: dict[str, Any] = field(default_factory=dict)
    """For the page: of which list, and which headings were not found."""


def remember(
    session: Session, row: ListImport, chosen: Chosen, kind: ListKind, place_id: UUID | None, at: datetime
) -> None:
    """Keep how the columns of this list are to be understood, for the organisation it is for or who handed it in."""
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
    kept.filename, kept.recorded_at = row.filename, at
    session.flush()


def _as_corrected(found: Mapping[str, Any], chosen: Chosen) -> dict[str, str]:
    """Heading → field over all sheets, as it stands after the correction; columns without heading are not remembered."""
    columns: dict[str, str] = {}
    for table in found["tables"]:
        fields = chosen.get(table["sheet"], {})
        by_letter = {letter: name for name, letter in fields.items() if letter}
        for column in table["columns"]:
            own = column["field"] if column["field"] not in fields else None
            if column["heading"]:
                columns.setdefault(column["heading"], by_letter.get(column["letter"], own or ""))
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
    tables: Sequence[Table],
    *,
    organisation_id: UUID | None,
    user_id: UUID | None,
    at: datetime,
) -> Offered | None:
    """What was put right for the most similar list of this source; None when none is nearly like it."""
    here = {fold(column.heading) for table in tables for column in table.columns if column.heading}
    query = select(RememberedColumns).where(RememberedColumns.town_id == town_id, _of(organisation_id, user_id))
    best, likeness = None, 0.0
    for kept in session.scalars(query.order_by(RememberedColumns.recorded_at)):
        known = {fold(heading) for heading in kept.headings}
        alike = len(here & known) / max(len(here), len(known), 1)
        if alike >= max(NEARLY, likeness):
            best, likeness = kept, alike
    if best is None:
        return None
    best.used, best.used_at = best.used + 1, at
    missing = [heading for heading, name in best.columns.items() if name and fold(heading) not in here]
    new = sorted(
        {column.heading for table in tables for column in table.columns if column.heading}
        - _all_spellings(tables, best.columns)
    )
    return Offered(
        kind=best.kind,
        place_id=best.place_id,
        columns={table.sheet: wished for table in tables if (wished := _wished(table, best.columns))},
        told={"filename": best.filename, "at": best.recorded_at.isoformat(), "missing": missing, "new": new},
    )


def _all_spellings(tables: Sequence[Table], columns: Mapping[str, str]) -> set[str]:
    known = {fold(heading) for heading in columns}
    return {column.heading for table in tables for column in table.columns if fold(column.heading) in known}


def _wished(table: Table, columns: Mapping[str, str]) -> dict[str, str]:
    """Field → letter for the headings that are here, where it differs from what the reader proposes by itself."""
    known = {fold(heading): name for heading, name in columns.items()}
    lost: dict[str, str] = {}
    wished: dict[str, str] = {}
    for column in table.columns:
        name = known.get(fold(column.heading)) if column.heading else None
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
