"""Whose help ends is looked for every night; their sponsors hear of it."""

from __future__ import annotations

from celery import shared_task

from crm.background import ring
from crm.clock import now, today
from crm.db import transaction
from crm.places.queries import towns
from crm.sponsors.cliff import services
from crm.sponsors.giving.showing import links
from tasks.mail import send_some


@shared_task(name="cliff.tell")
def tell() -> None:
    """Write down whose help ends and write to their sponsors, once however often this runs."""
    with transaction() as session:
        for town_id in towns(session):
            services.tell(session, town_id, links=links(), today=today(), at=now())
    ring(send_some)
