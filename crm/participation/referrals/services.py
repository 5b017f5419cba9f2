"""Putting people on the insurance office's referral list, sending it, and keeping what the office answered."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import Scope
from crm.clock import local_day
from crm.errors import Conflict, NotFound, RuleBroken
from crm.ids import new_id
from crm.participation.referrals.models import Referral, ReferralList
from crm.participation.referrals.rules import OPEN, UNTOUCHED, Answer, State, stage_after
from crm.participation.screening.rules import Kind, Verdict
from crm.places.models import Town
from crm.prospects.models import Prospect
from crm.prospects.queries.seeing import visible_to
from crm.prospects.rules import Stage
from crm.prospects.services.stages import move_stage


def open_referral(session: Session, person: Prospect) -> Referral | None:
    """The referral of somebody that is not answered yet."""
    query = select(Referral).where(Referral.town_id == person.town_id, Referral.prospect_id == person.id)
    return session.scalars(query.where(Referral.state.in_(OPEN)).limit(1)).first()


def follow(session: Session, person: Prospect, verdict: Verdict, *, by: User, at: datetime) -> Referral | None:
    """Let the list follow a verdict: who belongs in compulsory insurance stands on it, who does not is taken off and
    back where they were, unless the list was sent already: then the office answers. The caller holds the person's row."""
    there = open_referral(session, person)
    if verdict.kind is Kind.COMPULSORY:
        return there or _refer(session, person, verdict, by=by, at=at)
    if there and there.state is State.TO_SEND:
        there.state = State.WITHDRAWN
        session.flush()
        _go_back(session, person, there, by=by, at=at)
    return None


def _refer(session: Session, person: Prospect, verdict: Verdict, *, by: User, at: datetime) -> Referral:
    row = Referral(
        town_id=person.town_id,
        id=new_id(),
        prospect_id=person.id,
        why=[one.code for one in verdict.deciding],
        since=verdict.since,
        stage_was=person.stage,
        referred_at=at,
        referred_by_id=by.id,
    )
    session.add(row)
    session.flush()
    if person.stage not in UNTOUCHED:
        move_stage(session, person, Stage.NOT_ELIGIBLE, at=at, by=by, because=row.id)
        person.next_contact_on = None
        session.flush()
    return row


def _go_back(session: Session, person: Prospect, row: Referral, *, by: User, at: datetime) -> None:
    back = stage_after(Answer.NOT_SUBJECT, row.stage_was)
    if back and person.stage is Stage.NOT_ELIGIBLE:
        move_stage(session, person, back, at=at, by=by, because=row.id)
        person.next_contact_on = local_day(at)
        session.flush()


def send(session: Session, scope: Scope, ids: Collection[UUID], *, on: date, by: User, at: datetime) -> ReferralList:
    """Put these referrals into a numbered list that goes to the office on a day. Those that somebody else has sent
    meanwhile are left out; none left is a Conflict `nothing_to_send`."""
    if on > local_day(at):
        raise RuleBroken(_l("The day of sending lies ahead."), field="sent_on")
    session.execute(select(Town.id).where(Town.id == scope.town_id).with_for_update())
    numbers = select(func.coalesce(func.max(ReferralList.number), 0)).where(
        ReferralList.town_id == scope.town_id, ReferralList.year == on.year
    )
    made = ReferralList(
        town_id=scope.town_id,
        id=new_id(),
        year=on.year,
        number=(session.scalar(numbers) or 0) + 1,
        sent_on=on,
        at=at,
        by_id=by.id,
    )
    session.add(made)
    session.flush()
    seen = select(Prospect.id).where(visible_to(scope))
    taken = session.execute(
        update(Referral)
        .where(Referral.town_id == scope.town_id, Referral.id.in_(ids), Referral.state == State.TO_SEND)
        .where(Referral.prospect_id.in_(seen))
        .values(state=State.SENT, list_id=made.id)
        .returning(Referral.id)
        .execution_options(synchronize_session=False)
    ).all()
    if not taken:
        raise Conflict(_l("These people were sent already. Look at the list again."), code="nothing_to_send")
    session.expire_all()
    return made


def record_answer(
    session: Session, scope: Scope, referral_id: UUID, answer: Answer, note: str | None, *, by: User, at: datetime
) -> Referral:
    """What the office says of somebody. Who is not subject goes back to where they stood. Twice is a Conflict."""
    row = session.scalar(
        select(Referral)
        .join(Prospect, (Prospect.town_id == Referral.town_id) & (Prospect.id == Referral.prospect_id))
        .where(visible_to(scope), Referral.id == referral_id)
        .with_for_update(of=Referral)
    )
    if row is None:
        raise NotFound
    if row.state is not State.SENT:
        raise Conflict(_l("This person is not waiting for an answer."), code="not_waiting")
    row.state, row.answer, row.note = State.ANSWERED, answer, note
    row.answered_at, row.answered_by_id = at, by.id
    session.flush()
    person = session.get_one(Prospect, (row.town_id, row.prospect_id))
    if answer is Answer.NOT_SUBJECT:
        _go_back(session, person, row, by=by, at=at)
    return row
