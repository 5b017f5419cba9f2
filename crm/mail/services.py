"""Queue, claim, record, sweep: each e-mail is handed over at most once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crm.ids import new_id
from crm.mail.models import Email
from crm.mail.rules import (
    MOST_ATTEMPTS,
    Accepted,
    MailState,
    NoAnswer,
    Outcome,
    Outgoing,
    TryAgain,
    wait_before,
)

STUCK_AFTER = timedelta(minutes=10)


def queue(
    session: Session,
    town_id: UUID,
    *,
    occasion: str,
    to: str,
    subject: str,
    body: str,
    at: datetime,
    expires_at: datetime,
) -> UUID | None:
    """Put an e-mail into the outbox, in the transaction of what it tells of; None when it is there already."""
    statement = (
        insert(Email)
        .values(
            town_id=town_id,
            id=new_id(),
            occasion=occasion,
            recipient=to,
            subject=" ".join(subject.split()),
            body=body,
            state=MailState.WAITING,
            made_at=at,
            not_before=at,
            expires_at=expires_at,
            attempts=0,
        )
        .on_conflict_do_nothing(constraint="uq_email_town_id_occasion")
        .returning(Email.id)
    )
    return session.scalar(statement)


def claim(session: Session, *, at_most: int, at: datetime) -> list[Outgoing]:
    """Take e-mails that may leave now; nobody else gets them."""
    due = (
        select(Email.town_id, Email.id)
        .where(Email.state == MailState.WAITING, Email.not_before <= at, Email.expires_at > at)
        .order_by(Email.not_before, Email.id)
        .limit(at_most)
        .with_for_update(skip_locked=True)
    )
    ids = [row.id for row in session.execute(due)]
    taken = session.execute(
        update(Email)
        .where(Email.id.in_(ids), Email.state == MailState.WAITING)
        .values(state=MailState.SENDING, claimed_at=at, attempts=Email.attempts + 1, trouble=None)
        .returning(Email.town_id, Email.id, Email.recipient, Email.subject, Email.body)
        .execution_options(synchronize_session=False)
    )
    return [Outgoing(*row[:4], row[4] or "") for row in taken]


def record(session: Session, outcomes: Iterable[tuple[Outgoing, Outcome]], at: datetime) -> None:
    """Keep what came of a batch."""
    for outgoing, outcome in outcomes:
        query = select(Email).where(Email.town_id == outgoing.town_id, Email.id == outgoing.id).with_for_update()
        email = session.scalar(query.execution_options(populate_existing=True))
        if email is not None and email.state is MailState.SENDING:
            _record_one(email, outcome, at)
    session.flush()


def _record_one(email: Email, outcome: Outcome, at: datetime) -> None:
    email.trouble = None if isinstance(outcome, Accepted) else outcome.words
    if isinstance(outcome, TryAgain) and email.attempts < MOST_ATTEMPTS:
        email.state, email.not_before = MailState.WAITING, at + wait_before(email.attempts)
        return
    email.settled_at = at
    if isinstance(outcome, Accepted):
        email.state = MailState.SENT
        email.body = email.body if outcome.keeps else None
    elif isinstance(outcome, NoAnswer):
        email.state = MailState.UNKNOWN
    else:
        email.state = MailState.REFUSED


def sweep(session: Session, at: datetime) -> int:
    """Settle what stands still: what was being sent for long may have left, so it does not leave again."""
    moves = (
        update(Email)
        .where(Email.state == MailState.SENDING, Email.claimed_at < at - STUCK_AFTER)
        .values(state=MailState.UNKNOWN, settled_at=at),
        update(Email)
        .where(Email.state == MailState.WAITING, Email.expires_at <= at)
        .values(state=MailState.EXPIRED, settled_at=at, body=None),
    )
    moved = 0
    for move in moves:
        moved += len(session.execute(move.returning(Email.id).execution_options(synchronize_session=False)).all())
    session.expire_all()
    return moved


def call_off(session: Session, town_id: UUID, occasions: Sequence[str], at: datetime) -> None:
    """What waits and is no longer true is not sent."""
    session.execute(
        update(Email)
        .where(Email.town_id == town_id, Email.occasion.in_(occasions), Email.state == MailState.WAITING)
        .values(state=MailState.EXPIRED, settled_at=at, body=None)
        .execution_options(synchronize_session=False)
    )


def hold_back(session: Session, at: datetime) -> None:
    """After a restore: what this copy still has waiting may have left since it was made, so none of it leaves."""
    session.execute(
        update(Email)
        .where(Email.state.in_((MailState.WAITING, MailState.SENDING)))
        .values(state=MailState.UNKNOWN, settled_at=at)
        .execution_options(synchronize_session=False)
    )
