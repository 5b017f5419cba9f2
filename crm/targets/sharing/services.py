"""Proposing, changing, sending, answering and settling the shares of a target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import Scope
from crm.accounts.services import note_change
from crm.errors import Conflict, RuleBroken
from crm.ids import new_id
from crm.targets import queries as targets
from crm.targets.models import Target
from crm.targets.rules import Facts, Indicator, Whose
from crm.targets.services import Told, set_targets
from crm.targets.sharing.models import TargetShare, TargetSharing
from crm.targets.sharing.queries import Known, known_units
from crm.targets.sharing.rules import Answer, Level, Method, NextYear, State, next_year, shared_out
from crm.web.filters import in_number

COLUMN = {Level.PLACE: "place_id", Level.ORGANISATION: "organisation_id", Level.VOLUNTEER: "volunteer_id"}


def propose(
    session: Session,
    scope: Scope,
    *,
    year: int,
    level: Level,
    total: int,
    method: Method,
    least: int,
    authority: str,
    document: str | None,
    note: str | None,
    of_place_id: UUID | None = None,
    of_organisation_id: UUID | None = None,
    rule: NextYear | None = None,
    today: date,
    by: User,
    at: datetime,
) -> TargetSharing:
    """A draft: every unit that this person may see with its share. Raises RuleBroken where there is nobody to share among,
    and Conflict `sharing_open` while another of the same is being prepared."""
    units, apart = known_units(session, scope, level, today)
    if not units:
        raise RuleBroken(_l("There is nobody to share the target among."), field="level", code="nobody_to_share")
    if total < apart:
        message = _l("%(apart)s people take part already and none of these looks after them.", apart=in_number(apart))
        raise RuleBroken(message, field="total", code="fewer_than_apart")
    row = TargetSharing(
        town_id=scope.town_id,
        id=new_id(),
        year=year,
        level=level,
        of_place_id=of_place_id,
        of_organisation_id=of_organisation_id,
        total=total,
        apart=apart,
        method=method,
        least=least,
        from_this_year=rule._asdict() if rule else None,
        authority=authority,
        document=document,
        note=note,
        state=State.DRAFT,
        made_at=at,
        made_by_id=by.id,
        sent_at=None,
        settled_at=None,
        settled_by_id=None,
    )
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError as refusal:
        if getattr(getattr(refusal.orig, "diag", None), "constraint_name", None) != "uq_target_sharing_open":
            raise
        message = _l("A sharing out of this target is being prepared already. Go on with it, or drop it first.")
        raise Conflict(message, code="sharing_open") from None
    session.add_all(_shares(row, units, known_before=year <= today.year))
    session.flush()
    return row


def _shares(row: TargetSharing, units: Sequence[Known], *, known_before: bool) -> list[TargetShare]:
    parts = {part.key: part for part in shared_out(row.to_share, [one.unit for one in units], row.method, row.least)}
    return [
        TargetShare(
            town_id=row.town_id,
            id=new_id(),
            sharing_id=row.id,
            **{name: one.unit.key if level is row.level else None for level, name in COLUMN.items()},
            stock=one.unit.stock,
            could_join=one.unit.could_join,
            gained=one.unit.gained,
            baseline=one.baseline if known_before else None,
            weight=float(parts[one.unit.key].weight),
            capped=parts[one.unit.key].capped,
            proposed=parts[one.unit.key].people,
            people=parts[one.unit.key].people,
        )
        for one in units
    ]


def for_next_year(session: Session, scope: Scope, today: date) -> NextYear:
    """The town's target of the year after, as the rule has it from what is known today."""
    units, apart = known_units(session, scope, Level.PLACE, today)
    now = targets.town_target(session, scope.town_id, today.year)
    stock, start = sum(one.unit.stock for one in units), sum(one.baseline for one in units)
    return next_year(stock + apart, stock - start, now.people - now.baseline if now and now.baseline is not None else 0)


def change_numbers(session: Session, row: TargetSharing, numbers: Mapping[UUID, int], *, version: int) -> None:
    """Numbers written by hand. They sum to the whole, or nothing changes: raises RuleBroken `sum_differs`. Whoever is asked
    for another number than they agreed to has to be asked again."""
    _still_open(row)
    if version != row.version:
        message = _l("Somebody has changed these numbers meanwhile. Look at them, then write yours.")
        raise Conflict(message, code="sharing_changed")
    shares = _shares_of(session, row)
    wanted = {share.id: numbers.get(share.id, share.people) for share in shares}
    _sums_to(row, row.apart + sum(wanted.values()))
    for share in shares:
        if wanted[share.id] != share.people:
            share.people = wanted[share.id]
            granted = share.answer is Answer.OTHER and share.asked == share.people
            share.answer, share.asked = (Answer.AGREE, None) if granted else (None, None)
    row.version += 1
    session.flush()


def _sums_to(row: TargetSharing, total: int) -> None:
    if total > row.total:
        more = in_number(total - row.total)
        message = _l("The parts sum to %(sum)s: %(more)s more than the whole.", sum=in_number(total), more=more)
        raise RuleBroken(message, code="sum_differs")
    if total < row.total:
        fewer = in_number(row.total - total)
        message = _l("The parts sum to %(sum)s: %(fewer)s fewer than the whole.", sum=in_number(total), fewer=fewer)
        raise RuleBroken(message, code="sum_differs")


def send(session: Session, row: TargetSharing, *, at: datetime) -> None:
    """Ask every unit whether it agrees; they find it on their first page."""
    _still_open(row)
    if row.state is State.DRAFT:
        row.state, row.sent_at = State.SENT, at
    session.flush()


def answer(
    session: Session,
    share: TargetShare,
    row: TargetSharing,
    *,
    told: int,
    agrees: bool,
    asked: int | None,
    reason: str | None,
    by: User,
    at: datetime,
) -> None:
    """What a unit says to its number, the one it was `told`: yes, or another number with a reason. The last answer holds
    until it is settled. Raises Conflict `number_changed` when it is asked for another number by now."""
    session.refresh(row, with_for_update=True)
    session.refresh(share)
    _still_open(row)
    if told != share.people:
        message = _l("Your number has been changed meanwhile: it is %(people)s now.", people=in_number(share.people))
        raise Conflict(message, code="number_changed")
    if not agrees and asked is None:
        raise RuleBroken(_l("Write the number you could reach."), field="asked")
    if not agrees and not reason:
        raise RuleBroken(_l("Say why: whoever decides reads it beside your number."), field="reason")
    if not agrees and asked == share.people:
        raise RuleBroken(_l("This is the number you are asked for. Agree to it, or write another."), field="asked")
    share.answer = Answer.AGREE if agrees else Answer.OTHER
    share.asked, share.reason = (None, reason) if agrees else (asked, reason)
    share.answered_at, share.answered_by_id = at, by.id
    session.flush()


def settle(session: Session, row: TargetSharing, *, version: int, by: User, at: datetime) -> list[Target]:
    """The shares become targets, each a further revision where there was one; a town's new total becomes its target."""
    _still_open(row)
    if version != row.version:
        message = _l("Somebody has changed these numbers meanwhile. Look at them, then settle them.")
        raise Conflict(message, code="sharing_changed")
    shares = _shares_of(session, row)
    _sums_to(row, row.apart + sum(share.people for share in shares))
    whole = Whose(row.year, place_id=row.of_place_id, organisation_id=row.of_organisation_id)
    before = targets.current(session, row.town_id, whole)
    wanted = {whole: Facts(row.total, *(_rest(before) if before else ()))}
    for share in shares:
        whose = Whose(row.year, Indicator.VOLUNTARY, share.place_id, share.organisation_id, share.volunteer_id)
        wanted[whose] = Facts(share.people, baseline=share.baseline)
    why = row.note or str(_("Shared out again"))
    told = Told(authority=row.authority, document=row.document, reason=why, by=by, at=at)
    kept = set_targets(session, row.town_id, row.year, wanted, **told)
    row.state, row.settled_at, row.settled_by_id = State.SETTLED, at, by.id
    _note(session, row, "settle_targets", by, at, {"total": row.total})
    session.flush()
    return kept


def _rest(before: Target) -> tuple[Any, ...]:
    return before.rate, before.denominator, before.baseline, before.population


def drop(session: Session, row: TargetSharing, *, by: User, at: datetime) -> None:
    """It comes to nothing; no target changes."""
    _still_open(row)
    row.state = State.DROPPED
    _note(session, row, "drop_sharing", by, at, {})
    session.flush()


def _note(session: Session, row: TargetSharing, act: str, by: User, at: datetime, after: dict[str, object]) -> None:
    note_change(
        session,
        town_id=row.town_id,
        user_id=by.id,
        act=act,
        subject="target_sharing",
        subject_id=row.id,
        at=at,
        after={"year": row.year, "level": row.level.value, **after},
    )


def _still_open(row: TargetSharing) -> None:
    if row.state not in (State.DRAFT, State.SENT):
        raise Conflict(
            _l("This sharing out is closed. The targets that hold are on the page of targets."), code="closed"
        )


def _shares_of(session: Session, row: TargetSharing) -> Sequence[TargetShare]:
    query = select(TargetShare).where(TargetShare.town_id == row.town_id, TargetShare.sharing_id == row.id)
    return session.scalars(query.order_by(TargetShare.id)).all()
