"""The rows of lists in which somebody stands, as they were handed in."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from crm.citizen_ids import mask
from crm.prospects.models import ImportRow, ListImport, Prospect

MOST = 20
_LONG_NUMBER = re.compile(r"(?<![0-9])[0-9]{9,12}(?![0-9])")


@dataclass(frozen=True)
class HandedIn:
    """One row: from which list, where it stood, when it was taken over, and its cells with long numbers masked."""

    filename: str
    sheet: str
    row_number: int
    at: datetime
    cells: Sequence[str]


def handed_in(session: Session, person: Prospect) -> list[HandedIn]:
    """The latest rows that were taken over for somebody, the newest first."""
    query = (
        select(ImportRow, ListImport.filename)
        .join(ListImport, and_(ListImport.town_id == ImportRow.town_id, ListImport.id == ImportRow.import_id))
        .where(ImportRow.town_id == person.town_id, ImportRow.prospect_id == person.id)
        .where(ImportRow.settled_at.is_not(None))
        .order_by(ImportRow.settled_at.desc(), ImportRow.id.desc())
        .limit(MOST)
    )
    return [
        HandedIn(filename, row.sheet, row.row_number, row.settled_at, cells_shown(row.raw))
        for row, filename in session.execute(query)
        if row.settled_at
    ]


def cells_shown(raw: str) -> list[str]:
    """The cells of a row as they may be shown to whoever sees the person: any long number is masked."""
    cells = [str(cell) for cell in json.loads(raw) if cell not in (None, "")]
    return [_LONG_NUMBER.sub(lambda found: mask(found[0]), cell) for cell in cells]
