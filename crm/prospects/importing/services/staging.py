"""Whom a list may add, until it is loaded: made ready, and forgotten."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.orm import Session

from crm.prospects.importing.rules import Proposed
from crm.prospects.importing.services.copying import copy_in
from crm.prospects.importing.services.proposing import COLUMNS, Waiting, staged
from crm.prospects.models import ImportPerson, ImportRow


def stage_to_be_added(session: Session, row: ImportRow, one: Proposed) -> None:
    """Make a row that was set aside ready to be added, whoever else may be here: somebody decided so."""
    unstage(session, row.town_id, row.import_id, row.id)
    values = staged(row.town_id, row.import_id, [Waiting(row.id, row.sheet, one, to_add=True)], decided=True)
    copy_in(session, ImportPerson.__tablename__, COLUMNS, values)


def unstage(session: Session, town_id: UUID, import_id: UUID, *rows: UUID) -> None:
    """These rows wait to be loaded no more."""
    mine = (ImportPerson.town_id == town_id) & (ImportPerson.import_id == import_id)
    session.execute(delete(ImportPerson).where(mine, ImportPerson.id.in_(rows)))


def forget_staged(session: Session, town_id: UUID, import_id: UUID) -> None:
    """Nobody of this list waits to be loaded any more."""
    mine = (ImportPerson.town_id == town_id) & (ImportPerson.import_id == import_id)
    session.execute(delete(ImportPerson).where(mine))
