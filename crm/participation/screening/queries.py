"""What is known of whether somebody may join."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from crm.participation.referrals.models import Referral
from crm.participation.referrals.rules import Answer, State
from crm.participation.screening.models import Screening
from crm.participation.screening.rules import Answers, Business, Elsewhere, Verdict, who_may_join
from crm.premiums.queries import law
from crm.premiums.rules.law import Law
from crm.prospects.importing.meanings.businesses import businesses_of
from crm.prospects.importing.models import TaxMethod
from crm.prospects.models import Prospect

_AS_LISTED = {
    TaxMethod.DECLARATION: Business.DECLARATION,
    TaxMethod.LUMP_SUM: Business.LUMP_SUM,
    None: Business.UNKNOWN,
}
_STRONGEST = (Business.DECLARATION, Business.LUMP_SUM, Business.UNKNOWN)


def latest(session: Session, person: Prospect) -> Screening | None:
    """What somebody answered last."""
    query = select(Screening).where(Screening.town_id == person.town_id, Screening.prospect_id == person.id)
    return session.scalars(query.order_by(Screening.at.desc(), Screening.id.desc()).limit(1)).first()


def listed_business(session: Session, person: Prospect, since: datetime | None = None) -> Business | None:
    """The household business that the tax office's lists tell of, those after `since`; of several the one that binds
    first."""
    known = businesses_of(session, person.town_id, [person.id]).get(person.id, [])
    told = {_AS_LISTED[one.method] for one in known if since is None or one.recorded_at > since}
    return next((one for one in _STRONGEST if one in told), None)


def citizen_by_number(person: Prospect) -> bool | None:
    """Whether a citizen number shows that somebody is a citizen; None without one."""
    return True if person.citizen_masked else None


def answered_since(session: Session, person: Prospect, at: datetime) -> Answer | None:
    """What the insurance office has answered of somebody since they were asked."""
    query = select(Referral.answer).where(Referral.town_id == person.town_id, Referral.prospect_id == person.id)
    return session.scalar(query.where(Referral.answered_at >= at).order_by(Referral.answered_at.desc()).limit(1))


def known_of(session: Session, person: Prospect) -> Answers:
    """The record's own facts, the tax office's list, and what was answered last: of list and answer the later holds."""
    said = latest(session, person)
    listed = listed_business(session, person, said.at if said else None)
    if said is None:
        return Answers(person.birth_date, person.birth_year, citizen_by_number(person), business=listed)
    told = answered_since(session, person, said.at)
    return Answers(
        person.birth_date,
        person.birth_year,
        said.citizen,
        said.work,
        listed or said.business,
        said.allowance,
        Elsewhere.COMPULSORY if told is Answer.ENROLLED else said.elsewhere,
        cleared=told is Answer.NOT_SUBJECT,
    )


def barred_among(session: Session, town_id: UUID, prospect_ids: Collection[UUID], day: date, all_law: Law) -> set[UUID]:
    """Those of these people whom their own last answers keep out, or who are referred to the insurance office."""
    asked = (
        select(Screening, Prospect.birth_date, Prospect.birth_year)
        .join(Prospect, and_(Prospect.town_id == Screening.town_id, Prospect.id == Screening.prospect_id))
        .where(Screening.town_id == town_id, Screening.prospect_id.in_(prospect_ids))
        .distinct(Screening.prospect_id)
        .order_by(Screening.prospect_id, Screening.at.desc(), Screening.id.desc())
    )
    referred = (
        select(Referral.prospect_id, Referral.answer)
        .where(Referral.town_id == town_id, Referral.prospect_id.in_(prospect_ids), Referral.state != State.WITHDRAWN)
        .distinct(Referral.prospect_id)
        .order_by(Referral.prospect_id, Referral.referred_at.desc(), Referral.id.desc())
    )
    answers = dict(session.execute(referred).tuples().all())
    found = {one for one, answer in answers.items() if answer in (None, Answer.ENROLLED)}
    for said, birth_date, birth_year in session.execute(asked):
        given = (said.citizen, said.work, said.business, said.allowance, said.elsewhere)
        cleared = answers.get(said.prospect_id) is Answer.NOT_SUBJECT
        if who_may_join(all_law, day, Answers(birth_date, birth_year, *given, cleared=cleared)).barred:
            found.add(said.prospect_id)
    return found


def verdict_of(session: Session, person: Prospect, day: date, all_law: Law | None = None) -> Verdict:
    """What the law of a day says of somebody."""
    return who_may_join(all_law or law(session), day, known_of(session, person))
