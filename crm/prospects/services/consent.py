"""What phone numbers said to messages. The answer belongs to the number and a purpose, never to a record of a person.

A no holds whatever becomes of the person's record. Only a new yes ends it, one with proof: how it was said, when, in which
words, and who wrote it down. The database refuses any other (migration 0040)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.clock import at as at_hour
from crm.clock import local_day
from crm.errors import RuleBroken
from crm.phones import pretty
from crm.prospects.models import Consent, Prospect
from crm.prospects.queries.facts import consents_of
from crm.prospects.rules import (
    ConsentChannel,
    NewConsent,
    Purpose,
    is_proof,
    is_refusal,
    mobile_of,
    text_of,
)
from crm.prospects.services.standing import EARLIEST
from crm.web.filters import in_day

_NO_MOBILE = _l("There is no mobile number to send messages to. Write it first.")
_NOT_YET = _l("The answer cannot be given in the future. Correct the day.")
_BEFORE_THE_NO = _l(
    "They refused after that. A yes counts only when it was said after the refusal: write the day and the hour."
)
MOMENT = timedelta(microseconds=1)
DAY = timedelta(days=1)


def one_at_a_time(session: Session, town_id: UUID, phone: str) -> None:
    """Answers of one number are written one after the other: a yes sees the no that came a moment before."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"consent {town_id} {phone}", 0))))


def refusal_of(session: Session, town_id: UUID, phone: str, purpose: Purpose) -> Consent | None:
    """The no that holds for a number and a purpose, when one does."""
    latest = consents_of(session, town_id, phone).get(purpose)
    return latest if latest is not None and is_refusal(latest.given, latest.channel) else None


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
    written over: the latest answer holds. Raises RuleBroken for what is no mobile number, for an answer of the future, and
    for a yes after a no that lacks its proof.
    """
    recorded = recorded_at or at
    if at > recorded:
        raise RuleBroken(_NOT_YET, field="sms_consent")
    number, said = mobile_of(phone), text_of(words, "words")
    one_at_a_time(session, town_id, number)
    refusal = refusal_of(session, town_id, number, purpose) if given else None
    if refusal is not None and at >= refusal.at and not is_proof(channel, said, by_somebody=by is not None):
        raise RuleBroken(
            _l(
                "The number %(number)s refused these messages on %(day)s. A new yes needs its proof: how they said it, "
                "and in which words.",
                number=pretty(number),
                day=in_day(refusal.at),
            ),
            field="sms_consent",
            code="refused_before",
        )
    row = Consent(
        town_id=town_id,
        phone=number,
        purpose=purpose,
        given=given,
        channel=channel,
        at=at,
        words=said,
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
    """What somebody said about messages to their phone, on a day. Raises RuleBroken when they have no mobile, and for a
    yes after a no that lacks its proof."""
    if not prospect.phone:
        raise RuleBroken(_NO_MOBILE, field="phone")
    check_answer(prospect.phone, consent, local_day(at))
    return record_consent(
        session,
        prospect.town_id,
        prospect.phone,
        consent.purpose,
        given=consent.given,
        channel=consent.channel,
        words=consent.words,
        at=_moment_of(session, prospect.town_id, prospect.phone, consent, at),
        by=by,
        prospect_id=prospect.id,
        recorded_at=at,
    )


def _moment_of(session: Session, town_id: UUID, phone: str, consent: NewConsent, at: datetime) -> datetime:
    """When it was said, as far as that is known. A no of a day holds from its end, a yes from its beginning; a yes of which
    nobody can say that it came after the no of the same day stands before it."""
    if consent.moment is not None:
        return min(consent.moment, at)
    refusal = refusal_of(session, town_id, phone, consent.purpose) if consent.given else None
    if refusal is not None and consent.on <= local_day(refusal.at):
        return min(at_hour(consent.on), refusal.at - MOMENT)
    if consent.on == local_day(at):
        return at
    return at_hour(consent.on) if consent.given else at_hour(consent.on + DAY) - MOMENT


def agree_again(
    session: Session,
    town_id: UUID,
    phone: str,
    purpose: Purpose,
    *,
    channel: ConsentChannel,
    words: str | None,
    said_at: datetime,
    by: User,
    at: datetime,
    prospect_id: UUID | None = None,
) -> Consent:
    """Somebody who refused agrees again, with the proof of it. Raises RuleBroken for a yes that was said before the no."""
    if said_at > at:
        raise RuleBroken(_NOT_YET, field="on")
    if not words or len(words.strip()) < 2:
        raise RuleBroken(_l("Write in which words they agreed, or the number of the signed paper."), field="words")
    refusal = refusal_of(session, town_id, mobile_of(phone), purpose)
    if refusal is not None and said_at <= refusal.at:
        raise RuleBroken(_BEFORE_THE_NO, field="on")
    return record_consent(
        session,
        town_id,
        phone,
        purpose,
        given=True,
        channel=channel,
        words=words,
        at=said_at,
        by=by,
        prospect_id=prospect_id,
        recorded_at=at,
    )
