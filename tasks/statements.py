"""Statements of the bank: lines loaded and looked through, a chunk to a transaction. Each task may run twice."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from crm.background import ring
from crm.clock import now
from crm.db import step_by_step, transaction
from crm.sponsors.statements import queries
from crm.sponsors.statements.services import loading


@shared_task(name="statements.load_statement")
def load_statement(town_id: str, statement_id: str) -> None:
    """Load the lines of a statement and look each through, to its end."""
    step_by_step(lambda session: loading.step(session, UUID(town_id), UUID(statement_id), at=now()))


@shared_task(name="statements.resume")
def resume() -> None:
    """Ring again for statements on which the work stands still."""
    with transaction() as session:
        still = queries.standing_still(session, now())
    for town_id, statement_id in still:
        ring(load_statement, str(town_id), str(statement_id))
