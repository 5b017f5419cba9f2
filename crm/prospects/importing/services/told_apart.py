"""Whoever was added as somebody else is kept apart from whom their row was likened to: the pair is not asked about again."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.prospects.importing.queries import rows_of
from crm.prospects.importing.services.at_work import Work
from crm.prospects.merging.services.reviewing import set_apart
from crm.prospects.models import ImportRow, ListImport, Prospect

APART = "apart"
"""In the detail of a row that is to be added as somebody else: whom it was likened to, and who said so."""


def noted(one: ImportRow, by_id: UUID) -> dict[str, str]:
    """What a row remembers when it is to be added as somebody else."""
    return {APART: str(one.prospect_id) if one.prospect_id else "", "apart_by": str(by_id)}


def keep_apart(session: Session, work: Work, one: ImportRow, at: datetime) -> None:
    """The person this row has made is not whom it was likened to, nor whom an earlier row of its list has made."""
    detail = one.detail or {}
    other_id = UUID(detail[APART]) if detail.get(APART) else _of_earlier_row(session, work, one)
    if other_id is None or one.prospect_id is None:
        return
    person = session.get(Prospect, (work.town_id, one.prospect_id), populate_existing=True)
    other = session.get(Prospect, (work.town_id, other_id))
    if person and other and not person.merged_into_id and not other.merged_into_id:
        by = session.get(User, (work.town_id, UUID(detail["apart_by"])))
        set_apart(session, person, other, by=by, at=at)


def _of_earlier_row(session: Session, work: Work, one: ImportRow) -> UUID | None:
    detail = one.detail or {}
    if "of_row" not in detail:
        return None
    listed = session.get_one(ListImport, (work.town_id, work.import_id))
    its = (ImportRow.sheet == detail["of_sheet"]) & (ImportRow.row_number == detail["of_row"])
    first = session.scalar(rows_of(listed, its))
    return first.prospect_id if first else None
