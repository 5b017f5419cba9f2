"""Keeping what somebody answered, and what follows for them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.services import note_change
from crm.clock import local_day
from crm.errors import RuleBroken
from crm.participation.referrals import services as referrals
from crm.participation.screening.models import Screening
from crm.participation.screening.queries import latest, verdict_of
from crm.participation.screening.rules import Answers, Verdict
from crm.premiums.rules.law import Law
from crm.prospects.models import Prospect

ENROLLED_DESPITE = "enrol_despite"
"""How the record of changes names an enrolment that the rules speak against."""


def record_screening(session: Session, person: Prospect, said: Answers, *, by: User, at: datetime) -> Verdict:
    """Keep the answers beside the earlier ones, unless they are the same, and let the referral list follow the verdict.

    The person's row is locked, so that two who ask at once leave two rows and one referral.
    """
    session.flush()
    session.refresh(person, with_for_update=True)
    before = latest(session, person)
    given = {name: getattr(said, name) for name in ("citizen", "work", "business", "allowance", "elsewhere")}
    if before is None or any(getattr(before, name) != value for name, value in given.items()):
        session.add(Screening(town_id=person.town_id, prospect_id=person.id, at=at, by_id=by.id, **given))
        session.flush()
    verdict = verdict_of(session, person, local_day(at))
    referrals.follow(session, person, verdict, by=by, at=at)
    return verdict


def refuse_barred(
    session: Session, person: Prospect, despite: str | None, rules: Law, *, by: User, at: datetime
) -> None:
    """Refuse whom the law keeps out of voluntary insurance, unless whoever records the money says why not.

    The reason is kept. Raises RuleBroken at `despite`, code `barred`.
    """
    verdict = verdict_of(session, person, local_day(at), rules)
    if not verdict.barred:
        return
    if not despite:
        raise RuleBroken(verdict.refusal, field="despite", code="barred")
    note_change(
        session,
        town_id=person.town_id,
        user_id=by.id,
        act=ENROLLED_DESPITE,
        subject="prospect",
        subject_id=person.id,
        at=at,
        after={"kind": verdict.kind.value, "why": [one.code for one in verdict.deciding], "reason": despite},
    )
