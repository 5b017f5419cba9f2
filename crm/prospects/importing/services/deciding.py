"""What a person decides about a row that was set aside, or that says otherwise than is kept."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm.accounts.queries import Scope
from crm.errors import Conflict, NotFound, RuleBroken
from crm.prospects.importing.queries import people_of_rows
from crm.prospects.importing.rules import Proposed
from crm.prospects.importing.services.adding import add_people, work_on
from crm.prospects.importing.services.committing import recount
from crm.prospects.importing.services.updating import take_over
from crm.prospects.models import ImportRow, ListImport
from crm.prospects.rules import ImportState, RowOutcome


class Decision(StrEnum):
    ADD = "add"
    SKIP = "skip"
    TAKE = "take"


def read_decision(text: str | None) -> Decision:
    """The decision a form names. Raises RuleBroken."""
    try:
        return Decision(text or "")
    except ValueError:
        raise RuleBroken(_l("Say whether to add the row, leave it out, or take over what it says.")) from None


def decide(session: Session, scope: Scope, row: ListImport, row_id: UUID, decision: Decision, *, at: datetime) -> None:
    """Add a row that was set aside after all, leave it out, or let what it says replace what is kept.

    Before the list is loaded adding waits for that; afterwards it happens at once. Raises Conflict when the row is
    decided already, NotFound when there is none, or when whoever decides may not see the person to be changed.
    """
    locked = session.get(ListImport, (row.town_id, row.id), with_for_update=True, populate_existing=True)
    one = session.get(ImportRow, (row.town_id, row_id), with_for_update=True, populate_existing=True)
    if locked is None or one is None or one.import_id != row.id:
        raise NotFound
    if locked.state not in (ImportState.READY, ImportState.COMMITTED) or not _open(one, decision):
        raise Conflict(_l("This row is decided already. Look at the list again."), code="decided")
    one.detail = {**(one.detail or {}), "decided": decision.value}
    if decision is Decision.SKIP:
        one.settled_at = at
    elif decision is Decision.TAKE:
        _take(session, scope, locked, one, at)
    else:
        _add(session, locked, one, at)
    recount(session, locked)


def _open(one: ImportRow, decision: Decision) -> bool:
    decided = (one.detail or {}).get("decided")
    if decision is Decision.TAKE:
        return not decided and one.outcome in (RowOutcome.CHANGED, RowOutcome.UNCHANGED) and one.settled_at is not None
    return not decided and one.outcome is RowOutcome.DUPLICATE


def _add(session: Session, row: ListImport, one: ImportRow, at: datetime) -> None:
    one.outcome, one.prospect_id = RowOutcome.NEW, None
    if row.state is ImportState.COMMITTED:
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"import {row.town_id}", 0))))
        session.flush()
        add_people(session, work_on(session, row, at), [(one, Proposed.from_json(one.understood or ""))], at)
        one.prospect_id, one.settled_at, one.version_after = one.id, at, 1


def _take(session: Session, scope: Scope, row: ListImport, one: ImportRow, at: datetime) -> None:
    if not people_of_rows(session, scope, [one]):
        raise NotFound
    take_over(session, work_on(session, row, at), one, Proposed.from_json(one.understood or ""), at)
    one.outcome = RowOutcome.CHANGED
