"""Links to confirm a contribution with, for whoever registered with a mobile number alone."""

from __future__ import annotations

from celery import shared_task
from sqlalchemy import select

from crm.background import ring
from crm.clock import now
from crm.db import transaction
from crm.places.models import Town
from crm.reminders.linking import services
from crm.sponsors.giving.showing import links
from tasks.campaigns import send_some


@shared_task(name="linking.text_links")
def text_links() -> None:
    """Text the link to whoever is waiting for one, once however often this runs."""
    with transaction() as session:
        for town_id in session.scalars(select(Town.id)).all():
            services.text_links(session, town_id, links=links(), at=now())
    ring(send_some)
