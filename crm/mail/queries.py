"""What is in the outbox."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.errors import NotFound
from crm.mail.models import Email

MOST_SHOWN = 50


def latest(session: Session, recipient: str = "", most: int = MOST_SHOWN) -> Sequence[Email]:
    """The latest e-mails, of one address when it is given."""
    query = select(Email).order_by(Email.made_at.desc(), Email.id.desc()).limit(most)
    if recipient:
        query = query.where(Email.recipient == recipient)
    return session.scalars(query).all()


def one(session: Session, email_id: UUID) -> Email:
    """An e-mail. Raises NotFound."""
    found = session.scalar(select(Email).where(Email.id == email_id))
    if found is None:
        raise NotFound
    return found
