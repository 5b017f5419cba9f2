"""The insurance office's list of who takes part: spells known from the list, without a payment of ours.

A list says through which month somebody has paid. That opens a spell, or carries on the one there is; it never records
money, and what our own payments say beyond the list stays. Taken back, the spell never counted, unless someone has
recorded a payment for it since.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ARRAY, Uuid, any_, literal, select
from sqlalchemy.orm import Session

from crm.clock import local_day
from crm.ids import new_id
from crm.months import Month
from crm.participation.models import Participation, Payment
from crm.participation.rules import EARLIEST, Beginning, Ending, deadline_after, lapse_day, method_of
from crm.premiums.queries import law
from crm.premiums.rules.keys import PERIODS, LawKey
from crm.premiums.rules.law import LawOnDay
from crm.prospects.importing import kinds
from crm.prospects.importing.kinds import Rows, person_of
from crm.prospects.importing.meanings.kept import forget, keep, kept_of
from crm.prospects.models import ListImport, Prospect, StageChange
from crm.prospects.rules import ListKind, Stage

PAID_SINCE = "paid_since"
SPELL_CHANGED = "spell_changed"
WHY_KEPT = {
    PAID_SINCE: _l("Kept: a payment has been recorded since."),
    SPELL_CHANGED: _l("Kept: taking part was changed since."),
}


def taken_in(session: Session, listed: ListImport, rows: Rows, by_id: UUID | None, at: datetime) -> None:
    """Mark everyone of whom the list says a month as taking part through it, or as lapsed when that is long past."""
    said = [(row, one.extra) for row, one in rows if one.extra.get("paid_through")]
    people = _people(session, listed.town_id, [person_of(row) for row, _extra in said])
    spells = _spells(session, listed.town_id, list(people))
    now = law(session).on(local_day(at))
    did: dict[UUID, dict[str, Any]] = {}
    for row, extra in said:
        person = people.get(person_of(row))
        if person is None:
            continue
        known = spells.setdefault(person.id, [])
        done = _take_part(session, listed, person, known, extra, now)
        if done:
            done["stage"] = _step(session, person, _stage(known[-1]), by_id, listed.id, at)
            did[row.id] = done
    session.flush()
    keep(session, listed, did)


def _people(session: Session, town_id: UUID, ids: Sequence[UUID]) -> dict[UUID, Prospect]:
    these = (Prospect.town_id == town_id) & (Prospect.id == any_(literal(list(ids), ARRAY(Uuid()))))
    found = session.scalars(select(Prospect).where(these).execution_options(populate_existing=True))
    return {person.id: person for person in found}


def _spells(session: Session, town_id: UUID, ids: Sequence[UUID]) -> dict[UUID, list[Participation]]:
    """The spells of these people that count, the earliest first."""
    query = (
        select(Participation)
        .where(Participation.town_id == town_id, Participation.withdrawn_at.is_(None))
        .where(Participation.prospect_id == any_(literal(list(ids), ARRAY(Uuid()))))
        .order_by(Participation.started_on)
    )
    found: dict[UUID, list[Participation]] = {}
    for spell in session.scalars(query):
        found.setdefault(spell.prospect_id, []).append(spell)
    return found


def _take_part(
    session: Session,
    listed: ListImport,
    person: Prospect,
    known: list[Participation],
    extra: Mapping[str, Any],
    now: LawOnDay,
) -> dict[str, Any] | None:
    """Open a spell or carry one on; what was done, or None when the list says nothing new."""
    month = Month.parse(extra["paid_through"])
    last = known[-1] if known else None
    method = int(extra.get("months_at_once", last.method if last else 1))
    deadline = deadline_after(now, method, month)
    if last and last.paid_through and last.paid_through >= month.first_day:
        return None  # our own books know as much, or more
    if last and last.ended_on is None:
        before = {
            "paid_through": _plain(last.paid_through),
            "deadline_on": _plain(last.deadline_on),
            "method": last.method,
        }
        last.paid_through, last.deadline_on, last.method = month.first_day, deadline, method
        _lapse(last, deadline, now.day)
        return {"spell": str(last.id), "before": before, "paid_through": _plain(last.paid_through)}
    start = _start(extra, month, method)
    if last and last.ended_on and start < last.ended_on:
        start = last.ended_on
    if start > now.day:
        start = now.day
        if last and last.ended_on and start < last.ended_on:
            return None
    spell = Participation(
        town_id=listed.town_id,
        id=new_id(),
        prospect_id=person.id,
        started_on=start,
        started_as=Beginning.LISTED,
        ended_on=None,
        ended_as=None,
        place_id=person.place_id,
        organisation_id=listed.organisation_id or person.organisation_id,
        recruited_by_id=None,
        income=int(extra.get("income") or now.number(LawKey.POVERTY_LINE)),
        method=method,
        paid_through=month.first_day,
        deadline_on=deadline,
    )
    _lapse(spell, deadline, now.day)
    session.add(spell)
    known.append(spell)
    return {"spell": str(spell.id), "opened": True, "paid_through": _plain(spell.paid_through)}


def _start(extra: Mapping[str, Any], month: Month, method: int) -> date:
    """The first day that the list vouches for: the month it says, else that of the last payment it knows of."""
    since = Month.parse(extra["since"]) if extra.get("since") else month - (PERIODS[method_of(method)] - 1)
    return max(min(since, month).first_day, EARLIEST)


def _lapse(spell: Participation, deadline: date, today: date) -> None:
    if deadline < today:
        spell.ended_on, spell.ended_as = lapse_day(deadline, spell.started_on), Ending.LAPSED


def _stage(spell: Participation) -> Stage:
    return Stage.JOINED if spell.ended_on is None else Stage.LAPSED


def _step(
    session: Session, person: Prospect, to: Stage, by_id: UUID | None, because_id: UUID, at: datetime
) -> dict[str, str] | None:
    if person.stage is to:
        return None
    step = {"from": person.stage.value, "to": to.value}
    session.add(
        StageChange(
            town_id=person.town_id,
            id=new_id(),
            prospect_id=person.id,
            from_stage=person.stage,
            to_stage=to,
            at=at,
            by_id=by_id,
            because_id=because_id,
        )
    )
    person.stage, person.updated_at = to, at
    if to is Stage.JOINED:
        person.next_contact_on = None
    return step


def taken_back(session: Session, listed: ListImport, rows: Rows, at: datetime) -> Mapping[UUID, str]:
    """Spells this list opened never counted; those it carried on stand where they stood, as far as nobody worked on them."""
    did = kept_of(session, listed, [row.id for row, _one in rows])
    people = _people(session, listed.town_id, [person_of(row) for row, _one in rows if row.id in did])
    spells = {spell.id: spell for known in _spells(session, listed.town_id, list(people)).values() for spell in known}
    paid = _paid(session, listed.town_id, list(spells))
    kept: dict[UUID, str] = {}
    for row, _one in rows:
        done = did.get(row.id)
        spell = spells.get(UUID(done["spell"])) if done else None
        if done is None or spell is None:
            continue
        if spell.id in paid and done.get("opened"):
            kept[row.id] = PAID_SINCE
        elif _plain(spell.paid_through) != done["paid_through"]:
            kept[row.id] = SPELL_CHANGED
        else:
            _undo(spell, done, local_day(at), at)
            if (person := people.get(spell.prospect_id)) and done.get("stage"):
                _step_back(session, person, done["stage"], listed, at)
    session.flush()
    forget(session, listed, [row_id for row_id in did if row_id not in kept])
    return kept


def _paid(session: Session, town_id: UUID, spell_ids: Sequence[UUID]) -> set[UUID]:
    query = select(Payment.participation_id).where(
        Payment.town_id == town_id, Payment.participation_id == any_(literal(list(spell_ids), ARRAY(Uuid())))
    )
    return set(session.scalars(query))


def _undo(spell: Participation, done: Mapping[str, Any], today: date, at: datetime) -> None:
    if done.get("opened"):
        spell.withdrawn_at = at
        return
    before = done["before"]
    spell.paid_through = date.fromisoformat(before["paid_through"]) if before["paid_through"] else None
    spell.deadline_on = date.fromisoformat(before["deadline_on"]) if before["deadline_on"] else None
    spell.method = before["method"]
    if spell.ended_as in (None, Ending.LAPSED):
        spell.take_back_ending()
        if spell.deadline_on:
            _lapse(spell, spell.deadline_on, today)


def _step_back(session: Session, person: Prospect, step: Mapping[str, str], listed: ListImport, at: datetime) -> None:
    if person.stage.value == step["to"]:
        _step(session, person, Stage(step["from"]), listed.created_by_id, listed.id, at)


def _plain(day: date | None) -> str | None:
    return day.isoformat() if day else None


kinds.handles(ListKind.PARTICIPANTS, taken_in=taken_in, taken_back=taken_back, why_kept=WHY_KEPT)
