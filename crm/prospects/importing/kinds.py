"""Lists of other offices mean more than people. Packages that understand a kind of list register here what it means.

    kinds.handles(ListKind.PARTICIPANTS, taken_in=take_part, taken_back=part_no_more)

They are asked inside the transaction that loads the list or takes it back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ARRAY, ColumnElement, Uuid, and_, any_, exists, false, literal, select, update
from sqlalchemy.orm import Session, aliased
from sqlalchemy.orm.util import identity_key

from crm.prospects.importing.rules import Proposed
from crm.prospects.models import ImportRow, ListImport, Prospect
from crm.prospects.reading.outcomes import SameBecause
from crm.prospects.rules import ListKind, RowOutcome

Rows = Sequence[tuple[ImportRow, Proposed]]
TakenIn = Callable[[Session, ListImport, Rows, UUID | None, datetime], None]
TakenBack = Callable[[Session, ListImport, Rows, datetime], Mapping[UUID, str]]

KIND_NAMES = {
    ListKind.PEOPLE: _l("List of people"),
    ListKind.HOUSEHOLD_BUSINESSES: _l("Household businesses, from the tax office"),
    ListKind.PARTICIPANTS: _l("People who take part, from the insurance office"),
    ListKind.PAYMENTS: _l("Payments, from the insurance office (form D05-TS)"),
    ListKind.POOR_HOUSEHOLDS: _l("Poor and near-poor households of a year, from the labour office"),
}
KIND_WORDS = {
    ListKind.PEOPLE: _l("Everyone on it is added to the register, or what is not known of them is filled in."),
    ListKind.HOUSEHOLD_BUSINESSES: _l(
        "Everyone on it is added, and their business is noted with its tax code, trade and way of paying tax."
    ),
    ListKind.PARTICIPANTS: _l(
        "Everyone on it is added and marked as taking part, paid through the month the list says. No payment is recorded."
    ),
    ListKind.PAYMENTS: _l(
        "Everyone on it is added, and each payment is compared with what is on record. No payment is recorded before somebody says so."
    ),
    ListKind.POOR_HOUSEHOLDS: _l(
        "Everyone on it is added, in their household, with the certificate for the year of the list."
    ),
}

_taken_in: dict[ListKind, TakenIn] = {}
_taken_back: dict[ListKind, TakenBack] = {}
_why_kept: dict[str, Any] = {}
_told_again: dict[ListKind, list[str]] = {}


def handles(
    kind: ListKind,
    *,
    taken_in: TakenIn,
    taken_back: TakenBack,
    why_kept: Mapping[str, Any] | None = None,
    told_again: Collection[SameBecause] = (),
) -> None:
    """Let these functions say what a list of this kind means; `why_kept` words the codes that `taken_back` answers.

    Who repeats an earlier row for one of the reasons `told_again` is sure to be the same person, of whom the list has more
    to say: `taken_in` settles such a row with the earlier one, and nobody is asked."""
    _taken_in[kind] = taken_in
    _taken_back[kind] = taken_back
    _why_kept.update(why_kept or {})
    _told_again[kind] = [reason.value for reason in told_again]


def why_kept(code: str) -> str | None:
    """Why a row could not be taken back, in the reader's language."""
    return str(_why_kept[code]) if code in _why_kept else None


def settled_with_another(kind: ListKind) -> ColumnElement[bool]:
    """Rows set aside that loading settles with the earlier row of their person, as far as that one is loaded itself."""
    if not _told_again.get(kind):
        return false()
    first = aliased(ImportRow)
    return and_(
        ImportRow.outcome == RowOutcome.DUPLICATE,
        ImportRow.settled_at.is_(None),
        ImportRow.reasons.overlap(_told_again[kind]),
        exists().where(
            first.town_id == ImportRow.town_id,
            first.import_id == ImportRow.import_id,
            first.sheet == ImportRow.detail["of_sheet"].as_string(),
            first.row_number == ImportRow.detail["of_row"].as_integer(),
            first.outcome.in_((RowOutcome.NEW, RowOutcome.CHANGED, RowOutcome.UNCHANGED)),
        ),
    )


def person_of(row: ImportRow) -> UUID:
    """Whom a settled row made or met: a person it made has its id."""
    return row.prospect_id or row.id


def is_handled(kind: ListKind) -> bool:
    """Whether a list of this kind means more than its people."""
    return kind in _taken_in


def taken_in(
    session: Session, kind: ListKind, import_row: ListImport, rows: Rows, by_id: UUID | None, at: datetime
) -> None:
    """These rows were settled (new, changed or unchanged): keep what the list says. No edit of a person: versions stay."""
    if rows and kind in _taken_in:
        with _versions_stay(session, import_row.town_id, [person_of(row) for row, _one in rows]):
            _taken_in[kind](session, import_row, rows, by_id, at)


def taken_back(
    session: Session, kind: ListKind, import_row: ListImport, rows: Rows, at: datetime
) -> Mapping[UUID, str]:
    """These rows are about to be undone: take back what was kept because of them.

    Returns row id → reason code for those whose people have to stay as they are.
    """
    if not rows or kind not in _taken_back:
        return {}
    with _versions_stay(session, import_row.town_id, [person_of(row) for row, _one in rows]):
        return _taken_back[kind](session, import_row, rows, at)


@contextmanager
def _versions_stay(session: Session, town_id: UUID, ids: Sequence[UUID]) -> Iterator[None]:
    """What a list means is no edit of the person: whoever edits meanwhile is not told of one, and undoing still sees
    whether somebody has worked with the person since."""
    session.flush()
    these = (Prospect.town_id == town_id) & (Prospect.id == any_(literal(list(ids), ARRAY(Uuid()))))
    before = _versions(session, these)
    yield
    session.flush()
    for id in (id for id, version in _versions(session, these).items() if version != before.get(id, version)):
        back = update(Prospect).where(Prospect.town_id == town_id, Prospect.id == id).values(version=before[id])
        session.execute(back.execution_options(synchronize_session=False))
        if (person := session.identity_map.get(identity_key(Prospect, (town_id, id)))) is not None:
            session.expire(person)


def _versions(session: Session, these: ColumnElement[bool]) -> dict[UUID, int]:
    return {row.id: row.version for row in session.execute(select(Prospect.id, Prospect.version).where(these))}
