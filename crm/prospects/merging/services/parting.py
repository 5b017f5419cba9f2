"""Making two records out of one again, exactly as they were, with what came since divided between them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.services import note_change
from crm.errors import Conflict, RuleBroken
from crm.prospects.merging import registry
from crm.prospects.merging.models import Merge
from crm.prospects.merging.queries import Later, in_force_above, later_than, raw
from crm.prospects.merging.rules import Layer, Raw, without
from crm.prospects.merging.services.joining import gather, hold, lead, write
from crm.prospects.merging.services.reviewing import set_apart
from crm.prospects.models import Prospect


@dataclass(frozen=True)
class Parted:
    """Two people again. `edited` are particulars that somebody changed since the merge: they stay with the kept one."""

    kept: Prospect
    gone: Prospect
    edited: tuple[str, ...]
    given: int
    """How many things that came after the merge went with the record that had gone."""


def unmerge(session: Session, merge: Merge, *, by: User, at: datetime, given: Collection[str] | None = None) -> Parted:
    """Take a merge back. What each record had goes back to it, byte for byte; of what came since, `given` (names of
    queries.Later) goes with the record that had gone; None: what came in under its id.

    Raises Conflict when it was taken back already, RuleBroken while the kept record is itself part of another.
    """
    kept, gone = _hold(session, merge)
    came = later_than(session, merge)
    moved, belongs = 0, list[tuple[Later, UUID]]()
    for row in came.free:
        to_gone = row.origin_id in came.theirs if given is None else row.name in given
        moved += to_gone
        theirs = row.origin_id if row.origin_id in came.theirs else merge.gone_id
        belongs.append((row, theirs if to_gone else merge.kept_id))
    belongs += [(row, row.bound_to or row.origin_id) for row in came.bound]
    _assign(session, merge, belongs)
    went = moved + sum(row.bound_to in came.theirs for row in came.bound)
    try:
        with session.begin_nested():
            edited, unsettled = _take_layer_away(session, merge, kept, at)
            merge.undone_at, merge.undone_by_id = at, by.id
            session.flush()
            lead(session, gone, None, at)
            session.execute(select(func.return_rows(merge.town_id, merge.id)))
            gather(session, kept.town_id, kept.id, gone.id)
    except IntegrityError as refusal:
        raise Conflict(
            _l("Something recorded since keeps these records together. Look at the household and the payments first."),
            code="cannot_be_parted",
        ) from refusal
    _note(session, merge, kept, gone, edited, by, at)
    ids = merge.kept_id, merge.gone_id
    town_id = merge.town_id
    session.expire_all()
    people = hold(session, town_id, *ids)
    set_apart(session, people[ids[0]], people[ids[1]], by=by, at=at)
    if unsettled or came.free or came.bound:
        registry.settle(session, kept)
    if went:
        registry.settle(session, gone)
    return Parted(kept, gone, edited, moved)


def _hold(session: Session, merge: Merge) -> tuple[Prospect, Prospect]:
    people = hold(session, merge.town_id, merge.kept_id, merge.gone_id)
    session.refresh(merge, with_for_update=True)
    kept, gone = people[merge.kept_id], people[merge.gone_id]
    if merge.undone_at is not None:
        raise Conflict(_l("This merge was taken back already."), code="undone_already")
    if kept.merged_into_id is not None:
        upper = session.get_one(Prospect, (merge.town_id, kept.merged_into_id))
        raise RuleBroken(
            _l(
                "%(kept)s has become part of %(upper)s meanwhile. Take that merge back first, then this one.",
                kept=kept.full_name,
                upper=upper.full_name,
            ),
            code="not_the_outermost",
        )
    return kept, gone


def _assign(session: Session, merge: Merge, belongs: Sequence[tuple[Later, UUID]]) -> None:
    """Whose the rows are that came after the merge, and all that hangs on each."""
    rows = [
        {"t": one.table, "c": one.column, "k": one.key, "o": str(owner)}
        for row, owner in belongs
        for one in row.all()
        if one.origin_id != owner
    ]
    if rows:
        session.execute(_ASSIGN, {"town": merge.town_id, "holder": merge.kept_id, "rows": json.dumps(rows)})


_ASSIGN = text(
    "select set_origin(:town, x.t, x.c, x.k, :holder, x.o) "
    "from jsonb_to_recordset(cast(:rows as jsonb)) as x(t text, c text, k text, o uuid)"
)


def _take_layer_away(session: Session, merge: Merge, kept: Prospect, at: datetime) -> tuple[tuple[str, ...], bool]:
    """The kept record's particulars without this merge. What was edited since, and whether events have to be asked."""
    above = in_force_above(session, merge)
    rows = raw(session, kept.town_id, kept.id, merge.gone_id, *(one.gone_id for one in above))
    now = rows[kept.id]
    result = without(_layer(merge, rows), [_layer(one, rows) for one in above], now)
    for row, layer in zip(above, result.later, strict=True):
        row.before, row.after = json.dumps(dict(layer.before)), json.dumps(dict(layer.after))
    write(session, kept, {name: value for name, value in result.now.items() if value != now[name]}, at)
    return result.edited, result.moved_on


def _layer(merge: Merge, rows: Mapping[UUID, Raw]) -> Layer:
    return Layer(json.loads(merge.before), json.loads(merge.after), frozenset(merge.taken), rows[merge.gone_id])


def _note(
    session: Session, merge: Merge, kept: Prospect, gone: Prospect, edited: Collection[str], by: User, at: datetime
) -> None:
    """Each record tells the name of the other."""
    said: dict[str, object] = {"merge_id": str(merge.id), "gone_id": str(merge.gone_id), "edited": list(edited)}
    for subject, other in ((merge.kept_id, gone), (merge.gone_id, kept)):
        note_change(
            session,
            town_id=merge.town_id,
            user_id=by.id,
            act="unmerge_people",
            subject="prospect",
            subject_id=subject,
            at=at,
            after=said | {"full_name": other.full_name},
        )
