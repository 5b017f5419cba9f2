"""Writing down what an insurance record says."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.clock import local_day
from crm.errors import RuleBroken
from crm.months import Month
from crm.participation.elsewhere.models import InsuranceRecord
from crm.participation.elsewhere.queries import latest
from crm.participation.elsewhere.rules import Said, check
from crm.participation.months import helping_since
from crm.participation.rules import basis_for, joins_from
from crm.premiums.queries import law
from crm.premiums.rules.keys import WINDOWS, LawKey
from crm.premiums.rules.law import Law
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
    check(said, Month.of(local_day(at)), **_limits(person, law(session), local_day(at)))
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


def _limits(person: Prospect, all_law: Law, day: date) -> dict[str, Any]:
    """What no paper about this person can exceed, as `check` takes it.

    The State helps by the day of payment (decree 134/2015, article 14): also with months whose window, the longest there
    is, was still open when it began.
    """
    today = all_law.on(day)
    cap = today.number(LawKey.SUPPORT_CAP_MONTHS) if today.says(LawKey.SUPPORT_CAP_MONTHS) else None
    of_age = today.says(LawKey.LEAST_AGE) and joins_from(
        person.birth_date, person.birth_year, today.number(LawKey.LEAST_AGE)
    )
    return {
        "cap": cap,
        "helps_since": helping_since(all_law) if cap else None,
        "window": max(map(today.window, WINDOWS)),
        "works_from": Month.of(of_age) if of_age else None,
    }
