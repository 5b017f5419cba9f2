"""Lists of other offices mean more than people. Packages that understand a kind of list register here what it means.

    kinds.handles(ListKind.PARTICIPANTS, taken_in=take_part, taken_back=part_no_more)

They are asked inside the transaction that loads the list or takes it back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from crm.prospects.importing.rules import Proposed
from crm.prospects.models import ImportRow, ListImport
from crm.prospects.rules import ListKind

Rows = Sequence[tuple[ImportRow, Proposed]]
TakenIn = Callable[[Session, ListImport, Rows, UUID | None, datetime], None]
TakenBack = Callable[[Session, ListImport, Rows, datetime], Mapping[UUID, str]]

_taken_in: dict[ListKind, TakenIn] = {}
_taken_back: dict[ListKind, TakenBack] = {}


def handles(kind: ListKind, *, taken_in: TakenIn, taken_back: TakenBack) -> None:
    """Let these functions say what a list of this kind means."""
    _taken_in[kind] = taken_in
    _taken_back[kind] = taken_back


def taken_in(
    session: Session, kind: ListKind, import_row: ListImport, rows: Rows, by_id: UUID | None, at: datetime
) -> None:
    """These rows were settled (new, changed or unchanged, each with its `prospect_id`): keep what the list says."""
    if rows and kind in _taken_in:
        _taken_in[kind](session, import_row, rows, by_id, at)


def taken_back(
    session: Session, kind: ListKind, import_row: ListImport, rows: Rows, at: datetime
) -> Mapping[UUID, str]:
    """These rows are about to be undone: take back what was kept because of them.

    Returns row id → reason code for those whose people have to stay as they are.
    """
    return _taken_back[kind](session, import_row, rows, at) if rows and kind in _taken_back else {}
