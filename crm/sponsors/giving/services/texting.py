"""Whether a sponsor's telephone gets the reminders as messages: the owner's own yes or no, kept with its proof."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.phones import is_mobile
from crm.prospects.models import Consent
from crm.prospects.queries.facts import consents_of
from crm.prospects.rules import ConsentChannel, Purpose
from crm.prospects.services.consent import record_consent
from crm.sponsors.giving.models import Registration
from crm.sponsors.models import Sponsor


def is_texted(of: Registration | Sponsor) -> bool:
    """Whether what would go to a mailbox can only go to a telephone."""
    return bool(of.phone and not of.email and is_mobile(of.phone))


def said_to_texts(session: Session, of: Sponsor) -> Consent | None:
    """What the owner of a sponsor's number last said to messages about its own promise; None where nobody asked."""
    return consents_of(session, of.town_id, of.phone).get(Purpose.SERVICE) if of.phone else None


def answer_to_texts(
    session: Session,
    of: Registration | Sponsor,
    words: str,
    *,
    given: bool,
    channel: ConsentChannel,
    by: User | None,
    at: datetime,
) -> None:
    """Whoever holds the telephone wants reminders as messages, or wants none: the answer of the number, in the words it was
    said to or in. Raises RuleBroken where there is no mobile number, or a refusal came before and the proof is missing."""
    record_consent(
        session,
        of.town_id,
        of.phone or "",
        Purpose.SERVICE,
        given=given,
        channel=channel,
        words=words,
        at=at,
        by=by,
    )
