"""What happens to wards on the day a document says."""

from __future__ import annotations

from celery import shared_task

from crm import clock
from crm.db import transaction
from crm.reorganisations import queries, services


@shared_task(name="places.hand_over_due")
def hand_over_due() -> None:
    """Hand over what was decided beforehand, once its day has come. Safe to run again."""
    with transaction() as session:
        for row in session.scalars(queries.due(clock.today())).all():
            services.hand_over(session, row, at=clock.now())
