"""People who are in the register twice: looked for every night, after each list that was loaded, and when many came."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from crm.background import ring
from crm.clock import now
from crm.db import transaction
from crm.places.queries import towns
from crm.prospects.merging.services import reviewing


@shared_task(name="identity.look_through")
def look_through() -> None:
    """Compare everybody with everybody, a town to a transaction. Safe to run again."""
    with transaction() as session:
        every = towns(session)
    for town_id in every:
        look_through_town(str(town_id))


@shared_task(name="identity.look_through_town")
def look_through_town(town_id: str) -> None:
    """Compare everybody of a town with everybody; whoever comes second while it is done has nothing to do."""
    with transaction() as session:
        reviewing.look_through(session, UUID(town_id), at=now())


@shared_task(name="identity.look_where_many_came")
def look_where_many_came() -> None:
    """Look through the towns to which many people came one by one since the last time."""
    with transaction() as session:
        due = [town_id for town_id in towns(session) if reviewing.is_due(session, town_id)]
    for town_id in due:
        look_through_town(str(town_id))


def look_soon(town_id: UUID) -> None:
    """Many people came: do not wait for the night."""
    ring(look_through_town, str(town_id))
