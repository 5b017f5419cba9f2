"""What is sent of its own accord about where the year stands."""

from __future__ import annotations

from celery import shared_task
from flask import current_app

from crm.background import ring
from crm.clock import now, today
from crm.db import transaction
from crm.reports.weekly import services
from tasks.mail import send_some


@shared_task(name="reports.weekly_summary")
def weekly_summary() -> None:
    """Write the week before to everyone who wishes, once however often this runs."""
    address = f"{current_app.config['SETTINGS'].public_url}/dashboard/week"
    with transaction() as session:
        services.write_to_all(session, address=address, today=today(), at=now())
    ring(send_some)
