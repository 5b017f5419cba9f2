"""What waits for a second person in the demo, and a sponsor who registered twice."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.clock import at
from crm.demo.giving import MILLION
from crm.demo.team import Team
from crm.sponsors.ledger.deciding import ask_to_close, ask_to_refund, change_limit
from crm.sponsors.ledger.queries import month_to_close
from crm.sponsors.models import Sponsor
from crm.sponsors.queries import balances_of
from crm.sponsors.rules import SponsorKind
from crm.sponsors.services import register_sponsor

LIMIT = 5 * MILLION
TO_RETURN = 6 * MILLION
TWICE = "Trần Quang Viện"
"""Stands among the sponsors already, with the word for a man before his name."""


def let_something_wait(session: Session, team: Team, as_of: date) -> None:
    """The first treasurer asked to return money and to close a month; the second one may decide. Both are above the limit
    that was set the day before."""
    before, moment = at(as_of - timedelta(days=1), 15), at(as_of, 8)
    by = session.get_one(User, (team.town_id, team.treasurer_id))
    change_limit(session, LIMIT, by=session.get_one(User, (team.town_id, team.manager_id)), at=before)
    sponsors = session.scalars(select(Sponsor).where(Sponsor.town_id == team.town_id).order_by(Sponsor.name_fold)).all()
    balances = balances_of(session, team.town_id, [one.id for one in sponsors])
    if rich := next((one for one in sponsors if balances[one.id].available >= TO_RETURN), None):
        why = "Chuyển khoản hai lần, đề nghị trả lại một lần"
        ask_to_refund(session, rich, TO_RETURN, reason=why, reference=None, by=by, at=moment)
    if month := month_to_close(session, team.town_id, as_of):
        ask_to_close(session, team.town_id, month, by=by, at=moment)
    if known := next((one for one in sponsors if one.contact_name == TWICE), None):
        register_sponsor(
            session,
            team.town_id,
            name=TWICE,
            kind=SponsorKind.PERSON,
            email=known.email,
            by_id=by.id,
            at=before,
        )
    session.flush()
