"""Forecasts: every night, for past months that have none, and when somebody asks. Each may run twice."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from crm.clock import now, today
from crm.db import step_by_step, transaction
from crm.reports.forecast import services


@shared_task(name="forecast.make_missing")
def make_missing() -> None:
    """Make what is missing, one after another: each is kept as soon as it is made."""
    step_by_step(lambda session: services.make_next(session, today=today(), at=now()))


@shared_task(name="forecast.make_now")
def make_now(town_id: str) -> None:
    """Make today's, from the figures as they stand."""
    with transaction() as session:
        services.make(session, UUID(town_id), today(), today=today(), at=now())
