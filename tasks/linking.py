"""Links for sponsors with a mobile number alone: to confirm a contribution, and to go on when their help ends."""

from __future__ import annotations

from celery import shared_task

from crm.background import ring
from crm.clock import now
from crm.db import transaction
from crm.places.queries import towns
from crm.reminders.linking import services
from crm.sponsors.giving.showing import links
from tasks.campaigns import send_some


@shared_task(name="linking.text_links")
def text_links() -> None:
    """Text the link to whoever is waiting for one, once however often this runs."""
    with transaction() as session:
        for town_id in towns(session):
            services.text_links(session, town_id, links=links(), at=now())
    ring(send_some)


@shared_task(name="linking.text_endings")
def text_endings() -> None:
    """Text sponsors whose help ends and to whom no letter goes, once however often this runs."""
    with transaction() as session:
        for town_id in towns(session):
            services.text_endings(session, town_id, links=links(), at=now())
    ring(send_some)
