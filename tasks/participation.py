"""What the calendar alone changes about taking part."""

from __future__ import annotations

from celery import shared_task

from crm import clock
from crm.db import transaction
from crm.participation import services


@shared_task(name="participation.lapse_overdue")
def lapse_overdue() -> None:
    """Close every spell whose last day to pay has passed, a batch to a transaction. Safe to run again."""
    closed = services.AT_ONCE
    while closed == services.AT_ONCE:
        with transaction() as session:
            closed = services.lapse_overdue(session, clock.today(), at=clock.now())
