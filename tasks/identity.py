"""People who are in the register twice: looked for every night."""

from __future__ import annotations

from celery import shared_task
from sqlalchemy import select

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
        with transaction() as session:
            reviewing.look_through(session, town_id, at=now())
