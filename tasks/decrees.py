"""Comparing the law before and after a decree for everybody, a chunk of people to a transaction."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from crm.background import ring
from crm.clock import now
from crm.db import step_by_step, transaction
from crm.decrees import queries, services


@shared_task(name="decrees.compare")
def compare(town_id: str, decree_id: str) -> None:
    """Compare to the end; may run twice, for one worker holds the row."""
    step_by_step(lambda session: services.step(session, UUID(town_id), UUID(decree_id), at=now()))


@shared_task(name="decrees.resume")
def resume() -> None:
    """Ring again for comparisons that stand still."""
    with transaction() as session:
        still = [(row.town_id, row.decree_id) for row in session.scalars(queries.standing_still(now()))]
    for town_id, decree_id in still:
        ring(compare, str(town_id), str(decree_id))
