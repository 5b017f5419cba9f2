"""What phone numbers said to messages."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.clock import at as at_hour
from crm.clock import local_day
from crm.errors import RuleBroken
from crm.prospects.models import Consent, Prospect
from crm.prospects.rules import (
    ConsentChannel,
    NewConsent,
    Purpose,
    mobile_of,
    text_of,
)
from crm.prospects.services.standing import EARLIEST

_NO_MOBILE = _l("There is no mobile number to send messages to. Write it first.")
_NOT_YET = _l("The answer cannot be given in the future. Correct the day.")


def record_consent(
    session: Session,
    town_id: UUID,
    phone: str,
    purpose: Purpose,
    *,
    given: bool,
    channel: ConsentChannel,
    words: str | None,
    at: datetime,
    by: User | None,
    prospect_id: UUID | None = None,
    recorded_at: datetime | None = None,
) -> Consent:
    """A phone number agrees to messages of one purpose, or wants none (Decree 91/2020 art. 13: agreed beforehand, provable).

    `at` is when it was said, `recorded_at` when it was written down (the same moment unless told). Nothing is ever
    written over: the latest answer holds. Raises RuleBroken for what is no mobile number and for an answer of the future.
    """
    recorded = recorded_at or at
    if at > recorded:
        raise RuleBroken(_NOT_YET, field="sms_consent")
    row = Consent(
        town_id=town_id,
        phone=mobile_of(phone),
        purpose=purpose,
        given=given,
        channel=channel,
        at=at,
        words=text_of(words, "words"),
        prospect_id=prospect_id,
        recorded_at=recorded,
        recorded_by_id=by.id if by else None,
    )
    session.add(row)
    session.flush()
    return row


def check_answer(phone: str | None, consent: NewConsent, today: date) -> None:
    """Raises RuleBroken for an answer that could not be recorded of this number."""
    if consent.on < EARLIEST:
        raise RuleBroken(_l("This day is too far away. Correct the year."), field="sms_consent")
    if consent.on > today:
        raise RuleBroken(_NOT_YET, field="sms_consent")
    if not phone:
        raise RuleBroken(_NO_MOBILE, field="phone")
    text_of(consent.words, "words")


def answer_for(session: Session, prospect: Prospect, consent: NewConsent, *, by: User | None, at: datetime) -> Consent:
    """What somebody said about messages to their phone, on a day. Raises RuleBroken when they have no mobile."""
    if not prospect.phone:
        raise RuleBroken(_NO_MOBILE, field="phone")
    check_answer(prospect.phone, consent, local_day(at))
    said = at if consent.on == local_day(at) else at_hour(consent.on)
    return record_consent(
        session,
        prospect.town_id,
        prospect.phone,
        consent.purpose,
        given=consent.given,
        channel=consent.channel,
        words=consent.words,
        at=said,
        by=by,
        prospect_id=prospect.id,
        recorded_at=at,
    )
