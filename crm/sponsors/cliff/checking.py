"""Whether anybody's help could end unseen. `crm doctor` tells it, and the treasurer's first page."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm.clock import at
from crm.places.models import Town
from crm.sponsors.cliff import queries
from crm.sponsors.models import Allocation

MOST_NAMED = 5


def overlooked(session: Session, today: date) -> list[str]:
    """What is wrong, with the first people by id. Empty when somebody knows of every end."""
    found = []
    for town_id in session.scalars(select(Town.id)).all():
        # Of what was so yesterday already; whatever is new today the coming night sees.
        waited = queries.unseen(town_id, today - timedelta(days=1)).where(Allocation.recorded_at < at(today))
        unseen = waited.order_by(None).subquery()
        missed = session.scalar(select(func.count()).select_from(unseen)) or 0
        if missed:
            found.append(f"{missed} people whose sponsor's help ends were not seen by the nightly task")
        alone = queries.left_alone(session, town_id, today)
        if alone:
            named = ", ".join(str(one) for one in alone[:MOST_NAMED])
            more = "…" if len(alone) > MOST_NAMED else ""
            found.append(f"{len(alone)} people whose sponsor's help ends and nobody follows it ({named}{more})")
    return found
