"""Taking a file in, reading it again with other choices, and giving it up."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, NoReturn
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from crm.accounts.models import Organisation, User
from crm.accounts.queries import Scope
from crm.accounts.rules import Reach
from crm.clock import local_day
from crm.errors import Conflict, RuleBroken
from crm.places.models import Place
from crm.places.rules import UNITS, PlaceKind
from crm.prospects.importing.gateway import check_list
from crm.prospects.importing.rules import LARGEST
from crm.prospects.importing.services import remembering
from crm.prospects.importing.services.staging import forget_staged
from crm.prospects.models import ImportRow, ListImport
from crm.prospects.reading.columns import Table
from crm.prospects.reading.outcomes import Refusal
from crm.prospects.rules import ImportState, ListKind
from crm.sealed import current as seal

MOST_TRIES = 5
"""How often a list that cannot be read is tried again."""


@dataclass(frozen=True)
class Handed:
    """A file, and what somebody said about it. `options` may hold `sheets` and `mapping` (field → column)."""

    filename: str
    content: bytes
    place_id: UUID | None = None
    organisation_id: UUID | None = None
    options: dict[str, Any] = field(default_factory=dict)
    kind: ListKind = ListKind.PEOPLE


def refuse_as_too_large() -> NoReturn:
    """Raise RuleBroken for a file that is too large to be taken in."""
    raise RuleBroken(
        _l("The file is larger than 25 MB. Keep only the list in it, or split it into several files."),
        field="file",
        code="too_large",
    )


def take_in(
    session: Session, town_id: UUID, handed: Handed, *, by: User | None, scope: Scope | None, at: datetime
) -> ListImport:
    """Keep a file, sealed, to be read in the background. Raises RuleBroken.

    A lead's organisation gets whom they load; the place must be theirs.
    """
    if len(handed.content) > LARGEST:
        refuse_as_too_large()
    row = ListImport(
        town_id=town_id,
        filename=handed.filename.replace("\x00", "").strip()[-200:] or "list",
        digest=hashlib.sha256(handed.content).digest(),
        content=seal().close_bytes(handed.content),
        options=handed.options,
        kind=handed.kind,
        state=ImportState.QUEUED,
        created_at=at,
        created_by_id=by.id if by else None,
    )
    row.organisation_id = _organisation(session, town_id, handed.organisation_id, by, scope)
    row.place_id = _place(session, town_id, handed.place_id, scope)
    session.add(row)
    session.flush()
    return row


def take_in_unread(
    session: Session, town_id: UUID, handed: Handed, problem: Any, *, by: User | None, scope: Scope | None, at: datetime
) -> ListImport:
    """Keep a file that cannot be read before somebody says where its headings stand. Raises RuleBroken."""
    row = take_in(session, town_id, handed, by=by, scope=scope, at=at)
    row.state = ImportState.FAILED
    row.problem = json.dumps({"code": problem, "params": {}})
    session.flush()
    return row


def as_remembered(
    session: Session,
    town_id: UUID,
    handed: Handed,
    *,
    by: User | None,
    scope: Scope | None,
    at: datetime,
) -> Handed:
    """The file with what is remembered of lists of its source; what was said about this one goes before it. Raises
    RuleBroken when it is no list that can be read."""
    read, refused, today = None, None, local_day(at)
    try:
        read = check_list(handed, today)
    except RuleBroken as refusal:
        if refusal.code != Refusal.NO_HEADER:
            raise
        refused = refusal
    own = by.organisation_id if by and scope and scope.reach is not Reach.ALL else None
    said = handed.options
    offered = None
    if not (said.get("mapping") or said.get("columns")):
        offered = remembering.offer(
            session,
            town_id,
            read.tables if read else None,
            lambda headed: None if said.get("headed") else _headed_so(handed, headed, today),
            organisation_id=handed.organisation_id or own,
            user_id=by.id if by else None,
            at=at,
        )
    if offered is None:
        if refused:
            raise refused
        return replace(handed, kind=read.kind if read else handed.kind)
    kind = ListKind(said["kind"]) if said.get("kind") else offered.kind
    options = {**said, "kind": kind.value, "columns": offered.columns, "remembered": offered.told}
    if offered.headed:
        options["headed"] = offered.headed
    return replace(handed, options=options, kind=kind, place_id=handed.place_id or offered.place_id)


def _headed_so(handed: Handed, headed: remembering.Headed, today: date) -> Sequence[Table] | None:
    try:
        return check_list(replace(handed, options={**handed.options, "headed": headed}), today).tables
    except RuleBroken:
        return None


def note_checked(session: Session, row: ListImport) -> None:
    """Somebody has looked at how the columns were understood."""
    row.options = {**row.options, "checked": True}
    session.flush()


def _organisation(
    session: Session, town_id: UUID, wanted: UUID | None, by: User | None, scope: Scope | None
) -> UUID | None:
    own = by.organisation_id if by and scope and scope.reach is not Reach.ALL else None
    if own and wanted not in (None, own):
        raise RuleBroken(_l("You may load people only for your own organisation."), field="organisation")
    if wanted and session.get(Organisation, (town_id, wanted)) is None:
        raise RuleBroken(_l("There is none such here. Choose one from the list."), field="organisation")
    return wanted or own


def _place(session: Session, town_id: UUID, wanted: UUID | None, scope: Scope | None) -> UUID | None:
    if wanted is None:
        return None
    place = session.get(Place, (town_id, wanted))
    if place is None or place.kind not in (*UNITS, PlaceKind.NEIGHBOURHOOD):
        raise RuleBroken(_l("Choose the ward or commune where the people live."), field="place")
    if scope and scope.place_ids is not None and place.id not in scope.place_ids:
        raise RuleBroken(_l("This place is not yours to look after. Choose one of your own."), field="place")
    return place.id


def read_again(
    session: Session,
    row: ListImport,
    *,
    place_id: UUID | None = None,
    by_itself: bool = False,
    columns: dict[str, dict[str, str]] | None = None,
    kind: ListKind | None = None,
    sheets: Sequence[str] | None = None,
    headed: Mapping[str, Sequence[int]] | None = None,
    scope: Scope | None,
) -> None:
    """Read a list once more, with another ward, kind, other sheets, columns (sheet → field → column) or rows of headings
    (sheet → rows; its columns are then looked at again). `by_itself`: it says its wards after all. Raises RuleBroken when it is loaded already, or was read again
    MOST_TRIES times without success."""
    chosen = _place(session, row.town_id, place_id, scope) if place_id else None if by_itself else row.place_id
    tries = row.options.get("tries", 0) + 1 if row.state is ImportState.FAILED else 0
    if tries > MOST_TRIES:
        raise RuleBroken(
            _l(
                "This list has been read %(times)s times without success. Mend the file, or load another.",
                times=MOST_TRIES,
            ),
            code="too_many_tries",
        )
    options = {
        **row.options,
        "tries": tries,
        "checked": not headed,
        "columns": {**row.options.get("columns", {}), **(columns or {})},
    }
    if headed:
        options.pop("remembered", None)
        options["headed"] = {**row.options.get("headed", {}), **{sheet: list(rows) for sheet, rows in headed.items()}}
        options["columns"] = {sheet: said for sheet, said in options["columns"].items() if sheet not in headed}
    if kind:
        options["kind"] = kind.value
    if sheets:
        options["sheets"] = list(sheets)
    may = (ListImport.id == row.id) & ListImport.state.in_((ImportState.READY, ImportState.FAILED))
    fresh = {"state": ImportState.QUEUED, "heartbeat_at": None, "problem": None, "found": None, "tries": 0}
    changed = session.execute(
        update(ListImport)
        .where(may, ListImport.content.is_not(None))
        .values(**fresh, place_id=chosen, options=options, kind=kind or row.kind)
        .returning(ListImport.id)
    ).all()
    if not changed:
        raise Conflict(_l("This list is already loaded or being worked on. Look at it again."), code="not_ready")
    session.refresh(row)


def give_up(session: Session, row: ListImport) -> None:
    """Forget a list that was not loaded, with everything that was read of it. Raises RuleBroken."""
    locked = session.get(ListImport, (row.town_id, row.id), with_for_update=True, populate_existing=True)
    if locked is None or locked.state not in (ImportState.QUEUED, ImportState.READY, ImportState.FAILED):
        raise Conflict(_l("This list is already loaded or being worked on. Look at it again."), code="not_ready")
    session.execute(delete(ImportRow).where(ImportRow.town_id == row.town_id, ImportRow.import_id == row.id))
    forget_staged(session, row.town_id, row.id)
    session.delete(locked)
    session.flush()
