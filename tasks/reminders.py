"""Reminders of promised visits and of payments that fall due."""

from __future__ import annotations

from celery import shared_task
from sqlalchemy import select

from crm.background import ring
from crm.clock import now, today
from crm.db import transaction
from crm.places.models import Town
from crm.reminders import services
from tasks.campaigns import send_some


@shared_task(name="reminders.queue_due")
def queue_due() -> None:
    """Call off what has been done meanwhile, queue what is due today, and ring."""
    with transaction() as session:
        for town_id in session.scalars(select(Town.id)).all():
            services.clear_done(session, town_id, at=now())
            services.queue_due(session, town_id, today=today(), at=now())
    ring(send_some)
