"""A target is set, and changed during the year: always a further revision, never another number in the same row."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.errors import Conflict, RuleBroken
from crm.ids import new_id
from crm.targets.models import Target
from crm.targets.queries import current
from crm.targets.rules import FIRST_YEAR, LAST_YEAR, Facts, Whose


def set_target(
    session: Session,
    town_id: UUID,
    whose: Whose,
    facts: Facts,
    *,
    authority: str,
    document: str | None,
    reason: str | None,
    by: User | None,
    at: datetime,
    knowing: int | None = None,
) -> Target:
    """The next revision of a target. `knowing` is the revision that whoever writes has read (0: none).

    Raises RuleBroken for a change without its reason, and Conflict `target_changed` when somebody else was quicker.
    """
    if not FIRST_YEAR <= whose.year <= LAST_YEAR:
        message = _l("Give a year from %(first)s to %(last)s.", first=FIRST_YEAR, last=LAST_YEAR)
        raise RuleBroken(message, field="year")
    before = current(session, town_id, whose)
    revision = before.revision if before else 0
    if knowing is not None and knowing != revision:
        raise _changed()
    if before and not reason:
        raise RuleBroken(_l("Say why the target changes: the old number stays in the history."), field="reason")
    row = Target(
        town_id=town_id,
        id=new_id(),
        **whose._asdict(),
        **facts._asdict(),
        revision=revision + 1,
        authority=authority,
        document=document,
        reason=reason if before else None,
        recorded_at=at,
        recorded_by_id=by.id if by else None,
    )
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError as refusal:
        if getattr(getattr(refusal.orig, "diag", None), "constraint_name", None) != "uq_target_revision":
            raise
        raise _changed() from None
    return row


def _changed() -> Conflict:
    message = _l("Somebody has changed this target meanwhile. Look at the number that holds now, then change it again.")
    return Conflict(message, code="target_changed")
