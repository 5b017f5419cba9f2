"""Drafting a decree, comparing it, putting it on record, and withdrawing what has not begun."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.services import note_change_of
from crm.clock import local_day
from crm.decrees.models import Decree, DecreeImpact, DecreePerson, DecreeRow
from crm.decrees.queries import concerned, decree, impact_of, payers, reckoned, recorded_by, said_of
from crm.decrees.rules.comparing import Compared, Rules, compare
from crm.decrees.rules.saying import Said, check_day, check_items, check_whole, reaches
from crm.decrees.rules.states import ImpactState, State
from crm.errors import Conflict, NotFound, RuleBroken
from crm.ids import new_id
from crm.places.boundaries import boundaries
from crm.premiums.models import LawValueRow, LocalTopUpRow
from crm.premiums.queries import all_top_ups, law
from crm.premiums.rules.keys import LawStatus
from crm.premiums.rules.law import LawValue, LocalTopUp
from crm.prospects.models import Prospect

CHUNK = 500
"""People compared in one transaction."""
AT_ONCE = 2_000
"""So many are compared while one waits."""


def describe(session: Session, said: Said, *, by: User, at: datetime) -> Decree:
    """A draft; nothing changes until it is saved. Raises RuleBroken."""
    _check_day(session, said, at)
    check_items(said)
    row = Decree(
        town_id=by.town_id,
        id=new_id(),
        document=said.document,
        article=said.article,
        source=said.source,
        note=said.note,
        effective_from=said.since,
        status=said.status,
        items=[item.as_json() for item in said.items],
        version=1,
        state=State.DRAFT,
        created_at=at,
        created_by_id=by.id,
    )
    session.add(row)
    session.flush()
    _note(session, row, "describe_decree", by, at, after=_told(said))
    return row


def amend(session: Session, row: Decree, said: Said, *, version: int, by: User, at: datetime) -> None:
    """Another wording of a draft. Raises RuleBroken, and Conflict when somebody changed it meanwhile."""
    _still_a_draft(row, version)
    _check_day(session, said, at)
    check_items(said)
    before = _told(said_of(row))
    row.document, row.article, row.source, row.note = said.document, said.article, said.source, said.note
    row.effective_from, row.status = said.since, said.status
    row.items = [item.as_json() for item in said.items]
    row.version += 1
    session.flush()
    _note(session, row, "amend_decree", by, at, before=before, after=_told(said))


def drop(session: Session, row: Decree, *, by: User, at: datetime) -> None:
    """Throw a draft away. Raises RuleBroken when it is more than that."""
    _still_a_draft(row, row.version)
    row.state = State.DROPPED
    _forget_impact(session, row)
    _note(session, row, "drop_decree", by, at, before=_told(said_of(row)))
    session.flush()


def save(session: Session, row: Decree, *, version: int, by: User, at: datetime) -> None:
    """Put a decree on record, as it was looked at. Raises RuleBroken, and Conflict when it is not what was looked at."""
    _still_a_draft(row, version)
    said = said_of(row)
    _check_day(session, said, at)
    check_whole(said, law(session), all_top_ups(session, row.town_id))
    looked = impact_of(session, row)
    if looked is None or looked.state is not ImpactState.DONE or looked.version != row.version:
        raise RuleBroken(_l("Look first at who will pay more and who less."), code="not_compared")
    try:
        with session.begin_nested():
            _put_on_record(session, row, said, at)
    except IntegrityError as refused:
        if "_standing" not in str(refused.orig):
            raise
        raise Conflict(
            _l("Somebody has just put the same value on record for that day. Look at the law again."), code="taken"
        ) from None
    for item in said.items:
        if item.confirms and (found := session.get(LawValueRow, item.confirms)) and found.withdrawn_at is None:
            found.withdrawn_at, found.withdrawn_why = at, str(_l("Confirmed by %(document)s", document=said.document))
    row.state, row.saved_at, row.saved_by_id = State.SAVED, at, by.id
    session.flush()
    _note(session, row, "save_decree", by, at, after=_told(said))


def _put_on_record(session: Session, row: Decree, said: Said, at: datetime) -> None:
    """The rows of the law and of places, and what ties them to their decree."""
    values = [_value_row(value, at) for value in said.values()]
    top_ups = [_top_up_row(row, said, top_up, at) for top_up in said.top_ups()]
    session.add_all([*values, *top_ups])
    session.flush()
    ties = [{"law_value_id": kept.id} for kept in values] + [{"local_top_up_id": kept.id} for kept in top_ups]
    session.add_all(DecreeRow(town_id=row.town_id, id=new_id(), decree_id=row.id, **tie) for tie in ties)
    session.flush()


def _value_row(value: LawValue, at: datetime) -> LawValueRow:
    return LawValueRow(
        id=new_id(),
        key=value.key,
        ground=value.ground,
        of_year=value.of_year,
        value=value.value,
        effective_from=value.since,
        document=value.document,
        article=value.article,
        source=value.source,
        status=value.status,
        note=value.note,
        recorded_at=at,
    )


def _top_up_row(row: Decree, said: Said, top_up: LocalTopUp, at: datetime) -> LocalTopUpRow:
    return LocalTopUpRow(
        town_id=row.town_id,
        id=new_id(),
        place_id=top_up.place,
        ground=top_up.ground,
        percent=top_up.percent,
        amount=top_up.amount,
        effective_from=top_up.since,
        effective_to=top_up.until,
        months_cap=top_up.months_cap,
        document=said.document,
        article=said.article,
        source=said.source,
        note=said.note,
        status=said.status,
        recorded_at=at,
    )


def withdraw(session: Session, row: Decree, recorded_id: UUID, why: str, *, by: User, at: datetime) -> None:
    """Take something back that has not begun, or was only announced. Raises RuleBroken when it has."""
    found = next((one for one in recorded_by(session, row) if one.id == recorded_id), None)
    if found is None:
        raise NotFound
    kind: Any = type(found.row)
    key = found.row.id if isinstance(found.row, LawValueRow) else (row.town_id, found.row.id)
    rule = session.get_one(kind, key, with_for_update=True, populate_existing=True)
    if rule.withdrawn_at is not None:
        raise Conflict(_l("This was withdrawn already."), code="withdrawn_already")
    if rule.status is not LawStatus.ANNOUNCED and rule.effective_from <= local_day(at):
        raise RuleBroken(
            _l("This holds already. It cannot be taken back: put a new decree on record that follows it."),
            code="has_begun",
        )
    if not why.strip():
        raise RuleBroken(_l("Write why it is withdrawn."), field="why")
    rule.withdrawn_at, rule.withdrawn_why = at, why.strip()
    session.flush()
    _note(session, row, "withdraw_law", by, at, after={"row": str(rule.id), "why": why.strip()})


# ---- who pays how much more or less


def ask_impact(session: Session, row: Decree, *, at: datetime) -> DecreeImpact:
    """Begin to compare a draft for everybody it concerns; `step` does it. What was compared before is forgotten."""
    _still_a_draft(row, row.version)
    check_whole(said_of(row), law(session), all_top_ups(session, row.town_id))
    _forget_impact(session, row)
    total = session.scalar(select(func.count()).select_from(concerned(row.town_id).subquery())) or 0
    impact = DecreeImpact(
        town_id=row.town_id,
        decree_id=row.id,
        version=row.version,
        today=local_day(at),
        state=ImpactState.WAITING,
        total=total,
        done=0,
        begun_at=at,
        heartbeat_at=at,
    )
    session.add(impact)
    session.flush()
    return impact


def step(session: Session, town_id: UUID, decree_id: UUID, *, at: datetime) -> bool:
    """Compare the next people; whether more may follow. Another worker's chunk is left to it."""
    at_work = DecreeImpact.state.in_((ImpactState.WAITING, ImpactState.WORKING))
    impact = session.scalar(
        select(DecreeImpact)
        .where(DecreeImpact.town_id == town_id, DecreeImpact.decree_id == decree_id, at_work)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if impact is None:
        return False
    row = decree(session, town_id, decree_id)
    next_ones = concerned(town_id).order_by(Prospect.id).limit(CHUNK)
    if impact.last_id is not None:
        next_ones = next_ones.where(Prospect.id > impact.last_id)
    ids = session.scalars(next_ones).all()
    if ids:
        _compare(session, row, ids, impact.today)
        impact.last_id = ids[-1]
    impact.done += len(ids)
    impact.heartbeat_at = at
    impact.state = ImpactState.WORKING if len(ids) == CHUNK else ImpactState.DONE
    impact.total = max(impact.total, impact.done) if impact.state is ImpactState.WORKING else impact.done
    session.flush()
    return impact.state is ImpactState.WORKING


def _compare(session: Session, row: Decree, ids: Any, today: date) -> None:
    """Write down what the decree means for these people."""
    said = said_of(row).counted()
    whole, top_ups = law(session), all_top_ups(session, row.town_id)
    before, after = Rules(whole, top_ups), Rules(said.added_to(whole), [*top_ups, *said.top_ups()])
    within = boundaries(session, row.town_id, today)
    rows = [
        {
            "town_id": row.town_id,
            "decree_id": row.id,
            "prospect_id": asked.id,
            "takes_part": asked.payer.takes_part,
            "place_id": asked.place_id,
            **_figures(compare(before, after, asked.payer, max(row.effective_from, today), today)),
        }
        for asked in payers(session, row.town_id, ids, today, within)
    ]
    session.execute(insert(DecreePerson), rows)


def _figures(compared: Compared) -> dict[str, Any]:
    found: dict[str, Any] = {
        "ground": str(compared.after.ground),
        "start_month": compared.after.start.first_day,
        "months": compared.after.plan.months,
        "pay_by": compared.pay_by,
        "before_possible": compared.before_possible,
        "below_floor": compared.below_floor,
    }
    for when, told in (("before", compared.before), ("after", compared.after)):
        found |= {
            f"income_{when}": told.income,
            f"gross_{when}": told.gross,
            f"state_{when}": told.state_support,
            f"place_{when}": told.local_support,
            f"sponsors_{when}": told.other_support,
            f"own_{when}": told.payable,
        }
    return found


def _forget_impact(session: Session, row: Decree) -> None:
    for table in (DecreePerson, DecreeImpact):
        session.execute(delete(table).where(table.town_id == row.town_id, table.decree_id == row.id))
    session.expire_all()


def without(said: Said, number: int) -> Said:
    """A draft without one of its lines."""
    return replace(said, items=tuple(item for place, item in enumerate(said.items) if place != number))


def _check_day(session: Session, said: Said, at: datetime) -> None:
    check_day(said, local_day(at), reckoned(session, reaches(said, law(session))))


def _still_a_draft(row: Decree, version: int) -> None:
    if row.state is State.SAVED:
        raise Conflict(_l("This decree is on record already."), code="saved_already")
    if row.state is State.DROPPED:
        raise NotFound
    if row.version != version:
        raise Conflict(_l("Somebody changed this draft meanwhile. Look at it again."), code="changed_meanwhile")


def _told(said: Said) -> dict[str, object]:
    return {
        "document": said.document,
        "article": said.article,
        "source": said.source,
        "since": str(said.since),
        "status": str(said.status),
        "items": [item.as_json() for item in said.items],
    }


def _note(session: Session, row: Decree, act: str, by: User, at: datetime, **what: Any) -> None:
    note_change_of(session, row, act, by=by, at=at, **what)
