"""Writing down what an insurance record says."""

from __future__ import annotations

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.clock import local_day
from crm.errors import RuleBroken
from crm.months import Month
from crm.participation.elsewhere.models import InsuranceRecord
from crm.participation.elsewhere.queries import latest
from crm.participation.elsewhere.rules import Said, check
from crm.participation.rules import basis_for
from crm.premiums.queries import law
from crm.premiums.rules.keys import LawKey
from crm.prospects.models import Prospect


def write_down(session: Session, person: Prospect, said: Said, *, by: User, at: datetime) -> None:
    """Keep what a paper says beside what was said before; the same again changes nothing.

    Raises RuleBroken `not_yours` for whoever may not record payments, and at the field that cannot be.
    """
    if basis_for(by.may) is None:
        message = _l("Show the paper to a collection agent or the town's office: they write down what it says.")
        raise RuleBroken(message, code="not_yours")
    session.flush()
    session.refresh(person, with_for_update=True)
    today = law(session).on(local_day(at))
    cap = today.number(LawKey.SUPPORT_CAP_MONTHS) if today.says(LawKey.SUPPORT_CAP_MONTHS) else None
    check(said, Month.of(today.day), cap)
    if latest(session, person) == said:
        return
    session.add(
        InsuranceRecord(
            town_id=person.town_id,
            prospect_id=person.id,
            through=said.through.first_day,
            voluntary=said.voluntary,
            supported=said.supported,
            compulsory=said.compulsory,
            proof=said.proof,
            at=at,
            by_id=by.id,
        )
    )
    session.flush()
