"""Letters about sponsors' instalments, and registrations that nobody confirmed."""

from __future__ import annotations

from celery import shared_task

from crm.background import ring
from crm.clock import now, today
from crm.db import transaction
from crm.places.queries import towns
from crm.sponsors.giving.services import registering, reminding
from crm.sponsors.giving.showing import links
from tasks.mail import send_some


@shared_task(name="giving.remind")
def remind() -> None:
    """Make the letters that are due today and e-mail them, once however often this runs."""
    with transaction() as session:
        for town_id in towns(session):
            reminding.remind(session, town_id, links=links(), today=today(), at=now())
    ring(send_some)


@shared_task(name="giving.forget_unconfirmed")
def forget_unconfirmed() -> None:
    """Delete what nobody confirmed for a month."""
    with transaction() as session:
        registering.forget_unconfirmed(session, now())
