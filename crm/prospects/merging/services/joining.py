"""Making two records one, so that they can be two again."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.services import note_change
from crm.errors import Conflict, RuleBroken
from crm.prospects.merging import registry
from crm.prospects.merging.models import Merge
from crm.prospects.merging.queries import as_key, raw, suspect_of
from crm.prospects.merging.rules import CHOSEN, KEPT_IN_LAYERS, Answer, following, merged, proposed
from crm.prospects.models import Consent, Prospect


def merge(
    session: Session, kept: Prospect, gone: Prospect, taken: Collection[str] | None, *, by: User, at: datetime
) -> Merge:
    """`gone` becomes part of `kept`: all that was recorded with it is with `kept` from now on, its id leads there.

    `taken` are the rules.CHOSEN particulars that `kept` takes from `gone`; None takes what is better there. Raises
    RuleBroken when the two cannot be one person now (what to do first is said), Conflict when one is merged already.
    """
    hold_both(session, kept, gone)
    refused = registry.refusals(session, kept, gone)
    if refused:
        raise RuleBroken(" ".join(str(one) for one in refused), code="cannot_be_merged")
    rows = raw(session, kept.town_id, kept.id, gone.id)
    one, other = rows[kept.id], rows[gone.id]
    groups = set(proposed(one, other, answered_for(session, kept, gone)) if taken is None else taken)
    if groups - set(CHOSEN):
        raise RuleBroken(_l("There is no such particular to choose. Open the page again."), field="taken")
    groups |= following(one, other)
    before, after = {name: one[name] for name in KEPT_IN_LAYERS}, merged(one, other, groups)
    row = Merge(
        town_id=kept.town_id,
        kept_id=kept.id,
        gone_id=gone.id,
        at=at,
        by_id=by.id,
        taken=sorted(groups),
        before=json.dumps(before),
        after=json.dumps(after),
    )
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
            lead(session, gone, kept.id, at)
            write(session, kept, {name: after[name] for name in after if after[name] != one[name]}, at)
            session.execute(select(func.gather_rows(row.town_id, row.kept_id, row.number, registry.firm_tables())))
    except IntegrityError as refusal:
        raise Conflict(
            _l("These two records hold something that cannot stand twice. Look at both once more, then merge."),
            code="cannot_be_merged",
        ) from refusal
    _note(session, row, gone, by, at)
    _answered(session, row, by, at)
    session.expire_all()
    return row


def hold_both(session: Session, kept: Prospect, gone: Prospect) -> None:
    """Keep both from everybody else, in the order of their ids so that nobody waits for anybody in a circle. Raises
    RuleBroken when they are one, Conflict when somebody has just merged one of them.
    """
    if kept.town_id != gone.town_id or kept.id == gone.id:
        raise RuleBroken(_l("Choose two different people."), field="other")
    hold(session, kept.town_id, kept.id, gone.id)
    if kept.merged_into_id or gone.merged_into_id:
        raise Conflict(
            _l("One of these records has just been merged by somebody else. Open the person again."),
            code="merged_already",
        )


def hold(session: Session, town_id: UUID, *ids: UUID) -> dict[UUID, Prospect]:
    """Records as they are now, kept from everybody else until this act is done, one after the other by their ids."""
    query = select(Prospect).where(Prospect.town_id == town_id, Prospect.id.in_(ids)).order_by(Prospect.id)
    session.flush()
    return {row.id: row for row in session.scalars(query.with_for_update().execution_options(populate_existing=True))}


def answered_for(session: Session, *people: Prospect) -> set[str]:
    """Those telephones of these people whose holders said yes or no to messages: somebody answered there."""
    phones = {phone for one in people for phone in (one.phone, one.other_phone) if phone}
    query = select(Consent.phone).where(Consent.town_id == people[0].town_id, Consent.phone.in_(phones))
    return set(session.scalars(query.distinct()))


def write(session: Session, person: Prospect, values: Mapping[str, Any], at: datetime) -> None:
    """Set columns of a record to what the database wrote of them earlier, sealed ones byte for byte."""
    unknown = set(values) - set(KEPT_IN_LAYERS)
    if unknown:
        raise ValueError(f"not kept in layers: {unknown}")
    sets = "".join(f"{name} = r.{name}, " for name in sorted(values))
    statement = text(
        f"update prospect p set {sets}version = p.version + 1, updated_at = :at "  # checked above
        "from jsonb_populate_record(null::prospect, cast(:values as jsonb)) r where p.town_id = :town and p.id = :id"
    )
    asked = {"values": json.dumps(dict(values)), "at": at, "town": person.town_id, "id": person.id}
    session.execute(statement, asked)


def lead(session: Session, gone: Prospect, to: UUID | None, at: datetime) -> None:
    """Let the id of a record lead to another, or to itself again; nothing else of it changes."""
    session.execute(
        update(Prospect)
        .where(Prospect.town_id == gone.town_id, Prospect.id == gone.id)
        .values(merged_into_id=to, version=Prospect.version + 1, updated_at=at)
        .execution_options(synchronize_session=False)
    )


def _note(session: Session, row: Merge, gone: Prospect, by: User, at: datetime) -> None:
    note_change(
        session,
        town_id=row.town_id,
        user_id=by.id,
        act="merge_people",
        subject="prospect",
        subject_id=row.kept_id,
        at=at,
        after={"merge_id": str(row.id), "gone_id": str(row.gone_id), "full_name": gone.full_name, "taken": row.taken},
    )


def _answered(session: Session, row: Merge, by: User, at: datetime) -> None:
    suspect = suspect_of(session, row.town_id, row.kept_id, row.gone_id)
    if suspect:
        suspect.answer, suspect.answered_at, suspect.answered_by_id = Answer.MERGED, at, by.id
    session.flush()


def arrived_under(session: Session, asked_id: UUID, survivor: Prospect, table: str, row_id: UUID) -> None:
    """Something was recorded under the id of a merged record and went to who it became: remember that it did, so that
    it goes back with that record. Nothing to remember when the id was the person's own."""
    if asked_id == survivor.id:
        return
    session.flush()
    session.execute(
        select(func.set_origin(survivor.town_id, table, "prospect_id", as_key(row_id), survivor.id, asked_id))
    )


def gather(session: Session, town_id: UUID, *prospect_ids: UUID) -> None:
    """Bring to these records what was written to one that had become part of them, by somebody who did not look."""
    session.execute(select(*(func.gather_rows(town_id, key, None, registry.firm_tables()) for key in prospect_ids)))
