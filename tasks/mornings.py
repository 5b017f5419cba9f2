"""The word of the morning. May run twice or at the same time as itself: a row that one holds the other leaves."""

from __future__ import annotations

from celery import shared_task
from flask import current_app

from crm.background import ring
from crm.clock import now, today
from crm.db import step_by_step
from crm.followups.mornings import services
from tasks.mail import send_some


@shared_task(name="mornings.tell")
def tell() -> None:
    """Write to everybody who wishes it and was not looked at today, a few to a transaction."""
    link = f"{current_app.config['SETTINGS'].public_url}/today"
    step_by_step(lambda session: services.tell_some(session, link=link, today=today(), at=now()))
    ring(send_some)
