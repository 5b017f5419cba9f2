"""A proposal of the demo that waits for the treasurer."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session

from crm.clock import at
from crm.demo.team import Team
from crm.sponsors.matching import services
from crm.sponsors.matching.reading import with_money
from crm.sponsors.matching.rules.needs import Terms


def propose(session: Session, team: Team, as_of: date) -> None:
    """Ask whom the money that is left should carry next; nothing of it is accepted."""
    if not with_money(session, team.town_id):
        return
    by, asked_at = team.treasurer_id, at(as_of, 8)
    asked = services.ask(session, team.town_id, Terms(), by_id=by, on=as_of, at=asked_at)
    services.make(session, team.town_id, asked.id)
