"""Recording conversations and giving people to those who look after them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import Row, Select, Uuid, bindparam, cast, column, func, insert, select, update, values
from sqlalchemy.dialects.postgresql import insert as insert_once
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import Scope, volunteers_for
from crm.accounts.rules import May
from crm.clock import local_day
from crm.errors import Conflict, NotFound, RuleBroken
from crm.outreach.models import Assignment, Visit
from crm.outreach.packages.models import PackageItem
from crm.outreach.packages.rules import DELIVERED_FOR, Settled
from crm.outreach.queries import became, once_held, steps_of, visit_and_person, visits_to
from crm.outreach.rules import (
    CHANGEABLE_FOR,
    Channel,
    NewVisit,
    Reason,
    Said,
    before_the_visits,
    changeable,
    check_moment,
    check_next,
    check_note,
    contact_after,
    stage_told_by,
)
from crm.prospects import added
from crm.prospects.merging.services.joining import arrived_under
from crm.prospects.models import Prospect
from crm.prospects.queries.seeing import listed_to, person_seen
from crm.prospects.services.stages import move_stage

MOST_AT_ONCE = 1000


# ---- visits


class Recorded(NamedTuple):
    """A visit, and whether this call made it; the same client id again finds what the first call made."""

    visit: Visit
    created: bool


def record_visit(
    session: Session, scope: Scope, new: NewVisit, *, by: User, at: datetime, keyed_by: User | None = None
) -> Recorded:
    """Keep a conversation of `by` with somebody within `scope`, and what follows from it for that person.

    A person who left the hands of `by` meanwhile is reached all the same when the conversation took place while they
    were in them, not longer than `DELIVERED_FOR` ago: the visit then says `handed_on`, and whoever has the person now
    reads it. `keyed_by` typed it in from paper. Raises NotFound, RuleBroken at the field that is wrong, Conflict when
    the client id belongs to another visit.
    """
    who, known = _person_and_visit(session, scope, new)
    if known is not None:
        return _the_same(session, scope, known, new, by)
    check_moment(new.occurred_at, at)
    check_note(new.note)
    who, handed_on = (who, False) if who else _in_sight_or_once_held(session, scope, new, by, at)
    day = local_day(new.occurred_at)
    if new.next_contact_on:
        check_next(new.next_contact_on, day)
    kept = {
        "town_id": who.town_id,
        "id": new.client_id,
        "prospect_id": who.id,
        "user_id": by.id,
        "organisation_id": by.organisation_id,
        "place_id": who.place_id,
        "occurred_at": new.occurred_at,
        "recorded_at": at,
        "channel": new.channel,
        "outcome": new.outcome,
        "reasons": sorted(new.reasons),
        "note": new.note,
        "next_contact_on": new.next_contact_on or contact_after(new.outcome, day, new.reasons, stage=who.stage),
        "keyed_by_id": keyed_by.id if keyed_by else None,
        "handed_on": handed_on,
    }
    visit = session.scalar(_INSERT_ONCE, kept)
    if visit is None:
        return _the_same(session, scope, session.get_one(Visit, (who.town_id, new.client_id)), new, by)
    arrived_under(session, new.prospect_id, who, "visit", visit.id)
    _settle(session, who, visit, by=by, at=at)
    return Recorded(visit, created=True)


_INSERT_ONCE = insert_once(Visit).on_conflict_do_nothing().returning(Visit)


def _person_and_visit(session: Session, scope: Scope, new: NewVisit) -> tuple[Prospect | None, Visit | None]:
    """The person, held, and the visit of that client id if it is there: one query for what is nearly always the case.

    No person when the record is out of sight or was merged into another; then the visit is looked for by itself.
    """
    row = session.execute(_held_with_visit(scope), {"person": new.prospect_id, "visit": new.client_id}).one_or_none()
    return (row[0], row[1]) if row else (None, session.get(Visit, (scope.town_id, new.client_id)))


def _in_sight_or_once_held(
    session: Session, scope: Scope, new: NewVisit, by: User, at: datetime
) -> tuple[Prospect, bool]:
    """The person, held, and whether they left the hands of `by` since the conversation. Raises NotFound."""
    try:
        return _held(session, person_seen(session, scope, new.prospect_id)), False
    except NotFound:
        once = once_held(session, scope.town_id, new.prospect_id, by.id, at=new.occurred_at, since=at - DELIVERED_FOR)
        if once is None:
            raise
        return _held(session, once), True


@lru_cache(maxsize=512)
def _held_with_visit(scope: Scope) -> Select[Prospect, Visit]:
    return (
        select(Prospect, Visit)
        .outerjoin(Visit, (Visit.town_id == Prospect.town_id) & (Visit.id == bindparam("visit")))
        .where(listed_to(scope), Prospect.id == bindparam("person"))
        .with_for_update(key_share=True, of=Prospect)
        .execution_options(populate_existing=True)
    )


def _the_same(session: Session, scope: Scope, known: Visit, new: NewVisit, by: User) -> Recorded:
    """The visit that is there already, when it is the one that was sent again."""
    same_person = known.prospect_id == new.prospect_id
    if known.user_id != by.id or not (
        same_person or became(session, scope.town_id, new.prospect_id)[-1] == known.prospect_id
    ):
        raise Conflict(_l("This client id belongs to another visit. Make a new one."), code="client_id_taken")
    return Recorded(known, created=False)


@dataclass(frozen=True)
class Amendment:
    """What a visit says after it was amended, in place of what it said. No next contact: nobody comes again."""

    channel: Channel
    reasons: frozenset[Reason]
    note: str | None
    next_contact_on: date | None


def amend_visit(
    session: Session, scope: Scope, visit_id: UUID, amendment: Amendment, *, by: User, at: datetime
) -> Visit:
    """Add reasons, a note or another next day. Its author may for a day, whoever assigns work at any time."""
    visit, who = _changeable(session, scope, visit_id, by=by, at=at)
    if visit.withdrawn_at is not None:
        raise RuleBroken(_l("This visit was taken back. Record it again."), code="withdrawn")
    check_note(amendment.note)
    if amendment.next_contact_on:
        check_next(amendment.next_contact_on, local_day(visit.occurred_at))
    visit.next_contact_on = _next_after(visit, amendment, who)
    visit.channel, visit.reasons, visit.note = amendment.channel, sorted(amendment.reasons), amendment.note
    session.flush()
    _settle(session, who, visit, by=by, at=at)
    return visit


def _next_after(visit: Visit, amendment: Amendment, who: Prospect) -> date | None:
    """The day that was asked for; when it was left at the usual one, the usual one for the reasons given now."""
    usual, usual_now = (
        contact_after(visit.outcome, local_day(visit.occurred_at), reasons, stage=who.stage)
        for reasons in (_reasons(visit), amendment.reasons)
    )
    left = amendment.next_contact_on == visit.next_contact_on == usual
    return usual_now if left else amendment.next_contact_on


def withdraw_visit(session: Session, scope: Scope, visit_id: UUID, *, by: User, at: datetime) -> Visit:
    """Take a visit back: the person stands where the other visits leave them. A second time changes nothing."""
    visit, who = _changeable(session, scope, visit_id, by=by, at=at)
    if visit.withdrawn_at is None:
        visit.withdrawn_at = at
        session.flush()
        _settle(session, who, visit, by=by, at=at)
    return visit


def may_change(visit: Visit, by: User, at: datetime) -> bool:
    """Whether somebody may amend or withdraw this visit at a moment."""
    return changeable(visit.recorded_at, at, own=visit.user_id == by.id, leads=by.may(May.ASSIGN))


def _changeable(session: Session, scope: Scope, visit_id: UUID, *, by: User, at: datetime) -> tuple[Visit, Prospect]:
    visit, who = visit_and_person(session, scope, visit_id)
    if not may_change(visit, by, at):
        raise RuleBroken(
            _l("A visit can be changed by whoever recorded it, for one day. Ask the person who leads your unit."),
            code="too_late",
        )
    _held(session, who)
    session.refresh(visit)
    return visit, who


def _held(session: Session, who: Prospect) -> Prospect:
    """The person as they are now, kept from others who would change them until this act is done."""
    session.refresh(who, with_for_update={"key_share": True})
    return who


def _settle(session: Session, who: Prospect, visit: Visit, *, by: User, at: datetime) -> None:
    """Let the person's record say what the visits that stand say, however late `visit` came in or was taken back.

    The next contact is touched only by the latest visit: an older one that arrives late changes nothing of it.
    """
    every, steps = visits_to(session, who), steps_of(session, who)
    standing = [one for one in every if one.withdrawn_at is None]
    latest = standing[-1] if standing else None
    who.last_contact_at = latest.occurred_at if latest else None
    who.last_outcome = latest.outcome.value if latest else None
    if latest is None or _order(latest) <= _order(visit):
        who.next_contact_on = latest.next_contact_on if latest else None
    start, since = before_the_visits(who.stage, steps, {one.id for one in every})
    counted = [_said(one) for one in standing if since is None or one.occurred_at >= since]
    who.updated_at = at
    move_stage(session, who, stage_told_by(start, counted), at=at, by=by, because=visit.id)
    session.flush()


def _order(visit: Visit) -> tuple[datetime, datetime, UUID]:
    return visit.occurred_at, visit.recorded_at, visit.id


def _said(visit: Visit) -> Said:
    return Said(visit.occurred_at, visit.outcome, _reasons(visit))


def _reasons(visit: Visit) -> frozenset[Reason]:
    return frozenset(Reason(one) for one in visit.reasons)


# ---- who looks after whom


class HandOver(NamedTuple):
    """How many people changed hands, and the moment that names the act when it is undone; of one that was undone, how many
    stay where they are, for somebody has met them since."""

    people: int
    at: datetime
    stayed: int = 0


class Hands(NamedTuple):
    """A person, whose they were, and whose they become."""

    prospect_id: UUID
    volunteer_was: UUID | None
    organisation_was: UUID | None
    volunteer: UUID | None
    organisation: UUID | None


def assign(
    session: Session, scope: Scope, prospect_ids: Collection[UUID], volunteer_id: UUID, *, by: User, at: datetime
) -> HandOver:
    """Give people to somebody of one's unit; they belong to that person's organisation from then on.

    People who are with them already stay as they are. Raises RuleBroken when one of the people is out of sight, or
    the volunteer outside one's unit. One statement for each step, however many people.
    """
    volunteer = session.scalar(volunteers_for(scope).where(User.id == volunteer_id))
    if volunteer is None:
        raise RuleBroken(_l("Choose somebody of your own unit who is active."), field="volunteer")
    changes = [
        Hands(id, was, organisation, volunteer.id, volunteer.organisation_id or organisation)
        for id, was, organisation in held_people(session, scope, prospect_ids)
        if was != volunteer.id
    ]
    return hand_over(session, scope.town_id, changes, by=by, at=at)


def unassign(session: Session, scope: Scope, prospect_ids: Collection[UUID], *, by: User, at: datetime) -> HandOver:
    """Take people back from whoever looks after them; their organisation stays. Raises RuleBroken as `assign` does."""
    changes = [
        Hands(id, was, organisation, None, organisation)
        for id, was, organisation in held_people(session, scope, prospect_ids)
        if was is not None
    ]
    return hand_over(session, scope.town_id, changes, by=by, at=at)


def undo_assignment(session: Session, scope: Scope, given_at: datetime, *, by: User, at: datetime) -> HandOver:
    """Put right what `by` gave or took back at `given_at`, except who was handed on or met since."""
    if at > given_at + CHANGEABLE_FOR:
        raise RuleBroken(_l("This can be undone for one day only. Give the people out anew."), code="too_late")
    mine = (
        select(Assignment.prospect_id, Assignment.volunteer_was_id, Assignment.organisation_was_id)
        .where(Assignment.town_id == scope.town_id, Assignment.by_id == by.id, Assignment.since == given_at)
        .where(Assignment.until.is_(None))
    )
    held = {row[0]: row for row in held_people(session, scope, session.scalars(mine).all())}
    met = met_since(session, scope.town_id, dict.fromkeys(held, given_at))
    changes = [
        Hands(*held[id], volunteer, organisation)
        for id, volunteer, organisation in session.execute(mine)
        if id in held and id not in met
    ]
    return hand_over(session, scope.town_id, changes, by=by, at=at)._replace(stayed=len(met))


def met_since(session: Session, town_id: UUID, given: Mapping[UUID, datetime]) -> set[UUID]:
    """Of people given out at a moment each, those with whom a conversation was recorded since and stands: whoever undoes the
    giving would break into it."""
    if not given:
        return set()
    visits = select(Visit.prospect_id, func.max(Visit.recorded_at)).where(
        Visit.town_id == town_id, Visit.prospect_id.in_(given), Visit.withdrawn_at.is_(None)
    )
    since = visits.where(Visit.recorded_at >= min(given.values())).group_by(Visit.prospect_id)
    return {row[0] for row in session.execute(since) if row[1] >= given[row[0]]}


def held_people(
    session: Session, scope: Scope, prospect_ids: Collection[UUID]
) -> Sequence[Row[UUID, UUID | None, UUID | None]]:
    """These people with whom they belong to, kept from others until this act is done. RuleBroken if one is missing."""
    wanted = set(prospect_ids)
    if len(wanted) > MOST_AT_ONCE:
        raise RuleBroken(_l("That is too many people at once. Choose at most 1,000."), field="people")
    query = (
        select(Prospect.id, Prospect.volunteer_id, Prospect.organisation_id)
        .where(listed_to(scope), Prospect.id.in_(wanted))
        .order_by(Prospect.id)
        .with_for_update(key_share=True)
    )
    found = session.execute(query).all()
    if len(found) < len(wanted):
        raise RuleBroken(_l("Some of these people are not in your list. Open the list again."), field="people")
    return found


def hand_over(
    session: Session,
    town_id: UUID,
    changes: Sequence[Hands],
    *,
    by: User | None,
    at: datetime,
    note: str | None = None,
) -> HandOver:
    """Close who had them, open who has them now, and let the people's records say so; the people must be held.

    Whoever stands open in a work package leaves it. `by` is None when the calendar did it.
    """
    if not changes:
        return HandOver(0, at)
    session.flush()
    ids = [one.prospect_id for one in changes]
    of_these = (Assignment.town_id == town_id) & Assignment.prospect_id.in_(ids) & Assignment.until.is_(None)
    ended = {"until": func.greatest(Assignment.since, at)}
    session.execute(update(Assignment).where(of_these).values(ended).execution_options(synchronize_session=False))
    in_package = (PackageItem.town_id == town_id) & PackageItem.prospect_id.in_(ids) & PackageItem.settled_at.is_(None)
    left = {"settled_at": at, "settled": Settled.HANDED_ON}
    session.execute(update(PackageItem).where(in_package).values(left).execution_options(synchronize_session=False))
    opened = [
        {
            "town_id": town_id,
            "prospect_id": one.prospect_id,
            "volunteer_id": one.volunteer,
            "organisation_id": one.organisation,
            "since": at,
            "by_id": by.id if by else None,
            "note": note,
            "volunteer_was_id": one.volunteer_was,
            "organisation_was_id": one.organisation_was,
        }
        for one in changes
    ]
    session.execute(insert(Assignment), opened)
    now = values(column("id", Uuid), column("volunteer", Uuid), column("organisation", Uuid), name="now").data(
        [(one.prospect_id, one.volunteer, one.organisation) for one in changes]
    )
    session.execute(
        update(Prospect)
        .where(Prospect.town_id == town_id, Prospect.id == now.c.id)
        .values(
            volunteer_id=cast(now.c.volunteer, Uuid),
            organisation_id=cast(now.c.organisation, Uuid),
            updated_at=at,
            version=Prospect.version + 1,
        )
        .execution_options(synchronize_session=False)
    )
    session.expire_all()
    return HandOver(len(changes), at)


def begin_with(session: Session, person: Prospect, by: User, at: datetime) -> None:
    """Somebody was added to a volunteer's own list: from now on it is known since when they are in it."""
    if person.volunteer_id is None:
        return
    session.add(
        Assignment(
            town_id=person.town_id,
            prospect_id=person.id,
            volunteer_id=person.volunteer_id,
            organisation_id=person.organisation_id,
            since=at,
            by_id=by.id,
        )
    )
    session.flush()


added.register(begin_with)
