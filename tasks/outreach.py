"""What the calendar alone changes about who looks after whom."""

from __future__ import annotations

from celery import shared_task

from crm import clock
from crm.db import transaction
from crm.outreach.packages import services


@shared_task(name="outreach.return_overdue")
def return_overdue() -> None:
    """Let packages whose last day is past come back, a batch to a transaction. Safe to run again."""
    back = services.AT_ONCE
    while back == services.AT_ONCE:
        with transaction() as session:
            back = services.return_overdue(session, clock.today(), at=clock.now())
