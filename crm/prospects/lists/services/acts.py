"""Doing one thing to many people, a chunk to a transaction, and undoing it for those nobody touched since."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, bindparam, func, insert, literal, select, update
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import Scope, scope_of
from crm.clock import local_day
from crm.errors import RuleBroken
from crm.ids import new_id
from crm.prospects.lists.bulk import Doing, Kind, Then, kind_of
from crm.prospects.lists.models import BulkAct, BulkActPerson
from crm.prospects.lists.narrowing import Narrowing
from crm.prospects.lists.rules import (
    ACTS_AT_WORK,
    CHUNK,
    IN_THE_REQUEST,
    LONGEST_REASON,
    MOST_AT_ONCE,
    UNDONE_WITHIN,
    ActState,
    Outcome,
    Why,
)
from crm.prospects.models import Prospect
from crm.prospects.queries.lists import people
from crm.prospects.queries.seeing import listed_to


@dataclass(frozen=True)
class Meant:
    """Whom an act is for: these people, or everybody a list finds at this moment."""

    people: Collection[UUID] = ()
    narrowing: Narrowing | None = None
    q: str = ""


def ask_for(
    session: Session, scope: Scope, kind_key: str, sent: Mapping[str, Any], meant: Meant, *, by: User, at: datetime
) -> BulkAct:
    """Fix what is to be done and to whom; `work` does it. Raises RuleBroken when that may not be, or nobody is meant."""
    kind = kind_of(kind_key)
    if not by.may(kind.permission):
        raise RuleBroken(_l("Your account may not do this to people."), field="kind")
    reason = str(sent.get("reason") or "").strip()
    if len(reason) > LONGEST_REASON:
        raise RuleBroken(_l("Shorten the reason."), field="reason")
    act = BulkAct(
        town_id=scope.town_id,
        id=new_id(),
        kind=kind.key,
        detail=kind.check(session, scope, sent),
        asked=meant.narrowing.as_args() if meant.narrowing is not None else None,
        q=meant.q if meant.narrowing is not None else "",
        reason=reason or None,
        by_id=by.id,
        at=at,
    )
    session.add(act)
    session.flush()
    act.people = _fix(session, scope, act, meant, at)
    if not act.people:
        raise RuleBroken(_l("Choose at least one person."), field="people")
    session.flush()
    return act


def _fix(session: Session, scope: Scope, act: BulkAct, meant: Meant, at: datetime) -> int:
    """Write down who is meant, one statement however many; answers how many."""
    query: Select[Any] = select(Prospect).where(listed_to(scope), Prospect.id.in_(list(meant.people)))
    if meant.narrowing is not None:
        today = local_day(at)
        query = people(scope, meant.narrowing.filters(session, scope, today), meant.q, today=today)
    some = query.with_only_columns(
        literal(act.town_id), literal(act.id), Prospect.id, literal(Outcome.WAITING.value)
    ).limit(MOST_AT_ONCE + 1)
    names = ["town_id", "act_id", "prospect_id", "outcome"]
    session.execute(insert(BulkActPerson).from_select(names, some, include_defaults=False))
    mine = (BulkActPerson.town_id == act.town_id) & (BulkActPerson.act_id == act.id)
    fixed = session.scalar(select(func.count()).select_from(BulkActPerson).where(mine)) or 0
    if fixed > MOST_AT_ONCE:
        raise RuleBroken(
            _l("That is too many people at once. Narrow the list to at most %(most)s.", most=f"{MOST_AT_ONCE:,}"),
            field="people",
        )
    if meant.narrowing is None and fixed < len(set(meant.people)):
        raise RuleBroken(_l("Some of these people are not in your list. Open the list again."), field="people")
    return fixed


def is_small(act: BulkAct) -> bool:
    """Whether it is done while one waits."""
    return act.people <= IN_THE_REQUEST


def work_at_once(session: Session, act: BulkAct, *, at: datetime) -> None:
    """Do, or undo, a small act to its end, here and now."""
    while step(session, act.town_id, act.id, at=at):
        pass


def step(session: Session, town_id: UUID, act_id: UUID, *, at: datetime) -> bool:
    """The next chunk of an act, or of its undoing; whether more may follow. Another worker's chunk is left to it."""
    act = session.scalar(
        select(BulkAct)
        .where(BulkAct.town_id == town_id, BulkAct.id == act_id, BulkAct.state.in_(ACTS_AT_WORK))
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if act is None:
        return False
    undoing = act.state is ActState.UNDOING
    by = session.get(User, (town_id, act.undone_by_id if undoing and act.undone_by_id else act.by_id))
    if by is None or not by.active:
        act.state, act.problem = ActState.FAILED, "inactive"
        session.flush()
        return False
    doing = Doing(act, scope_of(session, by), by, at)
    chunk = _next(session, act, Outcome.DONE if undoing else Outcome.WAITING)
    try:
        with session.begin_nested():
            if chunk:
                (_undo if undoing else _do)(session, kind_of(act.kind), doing, chunk)
    except RuleBroken as refusal:
        act = session.get_one(BulkAct, (town_id, act_id))
        act.state, act.problem = ActState.FAILED, str(refusal.message)
        session.flush()
        return False
    act = session.get_one(BulkAct, (town_id, act_id))
    act.done, act.heartbeat_at = act.done + len(chunk), at
    act.state = ActState.UNDOING if undoing else ActState.WORKING
    if len(chunk) < CHUNK:
        act.state = ActState.UNDONE if undoing else ActState.DONE
    session.flush()
    return len(chunk) == CHUNK


def _next(session: Session, act: BulkAct, outcome: Outcome) -> Sequence[Then]:
    query = (
        select(BulkActPerson.prospect_id, BulkActPerson.at, BulkActPerson.before)
        .where(BulkActPerson.town_id == act.town_id, BulkActPerson.act_id == act.id)
        .where(BulkActPerson.outcome == outcome)
        .order_by(BulkActPerson.prospect_id)
        .limit(CHUNK)
    )
    return [Then(row[0], row[1] or act.at, row[2] or {}) for row in session.execute(query)]


def _held(session: Session, doing: Doing, ids: Sequence[UUID]) -> set[UUID]:
    """Those of these people who are still in sight, kept from others until the chunk is done; always in one order, so
    that two acts on the same people wait for each other instead of blocking each other."""
    query = (
        select(Prospect.id)
        .where(listed_to(doing.scope), Prospect.id.in_(ids))
        .order_by(Prospect.id)
        .with_for_update(key_share=True)
    )
    return set(session.scalars(query))


def _do(session: Session, kind: Kind, doing: Doing, chunk: Sequence[Then]) -> None:
    ids = [one.person for one in chunk]
    seen = _held(session, doing, ids)
    if doing.by.may(kind.permission):
        did = kind.do(session, doing, [one for one in ids if one in seen])
        why = {**did.left_out, **{one: Why.OUT_OF_SIGHT for one in ids if one not in seen}}
        before = did.before
    else:
        why, before = dict.fromkeys(ids, Why.OUT_OF_SIGHT), {}
    _settle(session, doing, [(one, _outcome(one, why, Outcome.DONE, Outcome.LEFT_OUT), why.get(one)) for one in ids])
    _keep(session, doing, {one: kept for one, kept in before.items() if kept})


def _undo(session: Session, kind: Kind, doing: Doing, chunk: Sequence[Then]) -> None:
    ids = [one.person for one in chunk]
    seen = _held(session, doing, ids)
    here = [one for one in chunk if one.person in seen]
    why = dict(kind.back(session, doing, here)) if here else {}
    why |= {one: Why.OUT_OF_SIGHT for one in ids if one not in seen}
    _settle(session, doing, [(one, _outcome(one, why, Outcome.BACK, Outcome.STAYED), why.get(one)) for one in ids])


def _outcome(one: UUID, why: Mapping[UUID, Why], well: Outcome, otherwise: Outcome) -> Outcome:
    return otherwise if one in why else well


def _settle(session: Session, doing: Doing, told: Sequence[tuple[UUID, Outcome, Why | None]]) -> None:
    """Write down what became of these people: one statement for each way."""
    ways: dict[tuple[Outcome, Why | None], list[UUID]] = {}
    for one, outcome, why in told:
        ways.setdefault((outcome, why), []).append(one)
    for (outcome, why), ids in ways.items():
        session.execute(
            update(BulkActPerson)
            .where(_these(doing, ids))
            .values(outcome=outcome, why=why, at=doing.at)
            .execution_options(synchronize_session=False)
        )


def _keep(session: Session, doing: Doing, before: Mapping[UUID, Mapping[str, Any]]) -> None:
    """What undoing puts back, in one go."""
    if not before:
        return
    one = update(BulkActPerson.__table__).where(_these(doing, None)).values(before=bindparam("kept"))  # type: ignore[arg-type]
    session.connection().execute(one, [{"person": person, "kept": dict(kept)} for person, kept in before.items()])


def _these(doing: Doing, ids: Sequence[UUID] | None) -> Any:
    """These people of the act; None: the one that is bound as `person`."""
    who = BulkActPerson.prospect_id == bindparam("person") if ids is None else BulkActPerson.prospect_id.in_(ids)
    return (BulkActPerson.town_id == doing.scope.town_id) & (BulkActPerson.act_id == doing.act.id) & who


def undo(session: Session, act: BulkAct, *, by: User, at: datetime) -> None:
    """Begin to undo an act; `step` does it. Raises RuleBroken when it is too late or it was undone before."""
    held = session.scalar(
        select(BulkAct)
        .where(BulkAct.town_id == act.town_id, BulkAct.id == act.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if held is None or held.state is not ActState.DONE:
        raise RuleBroken(_l("This is not done yet, or it was undone before."), code="not_done")
    if at > held.at + UNDONE_WITHIN:
        raise RuleBroken(_l("This can be undone for one day only."), code="too_late")
    held.state, held.undone_at, held.undone_by_id, held.done, held.heartbeat_at = ActState.UNDOING, at, by.id, 0, at
    session.flush()


def done_to(session: Session, act: BulkAct) -> int:
    """How many people the act changed, whether it was undone since or not."""
    query = (
        select(func.count())
        .select_from(BulkActPerson)
        .where(
            BulkActPerson.town_id == act.town_id,
            BulkActPerson.act_id == act.id,
            BulkActPerson.outcome.in_((Outcome.DONE, Outcome.BACK, Outcome.STAYED)),
        )
    )
    return session.scalar(query) or 0
