"""Do-not-call lists: read, and once somebody confirmed them written chunk by chunk. Each task may run twice."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from crm.background import ring
from crm.campaigns.numbers import queries
from crm.campaigns.numbers.services import lists
from crm.clock import now
from crm.db import step_by_step, transaction


@shared_task(name="numbers.work_on_list")
def work_on_list(town_id: str, list_id: str) -> None:
    """Do what is to be done on a list, to its end."""
    step_by_step(lambda session: lists.step(session, UUID(town_id), UUID(list_id), at=now()))


@shared_task(name="numbers.resume")
def resume() -> None:
    """Ring again for lists on which the work stands still."""
    with transaction() as session:
        still = queries.standing_still(session, now())
    for town_id, list_id in still:
        ring(work_on_list, str(town_id), str(list_id))
