"""The sums that the database keeps, checked at night."""

from __future__ import annotations

from celery import shared_task

from crm import clock, sums
from crm.db import transaction
from crm.participation.tally.recounting import EVERY


@shared_task(name="sums.check")
def check() -> None:
    """Fold the sums of people and participants, count them again, and put right and note what differs. Safe to run again."""
    for one in EVERY:
        with transaction() as session:
            sums.check(session, one, clock.now())
