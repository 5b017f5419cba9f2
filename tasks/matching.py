"""Working out whom to fund, and setting the money of accepted lines aside. Each may run twice: one worker holds a row."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from celery import shared_task

from crm.background import ring
from crm.clock import now
from crm.db import step_by_step, transaction
from crm.sponsors.matching import services

STANDS_STILL = timedelta(minutes=2)


@shared_task(name="matching.make")
def make(town_id: str, proposal_id: str) -> None:
    """Make a proposal, once."""
    with transaction() as session:
        services.make(session, UUID(town_id), UUID(proposal_id))


@shared_task(name="matching.settle")
def settle(town_id: str, proposal_id: str) -> None:
    """Set the money aside for every accepted line."""
    step_by_step(lambda session: services.settle_some(session, UUID(town_id), UUID(proposal_id), at=now()))


@shared_task(name="matching.resume")
def resume() -> None:
    """Ring again for proposals that nobody makes, and for accepted lines that nobody settles."""
    with transaction() as session:
        still = [(row.town_id, row.id) for row in services.waiting(session, now() - STANDS_STILL)]
    for town_id, proposal_id in still:
        ring(make, str(town_id), str(proposal_id))
        ring(settle, str(town_id), str(proposal_id))
