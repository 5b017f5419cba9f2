"""What the calendar alone changes about taking part."""

from __future__ import annotations

from celery import shared_task

from crm import clock
from crm.db import step_by_step, transaction
from crm.participation import services
from crm.participation.listed import services as listed


@shared_task(name="participation.lapse_overdue")
def lapse_overdue() -> None:
    """Close every spell whose last day to pay has passed, a batch to a transaction. Safe to run again."""
    closed = services.AT_ONCE
    while closed == services.AT_ONCE:
        with transaction() as session:
            closed = services.lapse_overdue(session, clock.today(), at=clock.now())


@shared_task(name="participation.record_accepted")
def record_accepted() -> None:
    """Record the listed payments that somebody has accepted, one to a transaction. Safe to run again and beside itself."""
    step_by_step(lambda session: listed.record_accepted(session, clock.now()))
