"""What was done because of each row, kept so that it can be taken back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crm.prospects.importing.models import RowMeaning
from crm.prospects.importing.queries import among
from crm.prospects.models import ListImport


def keep(session: Session, listed: ListImport, did: Mapping[UUID, Mapping[str, Any]]) -> None:
    """Row id → what was done because of it. Said again for a row, what was done first stays."""
    rows = [
        {"town_id": listed.town_id, "id": row_id, "import_id": listed.id, "did": dict(done)}
        for row_id, done in did.items()
        if done
    ]
    if rows:
        session.execute(insert(RowMeaning).on_conflict_do_nothing(), rows)


def kept_of(session: Session, listed: ListImport, row_ids: Iterable[UUID]) -> dict[UUID, dict[str, Any]]:
    """What was done because of these rows, by row."""
    wanted = set(row_ids)
    query = select(RowMeaning).where(RowMeaning.town_id == listed.town_id, RowMeaning.import_id == listed.id)
    return {one.id: one.did for one in session.scalars(query) if one.id in wanted}


def hand_on(session: Session, listed: ListImport, to: Mapping[UUID, tuple[UUID, UUID]]) -> None:
    """What was done because of these rows is from now on what a later list says: row id → that list and its row, unless
    that row did something itself."""
    did = kept_of(session, listed, to)
    later = select(RowMeaning.id).where(RowMeaning.town_id == listed.town_id)
    own = set(session.scalars(later.where(among(RowMeaning.id, [to[one][1] for one in did]))))
    taken: set[UUID] = set()
    for row_id in did:
        import_id, later_id = to[row_id]
        if later_id in own | taken:
            continue
        taken.add(later_id)
        session.execute(
            update(RowMeaning)
            .where(RowMeaning.town_id == listed.town_id, RowMeaning.id == row_id)
            .values(id=later_id, import_id=import_id)
            .execution_options(synchronize_session=False)
        )


def forget(session: Session, listed: ListImport, row_ids: Iterable[UUID]) -> None:
    """These rows did nothing any more."""
    gone = list(row_ids)
    if gone:
        session.execute(
            delete(RowMeaning)
            .where(RowMeaning.town_id == listed.town_id, RowMeaning.import_id == listed.id, RowMeaning.id.in_(gone))
            .execution_options(synchronize_session=False)
        )
