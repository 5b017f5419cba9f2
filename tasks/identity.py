"""People who are in the register twice: looked for every night, and after each list that was loaded."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task
from sqlalchemy import select

from crm.background import ring
from crm.clock import now
from crm.db import transaction
from crm.places.models import Town
from crm.prospects.merging.services import reviewing


@shared_task(name="identity.look_through")
def look_through() -> None:
    """Compare everybody with everybody, a town to a transaction. Safe to run again."""
    with transaction() as session:
        towns = session.scalars(select(Town.id)).all()
    for town_id in towns:
        look_through_town(str(town_id))


@shared_task(name="identity.look_through_town")
def look_through_town(town_id: str) -> None:
    """Compare everybody of a town with everybody."""
    with transaction() as session:
        reviewing.look_through(session, UUID(town_id), at=now())


def look_soon(town_id: UUID) -> None:
    """Many people came: do not wait for the night."""
    ring(look_through_town, str(town_id))
