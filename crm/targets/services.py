"""A target is set, and changed during the year: always a further revision, never another number in the same row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypedDict, Unpack
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.errors import Conflict, RuleBroken
from crm.ids import new_id
from crm.targets.models import Target
from crm.targets.queries import current, targets, whose_is
from crm.targets.rules import FIRST_YEAR, LAST_YEAR, Facts, Whose


def set_target(
    session: Session, town_id: UUID, whose: Whose, facts: Facts, *, knowing: int | None = None, **told: Unpack[Told]
) -> Target:
    """The next revision of a target. `knowing` is the revision that whoever writes has read (0: none).

    Raises RuleBroken for a change without its reason, and Conflict `target_changed` when somebody else was quicker.
    """
    before = current(session, town_id, whose)
    revision = before.revision if before else 0
    if knowing is not None and knowing != revision:
        raise _changed()
    return _keep(session, town_id, [(whose, facts, revision)], told)[0]


def set_targets(
    session: Session, town_id: UUID, year: int, wanted: Mapping[Whose, Facts], **told: Unpack[Told]
) -> list[Target]:
    """Several targets of a year at once; those that have the same number of people already stay as they are."""
    known = {whose_is(row): row for row in session.scalars(targets(town_id).where(Target.year == year))}
    changed = [
        (whose, facts, known[whose].revision if whose in known else 0)
        for whose, facts in wanted.items()
        if whose not in known or known[whose].people != facts.people
    ]
    return _keep(session, town_id, changed, told)


class Told(TypedDict):
    """Who set it, by which document and why."""

    authority: str
    document: str | None
    reason: str | None
    by: User | None
    at: datetime


def _keep(session: Session, town_id: UUID, wanted: Sequence[tuple[Whose, Facts, int]], told: Told) -> list[Target]:
    for whose, _facts, revision in wanted:
        if not FIRST_YEAR <= whose.year <= LAST_YEAR:
            message = _l("Give a year from %(first)s to %(last)s.", first=FIRST_YEAR, last=LAST_YEAR)
            raise RuleBroken(message, field="year")
        if revision and not told["reason"]:
            raise RuleBroken(_l("Say why the target changes: the old number stays in the history."), field="reason")
    rows = [
        Target(
            town_id=town_id,
            id=new_id(),
            **whose._asdict(),
            **facts._asdict(),
            revision=revision + 1,
            authority=told["authority"],
            document=told["document"],
            reason=told["reason"] if revision else None,
            recorded_at=told["at"],
            recorded_by_id=told["by"].id if told["by"] else None,
        )
        for whose, facts, revision in wanted
    ]
    try:
        with session.begin_nested():
            session.add_all(rows)
            session.flush()
    except IntegrityError as refusal:
        if getattr(getattr(refusal.orig, "diag", None), "constraint_name", None) != "uq_target_revision":
            raise
        raise _changed() from None
    return rows


def _changed() -> Conflict:
    message = _l("Somebody has changed this target meanwhile. Look at the number that holds now, then change it again.")
    return Conflict(message, code="target_changed")
