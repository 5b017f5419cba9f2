"""What a person decides about a row that was set aside, or that says otherwise than is kept."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from crm.accounts.queries import Scope
from crm.errors import Conflict, NotFound, RuleBroken
from crm.prospects.importing import kinds
from crm.prospects.importing.queries import people_of_rows, rows_of, settled_in
from crm.prospects.importing.rules import Proposed
from crm.prospects.importing.services.adding import add_people, work_on
from crm.prospects.importing.services.at_work import alone
from crm.prospects.importing.services.committing import recount
from crm.prospects.importing.services.staging import stage_to_be_added, unstage
from crm.prospects.importing.services.told_apart import keep_apart, noted
from crm.prospects.importing.services.updating import fill_in, take_over
from crm.prospects.models import ImportRow, ListImport
from crm.prospects.reading.outcomes import SameBecause
from crm.prospects.rules import ImportState, RowOutcome, Same


class Decision(StrEnum):
    ADD = "add"
    SKIP = "skip"
    TAKE = "take"
    SAME = "same"


SAME_CITIZEN_ID = (Same.CITIZEN_ID.value, SameBecause.CITIZEN_ID.value)
"""With somebody kept, and with an earlier row of the list."""
MOST_AT_ONCE = 500
"""Rows that one act decides."""


def read_decision(text: str | None) -> Decision:
    """The decision a form names. Raises RuleBroken."""
    try:
        return Decision(text or "")
    except ValueError:
        raise RuleBroken(_l("Say whether the row is the same person or somebody else, or leave it out.")) from None


def decide(session: Session, scope: Scope, row: ListImport, row_id: UUID, decision: Decision, *, at: datetime) -> None:
    """Say who a row that was set aside is: somebody else, who is added; the same person, in whom what was not known is filled
    in; or nobody. TAKE lets what a row says replace what is kept.

    Before the list is loaded adding waits for that; afterwards it happens at once. Raises Conflict when the row is
    decided already, NotFound when there is none, or when whoever decides may not see the person to be changed.
    """
    locked = _hold(session, row)
    _decide(session, scope, locked, row_id, decision, at)
    recount(session, locked)


def _hold(session: Session, row: ListImport) -> ListImport:
    locked = session.get(ListImport, (row.town_id, row.id), with_for_update=True, populate_existing=True)
    if locked is None:
        raise NotFound
    return locked


def _decide(session: Session, scope: Scope, locked: ListImport, row_id: UUID, decision: Decision, at: datetime) -> None:
    one = session.get(ImportRow, (locked.town_id, row_id), with_for_update=True, populate_existing=True)
    if one is None or one.import_id != locked.id:
        raise NotFound
    if locked.state not in (ImportState.READY, ImportState.COMMITTED) or not _open(locked, one, decision):
        raise Conflict(_l("This row is decided already. Look at the list again."), code="decided")
    one.detail = {**(one.detail or {}), "decided": decision.value}
    if decision is Decision.SKIP:
        one.settled_at = at
    elif decision is Decision.TAKE:
        _take(session, scope, locked, one, at)
    elif decision is Decision.SAME:
        _same(session, scope, locked, one, at)
    else:
        one.detail = {**one.detail, **noted(one, scope.user_id)}
        _add(session, locked, one, at)


def waiting_for(session: Session, row: ListImport, reasons: Collection[str]) -> int:
    """How many rows of a list were set aside for one of these reasons and wait for a decision that can be «same»."""
    open_rows = rows_of(
        row,
        ImportRow.outcome == RowOutcome.DUPLICATE,
        ImportRow.settled_at.is_(None),
        ~kinds.settled_with_another(row.kind),
        or_(ImportRow.prospect_id.is_not(None), ImportRow.detail.has_key("of_row")),
        ImportRow.reasons.overlap(list(reasons)),
    )
    return session.scalar(select(func.count()).select_from(open_rows.subquery())) or 0


def _open(row: ListImport, one: ImportRow, decision: Decision) -> bool:
    decided = (one.detail or {}).get("decided")
    if decision is Decision.TAKE:
        here_already = one.outcome in (RowOutcome.CHANGED, RowOutcome.UNCHANGED)
        return not decided and here_already and settled_in(row, one)
    return not decided and one.outcome is RowOutcome.DUPLICATE


def _add(session: Session, row: ListImport, one: ImportRow, at: datetime) -> None:
    one.outcome, one.prospect_id = RowOutcome.NEW, one.id
    one.version_after = 1
    proposed = Proposed.from_json(one.understood or "")
    session.flush()
    stage_to_be_added(session, one, proposed)
    if row.state is not ImportState.COMMITTED:
        return
    if not alone(session, row.town_id):
        raise Conflict(_l("Another list is being loaded just now. Try again in a minute."), code="busy")
    work = work_on(session, row, at)
    add_people(session, work, one.id, one.id, at)
    one.settled_at = at
    session.flush()
    keep_apart(session, work, one, at)
    _means(session, row, one, at)
    unstage(session, row.town_id, row.id, one.id)


def _same(session: Session, scope: Scope, row: ListImport, one: ImportRow, at: datetime) -> None:
    """The row is the person it was likened to; one that repeats another row of its list says nothing more."""
    if one.prospect_id is None:
        if "of_row" not in (one.detail or {}):
            raise NotFound
        one.settled_at = at
        return
    _check_person(session, scope, one)
    one.outcome = RowOutcome.CHANGED if (one.detail or {}).get("fills") else RowOutcome.UNCHANGED
    if row.state is ImportState.COMMITTED:
        if one.outcome is RowOutcome.CHANGED:
            fill_in(session, work_on(session, row, at), [(one, Proposed.from_json(one.understood or ""))], at)
        one.settled_at = at
        session.flush()
        _means(session, row, one, at)


def _check_person(session: Session, scope: Scope, one: ImportRow) -> None:
    """Somebody whom whoever decides may see, and whose record is still kept: not taken back with its list, not merged."""
    found = people_of_rows(session, scope, [one])
    if not found:
        raise NotFound
    if any(person.merged_into_id for person in found.values()):
        raise Conflict(
            _l("This record is no longer in the register. Look for the person there, or add the row as somebody else."),
            code="record_gone",
        )


def _means(session: Session, row: ListImport, one: ImportRow, at: datetime) -> None:
    kinds.taken_in(session, row.kind, row, [(one, Proposed.from_json(one.understood or ""))], row.created_by_id, at)


def decide_all(
    session: Session, scope: Scope, row: ListImport, decision: Decision, reason: str | None, *, at: datetime
) -> int:
    """Decide every open row that was set aside for a reason (None: for any), as far as whoever decides may; says how many."""
    if decision not in (Decision.SAME, Decision.SKIP, Decision.ADD):
        raise RuleBroken(_l("Say whether the rows are the same people or others, or leave them out."))
    waiting = [
        ImportRow.outcome == RowOutcome.DUPLICATE,
        ImportRow.settled_at.is_(None),
        ~kinds.settled_with_another(row.kind),
    ]
    if reason:
        waiting.append(ImportRow.reasons.overlap(list(SAME_CITIZEN_ID) if reason in SAME_CITIZEN_ID else [reason]))
    ids = [
        one.id
        for one in session.scalars(
            rows_of(row, *waiting).order_by(ImportRow.sheet, ImportRow.row_number).limit(MOST_AT_ONCE)
        )
        if "decided" not in (one.detail or {})
        and (decision is not Decision.SAME or one.prospect_id or "of_row" in (one.detail or {}))
    ]
    locked, done = _hold(session, row), 0
    for row_id in ids:
        try:
            with session.begin_nested():
                _decide(session, scope, locked, row_id, decision, at)
        except NotFound:
            continue
        except Conflict as refused:
            if refused.code != "record_gone":
                raise
            continue
        done += 1
    recount(session, locked)
    return done


def _take(session: Session, scope: Scope, row: ListImport, one: ImportRow, at: datetime) -> None:
    _check_person(session, scope, one)
    take_over(session, work_on(session, row, at), one, Proposed.from_json(one.understood or ""), at)
    one.outcome, one.settled_at = RowOutcome.CHANGED, at
